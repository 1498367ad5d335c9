"""A scorer after its catalogue changed: who stayed, who went, who is new; and what serves then."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from listener_layers import tiny_layers
from small import ITEMS, build

from finetune.refit import train_for
from retrieval.catalogue import Catalogue, CatalogueRead
from retrieval.dialogue import Message
from retrieval.errors import WorkspaceError
from retrieval.scoring import SCORER
from retrieval.signals.alignment import SHARPNESS, Alignment, labels
from retrieval.signals.listener import Layers
from retrieval.types import Item, Query
from retrieval.workspace import Workspace

FORMER = Catalogue([Item("a", "Alien", 1979), Item("b", "Big", 1988), Item("c", "Casino", 1995)])
NOW = Catalogue([Item("n", "New", 2020), Item("c", "Casino", 1995), Item("a", "Alien", 1979)])
TEXTS = np.array([[0.6, 0.8], [1.0, 0.0], [0.0, 1.0]], dtype=np.float32)


def test_rows_move_and_those_that_went_are_left_out():
    alignment = Alignment(labels(FORMER), NOW, TEXTS)
    assert alignment.rows(np.array([2, 1, 0, 2])).tolist() == [1, 2, 1]


def test_a_new_item_stands_for_its_neighbours_by_text():
    alignment = Alignment(labels(FORMER), NOW, TEXTS)
    table = torch.tensor([[8.0, 0.0], [5.0, 5.0], [0.0, 8.0]])
    new, casino, alien = alignment.spread(table).tolist()
    assert (alien, casino) == ([8.0, 0.0], [0.0, 8.0])
    to_casino, to_alien = 0.6**SHARPNESS, 0.8**SHARPNESS
    share = to_alien / (to_casino + to_alien)
    assert new == pytest.approx([8 * share, 8 * (1 - share)])
    assert alignment.spread(torch.tensor([1.0, 2.0, 3.0])).shape == (3,)


def test_an_unchanged_catalogue_changes_nothing():
    alignment, table = Alignment(labels(FORMER), FORMER, TEXTS), torch.randn(3, 4)
    assert torch.equal(alignment.spread(table), table)
    assert alignment.rows(np.array([1, 0])).tolist() == [1, 0]


def test_the_same_ids_with_other_titles_are_another_catalogue():
    other = Catalogue([replace(item, title=f"Other {item.title}") for item in FORMER])
    with pytest.raises(WorkspaceError, match="another catalogue: this one has 0 of its 3 items"):
        Alignment(labels(FORMER), other, TEXTS)


def test_a_changed_workspace_keeps_its_scorer_and_another_one_falls_back_to_fusion(tmp_path, monkeypatch):
    monkeypatch.setattr(Layers, "packaged", tiny_layers)
    first = build(ITEMS, tmp_path / "w")
    train_for(first, None, False, None, 1, 0, lambda _: None)
    query = Query(liked=("heat",), messages=(Message("seeker", "", ("heat",)),))

    def opened(items):
        read = CatalogueRead(Catalogue(items), (), len(items))
        return Workspace.build(first.folder, read, None, (), first.encoder)

    changed = opened([*ITEMS[:5], *ITEMS[7:], replace(ITEMS[0], item_id="heat2", title="Heat 2")])
    assert changed.scorer_fault == ""
    found = [candidate.item_id for candidate in changed.ranker.rank(query, 40).candidates]
    assert len(found) == len(ITEMS) - 2
    assert found.index("heat2") < 10  # it stands for what its text is like
    strange = opened([replace(item, title=f"Other {item.title}") for item in ITEMS])
    assert "another catalogue" in strange.scorer_fault
    assert strange.ranker.rank(query, 5).candidates
    assert (first.folder / SCORER).is_dir()  # left alone: the catalogue may come back

"""The measurement of new items: what it hides, what it asks, and what it finds by hand."""

from __future__ import annotations

import numpy as np
import pytest
import small
from scipy import sparse

from eval.benchmarks.cold_start import COLD, arranged, measure_cold_start
from retrieval.expected import Near


def parts() -> tuple[Near, int]:
    workspace = small.workspace()
    return Near(workspace.dense.vectors, workspace.knowledge.matrix), len(workspace.catalogue)


def test_new_items_have_no_rating_and_nobody_is_given_what_is_to_be_found() -> None:
    interactions = small.workspace().interactions
    assert interactions is not None
    trial = arranged(interactions, 0)
    assert len(trial.new) == round(COLD * len(small.ITEMS))
    assert not trial.known.counts[trial.new].any()
    assert sorted([*trial.new, *trial.others]) == list(range(len(small.ITEMS)))
    both = trial.new_likes + trial.latest
    assert not both.multiply(trial.known.matrix).nnz
    for test in (trial.new_likes, trial.latest):
        assert (interactions.matrix.multiply(test).data == 5.0).all()
    assert set(trial.new_likes.indices) <= set(trial.new.tolist())
    assert np.diff(trial.latest.indptr).max() == 1


def test_ways_are_compared_on_the_same_people() -> None:
    workspace = small.workspace()
    near, n_items = parts()
    assert workspace.interactions is not None
    rows = {
        row.way: row
        for row in measure_cold_start(workspace.catalogue, workspace.interactions, near, 0, print)
    }
    # A list of twenty holds all six new items, where they have any score at all.
    assert rows["expected from both (served)"].among_new.value == pytest.approx(1.0, abs=0.1)
    assert rows["no new items"].among_new.value == 0
    assert rows["no new items"].among_all.value == 0
    assert rows["popularity of the genres"].among_all.value == 1.0
    alone = Near(near.texts, sparse.csr_array((n_items, 1)))
    again = measure_cold_start(workspace.catalogue, workspace.interactions, alone, 0, print)
    served = next(row for row in again if row.way == "expected from both (served)")
    assert served.warm == rows["expected from text"].warm

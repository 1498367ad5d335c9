"""Fusion, the scorer and both over the same queries: figures by hand, the command on a small workspace."""

import json

import numpy as np
import pytest
from listener_layers import tiny_layers
from small import ITEMS, build
from test_conversational import SAID, Odds, ranker_with
from typer.testing import CliRunner

from eval.benchmarks.serving import Asked, serve, systems
from eval.cli import app
from finetune.refit import train_for
from retrieval.conversational import Conversational
from retrieval.ranker import Ranker
from retrieval.retriever import best
from retrieval.signals.listener import Layers
from retrieval.types import Query


def test_the_systems_differ_only_in_the_scorer():
    from retriever_contract import FILMS

    ranker = ranker_with(Conversational(FILMS, Odds()))
    query = Query(liked=("16",), messages=SAID)
    found = {
        name: [c.item_id for c in one.rank(query, 8).candidates] for name, one in systems(ranker).items()
    }
    assert found["fusion"][:3] == ["10", "11", "12"]
    assert found["scorer alone"][:3] == ["13", "12", "11"]
    assert found["both, as served"] == [c.item_id for c in ranker.rank(query, 8).candidates]
    assert set(systems(Ranker(FILMS, list(ranker.sources.values())[:1]))) == {"fusion"}


def test_figures_by_hand():
    from retriever_contract import FILMS

    class Fixed:
        name = "dense"

        def retrieve(self, query, eligible, n):
            return best("dense", FILMS, np.arange(8, 0, -1, dtype=float), eligible.mask, n)

    asked = [Asked(Query(), frozenset({"10", "12"}), "ana"), Asked(Query(), frozenset({"17"}), "bo")]
    row = serve("fixed", Ranker(FILMS, [Fixed()]), asked, 0)
    assert row.recall_1.value == pytest.approx((0.5 + 0) / 2)
    assert row.recall_10.value == 1.0
    first = (1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3))
    assert row.ndcg_10.value == pytest.approx((first + 1 / np.log2(9)) / 2)
    assert 0.0 == row.recall_1.low < row.recall_1.high == 0.5


def test_the_command(tmp_path, monkeypatch):
    from retrieval import workspace as module

    monkeypatch.setattr(Layers, "packaged", tiny_layers)
    opened = build(ITEMS, tmp_path / "w")
    train_for(opened, None, False, None, 1, 0, lambda _: None)
    monkeypatch.setattr(module, "_packaged_encoder", lambda: opened.encoder)
    arguments = ["ranking", "--workspace", str(tmp_path / "w"), "--json", str(tmp_path / "f.json")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    (table,) = json.loads((tmp_path / "f.json").read_text())["tables"]
    assert table["title"].startswith("held-out users, three films given (8 queries)")
    assert [row["system"] for row in table["rows"]] == ["fusion", "scorer alone", "both, as served"]
    assert all(0 < row["recall_50"]["value"] <= 1 for row in table["rows"])

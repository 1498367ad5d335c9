"""Reciprocal-rank fusion, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.fusion import reciprocal_rank
from retrieval.types import Candidate, Evidence


def ranked(source, *item_ids):
    return [
        Candidate(item_id, 1.0 / rank, rank, (Evidence(source, rank, 1.0 / rank),))
        for rank, item_id in enumerate(item_ids, start=1)
    ]


def test_scores_add_up_over_sources():
    fused = reciprocal_rank({"a": ranked("a", "x", "y"), "b": ranked("b", "y")}, {"a": 1.0, "b": 0.5})
    assert [candidate.item_id for candidate in fused] == ["y", "x"]
    assert fused[0].score == pytest.approx(1 / 62 + 0.5 / 61)
    assert fused[1].score == pytest.approx(1 / 61)
    assert [candidate.rank for candidate in fused] == [1, 2]


def test_evidence_is_kept_from_every_source():
    fused = reciprocal_rank({"a": ranked("a", "x", "y"), "b": ranked("b", "y")}, {"a": 1.0, "b": 1.0})
    assert fused[0].evidence == (Evidence("a", 2, 0.5), Evidence("b", 1, 1.0))


def test_k_sets_how_much_the_first_ranks_count():
    lists = {"a": ranked("a", "x", "y"), "b": ranked("b", "z", "y")}
    weights = {"a": 1.0, "b": 1.0}
    assert reciprocal_rank(lists, weights, k=60)[0].item_id == "y"
    assert [c.item_id for c in reciprocal_rank(lists, weights, k=0)] == ["x", "y", "z"]


def test_ties_go_by_item_id_whatever_the_order_of_sources():
    lists = {"a": ranked("a", "z"), "b": ranked("b", "m")}
    backwards = dict(reversed(lists.items()))
    weights = {"a": 1.0, "b": 1.0}
    assert [c.item_id for c in reciprocal_rank(lists, weights)] == ["m", "z"]
    assert [c.item_id for c in reciprocal_rank(backwards, weights)] == ["m", "z"]


def test_a_source_of_weight_zero_is_left_out():
    lists = {"a": ranked("a", "x"), "b": ranked("b", "y")}
    assert [c.item_id for c in reciprocal_rank(lists, {"a": 1.0, "b": 0.0})] == ["x"]


def test_a_source_without_a_weight_is_an_error():
    with pytest.raises(KeyError, match="a"):
        reciprocal_rank({"a": ranked("a", "x")}, {})


def test_nothing_in_nothing_out():
    assert reciprocal_rank({}, {}) == []


@given(st.dictionaries(st.sampled_from("abc"), st.lists(st.sampled_from("uvwxyz"), unique=True)))
def test_every_item_once_and_best_first(ids):
    fused = reciprocal_rank(
        {name: ranked(name, *found) for name, found in ids.items()}, dict.fromkeys(ids, 1.0)
    )
    assert sorted(candidate.item_id for candidate in fused) == sorted(set().union(*ids.values()))
    scores = [candidate.score for candidate in fused]
    assert scores == sorted(scores, reverse=True)
    assert [candidate.rank for candidate in fused] == list(range(1, len(fused) + 1))

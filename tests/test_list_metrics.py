"""Metrics of what a list is like besides being right: figures small enough to compute by hand."""

from __future__ import annotations

from math import log, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from eval import list_metrics as metrics
from eval.ranking_metrics import EMPTY, hits, ndcg_at, top

# Five items: two dramas, a comedy, one that is both, and one of no genre.
FACETS = np.array([[1, 0], [1, 0], [0, 1], [1, 1], [0, 0]], dtype=float)
RANKED = np.array([[0, 1, 2], [3, 2, EMPTY], [4, EMPTY, EMPTY]])
NAN = float("nan")


def same(found: np.ndarray, expected: list[float] | list[list[float]]) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_every_item_spreads_one_over_its_genres() -> None:
    same(metrics.list_shares(RANKED, FACETS, 3), [[2 / 3, 1 / 3], [0.25, 0.75], [NAN, NAN]])
    same(metrics.list_shares(RANKED, FACETS, 2), [[1, 0], [0.25, 0.75], [NAN, NAN]])
    likes = np.array([[1, 0, 0, 1, 1]])
    same(metrics.facet_shares(likes, FACETS), [[0.75, 0.25]])


def test_entropy_and_simpson() -> None:
    shares = np.array([[1, 0], [0.5, 0.5], [0.25, 0.75], [NAN, NAN]])
    quarter = -(0.25 * log2(0.25) + 0.75 * log2(0.75))
    same(metrics.entropy(shares), [0, 1, quarter, NAN])
    same(metrics.simpson(shares), [0, 0.5, 1 - 0.0625 - 0.5625, NAN])


def test_miscalibration_is_the_divergence_from_the_smoothed_list() -> None:
    liked = np.array([[0.7, 0.3], [0.7, 0.3], [1, 0], [NAN, NAN]])
    listed = np.array([[0.7, 0.3], [1, 0], [0, 1], [0.5, 0.5]])
    one_sided = 0.7 * log(0.7 / (0.99 + 0.007)) + 0.3 * log(0.3 / 0.003)
    same(metrics.miscalibration(liked, listed), [0, one_sided, log(100), NAN])


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.integers(0, 1000))
def test_miscalibration_is_never_negative_and_zero_for_the_same(values: list[float], seed: int) -> None:
    liked = np.array([values]) / sum(values)
    listed = np.random.default_rng(seed).dirichlet(np.ones(len(values)))[None]
    assert metrics.miscalibration(liked, listed)[0] >= -1e-12
    assert metrics.miscalibration(liked, liked)[0] == pytest.approx(0, abs=1e-12)
    assert 0 <= metrics.simpson(listed)[0] <= 1 - 1 / len(values) + 1e-12
    assert -1e-12 <= metrics.entropy(listed)[0] <= log2(len(values)) + 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_ndcg_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, relevant = rng.random((3, 8)), rng.random((3, 8)) < 0.4
    relevant[:, 0] = True
    found = hits(top(scores, 8), relevant)
    ours = ndcg_at(found, relevant.sum(axis=1), 5)
    assert ours.mean() == pytest.approx(ndcg_score(relevant, scores, k=5))


def test_serendipity_counts_what_is_right_and_not_expected() -> None:
    relevant = np.array([[1, 0, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)
    expected = np.array([True, False, False, True, False])
    found = hits(RANKED, relevant)
    same(metrics.serendipity_at(found, RANKED, expected, 3), [1 / 3, 1 / 3, 0])
    same(metrics.serendipity_at(found, RANKED, expected, 2), [0, 1 / 2, 0])


def test_the_head_is_the_fewest_items_with_four_fifths() -> None:
    # 5 + 3 = 8 of 10 are reached by the first two; the rest is the tail, also what nobody knows.
    assert metrics.long_tail(np.array([1, 5, 3, 1, 0])).tolist() == [True, False, False, True, True]
    assert metrics.long_tail(np.array([5, 5])).tolist() == [False, False]
    with pytest.raises(ValueError, match="neither a head nor a tail"):
        metrics.long_tail(np.zeros(3))


def test_share_of_a_list_that_is_marked() -> None:
    marked = np.array([True, False, True, False, False])
    same(metrics.share_at(RANKED, marked, 3), [2 / 3, 1 / 2, 0])
    same(metrics.share_at(np.array([[EMPTY]]), marked, 1), [NAN])

"""Metrics of ranked lists: figures small enough to compute by hand, and what must hold of any list."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from eval import ranking_metrics as metrics
from eval.metrics import bootstrap
from eval.ranking_metrics import EMPTY

# Four users, six items. Ana has three right ones, two of them listed at ranks 1 and 3; Bo has one, at rank 2
# of a list of two; Cy's only one is not listed; nothing is right for Di.
RANKED = np.array([[4, 0, 2], [5, 1, EMPTY], [0, 1, 2], [3, 4, 5]])
RELEVANT = np.array([[0, 0, 1, 1, 1, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0] * 6], dtype=bool)
WANTED = RELEVANT.sum(axis=1)
HITS = metrics.hits(RANKED, RELEVANT)
NAN = float("nan")


def same(found: np.ndarray, expected: list[float]) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_top_ranks_by_score_then_place_and_never_what_is_excluded() -> None:
    scores = np.array([[0.1, 0.5, 0.5, -np.inf], [-np.inf, -np.inf, 0.0, -np.inf]])
    assert metrics.top(scores, 3).tolist() == [[1, 2, 0], [2, EMPTY, EMPTY]]
    assert metrics.top(scores, 9).shape == (2, 4)


def test_hits_are_where_the_relevant_items_stand() -> None:
    expected = [[True, False, True], [False, True, False], [False] * 3, [False] * 3]
    assert expected == HITS.tolist()
    assert metrics.hits(RANKED, sparse.csr_array(RELEVANT)).tolist() == expected


def test_an_empty_place_is_no_hit_though_its_number_would_mean_the_last_item() -> None:
    assert not metrics.hits(np.array([[EMPTY]]), np.array([[True, True]])).any()


def test_precision_recall_and_hit_rate() -> None:
    same(metrics.precision_at(HITS, 2), [1 / 2, 1 / 2, 0, 0])
    same(metrics.precision_at(HITS, 3), [2 / 3, 1 / 3, 0, 0])
    same(metrics.recall_at(HITS, WANTED, 3), [2 / 3, 1, 0, NAN])
    same(metrics.hit_rate_at(HITS, WANTED, 1), [1, 0, 0, NAN])
    same(metrics.hit_rate_at(HITS, WANTED, 3), [1, 1, 0, NAN])


def test_ndcg() -> None:
    ana = (1 + 1 / log2(4)) / (1 + 1 / log2(3) + 1 / log2(4))
    same(metrics.ndcg_at(HITS, WANTED, 3), [ana, 1 / log2(3), 0, NAN])
    same(metrics.ndcg_at(HITS, WANTED, 1), [1, 0, 0, NAN])


def test_ndcg_of_a_cut_beyond_the_list_still_asks_for_what_could_have_been_listed() -> None:
    ana = (1 + 1 / log2(4)) / (1 + 1 / log2(3) + 1 / log2(4))
    assert metrics.ndcg_at(HITS, WANTED, 10)[0] == pytest.approx(ana)
    same(metrics.ndcg_at(np.array([[True]]), np.array([2]), 10), [1 / (1 + 1 / log2(3))])


def test_reciprocal_rank_and_average_precision() -> None:
    same(metrics.reciprocal_rank(HITS, WANTED), [1, 1 / 2, 0, NAN])
    same(metrics.average_precision_at(HITS, WANTED, 3), [(1 + 2 / 3) / 3, 1 / 2, 0, NAN])
    same(metrics.average_precision_at(HITS, WANTED, 2), [1 / 2, 1 / 2, 0, NAN])


def test_mean_leaves_out_what_is_undefined_and_takes_weights() -> None:
    values = np.array([1.0, NAN, 0.5])
    assert metrics.mean(values) == 0.75
    assert metrics.mean(values, np.array([1.0, 5.0, 3.0])) == 0.625
    assert np.isnan(metrics.mean(np.array([NAN])))
    estimate = bootstrap(3, lambda weights: metrics.mean(values, weights))
    assert estimate.low <= estimate.value == 0.75 <= estimate.high


def test_exposure_coverage_and_gini() -> None:
    assert metrics.exposure(RANKED, 6, 2).tolist() == [2, 2, 0, 1, 2, 1]
    assert metrics.exposure(RANKED, 6, 1, np.array([0.0, 3.0, 1.0, 0.0])).tolist() == [1, 0, 0, 0, 0, 3]
    assert metrics.coverage_at(RANKED, 6, 2) == 5 / 6
    assert metrics.coverage_at(RANKED, 6, 2, np.array([1.0, 0.0, 0.0, 0.0])) == 2 / 6
    assert metrics.gini(np.array([3.0, 3.0, 3.0])) == 0
    assert metrics.gini(np.array([0.0, 7.0, 0.0, 0.0])) == 3 / 4
    assert metrics.gini(np.array([3.0, 1.0])) == 1 / 4  # half the mean difference over the mean: 2 / 4 / 2
    assert np.isnan(metrics.gini(np.zeros(3)))
    with pytest.raises(ValueError, match=r"lowest is -1\.0"):
        metrics.gini(np.array([-1.0, 2.0]))


def test_distance_within_a_list() -> None:
    vectors = np.array([[2.0, 0.0], [0.0, 5.0], [1.0, 0.0], [0.0, 0.0]])
    lists = np.array([[0, 1, 2], [0, 2, EMPTY], [1, EMPTY, EMPTY], [0, 3, EMPTY]])
    same(metrics.intra_list_distance(lists, vectors, 3), [2 / 3, 0, NAN, 1])
    same(metrics.intra_list_distance(lists, vectors, 2), [1, 0, NAN, 1])


def test_novelty_is_in_bits() -> None:
    counts = np.array([7, 3, 0])
    lists = np.array([[0, 1], [2, EMPTY], [EMPTY, EMPTY]])
    same(metrics.novelty_at(lists, counts, n_users=7, k=2), [0.5, 3, NAN])


def test_popularity_lift_is_against_the_users_own_history() -> None:
    counts = np.array([8, 2, 4])
    profiles = sparse.csr_array(np.array([[0, 1.0, 5.0], [0, 0.5, 0], [0, 0, 0]]))
    lists = np.array([[0, EMPTY], [1, EMPTY], [0, 1]])
    same(metrics.popularity_lift(lists, profiles, counts, 2), [(8 - 3) / 3, 0, NAN])


def test_expected_calibration_error() -> None:
    chances = np.array([0.1, 0.1, 0.9, 1.0])
    positive = np.array([True, False, True, True])
    # Two bins: means .1 and .95 against shares .5 and 1, half of the instances in each.
    assert metrics.expected_calibration_error(chances, positive, 2) == pytest.approx(0.2 + 0.025)
    weights = np.array([0.0, 2.0, 0.0, 2.0])
    assert metrics.expected_calibration_error(chances, positive, 2, weights) == pytest.approx(0.05)
    with pytest.raises(ValueError, match=r"one is 1\.5"):
        metrics.expected_calibration_error(np.array([1.5]), np.array([True]))


@given(st.integers(0, 2**32 - 1))
def test_what_must_hold_of_any_lists(seed: int) -> None:
    rng = np.random.default_rng(seed)
    relevant = rng.random((5, 8)) < 0.3
    ranked = metrics.top(rng.random((5, 8)), 4)
    ideal = metrics.top(relevant.astype(float), 8)
    wanted = relevant.sum(axis=1)
    found, best = metrics.hits(ranked, relevant), metrics.hits(ideal, relevant)
    some = wanted > 0
    for metric in (metrics.ndcg_at, metrics.average_precision_at):
        np.testing.assert_allclose(metric(best, wanted, 4)[some], 1)
        assert (metric(found, wanted, 4)[some] <= 1).all()
    assert (metrics.recall_at(found, wanted, 2)[some] <= metrics.recall_at(found, wanted, 4)[some]).all()
    assert 0 <= metrics.gini(metrics.exposure(ranked, 8, 4)) < 1
    assert metrics.exposure(ranked, 8, 4).sum() == ranked.size

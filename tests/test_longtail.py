"""The controls over a finished list: how far down the catalogue, and how unlike one another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from retriever_contract import FILMS

from retrieval.diversity import diversified
from retrieval.errors import QueryError
from retrieval.filters import eligible
from retrieval.longtail import drawn_places, percentiles, reach
from retrieval.popularity import PopularityRetriever
from retrieval.ranker import Ranker
from retrieval.types import Candidate, Constraints, Evidence, Facet, Query

shares = st.floats(0, 1)


def listed(n):
    return [Candidate(str(k), 1 / k, k, (Evidence("dense", k, 1 / k),)) for k in range(1, n + 1)]


def ids(candidates):
    return [candidate.item_id for candidate in candidates]


def alike(item_id):
    return 0.5


def test_percentiles_count_equals_half():
    assert percentiles(np.array([3.0, 1.0, 3.0, 9.0])).tolist() == [0.5, 0.125, 0.5, 0.875]
    assert percentiles(np.zeros(3)).tolist() == [0.5, 0.5, 0.5]
    assert percentiles(np.zeros(0)).tolist() == []


def test_how_many_places_of_a_page_are_drawn():
    tenths = [drawn_places(tenth / 10, 10) for tenth in range(11)]
    assert tenths == [0, 0, 0, 1, 1, 2, 3, 4, 6, 8, 10]
    assert [drawn_places(share, 3) for share in (0.0, 0.4, 0.5, 0.8, 1.0)] == [0, 0, 1, 2, 3]


@given(st.integers(0, 30), shares, st.integers(1, 12), st.text())
def test_the_same_candidates_come_back_ranked_anew_with_score_and_evidence(n, long_tail, page, seed):
    given_ = listed(n)
    found = reach(given_, alike, long_tail, page, seed)
    assert sorted(found, key=lambda c: c.item_id) == sorted(
        [Candidate(c.item_id, c.score, next(f.rank for f in found if f.item_id == c.item_id), c.evidence)
         for c in given_],
        key=lambda c: c.item_id,
    )  # fmt: skip
    assert [c.rank for c in found] == list(range(1, n + 1))
    assert found == reach(given_, alike, long_tail, page, seed)
    assert reach(given_, alike, 0.0, page, seed) == given_


@given(st.text())
def test_the_first_places_of_the_first_page_keep_the_best(seed):
    found = reach(listed(40), alike, 0.5, 10, seed)
    assert ids(found)[:8] == [str(k) for k in range(1, 9)]
    assert ids(found)[:8] == ids(reach(listed(40), alike, 0.5, 10, seed))[:8]


def test_draws_follow_the_plackett_luce_law():
    """Of two, alike in fame, the first of all draws is the better with chance 1 / (1 + 1/2) = 2/3; where the
    better is the better known by half, with e^-1.5 / (e^-1.5 + 1/2), as 3 x 1/2 = 1.5; and where it is
    famous, with e^-4.1 / (e^-4.1 + 1/2) at the slider's end, as 3 x .7 + 20 x (.7 - .6) = 4.1.
    """
    seeds = [str(k) for k in range(4000)]

    def first(percentile, long_tail=1.0):
        return np.mean([ids(reach(listed(2), percentile, long_tail, 1, seed))[0] == "1" for seed in seeds])

    def chance(penalty):
        return pytest.approx(np.exp(-penalty) / (np.exp(-penalty) + 0.5), abs=0.03)

    assert first(alike) == pytest.approx(2 / 3, abs=0.03)
    assert first({"1": 0.5, "2": 0.0}.get) == chance(1.5)
    assert first({"1": 0.7, "2": 0.0}.get) == chance(4.1)
    assert first({"1": 0.7, "2": 0.0}.get, 0.75) == chance(3.1)


def test_another_query_draws_other_items():
    drawn = {tuple(ids(reach(listed(200), alike, 0.5, 10, str(k)))[8:10]) for k in range(50)}
    assert len(drawn) > 40


def test_an_item_like_the_one_before_it_steps_back():
    """b is a's double: at 0.5 it is worth .5 x .63 - .5 x 1 < 0, and c, at right angles, .5 x .5."""
    three = listed(3)
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert ids(diversified(three, vectors, 0.5)) == ["1", "3", "2"]
    assert diversified(three, vectors, 0.0) == three
    # At 0.1 likeness costs .1 and relevance falls from .9 x .63 to .9 x .5: less, but .568 - .1 > .45.
    assert ids(diversified(three, vectors, 0.1)) == ["1", "2", "3"]
    assert diversified([], np.zeros((0, 2)), 0.5) == []


@given(st.integers(0, 12), shares, st.integers(0, 2**32 - 1))
def test_apart_or_not_the_same_candidates_come_back(n, diversity, seed):
    vectors = np.random.default_rng(seed).normal(size=(n, 4))
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    found = diversified(listed(n), vectors, diversity)
    assert sorted(ids(found)) == sorted(ids(listed(n)))
    assert [c.rank for c in found] == list(range(1, n + 1))
    assert n == 0 or found[0].item_id == "1"


class TestInTheRanker:
    @pytest.fixture
    def ranker(self):
        return Ranker(FILMS, [PopularityRetriever(FILMS, None)])

    @given(long_tail=shares, page=st.integers(1, 9), n=st.integers(1, 8))
    def test_no_item_comes_that_breaks_a_promise(self, long_tail, page, n):
        ranker = Ranker(FILMS, [PopularityRetriever(FILMS, None)])
        wanted = Constraints(require=((Facet("genres", "comedy"),),))
        query = Query(constraints=wanted, exclude=frozenset({"12"}), long_tail=long_tail, page=page)
        found = ids(ranker.rank(query, n).candidates)
        mask = eligible(FILMS, wanted, query.exclude).mask
        assert all(mask[FILMS.row(item_id)] for item_id in found)
        assert len(found) == min(n, 2)

    def test_a_page_of_one_is_drawn_and_rank_of_agrees(self, ranker):
        query = Query(text="space", long_tail=1.0, page=1)
        ranking = ranker.rank(query, 8)
        assert sorted(ids(ranking.candidates)) == sorted(FILMS.ids)
        assert ids(ranking.candidates) != ids(ranker.rank(Query(text="space"), 8).candidates)
        for candidate in ranking.candidates:
            assert ranker.rank_of(query, candidate.item_id) == candidate

    def test_fame_is_the_share_of_the_catalogue_below(self, ranker):
        order = np.argsort(-FILMS.popularity, kind="stable")
        assert ranker.fame(FILMS.ids[order[0]]) >= ranker.fame(FILMS.ids[order[-1]])
        assert np.mean([ranker.fame(item_id) for item_id in FILMS.ids]) == pytest.approx(0.5)

    @pytest.mark.parametrize("value", [-0.1, 1.01, float("nan"), float("inf"), "0.5", None, True])
    def test_controls_out_of_range_are_refused_with_their_value(self, ranker, value):
        for query in (Query(long_tail=value), Query(diversity=value)):
            with pytest.raises(QueryError, match=r"= .*from 0 to 1"):
                ranker.rank(query)
            with pytest.raises(QueryError, match="from 0 to 1"):
                ranker.rank_of(query, "10")
        with pytest.raises(QueryError, match="page = 0"):
            ranker.rank(Query(page=0))

    def test_diversity_without_text_vectors_says_what_is_missing(self, ranker):
        with pytest.raises(QueryError, match="no dense source"):
            ranker.rank(Query(diversity=0.5))

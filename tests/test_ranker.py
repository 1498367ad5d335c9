"""The whole retrieval side as one call, with sources whose answers are written down."""

import numpy as np
import pytest
from retriever_contract import FILMS

from retrieval.errors import UnknownItemError
from retrieval.popularity import PopularityRetriever
from retrieval.ranker import Ranker
from retrieval.retriever import best
from retrieval.scorer import FusionScorer
from retrieval.types import Candidate, Constraints, Evidence, Facet, Query


class Fixed:
    """A source that always answers with the same order; the test reads what it was asked."""

    def __init__(self, name, *item_ids):
        self.name = name
        self.item_ids = item_ids
        self.asked = []

    def retrieve(self, query, eligible, n):
        self.asked.append(n)
        scores = np.zeros(len(FILMS))
        for place, item_id in enumerate(self.item_ids):
            scores[FILMS.row(item_id)] = 10.0 - place
        return best(self.name, FILMS, scores, eligible.mask & (scores > 0), n)


class Backwards:
    """A scorer that turns the order round."""

    def score(self, query, candidates):
        turned = list(reversed(candidates))
        return [Candidate(c.item_id, -rank, rank, c.evidence) for rank, c in enumerate(turned, start=1)]


@pytest.fixture
def ranker():
    return Ranker(FILMS, [Fixed("dense", "14", "16", "10"), PopularityRetriever(FILMS, None)])


def ids(ranking):
    return [candidate.item_id for candidate in ranking.candidates]


def test_sources_are_fused_and_cut(ranker):
    ranking = ranker.rank(Query(text="space"), 3)
    assert ids(ranking) == ["14", "10", "16"]
    assert ranking.eligible == len(FILMS)
    assert [evidence.source for evidence in ranking.candidates[0].evidence] == ["dense", "popularity"]
    assert list(ranker.sources) == ["dense", "popularity"]


def test_liked_disliked_and_excluded_items_never_come(ranker):
    ranking = ranker.rank(Query(liked=("14",), disliked=("16",), exclude=frozenset({"10"})), 8)
    assert set(ids(ranking)) == set(FILMS.ids) - {"14", "16", "10"}
    assert ranking.eligible == 5


def test_constraints_hold_and_are_reported(ranker):
    wanted = Constraints(require=((Facet("genres", "comedy"),),))
    ranking = ranker.rank(Query(constraints=wanted), 8)
    assert set(ids(ranking)) == {"12", "13", "16"}
    assert (ranking.eligible, ranking.applied, ranking.relaxed) == (3, wanted, ())


def test_what_was_relaxed_is_said_and_the_rest_holds(ranker):
    wanted = Constraints(require=((Facet("genres", "comedy"),),), max_minutes=75)
    ranking = ranker.rank(Query(constraints=wanted), 8)
    assert ids(ranking) == ["12"]
    assert ranking.relaxed == ("running time up to 81 minutes instead of 75",)
    assert ranking.applied.max_minutes == 81
    assert ranker.eligible(Query(constraints=wanted)).count == 0


def test_everything_excluded_is_an_empty_ranking(ranker):
    ranking = ranker.rank(Query(exclude=frozenset(FILMS.ids)), 3)
    assert (ranking.candidates, ranking.eligible, ranking.relaxed) == ((), 0, ())


def test_the_scorer_has_the_last_word():
    plain = Ranker(FILMS, [PopularityRetriever(FILMS, None)])
    turned = Ranker(FILMS, [PopularityRetriever(FILMS, None)], Backwards())
    assert ids(turned.rank(Query(), 3)) == list(reversed(ids(plain.rank(Query(), 8))))[:3]


def test_sources_are_asked_for_more_than_is_returned():
    source = Fixed("dense", "14")
    Ranker(FILMS, [source]).rank(Query(text="x"), 3)
    Ranker(FILMS, [source]).rank(Query(text="x"), 50)
    assert source.asked == [100, 250]


def test_rank_of_agrees_with_rank(ranker):
    query = Query(text="space", exclude=frozenset({"11"}))
    for candidate in ranker.rank(query, 8).candidates:
        assert ranker.rank_of(query, candidate.item_id) == candidate
    assert ranker.rank_of(query, "11") is None


def test_rank_of_goes_on_below_what_the_sources_first_give(monkeypatch):
    monkeypatch.setattr("retrieval.ranker.DEPTH", 2)
    ranker = Ranker(FILMS, [PopularityRetriever(FILMS, None)])
    assert [ranker.rank_of(Query(), item_id).rank for item_id in FILMS.ids] == list(range(1, 9))


def test_bad_input_is_refused(ranker):
    with pytest.raises(ValueError, match="n = 0"):
        ranker.rank(Query(), 0)
    for query in (Query(liked=("zzz",)), Query(disliked=("zzz",))):
        with pytest.raises(UnknownItemError, match="zzz"):
            ranker.rank(query)
    with pytest.raises(UnknownItemError, match="zzz"):
        ranker.rank_of(Query(), "zzz")


class ScorerContract:
    """What every scorer must do. Needs a fixture `scorer`."""

    given = tuple(
        Candidate(item_id, 1 / rank, rank, (Evidence("dense", rank, 1 / rank),))
        for rank, item_id in enumerate(("13", "10", "12"), start=1)
    )

    def test_it_keeps_items_and_evidence(self, scorer):
        found = scorer.score(Query(text="crime"), self.given)
        assert {c.item_id: c.evidence for c in found} == {c.item_id: c.evidence for c in self.given}
        assert len(found) == len(self.given)

    def test_it_ranks_best_first_from_one(self, scorer):
        found = scorer.score(Query(text="crime"), self.given)
        assert [candidate.rank for candidate in found] == [1, 2, 3]
        scores = [candidate.score for candidate in found]
        assert scores == sorted(scores, reverse=True)

    def test_nothing_in_nothing_out(self, scorer):
        assert scorer.score(Query(), ()) == []

    def test_it_is_deterministic(self, scorer):
        assert scorer.score(Query(), self.given) == scorer.score(Query(), self.given)


class TestFusionScorer(ScorerContract):
    @pytest.fixture
    def scorer(self):
        return FusionScorer()

    def test_it_keeps_the_order(self, scorer):
        assert scorer.score(Query(), self.given) == list(self.given)

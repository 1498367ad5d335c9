"""The whole retrieval side as one call: Query -> Ranking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count, islice

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.collaborative import CollaborativeRetriever
from retrieval.conversational import Conversational
from retrieval.dense import DenseRetriever
from retrieval.diversity import diversified
from retrieval.errors import QueryError
from retrieval.filters import Eligible, eligible
from retrieval.fusion import K, reciprocal_rank
from retrieval.longtail import percentiles, reach
from retrieval.preferences import doubted, parts
from retrieval.relaxation import relaxations
from retrieval.retriever import ReadsAhead, Retriever, check_n, check_share
from retrieval.scorer import FusionScorer, Scorer
from retrieval.types import Candidate, Constraints, Query, Ranking

DEPTH = 100

# What the likes of a query weigh, from nobody having rated any of them (cold) to all being rated (warm); in
# between by the share that is. ReDial training dialogues, the first three films named positively given, share
# of the next ones in the top ten, by what was given (910 cold, 986 mixed, 70 warm targets):
#   collaborative 1, dense .2, knowledge .1, popularity .2   .036 .085 .186
#   collaborative 1, dense 1, knowledge 1                    .166 .162 .229
#   these                                                    .198 .174 .300
# "interests" speaks only where the query has expansions. Measured with the themes by which people of the same
# likes stand out (finetune/widening.py), at weight 0 / .6 / 1:
#   500 ReDial dialogues, three likes given, recall@10   cold .208 .248 .255   mixed .176 .180 .170
#   120 training users of MovieLens, three likes given, recall@50              warm .274 .340 .358
#   themes drawn at random instead, for comparison                             warm .274   -  .324
# "images" is a guess: the films have none to measure it with.
COLD = {
    "collaborative": 0.3, "dense": 0.7, "lexical": 0.2, "knowledge": 1.2, "popularity": 0.02,
    "interests": 0.6, "images": 0.3, "dialogue": 0.2,
}  # fmt: skip
WARM = {
    "collaborative": 1.0, "dense": 0.4, "lexical": 0.2, "knowledge": 0.7, "popularity": 0.02,
    "interests": 1.0, "images": 0.3, "dialogue": 1.0,
}  # fmt: skip
# Popularity only fills up what the others leave empty. Beside likes, words that ask for something lead;
# without likes, popularity breaks ties among films that fit the words, and decides alone where there are
# only promises to keep. What goes with a mere wish is near it in meaning already, so interests need likes.
WORDS = {"dense": 1.0, "lexical": 1.0}
TEXT = {
    "collaborative": 0.0, "dense": 1.0, "lexical": 1.0, "knowledge": 0.5, "popularity": 0.2,
    "interests": 0.0, "images": 0.0, "dialogue": 0.2,
}  # fmt: skip


class Ranker:
    """Asks every source for eligible candidates, fuses them, and lets the scorer order them.

    `sources` maps each retriever's name to it.
    """

    def __init__(
        self, catalogue: Catalogue, retrievers: Sequence[Retriever], scorer: Scorer | None = None
    ) -> None:
        self.catalogue = catalogue
        self.sources: Mapping[str, Retriever] = {retriever.name: retriever for retriever in retrievers}
        self.scorer: Scorer = scorer if scorer is not None else FusionScorer()
        self._fame = percentiles(catalogue.popularity)

    def rank(self, query: Query, n: int = 10) -> Ranking:
        """The `n` best items that keep the constraints, relaxed as little as possible where none does.

        Liked, disliked and excluded items are never among them. Fewer than `n` come back when fewer
        are eligible. Raises QueryError for `n` below 1 and for controls out of range, UnknownItemError for
        liked or disliked items.
        """
        check_n(n)
        _check_controls(query)
        allowed, applied, relaxed = self._allowed(query)
        candidates = self._once_each(self._candidates(query, applied, max(DEPTH, 5 * n)), query)
        found = tuple(islice(self._controlled(candidates, query), n))
        return Ranking(found, allowed.count, applied, relaxed)

    def read_ahead(self, queries: Sequence[Query]) -> None:
        """Make `rank` answer these queries sooner, `AHEAD` of them at most, and no otherwise."""
        for source in self.sources.values():
            if isinstance(source, ReadsAhead):
                source.read_ahead(queries)

    def rank_of(self, query: Query, item_id: str) -> Candidate | None:
        """Where an item comes in the full ranking, of which `rank` is the head; None when not eligible.

        Raises UnknownItemError, and QueryError for controls out of range.
        """
        _check_controls(query)
        allowed, applied, _ = self._allowed(query)
        if not allowed.mask[self.catalogue.row(item_id)]:
            return None
        head = list(self._controlled(self._once_each(self._candidates(query, applied, DEPTH), query), query))
        placed = {candidate.item_id for candidate in head}
        rest = [] if item_id in placed else self._candidates(query, applied, len(self.catalogue))
        full = [*head, *(candidate for candidate in rest if candidate.item_id not in placed)]
        for rank, candidate in enumerate(full, start=1):
            if candidate.item_id == item_id:
                return replace(candidate, rank=rank)
        return None

    def shares(self, query: Query, candidate: Candidate) -> tuple[tuple[str, float], ...]:
        """What each source gave to a candidate's fused score, as (source, share); the shares sum to 1.

        The share of a source is weight / (60 + rank there) over the sum of all: the terms of
        reciprocal-rank fusion themselves.
        """
        weights = self._weights(query)
        given = [(e.source, weights.get(e.source, 1.0) / (K + e.rank)) for e in candidate.evidence]
        total = sum(part for _, part in given) or 1.0
        return tuple((source, part / total) for source, part in given)

    def weighed(self, query: Query, candidate: Candidate) -> tuple[tuple[str, float], ...]:
        """`shares`, with the learned scorer's own groups of features where it has a say; they sum to 1."""
        own = self.scorer.shares(query, candidate.item_id) if isinstance(self.scorer, Conversational) else ()
        rest = 1 - sum(share for _, share in own)
        return (*own, *((source, rest * share) for source, share in self.shares(query, candidate)))

    def contributions(self, item_id: str, liked: Sequence[str]) -> tuple[tuple[str, float], ...]:
        """Which liked items speak for `item_id` by what people liked together, the weightiest first.

        Empty where there are no interactions. Raises UnknownItemError.
        """
        source = self.sources.get("collaborative")
        return source.contributions(item_id, liked) if isinstance(source, CollaborativeRetriever) else ()

    def rated(self, item_id: str) -> bool:
        """Whether people's likes say anything about the item itself. Raises UnknownItemError."""
        source = self.sources.get("collaborative")
        return isinstance(source, CollaborativeRetriever) and source.knows(item_id)

    def fame(self, item_id: str) -> float:
        """The share of the catalogue that is less popular than an item, equals counted half; in (0, 1).

        Raises UnknownItemError.
        """
        return float(self._fame[self.catalogue.row(item_id)])

    def likeness(self, text: str) -> float:
        """Cosine of a text to the item nearest to it in meaning; 0 without a dense source."""
        source = self.sources.get("dense")
        return source.likeness(text) if isinstance(source, DenseRetriever) else 0.0

    def eligible(self, query: Query) -> Eligible:
        """The items that keep every constraint of the query as it stands, relaxing nothing."""
        return eligible(self.catalogue, query.constraints, _never(query))

    def _allowed(self, query: Query) -> tuple[Eligible, Constraints, tuple[str, ...]]:
        for item_id in (*query.liked, *query.disliked):
            self.catalogue.row(item_id)
        allowed = self.eligible(query)
        if allowed.count:
            return allowed, query.constraints, ()
        applied, relaxed = relaxations(self.catalogue, query.constraints, _never(query))
        return eligible(self.catalogue, applied, _never(query)), applied, relaxed

    def _once_each(self, candidates: Sequence[Candidate], query: Query) -> Iterator[Candidate]:
        """Without the twins of earlier or excluded ones, for catalogues list some titles twice, and without
        namesakes of those liked or not: whoever speaks of a title rarely says which of its versions is meant.
        """
        met = {self.catalogue[item_id].label for item_id in _never(query) if item_id in self.catalogue}
        named = {self.catalogue[item_id].title for item_id in (*query.liked, *query.disliked)}
        rank = count(1)
        for candidate in candidates:
            item = self.catalogue[candidate.item_id]
            if item.label not in met and item.title not in named:
                met.add(item.label)
                yield replace(candidate, rank=next(rank))

    def _controlled(self, found: Iterator[Candidate], query: Query) -> Iterator[Candidate]:
        """The candidates as the controls of the query re-order them: first apart, then down the long tail."""
        if not (query.diversity or query.long_tail):
            return found
        candidates = list(found)
        if query.diversity:
            dense = self.sources.get("dense")
            if not isinstance(dense, DenseRetriever):
                raise QueryError(
                    f"diversity = {query.diversity} needs text vectors, and this ranker has no dense source: "
                    "switch it on, or leave diversity at 0."
                )
            rows = np.array([self.catalogue.row(one.item_id) for one in candidates], dtype=np.int64)
            candidates = diversified(candidates, dense.vectors[rows], query.diversity)
        seed = "\n".join((query.text, *query.liked))
        return iter(reach(candidates, self.fame, query.long_tail, query.page, seed))

    def _weights(self, query: Query) -> Mapping[str, float]:
        if not query.liked:
            return TEXT
        share = sum(self.rated(item_id) for item_id in query.liked) / len(query.liked)
        mixed = {name: COLD[name] + share * (WARM[name] - COLD[name]) for name in COLD}
        return {**mixed, **WORDS} if query.text.strip() else mixed

    def _candidates(self, query: Query, applied: Constraints, depth: int) -> list[Candidate]:
        """Fused and scored candidates out of the `depth` best of every source."""
        fused = [
            candidate
            for constraints in parts(applied, query.preferences)
            for candidate in self._fused(query, constraints, depth)
        ]
        return self.scorer.score(query, doubted(fused, query.preferences, self.catalogue))

    def _fused(self, query: Query, constraints: Constraints, depth: int) -> list[Candidate]:
        weights = self._weights(query)
        allowed = eligible(self.catalogue, constraints, _never(query))
        lists = {name: source.retrieve(query, allowed, depth) for name, source in self.sources.items()}
        return reciprocal_rank(lists, {name: weights.get(name, 1.0) for name in lists})


def _check_controls(query: Query) -> None:
    check_share("long_tail", query.long_tail)
    check_share("diversity", query.diversity)
    if query.page < 1:
        raise QueryError(f"page = {query.page!r}: at least 1 item is shown at once.")


def _never(query: Query) -> frozenset[str]:
    return query.exclude.union(query.liked, query.disliked)

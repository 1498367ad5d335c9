"""Why an item fits, from the catalogue and from what the ranking really used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.policy import list_or
from agent.prompting import phrase
from agent.reading.vocabulary import Vocabulary
from agent.types import Contribution, DialogueState
from retrieval.catalogue import Catalogue
from retrieval.filters import satisfies
from retrieval.ranker import Ranker
from retrieval.types import Candidate, Constraints, Item, Query, Reason, Recommendation, facet_values

SHARED_FIELDS = ("themes", "genres", "moods")
LOVED = 0.02
"""Share of the catalogue, by popularity, that may be called best loved."""

LESSER_KNOWN = 0.5
"""What is more popular than a smaller share of the catalogue than this may be called lesser known."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What reasons may be drawn from: the catalogue, the ranker's sources and the query that was asked."""

    catalogue: Catalogue
    ranker: Ranker
    vocabulary: Vocabulary
    loved: frozenset[str]

    def recommendation(self, candidate: Candidate, state: DialogueState, query: Query) -> Recommendation:
        item = self.catalogue[candidate.item_id]
        reasons = self.reasons(item, candidate, state, query)
        return Recommendation(item.item_id, item.title, candidate.score, candidate.rank, reasons)

    def reasons(
        self, item: Item, candidate: Candidate, state: DialogueState, query: Query
    ) -> tuple[Reason, ...]:
        """True phrases that speak for `item`, what was asked for first; never empty."""
        found = [
            *self._asked(item, state),
            *self._behaviour(item, candidate, query),
            *self._lesser_known(item, query),
            *self._shared(item, query),
            *self._wished(item, state),
        ]
        if item.item_id in self.loved:
            found.append(
                Reason("popular", phrase("reason_popular"), self._share(candidate, "popularity", query))
            )
        return (*found, self._plain(item))

    def contributions(self, candidate: Candidate, query: Query) -> tuple[Contribution, ...]:
        """What each source and each group of the scorer's features gave to the item's place: parts of 1."""
        bars: list[Contribution] = []
        named: dict[str, float] = {}
        for source, weight in self.ranker.weighed(query, candidate):
            if source == "collaborative":
                bars += self._by_liked(candidate.item_id, query, weight)
            else:
                words = _SOURCES.get(source, source)
                named[words] = named.get(words, 0.0) + weight
        bars += [Contribution(words, weight) for words, weight in named.items()]
        return tuple(sorted(bars, key=lambda bar: -bar.weight))

    def _share(self, candidate: Candidate, source: str, query: Query) -> float:
        return dict(self.ranker.shares(query, candidate)).get(source, 0.0)

    def _by_liked(self, item_id: str, query: Query, weight: float) -> list[Contribution]:
        pairs = self.ranker.contributions(item_id, query.liked)
        total = sum(value for _, value in pairs)
        if not total:
            return [Contribution("people with your taste", weight)]
        known = self.ranker.rated(item_id)
        return [Contribution(self._crowd(liked, known), weight * value / total) for liked, value in pairs]

    def _crowd(self, liked: str, known: bool) -> str:
        """Whose liking is meant; of unrated items only that of what resembles them is known."""
        title = self.catalogue[liked].title
        both = known and self.ranker.rated(liked)
        return f"people who like {title}" if both else f"people who like what resembles {title}"

    def _asked(self, item: Item, state: DialogueState) -> list[Reason]:
        found = [
            Reason(
                "person", phrase("reason_by" if name in item.directors else "reason_with", person=name), 1.0
            )
            for preference in state.people
            for name in preference.value.split(" or ")
            if name in (*item.directors, *item.cast)
        ]
        wanted = [
            value
            for preference in state.wants
            for value in preference.value.split(" or ")
            if preference.kind != "text" and value in facet_values(item, preference.kind)
        ]
        if wanted:
            found.append(Reason("wanted", phrase("reason_wanted", facets=list_or(wanted, "and")), 1.0))
        if state.years and satisfies(item, Constraints(years=state.years)):
            found.append(Reason("years", phrase("reason_years", year=item.year), 0.5))
        return found

    def _behaviour(self, item: Item, candidate: Candidate, query: Query) -> list[Reason]:
        """What people liked together; only where people rated both: a cold item has none of its own."""
        if not self.ranker.rated(item.item_id):
            return []
        pairs = self.ranker.contributions(item.item_id, query.liked)
        rated = [liked for liked, _ in pairs if self.ranker.rated(liked)][:1]
        weight = self._share(candidate, "collaborative", query)
        return [self._loved_by(liked, candidate.rank, weight) for liked in rated]

    def _lesser_known(self, item: Item, query: Query) -> list[Reason]:
        """Said only where the long tail was asked for, of items in the less popular half of the catalogue."""
        if not query.long_tail or self.ranker.fame(item.item_id) >= LESSER_KNOWN:
            return []
        return [Reason("lesser_known", phrase("reason_lesser_known"), 0.3)]

    def _loved_by(self, liked: str, rank: int, weight: float) -> Reason:
        text = phrase("reason_loved_by", rank - 1, title=self.catalogue[liked].title)
        return Reason("loved_by", text, weight, liked)

    def _shared(self, item: Item, query: Query) -> list[Reason]:
        found = []
        for liked in reversed(query.liked[-3:]):
            other = self.catalogue[liked]
            people = [p for p in (*item.directors, *item.cast) if p in (*other.directors, *other.cast)]
            if people:
                text = phrase("reason_person", person=list_or(people[:2], "and"), title=other.title)
                found.append(Reason("person", text, 0.8, liked))
            facets = [
                value
                for field in SHARED_FIELDS
                for value in facet_values(item, field)
                if value in facet_values(other, field)
            ]
            if facets:
                text = phrase("reason_shares", facets=list_or(facets[:3], "and"), title=other.title)
                found.append(Reason("shares", text, 0.4, liked))
                break
        return found

    def _wished(self, item: Item, state: DialogueState) -> list[Reason]:
        for preference in state.wants:
            term = self.vocabulary.answer(preference.value) if preference.kind == "text" else None
            facets = [f.value for f in term.facets if f.value in facet_values(item, f.field)] if term else []
            if facets:
                text = phrase("reason_wished", facets=list_or(facets, "and"), wish=preference.value)
                return [Reason("wished", text, 0.4)]
        return []

    def _plain(self, item: Item) -> Reason:
        if item.themes:
            return Reason("themes", phrase("reason_themes", facets=list_or(item.themes[:2], "and")), 0.1)
        if not item.genres:
            return Reason("plain", phrase("reason_plain"), 0.1)
        name = "reason_genres" if len(item.genres) > 1 else "reason_genre"
        return Reason("genres", phrase(name, facets=list_or(item.genres[:3], "and")), 0.1)


def best_loved(ranker: Ranker, catalogue: Catalogue) -> frozenset[str]:
    """The items that may be called best loved: the top 2 % by popularity of those that people rated.

    Without interactions nobody has said so: none.
    """
    count = max(10, round(len(catalogue) * LOVED))
    ranking = ranker.rank(Query(), min(2 * count, len(catalogue)))
    rated = [c.item_id for c in ranking.candidates if ranker.rated(c.item_id)]
    return frozenset(rated[:count])


def varied(items: Sequence[Item], n: int) -> list[int]:
    """Positions of `n` items that share as few genres as possible, earlier ones preferred."""
    chosen: list[int] = []
    seen: set[str] = set()
    while len(chosen) < min(n, len(items)):
        rest = [i for i in range(len(items)) if i not in chosen]
        best = min(rest, key=lambda i: (sum(genre in seen for genre in items[i].genres), i))
        chosen.append(best)
        seen.update(items[best].genres)
    return chosen


_SOURCES = {
    "dense": "similar in meaning",
    "lexical": "same words",
    "knowledge": "shared people, genres and makers",
    "popularity": "well liked by everyone",
    "interests": "goes with your other interests",
    "images": "looks alike",
    "dialogue": "often recommended in such conversations",
    "towers": "often recommended in such conversations",
    "together": "often named together with what you named",
    "similarity": "similar in meaning",
    "graph": "shared people, genres and makers",
    "novelty": "how far the conversation has come",
    "constraints": "what you asked for",
}

"""The small frozen records that the retrieval stages exchange.

    Query -> [Retriever] -> Candidates -> [fusion] -> Candidates -> [Scorer] -> Ranking

Every id is the catalogue's own `item_id`, as a string. A `rank` counts from 1 (best).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from retrieval.dialogue import Message

Years = tuple[int | None, int | None]
"""Inclusive range of release years; None leaves that end open."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the catalogue. Empty tuples and None mean "not known", never "none".

    `genres`, `themes`, `moods`, `language`, `countries` and `audience` are lower-case facet values;
    names of people keep their spelling. `minutes` is the running time. `popularity` counts
    interactions (or is whatever non-negative figure the catalogue gives). `attributes` keeps the
    columns that the catalogue had and this record has no name for, as (column, text) pairs.
    """

    item_id: str
    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    language: str | None = None
    minutes: int | None = None
    audience: str | None = None
    content_notes: tuple[str, ...] = ()
    description: str = ""
    aliases: tuple[str, ...] = ()
    image: str | None = None
    url: str | None = None
    popularity: float = 0.0
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """Title with its year, the way replies name an item: `Heat (1995)`."""
        return f"{self.title} ({self.year})" if self.year is not None else self.title


@dataclass(frozen=True, slots=True)
class Interaction:
    """What one user did with one item. `value` None means implicit (it happened); `time` in epoch seconds."""

    user_id: str
    item_id: str
    value: float | None = None
    time: float | None = None


@dataclass(frozen=True, slots=True, order=True)
class Facet:
    """One value of one field, such as ("genres", "comedy") or ("directors", "Michael Mann")."""

    field: str
    value: str


FACET_FIELDS = (
    "genres",
    "themes",
    "moods",
    "audience",
    "language",
    "countries",
    "content_notes",
    "directors",
    "cast",
)
"""The fields of an Item that constraints, questions and the knowledge graph can speak about."""


def facet_values(item: Item, name: str) -> tuple[str, ...]:
    """Values of a facet field as a tuple, also for the fields that hold one value or None."""
    value = getattr(item, name)
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


@dataclass(frozen=True, slots=True)
class Constraints:
    """Promises. An item whose field is unknown cannot keep a promise that asks for a value and is left out.

    `require` is a conjunction of groups; a group is kept when at least one of its facets holds
    (so ((comedy,), (horror, thriller)) reads "comedy and (horror or thriller)"). No facet of
    `forbid` may be known to hold. `years` is inclusive. `max_minutes` is an upper limit, inclusive.
    """

    require: tuple[tuple[Facet, ...], ...] = ()
    forbid: tuple[Facet, ...] = ()
    years: Years | None = None
    max_minutes: int | None = None

    def __bool__(self) -> bool:
        return bool(self.require or self.forbid or self.years is not None or self.max_minutes is not None)


@dataclass(frozen=True, slots=True)
class Query:
    """All that retrieval needs to know.

    `text`: what is wanted, in words and without titles. `expansions`: further texts, weaker.
    `liked` / `disliked`: item_ids, most recent last. `exclude`: never returned (seen, refused,
    shown). `facets`: near to what is wished for in free words (soft). `preferences`: tastes told in passing,
    groups of facets like those of `Constraints.require`, the more of them an item has the better (soft).
    `messages`: the dialogue behind it, oldest first, for a scorer that reads dialogues; without any, it has
    nothing to say. `long_tail` in [0, 1]: 0 asks for the best whatever their fame, 1 for lesser-known items;
    `page`: how many are shown at once, the last of which come from the long tail. `diversity` in [0, 1]:
    how much an item that is like the ones before it loses.
    """

    text: str = ""
    expansions: tuple[str, ...] = ()
    liked: tuple[str, ...] = ()
    disliked: tuple[str, ...] = ()
    exclude: frozenset[str] = frozenset()
    facets: tuple[Facet, ...] = ()
    preferences: tuple[tuple[Facet, ...], ...] = ()
    constraints: Constraints = field(default_factory=Constraints)
    messages: tuple[Message, ...] = ()
    long_tail: float = 0.0
    page: int = 10
    diversity: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where one source placed an item: its rank there (from 1) and that source's own raw score."""

    source: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item on its way to the answer. `score` is comparable only inside one list."""

    item_id: str
    score: float
    rank: int
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the ranker answers: candidates, best first, and how they came about.

    `eligible`: how many items of the catalogue satisfied the constraints that were applied.
    `applied`: the constraints every candidate keeps. `relaxed`: what had to be given up, in
    words ("running time up to 100 minutes"), in the order it was given up; empty when nothing was.
    """

    candidates: tuple[Candidate, ...]
    eligible: int
    applied: Constraints
    relaxed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One true thing that speaks for an item. `text` is a phrase; `weight` in [0, 1] is its share."""

    kind: str
    text: str
    weight: float = 0.0
    item_id: str | None = None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An item as it is recommended; `reasons` best first, each traceable to a catalogue field."""

    item_id: str
    title: str
    score: float
    rank: int
    reasons: tuple[Reason, ...] = ()


Metadata = Mapping[str, str | int | float | bool | list[str]]
"""What a vector store keeps beside a vector, for filtering."""

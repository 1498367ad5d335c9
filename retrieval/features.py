"""What is known of an item as an answer to a dialogue: a named number each, for the scorer and for "why"."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message, mentioned
from retrieval.encoder import Encoder
from retrieval.signals.comentions import Comentions, Mentions, Popularity, Rows, rows_of
from retrieval.signals.facts import Facts
from retrieval.signals.following import Following
from retrieval.signals.linear import LinearMentions
from retrieval.signals.neighbours import Neighbours
from retrieval.signals.reading import Reading, seeker_texts
from retrieval.signals.signal import Scores
from retrieval.signals.texts import Words
from retrieval.signals.tower import Chances
from retrieval.text import meaning_text

GROUPS: Mapping[str, tuple[str, ...]] = {
    "towers": ("chance", "rank by chance", "chance by names", "chance by words", "chance by sense"),
    "similarity": (
        "meaning of what was said",
        "meaning of the last message",
        "meaning of what was named",
        "closest that was named",
        "words",
    ),
    "collaborative": (
        "named together",
        "named together, strongest",
        "named together with the last",
        "named together with the seeker's",
        "named together, against its share",
        "linear",
        "follows",
        "follows, strongest",
        "follows the last",
        "next after the last",
        "nearest dialogues",
        "rank by named together",
        "rank by linear",
        "rank by nearest dialogues",
    ),
    "graph": (
        "genres in common",
        "genres in common with the last",
        "people in common",
        "directors in common",
        "title in common",
        "years apart",
        "years apart from the last",
    ),
    "popularity": ("recommended in dialogues", "named by anybody", "year"),
    "novelty": ("named so far", "named by the seeker", "messages so far"),
    "constraints": ("genres asked for", "people asked for", "decade asked for"),
    "encoder": ("chance by the tuned encoder",),
}
"""Names of the features, by group, in the order of their columns."""

NAMES: tuple[str, ...] = tuple(name for group in GROUPS.values() for name in group)


class Features:
    """Computes them for items of a catalogue. `texts`: the encoder's vectors of all of them."""

    def __init__(self, catalogue: Catalogue, mentions: Mentions, texts: NDArray[np.float32]) -> None:
        self.catalogue = catalogue
        self.mentions = mentions
        self.texts = texts
        self.words = Words(catalogue)
        self.comentions = Comentions(mentions, catalogue)
        self.linear = LinearMentions(mentions, catalogue)
        self.following = Following(mentions, catalogue)
        self.neighbours = Neighbours(mentions, catalogue)
        self.popularity = Popularity(mentions)
        self._named = Popularity(Mentions(mentions.named, mentions.named))
        self._facts = Facts(catalogue)
        self._years = np.nan_to_num(catalogue.years, nan=float(np.nanmedian(catalogue.years)))

    @classmethod
    def of_catalogue(cls, catalogue: Catalogue, mentions: Mentions, encoder: Encoder) -> Features:
        """With the vectors of what the items are about."""
        return cls(catalogue, mentions, encoder.encode([meaning_text(item) for item in catalogue]))

    def of(
        self,
        messages: Sequence[Message],
        rows: Rows,
        chances: Chances,
        reading: Reading,
        heard: Scores | None = None,
    ) -> NDArray[np.float32]:
        """float32 [rows, features]; nan where a feature is not known (nothing named yet, no year).

        `chances`: what the towers make of the messages. `reading`: of the same messages.
        """
        named = rows_of(self.catalogue, mentioned(messages))
        seeker = rows_of(self.catalogue, mentioned([one for one in messages if one.role == "seeker"]))
        columns = [
            *self._by_towers(rows, chances),
            *self._by_similarity(messages, rows, named, reading),
            *self._by_collaboration(rows, named, seeker),
            *self._by_graph(rows, named),
            np.log1p(1000 * self.popularity.shares[rows]),
            np.log1p(1000 * self._named.shares[rows]),
            self._years[rows],
            *(np.full(len(rows), count) for count in (len(named), len(seeker), len(messages))),
            *self._by_wishes(messages, rows),
            np.full(len(rows), np.nan) if heard is None else heard[rows],
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    def _by_towers(self, rows: Rows, chances: Chances) -> list[np.ndarray]:
        parts = (chances.names, chances.words, chances.sense)
        return [chances.all[rows], _rank(chances.all, rows), *(part[rows] - part.mean() for part in parts)]

    def _by_similarity(
        self, messages: Sequence[Message], rows: Rows, named: Rows, reading: Reading
    ) -> list[np.ndarray]:
        items = self.texts[rows]
        likeness = items @ self.texts[named].T
        said = " ".join(seeker_texts(messages, self.catalogue))
        return [
            items @ reading.said,
            items @ reading.last,
            _over(np.nanmean, likeness),
            _over(np.nanmax, likeness),
            self.words.scores((Message("seeker", said),))[rows],
        ]

    def _by_collaboration(self, rows: Rows, named: Rows, seeker: Rows) -> list[np.ndarray]:
        together = self.comentions.given(named)
        linear, nearest = self.linear.given(named), self.neighbours.given(named)
        given, later = together[:, rows].T, self.following.later(named)[:, rows].T
        next_ = self.following.next(named[-1:])[:, rows].T
        theirs = np.isin(named, seeker)
        share = self.popularity.shares[rows]
        return [
            given.sum(axis=1),
            _over(np.nanmax, given),
            _last(given),
            given[:, theirs].sum(axis=1),
            _over(np.nanmean, np.log((given + 1e-4) / (share + 1e-4)[:, None])),
            linear[rows],
            later.sum(axis=1),
            _over(np.nanmax, later),
            _last(later),
            _last(next_),
            nearest[rows],
            *(_rank(one, rows) for one in (together.sum(axis=0), linear, nearest)),
        ]

    def _by_graph(self, rows: Rows, named: Rows) -> list[np.ndarray]:
        genres, years = self._facts.genres(rows, named), self._facts.years_apart(rows, named)
        return [
            _over(np.nanmean, genres),
            _last(genres),
            self._facts.people(rows, named).sum(axis=1),
            self._facts.directors(rows, named).sum(axis=1),
            _over(np.nanmax, self._facts.titles(rows, named)),
            _over(np.nanmean, years),
            _last(years),
        ]

    def _by_wishes(self, messages: Sequence[Message], rows: Rows) -> list[np.ndarray]:
        said = " ".join(seeker_texts(messages, self.catalogue))
        return [
            self._facts.genres_asked(rows, said),
            self._facts.people_asked(rows, said),
            self._facts.decade_asked(rows, said),
        ]


def _rank(scores: Scores, rows: Rows) -> np.ndarray:
    """Natural logarithm of the rank among all items, from 1; what is equal stands as high as its first."""
    return np.log(np.searchsorted(np.sort(-scores), -scores[rows]) + 1)


def _over(statistic: Callable[..., np.ndarray], values: np.ndarray) -> np.ndarray:
    """A statistic of each row, [rows, named] -> [rows]; nan where nothing is known."""
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row of nothing but nan is nan, as it should be
        return statistic(values, axis=1)


def _last(values: np.ndarray) -> np.ndarray:
    """The column of what was named last; nan where nothing was."""
    return values[:, -1] if values.shape[1] else np.full(len(values), np.nan)

"""What the catalogue says of two items, or of an item and a wish: genres, people, years, names in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from retrieval.catalogue import Catalogue
from retrieval.signals.comentions import Rows
from retrieval.types import Item

Matrix = NDArray[np.float32]

SAID_AS = {
    "action": ("action", "actions"),
    "adventure": ("adventure", "adventures"),
    "animation": ("animation", "animated", "cartoon", "cartoons", "pixar", "anime"),
    "comedy": ("comedy", "comedies", "funny", "hilarious", "laugh", "comedic"),
    "crime": ("crime", "gangster", "mob", "mafia", "heist"),
    "documentary": ("documentary", "documentaries"),
    "drama": ("drama", "dramas", "dramatic"),
    "family": ("family", "kids", "kid", "children", "disney"),
    "fantasy": ("fantasy", "magic"),
    "history": ("history", "historical"),
    "horror": ("horror", "scary", "scared", "slasher", "creepy", "zombie", "gore"),
    "music": ("music", "musical", "musicals"),
    "musical": ("music", "musical", "musicals"),
    "mystery": ("mystery", "mysteries"),
    "romance": ("romance", "romantic", "romances", "chick"),
    "sci-fi": ("sci", "scifi", "science", "space", "aliens", "futuristic"),
    "sport": ("sport", "sports", "football", "baseball"),
    "thriller": ("thriller", "thrillers", "suspense", "suspenseful"),
    "war": ("war", "military"),
    "western": ("western", "westerns", "cowboy"),
}
"""Words by which people ask for a genre; a genre that is not here is asked for by its own name."""

_WORD = re.compile(r"[a-z][a-z']+")
_DECADE = re.compile(r"\b(?:19|20)?(\d)0'?s\b")
_TITLE = re.compile(r"[a-z0-9']+")
_PLAIN = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "and",
        "in",
        "on",
        "to",
        "for",
        "with",
        "at",
        "from",
        "is",
        "it",
        "part",
        "ii",
        "iii",
        "iv",
        "vol",
        "movie",
    ]
)


class Facts:
    """Arrays of a catalogue, made once: every comparison is a matrix product."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._genres = _table(catalogue, lambda item: item.genres)
        self._sizes = np.asarray(self._genres.sum(axis=1)).ravel()
        self._people = _table(catalogue, lambda item: (*item.directors, *item.cast))
        self._directors = _table(catalogue, lambda item: item.directors)
        self._titles = _weighted_titles(catalogue)
        self._years = catalogue.years
        self._named_people = _full_names(catalogue)
        self._genre_columns = tuple(dict.fromkeys(genre for item in catalogue for genre in item.genres))

    def genres(self, rows: Rows, named: Rows) -> Matrix:
        """Cosine of the sets of genres, [rows, named]."""
        both = (self._genres[rows] @ self._genres[named].T).toarray()
        sizes = np.sqrt(np.outer(self._sizes[rows], self._sizes[named]))
        return both / np.maximum(sizes, 1)

    def people(self, rows: Rows, named: Rows) -> Matrix:
        """How many of those who play or direct are the same, [rows, named]."""
        return (self._people[rows] @ self._people[named].T).toarray()

    def directors(self, rows: Rows, named: Rows) -> Matrix:
        """How many directors are the same, [rows, named]."""
        return (self._directors[rows] @ self._directors[named].T).toarray()

    def titles(self, rows: Rows, named: Rows) -> Matrix:
        """Cosine of the titles' words, rare ones counting most: sequels and namesakes, [rows, named]."""
        return (self._titles[rows] @ self._titles[named].T).toarray()

    def years_apart(self, rows: Rows, named: Rows) -> Matrix:
        """[rows, named]; nan where either year is unknown."""
        return np.abs(self._years[rows][:, None] - self._years[named][None, :])

    def genres_asked(self, rows: Rows, text: str) -> Matrix:
        """How many of the genres that `text` asks for an item has, less how many of them it lacks, [rows]."""
        said = set(_WORD.findall(text.lower()))
        asked = [
            column
            for column, genre in enumerate(self._genre_columns)
            if said.intersection(SAID_AS.get(genre, (genre,)))
        ]
        if not asked:
            return np.zeros(len(rows), dtype=np.float32)
        has = self._genres[rows][:, asked].sum(axis=1)
        return (2 * np.asarray(has).ravel() - len(asked)).astype(np.float32)

    def people_asked(self, rows: Rows, text: str) -> Matrix:
        """How many of the people that `text` names in full play in or direct an item, [rows]."""
        words = _WORD.findall(text.lower())
        found: Counter[int] = Counter()
        for size in (2, 3):
            for start in range(len(words) - size + 1):
                found.update(self._named_people.get(" ".join(words[start : start + size]), ()))
        counts = np.zeros(len(self._catalogue), dtype=np.float32)
        counts[list(found)] = list(found.values())
        return counts[rows]

    def decade_asked(self, rows: Rows, text: str) -> Matrix:
        """1 in the decade that `text` names last ("80s"), -1 outside it, 0 where it names none, [rows]."""
        said = _DECADE.findall(text)
        if not said:
            return np.zeros(len(rows), dtype=np.float32)
        inside = (self._years[rows] // 10) % 10 == int(said[-1])
        return np.where(inside, 1, -1).astype(np.float32)


def _table(catalogue: Catalogue, values: Callable[[Item], Iterable[str]]) -> sparse.csr_array:
    """0/1, [n_items, distinct values in the order of their first mention]."""
    columns: dict[str, int] = {}
    pairs = [
        (row, columns.setdefault(value, len(columns)))
        for row, item in enumerate(catalogue)
        for value in dict.fromkeys(values(item))
    ]
    at = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    shape = (len(catalogue), max(len(columns), 1))
    return sparse.csr_array((np.ones(len(at), np.float32), (at[:, 0], at[:, 1])), shape=shape)


def _title_words(item: Item) -> list[str]:
    return [word for word in _TITLE.findall(item.title.lower()) if word not in _PLAIN] or [item.title.lower()]


def _weighted_titles(catalogue: Catalogue) -> sparse.csr_array:
    table = _table(catalogue, _title_words)
    counts = np.asarray(table.sum(axis=0)).ravel()
    weighted = table * np.log(1 + len(catalogue) / np.maximum(counts, 1))[None, :]
    lengths = np.sqrt(np.asarray((weighted * weighted).sum(axis=1)).ravel())
    return sparse.csr_array(weighted / np.maximum(lengths, 1e-9)[:, None], dtype=np.float32)


def _full_names(catalogue: Catalogue) -> Mapping[str, Sequence[int]]:
    """Rows of the items by the full names of their people, lower case."""
    found: dict[str, list[int]] = {}
    for row, item in enumerate(catalogue):
        for person in dict.fromkeys((*item.directors, *item.cast)):
            words = _WORD.findall(person.lower())
            if len(words) > 1:
                found.setdefault(" ".join(words), []).append(row)
    return found

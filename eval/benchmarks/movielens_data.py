"""MovieLens as it is published, and the splits that its benchmarks are taken on."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.behaviour.model import Matrix
from retrieval.behaviour.splits import part, places, users_of
from retrieval.catalogue import Catalogue, Rejected, read_catalogue
from retrieval.errors import TastebudError
from retrieval.interactions import read_interactions
from retrieval.starter.movielens import telling_links

FILES = (
    ("ml-100k.inter", "ml-100k.item"),
    ("u.data", "u.item"),
    ("ratings.csv", "movies.csv"),
    ("ratings.dat", "movies.dat"),
)
"""Ratings and items as RecBole and GroupLens name them."""

YEARS = 3
"""Films of the same three years share a facet."""


class MovieLensError(TastebudError):
    """A folder that is no MovieLens download, or a row of it that cannot be read."""


@dataclass(frozen=True, slots=True)
class MovieLens:
    """`ratings`: csr float32 [n_users, n_items]; `times`: epoch seconds, of the same pattern.

    `genres`, `years`, `links`: csr float32 [n_items, n] of 0 and 1, which items share what. Links are people,
    companies and subjects that two films or more have, from RecBole's graph; without one there is none.
    """

    catalogue: Catalogue
    ratings: Matrix
    times: Matrix
    genres: Matrix
    years: Matrix
    links: Matrix


@dataclass(frozen=True, slots=True)
class Split:
    """Ratings to learn from and ratings to find, both csr [n_users, n_items].

    `kept`: bool, for each of the ratings that were split, whether it is to learn from.
    """

    train: Matrix
    test: Matrix
    kept: NDArray[np.bool_]


def read_movielens(folder: Path) -> MovieLens:
    """Read a folder of MovieLens files. Raises MovieLensError: which file and row, and what is expected."""
    for ratings, items in FILES:
        if (folder / ratings).is_file() and (folder / items).is_file():
            return _read(folder / ratings, folder / items)
    expected = "; ".join(f"{ratings} and {items}" for ratings, items in FILES)
    there = sorted(path.name for path in folder.iterdir())[:20] if folder.is_dir() else []
    found = f"holds {', '.join(there) or 'nothing'}" if folder.is_dir() else "is no folder"
    raise MovieLensError(f"{folder} {found}. Expected one of these pairs of files: {expected}.")


def _read(ratings: Path, items: Path) -> MovieLens:
    catalogue = read_catalogue(items)
    _refuse(catalogue.rejected, items, "an id, a title, a year and genres")
    read = read_interactions(ratings, catalogue.catalogue)
    _refuse(read.rejected, ratings, "a user, an item of the item file, a rating and a time")
    if not read.interactions.explicit:
        raise MovieLensError(f"{ratings} holds no ratings: all its values are alike, or above 100.")
    films = catalogue.catalogue
    genres = [(genre, row) for row, film in enumerate(films) for genre in film.genres]
    years = [(film.year // YEARS, row) for row, film in enumerate(films) if film.year is not None]
    graph = telling_links(items.parent, films, {}) if items.with_suffix(".kg").is_file() else ()
    links = [((link.relation, link.entity), films.row(link.item_id)) for link in graph]
    facets = (_facets(pairs, len(films), fewest) for pairs, fewest in ((genres, 1), (years, 1), (links, 2)))
    return MovieLens(films, read.interactions.matrix, read.interactions.times, *facets)


def _refuse(rejected: tuple[Rejected, ...], path: Path, expected: str) -> None:
    """A benchmark on part of its data is another benchmark, so a single bad row ends it."""
    if rejected:
        first = rejected[0]
        more = f" {len(rejected) - 1} more rows are bad." if len(rejected) > 1 else ""
        raise MovieLensError(
            f"{path}, data row {first.row}: {first.reason}: {first.value!r}. Expected {expected}.{more}"
        )


def _facets(pairs: Iterable[tuple[Hashable, int]], n_items: int, fewest: int) -> Matrix:
    """Csr [n_items, n] of (facet, item) pairs; of facets that at least `fewest` items have."""
    having: dict[Hashable, set[int]] = {}
    for facet, row in pairs:
        having.setdefault(facet, set()).add(row)
    kept = [sorted(rows) for rows in having.values() if len(rows) >= fewest]
    columns = np.repeat(np.arange(len(kept)), [len(rows) for rows in kept])
    rows = np.array([row for group in kept for row in group], dtype=np.int64)
    return Matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(n_items, len(kept)))


def moments(train: Matrix, data: MovieLens) -> NDArray[np.float64]:
    """Float [nnz]: when each rating of a part of `data.ratings` was given, epoch seconds."""
    n_items = data.times.shape[1]
    everything, wanted = (users_of(one) * n_items + one.indices for one in (data.times, train))
    return data.times.data[np.searchsorted(everything, wanted)]


def random_split(ratings: Matrix, share: float, seed: int) -> Split:
    """Of every user's ratings a random `share` (rounded) to learn from, the others to find."""
    place = places(ratings, np.random.default_rng(seed).random(ratings.nnz))
    return _split(ratings, place < np.round(np.diff(ratings.indptr) * share)[users_of(ratings)])


def folds(ratings: Matrix, n: int, seed: int) -> list[Split]:
    """Every user's ratings dealt into `n` parts at random; each is the test part once."""
    place = places(ratings, np.random.default_rng(seed).random(ratings.nnz))
    return [_split(ratings, place % n != fold) for fold in range(n)]


def last_out(ratings: Matrix, times: Matrix, seed: int) -> Split:
    """Every user's latest rating to find, the others to learn from; of several at that time a random one.

    A user with one rating has nothing to find.
    """
    drawn = np.random.default_rng(seed).random(ratings.nnz)
    place = places(ratings, -times.data, drawn)
    return _split(ratings, (place > 0) | (np.diff(ratings.indptr) == 1)[users_of(ratings)])


def cold_split(ratings: Matrix, share: float, seed: int) -> tuple[Split, NDArray[np.int64]]:
    """A random `share` of the items that anybody rated is cold: all their ratings are to find.

    Returns the split and the places of the cold items, ascending.
    """
    rated = np.unique(ratings.indices)
    cold = np.zeros(ratings.shape[1], dtype=bool)
    cold[np.random.default_rng(seed).permutation(rated)[: round(share * len(rated))]] = True
    return _split(ratings, ~cold[ratings.indices]), np.flatnonzero(cold)


def _split(ratings: Matrix, kept: NDArray[np.bool_]) -> Split:
    return Split(part(ratings, kept), part(ratings, ~kept), kept)

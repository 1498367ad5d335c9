"""The catalogue to start with: MovieLens 100K, read from the installed `recbole` wheel.

GroupLens forbids redistribution, so nothing of it lies in this repository: the files stay where the wheel
puts them, and only they are read (recbole itself is never imported).
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import WorkspaceError

if TYPE_CHECKING:
    from retrieval.catalogue import CatalogueRead
    from retrieval.interactions import InteractionsRead
    from retrieval.knowledge import Link

EDITION = "starter movielens-100k/1"
"""Names what `starter_sources` gives; a workspace built from another edition is built again."""

FAMILY_GENRE = "children's"

# Ratings and awards connect films that have nothing else in common.
_UNTELLING = frozenset({"film.film.rating", "film.film.award_nomination", "film.film.award_won"})


@dataclass(frozen=True)
class Provenance:
    """Where the data comes from and on what terms."""

    name: str
    source: str
    licence: str
    citation: str


@dataclass(frozen=True)
class Starter:
    """What a workspace is built from: 1,682 films, 100,000 ratings by 943 users, and a knowledge graph."""

    catalogue_read: CatalogueRead
    interactions_read: InteractionsRead
    links: tuple[Link, ...]
    provenance: Provenance


def starter_sources() -> Starter:
    """Read the starter catalogue, its interactions and its links. Raises WorkspaceError when not installed.

    Genres are the 18 of MovieLens in lower case; `audience` is "family" for children's films. Directors,
    cast, language and running times are not known to MovieLens; `links` name people and the like by their
    Freebase ids only.
    """
    from retrieval.catalogue import Catalogue, CatalogueRead, read_catalogue
    from retrieval.interactions import read_interactions
    from retrieval.links import read_links

    folder = dataset_folder()
    read = read_catalogue(folder / "ml-100k.item")
    catalogue = Catalogue(
        dataclasses.replace(item, audience="family") if FAMILY_GENRE in item.genres else item
        for item in read.catalogue
    )
    links = read_links(folder / "ml-100k.kg", catalogue)
    return Starter(
        CatalogueRead(catalogue, read.rejected, read.total),
        read_interactions(folder / "ml-100k.inter", catalogue),
        tuple(link for link in links if _tells_something(link.relation)),
        _provenance(),
    )


def _tells_something(relation: str) -> bool:
    # A few films are subjects of other films, so inverse relations start at them too.
    return relation.startswith("film.film.") and relation not in _UNTELLING


def dataset_folder() -> Path:
    """Folder of MovieLens 100K in the installed wheel. Raises WorkspaceError when it is not there."""
    spec = importlib.util.find_spec("recbole")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location) / "dataset_example" / "ml-100k"
        if (folder / "ml-100k.item").is_file():
            return folder
    raise WorkspaceError(
        "The starter catalogue (MovieLens 100K, in the package 'recbole') is not installed. "
        "Run `make chat`, or `pip install --no-deps -r assets.txt`."
    )


def _provenance() -> Provenance:
    return Provenance(
        name="MovieLens 100K",
        source=f"recbole {importlib.metadata.version('recbole')}, dataset_example/ml-100k",
        licence="GroupLens: research use, no redistribution (https://grouplens.org/datasets/movielens/100k/)",
        citation=(
            "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
            "ACM Transactions on Interactive Intelligent Systems 5, 4. https://doi.org/10.1145/2827872"
        ),
    )

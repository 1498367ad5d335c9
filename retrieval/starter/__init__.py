"""The catalogue that ships: films described for this project, with the ratings of MovieLens 100K.

`films.jsonl` beside this file is our own. The ratings and the knowledge graph are read from the
installed `recbole` wheel: GroupLens forbids redistribution, so nothing of them lies in this repository.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrieval.errors import CatalogueError
from retrieval.starter.films import FILMS, Film, read_films
from retrieval.starter.movielens import Provenance, dataset_folder, provenance, telling_links

if TYPE_CHECKING:
    from retrieval.catalogue import CatalogueRead
    from retrieval.interactions import InteractionsRead
    from retrieval.knowledge import Link
    from retrieval.types import Item

__all__ = ["Starter", "as_item", "dataset_folder", "edition", "starter_sources"]


@dataclass(frozen=True)
class Starter:
    """What a workspace is built from: films, 943 people's ratings of the older ones, a knowledge graph."""

    catalogue_read: CatalogueRead
    interactions_read: InteractionsRead
    links: tuple[Link, ...]
    provenance: Provenance


def edition() -> str:
    """Names what `starter_sources` gives; a workspace built from another edition is built again."""
    return f"starter films {hashlib.sha256(FILMS.read_bytes()).hexdigest()[:16]}"


def starter_sources() -> Starter:
    """Read the films and what MovieLens 100K knows of them.

    Films later than 1998, or unknown to MovieLens, have no ratings: they are cold. Raises WorkspaceError
    when the wheel is not installed, CatalogueError when `films.jsonl` is damaged.
    """
    from retrieval.catalogue import Catalogue, CatalogueRead
    from retrieval.interactions import read_interactions

    folder = dataset_folder()
    films, faults = read_films(FILMS)
    if faults:
        raise CatalogueError(f"{FILMS} is damaged: {faults[0]}. Install Tastebud again.")
    # The file lists the films roughly by how well known they are.
    catalogue = Catalogue(as_item(film, float(len(films) - place)) for place, film in enumerate(films))
    ids = {str(number): film.item_id for film in films for number in film.movielens_ids}
    return Starter(
        CatalogueRead(catalogue, (), len(catalogue)),
        read_interactions(folder / "ml-100k.inter", catalogue, ids),
        telling_links(folder, catalogue, ids),
        provenance(),
    )


def as_item(film: Film, popularity: float = 0.0) -> Item:
    """A film as an item of the catalogue; its original title becomes one of its aliases."""
    from retrieval.types import Item

    aliases = (film.original_title, *film.aliases) if film.original_title else film.aliases
    return Item(
        film.item_id,
        film.title,
        year=film.year,
        genres=film.genres,
        directors=film.directors,
        cast=film.cast,
        themes=film.themes,
        moods=film.moods,
        countries=film.countries,
        language=film.language,
        minutes=film.minutes,
        audience=film.audience,
        content_notes=film.content_notes,
        description=film.description,
        aliases=aliases,
        popularity=popularity,
    )

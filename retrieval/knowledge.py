"""Items that share people, genres, themes, places or decade: neighbours in the knowledge graph."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from retrieval.catalogue import Catalogue
from retrieval.errors import WorkspaceError
from retrieval.filters import Eligible
from retrieval.retriever import best, check_n
from retrieval.types import FACET_FIELDS, Candidate, Facet, Item, Query, facet_values

DISLIKED = 0.5


@dataclass(frozen=True, slots=True)
class Link:
    """An edge of a knowledge graph: what an item has to do with an entity, named by any stable id."""

    item_id: str
    relation: str
    entity: str


class KnowledgeRetriever:
    """Cosine between items over the entities they have, each weighted by log(n_items / items with it).

    Entities are an item's own facets, its decade, and the given links. An entity that every item has
    says nothing, and one that only a single item has connects nothing.
    """

    name = "knowledge"

    @staticmethod
    def build(folder: Path, catalogue: Catalogue, links: Sequence[Link]) -> None:
        """Write links.json: per item the entities given from outside. Raises UnknownItemError."""
        given: list[list[str]] = [[] for _ in catalogue]
        for link in links:
            given[catalogue.row(link.item_id)].append(f"{link.relation} {link.entity}")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "links.json").write_text(json.dumps(given), encoding="utf-8")

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        """Open what `build` wrote. Raises WorkspaceError when it is damaged or another catalogue's."""
        try:
            given = json.loads((folder / "links.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise WorkspaceError(
                f"The knowledge graph {folder} cannot be read ({problem}). Build the workspace again."
            ) from None
        if not isinstance(given, list) or len(given) != len(catalogue):
            raise WorkspaceError(
                f"The knowledge graph {folder} belongs to another catalogue. Build the workspace again."
            )
        self._catalogue = catalogue
        self._entities: dict[str, int] = {}
        self.matrix = self._weighted(given)
        """Csr [n_items, n_entities]: the entities of an item by weight, each row of unit length or empty."""

    def retrieve(self, query: Query, eligible: Eligible, n: int) -> list[Candidate]:
        """Neighbours of the liked items and of `query.facets`, away from the disliked items."""
        check_n(n)
        wish = self._sum(query.liked) - DISLIKED * self._sum(query.disliked) + self._named(query.facets)
        if not (query.liked or query.facets) or not wish.any():
            return []
        scores = self.matrix @ (wish / np.linalg.norm(wish))
        return best(self.name, self._catalogue, scores, eligible.mask & (scores > 0), n)

    def shared(self, a: str, b: str) -> tuple[Facet, ...]:
        """Facets that two items both have, the rarest in the catalogue first. Raises UnknownItemError."""
        first, second = self._catalogue[a], self._catalogue[b]
        theirs = {_key(facet) for facet in _facets(second)}
        common = {_key(facet): facet for facet in _facets(first) if _key(facet) in theirs}
        return tuple(
            sorted(common.values(), key=lambda facet: (int(self._catalogue.mask(facet).sum()), facet))
        )

    def _sum(self, item_ids: Sequence[str]) -> np.ndarray:
        rows = [self._catalogue.row(item_id) for item_id in dict.fromkeys(item_ids)]
        return np.asarray(self.matrix[rows].sum(axis=0)).ravel()

    def _named(self, facets: Sequence[Facet]) -> np.ndarray:
        wish = np.zeros(self.matrix.shape[1])
        for facet in facets:
            if (column := self._entities.get(_key(facet))) is not None:
                wish[column] = self._idf[column]
        length = np.linalg.norm(wish)
        return wish / length if length else wish

    def _weighted(self, given: Sequence[Sequence[str]]) -> sparse.csr_array:
        """Float [n_items, n_entities], each row of unit length (or all zero)."""
        rows: list[int] = []
        columns: list[int] = []
        for row, (item, links) in enumerate(zip(self._catalogue, given, strict=True)):
            for entity in dict.fromkeys((*_own(item), *links)):
                rows.append(row)
                columns.append(self._entities.setdefault(entity, len(self._entities)))
        shape = (len(self._catalogue), len(self._entities))
        held = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        items_with = np.asarray(held.sum(axis=0)).ravel()
        self._idf = np.log(len(self._catalogue) / np.maximum(items_with, 1))
        held = held @ sparse.dia_array((self._idf[None, :], [0]), shape=(shape[1], shape[1]))
        lengths = np.sqrt(np.asarray(held.multiply(held).sum(axis=1)).ravel())
        lengths[lengths == 0] = 1.0
        return (sparse.dia_array((1 / lengths[None, :], [0]), shape=(shape[0], shape[0])) @ held).tocsr()


def _facets(item: Item) -> Iterable[Facet]:
    return (Facet(name, value) for name in FACET_FIELDS for value in facet_values(item, name))


def _own(item: Item) -> Iterable[str]:
    yield from (_key(facet) for facet in _facets(item))
    if item.year is not None:
        yield f"decade {item.year // 10}"


def _key(facet: Facet) -> str:
    # A director who also acts is one person to a viewer.
    relation = "person" if facet.field in ("directors", "cast") else facet.field
    return f"{relation} {facet.value.casefold()}"

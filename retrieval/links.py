"""Knowledge about items out of RecBole's pair of files: `.kg` (a graph) and `.link` (item -> its entity)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from retrieval.catalogue import Catalogue
from retrieval.errors import CatalogueError
from retrieval.knowledge import Link
from retrieval.readers import open_table


def read_links(path: Path, catalogue: Catalogue, ids: Mapping[str, str] | None = None) -> tuple[Link, ...]:
    """Links from items to entities: every triple of the `.kg` file whose head is an item of the catalogue.

    `ids`: item ids of the file -> item_ids of the catalogue; None where they are the same.
    The `.link` file of the same name lies beside it. Where the tail is an item too (a sequel), that item
    is linked to its own entity by the same relation, so that the two meet there. Triples between other
    entities say nothing about items and are left. Raises CatalogueError when a file is missing, has other
    columns, or has a row that cannot be read.
    """
    known = ids or {}
    items = {
        entity: known.get(item_id, item_id)
        for item_id, entity in _cells(path.with_suffix(".link"), ("item_id", "entity_id"))
        if known.get(item_id, item_id) in catalogue
    }
    links: dict[Link, None] = {}
    for head, relation, tail in _cells(path, ("head_id", "relation_id", "tail_id")):
        if head in items:
            links[Link(items[head], relation, tail)] = None
            if tail in items:
                links[Link(items[tail], relation, tail)] = None
    return tuple(links)


def _cells(path: Path, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    table = open_table(path, CatalogueError)
    if not set(names) <= set(table.columns):
        raise CatalogueError(
            f"{path} has the columns {', '.join(table.columns)[:500]}; expected {', '.join(names)}."
        )
    for row in table.rows:
        if row.problem:
            raise CatalogueError(
                f"{path}, row {row.number}: {row.problem}: {row.value[:120]!r}. Correct or remove it."
            )
        yield tuple(str(row.cells[name]) for name in names)

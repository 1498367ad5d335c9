"""Items added, changed and removed: what a snapshot becomes, before any index."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retrieval.catalogue import Catalogue, read_catalogue
from retrieval.errors import CatalogueError, UnknownItemError
from retrieval.items import ID_LENGTH
from retrieval.looks import Looks
from retrieval.snapshot import Snapshot
from retrieval.types import Item

if TYPE_CHECKING:
    from retrieval.knowledge import Link


@dataclass(frozen=True, slots=True)
class Changes:
    """`put`: items to add, or to replace those of the same item_id with; `remove`: item_ids.

    `looks`: of items that are there after the change, in place of those they have.
    """

    put: tuple[Item, ...] = ()
    remove: tuple[str, ...] = ()
    looks: Looks | None = None


def read_items(path: Path, columns: Path | None, known: Catalogue) -> tuple[Item, ...]:
    """The items of a file, read as `read_catalogue` does beside those that are `known`.

    Raises CatalogueError for a row that cannot be used, too: whoever names a few items means all of them.
    """
    read = read_catalogue(path, columns, beside=known)
    if read.rejected:
        first = read.rejected[0]
        more = f", and {len(read.rejected) - 1} more" if len(read.rejected) > 1 else ""
        raise CatalogueError(
            f"{path}, row {first.row}: {first.reason}: {first.value[:120]!r}{more}. Nothing was changed: "
            "correct the file and add it again."
        )
    return read.catalogue.items


def changed(before: Snapshot, links: Sequence[Link], changes: Changes) -> tuple[Snapshot, tuple[Link, ...]]:
    """The snapshot and links after the changes.

    A changed item keeps its place, new ones follow at the end in their order. What people did with a removed
    item goes with it; so does the look of an item that gets another image. Raises UnknownItemError for an id
    to remove that the catalogue does not hold, CatalogueError for items without title or id, ids that come
    twice, and when nothing would be left, WorkspaceError for looks of another kind than those there are.
    """
    _check(before.catalogue, changes)
    gone = frozenset(changes.remove)
    put = {item.item_id: item for item in _counted(before, changes.put)}
    kept = [row for row, item_id in enumerate(before.catalogue.ids) if item_id not in gone]
    items = [put.pop(before.catalogue.ids[row], before.catalogue.items[row]) for row in kept]
    items += put.values()
    if not items:
        raise CatalogueError("Nothing would be left: a workspace needs at least one item.")
    interactions = before.interactions
    if interactions is not None:
        interactions = interactions.over(np.array(kept, dtype=np.int64), len(items))
    left = tuple(link for link in links if link.item_id not in gone)
    catalogue = Catalogue(items)
    return Snapshot(catalogue, interactions, _looks(before, catalogue, changes)), left


def _looks(before: Snapshot, catalogue: Catalogue, changes: Changes) -> Looks | None:
    known = before.catalogue
    other = frozenset(
        item.item_id
        for item in changes.put
        if item.item_id in known and known[item.item_id].image != item.image
    )
    kept = before.looks.of(catalogue, other) if before.looks is not None else None
    if changes.looks is None:
        return kept
    # Compared with all that there were: a kind of vectors does not change because few items have one.
    return changes.looks.beside(before.looks).of(catalogue, other.difference(changes.looks.ids))


def _check(catalogue: Catalogue, changes: Changes) -> None:
    for item_id in changes.remove:
        if item_id not in catalogue:
            raise UnknownItemError(item_id)
    for item in changes.put:
        if not item.item_id or not item.title.strip() or len(item.item_id) > ID_LENGTH:
            raise CatalogueError(
                f"Cannot add {(item.title or item.item_id)[:120]!r}: an item needs a title and an item_id of "
                f"at most {ID_LENGTH} characters."
            )
    twice = _repeated(item.item_id for item in changes.put)
    if twice is not None:
        raise CatalogueError(f"The item_id {twice[:120]!r} is to be added twice: give it once.")
    both = next((item.item_id for item in changes.put if item.item_id in changes.remove), None)
    if both is not None:
        raise CatalogueError(f"The item_id {both[:120]!r} is both to be added and removed: do one of them.")


def _repeated(ids: Iterable[str]) -> str | None:
    return next((item_id for item_id, count in Counter(ids).items() if count > 1), None)


def _counted(before: Snapshot, put: Sequence[Item]) -> Iterable[Item]:
    """The items as given; where popularity counts interactions, one that says none keeps its own."""
    interactions = before.interactions
    if interactions is None or not np.array_equal(before.catalogue.popularity, interactions.counts):
        return put
    counts = dict(zip(before.catalogue.ids, interactions.counts.tolist(), strict=True))
    return [
        item if item.popularity else dataclasses.replace(item, popularity=float(counts.get(item.item_id, 0)))
        for item in put
    ]

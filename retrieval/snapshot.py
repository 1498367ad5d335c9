"""What a build is made of before any index: the part that cannot be computed again from the rest."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.catalogue import Catalogue, CatalogueRead, Rejected
from retrieval.interactions import Interactions, InteractionsRead
from retrieval.looks import Looks, LooksRead

if TYPE_CHECKING:
    from retrieval.knowledge import Link

CATALOGUE, INTERACTIONS, LINKS, LOOKS, REJECTED = (
    "catalogue.jsonl",
    "interactions.npz",
    "links.jsonl",
    "looks.npz",
    "rejected.jsonl",
)


@dataclass(frozen=True)
class Snapshot:
    """Items, interactions and looks as they were accepted; None for what was not given."""

    catalogue: Catalogue
    interactions: Interactions | None
    looks: Looks | None = None

    @classmethod
    def load(cls, folder: Path) -> Snapshot:
        """Read what `write_snapshot` wrote. Raises CatalogueError, InteractionsError or WorkspaceError."""
        interactions, looks = folder / INTERACTIONS, folder / LOOKS
        return cls(
            Catalogue.load(folder / CATALOGUE),
            Interactions.load(interactions) if interactions.exists() else None,
            Looks.load(looks) if looks.exists() else None,
        )


@dataclass(frozen=True, slots=True)
class Former:
    """An earlier build whose work may be taken over: its folder (or that of one index), its snapshot."""

    folder: Path
    snapshot: Snapshot


def write_snapshot(
    folder: Path,
    catalogue_read: CatalogueRead,
    interactions_read: InteractionsRead | None,
    links: Sequence[Link],
    looks_read: LooksRead | None = None,
) -> tuple[Snapshot, dict[str, int]]:
    """Write the snapshot into `folder`; returns it with the counts for the manifest.

    Items of a catalogue that knows no popularity get the number of their interactions.
    """
    catalogue, rejected = catalogue_read.catalogue, catalogue_read.rejected
    counts = {"items": len(catalogue), "items_read": catalogue_read.total, "links": len(links)}
    interactions = None
    if interactions_read is not None:
        interactions = interactions_read.interactions
        rejected += interactions_read.rejected
        counts |= {
            "users": len(interactions.users),
            "interactions": interactions.matrix.nnz,
            "interactions_read": interactions_read.total,
            "interactions_repeated": interactions_read.repeated,
        }
        catalogue = _with_popularity(catalogue, interactions)
    looks = None
    if looks_read is not None:
        looks = looks_read.looks
        rejected += looks_read.rejected
        counts |= {"looks": len(looks.ids) if looks else 0, "looks_read": looks_read.total}
    snapshot = Snapshot(catalogue, interactions, looks)
    save_snapshot(folder, snapshot, links)
    _write_lines(folder / REJECTED, rejected)
    return snapshot, counts | {"rejected": len(rejected)}


def save_snapshot(folder: Path, snapshot: Snapshot, links: Sequence[Link]) -> None:
    """Write a snapshot, and the links from its items to entities."""
    if snapshot.interactions is not None:
        snapshot.interactions.save(folder / INTERACTIONS)
    if snapshot.looks is not None:
        snapshot.looks.save(folder / LOOKS)
    snapshot.catalogue.save(folder / CATALOGUE)
    _write_lines(folder / LINKS, links)


def read_snapshot_links(folder: Path) -> tuple[Link, ...]:
    """The links that were given when the build was made."""
    from retrieval.knowledge import Link

    with open(folder / LINKS, encoding="utf-8", newline="\n") as file:
        return tuple(Link(**json.loads(line)) for line in file)


def _with_popularity(catalogue: Catalogue, interactions: Interactions) -> Catalogue:
    if catalogue.popularity.any():
        return catalogue
    counts = interactions.counts.tolist()
    return Catalogue(
        dataclasses.replace(item, popularity=float(count))
        for item, count in zip(catalogue, counts, strict=True)
    )


def _write_lines(path: Path, records: Iterable[Link | Rejected] | Iterable[Any]) -> None:
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(asdict(record), ensure_ascii=False) + "\n" for record in records)

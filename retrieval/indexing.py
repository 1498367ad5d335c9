"""A user's own files into a workspace, and into changes of one: the functions behind `tastebud index`."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.catalogue import read_catalogue
from retrieval.changes import Changes, read_items
from retrieval.interactions import InteractionsRead, read_interactions
from retrieval.snapshot import REJECTED
from retrieval.workspace import Workspace

if TYPE_CHECKING:
    from retrieval.encoder import Encoder
    from retrieval.indexes import Progress


@dataclass(frozen=True)
class Tally:
    """Rows of one file: `total` == `kept` + `rejected` + `repeated` (the same user and item once more)."""

    total: int
    kept: int
    rejected: int
    repeated: int = 0


@dataclass(frozen=True)
class IndexReport:
    """What `index` did. `interactions` is None when there were none; `items_per_second`: encoding alone."""

    folder: Path
    build: str
    items: Tally
    interactions: Tally | None
    links: int
    seconds: float
    items_per_second: float
    rejected_file: Path


def index(
    catalogue: Path,
    interactions: Path | None,
    folder: Path,
    columns: Path | None = None,
    knowledge: Path | None = None,
    progress: Progress | None = None,
    encoder: Encoder | None = None,
) -> IndexReport:
    """Read a user's own files and build a workspace from them.

    `columns`: YAML of `field: column` lines; `knowledge`: a RecBole `.kg` file beside its `.link`. Raises
    CatalogueError, InteractionsError or WorkspaceError, and then leaves the folder as it was.
    """
    from retrieval.links import read_links

    started = time.perf_counter()
    items = read_catalogue(catalogue, columns)
    ratings = read_interactions(interactions, items.catalogue) if interactions is not None else None
    links = read_links(knowledge, items.catalogue) if knowledge is not None else ()
    given = {"--catalogue": catalogue, "--interactions": interactions, "--columns": columns}
    given |= {"--knowledge": knowledge, "--workspace": folder}
    words = [word for name, path in given.items() if path is not None for word in (name, str(path))]
    source = shlex.join(["tastebud", "index", *words])
    workspace = Workspace.build(folder, items, ratings, links, encoder, progress, source)
    return IndexReport(
        folder=folder,
        build=workspace.manifest.build,
        items=Tally(items.total, len(items.catalogue), len(items.rejected)),
        interactions=None if ratings is None else _tally(ratings),
        links=len(links),
        seconds=round(time.perf_counter() - started, 3),
        items_per_second=round(len(items.catalogue) / max(workspace.manifest.seconds["dense"], 1e-3), 1),
        rejected_file=folder / REJECTED,
    )


def _tally(read: InteractionsRead) -> Tally:
    return Tally(read.total, read.interactions.matrix.nnz, len(read.rejected), read.repeated)


@dataclass(frozen=True)
class ChangeReport:
    """What `change` did. `build`: the current one now; the same as before when nothing differed."""

    folder: Path
    build: str
    added: int
    changed: int
    removed: int
    items: int
    seconds: float


def change(
    folder: Path,
    add: Path | None = None,
    remove: Sequence[str] = (),
    columns: Path | None = None,
    progress: Progress | None = None,
    encoder: Encoder | None = None,
) -> ChangeReport:
    """Add the items of a file to a workspace (or replace those of the same item_id) and remove others.

    Raises WorkspaceError, CatalogueError (for any row that cannot be used, too) or UnknownItemError, and then
    leaves the folder as it was.
    """
    started = time.perf_counter()
    before = Workspace.open(folder, encoder)
    put = read_items(add, columns, before.catalogue) if add is not None else ()
    after = before.change(Changes(put, tuple(dict.fromkeys(remove))), progress)
    return ChangeReport(
        folder=folder,
        build=after.manifest.build,
        added=sum(item.item_id not in before.catalogue for item in put),
        changed=sum(item.item_id in before.catalogue for item in put),
        removed=len(set(remove)),
        items=len(after.catalogue),
        seconds=round(time.perf_counter() - started, 3),
    )

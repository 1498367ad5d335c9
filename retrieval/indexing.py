"""A user's own files into a workspace, and into changes of one: the functions behind `tastebud index`."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.catalogue import Catalogue, read_catalogue
from retrieval.changes import Changes, read_items
from retrieval.errors import CatalogueError
from retrieval.interactions import InteractionsRead, read_interactions
from retrieval.looks import LooksRead, encode_images, read_vectors
from retrieval.snapshot import REJECTED
from retrieval.workspace import Workspace

if TYPE_CHECKING:
    from retrieval.encoder import Encoder
    from retrieval.indexes import Progress
    from retrieval.types import Item


@dataclass(frozen=True)
class Tally:
    """Rows of one file: `total` == `kept` + `rejected` + `repeated` (the same user and item once more)."""

    total: int
    kept: int
    rejected: int
    repeated: int = 0


@dataclass(frozen=True)
class IndexReport:
    """What `index` did. `interactions` and `looks` (images or vectors) are None when none were given.

    `items_per_second`: encoding texts alone.
    """

    folder: Path
    build: str
    items: Tally
    interactions: Tally | None
    links: int
    seconds: float
    items_per_second: float
    rejected_file: Path
    looks: Tally | None = None


def index(
    catalogue: Path,
    interactions: Path | None,
    folder: Path,
    columns: Path | None = None,
    knowledge: Path | None = None,
    progress: Progress | None = None,
    encoder: Encoder | None = None,
    images: Path | None = None,
    vectors: Path | None = None,
) -> IndexReport:
    """Read a user's own files and build a workspace from them.

    `columns`: YAML of `field: column` lines; `knowledge`: a RecBole `.kg` file beside its `.link`; `images`:
    folder of a CLIP that reads the images the items name; `vectors`: a file of vectors instead. Raises
    CatalogueError, InteractionsError or WorkspaceError, and then leaves the folder as it was.
    """
    from retrieval.links import read_links

    started = time.perf_counter()
    items = read_catalogue(catalogue, columns)
    ratings = read_interactions(interactions, items.catalogue) if interactions is not None else None
    links = read_links(knowledge, items.catalogue) if knowledge is not None else ()
    given = {"--catalogue": catalogue, "--interactions": interactions, "--columns": columns}
    given |= {"--knowledge": knowledge, "--images": images, "--vectors": vectors, "--workspace": folder}
    words = [word for name, path in given.items() if path is not None for word in (name, str(path))]
    source = shlex.join(["tastebud", "index", *words])
    looks = _looks(items.catalogue, items.catalogue.items, catalogue, images, vectors, progress)
    workspace = Workspace.build(folder, items, ratings, links, encoder, progress, source, looks)
    return IndexReport(
        folder=folder,
        build=workspace.manifest.build,
        items=Tally(items.total, len(items.catalogue), len(items.rejected)),
        interactions=None if ratings is None else _tally(ratings),
        links=len(links),
        seconds=round(time.perf_counter() - started, 3),
        items_per_second=round(len(items.catalogue) / max(workspace.manifest.seconds["dense"], 1e-3), 1),
        rejected_file=folder / REJECTED,
        looks=_seen(looks),
    )


def _tally(read: InteractionsRead) -> Tally:
    return Tally(read.total, read.interactions.matrix.nnz, len(read.rejected), read.repeated)


def _looks(
    catalogue: Catalogue,
    items: Sequence[Item],
    beside: Path,
    images: Path | None,
    vectors: Path | None,
    progress: Progress | None,
) -> LooksRead | None:
    """The looks of `items`, out of their images or a file; None when neither is given."""
    if vectors is not None:
        return read_vectors(vectors, catalogue)
    if images is None:
        return None
    from retrieval.clip import ClipEncoder

    def encoded(done: int, total: int) -> None:
        if progress is not None:
            progress("images", done, total)

    return encode_images(items, beside, ClipEncoder(images), encoded)


def _seen(read: LooksRead | None) -> Tally | None:
    return None if read is None else Tally(read.total, read.total - len(read.rejected), len(read.rejected))


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
    looks: Tally | None = None


def change(
    folder: Path,
    add: Path | None = None,
    remove: Sequence[str] = (),
    columns: Path | None = None,
    progress: Progress | None = None,
    encoder: Encoder | None = None,
    images: Path | None = None,
    vectors: Path | None = None,
) -> ChangeReport:
    """Add the items of a file to a workspace (or replace those of the same item_id) and remove others.

    `images`, `vectors`: as in `index`, for the items of the file `add`, and vectors for any others, too.

    Raises WorkspaceError, CatalogueError (for any row that cannot be used, too) or UnknownItemError, and then
    leaves the folder as it was.
    """
    started = time.perf_counter()
    before = Workspace.open(folder, encoder)
    put = read_items(add, columns, before.catalogue) if add is not None else ()
    gone = tuple(dict.fromkeys(remove))
    kept = {item.item_id: item for item in (*before.catalogue, *put) if item.item_id not in gone}
    looks = _looks(Catalogue(kept.values()), put, add or folder, images, vectors, progress)
    if looks is not None and looks.rejected:
        first = looks.rejected[0]
        where = f"{first.file}, row {first.row}"
        raise CatalogueError(f"{where}: {first.reason}: {first.value!r}. Nothing was changed.")
    changes = Changes(put, gone, looks.looks if looks is not None else None)
    after = before.change(changes, progress)
    return ChangeReport(
        folder=folder,
        build=after.manifest.build,
        added=sum(item.item_id not in before.catalogue for item in put),
        changed=sum(item.item_id in before.catalogue for item in put),
        removed=len(gone),
        items=len(after.catalogue),
        seconds=round(time.perf_counter() - started, 3),
        looks=_seen(looks),
    )

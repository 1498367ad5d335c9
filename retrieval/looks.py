"""How items look, as vectors: of their images, or precomputed ones that somebody brings along."""

from __future__ import annotations

import json
import math
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval import cells
from retrieval.catalogue import Catalogue, Rejected, rejection
from retrieval.columns import match_columns
from retrieval.errors import CatalogueError, WorkspaceError
from retrieval.readers import Row, open_table

if TYPE_CHECKING:
    from PIL.Image import Image

    from retrieval.types import Item

Progress = Callable[[int, int], None]
"""Called with (images done, images in all)."""

PRECOMPUTED = "precomputed"
BATCH = 32
_WEB = re.compile(r"https?:", re.IGNORECASE)
_LENGTH = 16_384


class ImageEncoder(Protocol):
    """Images to vectors."""

    @property
    def name(self) -> str:
        """Names the weights: vectors of differently named encoders are not comparable."""

    def encode(self, images: Sequence[Image]) -> np.ndarray:
        """Float32 [n_images, dimension], in the order of `images`; every one of them is RGB."""


@dataclass(frozen=True)
class Looks:
    """`vectors`: float32 [n, d] of unit length, of the items `ids`; `name`: what made them."""

    name: str
    ids: tuple[str, ...]
    vectors: NDArray[np.float32]

    def of(self, kept: Catalogue, but: frozenset[str] = frozenset()) -> Looks | None:
        """Those of the items that are kept, in the catalogue's order; None when there are none."""
        places = {item_id: place for place, item_id in enumerate(self.ids) if item_id not in but}
        ids = tuple(item_id for item_id in kept.ids if item_id in places)
        return Looks(self.name, ids, self.vectors[[places[item_id] for item_id in ids]]) if ids else None

    def beside(self, others: Looks | None) -> Looks:
        """These, and those of the others that these have no vector for.

        Raises WorkspaceError when another encoder made them or their length is another.
        """
        if others is None:
            return self
        if (self.name, self.vectors.shape[1]) != (others.name, others.vectors.shape[1]):
            kinds = [f"{one.name!r} ({one.vectors.shape[1]} numbers)" for one in (self, others)]
            raise WorkspaceError(
                f"The vectors of {kinds[0]} cannot stand beside those of {kinds[1]} that the workspace has: "
                "use the same, or build it again with --catalogue."
            )
        mine = set(self.ids)
        rest = [place for place, item_id in enumerate(others.ids) if item_id not in mine]
        ids = (*self.ids, *(others.ids[place] for place in rest))
        return Looks(self.name, ids, np.concatenate([self.vectors, others.vectors[rest]]))

    def same(self, other: Looks | None) -> bool:
        """Whether they say the same of the same items."""
        return (
            other is not None
            and (self.name, self.ids) == (other.name, other.ids)
            and np.array_equal(self.vectors, other.vectors)
        )

    def save(self, path: Path) -> None:
        """Write an .npz file without pickle: the vectors, and name and ids as UTF-8 JSON."""
        head = np.frombuffer(json.dumps({"name": self.name, "ids": self.ids}).encode(), dtype=np.uint8)
        np.savez(path, allow_pickle=False, head=head, vectors=self.vectors)

    @classmethod
    def load(cls, path: Path) -> Looks:
        """Read what `save` wrote. Raises WorkspaceError when it is missing or damaged."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                head = json.loads(stored["head"].tobytes())
                return cls(str(head["name"]), tuple(head["ids"]), stored["vectors"])
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as problem:
            raise WorkspaceError(f"{path} is missing or damaged: {problem}.") from None


@dataclass(frozen=True)
class LooksRead:
    """What reading gave: `total` images or rows, each either one of `looks` or in `rejected`.

    `looks` is None when none could be used.
    """

    looks: Looks | None
    rejected: tuple[Rejected, ...]
    total: int


def read_vectors(path: Path, catalogue: Catalogue) -> LooksRead:
    """Read a table of `item_id` and `vector`, in any format of `retrieval.readers`.

    A vector is a list of numbers (JSONL, Parquet) or text with numbers between spaces, commas or bars. Rows
    with an unknown or repeated item, something else than finite numbers, only zeros, or another length than
    the first are rejected, and only they. Raises CatalogueError when the file is missing, has no such
    columns, or holds no usable row.
    """
    table = open_table(path, CatalogueError)
    found = match_columns(table.columns, "vectors").fields
    if set(found) != {"item_id", "vector"}:
        listed = ", ".join(table.columns)[:500] or "none"
        raise CatalogueError(f"{path} needs the columns item_id and vector; its columns: {listed}.")
    kept: dict[str, NDArray[np.float32]] = {}
    rejected: list[Rejected] = []
    for row in table.rows:
        try:
            item_id, vector = _vector_of(row, found["item_id"], found["vector"], catalogue)
            if item_id in kept:
                raise cells.CellError("duplicate item_id", item_id)
            if kept and len(vector) != len(next(iter(kept.values()))):
                raise cells.CellError("not as many numbers as in the first vector", item_id)
        except cells.CellError as problem:
            rejected.append(rejection(path, row.number, problem.reason, problem.value))
        else:
            kept[item_id] = vector
    if not kept:
        first = f" The first: {rejected[0].reason}: {rejected[0].value!r}." if rejected else ""
        raise CatalogueError(f"{path} has no usable row.{first} Expected item_id and a list of numbers.")
    looks = Looks(PRECOMPUTED, tuple(kept), np.stack(list(kept.values())))
    return LooksRead(looks.of(catalogue), tuple(rejected), len(kept) + len(rejected))


def _vector_of(
    row: Row, id_column: str, column: str, catalogue: Catalogue
) -> tuple[str, NDArray[np.float32]]:
    if row.problem:
        raise cells.CellError(row.problem, row.value)
    item_id = cells.text(row.cells.get(id_column), 201)
    if item_id not in catalogue:
        raise cells.CellError("unknown item_id" if item_id else "missing item_id", item_id)
    cell = row.cells.get(column)
    parts = re.split(r"[\s,;|]+", cell.strip(" []()")) if isinstance(cell, str) else cell
    if not isinstance(parts, list | tuple) or not 0 < len(parts) <= _LENGTH:
        raise cells.CellError("no list of numbers", item_id)
    try:
        vector = np.array([float(part) for part in parts])
        length = math.hypot(*vector)
    except (ValueError, TypeError, OverflowError):
        raise cells.CellError("no list of numbers", item_id) from None
    if not math.isfinite(length) or length == 0:
        raise cells.CellError("numbers that are not finite, or all zero", item_id)
    return item_id, (vector / length).astype(np.float32)


def encode_images(
    items: Sequence[Item], beside: Path, encoder: ImageEncoder, progress: Progress | None = None
) -> LooksRead:
    """Encode the images of the items that have one: paths, relative to the folder of the file `beside`.

    Images on the web are not fetched; they, and files that hold no image, are rejected.
    """
    having = [(number, item) for number, item in enumerate(items, start=1) if item.image]
    rejected: list[Rejected] = []
    ids: list[str] = []
    vectors: list[np.ndarray] = []
    for start in range(0, len(having), BATCH):
        opened = list(_opened(having[start : start + BATCH], beside, rejected))
        if opened:
            ids += [item_id for item_id, _ in opened]
            vectors.append(encoder.encode([image for _, image in opened]))
        if progress is not None:
            progress(min(start + BATCH, len(having)), len(having))
    if not ids:
        return LooksRead(None, tuple(rejected), len(having))
    found = np.concatenate(vectors)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    unit = (found / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    looks = Looks(encoder.name, tuple(ids), unit)
    return LooksRead(looks, tuple(rejected), len(having))


def _opened(
    having: Sequence[tuple[int, Item]], beside: Path, rejected: list[Rejected]
) -> Iterator[tuple[str, Image]]:
    from PIL import Image

    for number, item in having:
        written = item.image or ""
        try:
            if _WEB.match(written):
                raise ValueError("an image on the web is not fetched: give the path of a copy")
            with Image.open(beside.parent / written) as image:
                yield item.item_id, image.convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
            missing = isinstance(problem, FileNotFoundError)
            reason = "image does not exist" if missing else f"image cannot be read: {str(problem)[:120]}"
            rejected.append(rejection(beside, number, reason, written))

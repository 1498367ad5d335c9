"""The Chroma collection of item vectors: a cache beside vectors.npy that is rebuilt when it is damaged."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.filters import Where, metadata

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

COLLECTION = "items"
CHUNK = 5_000
DIFFERENT = 0.2
"""Share of deleted and new items from which a collection is rather built anew."""
HNSW = {
    "space": "cosine",
    "ef_construction": 200,
    "ef_search": 200,
    "max_neighbors": 32,
    # Below the thresholds (1,000 by default) Chroma writes its graph files anew at every opening.
    "batch_size": 2,
    "sync_threshold": 2,
}


class VectorStore:
    """Nearest items by cosine, out of a Chroma collection on disk.

    `folder/index.json` names the collection's own folder, the catalogue it was made from and the
    sha256 of its HNSW files, which reading never changes (chroma.sqlite3 changes on every opening).
    A store that is missing, damaged, short of items or another catalogue's is built anew from the
    vectors, in a fresh folder, because Chroma remembers a broken path for as long as the process lives.
    Several processes may read one store; they only write while they build it.
    """

    def __init__(self, folder: Path, catalogue: Catalogue, vectors: np.ndarray) -> None:
        """Open the store in `folder`, building it first where needed. `vectors`: float32 [n_items, d]."""
        collection = _open(folder, catalogue, vectors)
        if collection is None:
            self.rebuild(folder, catalogue, vectors)
            collection = _open(folder, catalogue, vectors)
        if collection is None:
            raise OSError(f"the vector store in {folder} cannot be read after it was built")
        self._collection = collection

    def nearest(self, vector: np.ndarray, n: int, where: Where | None = None) -> list[str]:
        """At most `n` item_ids, nearest first, among those that pass `where`."""
        found = self._collection.query(
            query_embeddings=[vector], n_results=n, where=where, include=["distances"]
        )
        return found["ids"][0]

    @staticmethod
    def rebuild(folder: Path, catalogue: Catalogue, vectors: np.ndarray) -> None:
        """Write a new collection, then point index.json at it; older ones are removed."""
        name = uuid.uuid4().hex[:8]
        folder.mkdir(parents=True, exist_ok=True)
        client = _client(folder / name)
        collection = client.create_collection(
            COLLECTION, embedding_function=None, configuration={"hnsw": HNSW}
        )
        metadatas = [metadata(item) for item in catalogue]
        for start in range(0, len(catalogue), CHUNK):
            chunk = slice(start, start + CHUNK)
            collection.add(
                ids=list(catalogue.ids[chunk]), embeddings=vectors[chunk], metadatas=metadatas[chunk]
            )
        client.close()
        _point_at(folder, name, catalogue, deleted=0)

    @staticmethod
    def carry_on(
        folder: Path, former: Path, before: Catalogue, catalogue: Catalogue, vectors: np.ndarray
    ) -> None:
        """Write to `folder` the collection in `former`, which holds `before`, as it is for `catalogue`.

        Only what differs is deleted and added. Where that, with all that was deleted before, is a good part
        of the collection, or where the former one is damaged, a new one is built: what is deleted stays in
        the graph and makes the way to the others longer.
        """
        index = _read_index(former, before)
        gone, fresh = _differences(before, catalogue)
        deleted = len(gone) + (index.get("deleted", 0) if index else 0)
        if index is None or deleted + len(fresh) > len(catalogue) * DIFFERENT:
            VectorStore.rebuild(folder, catalogue, vectors)
            return
        name = uuid.uuid4().hex[:8]
        _copy(former / index["folder"], folder / name)
        client = _client(folder / name)
        collection = client.get_collection(COLLECTION, embedding_function=None)
        for start in range(0, len(gone), CHUNK):
            collection.delete(ids=gone[start : start + CHUNK])
        for start in range(0, len(fresh), CHUNK):
            rows = fresh[start : start + CHUNK]
            collection.add(
                ids=[catalogue.ids[row] for row in rows],
                embeddings=vectors[rows],
                metadatas=[metadata(catalogue.items[row]) for row in rows],
            )
        client.close()
        _point_at(folder, name, catalogue, deleted)


def _client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))


def _open(folder: Path, catalogue: Catalogue, vectors: np.ndarray) -> Collection | None:
    """The collection, once it has answered a first query; None when it has to be built."""
    from chromadb.errors import ChromaError

    index = _read_index(folder, catalogue)
    if index is None:
        return None
    try:
        collection = _client(folder / index["folder"]).get_collection(COLLECTION, embedding_function=None)
        if collection.count() != len(catalogue):
            return None
        collection.query(query_embeddings=[vectors[0]], n_results=1, include=[])
    except (ChromaError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return collection


def _read_index(folder: Path, catalogue: Catalogue) -> dict[str, Any] | None:
    """What index.json says; None where it or a file is damaged, or the collection is another catalogue's."""
    try:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        whole = index["files"] == _prints(folder / index["folder"])
        return index if whole and index["catalogue"] == catalogue.fingerprint else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _point_at(folder: Path, name: str, catalogue: Catalogue, deleted: int) -> None:
    """Make a finished collection the one that is opened, and remove all others.

    `deleted`: how many items it has held that it no longer holds.
    """
    files = _prints(folder / name)
    index = {"folder": name, "catalogue": catalogue.fingerprint, "deleted": deleted, "files": files}
    fresh = folder / f"index.{name}.tmp"
    fresh.write_text(json.dumps(index), encoding="utf-8")
    os.replace(fresh, folder / "index.json")
    for other in folder.iterdir():
        if other.is_dir() and other.name != name:
            shutil.rmtree(other, ignore_errors=True)


def _differences(before: Catalogue, catalogue: Catalogue) -> tuple[list[str], list[int]]:
    """item_ids to delete, and rows of `catalogue` to add; an item that changed is in both."""
    kept = {item.item_id for item in catalogue if item.item_id in before and before[item.item_id] == item}
    gone = [item_id for item_id in before.ids if item_id not in kept]
    return gone, [row for row, item_id in enumerate(catalogue.ids) if item_id not in kept]


def _copy(former: Path, folder: Path) -> None:
    """Copy a collection that others may be reading: SQLite by its own means, the rest file by file."""
    shutil.copytree(former, folder, ignore=shutil.ignore_patterns("chroma.sqlite3*"))
    with (
        closing(sqlite3.connect(former / "chroma.sqlite3")) as source,
        closing(sqlite3.connect(folder / "chroma.sqlite3")) as target,
    ):
        source.backup(target)


def _prints(home: Path) -> dict[str, str]:
    files = (path for path in sorted(home.rglob("*")) if path.is_file() and path.parent != home)
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

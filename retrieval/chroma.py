"""The Chroma collection of item vectors: a cache beside vectors.npy that is rebuilt when it is damaged."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.filters import Where, metadata

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

COLLECTION = "items"
CHUNK = 5_000
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
        index = {"folder": name, "catalogue": catalogue.fingerprint, "files": _prints(folder / name)}
        fresh = folder / f"index.{name}.tmp"
        fresh.write_text(json.dumps(index), encoding="utf-8")
        os.replace(fresh, folder / "index.json")
        for other in folder.iterdir():
            if other.is_dir() and other.name != name:
                shutil.rmtree(other, ignore_errors=True)


def _client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))


def _open(folder: Path, catalogue: Catalogue, vectors: np.ndarray) -> Collection | None:
    """The collection, once it has answered a first query; None when it has to be built."""
    from chromadb.errors import ChromaError

    try:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        home = folder / index["folder"]
        if index["catalogue"] != catalogue.fingerprint or index["files"] != _prints(home):
            return None
        collection = _client(home).get_collection(COLLECTION, embedding_function=None)
        if collection.count() != len(catalogue):
            return None
        collection.query(query_embeddings=[vectors[0]], n_results=1, include=[])
    except (ChromaError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return collection


def _prints(home: Path) -> dict[str, str]:
    files = (path for path in sorted(home.rglob("*")) if path.is_file() and path.parent != home)
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

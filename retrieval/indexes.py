"""The indexes of a build: everything that can be computed again from its snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.collaborative import CollaborativeRetriever
from retrieval.dense import DenseRetriever
from retrieval.encoder import Encoder
from retrieval.expected import Near
from retrieval.images import ImageRetriever
from retrieval.knowledge import KnowledgeRetriever
from retrieval.lexical import LexicalRetriever
from retrieval.snapshot import Former, Snapshot, read_snapshot_links

Progress = Callable[[str, int, int], None]
"""Called with (stage, steps done, steps in all)."""

DENSE, LEXICAL, COLLABORATIVE, KNOWLEDGE = "dense", "lexical", "collaborative", "knowledge"
IMAGES = "images"
INDEXES = (DENSE, LEXICAL, COLLABORATIVE, KNOWLEDGE, IMAGES)
SELF_CHECKED = ("dense/chroma/", "images/chroma/")
"""Chroma changes its files whenever it opens them; the vector store checks and repairs itself."""


def build_missing(
    build: Path,
    snapshot: Snapshot,
    encoder: Encoder,
    progress: Progress | None,
    former: Former | None = None,
) -> dict[str, float]:
    """Build each index whose folder is not in `build` yet; returns how many seconds each took.

    `former`: an undamaged build of almost the same items; what was costly there is not done again.
    """
    catalogue, interactions = snapshot.catalogue, snapshot.interactions

    def encoded(done: int, total: int) -> None:
        if progress is not None:
            progress(DENSE, done, total)

    def earlier(name: str) -> Former | None:
        return Former(former.folder / name, former.snapshot) if former is not None else None

    steps: dict[str, Callable[[Path], None]] = {
        DENSE: lambda folder: DenseRetriever.build(folder, catalogue, encoder, encoded, earlier(DENSE)),
        LEXICAL: lambda folder: LexicalRetriever.build(folder, catalogue),
        KNOWLEDGE: lambda folder: KnowledgeRetriever.build(folder, catalogue, read_snapshot_links(build)),
    }
    if interactions is not None:
        steps[COLLABORATIVE] = lambda folder: CollaborativeRetriever.build(
            folder, catalogue, interactions, _near(build, catalogue), earlier(COLLABORATIVE)
        )
    if (looks := snapshot.looks) is not None:
        steps[IMAGES] = lambda folder: ImageRetriever.build(folder, catalogue, looks, earlier(IMAGES))
    seconds = {}
    for name, step in steps.items():
        if (build / name).exists():
            continue
        if progress is not None:
            progress(name, 0, len(catalogue))
        started = time.perf_counter()
        step(build / name)
        seconds[name] = round(time.perf_counter() - started, 3)
        if progress is not None:
            progress(name, len(catalogue), len(catalogue))
    return seconds


def _near(build: Path, catalogue: Catalogue) -> Near:
    vectors = np.load(build / DENSE / "vectors.npy", allow_pickle=False)
    return Near(vectors, KnowledgeRetriever(build / KNOWLEDGE, catalogue).matrix)

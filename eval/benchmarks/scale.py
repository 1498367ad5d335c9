"""What a query costs as a catalogue grows: synthetic catalogues, built and served as any other."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.benchmarks.latency import BenchmarkError, queries
from eval.machine import memory
from retrieval.catalogue import Catalogue, CatalogueRead
from retrieval.encoder import Encoder, Progress, TextEncoder
from retrieval.interactions import Interactions, InteractionsRead
from retrieval.lexical import stems
from retrieval.ranker import DEPTH
from retrieval.types import Interaction, Item
from retrieval.workspace import Workspace

LARGEST = 1_000_000
"""Up to where costs are extrapolated."""

WORDS, THEMES, GENRES, DIMENSION = 20_000, 400, 20, 384
PEOPLE, RATINGS = 500, 100
WORDS_OF_A_DESCRIPTION = 30
QUERIES = 40
FEW = 16
"""Texts of a query, at most."""


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """Costs at one size. `query`: whole retrieval and ranking of one query; `cpu`: its processor time.

    Both in ms, medians of distinct queries that each have their text encoded. `memory`: resident GB of a
    fresh process after them; `disk`: GB of the workspace; `build`: s, without encoding. Of an extrapolated
    row, all are what the last two measured sizes let expect, at a constant power of the size.
    """

    items: int
    origin: str
    query: float
    cpu: float
    memory: float
    disk: float
    build: float


@dataclass(frozen=True, slots=True)
class SourceRow:
    """Processor time of one source alone in ms, median of the same queries."""

    items: int
    source: str
    cpu: float


class HashedWords:
    """Vectors of many texts as sums of a random vector per word: as spread as texts are, and quick to make.

    A few texts, as a query has, cost what the packaged encoder takes for them.
    """

    name = "hashed words"

    def __init__(self) -> None:
        self._vectors = np.random.default_rng(0).normal(size=(4096, DIMENSION)).astype(np.float32)
        self._real = TextEncoder()

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Float32 [n_texts, 384] of unit length."""
        if len(texts) <= FEW:
            self._real.encode(texts)
        found = np.stack([self._vectors[_hashes(words)].sum(axis=0) for words in stems(texts)])
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def _hashes(words: Sequence[str]) -> list[int]:
    return [sum(ord(letter) * 31**place for place, letter in enumerate(word)) % 4096 for word in words] or [0]


def synthetic(n_items: int, seed: int = 0) -> tuple[CatalogueRead, InteractionsRead]:
    """Items whose words, themes and people are as unevenly frequent as real ones (Zipf), and ratings of them.

    500 people rate 100 items each, popular ones more often.
    """
    rng = np.random.default_rng(seed)
    words, themes = _zipf(WORDS, rng), _zipf(THEMES, rng)
    people = n_items // 3 + 1
    items = [
        Item(
            str(row),
            " ".join(f"w{word}" for word in words(2)) + f" {row}",
            1930 + int(rng.integers(95)),
            tuple({f"genre {genre}" for genre in rng.integers(GENRES, size=2)}),
            (f"Director {rng.integers(people)}",),
            tuple({f"Actor {actor}" for actor in rng.integers(people, size=4)}),
            tuple({f"theme {theme}" for theme in themes(3)}),
            minutes=int(rng.integers(70, 180)),
            description=" ".join(f"w{word}" for word in words(WORDS_OF_A_DESCRIPTION)),
        )
        for row in range(n_items)
    ]
    catalogue = Catalogue(items)
    rated = _zipf(n_items, rng)
    rows = [
        Interaction(f"u{user}", str(item), float(rng.integers(1, 6)))
        for user in range(PEOPLE)
        for item in set(rated(RATINGS).tolist())
    ]
    ratings = Interactions.from_rows(rows, catalogue)
    return CatalogueRead(catalogue, (), n_items), InteractionsRead(ratings, (), len(rows), 0)


def _zipf(n: int, rng: np.random.Generator) -> Callable[[int], NDArray[np.int64]]:
    """Draws whole numbers below `n`, the k-th as often as 1 / k."""
    chances = np.cumsum(1 / np.arange(1, n + 1))
    return lambda size: np.searchsorted(chances, rng.random(size) * chances[-1])


def measure_scale(
    sizes: Sequence[int], say: Callable[[str], None]
) -> tuple[tuple[ScaleRow, ...], tuple[SourceRow, ...]]:
    """Costs at each size, ascending, the last rows extrapolated; and what each source takes of them.

    Raises BenchmarkError when a process that measures fails.
    """
    measured, parts = [], []
    for size in sorted(sizes):
        with tempfile.TemporaryDirectory(prefix="tastebud-scale-") as folder:
            say(f"building {size:,} items")
            started = time.perf_counter()
            Workspace.build(Path(folder), *synthetic(size), encoder=HashedWords())
            seconds = time.perf_counter() - started
            gc.collect()
            say(f"asking {size:,} items")
            found = _probed(Path(folder))
            disk = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e9
        row = ScaleRow(size, "measured", found["query"], found["cpu"], found["memory"], disk, seconds)
        say(str(row))
        measured.append(row)
        parts += [SourceRow(size, name, cpu) for name, cpu in found["sources"].items()]
    return (*measured, *_extrapolated(measured)), tuple(parts)


def _probed(folder: Path) -> dict[str, Any]:
    code = f"from eval.benchmarks.scale import probe; probe({str(folder)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        cause = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BenchmarkError(f"Asking the catalogue in {folder} failed: {cause}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def probe(folder: str) -> None:
    """What a fresh process that serves a workspace reports: ms of queries and sources, and its memory."""
    encoder: Encoder = HashedWords()
    opened = Workspace.open(Path(folder), encoder)
    ranker = opened.ranker
    warm, *asked = queries(opened.catalogue, QUERIES + 1)
    ranker.rank(warm)
    walls, cpus = [], []
    for query in asked:
        wall, cpu = time.perf_counter(), time.process_time()
        ranker.rank(query)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    sources = {}
    for name, source in ranker.sources.items():
        times = []
        for query in asked:
            allowed = ranker.eligible(query)
            cpu = time.process_time()
            source.retrieve(query, allowed, DEPTH)
            times.append(time.process_time() - cpu)
        sources[name] = 1000 * statistics.median(times)
    found = {"query": 1000 * statistics.median(walls), "cpu": 1000 * statistics.median(cpus)}
    report = {**found, "memory": memory().now_gb or 0.0, "sources": sources}
    sys.stdout.write("\n" + json.dumps(report) + "\n")


def _extrapolated(measured: Sequence[ScaleRow]) -> list[ScaleRow]:
    if len(measured) < 2:
        return []
    one, two = (asdict(row) for row in measured[-2:])
    costs = [f.name for f in fields(ScaleRow) if f.name not in ("items", "origin")]
    rows = []
    for size in (300_000, LARGEST):
        if size > two["items"]:
            grown = np.log(size / two["items"]) / np.log(two["items"] / one["items"])
            expected = {name: float(two[name] * (two[name] / one[name]) ** grown) for name in costs}
            rows.append(ScaleRow(size, "extrapolated", **expected))
    return rows

"""Known-item search: can a film be found by a description that does not name it?

Sixty descriptions, written before any text of the catalogue, are searched with dense and lexical
retrieval over the catalogue's own text, and over titles and genres alone for comparison.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from retrieval.catalogue import Catalogue
from retrieval.dense import DenseRetriever
from retrieval.encoder import Encoder
from retrieval.errors import CatalogueError
from retrieval.filters import eligible
from retrieval.fusion import reciprocal_rank
from retrieval.lexical import LexicalRetriever
from retrieval.types import Candidate, Constraints, Item, Query

QUERIES = Path(__file__).parent.parent / "queries" / "descriptions.yaml"
DEPTH = 100
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Description:
    """A film somebody describes: the query and the item_id it means."""

    query: str
    item_id: str


@dataclass(frozen=True, slots=True)
class Found:
    """Ranks at which the right items came, from 1; None where an item was not among the first hundred."""

    name: str
    ranks: tuple[int | None, ...]

    def share(self, k: int) -> float:
        """recall@k: the share of queries whose item is among the first `k`."""
        return sum(rank is not None and rank <= k for rank in self.ranks) / len(self.ranks)

    def interval(self, k: int, seed: int = 0) -> tuple[float, float]:
        """95 % percentile bootstrap interval of recall@k (Efron & Tibshirani 1993)."""
        hits = np.array([rank is not None and rank <= k for rank in self.ranks], dtype=float)
        draws = np.random.default_rng(seed).choice(hits, (RESAMPLES, len(hits))).mean(axis=1)
        low, high = np.percentile(draws, [2.5, 97.5])
        return float(low), float(high)

    @property
    def reciprocal(self) -> float:
        """Mean reciprocal rank; a miss counts 0 (Voorhees, TREC-8 1999)."""
        return sum(1 / rank for rank in self.ranks if rank is not None) / len(self.ranks)


def read_descriptions(catalogue: Catalogue, path: Path = QUERIES) -> tuple[Description, ...]:
    """The queries with the ids of their films. Raises CatalogueError for a film the catalogue lacks."""
    by_label = {item.label: item.item_id for item in catalogue}
    rows = yaml.safe_load(path.read_text("utf-8"))
    lost = [
        f"{row['title']} ({row['year']})" for row in rows if f"{row['title']} ({row['year']})" not in by_label
    ]
    if lost:
        raise CatalogueError(f"{path.name} asks for films this catalogue lacks: {', '.join(lost)}.")
    return tuple(Description(row["query"], by_label[f"{row['title']} ({row['year']})"]) for row in rows)


def bare(item: Item) -> Item:
    """An item with its title, year and genres only."""
    return Item(item.item_id, item.title, year=item.year, genres=item.genres, popularity=item.popularity)


def run(catalogue: Catalogue, encoder: Encoder, path: Path = QUERIES) -> tuple[Found, ...]:
    """Search every description, before (titles and genres) and after (all text), by each way of retrieval."""
    descriptions = read_descriptions(catalogue, path)
    before = _search(Catalogue(bare(item) for item in catalogue), encoder, descriptions, "titles and genres")
    return (*before, *_search(catalogue, encoder, descriptions, "all text"))


def _search(
    catalogue: Catalogue, encoder: Encoder, descriptions: Sequence[Description], label: str
) -> list[Found]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        DenseRetriever.build(folder / "dense", catalogue, encoder)
        LexicalRetriever.build(folder / "lexical", catalogue)
        dense = DenseRetriever(folder / "dense", catalogue, encoder)
        lexical = LexicalRetriever(folder / "lexical", catalogue)
        everything = eligible(catalogue, Constraints(), frozenset())

        def ask(query: str) -> Mapping[str, list[Candidate]]:
            lists = {
                source.name: source.retrieve(Query(text=query), everything, DEPTH)
                for source in (dense, lexical)
            }
            return {**lists, "fused": reciprocal_rank(lists, {"dense": 1.0, "lexical": 1.0})}

        return _collect(ask, descriptions, label)


def _collect(
    ask: Callable[[str], Mapping[str, list[Candidate]]], descriptions: Sequence[Description], label: str
) -> list[Found]:
    ranks: dict[str, list[int | None]] = {}
    for description in descriptions:
        for name, candidates in ask(description.query).items():
            places = {candidate.item_id: candidate.rank for candidate in candidates}
            ranks.setdefault(name, []).append(places.get(description.item_id))
    return [Found(f"{label}, {name}", tuple(found)) for name, found in ranks.items()]


def markdown(found: Sequence[Found]) -> str:
    """A table: recall@1 and @10 with 95 % intervals, mean reciprocal rank."""
    lines = ["| text, retrieval | first | in the first ten | MRR |", "|---|--:|--:|--:|"]
    for row in found:
        cells = []
        for k in (1, 10):
            low, high = row.interval(k)
            cells.append(f"{row.share(k):.2f} [{low:.2f}, {high:.2f}]")
        lines.append(f"| {row.name} | {cells[0]} | {cells[1]} | {row.reciprocal:.2f} |")
    return "\n".join(lines)


def misses(catalogue: Catalogue, found: Found, path: Path = QUERIES) -> list[str]:
    """The descriptions whose film did not come first, with its rank."""
    pairs = zip(read_descriptions(catalogue, path), found.ranks, strict=True)
    return [f"{rank or '-'}: {catalogue[d.item_id].label}: {d.query}" for d, rank in pairs if rank != 1]

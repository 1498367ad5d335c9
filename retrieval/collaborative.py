"""Who liked this also liked that: EASE, a linear item-item model with a closed form."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from retrieval.behaviour.ease import item_weights, propensities, unbiased_weights
from retrieval.catalogue import Catalogue
from retrieval.errors import WorkspaceError
from retrieval.expected import Near, expected_factors
from retrieval.filters import Eligible
from retrieval.interactions import Interactions
from retrieval.retriever import best, check_n
from retrieval.snapshot import Former
from retrieval.types import Candidate, Query

# MovieLens-100K, 75/25 per user, NDCG@10 over held-out likes, lambda 100 / 300 / 500 / 1000:
#   trained on likes (4 and 5 stars)  .381 .392 .388 .377      trained on every rating  .359 .379 .381 .379
# Given only 3 liked films of an unseen user, precision@10 of the likes left, lambda 100 / 300 / 500:
#   trained on likes                  .376 .406 .423           trained on every rating  .346 .383 .401
REGULARISATION = 500.0
LARGEST = 20_000
DISLIKED = 0.5
FACTORS = ("givers", "takers")


class CollaborativeRetriever:
    """EASE (Steck, WWW 2019) on liked items: B = I - P diag(1 / diag P), P = (X'X + lambda I)^-1.

    The weights are dense, so at most the 20,000 items with the most likes are in the model (1.6 GB). An
    item outside it is cold: nobody liked it yet. Liked or as a candidate, it has the factors of B that its
    text and its neighbours in the knowledge graph let expect (`retrieval.expected`); where it was built
    without those, it says nothing and is no candidate. A query without liked items has no candidates.
    """

    name = "collaborative"

    @staticmethod
    def build(
        folder: Path,
        catalogue: Catalogue,
        interactions: Interactions,
        near: Near | None = None,
        former: Former | None = None,
        propensity_power: float = 0.0,
    ) -> None:
        """Solve for the weights and write weights.npy (float32 [m, m]) and items.json (m ids).

        `near`: what cold items are placed by; also writes givers.npy and takers.npy (float32 [n_items, k]).
        Where people like the same of the same items as in `former`, its weights are taken over.
        `propensity_power`: above 0, likes count by their inverse propensity, so that what is popular for
        being shown more weighs less (`retrieval.behaviour.ease.propensities`).
        """
        liked = interactions.positive
        counts = np.asarray(liked.sum(axis=0)).ravel()
        rows = np.sort(np.argsort(-counts, kind="stable")[: min(LARGEST, int((counts > 0).sum()))])
        folder.mkdir(parents=True, exist_ok=True)
        known, ids = liked[:, rows], [catalogue.ids[row] for row in rows]
        if former is not None and _same_likes(former, ids, known):
            shutil.copyfile(former.folder / "weights.npy", folder / "weights.npy")
        else:
            weights = _weights((known.T @ known).toarray(), counts[rows], propensity_power)
            np.save(folder / "weights.npy", weights, allow_pickle=False)
        (folder / "items.json").write_text(json.dumps(ids), encoding="utf-8")
        if near is not None and len(rows):
            solved = np.load(folder / "weights.npy", mmap_mode="r", allow_pickle=False)
            for name, factors in zip(FACTORS, expected_factors(solved, near, rows), strict=True):
                np.save(folder / f"{name}.npy", factors, allow_pickle=False)

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        """Open what `build` wrote; the weights stay on disk, memory-mapped.

        Raises WorkspaceError when it is missing, damaged or another catalogue's.
        """
        try:
            self._weights = np.load(folder / "weights.npy", mmap_mode="r", allow_pickle=False)
            ids = json.loads((folder / "items.json").read_text(encoding="utf-8"))
            placed = (folder / f"{FACTORS[0]}.npy").exists()
            factors = [np.load(folder / f"{name}.npy", allow_pickle=False) for name in FACTORS if placed]
        except (OSError, ValueError) as problem:
            raise WorkspaceError(
                f"The collaborative weights {folder} cannot be read ({problem}). Build the workspace again."
            ) from None
        foreign = any(item_id not in catalogue for item_id in ids)
        lost = any(len(one) != len(catalogue) for one in factors)
        if foreign or lost or self._weights.shape != (len(ids), len(ids)):
            raise WorkspaceError(
                f"The collaborative weights {folder} belong to another catalogue. Build the workspace again."
            )
        self._catalogue = catalogue
        self._rows = np.array([catalogue.row(item_id) for item_id in ids], dtype=np.int64)
        self._places = np.full(len(catalogue), -1, dtype=np.int64)
        self._places[self._rows] = np.arange(len(ids))
        self._cold = np.flatnonzero(self._places < 0)
        nothing = np.zeros((len(catalogue), 0), dtype=np.float32)
        takers: NDArray[np.float32]
        self._givers: NDArray[np.float32]
        self._givers, takers = factors if placed else (nothing, nothing)
        self._known_takers, self._cold_takers = takers[self._rows], takers[self._cold]

    def retrieve(self, query: Query, eligible: Eligible, n: int) -> list[Candidate]:
        """Items by the summed weights from the liked ones, less half of those from the disliked ones."""
        check_n(n)
        scores = self._scores(query.liked)
        if not scores.any():
            return []
        scores -= DISLIKED * self._scores(query.disliked)
        return best(self.name, self._catalogue, scores, eligible.mask & (scores > 0), n)

    def contributions(self, item_id: str, liked: Sequence[str]) -> tuple[tuple[str, float], ...]:
        """Which liked items speak for `item_id`, as (liked item_id, weight), the weightiest first.

        Only positive weights; they add up to the item's score when nothing else is liked or disliked.
        Empty when the item has no place in the model. Raises UnknownItemError.
        """
        row = self._catalogue.row(item_id)
        others = [other for other in dict.fromkeys(liked) if other != item_id]
        weights = [(other, float(self._scores((other,))[row])) for other in others]
        return tuple(sorted((pair for pair in weights if pair[1] > 0), key=lambda pair: -pair[1]))

    def knows(self, item_id: str) -> bool:
        """Whether people's likes say anything about the item itself, or only about items like it."""
        return bool(self._places[self._catalogue.row(item_id)] >= 0)

    def _scores(self, item_ids: Sequence[str]) -> NDArray[np.float32]:
        """Summed weights from some items to every one, [n_items]; expected ones for and from cold items.

        Raises UnknownItemError.
        """
        rows = np.array([self._catalogue.row(one) for one in dict.fromkeys(item_ids)], dtype=np.int64)
        known = self._places[rows] >= 0
        found = np.zeros(len(self._catalogue), dtype=np.float32)
        found[self._rows] = self._weights[self._places[rows[known]]].sum(axis=0)
        found[self._rows] += self._known_takers @ self._givers[rows[~known]].sum(axis=0)
        found[self._cold] = self._cold_takers @ self._givers[rows].sum(axis=0)
        return found


def _weights(gram: NDArray[np.float32], counts: NDArray[np.float32], propensity_power: float) -> np.ndarray:
    if not propensity_power:
        return item_weights(gram, REGULARISATION)
    return unbiased_weights(gram, REGULARISATION, propensities(counts, propensity_power))


def _same_likes(former: Former, ids: list[str], known: sparse.csr_array) -> bool:
    """Whether the former model was of the items `ids`, and its people liked the same of them."""
    interactions, catalogue = former.snapshot.interactions, former.snapshot.catalogue
    if interactions is None or json.loads((former.folder / "items.json").read_text("utf-8")) != ids:
        return False
    before = interactions.positive[:, [catalogue.row(item_id) for item_id in ids]]
    mine, theirs = (one[np.diff(one.indptr) > 0] for one in (known, before))
    return mine.shape == theirs.shape and (mine != theirs).nnz == 0

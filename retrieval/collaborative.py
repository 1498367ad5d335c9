"""Who liked this also liked that: EASE, a linear item-item model with a closed form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import sparse

from retrieval.behaviour.ease import item_weights, propensities, unbiased_weights
from retrieval.catalogue import Catalogue
from retrieval.errors import WorkspaceError
from retrieval.filters import Eligible
from retrieval.interactions import Interactions
from retrieval.retriever import best, check_n
from retrieval.types import Candidate, Query

# MovieLens-100K, 75/25 per user, NDCG@10 over held-out likes, lambda 100 / 300 / 500 / 1000:
#   trained on likes (4 and 5 stars)  .381 .392 .388 .377      trained on every rating  .359 .379 .381 .379
# Given only 3 liked films of an unseen user, precision@10 of the likes left, lambda 100 / 300 / 500:
#   trained on likes                  .376 .406 .423           trained on every rating  .346 .383 .401
REGULARISATION = 500.0
LARGEST = 20_000
DISLIKED = 0.5
NEIGHBOURS = 10
SHARPNESS = 4.0


class CollaborativeRetriever:
    """EASE (Steck, WWW 2019) on liked items: B = I - P diag(1 / diag P), P = (X'X + lambda I)^-1.

    The weights are dense, so at most the 20,000 items with the most likes are in the model (1.6 GB). An
    item outside it (cold: nobody liked it yet) stands for the mean of the ten items in the model that are
    nearest to it by their text, both when it is liked and when it is a candidate; without text vectors it
    is never a candidate here. A query without liked items has no candidates.
    """

    name = "collaborative"

    @staticmethod
    def build(
        folder: Path,
        catalogue: Catalogue,
        interactions: Interactions,
        vectors: np.ndarray | None = None,
        propensity_power: float = 0.0,
    ) -> None:
        """Solve for the weights and write weights.npy (float32 [m, m]) and items.json (m ids).

        `propensity_power`: above 0, likes count by their inverse propensity, so that what is popular for
        being shown more weighs less (`retrieval.behaviour.ease.propensities`).
        `vectors`: text vectors, float32 [n_items, d] of unit length, to place cold items by: also writes
        near.npy (int32 [n_items - m, k], positions in the model) and shares.npy (float32, rows sum to 1).
        """
        liked = interactions.positive
        counts = np.asarray(liked.sum(axis=0)).ravel()
        rows = np.sort(np.argsort(-counts, kind="stable")[: min(LARGEST, int((counts > 0).sum()))])
        folder.mkdir(parents=True, exist_ok=True)
        known = liked[:, rows]
        gram = (known.T @ known).toarray()
        if propensity_power:
            likes = propensities(counts[rows], propensity_power)
            weights = unbiased_weights(gram, REGULARISATION, likes)
        else:
            weights = item_weights(gram, REGULARISATION)
        np.save(folder / "weights.npy", weights, allow_pickle=False)
        (folder / "items.json").write_text(json.dumps([catalogue.ids[row] for row in rows]), encoding="utf-8")
        if vectors is not None:
            cold = np.setdiff1d(np.arange(len(catalogue)), rows)
            near, shares = _nearest(vectors[cold], vectors[rows])
            np.save(folder / "near.npy", near, allow_pickle=False)
            np.save(folder / "shares.npy", shares, allow_pickle=False)

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        """Open what `build` wrote; the weights stay on disk, memory-mapped.

        Raises WorkspaceError when it is missing, damaged or another catalogue's.
        """
        try:
            self._weights = np.load(folder / "weights.npy", mmap_mode="r", allow_pickle=False)
            ids = json.loads((folder / "items.json").read_text(encoding="utf-8"))
            placed = (folder / "near.npy").exists()
            near = np.load(folder / "near.npy", allow_pickle=False) if placed else None
            shares = np.load(folder / "shares.npy", allow_pickle=False) if placed else None
        except (OSError, ValueError) as problem:
            raise WorkspaceError(
                f"The collaborative weights {folder} cannot be read ({problem}). Build the workspace again."
            ) from None
        foreign = any(item_id not in catalogue for item_id in ids)
        lost = near is not None and len(near) != len(catalogue) - len(ids)
        if foreign or lost or self._weights.shape != (len(ids), len(ids)):
            raise WorkspaceError(
                f"The collaborative weights {folder} belong to another catalogue. Build the workspace again."
            )
        self._catalogue = catalogue
        rows = np.array([catalogue.row(item_id) for item_id in ids], dtype=np.int64)
        self._places = _places(len(catalogue), rows, near, shares)

    def retrieve(self, query: Query, eligible: Eligible, n: int) -> list[Candidate]:
        """Items by the summed weights from the liked ones, less half of those from the disliked ones."""
        check_n(n)
        wish = self._place(query.liked)
        if not wish.any():
            return []
        scores = self._places @ (self._spread(wish) - DISLIKED * self._spread(self._place(query.disliked)))
        return best(self.name, self._catalogue, scores, eligible.mask & (scores > 0), n)

    def contributions(self, item_id: str, liked: Sequence[str]) -> tuple[tuple[str, float], ...]:
        """Which liked items speak for `item_id`, as (liked item_id, weight), the weightiest first.

        Only positive weights; they add up to the item's score when nothing else is liked or disliked.
        Empty when the item has no place in the model. Raises UnknownItemError.
        """
        place = self._place((item_id,))
        others = [other for other in dict.fromkeys(liked) if other != item_id]
        weights = [(other, float(self._spread(self._place((other,))) @ place)) for other in others]
        return tuple(sorted((pair for pair in weights if pair[1] > 0), key=lambda pair: -pair[1]))

    def knows(self, item_id: str) -> bool:
        """Whether people's likes say anything about the item itself, or only about items like it."""
        row = self._places[[self._catalogue.row(item_id)]]
        return bool(row.nnz == 1)

    def _place(self, item_ids: Sequence[str]) -> np.ndarray:
        """The items as a sum of items in the model, float32 [m]. Raises UnknownItemError."""
        rows = [self._catalogue.row(item_id) for item_id in dict.fromkeys(item_ids)]
        return np.asarray(self._places[rows].sum(axis=0)).ravel()

    def _spread(self, place: np.ndarray) -> np.ndarray:
        """Weights from a place in the model to every item in it, float32 [m]."""
        held = np.flatnonzero(place)
        return place[held] @ self._weights[held]


def _places(
    n_items: int, rows: np.ndarray, near: np.ndarray | None, shares: np.ndarray | None
) -> sparse.csr_array:
    """Float32 [n_items, m]: an item in the model is itself, a cold one a mean of its neighbours."""
    row, column, value = rows, np.arange(len(rows)), np.ones(len(rows), dtype=np.float32)
    if near is not None and shares is not None and near.size:
        cold = np.setdiff1d(np.arange(n_items), rows)
        row = np.concatenate([row, np.repeat(cold, near.shape[1])])
        column = np.concatenate([column, near.ravel()])
        value = np.concatenate([value, shares.ravel()])
    return sparse.csr_array((value, (row, column)), shape=(n_items, len(rows)))


def _nearest(cold: np.ndarray, model: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions int32 [n, k] of the nearest model items by cosine, and their shares float32 [n, k]."""
    k = min(NEIGHBOURS, len(model))
    near = np.empty((len(cold), k), dtype=np.int32)
    shares = np.empty((len(cold), k), dtype=np.float32)
    for start in range(0, len(cold), 1024):  # in blocks: the whole product may not fit in memory
        likeness = cold[start : start + 1024] @ model.T
        top = np.argsort(-likeness, axis=1, kind="stable")[:, :k]
        weight = np.clip(np.take_along_axis(likeness, top, 1), 1e-6, None) ** SHARPNESS
        near[start : start + 1024] = top
        shares[start : start + 1024] = weight / weight.sum(axis=1, keepdims=True)
    return near, shares

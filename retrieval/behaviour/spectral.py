"""The smooth part of what people do: a low-pass filter over the graph of people and items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from retrieval.behaviour.model import ArrayModel, BehaviourError, Matrix, ones, per_item


@dataclass
class Spectral(ArrayModel):
    """score(u) = x_u D^-1/2 V V' D^1/2, the ideal low-pass filter of GF-CF (Shen et al., CIKM 2021).

    V are the `factors` first right singular vectors of U^-1/2 X D^-1/2, with U and D how many items each
    person and how many people each item has.
    """

    name: ClassVar[str] = "spectral"
    factors: int = 32

    def _learn(self, interactions: Matrix) -> dict[str, NDArray]:
        pattern = ones(interactions).astype(np.float64)
        own, counts = np.diff(pattern.indptr), per_item(pattern)
        scaled = sparse.diags_array(_root(own)) @ pattern @ sparse.diags_array(_root(counts))
        k = min(self.factors, min(scaled.shape) - 1)
        if k < 1:
            raise BehaviourError(f"Interactions of {scaled.shape} have no vectors to speak of: give more.")
        # The solver starts from a given vector, or it would start from a random one.
        _, _, vectors = svds(scaled.tocsr(), k=k, v0=np.ones(min(scaled.shape)))
        return {"vectors": vectors.T.copy(), "counts": counts}

    def _score(self, histories: Matrix, rows: NDArray[np.int64] | None) -> NDArray:
        vectors, counts = self.arrays["vectors"], self.arrays["counts"]
        return ((ones(histories) * _root(counts)) @ vectors) @ vectors.T * np.sqrt(counts)


def _root(amounts: NDArray) -> NDArray[np.float64]:
    """amount^-1/2; 0 of 0."""
    return np.where(amounts > 0, np.maximum(amounts, 1) ** -0.5, 0.0)

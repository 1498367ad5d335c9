"""Nearest neighbours by cosine: items that the same people have, people who have the same items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from retrieval.behaviour.model import ArrayModel, Matrix


@dataclass
class ItemNeighbours(ArrayModel):
    """score(u, i) = sum over the history of sim(j, i), sim = x_i . x_j / (|x_i| |x_j| + shrinkage).

    Each item keeps its `neighbours` nearest ones. Cosine is from Sarwar et al. (WWW 2001), the sums and the
    cut from Deshpande & Karypis (TOIS 2004); the shrinkage keeps pairs that few people have from the top.
    """

    name: ClassVar[str] = "item-kNN"
    neighbours: int = 20
    shrinkage: float = 10.0

    def _learn(self, interactions: Matrix) -> dict[str, NDArray]:
        common = (interactions.T @ interactions).toarray().astype(np.float64)
        length = np.sqrt(common.diagonal())
        likeness = common / (np.outer(length, length) + self.shrinkage)
        np.fill_diagonal(likeness, 0.0)
        return {"weights": nearest(likeness, self.neighbours).T.astype(np.float32)}

    def _score(self, histories: Matrix, rows: NDArray[np.int64] | None) -> NDArray:
        return histories @ self.arrays["weights"]


@dataclass
class UserNeighbours(ArrayModel):
    """score(u, i) = sum over the `neighbours` people most like u of sim(u, v) x_vi, sim = the cosine.

    Herlocker et al. (SIGIR 1999), with the similarity of what people have in place of their ratings'. It
    keeps the interactions themselves, so a new person is scored as any other. Somebody it was fitted on
    is no neighbour of their own.
    """

    name: ClassVar[str] = "user-kNN"
    neighbours: int = 120

    def _learn(self, interactions: Matrix) -> dict[str, NDArray]:
        return {
            "values": interactions.data,
            "indices": interactions.indices,
            "indptr": interactions.indptr,
        }

    def _score(self, histories: Matrix, rows: NDArray[np.int64] | None) -> NDArray:
        stored = self.arrays["values"], self.arrays["indices"], self.arrays["indptr"]
        people = Matrix(stored, shape=(len(stored[2]) - 1, histories.shape[1]))
        likeness = (_unit(histories) @ _unit(people).T).toarray()
        if rows is not None:
            likeness[np.arange(len(rows)), rows] = 0.0
        return nearest(likeness, self.neighbours) @ people


def nearest(likeness: NDArray, k: int) -> NDArray:
    """Every row with all but its `k` highest values set to 0; equals of the k-th stay."""
    if k >= likeness.shape[1]:
        return likeness
    limit = np.partition(likeness, -k, axis=1)[:, -k]
    return np.where(likeness < limit[:, None], 0.0, likeness)


def _unit(matrix: Matrix) -> Matrix:
    length = linalg.norm(matrix, axis=1)
    return sparse.diags_array(1 / np.where(length > 0, length, 1)).tocsr() @ matrix

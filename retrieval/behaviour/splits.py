"""Interactions in parts, each person's dealt out by themselves: the pieces that every split is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.behaviour.model import Matrix


def users_of(matrix: Matrix) -> NDArray[np.int64]:
    """Int [nnz]: whose each stored interaction is."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def places(matrix: Matrix, *keys: NDArray) -> NDArray[np.int64]:
    """Int [nnz]: at which place each interaction is among its person's, ordered by keys [nnz], from 0.

    Equals in the first key are ordered by the next one.
    """
    order = np.lexsort((*reversed(keys), users_of(matrix)))
    place = np.empty(matrix.nnz, dtype=np.int64)
    place[order] = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], np.diff(matrix.indptr))
    return place


def part(matrix: Matrix, kept: NDArray[np.bool_]) -> Matrix:
    """The matrix with only the stored interactions that are `kept` [nnz]."""
    counts = np.bincount(users_of(matrix)[kept], minlength=matrix.shape[0])
    indptr = np.concatenate(([0], np.cumsum(counts)))
    return Matrix((matrix.data[kept], matrix.indices[kept], indptr), shape=matrix.shape)


def held_back(matrix: Matrix, share: float, seed: int) -> tuple[Matrix, Matrix]:
    """(the rest, a random share of each person's interactions, rounded down)."""
    place = places(matrix, np.random.default_rng(seed).random(matrix.nnz))
    moved = place < np.floor(np.diff(matrix.indptr) * share)[users_of(matrix)]
    return part(matrix, ~moved), part(matrix, moved)

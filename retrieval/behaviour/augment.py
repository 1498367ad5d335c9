"""Rows that nobody has lived, for people of whom little is known."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from retrieval.behaviour.cfgan import Cfgan
from retrieval.behaviour.model import BehaviourError, Matrix, ones


def augmented(interactions: Matrix, generator: Cfgan, ratio: float, seed: int = 0) -> Matrix:
    """The interactions with `ratio` times as many generated rows below them.

    The rows are longer histories of the sparse half of the people, those with at most the median number of
    positives. `generator` is fitted on these interactions. Raises BehaviourError for a ratio below 0.
    """
    if not 0 <= ratio < np.inf:
        raise BehaviourError(f"The ratio of generated rows is {ratio}; it must be 0 (none) or more.")
    lengths = np.diff(interactions.indptr)
    sparse_people = np.flatnonzero((lengths > 0) & (lengths <= np.median(lengths[lengths > 0])))
    n = round(ratio * interactions.shape[0])
    if n == 0:
        return interactions
    made = generator.rows(ones(interactions[sparse_people]), n, seed)
    return Matrix(sparse.vstack([interactions, made], format="csr"))

"""Maximal marginal relevance: a list whose items do not repeat one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retrieval.types import Candidate


def diversified(
    candidates: Sequence[Candidate], vectors: NDArray[np.floating], diversity: float
) -> list[Candidate]:
    """The same candidates; each next one is that of the highest (1 - d) * relevance - d * likeness.

    Relevance is 1 / log2(1 + rank), which needs no scale of the scorer's; likeness is the highest cosine to
    an item placed already (MMR: Carbonell & Goldstein, SIGIR 1998, with lambda = 1 - d). `vectors`: float
    [n, d] of unit length, in the order of the candidates. `diversity` d in [0, 1]; 0 keeps the order. Equals
    keep their order. Ranks are counted anew, scores stay what they were.
    """
    if diversity == 0 or not candidates:
        return list(candidates)
    relevance = 1 / np.log2(np.arange(2, len(candidates) + 2))
    cosines = vectors @ vectors.T
    likeness = np.zeros(len(candidates))
    left = np.ones(len(candidates), dtype=bool)
    found: list[Candidate] = []
    while len(found) < len(candidates):
        marginal = np.where(left, (1 - diversity) * relevance - diversity * likeness, -np.inf)
        place = int(marginal.argmax())
        left[place] = False
        found.append(replace(candidates[place], rank=len(found) + 1))
        likeness = np.maximum(likeness, cosines[place])
    return found

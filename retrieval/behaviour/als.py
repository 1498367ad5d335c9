"""Matrix factorisation of implicit feedback by alternating least squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from retrieval.behaviour.model import ArrayModel, Matrix


@dataclass
class Als(ArrayModel):
    """min sum over positives of v (1 - w_u . h_i)^2 + unobserved * sum over all pairs of (w_u . h_i)^2 + L2.

    Hu, Koren & Volinsky (ICDM 2008): with v = 1, `unobserved` is 1 / alpha. The L2 penalty of a vector is
    `regularisation` * (n + unobserved * N) ^ `power`, n its positives and N how many it could have (Rendle et
    al., RecSys 2022): power 0 penalises all alike. A person's vector is solved for from the history, so
    anybody with one can be scored; an empty history scores 0 everywhere.
    """

    name: ClassVar[str] = "ALS"
    factors: int = 32
    regularisation: float = 0.02
    unobserved: float = 0.2
    power: float = 1.0
    sweeps: int = 12
    seed: int = 0

    def _learn(self, interactions: Matrix) -> dict[str, NDArray]:
        rng = np.random.default_rng(self.seed)
        items = rng.normal(0, 0.1 / np.sqrt(self.factors), (interactions.shape[1], self.factors))
        by_item = interactions.T.tocsr()
        for _ in range(self.sweeps):
            people = self._solve(interactions, items)
            items = self._solve(by_item, people)
        return {"items": items}

    def _score(self, histories: Matrix, rows: NDArray[np.int64] | None) -> NDArray:
        items = self.arrays["items"]
        return self._solve(histories, items) @ items.T

    def _solve(self, matrix: Matrix, others: NDArray[np.float64]) -> NDArray[np.float64]:
        """Float [rows, factors]: the best vectors for the rows of a matrix, the other side's being fixed."""
        found = np.zeros((matrix.shape[0], others.shape[1]))
        everywhere = self.unobserved * (others.T @ others)
        for row, (start, end) in enumerate(zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)):
            if start == end:
                continue
            theirs, values = others[matrix.indices[start:end]], matrix.data[start:end].astype(float)
            penalty = self.regularisation * (end - start + self.unobserved * len(others)) ** self.power
            curve = everywhere + (theirs * values[:, None]).T @ theirs
            curve[np.diag_indices_from(curve)] += penalty
            found[row] = np.linalg.solve(curve, theirs.T @ values)
        return found

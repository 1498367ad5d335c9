"""EASE: a linear item-item model with a closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from retrieval.behaviour.model import ArrayModel, Matrix, per_item


@dataclass
class Ease(ArrayModel):
    """B = I - P diag(1 / diag P), P = (X'X + diag(penalty))^-1; score(u) = x_u B (Steck, WWW 2019).

    penalty_i = `regularisation` * n_i ^ `power` with n_i the people who have the item: power 0 is EASE, and
    power 1 is the denoising form, EDLAE (Steck, NeurIPS 2020), where popular items are held back the most.
    While it learns, a history of m items counts m ^ -`history_power`, so that busy people do not outvote the
    others. B is dense: [n_items, n_items].
    """

    name: ClassVar[str] = "EASE"
    regularisation: float = 500.0
    power: float = 0.0
    history_power: float = 0.0

    def _learn(self, interactions: Matrix) -> dict[str, NDArray]:
        lengths = np.maximum(np.diff(interactions.indptr), 1).astype(float)
        gram = weighted_gram(interactions, lengths ** (-2 * self.history_power))
        penalty = self.regularisation * np.maximum(per_item(interactions), 1) ** self.power
        return {"weights": item_weights(gram, penalty)}

    def _score(self, histories: Matrix, rows: NDArray[np.int64] | None) -> NDArray:
        return histories @ self.arrays["weights"]


def with_facets(interactions: Matrix, facets: Matrix, weight: float) -> Matrix:
    """The interactions with a row below them for each facet, of the items that have it (CEASE).

    A facet then speaks for items as a person of that `weight` does, also for those nobody has (Jeunen et al.,
    "Closed-form models for collaborative filtering with side-information", RecSys 2020). `facets`: csr
    [n_items, n_facets] of 0 and 1.
    """
    rows = facets.T.astype(np.float32) * np.float32(np.sqrt(weight))
    return Matrix(sparse.vstack([interactions, rows], format="csr"))


def weighted_gram(interactions: Matrix, weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """X' diag(weights) X, float32 [n_items, n_items]; `weights`: one for each user."""
    return (interactions.T @ (sparse.diags_array(weights) @ interactions)).toarray().astype(np.float32)


def propensities(likes: NDArray[np.number], power: float) -> NDArray[np.float64]:
    """How likely a like of each item is to be seen: (likes / most likes) ** `power`, in (0, 1].

    The relative popularity of Saito et al., WSDM 2020, where `power` is 0.5; 0 takes all likes as seen.
    `likes`: float [m], above 0.
    """
    return (likes / likes.max()) ** power


def unbiased_weights(gram: NDArray, penalty: float, propensity: NDArray[np.float64]) -> NDArray[np.float32]:
    """Item-item weights float32 [m, m] from likes that count 1 / propensity (inverse propensity scoring).

    EASE on X D, with D = diag(1 / propensity) scaled so that all likes together count as much as before, read
    with plain likes: D is taken into the weights. `gram`: X'X [m, m].
    """
    inverse = 1 / propensity
    likes = np.diag(gram).astype(float)
    inverse *= np.sqrt(likes.sum() / (likes * inverse**2).sum())
    return (inverse[:, None] * item_weights(gram * np.outer(inverse, inverse), penalty)).astype(np.float32)


def item_weights(gram: NDArray, penalty: float | NDArray[np.float64]) -> NDArray[np.float32]:
    """Item-item weights float32 [m, m] with a zero diagonal, of X'X [m, m].

    `penalty`: L2 regularisation, one for all items or one for each, above 0 or the inverse may not exist.
    It is added to `gram` itself where that is float32: a second one may not fit in memory.
    """
    regularised = gram.astype(np.float32, copy=False)
    regularised[np.diag_indices_from(regularised)] += penalty
    inverse = np.linalg.inv(regularised)
    weights = (inverse / -np.diag(inverse)).astype(np.float32, copy=False)
    np.fill_diagonal(weights, 0.0)
    return weights

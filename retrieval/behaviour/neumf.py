"""Neural collaborative filtering: a generalised matrix factorisation beside a multi-layer perceptron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from retrieval.behaviour.model import ArrayModel, Matrix, UnseenUserError
from retrieval.behaviour.training import Schedule, grid, learn_pairs


class Fused(nn.Module):
    """(users, items) -> h . [p_u * q_i ; MLP(p'_u ; q'_i)], the two with vectors of their own."""

    def __init__(self, n_users: int, n_items: int, factors: int, dropout: float) -> None:
        super().__init__()
        self.users = nn.Embedding(n_users, factors)
        self.items = nn.Embedding(n_items, factors)
        self.deep_users = nn.Embedding(n_users, factors)
        self.deep_items = nn.Embedding(n_items, factors)
        self.layers = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(2 * factors, factors),
            nn.ReLU(),
            nn.Linear(factors, factors // 2),
            nn.ReLU(),
        )
        self.head = nn.Linear(factors + factors // 2, 1)
        for vectors in (self.users, self.items, self.deep_users, self.deep_items):
            nn.init.normal_(vectors.weight, std=0.05)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        product = self.users(users) * self.items(items)
        deep = self.layers(torch.cat([self.deep_users(users), self.deep_items(items)], -1))
        return self.head(torch.cat([product, deep], -1)).squeeze(-1)


@dataclass
class NeuMf(ArrayModel):
    """NeuMF = GMF + MLP, with log loss over positives and `negatives` drawn for each (He et al., WWW 2017).

    Its two halves are learned together from the start, without the paper's separate pretraining. It knows
    the people it was fitted on and nobody else.
    """

    name: ClassVar[str] = "NeuMF"
    factors: int = 32
    dropout: float = 0.2
    regularisation: float = 1e-3
    negatives: int = 4
    learning_rate: float = 0.003
    epochs: int = 60
    seed: int = 0

    def _learn(self, interactions: Matrix) -> dict[str, NDArray]:
        def loss(module: Fused, users: Tensor, items: Tensor, others: Tensor) -> Tensor:
            n = others.shape[1]
            lacking = module(users.repeat_interleave(n), others.reshape(-1))
            said = (
                nn.functional.softplus(-module(users, items)).mean()
                + n * nn.functional.softplus(lacking).mean()
            )
            vectors = (module.users(users), module.items(items), module.items(others))
            weight = sum((vector**2).sum(-1).mean() for vector in vectors)
            return said / (n + 1) + self.regularisation * weight

        schedule = Schedule(
            self.epochs,
            learning_rate=self.learning_rate,
            negatives=self.negatives,
            every=2,
            seed=self.seed,
        )
        module = learn_pairs(lambda: self._module(*interactions.shape), loss, interactions, schedule)
        return {key: array.numpy() for key, array in module.state_dict().items()}

    def _score(self, histories: Matrix, rows: NDArray[np.int64] | None) -> NDArray:
        if rows is None:
            raise UnseenUserError(self.name)
        weights = {key: torch.from_numpy(array) for key, array in self.arrays.items() if key != "n_items"}
        module = self._module(len(weights["users.weight"]), histories.shape[1])
        module.load_state_dict(weights)
        return grid(module, rows, histories.shape[1])

    def _module(self, n_users: int, n_items: int) -> nn.Module:
        return Fused(n_users, n_items, self.factors, self.dropout)

"""Matrix factorisation that learns to rank what a person has above what they lack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from retrieval.behaviour.model import ArrayModel, Matrix, UnseenUserError
from retrieval.behaviour.training import Schedule, learn_pairs


class Factors(nn.Module):
    """(users, items) -> w_u . h_i + b_i."""

    def __init__(self, n_users: int, n_items: int, factors: int) -> None:
        super().__init__()
        self.users = nn.Embedding(n_users, factors)
        self.items = nn.Embedding(n_items, factors)
        self.bias = nn.Embedding(n_items, 1)
        nn.init.normal_(self.users.weight, std=0.1)
        nn.init.normal_(self.items.weight, std=0.1)
        nn.init.zeros_(self.bias.weight)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return (self.users(users) * self.items(items)).sum(-1) + self.bias(items).squeeze(-1)


@dataclass
class Bpr(ArrayModel):
    """BPR-MF: min -ln sigmoid(s_ui - s_uj) + L2 over drawn triples (Rendle et al., UAI 2009).

    `regularisation` is of the vectors of each triple. It knows the people it was fitted on and nobody else.
    """

    name: ClassVar[str] = "BPR"
    factors: int = 48
    regularisation: float = 0.02
    learning_rate: float = 0.005
    epochs: int = 120
    seed: int = 0

    def _learn(self, interactions: Matrix) -> dict[str, NDArray]:
        def loss(module: Factors, users: Tensor, items: Tensor, others: Tensor) -> Tensor:
            other = others.squeeze(1)
            gap = module(users, items) - module(users, other)
            vectors = (module.users(users), module.items(items), module.items(other))
            weight = sum((vector**2).sum(-1).mean() for vector in vectors)
            return nn.functional.softplus(-gap).mean() + self.regularisation * weight

        schedule = Schedule(self.epochs, learning_rate=self.learning_rate, seed=self.seed)
        module = learn_pairs(
            lambda: Factors(interactions.shape[0], interactions.shape[1], self.factors),
            loss,
            interactions,
            schedule,
        )
        return {key: array.numpy() for key, array in module.state_dict().items()}

    def _score(self, histories: Matrix, rows: NDArray[np.int64] | None) -> NDArray:
        if rows is None:
            raise UnseenUserError(self.name)
        people, items = self.arrays["users.weight"][rows], self.arrays["items.weight"]
        return people @ items.T + self.arrays["bias.weight"].T

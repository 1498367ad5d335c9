"""How the torch models learn: pairs of people and items, through accelerate, stopped in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn

from retrieval.behaviour.model import BehaviourError, Matrix, Scores, without_seen
from retrieval.behaviour.splits import held_back, users_of

HELD_BACK = 0.1
"""Share of each person's positives that early stopping looks at."""

CHECKED = 300
DEPTH = 10
_PAIRS = 1 << 17

Loss = Callable[[Any, Tensor, Tensor, Tensor], Tensor]
"""(module, users [b], positive items [b], items they do not have [b, negatives]) -> a scalar."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast a model learns.

    It is checked every `every` epochs on what was held back, and stops after `patience` checks without a
    better one. `negatives`: items a person does not have, drawn for each positive.
    """

    epochs: int = 100
    batch: int = 1024
    learning_rate: float = 1e-3
    negatives: int = 1
    every: int = 5
    patience: int = 3
    seed: int = 0


def learn_pairs(
    make: Callable[[], nn.Module], loss: Loss, interactions: Matrix, schedule: Schedule
) -> nn.Module:
    """A module (users, items) -> scores, learned twice: to find how many epochs are best, then from all.

    The first time a tenth of each person's positives is held back and NDCG@10 is taken over it, of at most
    300 people. Where that is nothing (everybody has too few) it learns for all epochs.
    """
    training, validation = held_back(interactions, HELD_BACK, schedule.seed)
    if validation.nnz == 0:
        return _run(make, loss, interactions, schedule, None)[0]

    users = np.flatnonzero(np.diff(validation.indptr))
    if len(users) > CHECKED:
        users = np.random.default_rng(schedule.seed).choice(users, CHECKED, replace=False)

    def check(module: nn.Module) -> float:
        scores = grid(module, users, validation.shape[1])
        return ndcg(without_seen(scores, training[users]), validation[users])

    _, best = _run(make, loss, training, schedule, check)
    return _run(make, loss, interactions, replace(schedule, epochs=best), None)[0]


def _run(
    make: Callable[[], nn.Module],
    loss: Loss,
    interactions: Matrix,
    schedule: Schedule,
    check: Callable[[nn.Module], float] | None,
) -> tuple[nn.Module, int]:
    """(module, the epoch after which it was best); without a check, the last."""
    with seeded(schedule.seed):
        module = make()
        accelerator = Accelerator()
        optimizer = torch.optim.Adam(module.parameters(), schedule.learning_rate)
        module, optimizer = accelerator.prepare(module, optimizer)
        rng = np.random.default_rng(schedule.seed)
        stop = Patience(schedule.patience)
        for epoch in range(1, schedule.epochs + 1):
            module.train()
            for drawn in pairs(interactions, schedule, rng):
                value = loss(module, *(part.to(accelerator.device) for part in drawn))
                step(accelerator, optimizer, value)
            if check is not None and epoch % schedule.every == 0 and stop.after(epoch, check(module)):
                break
    return accelerator.unwrap_model(module).cpu().eval(), stop.best_epoch or schedule.epochs


def step(accelerator: Accelerator, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down a loss. Raises BehaviourError where it is no number any more."""
    if not torch.isfinite(loss):
        raise BehaviourError(f"Learning came apart: the loss is {loss.item()}. Lower the learning rate.")
    optimizer.zero_grad()
    accelerator.backward(loss)
    optimizer.step()


class Patience:
    """Early stopping: remembers the best figure and how many checks ago it was."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.best_epoch: int | None = None
        self._best = -np.inf
        self._waited = 0

    def after(self, epoch: int, figure: float) -> bool:
        """Whether to stop now that the check after `epoch` gave `figure` (higher is better)."""
        if figure > self._best:
            self._best, self.best_epoch, self._waited = figure, epoch, 0
        else:
            self._waited += 1
        return self._waited >= self.patience


def pairs(
    interactions: Matrix, schedule: Schedule, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """One epoch: every positive once, in random order, with items drawn evenly from those a person lacks."""
    n_items = interactions.shape[1]
    users = users_of(interactions)
    keys = np.sort(users.astype(np.int64) * n_items + interactions.indices)
    for rows in np.array_split(rng.permutation(len(users)), max(1, len(users) // schedule.batch)):
        others = _lacking(users[rows], keys, n_items, schedule.negatives, rng)
        yield (
            torch.from_numpy(users[rows]),
            torch.from_numpy(interactions.indices[rows].astype(np.int64)),
            torch.from_numpy(others),
        )


def _lacking(
    users: NDArray[np.int64], keys: NDArray[np.int64], n_items: int, n: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Int [users, n]: items outside the sorted `keys`, which are user * n_items + item.

    Drawn again at most ten times, so that somebody who has everything does not stop the rest.
    """
    drawn = rng.integers(n_items, size=(len(users), n))
    for _ in range(10):
        wanted = users[:, None] * n_items + drawn
        had = keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] == wanted
        if not had.any():
            break
        drawn[had] = rng.integers(n_items, size=int(had.sum()))
    return drawn


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """What torch draws inside depends on the seed alone, and its own state is as before afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


@torch.no_grad()
def grid(module: nn.Module, users: NDArray[np.int64], n_items: int) -> Scores:
    """Float32 [users, n_items]: what a module of pairs says of everything, in blocks."""
    module.eval()
    device = next(module.parameters()).device
    items = torch.arange(n_items, device=device)
    blocks = []
    for block in np.array_split(users, max(1, len(users) * n_items // _PAIRS)):
        who = torch.from_numpy(block).to(device).repeat_interleave(n_items)
        blocks.append(module(who, items.repeat(len(block))).view(len(block), n_items).float().cpu().numpy())
    return np.concatenate(blocks)


def ndcg(scores: Scores, wanted: Matrix) -> float:
    """Mean NDCG@10 with gains 0 and 1 over people who want something (Jarvelin & Kekalainen, TOIS 2002)."""
    depth = min(DEPTH, scores.shape[1])
    ranked = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
    found = np.take_along_axis(wanted.toarray() > 0, ranked, axis=1)
    discount = 1 / np.log2(np.arange(2, depth + 2))
    ideal = np.cumsum(discount)[np.minimum(np.diff(wanted.indptr), depth) - 1]
    return float(((found * discount).sum(axis=1) / ideal).mean())

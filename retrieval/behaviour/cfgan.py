"""A generative adversarial model of behaviour: makes plausible histories out of short ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn

from retrieval.behaviour.model import ArrayModel, BehaviourError, Matrix, checked, ones, without_seen
from retrieval.behaviour.splits import held_back
from retrieval.behaviour.training import HELD_BACK, Patience, ndcg, seeded, step

_EVERY = 4
_PATIENCE = 4


class Generator(nn.Module):
    """Histories [b, n_items] of 0 and 1 -> how much of each item belongs in it, in (0, 1)."""

    def __init__(self, n_items: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_items, hidden), nn.Sigmoid(), nn.Linear(hidden, n_items), nn.Sigmoid()
        )

    def forward(self, histories: Tensor) -> Tensor:
        return self.layers(histories)


class Discriminator(nn.Module):
    """(purchases, the history they are for), both [b, n_items] -> logit that the purchases are real."""

    def __init__(self, n_items: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * n_items, hidden), nn.Sigmoid(), nn.Linear(hidden, 1))

    def forward(self, purchases: Tensor, histories: Tensor) -> Tensor:
        return self.layers(torch.cat([purchases, histories], -1)).squeeze(-1)


@dataclass
class Cfgan(ArrayModel):
    """CFGAN with zero reconstruction and partial masking, CFGAN_ZP (Chae et al., CIKM 2018).

    A generator completes a history; a discriminator tells its vector, masked to the person's items and a
    drawn share of the others, from the real one. `masked` and `zeros` are those shares: of items a person
    lacks that stay unmasked, and that are pulled to 0 with weight `zero_weight`. It reads histories, so
    anybody can be scored.
    """

    name: ClassVar[str] = "CFGAN"
    hidden: int = 128
    masked: float = 0.3
    zeros: float = 0.5
    zero_weight: float = 0.1
    learning_rate: float = 0.001
    batch: int = 64
    epochs: int = 120
    seed: int = 0

    def rows(self, histories: Matrix, n: int, seed: int = 0) -> Matrix:
        """`n` plausible longer histories of the people given, taken in turn: csr of 1.0 [n, n_items].

        Each keeps what its person has and gains as many items as that (at least one), drawn without
        replacement by the generator's scores. Raises BehaviourError for no history to start from.
        """
        if n > 0 and histories.shape[0] == 0:
            raise BehaviourError("There is no history to make rows from: give at least one.")
        rng = np.random.default_rng(seed)
        starts = ones(checked(histories)[np.arange(n) % max(histories.shape[0], 1)])
        scores = without_seen(self.scores(starts), starts)
        # The n highest of log p + Gumbel noise are n draws without replacement (Efraimidis & Spirakis 2006).
        drawn = np.log(np.maximum(scores, 1e-12)) + rng.gumbel(size=scores.shape)
        order = np.argsort(-np.where(np.isneginf(scores), -np.inf, drawn), axis=1)
        lengths = np.diff(starts.indptr)
        gains = np.minimum(np.maximum(lengths, 1), starts.shape[1] - lengths)
        gained = np.arange(starts.shape[1])[None] < gains[:, None]
        made = starts.toarray()
        made[np.repeat(np.arange(n), gains), order[gained]] = 1.0
        return Matrix(made)

    def _learn(self, interactions: Matrix) -> dict[str, NDArray]:
        training, validation = held_back(interactions, HELD_BACK, self.seed)
        epochs = self._play(training, validation)[1] if validation.nnz else self.epochs
        module, _ = self._play(interactions, None, epochs)
        return {key: array.numpy() for key, array in module.state_dict().items()}

    def _score(self, histories: Matrix, rows: NDArray[np.int64] | None) -> NDArray:
        module = Generator(histories.shape[1], self.arrays["layers.0.bias"].shape[0])
        weights = {key: torch.from_numpy(array) for key, array in self.arrays.items() if key != "n_items"}
        module.load_state_dict(weights)
        return _complete(module, histories)

    def _play(
        self, training: Matrix, validation: Matrix | None, epochs: int | None = None
    ) -> tuple[nn.Module, int]:
        """(generator, the epoch after which it was best); without validation, the last."""
        game = _Game(self, training.shape[1])
        rng = np.random.default_rng(self.seed)
        stop = Patience(_PATIENCE)
        last = epochs or self.epochs
        for epoch in range(1, last + 1):
            order = rng.permutation(training.shape[0])
            for users in np.array_split(order, max(1, len(order) // self.batch)):
                game.turn(torch.from_numpy(ones(training[users]).toarray()), rng)
            if validation is not None and epoch % _EVERY == 0:
                people = np.flatnonzero(np.diff(validation.indptr))
                scores = without_seen(_complete(game.generator, training[people]), training[people])
                if stop.after(epoch, ndcg(scores, validation[people])):
                    break
        return game.accelerator.unwrap_model(game.generator).cpu(), stop.best_epoch or last


class _Game:
    """The two modules with their optimizers."""

    def __init__(self, settings: Cfgan, n_items: int) -> None:
        self.settings = settings
        self.accelerator = Accelerator()
        with seeded(settings.seed):
            generator = Generator(n_items, settings.hidden)
            discriminator = Discriminator(n_items, settings.hidden)
        made_by, told_by = (
            torch.optim.Adam(module.parameters(), settings.learning_rate)
            for module in (generator, discriminator)
        )
        self.generator, self.discriminator, self._made_by, self._told_by = self.accelerator.prepare(
            generator, discriminator, made_by, told_by
        )

    def turn(self, real: Tensor, rng: np.random.Generator) -> None:
        """Both learn once from the histories [b, n_items] of 0 and 1.

        The generator's loss is -log D, which has the fixed point of the paper's log(1 - D) and does not
        vanish while the discriminator wins (Goodfellow et al., NeurIPS 2014).
        """
        kept, pulled = (
            torch.from_numpy((rng.random(real.shape) < share).astype(np.float32)) * (1 - real)
            for share in (self.settings.masked, self.settings.zeros)
        )
        real, kept, pulled = (part.to(self.accelerator.device) for part in (real, kept, pulled))
        made = self.generator(real)
        shown = made * (real + kept)
        true, false = self.discriminator(torch.cat([real, shown.detach()]), real.repeat(2, 1)).chunk(2)
        softplus = nn.functional.softplus
        step(self.accelerator, self._told_by, softplus(-true).mean() + softplus(false).mean())
        fooled = softplus(-self.discriminator(shown, real)).mean()
        zeroed = ((made * pulled) ** 2).sum(-1).mean()
        step(self.accelerator, self._made_by, fooled + self.settings.zero_weight * zeroed)


@torch.no_grad()
def _complete(module: nn.Module, histories: Matrix) -> NDArray[np.float32]:
    """Float32 [n, n_items]: the generator's completion of histories."""
    device = next(module.parameters()).device
    return module(torch.from_numpy(ones(histories).toarray()).to(device)).cpu().numpy()

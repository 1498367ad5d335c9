"""Trains the two towers: a softmax over all items for every recommendation in the training dialogues.

An item's vector is learned for itself and from what the catalogue says of it, so that an item that no
dialogue names has one too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import dropout, log_softmax

from finetune.content import content
from finetune.readings import Example
from retrieval.signals.reading import AGES, PLACES, TURNS, Reader
from retrieval.signals.tower import Tables, Tower, pad, vectors

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TowerSettings:
    """How the towers are trained. `keep`: share of mentions and words that a step sees. `further`: weight of
    examples of other kinds than a next recommendation. `fewest` and `fewest_pairs`: how many messages must
    hold a word, or a pair of neighbours, for it to be read. `starts`: how many pairs of towers are trained.
    """

    dimension: int = 96
    epochs: int = 3
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    dropout: float = 0.5
    keep: float = 0.7
    batch: int = 256
    further: float = 0.3
    fewest: int = 4
    fewest_pairs: int = 8
    starts: int = 2


def train_tower(
    training: Sequence[Example],
    reader: Reader,
    texts: np.ndarray,
    settings: TowerSettings,
    seed: int,
    say: Say,
) -> Tower:
    """Train on `training`. `texts`: the encoder's vectors of the items, float32 [n_items, any]."""
    seeds = range(seed, seed + settings.starts)
    return Tower([_train_tables(training, reader, texts, settings, one, say) for one in seeds], reader)


def _train_tables(
    training: Sequence[Example],
    reader: Reader,
    texts: np.ndarray,
    settings: TowerSettings,
    seed: int,
    say: Say,
) -> Tables:
    torch.manual_seed(seed)
    model = TowerModel(reader, texts, training, settings)
    learn(model, model.parts(), training, settings, seed, lambda text: say(f"  towers, {text}"))
    with torch.no_grad():
        return model.eval().tables()


def learn(
    model: nn.Module,
    parts: list[dict[str, Any]],
    training: Sequence[Example],
    settings: TowerSettings,
    seed: int,
    say: Say,
) -> None:
    """Fit `model`, whose forward() is the loss of examples; `parts`: its parameters for the optimizer."""
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    optimizer = torch.optim.AdamW(parts, settings.learning_rate, betas=(0.9, 0.98), fused=True)
    steps = settings.epochs * math.ceil(len(training) / settings.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    prepared, optimizer = accelerator.prepare(model, optimizer)
    rng = np.random.default_rng(seed)
    prepared.train()
    for epoch in range(settings.epochs):
        order, total = rng.permutation(len(training)), 0.0
        for start in range(0, len(order), settings.batch):
            chosen = [training[index] for index in order[start : start + settings.batch]]
            loss = prepared(chosen, settings.keep)
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen)
        say(f"epoch {epoch + 1}: loss {total / len(order):.3f}")


class TowerModel(nn.Module):
    """The towers while they learn: forward() is the loss of a batch."""

    def __init__(
        self, reader: Reader, texts: np.ndarray, training: Sequence[Example], settings: TowerSettings
    ) -> None:
        super().__init__()
        catalogue, d, words = reader.catalogue, settings.dimension, 2 * len(reader.words)
        facts = content(catalogue)
        self._facts, self._facts_t = _to_torch(facts), _to_torch(sparse.csr_array(facts.T))
        self._texts = torch.from_numpy(_standard(texts))
        self._dropout, self._decay = settings.dropout, settings.weight_decay
        n, width, sense = len(catalogue), facts.shape[1], texts.shape[1]
        self.own, self.own_named = _normal(n, d), _normal(n, d)
        self.of_facts, self.named_of_facts = _normal(width, d), _normal(width, d)
        self.of_texts, self.named_of_texts = _normal(sense, d), _normal(sense, d)
        self.bias = nn.Parameter(_log_shares(training, n))
        self.roles, self.ages = nn.Parameter(torch.zeros(2, PLACES)), nn.Parameter(torch.zeros(AGES))
        self.power = nn.Parameter(torch.tensor([-0.5]))
        self.words, self.importance = _normal(words, d), nn.Parameter(torch.zeros(words))
        self.word_ages = nn.Parameter(-0.15 * torch.arange(float(AGES)))
        self.senses = _normal(2 * sense, d)
        self._sense_mean, self._sense_spread = _moments(training)
        self.turns, self.offsets = _normal(2 * TURNS + 1, d), nn.Parameter(torch.zeros(2, n))

    def parts(self) -> list[dict[str, Any]]:
        """Parameters for the optimizer: only tables of vectors decay."""
        flat = [p for p in self.parameters() if p.dim() == 1 or len(p) == 2]
        rest = [p for p in self.parameters() if all(p is not other for other in flat)]
        return [{"params": rest, "weight_decay": self._decay}, {"params": flat, "weight_decay": 0.0}]

    def tables(self) -> Tables:
        """The weights as they are served: what the catalogue says is folded into the items' vectors."""
        facts = torch.cat([self.of_facts, self.named_of_facts], 1)
        of_facts, named_of_facts = _Product.apply(self._facts, self._facts_t, facts).chunk(2, 1)
        return Tables(
            self.own + of_facts + self._texts @ self.of_texts,
            self.bias,
            self.own_named + named_of_facts + self._texts @ self.named_of_texts,
            self.roles,
            self.ages,
            self.power,
            self.words,
            self.importance,
            self.word_ages,
            self._senses(),
            self.turns,
        )

    def forward(self, chosen: Sequence[Example], keep: float, heard: Tensor | None = None) -> Tensor:
        """Mean negative log-likelihood of the targets among the items not yet named.

        `heard` [b, d] is added to the dialogues' vectors.
        An example with t targets weighs sqrt(t): they are not t independent choices.
        """
        tables, batch = self.tables(), pad([one.reading for one in chosen])
        said = vectors(tables, batch, keep)
        said = dropout(said if heard is None else said + heard, self._dropout, self.training)
        offsets = torch.cat([torch.zeros_like(self.offsets[:1]), self.offsets])
        logits = said @ tables.items.T + tables.bias + offsets[batch.turns // TURNS]
        case, place = torch.nonzero(batch.mention_mask, as_tuple=True)
        logits = logits.index_put((case, batch.mentions[case, place, 0]), torch.tensor(-1e4))
        rows = [(number, target) for number, one in enumerate(chosen) for target in one.targets]
        at = torch.tensor(rows)
        weights = torch.tensor(
            [chosen[number].weight / len(chosen[number].targets) ** 0.5 for number, _ in rows]
        )
        return -(log_softmax(logits, 1)[at[:, 0], at[:, 1]] * weights).sum() / weights.sum()

    def _senses(self) -> Tensor:
        """Standardising what was said is folded into the weights: (s - mean) / spread @ w = s @ w' + b."""
        weights = self.senses / self._sense_spread[:, None]
        return torch.cat([weights, -(self._sense_mean @ weights)[None]])


def _log_shares(training: Sequence[Example], n_items: int) -> Tensor:
    named = [target for one in training if one.reading.turn < TURNS for target in one.targets]
    counts = np.bincount(named, minlength=n_items) + 0.3
    return torch.from_numpy(np.log(counts / counts.sum()).astype(np.float32))


def _moments(training: Sequence[Example]) -> tuple[Tensor, Tensor]:
    """Mean and spread of what was said, each [2e], over the examples in which anything was."""
    said = np.stack([np.concatenate([one.reading.said, one.reading.last]) for one in training])
    known = said[said.any(axis=1)]
    if not len(known):
        return torch.zeros(said.shape[1]), torch.ones(said.shape[1])
    spread = np.maximum(known.std(axis=0), 1e-2) * math.sqrt(said.shape[1])
    return torch.from_numpy(known.mean(axis=0)), torch.from_numpy(spread.astype(np.float32))


def _standard(texts: np.ndarray) -> np.ndarray:
    spread = np.maximum(texts.std(axis=0), 1e-2)
    return ((texts - texts.mean(axis=0)) / spread / math.sqrt(texts.shape[1])).astype(np.float32)


def _normal(rows: int, columns: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(rows, columns) * 0.02)


def _rate(step: int, steps: int) -> float:
    """Thirty steps of warm-up, then linearly down to a fiftieth."""
    return min(1.0, (step + 1) / 30) * max(0.02, 1 - step / steps)


def _to_torch(matrix: sparse.csr_array) -> Tensor:
    starts, columns = (torch.from_numpy(part.astype(np.int64)) for part in (matrix.indptr, matrix.indices))
    return torch.sparse_csr_tensor(starts, columns, torch.from_numpy(matrix.data), size=matrix.shape)


class _Product(torch.autograd.Function):
    """Sparse facts @ dense weights, whose gradient torch would otherwise make dense in between."""

    @staticmethod
    def forward(ctx: Any, facts: Tensor, transposed: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(transposed)
        return facts @ weights

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[None, None, Tensor]:
        (transposed,) = ctx.saved_tensors
        return None, None, transposed @ gradients[0]

"""Trains the scorer of dialogues: LambdaMART and a listwise network over the same lists, and their blend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from finetune.corpus import Corpus
from finetune.lists import RankedList, prepare, stops
from finetune.tower import Say, TowerSettings
from retrieval.features import NAMES
from retrieval.listwise import Net, NetWeights, logits
from retrieval.scorer import HEARD, Blend, LearnedScorer, Trees, log_softmax
from retrieval.signals.listener import Layers
from retrieval.workspace import Workspace

if TYPE_CHECKING:
    from lightgbm import Dataset

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
CHANCE = "chance"
ADDED = (0.0, 0.25, 0.5, 1.0, 2.0)
"""Weights among which those of the towers' and of the tuned encoder's log-probabilities are chosen."""


@dataclass(frozen=True, slots=True)
class ScorerSettings:
    """How the last models are trained. `patience`: rounds of trees without a better NDCG@10."""

    rounds: int = 300
    leaves: int = 31
    fewest_in_leaf: int = 200
    tree_rate: float = 0.06
    epochs: int = 20
    hidden: int = 48
    batch: int = 64
    net_rate: float = 3e-3
    weight_decay: float = 1e-3
    patience: int = 40


@dataclass(frozen=True, slots=True)
class Split:
    """Lists to fit, and lists that say when to stop."""

    fitted: tuple[RankedList, ...]
    stopping: tuple[RankedList, ...]


def split(lists: Sequence[RankedList]) -> Split:
    """By dialogue, the same way every time."""
    return Split(
        tuple(one for one in lists if not stops(one.dialogue)),
        tuple(one for one in lists if stops(one.dialogue)),
    )


def fit_trees(lists: Split, columns: Sequence[int], settings: ScorerSettings, seed: int) -> Trees:
    """LambdaMART on these columns of the features; stops early by NDCG@10."""
    import lightgbm

    names = [NAMES[column].replace(",", "").replace(" ", "_") for column in columns]
    fitted = _dataset(lists.fitted, columns, names)
    options: dict[str, Any] = {
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [10],
        "learning_rate": settings.tree_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.fewest_in_leaf,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambdarank_truncation_level": 30,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": torch.get_num_threads(),
        "verbosity": -1,
    }
    booster = lightgbm.train(
        options,
        fitted,
        settings.rounds,
        valid_sets=[_dataset(lists.stopping, columns, names, fitted)],
        callbacks=[lightgbm.early_stopping(settings.patience, verbose=False)],
    )
    return Trees(booster)


def _dataset(
    lists: Sequence[RankedList], columns: Sequence[int], names: list[str], reference: Dataset | None = None
) -> Dataset:
    import lightgbm

    return lightgbm.Dataset(
        np.concatenate([one.features[:, columns] for one in lists]),
        np.concatenate([one.recommended for one in lists]).astype(int),
        group=[len(one.recommended) for one in lists],
        feature_name=names,
        reference=reference,
    )


class ListwiseNet(nn.Module):
    """The network while it learns: forward() is the loss of a batch of lists."""

    def __init__(self, middle: torch.Tensor, spread: torch.Tensor, hidden: int) -> None:
        super().__init__()
        self.middle, self.spread = middle, spread
        self.line = nn.Parameter(torch.zeros(len(middle)))
        self.inner = nn.Parameter(torch.randn(len(middle), hidden) / len(middle) ** 0.5)
        self.inner_bias = nn.Parameter(torch.zeros(hidden))
        self.outer = nn.Parameter(torch.zeros(hidden))

    def weights(self) -> NetWeights:
        """As they are served."""
        return NetWeights(self.middle, self.spread, self.line, self.inner, self.inner_bias, self.outer)

    def forward(self, features: torch.Tensor, recommended: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """ListNet's cross-entropy (Cao et al., ICML 2007): the targets of a list share its probability.

        `features` [lists, longest, f], `recommended` and `mask` [lists, longest] of 1 and 0.
        """
        scores = logits(self.weights(), features).masked_fill(mask == 0, -1e9)
        shares = recommended / recommended.sum(1, keepdim=True)
        return -(shares * torch.log_softmax(scores, 1)).sum(1).mean()


def fit_net(lists: Split, columns: Sequence[int], settings: ScorerSettings, seed: int) -> Net:
    """The listwise network on these columns; the epoch with the best loss on the stopping lists is kept."""
    from accelerate import Accelerator

    torch.manual_seed(seed)
    accelerator = Accelerator(cpu=True)
    everything = np.concatenate([one.features[:, columns] for one in lists.fitted])
    # A feature that is known nowhere stays 0, whatever it turns out to be later.
    middle = np.nan_to_num(np.nanmean(everything, axis=0)).astype(np.float32)
    spread = np.nan_to_num(np.nanstd(everything, axis=0), nan=1.0).astype(np.float32)
    model = ListwiseNet(torch.from_numpy(middle), torch.from_numpy(np.maximum(spread, 1e-6)), settings.hidden)
    optimizer = torch.optim.AdamW(model.parameters(), settings.net_rate, weight_decay=settings.weight_decay)
    model, optimizer = accelerator.prepare(model, optimizer)
    rng, best, waited = np.random.default_rng(seed), float("inf"), 0
    kept: list[torch.Tensor] = []
    for _ in range(settings.epochs):
        order = rng.permutation(len(lists.fitted))
        for start in range(0, len(order), settings.batch):
            chosen = [lists.fitted[index] for index in order[start : start + settings.batch]]
            loss = model(*_padded(chosen, columns))
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
        with torch.no_grad():
            loss = model(*_padded(lists.stopping, columns)).item()
        waited = 0 if loss < best else waited + 1
        if loss < best:
            best, kept = loss, [p.detach().clone() for p in accelerator.unwrap_model(model).parameters()]
        if waited >= 3:
            break
    inner = accelerator.unwrap_model(model)
    return Net(NetWeights(inner.middle, inner.spread, *kept))


def _padded(
    lists: Sequence[RankedList], columns: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    longest = max(len(one.recommended) for one in lists)
    features = np.zeros((len(lists), longest, len(columns)), np.float32)
    recommended, mask = (
        np.zeros((len(lists), longest), np.float32),
        np.zeros((len(lists), longest), np.float32),
    )
    for number, one in enumerate(lists):
        size = len(one.recommended)
        features[number, :size], recommended[number, :size] = one.features[:, columns], one.recommended
        mask[number, :size] = 1
    return torch.from_numpy(features), torch.from_numpy(recommended), torch.from_numpy(mask)


def best_blend(trees: Trees, net: Net, columns: Sequence[int], lists: Sequence[RankedList]) -> Blend:
    """The weights with the highest mean of 1 / log2(1 + rank) over the targets of the stopping lists.

    The towers' and the tuned encoder's log-probabilities are weighed too, if `columns` has them; the models
    never see the encoder's, which has heard the dialogues that they are fitted to.
    """
    seen = [column for column in columns if NAMES[column] != HEARD]
    late = [name for name in (CHANCE, HEARD) if NAMES.index(name) in columns]
    tables = [_terms(trees, net, seen, late, one.features) for one in lists]

    def gain(weights: NDArray[np.float64]) -> float:
        ranks = [_ranks(table @ weights, one.recommended) for table, one in zip(tables, lists, strict=True)]
        return float(np.mean(1 / np.log2(1 + np.concatenate(ranks))))

    each = [np.array([share, 1 - share, *added]) for share, *added in product(SHARES, *(ADDED for _ in late))]
    share, _, *added = max(each, key=gain)
    return Blend(trees, net, float(share), seen, dict(zip(late, map(float, added), strict=True)))


def _terms(
    trees: Trees, net: Net, seen: Sequence[int], late: Sequence[str], features: NDArray[np.float32]
) -> NDArray[np.float64]:
    models = [log_softmax(model.score(features[:, seen])) for model in (trees, net)]
    return np.stack([*models, *(features[:, NAMES.index(name)] for name in late)], axis=1)


def _ranks(scores: NDArray[np.float64], recommended: NDArray[np.bool_]) -> NDArray[np.int64]:
    return 1 + np.count_nonzero(scores[None] > scores[recommended][:, None], axis=1)


def fit(lists: Split, columns: Sequence[int], settings: ScorerSettings, seed: int) -> Blend:
    """Both models on these columns of the features, and their blend."""
    seen = [column for column in columns if NAMES[column] != HEARD]
    trees, net = fit_trees(lists, seen, settings, seed), fit_net(lists, seen, settings, seed)
    return best_blend(trees, net, columns, lists.stopping)


def train(workspace: Workspace, learned: Corpus, starts: int, seed: int, say: Say) -> LearnedScorer:
    """The whole training, from conversations to the scorer of a workspace's catalogue.

    `starts`: how many pairs of towers are trained and averaged.
    """
    made = prepare(
        workspace.catalogue,
        learned.texts,
        learned.sequences,
        workspace.encoder,
        Layers.packaged(),
        TowerSettings(starts=starts),
        seed,
        say,
    )
    say(f"Fitting trees and network to {len(made.lists):,} lists")
    blend = fit(split(made.lists), range(len(NAMES)), ScorerSettings(), seed)
    return LearnedScorer(made.tower, made.features, blend, made.listener)

"""The last word on order: scorers re-rank the fused candidates, or all items by what a dialogue says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message, mentioned
from retrieval.encoder import Encoder
from retrieval.errors import WorkspaceError
from retrieval.features import NAMES, Features
from retrieval.listwise import Net, NetWeights
from retrieval.signals.alignment import Alignment
from retrieval.signals.comentions import Mentions, Rows, rows_of
from retrieval.signals.listener import Layers, Listener
from retrieval.signals.reading import Reading
from retrieval.signals.signal import Scores
from retrieval.signals.tower import Tower, former
from retrieval.types import Candidate, Query

if TYPE_CHECKING:
    from lightgbm import Booster


class Scorer(Protocol):
    """Re-ranks candidates. Keeps exactly the items it was given, with their evidence."""

    def score(self, query: Query, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The same items, best first, with this scorer's own scores and ranks from 1."""


class FusionScorer:
    """Keeps the fused order: the scorer to beat."""

    def score(self, query: Query, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates as fusion ordered them."""
        return list(candidates)


FROM_TOWERS, FROM_COMENTIONS = 500, 150
"""How many candidates of each source are scored by their features."""

KNOWN = 10.0
"""Dialogues that name an item until the scorer knows it half as well as it can."""

HEARD = "chance by the tuned encoder"
"""The feature that is heard, and only added to the blend."""

TREES, NET, BLEND = "trees.txt", "net.safetensors", "blend.json"


class Model(Protocol):
    """Scores the candidates of one dialogue by their features."""

    def score(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """[candidates, features] -> [candidates], higher is better; comparable inside one call only."""

    def contributions(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """[candidates, features]: what each feature adds to each candidate's score."""


class Trees:
    """LambdaMART (Burges 2010) as LightGBM fits it."""

    def __init__(self, booster: Booster) -> None:
        self.booster = booster

    def score(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Sums of leaves."""
        return np.asarray(self.booster.predict(features, num_threads=1))

    def contributions(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Shapley values of the trees (Lundberg et al. 2018); with the mean they add up to the score."""
        return np.asarray(self.booster.predict(features, pred_contrib=True, num_threads=1))[:, :-1]


class Blend:
    """The weighted mean of what two models make of a list, each as the logarithms of its softmax, and beside
    it log-probabilities among the features, which are added as they are.
    """

    def __init__(
        self, trees: Trees, net: Net, share: float, columns: Sequence[int], added: Mapping[str, float]
    ) -> None:
        """`share`: the weight of the trees, in [0, 1]. `columns` of the features are what both models see.
        `added`: weights of features, by name; those of 0 count for nothing, known or not.
        """
        self.trees, self.net, self.share = trees, net, share
        self.columns = list(columns)
        self.added = {name: weight for name, weight in added.items() if weight}

    def score(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Log-probabilities, up to a constant."""
        seen = features[:, self.columns]
        by_trees, by_net = (log_softmax(one.score(seen)) for one in (self.trees, self.net))
        return self.share * by_trees + (1 - self.share) * by_net + self._added(features).sum(axis=1)

    def contributions(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """The same mean of their contributions."""
        by_trees, by_net = (one.contributions(features[:, self.columns]) for one in (self.trees, self.net))
        found = np.zeros(features.shape)
        found[:, self._places()] = self._added(features)
        found[:, self.columns] += self.share * by_trees + (1 - self.share) * by_net
        return found

    def _added(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        return features[:, self._places()] * np.array(list(self.added.values()))

    def _places(self) -> list[int]:
        return [NAMES.index(name) for name in self.added]

    def save(self, folder: Path) -> None:
        """Write both models and their weights in the blend."""
        from safetensors.torch import save_file

        self.trees.booster.save_model(folder / TREES)
        save_file({f.name: getattr(self.net.weights, f.name) for f in fields(NetWeights)}, folder / NET)
        about = {"share": self.share, "columns": self.columns, "added": self.added, "features": NAMES}
        (folder / BLEND).write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Blend:
        """Read what `save` wrote. Raises WorkspaceError when it is damaged or knows other features."""
        import lightgbm
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            about = json.loads((folder / BLEND).read_text(encoding="utf-8"))
            trees = Trees(lightgbm.Booster(model_str=(folder / TREES).read_text(encoding="utf-8")))
            net = Net(NetWeights(**load_file(folder / NET)))
            blend = cls(trees, net, float(about["share"]), about["columns"], about["added"])
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            SafetensorError,
            lightgbm.basic.LightGBMError,
        ) as problem:
            raise WorkspaceError(
                f"The scorer's models in {folder} cannot be read ({problem}). Train the scorer again."
            ) from None
        if tuple(about.get("features", ())) != NAMES:
            raise WorkspaceError(
                f"The scorer's models in {folder} were trained on other features. Train the scorer again."
            )
        return blend


def candidate_rows(features: Features, messages: Sequence[Message], chances: Scores) -> Rows:
    """Rows of what is worth scoring, ascending: the likeliest 500 by the towers and 150 by co-occurrence.

    Items named already are none of them.
    """
    named = rows_of(features.catalogue, mentioned(messages))
    found = [_first(chances, named, FROM_TOWERS)]
    if len(named):
        found.append(_first(features.comentions.given(named).sum(axis=0), named, FROM_COMENTIONS))
    return np.unique(np.concatenate(found))


class LearnedScorer:
    """Two towers over all items, then a model over the features of the likeliest."""

    name = "learned scorer"

    def __init__(self, tower: Tower, features: Features, model: Blend, listener: Listener | None) -> None:
        """`listener`: left out where the blend gives it no weight, as it costs a pass of the encoder."""
        self._tower, self._features, self._model = tower, features, model
        self._counts = features.mentions.counts
        self._listener = listener if model.added.get(HEARD) else None

    def scores(self, messages: Sequence[Message]) -> Scores:
        """[n_items]; candidates stand above all others, which keep the order of the towers."""
        reading = self._tower.reader.read(messages)
        chances = self._tower.chances(reading)
        rows = candidate_rows(self._features, messages, chances.all)
        heard = self._heard(messages, reading)
        table = self._features.of(messages, rows, chances, reading, heard)
        return put_first(chances.all, rows, self._model.score(table))

    def read_ahead(self, dialogues: Sequence[Sequence[Message]]) -> None:
        """Let the encoders read many dialogues together, and remember what they made of them."""
        self._tower.reader.read_ahead(dialogues)
        if self._listener is not None:
            self._listener.read_ahead(dialogues)

    def contributions(self, messages: Sequence[Message], item_id: str) -> Mapping[str, float]:
        """What each feature adds to the score of an item, by name, the weightiest first.

        Raises UnknownItemError.
        """
        row = np.array([self._features.catalogue.row(item_id)])
        reading = self._tower.reader.read(messages)
        heard = self._heard(messages, reading)
        table = self._features.of(messages, row, self._tower.chances(reading), reading, heard)
        parts = self._model.contributions(table)[0]
        return dict(sorted(zip(NAMES, parts.tolist(), strict=True), key=lambda pair: -abs(pair[1])))

    def _heard(self, messages: Sequence[Message], reading: Reading) -> Scores | None:
        return self._listener.hear(messages, reading) if self._listener is not None else None

    def familiarity(self, item_ids: Sequence[str]) -> float:
        """Mean over the items of n / (n + 10), where n training dialogues name an item; 1 for none."""
        counts = self._counts[rows_of(self._features.catalogue, item_ids)]
        return float(np.mean(counts / (counts + KNOWN))) if len(counts) else 1.0

    def save(self, folder: Path) -> None:
        """Write the towers, the trees (LightGBM's text), the network and the counts; the folder is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._tower.save(folder)
        self._model.save(folder)
        if self._listener is not None:
            self._listener.save(folder)
        self._features.mentions.save(folder)

    @classmethod
    def load(
        cls,
        folder: Path,
        catalogue: Catalogue,
        encoder: Encoder,
        texts: NDArray[np.float32],
        layers: Callable[[], Layers],
    ) -> LearnedScorer:
        """Read what `save` wrote. Raises WorkspaceError when it is damaged or another catalogue's.

        `texts`: the encoder's vectors of what the items are about, float32 [n_items, d]. `layers`: gives
        those of the encoder as they are packaged; asked only where the blend has a use for them.
        """
        alignment = Alignment(former(folder), catalogue, texts)
        tower = Tower.load(folder, encoder, catalogue, alignment)
        features = Features(catalogue, Mentions.load(folder, catalogue, alignment), texts)
        blend = Blend.load(folder)
        used = bool(blend.added.get(HEARD))
        listener = Listener.load(folder, layers(), tower.reader, alignment) if used else None
        return cls(tower, features, blend, listener)


def put_first(chances: Scores, rows: Rows, scored: NDArray[np.float64]) -> Scores:
    """[n_items]: the candidates (`rows`) by their scores, and below them all others by their chances."""
    found = (chances - chances.max() - 1).astype(np.float64)
    found[rows] = scored - scored.min() if len(rows) else 0
    return found.astype(np.float32)


def _first(scores: NDArray[np.float32], excluded: Rows, n: int) -> Rows:
    kept = scores.astype(np.float64)
    kept[excluded] = -np.inf
    n = min(n, len(kept) - len(np.unique(excluded)))
    return np.argpartition(-kept, n - 1)[:n] if n else np.zeros(0, np.int64)


def log_softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities of a list, which add up to 1."""
    above = values - values.max()
    return above - np.log(np.exp(above).sum())

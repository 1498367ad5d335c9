"""The learned scorer on ReDial: each of its models, and the scorer without each group of features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.benchmarks.redial import NEW, Ranked, Redial, Say, figures, rank
from eval.benchmarks.tables import Section
from finetune.lists import Prepared, prepare
from finetune.scorer import ScorerSettings, Split, fit, split
from finetune.targets import cases
from finetune.tower import TowerSettings
from retrieval.encoder import Encoder
from retrieval.features import GROUPS, NAMES
from retrieval.scorer import Blend, Model, candidate_rows, put_first
from retrieval.signals.comentions import Rows
from retrieval.signals.signal import Scores


@dataclass(frozen=True, slots=True)
class Weighed:
    """How much of what the trees gain by splitting is gained on one feature."""

    feature: str
    group: str
    share: float


@dataclass(frozen=True, slots=True)
class Judged:
    """The candidates of a judged case, their features, and the towers' chances of all films."""

    rows: Rows
    features: NDArray[np.float32]
    chances: Scores


@dataclass(frozen=True, slots=True)
class Trained:
    """The scorer with all features, and what is needed to train it again without some."""

    blend: Blend
    lists: Split
    judged: tuple[Judged, ...]


def train_scorer(data: Redial, encoder: Encoder, seed: int, say: Say) -> Trained:
    """Train on the training dialogues; read every judged case once."""
    made = prepare(data.catalogue, data.texts, data.sequences, encoder, TowerSettings(), seed, say)
    say("Reading the judged dialogues")
    judged = tuple(_judged(made, data))
    say("Fitting the scorer")
    lists = split(made.lists)
    return Trained(fit(lists, range(len(NAMES)), ScorerSettings(), seed), lists, judged)


def rank_scorer(trained: Trained, data: Redial) -> list[Ranked]:
    """The towers alone, each model over their candidates, and the blend, which is the scorer."""
    everything = range(len(NAMES))
    blend = trained.blend
    models = (("LambdaMART", blend.trees), ("listwise network", blend.net), ("learned scorer", blend))
    return [
        rank("towers", (one.chances for one in trained.judged), data),
        *(rank(name, _scores(model, trained.judged, everything), data) for name, model in models),
    ]


def ablation(trained: Trained, data: Redial, seed: int, say: Say) -> Iterator[Section]:
    """The scorer trained again without each group, and what the trees of the whole one weigh."""
    found = [rank("learned scorer", _scores(trained.blend, trained.judged, range(len(NAMES))), data)]
    for group, names in GROUPS.items():
        say(f"Fitting the scorer without {group}")
        columns = [column for column, name in enumerate(NAMES) if name not in names]
        model = fit(trained.lists, columns, ScorerSettings(), seed)
        found.append(rank(f"without {group}", _scores(model, trained.judged, columns), data))
    title = "The scorer without each group of features, new targets (candidates as before)"
    yield Section(title, tuple(figures(found, data, NEW, seed)))
    yield Section("What the trees gain by, in shares", tuple(_weighed(trained.blend)))


def _judged(made: Prepared, data: Redial) -> Iterator[Judged]:
    for case in cases(data.held_out):
        reading = made.tower.reader.read(case.before)
        chances = made.tower.scores_of([reading])[0]
        rows = candidate_rows(made.features, case.before, chances)
        yield Judged(rows, made.features.of(case.before, rows, chances, reading), chances)


def _scores(model: Model, judged: Sequence[Judged], columns: Sequence[int]) -> Iterator[Scores]:
    for one in judged:
        yield put_first(one.chances, one.rows, model.score(one.features[:, columns]))


def _weighed(blend: Blend) -> Iterator[Weighed]:
    gains = blend.trees.booster.feature_importance("gain")
    groups = {name: group for group, names in GROUPS.items() for name in names}
    for place in np.argsort(-gains, kind="stable"):
        yield Weighed(NAMES[place], groups[NAMES[place]], float(gains[place] / gains.sum()))

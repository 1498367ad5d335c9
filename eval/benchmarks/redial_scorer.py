"""The learned scorer on ReDial: each of its models, and the scorer without each group of features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.benchmarks.redial import NEW, Ranked, Redial, Say, figures, rank
from eval.benchmarks.tables import Section
from finetune.lists import Prepared, Remembering, prepare
from finetune.scorer import ScorerSettings, Split, fit, split
from finetune.targets import cases
from finetune.tower import TowerSettings
from retrieval.encoder import Encoder
from retrieval.features import GROUPS, NAMES
from retrieval.scorer import Blend, Model, candidate_rows, put_first
from retrieval.signals.comentions import Rows
from retrieval.signals.listener import Layers
from retrieval.signals.reading import seeker_texts
from retrieval.signals.signal import Scores


@dataclass(frozen=True, slots=True)
class Weighed:
    """How much of what the trees gain by splitting is gained on one feature."""

    feature: str
    group: str
    share: float


@dataclass(frozen=True, slots=True)
class Judged:
    """The candidates of a judged case, their features, and the chances of all films by the towers and by the
    tuned encoder.
    """

    rows: Rows
    features: NDArray[np.float32]
    chances: Scores
    heard: Scores


@dataclass(frozen=True, slots=True)
class Trained:
    """The scorer with all features, and what is needed to train it again without some."""

    blend: Blend
    lists: Split
    judged: tuple[Judged, ...]


def train_scorer(data: Redial, encoder: Encoder, seed: int, say: Say) -> Trained:
    """Train on the training dialogues; read every judged case once."""
    made = prepare(
        data.catalogue,
        data.texts,
        data.sequences,
        encoder,
        Layers.packaged(),
        TowerSettings(),
        seed,
        say,
    )
    say("Reading the judged dialogues")
    judged = tuple(_judged(made, data, encoder))
    say("Fitting the scorer")
    lists = split(made.lists)
    return Trained(fit(lists, range(len(NAMES)), ScorerSettings(), seed), lists, judged)


def rank_scorer(trained: Trained, data: Redial) -> list[Ranked]:
    """The towers alone, each model over their candidates, and the blend, which is the scorer."""
    blend = trained.blend
    alone = {
        name: Blend(blend.trees, blend.net, share, blend.columns, {})
        for name, share in (("LambdaMART", 1.0), ("listwise network", 0.0))
    }
    models = {**alone, "learned scorer": blend}
    return [
        rank("towers", (one.chances for one in trained.judged), data),
        rank("tuned encoder", (one.heard for one in trained.judged), data),
        *(rank(name, _scores(model, trained.judged), data) for name, model in models.items()),
    ]


def ablation(trained: Trained, data: Redial, seed: int, say: Say) -> Iterator[Section]:
    """The scorer trained again without each group, and what the trees of the whole one weigh."""
    found = [rank("learned scorer", _scores(trained.blend, trained.judged), data)]
    for group, names in GROUPS.items():
        say(f"Fitting the scorer without {group}")
        columns = [column for column, name in enumerate(NAMES) if name not in names]
        model = fit(trained.lists, columns, ScorerSettings(), seed)
        found.append(rank(f"without {group}", _scores(model, trained.judged), data))
    title = "The scorer without each group of features, new targets (candidates as before)"
    yield Section(title, tuple(figures(found, data, NEW, seed)))
    yield Section("What the trees gain by, in shares", tuple(_weighed(trained.blend)))


def _judged(made: Prepared, data: Redial, encoder: Encoder) -> Iterator[Judged]:
    said = [text for messages in data.held_out.values() for text in seeker_texts(messages, data.catalogue)]
    reader = made.tower.read_by(Remembering(encoder, said)).reader
    for case in cases(data.held_out):
        reading = reader.read(case.before)
        chances = made.tower.chances(reading)
        heard = made.listener.hear(case.before, reading)
        rows = candidate_rows(made.features, case.before, chances.all)
        yield Judged(rows, made.features.of(case.before, rows, chances, reading, heard), chances.all, heard)


def _scores(model: Model, judged: Sequence[Judged]) -> Iterator[Scores]:
    for one in judged:
        yield put_first(one.chances, one.rows, model.score(one.features))


def _weighed(blend: Blend) -> Iterator[Weighed]:
    gains = blend.trees.booster.feature_importance("gain")
    groups = {name: group for group, names in GROUPS.items() for name in names}
    for place in np.argsort(-gains, kind="stable"):
        name = NAMES[blend.columns[place]]
        yield Weighed(name, groups[name], float(gains[place] / gains.sum()))

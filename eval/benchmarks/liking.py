"""The probability of liking: does it tell likes of held-out people, and does it mean what it says?

The same people, questions and histories as the adapter's judge is measured on (`judging.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.benchmarks import judging
from eval.benchmarks.tables import Section
from eval.metrics import Estimate, RankedScores, bootstrap, log_loss
from eval.ranking_metrics import expected_calibration_error
from finetune.liking import Posed, Shelf, Trained, fit_line, questions, train_liking
from finetune.splits import held_out_users
from retrieval.behaviour.likings import Asked
from retrieval.liking import matrix, sigmoid
from retrieval.workspace import Workspace

TENTHS = 10
PARTS = 10
"""Parts of the held-out people; the judge's weight for each part is fitted on the other nine."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LikingRow:
    """How well one system tells likes. `area`: AUC; `loss`: log loss in nats.

    `calibration_error`: the expected one, over ten bins.
    """

    system: str
    judgements: int
    people: int
    area: Estimate
    loss: float
    calibration_error: Estimate


@dataclass(frozen=True, slots=True)
class Bin:
    """Judgements with a probability from `low` to `high`: the mean `said`, and the share that was `liked`."""

    low: float
    high: float
    judgements: int
    said: float
    liked: float


def measure_liking(
    workspace: Workspace,
    judge: judging.Probabilities | None,
    n: int,
    seed: int,
    say: Callable[[str], None],
) -> Iterator[Section]:
    """The tables. `judge`: a language model, asked `n` of the questions; None: none is.

    Raises JudgingError for a workspace without ratings.
    """
    if workspace.interactions is None:
        raise judging.JudgingError("This workspace has no interactions: liking is learned from ratings.")
    interactions, catalogue = workspace.interactions, workspace.catalogue
    training, held = judging.split_people(interactions, catalogue)
    given = judging.instances(held, catalogue)
    out = held_out_users(interactions.users)
    is_held = np.array([user in out for user in interactions.users])
    shelf = Shelf.of(interactions, catalogue, workspace.dense.vectors)
    say(f"training on {len(training)} people")
    trained = train_liking(shelf, np.flatnonzero(~is_held), seed)
    posed = questions(shelf, np.flatnonzero(is_held))
    systems = judging.baselines(training, given, catalogue) | _own(trained, posed)
    rows = [_row(name, scores, posed, seed) for name, scores in systems.items()]
    yield Section("liking: ratings above 3 of held-out people, after the ten before", tuple(rows))
    final = systems["features: trees and regression"]
    yield Section("liking: what is said and what comes true", reliability(final, posed.positive))
    if judge is not None:
        draw = np.random.default_rng(seed).choice(len(given), min(n, len(given)), replace=False)
        sample = np.sort(draw)
        say(f"judge: {len(sample)} questions")
        said = np.array(judge(judging.prompts(given.take(sample), catalogue)))
        yield _with_judge(systems, said, posed, sample, seed)


def _own(trained: Trained, posed: Posed) -> dict[str, Floats]:
    """What our models say, alone and together."""
    table = trained.table(posed.asked)
    liking = trained.liking
    values = matrix(table, liking.names)
    return {
        "taste (Gaussian process)": np.clip(table["taste"], 0, 1),
        "features: logistic regression": sigmoid(liking.line.log_odds(values)),
        "features: boosted trees": np.asarray(liking.trees.predict(values, num_threads=1)),
        "features: trees and regression": liking.chances(table),
    }


def _with_judge(
    systems: dict[str, Floats], said: Floats, posed: Posed, sample: NDArray[np.int64], seed: int
) -> Section:
    part = Posed(
        Asked(*(getattr(posed.asked, name)[sample] for name in ("item", "history", "liked", "ago"))),
        posed.person[sample],
        posed.positive[sample],
    )
    scores = {name: values[sample] for name, values in systems.items()}
    ours = scores["features: trees and regression"]
    joined = with_judge(ours, said, part.positive, part.person)
    rows = {**scores, "language-model judge": said, "features and judge": joined}
    table = tuple(_row(name, values, part, seed) for name, values in rows.items())
    return Section("liking: on the questions that the judge was asked too", table)


def with_judge(ours: Floats, said: Floats, positive: NDArray[np.bool_], person: NDArray[np.int64]) -> Floats:
    """Both probabilities as one: logistic regression of their log-odds, [n].

    The judge has learned from the training people's verdicts, so its weight there would be too high. For each
    tenth of the held-out people it is fitted on the others.
    """
    odds = np.column_stack([_log_odds(ours), _log_odds(said)])
    _, place = np.unique(person, return_inverse=True)
    joined = np.zeros(len(ours))
    for part in range(PARTS):
        own = place % PARTS == part
        joined[own] = sigmoid(fit_line(odds[~own], positive[~own]).log_odds(odds[own]))
    return joined


def _log_odds(chances: Floats) -> Floats:
    kept = np.clip(chances, 1e-4, 1 - 1e-4)
    return np.log(kept / (1 - kept))


def _row(system: str, scores: Floats, posed: Posed, seed: int) -> LikingRow:
    people, person = np.unique(posed.person, return_inverse=True)
    ranked = RankedScores(scores, posed.positive)
    return LikingRow(
        system,
        len(scores),
        len(people),
        bootstrap(len(people), lambda weights: ranked.area(weights[person]), seed),
        log_loss(scores, posed.positive),
        bootstrap(
            len(people),
            lambda weights: expected_calibration_error(scores, posed.positive, weights=weights[person]),
            seed,
        ),
    )


def reliability(chances: Floats, positive: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Ten bins of the same width; empty ones are left out."""
    place = np.minimum((chances * TENTHS).astype(int), TENTHS - 1)
    return tuple(
        Bin(
            number / TENTHS,
            (number + 1) / TENTHS,
            int((place == number).sum()),
            float(chances[place == number].mean()),
            float(positive[place == number].mean()),
        )
        for number in range(TENTHS)
        if (place == number).any()
    )

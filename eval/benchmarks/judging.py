"""Will this person like this item? AUC on held-out people, beside what can be had without a language model.

The published few-shot protocol (Bao et al., "TALLRec", RecSys 2023): a rating above 3 is a yes, and the ten
ratings before it, with their verdicts, are what is known of the person.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.judge import LONGEST_HISTORY, Verdict, candidate_line, history_text
from eval.metrics import Estimate, RankedScores, bootstrap, log_loss
from finetune.splits import held_out_users
from finetune.verdicts import histories
from retrieval.catalogue import Catalogue
from retrieval.errors import TastebudError
from retrieval.interactions import Interactions

Probabilities = Callable[[Sequence[str]], Sequence[float]]
"""Prompts -> how likely yes is for each, in order."""

Person = tuple[str, list[Verdict]]

_FOLDS = 5
_PRIOR = 5.0  # votes of the average that every item's mean begins with
_SHRINK = 20.0  # people two items need in common for half of their likeness to count
_DAMPING = 0.1  # likeness that pulls towards the item's mean where its neighbours are weak


class JudgingError(TastebudError):
    """Interactions that nothing can be judged on."""


@dataclass(frozen=True, slots=True)
class Judged:
    """How well one system tells likes: AUC with its interval over people, log loss in nats.

    `seconds`: median for twenty candidates of one person; None for baselines.
    """

    system: str
    judgements: int
    people: int
    area: Estimate
    loss: float
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Instances:
    """One row per judgement. `item`, `history` [n, 10] (oldest first) are places in the catalogue."""

    person: NDArray[np.int64]
    item: NDArray[np.int64]
    history: NDArray[np.int64]
    liked: NDArray[np.float64]
    positive: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.item)

    def take(self, rows: NDArray[np.int64]) -> Instances:
        """The given rows only, in that order."""
        kept = self.person[rows], self.item[rows], self.history[rows], self.liked[rows], self.positive[rows]
        return Instances(*kept)


def split_people(interactions: Interactions, catalogue: Catalogue) -> tuple[list[Person], list[Person]]:
    """(training, held-out) people with their verdicts in the order of time. Raises JudgingError."""
    if not interactions.explicit:
        raise JudgingError("These interactions are no ratings: nobody said no, so there is nothing to judge.")
    held = held_out_users(interactions.users)
    everybody = list(histories(interactions, catalogue))
    return [p for p in everybody if p[0] not in held], [p for p in everybody if p[0] in held]


def instances(people: Sequence[Person], catalogue: Catalogue) -> Instances:
    """Every verdict with ten before it. Raises JudgingError when there is none."""
    rows = []
    for number, (_, verdicts) in enumerate(people):
        places = [catalogue.row(verdict.item.item_id) for verdict in verdicts]
        likes = [float(verdict.liked) for verdict in verdicts]
        for end in range(LONGEST_HISTORY, len(verdicts)):
            span = slice(end - LONGEST_HISTORY, end)
            rows.append((number, places[end], places[span], likes[span], verdicts[end].liked))
    if not rows:
        raise JudgingError(f"Nobody here has more than {LONGEST_HISTORY} ratings: nothing can be judged.")
    person, item, history, liked, positive = zip(*rows, strict=True)
    return Instances(
        np.array(person), np.array(item), np.array(history), np.array(liked), np.array(positive, dtype=bool)
    )


class Neighbours:
    """What people's verdicts alone say: how often an item is liked, and which items are liked together."""

    def __init__(self, people: Sequence[Person], catalogue: Catalogue) -> None:
        seen = np.zeros((len(people), len(catalogue)), np.float32)
        liked = np.zeros_like(seen)
        for number, (_, verdicts) in enumerate(people):
            places = [catalogue.row(verdict.item.item_id) for verdict in verdicts]
            seen[number, places] = 1
            liked[number, places] = [verdict.liked for verdict in verdicts]
        average = liked.sum() / seen.sum()
        self.mean = (liked.sum(axis=0) + _PRIOR * average) / (seen.sum(axis=0) + _PRIOR)
        known = np.flatnonzero(seen.any(axis=0))
        self._place = np.full(len(catalogue), len(known))
        self._place[known] = np.arange(len(known))
        seen, away = seen[:, known], (liked - seen * self.mean)[:, known]
        length = np.sqrt((away**2).sum(axis=0)) + 1e-9
        common = seen.T @ seen
        likeness = (away.T @ away) / np.outer(length, length) * common / (common + _SHRINK)
        np.fill_diagonal(likeness, 0)
        self._likeness = np.pad(likeness, (0, 1))  # the last row is of items that nobody rated

    def features(self, given: Instances) -> NDArray[np.float64]:
        """[n, 3]: the item's mean, the person's recent mean, and item-item over the ten.

        Item-item: mean + sum(w * (verdict - mean)) / (sum|w| + .1) with w the cosine of deviations from
        the items' means, shrunk where few people rated both (Sarwar et al., WWW 2001).
        """
        weight = self._likeness[self._place[given.item][:, None], self._place[given.history]]
        away = given.liked - self.mean[given.history]
        near = (weight * away).sum(axis=1) / (np.abs(weight).sum(axis=1) + _DAMPING)
        mean = self.mean[given.item]
        return np.stack([mean, given.liked.mean(axis=1), mean + near], axis=1)


def fit_logistic(features: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights [k + 1], the intercept last, by Newton's method (Hastie et al., "ESL", 4.4.1)."""
    design = np.column_stack([features, np.ones(len(features))])
    weights = np.zeros(design.shape[1])
    for _ in range(12):
        chance = _sigmoid(design @ weights)
        curve = design.T @ (design * (chance * (1 - chance))[:, None]) + 1e-6 * np.eye(len(weights))
        weights += np.linalg.solve(curve, design.T @ (positive - chance))
    return weights


def baselines(training: Sequence[Person], given: Instances, catalogue: Catalogue) -> dict[str, NDArray]:
    """Scores in [0, 1] of every baseline for `given`; all are fitted on the `training` people.

    The logistic regression learns from each person with neighbours that others made, or it would trust
    them too much.
    """
    parts, targets = [], []
    for fold in range(min(_FOLDS, len(training))):
        others = [person for number, person in enumerate(training) if number % _FOLDS != fold]
        theirs = training[fold::_FOLDS]
        if others and any(len(verdicts) > LONGEST_HISTORY for _, verdicts in theirs):
            rows = instances(theirs, catalogue)
            parts.append(Neighbours(others, catalogue).features(rows))
            targets.append(rows.positive)
    if not parts:
        raise JudgingError("The people to learn from have too few ratings for any baseline.")
    weights = fit_logistic(np.concatenate(parts), np.concatenate(targets))
    features = Neighbours(training, catalogue).features(given)
    mean, recent, near = features.T
    return {
        "item mean": mean,
        "the person's recent mean": recent,
        "item-item over the ten": np.clip(near, 0, 1),
        "logistic regression of the three": _sigmoid(features @ weights[:-1] + weights[-1]),
    }


def prompts(given: Instances, catalogue: Catalogue) -> list[str]:
    """The judge's whole prompt of every instance."""
    items = list(catalogue)
    texts = []
    for item, history, liked in zip(given.item, given.history, given.liked, strict=True):
        verdicts = [Verdict(items[i], bool(yes)) for i, yes in zip(history, liked, strict=True)]
        texts.append(history_text(verdicts) + candidate_line(items[item]))
    return texts


def judged(system: str, given: Instances, scores: NDArray[np.float64], seed: int = 0) -> Judged:
    """The figures of one system from its scores."""
    people, person = np.unique(given.person, return_inverse=True)
    ranked = RankedScores(scores, given.positive)
    area = bootstrap(len(people), lambda weights: ranked.area(weights[person]), seed)
    return Judged(system, len(given), len(people), area, log_loss(scores, given.positive))


def measure_judging(
    interactions: Interactions,
    catalogue: Catalogue,
    systems: Mapping[str, Probabilities],
    n: int = 3000,
    seed: int = 0,
) -> tuple[Judged, ...]:
    """Baselines on all judgements of the held-out people; baselines and `systems` on a sample of `n` of them.

    `systems`: language models by name. Raises JudgingError where there is nothing to judge.
    """
    training, held = split_people(interactions, catalogue)
    everything = instances(held, catalogue)
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(everything), min(n, len(everything)), replace=False))
    part = everything.take(rows)
    whole = baselines(training, everything, catalogue)
    table = [judged(name, everything, scores, seed) for name, scores in whole.items()]
    if len(part) < len(everything):
        table += [judged(name, part, scores[rows], seed) for name, scores in whole.items()]
    texts = prompts(part, catalogue) if systems else []
    for name, probabilities in systems.items():
        table.append(judged(name, part, np.array(probabilities(texts)), seed))
    return tuple(table)


def time_twenty(
    judge: Callable[[str, Sequence[str]], object], catalogue: Catalogue, repeats: int = 9
) -> list[float]:
    """Seconds that `judge` (prefix, candidates) takes for twenty candidates, after a history new to it."""
    rng = np.random.default_rng(0)
    items = list(catalogue)
    seconds = []
    for number in range(repeats + 1):
        chosen = [items[i] for i in rng.choice(len(items), LONGEST_HISTORY + 20, replace=len(items) < 30)]
        past = [Verdict(item, place % 3 > 0) for place, item in enumerate(chosen[:LONGEST_HISTORY])]
        candidates = [candidate_line(item) for item in chosen[LONGEST_HISTORY:]]
        began = time.perf_counter()
        judge(history_text(past), candidates)
        if number:  # the first call warms up
            seconds.append(time.perf_counter() - began)
    return seconds


def _sigmoid(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-odds))

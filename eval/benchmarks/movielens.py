"""MovieLens by its published protocols: random 75/25 per user, leave-last-out, and items that are new.

Rankings are over all items a user has no training rating of; negatives are never sampled. Settings are chosen
on part of the training ratings, the test part is looked at once. Intervals are over users.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eval import ranking_metrics as metrics
from eval.benchmarks.cold_items import measure_cold
from eval.benchmarks.movielens_data import MovieLens, Split, folds, last_out, random_split
from eval.benchmarks.recipes import DEPTH, Chosen, choose, generated, ndcg, neural, stack
from eval.benchmarks.stacking import FOLDS
from eval.benchmarks.tables import Section
from eval.metrics import Estimate, bootstrap
from retrieval.behaviour.model import Scores, ones, per_item, without_seen
from retrieval.behaviour.splits import part

TRAINED_ON = 0.75
REFERENCE = "EASE"


@dataclass(frozen=True, slots=True)
class Ranked:
    """How well one model ranks. `gain`: its NDCG@10 less that of plain EASE, user by user.

    `novelty` in bits; `seconds` for learning and scoring everybody, a blend's without those of its models
    where they were measured before; `settings` as chosen, in words.
    """

    model: str
    ndcg_10: Estimate
    gain: Estimate
    precision_10: float
    recall_10: float
    mrr: float
    coverage_10: float
    gini_10: float
    novelty_10: float
    seconds: float
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """Figures of others, to be read beside ours."""

    model: str
    ndcg_10: float
    precision_10: float
    recall_10: float


# recommenders-team/recommenders, README.md, "Algorithm Comparison". Its 75/25 split is per item where ours is
# per user, and its settings are from the literature, so a difference of a hundredth says nothing.
PUBLISHED = (
    Published("BiVAE", 0.475077, 0.411771, 0.219145),
    Published("BPR", 0.441997, 0.388229, 0.212522),
    Published("LightGCN", 0.419846, 0.379626, 0.144336),
    Published("NeuMF", 0.396118, 0.347296, 0.180775),
    Published("SAR", 0.382461, 0.330753, 0.176385),
)
ML_100K = (943, 1682)


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure. `neural`: the torch models too; `blend`: the learned one too, which needs LightGBM."""

    protocols: tuple[str, ...] = ("random", "last", "cold")
    neural: bool = True
    blend: bool = True
    seed: int = 0


def measure(data: MovieLens, options: Options, say: Callable[[str], None]) -> Iterator[Section]:
    """A table for each protocol, as each is done."""
    if "random" in options.protocols:
        title = "Random 75/25 per user, all test items relevant, full ranking"
        yield Section(title, _random(data, options, say))
        if data.ratings.shape == ML_100K:
            yield Section("Published for MovieLens 100K, 75/25 per item (recommenders, README)", PUBLISHED)
    if "last" in options.protocols:
        title = "Leave-last-out, full ranking (others' later ratings are known)"
        yield Section(title, _last(data, options, say))
    if "cold" in options.protocols:
        title = "New items: all ratings of 20 % of the items removed from training"
        yield Section(title, measure_cold(data, options.seed))


def _random(data: MovieLens, options: Options, say: Callable[[str], None]) -> tuple[Ranked, ...]:
    split = random_split(data.ratings, TRAINED_ON, options.seed)
    validation = folds(split.train, FOLDS, options.seed)[0]
    chosen = [*choose(validation, data, say)]
    if options.blend:
        chosen += stack(chosen, data, options.seed)
    if options.neural:
        chosen += [*neural(options.seed), generated(validation, options.seed, say)]
    return measured(chosen, split, options.seed, say)


def _last(data: MovieLens, options: Options, say: Callable[[str], None]) -> tuple[Ranked, ...]:
    split = last_out(data.ratings, data.times, options.seed)
    validation = last_out(split.train, part(data.times, split.kept), options.seed)
    return measured(choose(validation, data, say), split, options.seed, say)


def measured(
    chosen: Sequence[Chosen], split: Split, seed: int, say: Callable[[str], None]
) -> tuple[Ranked, ...]:
    """The figures of every recipe on the test part; one of them is called EASE."""
    scored: dict[str, tuple[Scores, float]] = {}
    for one in chosen:
        started = time.perf_counter()
        scores = one.recipe(split.train)
        scored[one.name] = scores, time.perf_counter() - started
        figure = metrics.mean(ndcg(scores, split))
        say(f"test {figure:.4f}  {one.name}, {scored[one.name][1]:.1f} s")
    reference = ndcg(scored[REFERENCE][0], split)
    rows = (_row(one, *scored[one.name], split, reference, seed) for one in chosen)
    return tuple(rows)


def _row(
    one: Chosen, scores: Scores, seconds: float, split: Split, reference: metrics.Floats, seed: int
) -> Ranked:
    wanted, counts = ones(split.test), per_item(split.train)
    n = np.diff(wanted.indptr)
    everything = metrics.top(without_seen(scores, split.train), scores.shape[1])
    found = metrics.hits(everything, wanted)
    figure = metrics.ndcg_at(found, n, DEPTH)
    # Precision is of the users who want something, as every other figure is.
    precise = np.where(n > 0, metrics.precision_at(found, DEPTH), np.nan)
    users = len(n)
    return Ranked(
        one.name,
        bootstrap(users, lambda weights: metrics.mean(figure, weights), seed),
        bootstrap(users, lambda weights: metrics.mean(figure - reference, weights), seed),
        metrics.mean(precise),
        metrics.mean(metrics.recall_at(found, n, DEPTH)),
        metrics.mean(metrics.reciprocal_rank(found, n)),
        metrics.coverage_at(everything, scores.shape[1], DEPTH),
        metrics.gini(metrics.exposure(everything, scores.shape[1], DEPTH)),
        metrics.mean(metrics.novelty_at(everything, counts, users, DEPTH)),
        seconds,
        (one.settings,),
    )

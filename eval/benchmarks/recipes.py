"""Models of behaviour as they are measured: recipes, with settings chosen on part of the training ratings."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from eval import ranking_metrics as metrics
from eval.benchmarks.movielens_data import MovieLens, Split
from eval.benchmarks.stacking import Recipe, learned, weighted
from eval.benchmarks.timed import in_time, parts_in_time
from retrieval.behaviour.als import Als
from retrieval.behaviour.augment import augmented
from retrieval.behaviour.bpr import Bpr
from retrieval.behaviour.cfgan import Cfgan
from retrieval.behaviour.ease import Ease, with_facets
from retrieval.behaviour.model import BehaviourModel, Matrix, Scores, ones, without_seen
from retrieval.behaviour.neighbours import ItemNeighbours, UserNeighbours
from retrieval.behaviour.neumf import NeuMf
from retrieval.behaviour.popularity import Popularity
from retrieval.behaviour.spectral import Spectral
from retrieval.behaviour.splits import part

Made = TypeVar("Made")

DEPTH = 10
GENRE_WEIGHTS = (5.0, 20.0, 50.0)
BLENDED = ("EASE with genres", "ALS", "spectral")
STEPS = 4
RATIOS = (0.1, 0.3, 1.0)
STACKED = (
    *("EASE", "EASE, denoising", "EASE with genres", "EASE over people", "EASE on likes"),
    *("ALS", "spectral", "item-kNN", "user-kNN", "EASE in time with genres"),
)
MORE_ALS = ((16, 1), (16, 2), (24, 3), (24, 4), (48, 5))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A recipe, its settings in words, and its NDCG@10 in validation; None where it was not chosen there."""

    name: str
    recipe: Recipe
    settings: str
    validation: float | None


def remembered(recipe: Callable[[Matrix], Made]) -> Callable[[Matrix], Made]:
    """The same recipe, which keeps what it last made: blends ask for what was measured by itself."""
    last: list[tuple[Matrix, Made]] = []

    def scores(train: Matrix) -> Made:
        if not last or last[0][0] is not train:
            last[:] = [(train, recipe(train))]
        return last[0][1]

    return scores


def plain(model: BehaviourModel) -> Recipe:
    """What a model makes of who rated what, whatever the rating."""

    def scores(train: Matrix) -> Scores:
        pattern = ones(train)
        return model.fit(pattern).scores(pattern, np.arange(train.shape[0]))

    return scores


def ndcg(scores: Scores, split: Split) -> metrics.Floats:
    """NDCG@10 of every user, of what they have no rating of in training; all test ratings are relevant."""
    ranked = metrics.top(without_seen(scores, split.train), DEPTH)
    wanted = ones(split.test)
    return metrics.ndcg_at(metrics.hits(ranked, wanted), np.diff(wanted.indptr), DEPTH)


def choose(validation: Split, data: MovieLens, say: Callable[[str], None]) -> tuple[Chosen, ...]:
    """The closed-form models, each with the settings that are best in validation, and their plain blend."""
    found = [best(name, tried, validation, say) for name, tried in _candidates(data).items()]
    chosen = [replace(one, recipe=remembered(one.recipe)) for one in found]
    return (*chosen, blend(chosen, validation))


def best(
    name: str, candidates: Iterable[tuple[str, Recipe]], validation: Split, say: Callable[[str], None]
) -> Chosen:
    """The recipe with the highest mean NDCG@10; of equals the first."""
    tried: list[tuple[float, Chosen]] = []
    for words, recipe in candidates:
        figure = metrics.mean(ndcg(recipe(validation.train), validation))
        say(f"validation {figure:.4f}  {name}: {words}")
        tried.append((figure, Chosen(name, recipe, words, figure)))
    return max(tried, key=lambda one: one[0])[1]


def _candidates(data: MovieLens) -> Mapping[str, Iterable[tuple[str, Recipe]]]:
    """Every model's settings to choose from."""
    penalties = ((100.0, 0.4, 0.0), (120.0, 0.4, 0.1), (50.0, 0.6, 0.0), (30.0, 0.6, 0.1), (15.0, 0.8, 0.0))
    factors = itertools.product((16, 32, 48), (0.015, 0.02, 0.03), (0.2,))
    return {
        "popularity": [_with(Popularity())],
        "item-kNN": [_with(ItemNeighbours(k, s)) for k in (20, 50, 100) for s in (10.0, 50.0)],
        "user-kNN": [_with(UserNeighbours(k)) for k in (80, 120, 200)],
        "EASE": [_with(Ease(strength)) for strength in (200.0, 300.0, 500.0, 700.0, 1000.0)],
        "EASE, denoising": [_with(Ease(*settings)) for settings in penalties],
        "EASE with genres": [
            _with_genres(Ease(*settings), data, weight)
            for settings in penalties[2:4]
            for weight in GENRE_WEIGHTS
        ],
        "EASE over people": [_over_people(Ease(strength)) for strength in (200.0, 300.0, 500.0)],
        "EASE on likes": [_on_likes(Ease(strength)) for strength in (200.0, 400.0)],
        "spectral": [_with(Spectral(k)) for k in (24, 32, 48)],
        "ALS": [_with(Als(*settings)) for settings in factors],
        **in_time(data),
    }


def _with(model: BehaviourModel) -> tuple[str, Recipe]:
    return repr(model), plain(model)


def _with_genres(model: Ease, data: MovieLens, weight: float) -> tuple[str, Recipe]:
    def scores(train: Matrix) -> Scores:
        pattern = ones(train)
        return model.fit(with_facets(pattern, data.genres, weight)).scores(pattern)

    return f"{model!r}, genres {weight:g}", scores


def _over_people(model: Ease) -> tuple[str, Recipe]:
    def scores(train: Matrix) -> Scores:
        people = ones(train).T.tocsr()
        return np.ascontiguousarray(model.fit(people).scores(people).T)

    return f"{model!r} of the transposed ratings", scores


def _on_likes(model: Ease) -> tuple[str, Recipe]:
    def scores(train: Matrix) -> Scores:
        low, high = float(train.data.min()), float(train.data.max())
        liked = ones(part(train, train.data >= low + 0.75 * (high - low)))
        return model.fit(liked).scores(liked)

    return repr(model), scores


def blend(chosen: Iterable[Chosen], validation: Split) -> Chosen:
    """The weighted average of standardised scores of three models, its weights from a grid of quarters."""
    parts = [next(one for one in chosen if one.name == name) for name in BLENDED]
    scores = [one.recipe(validation.train) for one in parts]
    grid = [w for w in itertools.product(range(STEPS + 1), repeat=len(parts)) if sum(w) == STEPS]

    def figure(weights: tuple[int, ...]) -> float:
        return metrics.mean(ndcg(weighted(scores, weights, validation.train), validation))

    weights = max(grid, key=figure)
    words = ", ".join(f"{w / STEPS:g} {name}" for w, name in zip(weights, BLENDED, strict=True))

    def recipe(train: Matrix) -> Scores:
        return weighted([one.recipe(train) for one in parts], weights, train)

    return Chosen("weighted blend", recipe, words, figure(weights))


def neural(seed: int) -> tuple[Chosen, ...]:
    """The models that learn in torch: early stopping chooses the epochs, nothing else of them is tuned."""
    models = (Bpr(seed=seed), NeuMf(seed=seed), Cfgan(seed=seed))
    return tuple(Chosen(model.name, plain(model), repr(model), None) for model in models)


def generated(validation: Split, seed: int, say: Callable[[str], None]) -> Chosen:
    """EASE with rows that CFGAN makes of sparse users below the others, at the ratio best in validation."""
    known = ones(validation.train)
    generator = Cfgan(seed=seed).fit(known)

    def mixed(pattern: Matrix, generator: Cfgan, ratio: float) -> Scores:
        return Ease().fit(augmented(pattern, generator, ratio, seed)).scores(pattern)

    figures = {
        ratio: metrics.mean(ndcg(mixed(known, generator, ratio), validation)) for ratio in (0.0, *RATIOS)
    }
    for ratio, figure in figures.items():
        say(f"validation {figure:.4f}  EASE with made rows: ratio {ratio:g}")
    ratio = max(RATIOS, key=lambda ratio: figures[ratio])

    def recipe(train: Matrix) -> Scores:
        pattern = ones(train)
        return mixed(pattern, Cfgan(seed=seed).fit(pattern), ratio)

    words = (
        f"{Ease()!r}, ratio {ratio:g}; in validation {figures[ratio]:.4f} against {figures[0.0]:.4f} without"
    )
    return Chosen("EASE with made rows", recipe, words, figures[ratio])


def stack(chosen: Sequence[Chosen], data: MovieLens, seed: int) -> tuple[Chosen, ...]:
    """Learned blends of the closed-form models, of more ALS models, and of what times say."""
    recipes = {one.name: one.recipe for one in chosen if one.name in STACKED}
    for factors, start in MORE_ALS:
        recipes[f"ALS {factors}/{start}"] = plain(Als(factors, seed=start))
    recipes |= parts_in_time(data)
    made = remembered(lambda train: learned(train, recipes, data, seed))
    told = ", ".join(recipes)
    return (
        Chosen("blend by logistic regression", lambda train: made(train).line, told, None),
        Chosen("blend by boosted trees", lambda train: made(train).trees, told, None),
        Chosen("learned blend, both", lambda train: made(train).both, told, None),
    )

"""How likely somebody likes an item: a calibrated probability, from their verdicts and everybody else's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retrieval.behaviour.alike import Likeness
from retrieval.behaviour.likings import DAMPING, EMPTY, NOISE, NOISE_ALONE, Asked, Floats, Likings, posterior
from retrieval.errors import WorkspaceError

if TYPE_CHECKING:
    from lightgbm import Booster

MINUTE = 60.0
TREES, ABOUT = "trees.txt", "liking.json"


def features(
    asked: Asked, likings: Likings, alike: Mapping[str, Likeness], years: Floats
) -> dict[str, Floats]:
    """Float [n] each, by name, of every question. `years`: [n_items], without unknown ones."""
    there = asked.history != EMPTY
    history = np.where(there, asked.history, 0)
    away = (asked.liked - likings.mean[history]) * there
    count = np.maximum(there.sum(axis=1), 1)
    return {
        **_of_item(asked, likings, years),
        **_of_person(asked, likings, years, history, away, there),
        **_in_time(asked, away, there),
        **_of_taste(asked, likings),
        **_of_neighbours(asked, likings, history, away, there),
        **_of_kinds(asked, alike, history, away, there),
        "years from the history": np.abs(years[asked.item] - (years[history] * there).sum(axis=1) / count),
    }


def _of_item(asked: Asked, likings: Likings, years: Floats) -> dict[str, Floats]:
    item = asked.item
    return {
        "item mean": likings.share[item],
        "item mean, told by the like": likings.mean[item],
        "stars": likings.stars[item],
        "spread of stars": likings.spread[item],
        "popularity": likings.popularity[item],
        "year": years[item],
    }


def _of_person(
    asked: Asked, likings: Likings, years: Floats, history: NDArray, away: Floats, there: NDArray[np.bool_]
) -> dict[str, Floats]:
    count = np.maximum(there.sum(axis=1), 1)

    def usual(values: Floats) -> Floats:
        return (values[history] * there).sum(axis=1) / count

    return {
        "verdicts": there.sum(axis=1).astype(float),
        "person mean": (asked.liked * there).sum(axis=1) / count,
        "person above item means": away.sum(axis=1) / count,
        "last above its mean": away[:, -1],
        "last three above their means": away[:, -3:].sum(axis=1) / np.maximum(there[:, -3:].sum(axis=1), 1),
        "means of the history": usual(likings.mean),
        "popularity of the history": usual(likings.popularity),
        "more popular than the history": likings.popularity[asked.item] - usual(likings.popularity),
        "year of the history": usual(years),
    }


def _in_time(asked: Asked, away: Floats, there: NDArray[np.bool_]) -> dict[str, Floats]:
    ago = np.maximum(np.where(there, asked.ago, np.inf), 0.0)
    weight = np.exp(-ago / MINUTE)
    longest = np.where(there, ago, 0.0).max(axis=1)
    return {
        "since the last verdict": np.log1p(np.where(there.any(axis=1), ago.min(axis=1), 0.0)),
        "since the first verdict": np.log1p(longest),
        "verdicts of this moment": ((ago == 0) & there).sum(axis=1).astype(float),
        "last minutes above item means": (weight * away).sum(axis=1) / (weight.sum(axis=1) + 0.5),
    }


def _of_taste(asked: Asked, likings: Likings) -> dict[str, Floats]:
    mean = likings.mean[asked.item]
    shift, told = posterior(asked, likings.mean, likings.covariance, NOISE)
    return {
        "taste": mean + shift,
        "how much is known of it": told,
        "taste by likeness alone": mean + posterior(asked, likings.mean, likings.expected, 0.0)[0],
        "taste by verdicts alone": mean + posterior(asked, likings.mean, likings.alone, NOISE_ALONE)[0],
    }


def _of_neighbours(
    asked: Asked, likings: Likings, history: NDArray, away: Floats, there: NDArray[np.bool_]
) -> dict[str, Floats]:
    weight = likings.near[asked.item[:, None], history] * there
    liked, disliked = asked.liked * there, (1 - asked.liked) * there
    return {
        "item-item": (weight * away).sum(axis=1) / (np.abs(weight).sum(axis=1) + DAMPING),
        "item-item, how much": np.abs(weight).sum(axis=1),
        "liked together": (likings.likes[history, asked.item[:, None]] * liked).sum(axis=1),
        "disliked together": (likings.dislikes[history, asked.item[:, None]] * disliked).sum(axis=1),
    }


def _of_kinds(
    asked: Asked, alike: Mapping[str, Likeness], history: NDArray, away: Floats, there: NDArray[np.bool_]
) -> dict[str, Floats]:
    """Verdicts above the items' means, weighted by each kind of likeness, and how much of it there is."""
    found = {}
    for name, likeness in alike.items():
        weight = np.maximum(likeness[asked.item[:, None], history], 0) * there
        found[f"{name}: verdicts"] = (weight * away).sum(axis=1) / (weight.sum(axis=1) + 1.0)
        found[f"{name}: likeness"] = weight.sum(axis=1)
    return found


@dataclass(frozen=True, slots=True)
class Line:
    """A logistic regression: log-odds = weights . (features - centre) / scale + offset."""

    centre: Floats
    scale: Floats
    weights: Floats
    offset: float

    def log_odds(self, values: NDArray[np.floating]) -> Floats:
        """[n, features] -> [n]."""
        return (values - self.centre) / self.scale @ self.weights + self.offset


@dataclass(frozen=True, slots=True)
class Liking:
    """Mean log-odds of boosted trees and a logistic regression, calibrated: slope * mean + offset.

    The slope and the offset are fitted on people whom neither has learned from (Platt 1999). `names`: of the
    features, in the order of their columns.
    """

    names: tuple[str, ...]
    trees: Booster
    line: Line
    slope: float
    offset: float

    def chances(self, table: Mapping[str, Floats]) -> Floats:
        """Probabilities [n] from `features`. Raises WorkspaceError where one that it knows is missing."""
        missing = [name for name in self.names if name not in table]
        if missing:
            raise WorkspaceError(f"The model of liking also needs the feature {missing[0]!r}.")
        values = matrix(table, self.names)
        return sigmoid(self.slope * mean_log_odds(self.trees, self.line, values) + self.offset)

    def save(self, folder: Path) -> None:
        """Write trees.txt (LightGBM's own text) and liking.json; the folder is made where missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self.trees.save_model(folder / TREES)
        line = {name: getattr(self.line, name).tolist() for name in ("centre", "scale", "weights")}
        about = {
            "features": self.names,
            "line": {**line, "offset": self.line.offset},
            "slope": self.slope,
            "offset": self.offset,
        }
        (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Liking:
        """Read what `save` wrote. Raises WorkspaceError when it is missing or damaged."""
        import lightgbm

        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            trees = lightgbm.Booster(model_str=(folder / TREES).read_text(encoding="utf-8"))
            parts = about["line"]
            centre, scale, weights = (np.array(parts[name], float) for name in ("centre", "scale", "weights"))
            line = Line(centre, scale, weights, float(parts["offset"]))
            return cls(tuple(about["features"]), trees, line, float(about["slope"]), float(about["offset"]))
        except (OSError, ValueError, KeyError, TypeError, lightgbm.basic.LightGBMError) as problem:
            raise WorkspaceError(
                f"The model of liking in {folder} is missing or damaged ({problem}). Train it again."
            ) from None


def matrix(table: Mapping[str, Floats], names: Sequence[str]) -> NDArray[np.float32]:
    """The features of those names as columns, float32 [n, names]."""
    return np.column_stack([table[name] for name in names]).astype(np.float32)


def mean_log_odds(trees: Booster, line: Line, values: NDArray[np.float32]) -> Floats:
    """The mean of what both models say, [n]."""
    by_trees = np.asarray(trees.predict(values, raw_score=True, num_threads=1))
    return (by_trees + line.log_odds(values)) / 2


def sigmoid(odds: Floats) -> Floats:
    """1 / (1 + exp(-log-odds))."""
    return 1 / (1 + np.exp(-odds))

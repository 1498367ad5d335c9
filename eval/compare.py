"""Two result files of the same command: what differs, and is the second one worse?

Both files measured the same units (people, scripts). For each metric the units' differences are drawn with
replacement (paired bootstrap; Efron & Tibshirani 1993), so that what makes a unit easy or hard cancels out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.metrics import Estimate, bootstrap
from retrieval.errors import TastebudError

BETTER: Mapping[str, int] = {
    "success@1": 1,
    "success@10": 1,
    "turns": -1,
    "questions": 0,
    "repeats": -1,
    "broken": -1,
    "passed": 1,
    "seconds": -1,
}
"""1: more is better, -1: less is, 0: neither."""

GATES: Mapping[str, str] = {"simulate": "success@10", "scripts": "passed"}
"""The metric that decides, for each command, where none is named."""

LEAST_PAIRS = 6
"""Fewer units cannot differ significantly at 5 %: the smallest p of a sign test is 2 / 2^n."""

ALL = "all"


class CompareError(TastebudError):
    """Two files that cannot be compared; the message says why."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One person or script. `slices`: what it belongs to. `metrics` leaves out what is undefined."""

    key: str
    slices: Mapping[str, str]
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A file as it was read. `same`: settings that have to agree for its units to be the same."""

    path: Path
    command: str
    units: Mapping[str, Unit]
    same: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """B less A over the units of one slice, in one metric. `verdict`: "better", "worse", or "-" for neither.

    It is a verdict where the 95 % interval of the difference leaves out 0 and there are `LEAST_PAIRS` units.
    """

    metric: str
    slice: str
    units: int
    a: float
    b: float
    difference: Estimate
    verdict: str


def read_results(path: Path) -> ResultFile:
    """A file that `eval simulate` or `eval scripts` wrote with --json. Raises CompareError for any other."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CompareError(f"Cannot read {str(path)!r}: {error.strerror}.") from None
    except ValueError as error:
        raise CompareError(f"{path} is not JSON ({error}).") from None
    known = data if isinstance(data, dict) else {}
    try:
        if known.get("command") == "simulate":
            return _simulated(path, known)
        if isinstance(known.get("results"), list):
            return _scripted(path, known)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CompareError(f"{path} is damaged: {type(error).__name__} {error}.") from None
    raise CompareError(f"{path} holds no figures to compare: give files that simulate or scripts wrote.")


def _simulated(path: Path, data: Mapping[str, Any]) -> ResultFile:
    """People; with several recommenders in the file, a unit is a person with one of them.

    The baselines' people are left out: a comparison is between two versions of the product.
    """
    policies = data["settings"]["policies"]
    units = {}
    for row in data["people"]:
        if row["recommender"] not in policies:
            continue
        several = len(policies) > 1
        key = f"{row['recommender']}: {row['key']}" if several else row["key"]
        slices = {**row["slices"], **({"policy": row["recommender"]} if several else {})}
        units[key] = Unit(key, slices, _defined(row["metrics"]))
    same = {name: data["settings"][name] for name in ("seed", "data", "voice")}
    return ResultFile(path, "simulate", units, same)


def _scripted(path: Path, data: Mapping[str, Any]) -> ResultFile:
    units = {}
    for row in data["results"]:
        metrics = {"passed": float(row["passed"]), "seconds": row.get("median_turn_seconds")}
        units[row["name"]] = Unit(row["name"], {"family": str(row.get("family", ""))}, _defined(metrics))
    return ResultFile(path, "scripts", units, {})


def _defined(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if value is not None}


def pair(a: ResultFile, b: ResultFile) -> tuple[tuple[Unit, Unit], ...]:
    """The units that both files hold. Raises CompareError where the files cannot be compared."""
    if a.command != b.command:
        raise CompareError(
            f"{a.path} is of `{a.command}` and {b.path} of `{b.command}`: compare like with like."
        )
    for name in a.same:
        if a.same[name] != b.same[name]:
            raise CompareError(
                f"The two runs differ in {name} ({a.same[name]!r} and {b.same[name]!r}), so their people are "
                f"not the same: run one of them again with the other's --{name}."
            )
    shared = [key for key in a.units if key in b.units]
    if not shared:
        raise CompareError(f"{a.path} and {b.path} have no person or script in common.")
    return tuple((a.units[key], b.units[key]) for key in shared)


def compare(
    pairs: Sequence[tuple[Unit, Unit]], metrics: Sequence[str] = (), seed: int = 0
) -> tuple[Difference, ...]:
    """A row for each metric over all units, and for each slice. `metrics` empty: every one there is.

    Raises CompareError for a metric that no pair has on both sides.
    """
    known = [name for name in BETTER if any(name in a.metrics and name in b.metrics for a, b in pairs)]
    for name in metrics:
        if name not in known:
            raise CompareError(f"These files have no metric {name!r}; they have {', '.join(known)}.")
    rows = []
    for name in metrics or known:
        measured = [(a, b) for a, b in pairs if name in a.metrics and name in b.metrics]
        rows.append(_difference(name, ALL, measured, seed))
        # A unit is in the slices that it had in A; what it is does not depend on the run.
        slices = sorted({item for a, _ in measured for item in a.slices.items()})
        for kind, value in slices:
            group = [(a, b) for a, b in measured if a.slices.get(kind) == value]
            rows.append(_difference(name, f"{kind}: {value}", group, seed))
    return tuple(rows)


def _difference(metric: str, slice_: str, pairs: Sequence[tuple[Unit, Unit]], seed: int) -> Difference:
    a = np.array([unit.metrics[metric] for unit, _ in pairs])
    b = np.array([unit.metrics[metric] for _, unit in pairs])
    gaps = b - a
    estimate = bootstrap(len(pairs), lambda weights: float(weights @ gaps) / float(weights.sum()), seed)
    verdict = _verdict(estimate, len(pairs), BETTER[metric])
    return Difference(metric, slice_, len(pairs), float(a.mean()), float(b.mean()), estimate, verdict)


def _verdict(difference: Estimate, units: int, better: int) -> str:
    if units < LEAST_PAIRS or not better or difference.low <= 0 <= difference.high:
        return "-"
    return "better" if (difference.low > 0) == (better > 0) else "worse"


def failures(rows: Sequence[Difference], gates: Sequence[str], fail_below: float | None) -> tuple[str, ...]:
    """Why B must not be promoted, in words; empty when it may. Only rows over all units decide.

    B fails in a metric of `gates` in which it is significantly worse than A, and where `fail_below` is
    given, in one whose own value is below it. Raises CompareError for a floor under a metric of which less
    is better.
    """
    found = []
    for row in rows:
        if row.slice != ALL or row.metric not in gates:
            continue
        if row.verdict == "worse":
            found.append(f"{row.metric} is significantly worse: {row.a:.3f} -> {row.b:.3f}, {row.difference}")
        if fail_below is not None and BETTER[row.metric] <= 0:
            raise CompareError(
                f"--fail-below is for metrics of which more is better, which {row.metric!r} is not."
            )
        if fail_below is not None and row.b < fail_below:
            found.append(f"{row.metric} of B is {row.b:.3f}, below {fail_below:g}")
    return tuple(found)


def to_json(rows: Sequence[Difference], reasons: Sequence[str]) -> dict[str, Any]:
    """The comparison as plain data; `failures` is empty where B may be promoted."""
    return {"command": "compare", "differences": [asdict(row) for row in rows], "failures": list(reasons)}

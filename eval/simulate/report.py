"""A simulation as tables for people, and as plain data for machines and for `tastebud eval compare`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from eval.benchmarks.tables import Section, as_table
from eval.machine import machine
from eval.metrics import Estimate
from eval.report import median
from eval.simulate.figures import differences, estimates, person_row, plain, slice_rows
from eval.simulate.runner import Outcome

Results = Mapping[str, Sequence[Outcome]]
"""Outcomes by recommender: the same people in the same order."""

COMPARED = ("ask-more", "recommend-early")

CAUTION = (
    "These people are cooperative: they know one film and tell it apart in the catalogue's own words. "
    "Success means something beside the baselines only."
)

Figures = Mapping[str, Mapping[str, Estimate]]
"""Figures by recommender and by their own names."""


def figures_of(results: Results, seed: int) -> dict[str, dict[str, Estimate]]:
    """All figures; where both of `COMPARED` talked, also the first less the second."""
    found = {name: estimates(outcomes, seed) for name, outcomes in results.items()}
    if set(COMPARED) <= found.keys():
        first, second = (results[name] for name in COMPARED)
        found[" less ".join(COMPARED)] = differences(first, second, seed)
    return found


def print_report(
    results: Results, figures: Figures, baselines: Sequence[str], seed: int, console: Console
) -> None:
    """All figures with a column per recommender, then the slices of all but the baselines."""
    people = len(next(iter(results.values())))
    title = f"{people} simulated people, 95 % intervals over people"
    table = Table(
        title=title,
        caption=CAUTION,
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE,
        pad_edge=False,
    )
    table.add_column("figure")
    for name in figures:
        table.add_column(name, justify="right")
    for figure in next(iter(figures.values())):
        table.add_row(figure, *(_cell(column[figure]) for column in figures.values()))
    console.print(table)
    rows = [row for name in results if name not in baselines for row in slice_rows(name, results[name], seed)]
    console.print(as_table(Section("By group", tuple(rows))))


def _cell(estimate: Estimate) -> str:
    """Two decimals and the interval, narrow enough for several columns; "-" where it is undefined."""
    if math.isnan(estimate.value):
        return "-"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def to_json(results: Results, figures: Figures, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings, machine, figures, and every conversation word for word.

    `figures` depend on nothing but the settings; `created`, `machine` and `median_turn_seconds` do not.
    """
    names = tuple(results)
    return {
        "command": "simulate",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": dict(settings),
        "machine": asdict(machine()),
        "median_turn_seconds": {name: median(_seconds(results[name])) for name in names},
        "figures": {
            name: {figure: plain(one) for figure, one in column.items()} for name, column in figures.items()
        },
        "people": [
            {"recommender": name, **person_row(outcome)} for name in names for outcome in results[name]
        ],
        "conversations": [
            {"recommender": name, **asdict(outcome)} for name in names for outcome in results[name]
        ],
    }


def _seconds(outcomes: Sequence[Outcome]) -> list[float]:
    """Mean wall seconds of a reply, for each conversation."""
    return [outcome.seconds / len(outcome.exchanges) for outcome in outcomes]

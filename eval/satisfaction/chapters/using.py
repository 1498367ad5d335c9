"""What people do with it, what they would make of it, and how long it takes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eval.benchmarks.latency import figure
from eval.benchmarks.tables import Section
from eval.machine import machine
from eval.metrics import Estimate, Floats, bootstrap
from eval.satisfaction import behaviour as acts
from eval.satisfaction import overall
from eval.satisfaction.behaviour import Session, Sessions
from eval.satisfaction.chapters.comparing import interval, percent, verdict
from eval.satisfaction.chapters.prose import claim, missing, notes_of, saying, title_of, words_of
from eval.satisfaction.lists import OURS, POPULAR
from eval.satisfaction.overall import Satisfaction
from eval.satisfaction.page.charts import Dot, DotChart, Row
from eval.satisfaction.page.document import Chapter, Tile, Verdict
from eval.satisfaction.people import People
from eval.satisfaction.replies import Said

WHOLE = "whole turn"
SLOW = 2000.0
"""Milliseconds from which a turn is felt as a wait."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that people did, or would have done. `of`: what it is a share or a mean of."""

    figure: str
    value: Estimate | float | None
    of: str


@dataclass(frozen=True, slots=True)
class Part:
    """One component of S: its weight, its mean with either recommender, and the points it gives Tastebud."""

    component: str
    weight: float
    tastebud: Estimate
    popularity: float
    points: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a turn. Milliseconds. `runs`: turns that took it. `share`: of the time of all turns."""

    stage: str
    runs: int
    median_ms: float
    worst_tenth_ms: float
    share: float


def behaviour(stored: Sessions, simulated: Sessions, seed: int) -> Chapter:
    """From the store where anybody has talked; else of simulated people."""
    sessions, source = (stored.found, "stored") if stored.found else (simulated.found, "simulated")
    if not sessions:
        return missing("behaviour", saying("behaviour", "nobody"))
    people = len({one.user for one in sessions})
    told = saying("behaviour", source, conversations=f"{len(sessions):,}", people=f"{people:,}")
    through, converted = acts.click_through(sessions, seed), acts.conversion(sessions, seed)
    summary = claim(
        "note",
        "behaviour",
        "taps",
        source=source,
        through=percent(through.value),
        converted=percent(converted.value),
    )
    return Chapter(
        "behaviour",
        title_of("behaviour"),
        words_of("behaviour", source=told),
        (Section(f"Behaviour, {source}", tuple(_acts(sessions, seed))),),
        notes=notes_of("behaviour"),
        claims=(summary,),
    )


def _acts(sessions: Sequence[Session], seed: int) -> Iterator[Act]:
    yield Act("click-through", acts.click_through(sessions, seed), "cards shown")
    if any(one.began is not None for one in sessions):
        yield Act("approval", acts.approval(sessions, seed), "cards tapped")
    yield Act("conversion", acts.conversion(sessions, seed), "conversations")
    yield Act("return", acts.return_rate(sessions), "people")
    yield Act("dwell, seconds", acts.dwell(sessions), "pauses between messages, median")
    yield Act("messages", float(np.mean([one.messages for one in sessions])), "conversations, mean")


def modelled(people: People, seed: int) -> Chapter:
    """S of this recommender beside that of one that knows only what is popular."""
    given, tasters = people.lists.usual, people.lists.tasters
    ours = overall.satisfaction(tasters, people.judged[OURS, given], people.met)
    popular = overall.satisfaction(tasters, people.judged[POPULAR, given], people.popular)
    rows = tuple(_parts(ours, popular, seed))
    chart = DotChart(
        "Points of satisfaction, by component",
        "points of 100",
        tuple(Row(r.component, (Dot(r.points, 0), Dot(100 * r.weight * r.popularity, 3))) for r in rows),
        legend=((0, "Tastebud"), (3, "popularity")),
        bars=True,
    )
    score, beside, gap = (_over(one, seed) for one in (ours.each, popular.each, ours.each - popular.each))
    words = words_of(
        "satisfaction",
        formula=" + ".join(f"{weight:g} {name}" for name, weight in overall.WEIGHTS.items()),
        ours=interval(score),
        popular=interval(beside),
        gap=interval(gap, signed=True),
        n=len(ours.users),
    )
    short, other = f"{score.value:.0f}", f"{beside.value:.0f}"
    return Chapter(
        "satisfaction",
        title_of("satisfaction"),
        words,
        (Section("Components, each from 0 to 1", rows),),
        (chart,),
        notes_of("satisfaction"),
        (claim(verdict(gap), "satisfaction", "score", score=short, beside=other),),
        Tile(f"{short} of 100", "modelled satisfaction", f"most popular: {other}"),
    )


def _parts(ours: Satisfaction, popular: Satisfaction, seed: int) -> Iterator[Part]:
    for name, weight in overall.WEIGHTS.items():
        mean, beside = _over(ours.parts[name], seed), float(popular.parts[name].mean())
        yield Part(name, weight, mean, beside, 100 * weight * mean.value, overall.MEANING[name])


def _over(values: Floats, seed: int) -> Estimate:
    """The mean over people."""
    return bootstrap(len(values), lambda weights: float(np.average(values, weights=weights)), seed)


def speed(said: Sequence[Said], llm: str) -> Chapter:
    """Median and worst tenth of every step of a turn, by the traces of all conversations."""
    if not said:
        return missing("speed", saying("speed", "none"))
    steps: dict[str, list[float]] = defaultdict(list)
    for one in said:
        for step in one.steps:
            steps[step.step].append(1000 * step.seconds)
    steps[WHOLE] = [1000 * one.seconds for one in said]
    total = math.fsum(steps[WHOLE]) or 1.0
    rows = tuple(
        Stage(name, row.runs, row.median, row.worst_tenth, math.fsum(values) / total)
        for name, values in steps.items()
        for row in (figure(name, "ms", values),)
    )
    chart = DotChart(
        "Each step of a turn",
        "milliseconds: median, and to the worst tenth in pale",
        tuple(Row(r.stage, (Dot(r.median_ms, 0, r.median_ms, r.worst_tenth_ms),)) for r in rows),
        bars=True,
    )
    median, tenth = f"{rows[-1].median_ms:.0f}", f"{rows[-1].worst_tenth_ms:.0f}"
    kind: Verdict = "good" if rows[-1].worst_tenth_ms < SLOW else "weak"
    told = claim(kind, "speed", "times", median=median, tenth=tenth, llm=llm, cpu=machine().cpu)
    return Chapter(
        "speed",
        title_of("speed"),
        words_of("speed", claim=told.text),
        (Section("Steps of a turn", rows),),
        (chart,),
        notes_of("speed"),
        (told,),
        Tile(f"{median} ms", "for a reply, in the middle", f"nine in ten: {tenth} ms"),
        timed=True,
    )

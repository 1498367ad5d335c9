"""How conversations go: simulated people with an item in mind, and scripted dialogues."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eval.benchmarks.tables import Section
from eval.metrics import Estimate
from eval.report import pass_rate
from eval.satisfaction.chapters.comparing import percent, verdict
from eval.satisfaction.chapters.prose import claim, missing, notes_of, saying, title_of, words_of
from eval.satisfaction.page.charts import Dot, DotChart, Line, LineChart, Row
from eval.satisfaction.page.document import Chapter, Tile, Verdict
from eval.satisfaction.people import People
from eval.satisfaction.replies import Played
from eval.script import FAMILIES
from eval.simulate.figures import differences, estimates, slice_rows
from eval.simulate.person import TURNS

NEARLY_ALL = 0.99
MOST = 0.9


@dataclass(frozen=True, slots=True)
class Simulated:
    """One figure of the conversations, with this recommender and with one that shows what is popular."""

    figure: str
    tastebud: Estimate
    popularity: Estimate
    difference: Estimate


@dataclass(frozen=True, slots=True)
class ByMessage:
    """Share of the people for whom the item in mind came first, or among the first ten, by then."""

    messages: int
    tastebud_at_1: Estimate
    tastebud_at_10: Estimate
    popularity_at_1: Estimate
    popularity_at_10: Estimate


@dataclass(frozen=True, slots=True)
class Slice:
    """One kind of simulated person, with Tastebud."""

    kind: str
    people: int
    success_at_10: Estimate
    turns: Estimate


@dataclass(frozen=True, slots=True)
class Family:
    """Scripts of one family: how many passed, with a Wilson interval, and how many checks held."""

    family: str
    scripts: int
    passed: int
    pass_rate: Estimate
    checks: int
    held: int


def talking(people: People, seed: int) -> Chapter:
    """People with an item in mind that they never name."""
    ours, theirs = ([one.outcome for one in met] for met in (people.met, people.popular))
    mine, popular, gaps = estimates(ours, seed), estimates(theirs, seed), differences(ours, theirs, seed)
    rows = tuple(
        Simulated(name, mine[name], popular[name], gaps[name])
        for name in mine
        if not math.isnan(mine[name].value) and not name.startswith(("in a model's", "success@"))
    )
    found = f"success@10 by turn {TURNS}"
    rows = (Simulated(found, mine[found], popular[found], gaps[found]), *rows)
    slices = tuple(
        Slice(r.slice, r.people, r.success_at_10, r.turns) for r in slice_rows("Tastebud", ours, seed)
    )
    lines = (_by_turn("Tastebud", 0, mine), _by_turn("popularity", 3, popular))
    ticks = tuple(float(turn) for turn in range(1, TURNS + 1))
    chart = LineChart("Found among the ten shown", "messages sent", "share of people", lines, ticks)
    share, beside = percent(mine[found].value), percent(popular[found].value)
    kept = 1 - mine["broken promises, share of items shown"].value
    return Chapter(
        "talking",
        title_of("talking"),
        words_of("talking", n=len(ours), turns=TURNS),
        (
            Section("Found, by message", tuple(_found(mine, popular))),
            Section("All conversations", rows),
            Section("By kind of person, with Tastebud", slices),
        ),
        (chart,),
        notes_of("talking"),
        (
            claim(verdict(gaps[found]), "talking", "found", turns=TURNS, share=share, beside=beside),
            claim("good" if kept >= NEARLY_ALL else "weak", "talking", "promises", share=percent(kept)),
        ),
        Tile(share, f"of people find what they have in mind in {TURNS} messages", f"most popular: {beside}"),
    )


def _found(ours: Mapping[str, Estimate], popular: Mapping[str, Estimate]) -> Iterator[ByMessage]:
    for turn in range(1, TURNS + 1):
        first, ten = f"success@1 by turn {turn}", f"success@10 by turn {turn}"
        yield ByMessage(turn, ours[first], ours[ten], popular[first], popular[ten])


def _by_turn(name: str, tone: int, figures: Mapping[str, Estimate]) -> Line:
    turns = [(float(turn), figures[f"success@10 by turn {turn}"]) for turn in range(1, TURNS + 1)]
    return Line(
        name,
        tone,
        tuple((turn, one.value) for turn, one in turns),
        tuple((turn, one.low, one.high) for turn, one in turns),
    )


def scripted(played: Sequence[Played], unfit: Sequence[str]) -> Chapter:
    """Scripted dialogues by family."""
    if not played:
        return missing("scripts", saying("scripts", "none", reasons=" ".join(unfit[:3])))
    groups = {name: [one for one in played if one.family == name] for name in FAMILIES}
    rows = tuple(_family(name, mine) for name, mine in groups.items() if mine)
    chart = DotChart(
        "Scripts passed, by family",
        "share of scripts, 95 % intervals",
        tuple(Row(r.family, (Dot(r.pass_rate.value, 0, r.pass_rate.low, r.pass_rate.high),)) for r in rows),
        most=1.0,
    )
    passed, scripts = sum(r.passed for r in rows), len(played)
    held = percent(sum(r.held for r in rows) / sum(r.checks for r in rows))
    failed = ", ".join(
        f"{r.family} ({r.scripts - r.passed} of {r.scripts})" for r in rows if r.passed < r.scripts
    )
    left = saying("scripts", "unfit", scripts=len(unfit)) if unfit else ""
    whole: Verdict = "good" if passed >= MOST * scripts else "weak"
    claims = [claim(whole, "scripts", "passed", passed=passed, scripts=scripts, held=held)]
    claims += [claim("weak", "scripts", "failed", families=failed)] if failed else []
    return Chapter(
        "scripts",
        title_of("scripts"),
        words_of("scripts", left=left),
        (Section("Scripted dialogues by family", rows),),
        (chart,),
        notes_of("scripts"),
        tuple(claims),
        Tile(f"{passed} of {scripts}", "scripted dialogues passed", f"{held} of their checks hold"),
    )


def _family(name: str, mine: Sequence[Played]) -> Family:
    passed = sum(one.passed for one in mine)
    checks, held = sum(one.checks for one in mine), sum(one.held for one in mine)
    return Family(name, len(mine), passed, pass_rate(passed, len(mine)), checks, held)

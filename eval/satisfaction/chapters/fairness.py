"""Whether some groups of people are served better than others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.benchmarks.tables import Section
from eval.metrics import Estimate, Floats, bootstrap
from eval.satisfaction.chapters.comparing import sure
from eval.satisfaction.chapters.prose import claim, notes_of, saying, title_of, words_of
from eval.satisfaction.groups import AGES, THIRDS, Groups, belongings
from eval.satisfaction.lists import OURS
from eval.satisfaction.page.charts import Dot, DotChart, Row
from eval.satisfaction.page.document import Chapter, Claim, Verdict
from eval.satisfaction.people import People

ORDERED = (*(name for _, name in AGES), *THIRDS)
BETTER, WORSE, NEITHER = "better", "worse", "–"
TONES = {BETTER: 5, WORSE: 6, NEITHER: 3}


@dataclass(frozen=True, slots=True)
class GroupRow:
    """NDCG@10 of a group's people and of all others, and the difference."""

    group: str
    people: int
    ndcg_at_10: Estimate
    others: float
    difference: Estimate
    verdict: str


def fairness(people: People, known: Mapping[str, Groups], seed: int) -> Chapter:
    """Every group beside everybody who is not in it."""
    given, users = people.lists.usual, [one.user for one in people.lists.tasters]
    groups = belongings(users, [people.likes[user] for user in users], known)
    rows = tuple(group_rows(people.judged[OURS, given].each["ndcg"], groups, seed))
    chart = DotChart(
        "NDCG@10 of a group less that of all others",
        "difference in NDCG@10, 95 % intervals",
        tuple(_drawn(row) for row in rows),
        legend=((5, "better served"), (6, "worse served"), (3, "no difference told")),
    )
    kinds = sorted({kind for one in known.values() for kind, _ in one})
    who = saying("fairness", "known", kinds=", ".join(kinds)) if kinds else saying("fairness", "unknown")
    return Chapter(
        "fairness",
        title_of("fairness"),
        words_of("fairness", who=who),
        (Section(f"NDCG@10 after {given} likes, by group", rows),) if rows else (),
        (chart,) if rows else (),
        notes_of("fairness", rows=len(rows)),
        tuple(_claims(rows)),
        missing="" if rows else "No two groups have two people or more.",
    )


def group_rows(values: Floats, groups: Sequence[Groups], seed: int) -> Iterator[GroupRow]:
    """A row for each group of at least two people, where at least two others are known in this respect.

    `values`: float [people]; `groups`: of the same people. Of those of whom nothing is known in a respect
    nobody can say that they are "the others".
    """
    kinds = dict.fromkeys(kind for one in groups for kind, _ in one)
    for kind in kinds:
        told = np.array([any(k == kind for k, _ in one) for one in groups])
        for name in sorted({name for one in groups for k, name in one if k == kind}, key=_order):
            inside = np.array([(kind, name) in one for one in groups])
            others = told & ~inside
            if inside.sum() < 2 or others.sum() < 2:
                continue
            gap = bootstrap(len(values), _gap(values, inside, others), seed)
            yield GroupRow(
                f"{kind}: {name}",
                int(inside.sum()),
                bootstrap(len(values), _mean(values, inside), seed),
                float(values[others].mean()),
                gap,
                (WORSE, NEITHER, BETTER)[sure(gap) + 1],
            )


def _mean(values: Floats, inside: np.ndarray) -> Callable[[Floats], float]:
    """Mean over a group; nan where a draw has none of it."""

    def statistic(weights: Floats) -> float:
        total = float(weights @ inside)
        return float((weights * inside) @ values) / total if total else float("nan")

    return statistic


def _gap(values: Floats, inside: np.ndarray, others: np.ndarray) -> Callable[[Floats], float]:
    own, rest = _mean(values, inside), _mean(values, others)
    return lambda weights: own(weights) - rest(weights)


def _order(name: str) -> tuple[int, str]:
    """Ages and activity in their own order, everything else by the alphabet."""
    return (ORDERED.index(name) if name in ORDERED else len(ORDERED), name)


def _drawn(row: GroupRow) -> Row:
    gap = row.difference
    return Row(f"{row.group} ({row.people})", (Dot(gap.value, TONES[row.verdict], gap.low, gap.high),))


def _claims(rows: Sequence[GroupRow]) -> Iterator[Claim]:
    kinds: dict[str, Verdict] = {WORSE: "weak", BETTER: "note"}
    for verdict, kind in kinds.items():
        told = [
            f"{r.group} ({r.difference.value:+.3f} NDCG@10, {r.people} people)"
            for r in rows
            if r.verdict == verdict
        ]
        if told:
            yield claim(kind, "fairness", verdict, groups="; ".join(told))
    if rows and all(row.verdict == NEITHER for row in rows):
        yield claim("good", "fairness", "alike", rows=len(rows))

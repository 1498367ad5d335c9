"""Which items are shown at all, and how popular they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from eval.benchmarks.tables import Section
from eval.metrics import Estimate
from eval.satisfaction.chapters.comparing import TONES, percent, sure
from eval.satisfaction.chapters.prose import claim, notes_of, saying, title_of, words_of
from eval.satisfaction.judged import Judged
from eval.satisfaction.lists import DEPTH, OURS, POPULAR, SYSTEMS
from eval.satisfaction.page.charts import Line, LineChart
from eval.satisfaction.page.document import Chapter, Claim
from eval.satisfaction.people import People

POINTS = 101
"""An exposure curve is drawn through so many of its points."""


@dataclass(frozen=True, slots=True)
class Spread:
    """`popularity_lift`: above 0 where lists are more popular than the person's own likes."""

    system: str
    coverage_at_10: float
    gini_of_exposure: float
    long_tail_share: Estimate
    popularity_lift: Estimate


def spread(people: People, seed: int) -> Chapter:
    """Coverage, exposure, the long tail and popularity bias."""
    given, n, items = people.lists.usual, len(people.lists.tasters), len(people.world.catalogue)
    judged = {s: people.judged[s, given] for s in SYSTEMS}
    rows = tuple(
        Spread(
            s,
            one.together["coverage"],
            one.together["gini"],
            one.mean("tail", seed),
            one.mean("lift", seed),
        )
        for s, one in judged.items()
    )
    chart = LineChart(
        "How evenly items are shown (Lorenz curve)",
        "items, from the least shown, share of the catalogue",
        "share of all places",
        tuple(Line(s, TONES[s], _lorenz(one.exposure)) for s, one in judged.items()),
        (0.0, 0.25, 0.5, 0.75, 1.0),
        even=True,
    )
    most = min(1.0, n * DEPTH / items)
    return Chapter(
        "spread",
        title_of("spread"),
        words_of("spread", n=n, places=f"{n * DEPTH:,}", items=f"{items:,}", most=percent(most)),
        (Section(f"Lists of ten after {given} likes", rows),),
        (chart,),
        notes_of("spread"),
        tuple(_claims(judged[OURS], judged[POPULAR], n, most, seed)),
    )


def _claims(ours: Judged, popular: Judged, n: int, most: float, seed: int) -> Iterator[Claim]:
    lift, coverage = ours.mean("lift", seed), ours.together["coverage"]
    yield claim(
        "weak" if sure(lift) > 0 else "good",
        "spread",
        "lift",
        more=saying("spread", ("less", "same", "more")[sure(lift) + 1], share=percent(abs(lift.value))),
        popular=percent(popular.mean("lift", seed).value),
        tail=percent(ours.mean("tail", seed).value),
    )
    yield claim("note", "spread", "coverage", n=n, share=percent(coverage), reach=percent(coverage / most))


def _lorenz(exposure: np.ndarray) -> tuple[tuple[float, float], ...]:
    """(share of the items, their share of the exposure), from the least shown, at even distances of items."""
    curve = np.concatenate(([0.0], np.cumsum(np.sort(exposure)) / (exposure.sum() or 1.0)))
    places = np.unique(np.round(np.linspace(0, len(exposure), POINTS)).astype(int))
    return tuple((float(place / len(exposure)), float(curve[place])) for place in places)

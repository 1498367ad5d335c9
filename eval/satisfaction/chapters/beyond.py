"""What lists are like besides being right: varied, new, surprising, and in proportion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval import list_metrics
from eval.benchmarks.tables import Section
from eval.metrics import Estimate
from eval.satisfaction.chapters.comparing import TONES, less, percent, sure, verdict
from eval.satisfaction.chapters.prose import claim, notes_of, title_of, words_of
from eval.satisfaction.judged import EXPECTED
from eval.satisfaction.lists import OURS, POPULAR, SYSTEMS
from eval.satisfaction.page.charts import Dot, DotChart, Row
from eval.satisfaction.page.document import Chapter, Claim
from eval.satisfaction.people import People

GENRES = 12
"""How many genres are drawn, the most liked."""


@dataclass(frozen=True, slots=True)
class Diversity:
    """Entropy in bits, novelty in bits."""

    system: str
    genre_entropy: Estimate
    simpson: Estimate
    intra_list_distance: Estimate
    novelty: Estimate
    serendipity_at_10: Estimate


@dataclass(frozen=True, slots=True)
class Calibration:
    """C_KL in nats: 0 where genres are in proportion to what the person likes. `behind`: this system's less
    Tastebud's, above 0 where Tastebud is nearer.
    """

    system: str
    miscalibration: Estimate
    behind: Estimate | None


def diversity(people: People, seed: int) -> Chapter:
    """Variety inside a list, novelty and serendipity."""
    given = people.lists.usual
    judged = {s: people.judged[s, given] for s in SYSTEMS}
    rows = tuple(
        Diversity(
            s,
            one.mean("entropy", seed),
            one.mean("simpson", seed),
            one.mean("distance", seed),
            one.mean("novelty", seed),
            one.mean("serendipity", seed),
        )
        for s, one in judged.items()
    )
    found = {row.system: row.serendipity_at_10 for row in rows}
    chart = DotChart(
        "Right and unexpected",
        f"share of the first ten, right and not of the {EXPECTED} best known",
        tuple(Row(s, (Dot(one.value, TONES[s], one.low, one.high),)) for s, one in found.items()),
    )
    best = max((s for s in SYSTEMS if s != OURS), key=lambda s: found[s].value)
    told = claim(
        verdict(less(judged[OURS], judged[best], "serendipity", seed)),
        "diversity",
        "serendipity",
        share=percent(found[OURS].value),
        expected=EXPECTED,
        popular=percent(found[POPULAR].value),
        best=best,
        theirs=percent(found[best].value),
    )
    return Chapter(
        "diversity",
        title_of("diversity"),
        words_of("diversity", expected=EXPECTED),
        (Section(f"Lists of ten after {given} likes", rows),),
        (chart,),
        notes_of("diversity"),
        (told,),
    )


def calibration(people: People, seed: int) -> Chapter:
    """Whether genres come in the proportions in which people like them."""
    given = people.lists.usual
    judged = {s: people.judged[s, given] for s in SYSTEMS}
    ours, figure = judged[OURS], "miscalibration"
    rows = tuple(
        Calibration(s, one.mean(figure, seed), less(one, ours, figure, seed) if s != OURS else None)
        for s, one in judged.items()
    )
    world = people.world
    likes = list_metrics.facet_shares(people.lists.liked(world.catalogue), world.facets)
    liked = np.nan_to_num(likes).mean(axis=0)
    order = np.argsort(-liked, kind="stable")[:GENRES]
    chart = DotChart(
        "Genres people like, and genres they are shown",
        "mean share of a list",
        tuple(Row(world.names[g], (Dot(float(liked[g]), 3), Dot(float(ours.shares[g]), 0))) for g in order),
        legend=((3, "liked"), (0, "shown")),
        bars=True,
    )
    return Chapter(
        "calibration",
        title_of("calibration"),
        words_of("calibration"),
        (Section(f"Miscalibration of lists of ten after {given} likes", rows),),
        (chart,) if len(order) else (),
        notes_of("calibration"),
        (_proportion(people, liked, seed),) if len(order) else (),
    )


def _proportion(people: People, liked: np.ndarray, seed: int) -> Claim:
    """Against the popular list, and the genre that is furthest off. `liked`: float [genres], mean shares."""
    ours, popular = (people.judged[s, people.lists.usual] for s in (OURS, POPULAR))
    gap = less(popular, ours, "miscalibration", seed)
    far = int(np.argmax(np.abs(ours.shares - liked)))
    return claim(
        verdict(gap),
        "calibration",
        "kept",
        nearer=("further from", "about as near to", "nearer to")[sure(gap) + 1],
        than=("than", "as", "than")[sure(gap) + 1],
        ours=f"{ours.mean('miscalibration', seed).value:.2f}",
        theirs=f"{popular.mean('miscalibration', seed).value:.2f}",
        genre=people.world.names[far],
        shown=percent(float(ours.shares[far])),
        liked=percent(float(liked[far])),
    )

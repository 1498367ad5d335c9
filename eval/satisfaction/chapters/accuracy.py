"""How many of the first ten items are right, for people whom the workspace has not met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eval import list_metrics, ranking_metrics
from eval.benchmarks.tables import Section
from eval.metrics import Estimate
from eval.satisfaction.chapters.comparing import TONES, less, percent, sure, verdict
from eval.satisfaction.chapters.prose import claim, notes_of, saying, title_of, words_of
from eval.satisfaction.lists import CO_OCCURRENCE, DEPTH, EASE, OURS, POPULAR, RANDOM, RATED, SYSTEMS
from eval.satisfaction.page.charts import Dot, DotChart, Line, LineChart, Row
from eval.satisfaction.page.document import Chapter, Claim, Tile
from eval.satisfaction.people import People


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One system. `lead`: NDCG@10 of Tastebud less this one's, person by person. `unrated`: share of its
    lists that nobody has liked, which cannot be right by this measure.
    """

    system: str
    ndcg_at_10: Estimate
    precision_at_10: Estimate
    recall_at_10: Estimate
    mrr_at_10: Estimate
    hit_rate_at_10: Estimate
    lead: Estimate | None
    unrated: float


@dataclass(frozen=True, slots=True)
class Warmth:
    """NDCG@10 of every system after so many likes, and how many people find anything with Tastebud."""

    likes_given: int
    tastebud: Estimate
    tastebud_rated_items: Estimate
    co_occurrence: Estimate
    ease_alone: Estimate
    popularity: Estimate
    tastebud_hit_rate: Estimate


def accuracy(people: People, seed: int) -> Chapter:
    """Every system after the usual number of likes."""
    given, tasters = people.lists.usual, people.lists.tasters
    rows = tuple(_row(people, system, given, seed) for system in SYSTEMS)
    dots = (
        Row(r.system, (Dot(r.ndcg_at_10.value, TONES[r.system], r.ndcg_at_10.low, r.ndcg_at_10.high),))
        for r in rows
    )
    chart = DotChart(f"NDCG@10 after {given} likes", "NDCG@10, 95 % intervals over people", tuple(dots))
    right, popular = (DEPTH * people.judged[s, given].mean("precision", seed).value for s in (OURS, POPULAR))
    left_out = people.lists.left_out
    words = words_of(
        "accuracy",
        n=len(tasters),
        given=given,
        known=len(tasters[0].known),
        wanted=sorted(len(one.wanted) for one in tasters)[len(tasters) // 2],
        items=f"{len(people.world.catalogue):,}",
        left=f" {left_out} more like too few items for that." if left_out else "",
    )
    return Chapter(
        "accuracy",
        title_of("accuracy"),
        words,
        (Section(f"First ten items after {given} likes", rows),),
        (chart,),
        notes_of("accuracy"),
        tuple(_claims(people, given, seed)),
        Tile(f"{right:.1f} of 10", "suggestions are known to be liked", f"most popular: {popular:.1f}"),
    )


def _row(people: People, system: str, given: int, seed: int) -> Accuracy:
    judged, ours = people.judged[system, given], people.judged[OURS, given]
    ranked = people.lists.of(system, given, people.world.catalogue)
    return Accuracy(
        system,
        judged.mean("ndcg", seed),
        judged.mean("precision", seed),
        judged.mean("recall", seed),
        judged.mean("mrr", seed),
        judged.mean("hit", seed),
        less(ours, judged, "ndcg", seed) if system != OURS else None,
        ranking_metrics.mean(list_metrics.share_at(ranked, people.world.counts == 0, DEPTH)),
    )


def _claims(people: People, given: int, seed: int) -> Iterator[Claim]:
    ours = people.judged[OURS, given]
    names = {
        POPULAR: "a list of what is popular",
        CO_OCCURRENCE: "item co-occurrence",
        EASE: "EASE (a model of ratings alone)",
    }
    for system, name in names.items():
        other = people.judged[system, given]
        gap = less(ours, other, "ndcg", seed)
        figures = saying(
            "accuracy",
            "figures",
            right=f"{DEPTH * ours.mean('precision', seed).value:.1f}",
            beside=f"{DEPTH * other.mean('precision', seed).value:.1f}",
            given=given,
            ours=f"{ours.mean('ndcg', seed).value:.3f}",
            theirs=f"{other.mean('ndcg', seed).value:.3f}",
        )
        words = ("less", "same", "more")[sure(gap) + 1]
        yield claim(verdict(gap), "accuracy", words, system=name, figures=figures)
    rated = people.judged[RATED, given]
    right, ndcg = (rated.mean(figure, seed).value for figure in ("precision", "ndcg"))
    yield claim("note", "accuracy", "rated", right=f"{DEPTH * right:.1f}", ndcg=f"{ndcg:.3f}")


def warmth(people: People, seed: int) -> Chapter:
    """How accuracy grows with what is known: cold people beside warm ones."""
    steps = sorted({given for _, given in people.judged})
    shown = tuple(system for system in SYSTEMS if system != RANDOM)
    means = {s: [people.judged[s, given].mean("ndcg", seed) for given in steps] for s in shown}
    rows = tuple(
        Warmth(
            given,
            means[OURS][place],
            means[RATED][place],
            means[CO_OCCURRENCE][place],
            means[EASE][place],
            means[POPULAR][place],
            people.judged[OURS, given].mean("hit", seed),
        )
        for place, given in enumerate(steps)
    )
    lines = tuple(_line(system, steps, means[system]) for system in shown)
    title = "NDCG@10 by how many likes are given"
    chart = LineChart(title, "likes given", "NDCG@10", lines, tuple(map(float, steps)), spread=True)
    return Chapter(
        "warmth",
        title_of("warmth"),
        words_of("warmth"),
        (Section("NDCG@10 after so many likes", rows),),
        (chart,),
        notes_of("warmth"),
        tuple(_warm_claims(people, steps, seed)),
    )


def _line(system: str, steps: Sequence[int], means: Sequence[Estimate]) -> Line:
    """A system's line, with a band for Tastebud alone: several would hide each other."""
    band = tuple((float(x), one.low, one.high) for x, one in zip(steps, means, strict=True))
    points = tuple((float(x), one.value) for x, one in zip(steps, means, strict=True))
    return Line(system, TONES[system], points, band if system == OURS else ())


def _warm_claims(people: People, steps: Sequence[int], seed: int) -> Iterator[Claim]:
    if 1 not in steps or steps[-1] == 1:
        return
    cold, warm = (people.judged[OURS, given] for given in (1, steps[-1]))
    begin, end = cold.mean("ndcg", seed).value, warm.mean("ndcg", seed).value
    if sure(less(warm, cold, "ndcg", seed)) > 0:
        share = percent(begin / end)
        yield claim("weak" if begin < end / 2 else "note", "warmth", "grows", share=share, last=steps[-1])
    else:
        yield claim("note", "warmth", "same", last=steps[-1])

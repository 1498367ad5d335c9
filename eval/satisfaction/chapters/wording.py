"""What the replies are like, by measures of their surface, and whether anything in them is made up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eval import text_metrics
from eval.benchmarks.tables import Section
from eval.metrics import Estimate, bootstrap
from eval.satisfaction.chapters.comparing import percent
from eval.satisfaction.chapters.prose import claim, missing, notes_of, saying, title_of, words_of
from eval.satisfaction.page.document import Chapter, Claim, Tile, Verdict
from eval.satisfaction.replies import Met, Played, Said

NEARLY_ALL = 0.99
PLAIN = 60.0
"""Flesch's limit of plain English."""


@dataclass(frozen=True, slots=True)
class Worded:
    """The replies of one kind of conversation. `distinct_2`: mean over conversations. `words`: in a reply."""

    conversations: str
    replies: int
    grounded: Estimate
    distinct_2: Estimate
    said_before: Estimate
    reading_ease: Estimate
    words: float
    toxic: Estimate
    polite: Estimate
    impolite: Estimate


def wording(met: Sequence[Met], played: Sequence[Played], seed: int) -> Chapter:
    """All replies of simulated and scripted conversations."""
    kinds = {
        "simulated": [one.replies for one in met if one.replies],
        "scripted": [one.replies for one in played if one.replies],
    }
    rows = tuple(_worded(name, found, seed) for name, found in kinds.items() if found)
    if not rows:
        return missing("wording", saying("wording", "none"))
    every = [said for found in kinds.values() for replies in found for said in replies]
    grounded = percent(sum(not said.faults for said in every) / len(every))
    faults = [fault for said in every for fault in said.faults]
    insults = sorted({word for said in every for word in text_metrics.toxic_words(said.text)})
    notes = [
        *notes_of("wording"),
        *(saying("wording", "faults", fault=fault) for fault in faults[:3]),
        *([saying("wording", "insults", words=", ".join(insults))] if insults else []),
    ]
    return Chapter(
        "wording",
        title_of("wording"),
        words_of("wording"),
        (Section("All replies", rows),),
        notes=tuple(notes),
        claims=tuple(_claims(every, insults)),
        tile=Tile(grounded, "of replies hold nothing made up", f"{len(every):,} replies checked"),
    )


def _claims(every: Sequence[Said], insults: Sequence[str]) -> Iterator[Claim]:
    share = sum(not said.faults for said in every) / len(every)
    kind: Verdict = "good" if share >= NEARLY_ALL else "weak"
    yield claim(kind, "wording", "grounded", share=percent(share), replies=f"{len(every):,}")
    ease = float(np.nanmean([text_metrics.reading_ease(said.text) for said in every]))
    toxic = "some hold words that insult" if insults else "none holds a word that insults"
    plain = ease >= PLAIN
    yield claim("good" if plain and not insults else "weak", "wording", "plain" if plain else "hard",
                ease=f"{ease:.0f}", toxic=toxic)  # fmt: skip


def _worded(name: str, conversations: Sequence[Sequence[Said]], seed: int) -> Worded:
    every = [said for replies in conversations for said in replies]
    texts = [said.text for said in every]
    manners = [text_metrics.politeness(text) for text in texts]

    def over(values: Sequence[float]) -> Estimate:
        known = np.array([value for value in values if not math.isnan(value)] or [math.nan])
        return bootstrap(len(known), lambda weights: float(np.average(known, weights=weights)), seed)

    return Worded(
        name,
        len(every),
        over([float(not said.faults) for said in every]),
        over([text_metrics.distinct_n([said.text for said in one]) for one in conversations]),
        over([float(again) for one in conversations for again in said_before(one)]),
        over([text_metrics.reading_ease(text) for text in texts]),
        float(np.mean([len(text.split()) for text in texts])),
        over([float(bool(text_metrics.toxic_words(text))) for text in texts]),
        over([float(value > 0) for value in manners]),
        over([float(value < 0) for value in manners]),
    )


def said_before(replies: Sequence[Said]) -> Iterator[bool]:
    """For every reply, whether an earlier one of the conversation had the same words, titles aside."""
    before: set[str] = set()
    for said in replies:
        words = " ".join(text_metrics.without_titles(said.text).casefold().split())
        yield words in before
        before.add(words)

"""Ask or recommend, and which question: the one whose answer is expected to tell the most."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.prompting import spec
from agent.reading.vocabulary import MOODS, Vocabulary
from agent.state import Reading
from agent.types import DialogueState, Question
from retrieval.types import Item, facet_values

LEAST_GAIN = 0.6
"""Bits below which a question is not worth a person's time."""

MOST_OPTIONS = 4
ASKABLE = ("moods", "themes", "genres", "decade", "audience")
OWN_SIDES = ("themes", "genres", "moods")
SURPRISE = "surprise me"
MOOD_CHIPS = (*MOODS[:4], SURPRISE)
"""Quick replies where nothing is known yet."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How much is asked before something is recommended.

    `latest`: the turn by which something is recommended, whatever is known; 1 asks nothing. `enough`: pieces
    of information that make a question unnecessary. `questions`: how many may be put once something is known.
    """

    latest: int = 3
    enough: int = 2
    questions: int = 1


BALANCED = Asking()


@dataclass(frozen=True, slots=True)
class Anchor:
    """A liked item that a question speaks of, and how replies write it."""

    item: Item
    written: str


@dataclass(frozen=True, slots=True)
class Split:
    """A possible question: its options and the expected information of the answer, in bits."""

    attribute: str
    options: tuple[str, ...]
    gain: float


def information(state: DialogueState) -> int:
    """How many things this conversation knows of what is wanted now; a description counts as enough."""
    listed = [p for p in (*state.liked, *state.wants, *state.people, *state.avoids) if p.turn is not None]
    values = (state.years, state.language, state.max_minutes, state.audience)
    described = sum(p.kind == "text" and len(p.value.split()) >= 3 for p in listed)
    return len(listed) + described + sum(value is not None for value in values)


def should_ask(state: DialogueState, reading: Reading, asking: Asking = BALANCED) -> bool:
    """Whether a question is due before recommending: early, with little known, before anything was shown."""
    if reading.surprise or reading.frame.act in ("more", "accept", "critique") or state.shown:
        return False
    if state.turn >= asking.latest or len(state.asked) >= asking.latest - 1:
        return False
    known = information(state)
    return known == 0 or (known < asking.enough and len(state.asked) < asking.questions)


def answer_probabilities(labels: Sequence[Sequence[str]], options: Sequence[str]) -> np.ndarray:
    """P(answer | item), [n_items, n_options + 1]: its own options equally likely, the last is "none"."""
    table = np.zeros((len(labels), len(options) + 1))
    for row, values in enumerate(labels):
        hits = [i for i, option in enumerate(options) if option in values]
        table[row, hits or [len(options)]] = 1 / max(1, len(hits))
    return table


def expected_gain(labels: Sequence[Sequence[str]], weights: np.ndarray, options: Sequence[str]) -> float:
    """Mutual information of answer and item in bits: H(A) - sum_i w_i H(A | i).

    `labels`: the values each item has; `weights` [n_items]: how likely each is the one, summing to 1.
    (Expected information gain of a question; Lindley, Annals of Mathematical Statistics 1956.)
    """
    table = answer_probabilities(labels, options)
    return _entropy(weights @ table) - float(weights @ np.array([_entropy(row) for row in table]))


def best_split(attribute: str, labels: Sequence[Sequence[str]], weights: np.ndarray) -> Split:
    """Greedy choice of up to four options that together tell the most."""
    totals: dict[str, float] = {}
    for values, weight in zip(labels, weights, strict=True):
        for value in values:
            totals[value] = totals.get(value, 0.0) + float(weight)
    # An option nearly all items have, or hardly any, splits nothing.
    pool = sorted((v for v, t in totals.items() if 0.04 < t < 0.9), key=lambda v: (-totals[v], v))[:12]
    chosen: list[str] = []
    gain = 0.0
    while pool and len(chosen) < MOST_OPTIONS:
        scored = [(expected_gain(labels, weights, [*chosen, value]), value) for value in pool]
        best, value = max(scored, key=lambda pair: (pair[0], pair[1]))
        if best < gain + 0.05:
            break
        gain = best
        chosen.append(value)
        pool.remove(value)
    return Split(attribute, tuple(chosen), gain)


def choose_question(
    state: DialogueState, items: Sequence[Item], vocabulary: Vocabulary, anchor: Anchor | None
) -> Question | None:
    """The most telling question about the current candidates (best first); None when none is worth asking.

    `anchor`: the liked item that the question may speak of: then it asks which of its own sides counts.
    """
    if not items:
        return None
    weights = 1.0 / (np.arange(len(items)) + 10.0)
    weights /= weights.sum()
    said = {p.value for p in (*state.wants, *state.avoids)}
    splits = []
    for attribute in ASKABLE:
        if attribute in state.asked or _is_said(attribute, state):
            continue
        labels = [[v for v in labels_of(item, attribute, vocabulary) if v not in said] for item in items]
        if anchor and attribute in OWN_SIDES:
            own = facet_values(anchor.item, attribute)
            labels = [[v for v in values if v in own] for values in labels]
        splits.append(best_split(attribute, labels, weights))
    worthy = [split for split in splits if len(split.options) >= 2 and split.gain >= LEAST_GAIN]
    if not worthy:
        return None
    # A liked item's own themes are the easiest thing to talk about; with nothing known, a mood is.
    first = "themes" if anchor else "moods" if information(state) == 0 else None
    split = max(worthy, key=lambda s: (s.attribute == first, s.gain))
    return phrase_question(in_order(split), anchor.written if anchor else None)


def _is_said(attribute: str, state: DialogueState) -> bool:
    """Whether a question would ask for what was said; genres and themes have others beside them."""
    if attribute == "decade":
        return state.years is not None
    return attribute == "moods" and any(p.kind == "moods" for p in state.wants)


def in_order(split: Split) -> Split:
    """A split whose decades go from the earliest to the latest; other options stay as they were chosen."""
    return replace(split, options=tuple(sorted(split.options))) if split.attribute == "decade" else split


def labels_of(item: Item, attribute: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The answers an item would be an instance of."""
    if attribute == "decade":
        return () if item.year is None else (decade(item.year),)
    if attribute == "moods":
        return item.moods or vocabulary.moods_of(item)
    return facet_values(item, attribute)


def decade(year: int) -> str:
    """`the 1990s`; everything before 1960 is one answer, as people know few of those."""
    return "before 1960" if year < 1960 else f"the {year // 10 * 10}s"


def phrase_question(split: Split, anchor: str | None) -> Question:
    """The question about a split in its first wording."""
    question = Question("", split.attribute, (*map(written, split.options), SURPRISE))
    return replace(
        question, text=question_texts(question, anchor)[0].format(**question_slots(question, anchor))
    )


def written(value: str) -> str:
    """A facet value with the capitals of the names in it: `New York`, `American dream`, `heist`."""
    texts = spec("spoken")
    form = texts["names"].get(value) or texts["tails"].get(value) or value
    found = re.search(re.escape(value), form, re.I)
    return found[0] if found else value


def question_texts(question: Question, anchor: str | None) -> list[str]:
    """The templates that a question can be put in. `anchor`: the liked item it may speak of, in italics."""
    kind = "doing" if set(question.options[:-1]) <= set(MOODS) else question.attribute
    return spec("questions")[f"{kind}_anchored" if anchor else kind]


def question_slots(question: Question, anchor: str | None) -> dict[str, str]:
    """What fills them."""
    slots = {"options": list_or(question.options[:-1])}
    return {**slots, "anchor": anchor} if anchor else slots


def list_or(values: Sequence[str], last: str = "or") -> str:
    """`a, b or c`."""
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} {last} {values[-1]}"


def _entropy(probabilities: np.ndarray) -> float:
    p = probabilities[probabilities > 0]
    return float(-(p * np.log2(p)).sum())


def critiques(state: DialogueState, items: Sequence[Item], vocabulary: Vocabulary) -> tuple[str, ...]:
    """Quick replies that steer away from what was shown: the best split of what is left, and its age."""
    weights = np.full(len(items), 1 / len(items))
    said = {value for p in (*state.wants, *state.avoids) for value in p.value.split(" or ")}
    labels = [[v for v in facet_values(item, "genres") if v not in said] for item in items]
    chosen = best_split("genres", labels, weights).options
    options = [f"more {chosen[0]}"] if chosen else []
    options += [f"no {chosen[1]}"] if len(chosen) > 1 else []
    years = [item.year for item in items if item.year is not None]
    if state.years is None and years and max(years) - min(years) >= 10:
        options.append("newer")
    return tuple(options)

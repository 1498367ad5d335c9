"""Reading messages of paraphrase families that were never trained on, with titles that were not either.

A frame counts as its (slot, value) pairs. Values of all systems, and of the right frames, are compared in one
normal form: no case, punctuation or accents; numerals as digits; without a leading article, a final "film" or
"movie", the plural s of each word, and the year after a title. "#2" stands for the second of the options
or of what is shown, "recent" and "classic" for their ranges of years, "a or b" for both.
"""

from __future__ import annotations

import random
import re
import statistics
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.errors import ModelError
from agent.model.language import Language
from agent.reading.draft import Drafter, pending_of, written
from agent.reading.scene import Scene, understand_prompt
from agent.reading.titles import phrase, without_article
from agent.reading.understand import Reader
from agent.reading.years import read_years
from agent.types import ACTS, DialogueState
from eval.metrics import Estimate, bootstrap, f1, precision, recall, share, totals
from finetune.families import LISTS, Family, Said, on_side, packaged_banks, say
from finetune.fillings import Fillings
from retrieval.catalogue import Catalogue

Reads = Callable[[str, Scene], dict[str, Any] | None]
"""A message in its scene -> its frame as JSON has it; None when no valid one came."""

SLOTS = (*LISTS, "years", "language", "max_minutes", "audience")
_ITEMS = ("like", "dislike", "seen", "about")
_FINAL = re.compile(r"(?<=\S) (?:films?|movies?|flicks?|pictures?)$")
_TITLE_YEAR = re.compile(r"(?<=\S)\s*(?:\((?:18|19|20)\d\d\)|[\s,](?:19|20)\d\d)\s*$")


@dataclass(frozen=True, slots=True)
class SlotFigure:
    """F1 of one slot as one system fills it; `pairs`: how often the right frames fill it."""

    slot: str
    system: str
    pairs: int
    f1: Estimate


@dataclass(frozen=True, slots=True)
class Understanding:
    """How well one system reads: micro figures over all (slot, value) pairs, with intervals over messages.

    `valid`: share of messages for which a valid frame came. `seconds`: median of one message.
    """

    system: str
    messages: int
    f1: Estimate
    precision: Estimate
    recall: Estimate
    act: Estimate
    valid: float
    seconds: float
    slots: tuple[SlotFigure, ...]


def held_out_messages(
    catalogue: Catalogue, n: int | None = None, seed: int = 0, bank: Sequence[Family] | None = None
) -> list[Said]:
    """`n` messages of held-out families, filled with held-out items; None: one of every text there is.

    No text comes twice before all came once. `bank`: other families than the packaged ones.
    """
    rng = random.Random(f"understanding:{seed}")
    families = on_side(bank or packaged_banks(), held_out=True)
    texts = [(family, text) for family in families for text in family.texts]
    rng.shuffle(texts)
    fillings = Fillings(catalogue, held_out=True)
    count = len(texts) if n is None else n
    return [say(*texts[i % len(texts)], fillings, rng) for i in range(count if texts else 0)]


def rules_reader(catalogue: Catalogue) -> Reads:
    """The rules alone, as they serve without a model: a short answer to a question, else the message."""
    rules = Drafter(catalogue)
    return lambda message, scene: written(rules.read(message, scene))


def model_reader(language: Language, drafter: Drafter | None) -> Reads:
    """A language model: a trained one corrects the rules' draft, an untrained one (None) has examples."""

    def read(message: str, scene: Scene) -> dict[str, Any] | None:
        draft = None if drafter is None else drafter.draft(message, scene)
        try:
            return language.frame(understand_prompt(message, scene, draft), message)
        except ModelError:
            return None

    return read


def served_reader(reader: Reader, catalogue: Catalogue) -> Reads:
    """Model and rules together, as the product reads."""
    ids = {item.label: item.item_id for item in catalogue}

    def read(message: str, scene: Scene) -> dict[str, Any]:
        shown = tuple(ids[label] for label in scene.shown if label in ids)
        begun = bool(scene.shown or scene.asked)
        state = DialogueState(shown=shown, last_shown=shown, pending=pending_of(scene), turn=int(begun))
        return written(reader.read(message, state).reading.frame)

    return read


def is_valid(frame: Mapping[str, Any] | None) -> bool:
    """Whether it is a frame at all: a known act, known slots, lists of texts where lists belong."""
    if frame is None or frame.get("act") not in ACTS or frame.keys() - {"act", *SLOTS}:
        return False
    lists = [frame[key] for key in LISTS if key in frame]
    return all(isinstance(each, list) and all(isinstance(v, str) for v in each) for each in lists)


def pairs(frame: Mapping[str, Any], scene: Scene, latest: int | None) -> set[tuple[str, Hashable]]:
    """The (slot, value) pairs of a frame in normal form. `latest`: the year that "recent" counts from."""
    found: set[tuple[str, Hashable]] = set()
    for slot in SLOTS:
        value = frame.get(slot)
        if value in (None, [], ()):
            continue
        if slot == "years":
            found.add((slot, _years(value, latest)))
        elif slot in LISTS:
            texts = [_named(slot, str(text), scene) for text in value]
            several = [part for text in texts for part in (text.split(" or ") if slot == "want" else [text])]
            found |= {(slot, normal(text, slot in _ITEMS)) for text in several}
        else:
            found.add((slot, str(value).lower()))
    return found


def normal(text: str, title: bool = False) -> str:
    """The form in which two values are compared. `title`: of an item, so that a year after it is dropped."""
    words = without_article(phrase(_TITLE_YEAR.sub("", text) if title else text))
    return " ".join(_singular(word) for word in _FINAL.sub("", words).split())


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _named(slot: str, text: str, scene: Scene) -> str:
    """What a place stands for; the text itself if it is none."""
    if not re.fullmatch(r"#\d", text):
        return text
    among = scene.shown if slot in _ITEMS or not scene.options else scene.options
    place = int(text[1:])
    return among[place - 1] if 0 < place <= len(among) else text


def _years(value: Any, latest: int | None) -> Hashable:
    if isinstance(value, str):
        return read_years(f"{value} films", latest)
    return tuple(value)


def counts(right: set[tuple[str, Hashable]], said: set[tuple[str, Hashable]]) -> np.ndarray:
    """[slots, 3]: true positives, false positives and false negatives of one message, slot by slot."""
    table = np.zeros((len(SLOTS), 3))
    for column, found in enumerate((right & said, said - right, right - said)):
        for slot, _ in found:
            table[SLOTS.index(slot), column] += 1
    return table


def measure_understanding(
    system: str, read: Reads, messages: Iterable[Said], latest: int | None, seed: int = 0
) -> Understanding:
    """Read every message with one system and compare. Raises ValueError when there are no messages."""
    table, acts, valid, seconds = [], [], [], []
    for said in messages:
        began = time.perf_counter()
        frame = read(said.message, said.scene)
        seconds.append(time.perf_counter() - began)
        valid.append(is_valid(frame))
        known = frame if frame is not None and valid[-1] else {}
        acts.append(float(known.get("act") == said.frame["act"]))
        table.append(counts(pairs(said.frame, said.scene, latest), pairs(known, said.scene, latest)))
    return _figures(system, np.array(table), np.array(acts), valid, seconds, seed)


def _figures(
    system: str,
    table: np.ndarray,
    acts: np.ndarray,
    valid: Sequence[bool],
    seconds: Sequence[float],
    seed: int,
) -> Understanding:
    units = len(table)
    together = table.sum(axis=1) if units else table

    def over_all(metric: Callable[[np.ndarray], np.ndarray]) -> Estimate:
        return bootstrap(units, lambda weights: float(metric(totals(together, weights))), seed)

    def of_slot(own: np.ndarray) -> Estimate:
        return bootstrap(units, lambda weights: float(f1(totals(own, weights))), seed)

    used = [place for place in range(len(SLOTS)) if table[:, place].any()] if units else []
    slots = [
        SlotFigure(SLOTS[place], system, int(table[:, place, [0, 2]].sum()), of_slot(table[:, place]))
        for place in used
    ]
    return Understanding(
        system,
        units,
        over_all(f1),
        over_all(precision),
        over_all(recall),
        bootstrap(units, lambda weights: share(acts, weights), seed),
        sum(valid) / units,
        statistics.median(seconds),
        tuple(slots),
    )


def by_slot(rows: Iterable[Understanding]) -> tuple[SlotFigure, ...]:
    """The slots of all systems, so that the systems stand below each other."""
    figures = [figure for row in rows for figure in row.slots]
    return tuple(sorted(figures, key=lambda figure: SLOTS.index(figure.slot)))

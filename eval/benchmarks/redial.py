"""ReDial: which film does the recommender name next? (Li et al., NeurIPS 2018)

Every message of the recommender's that names films is a case: all messages before it are given, each film it
names is a target and is ranked among all films of the catalogue. Two protocols: "all targets", and "new
targets", where films already named in the dialogue are neither targets nor ranked (He et al., CIKM 2023,
show that repeating them looks like skill). Systems learn from the training dialogues alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.benchmarks.tables import Section
from eval.metrics import Floats
from eval.ranking import Figures, measure_ranks, places
from finetune.lists import Remembering
from finetune.targets import Conversations, cases, read_conversations
from retrieval.catalogue import Catalogue, read_catalogue
from retrieval.dialogue import Message, mentioned, whole_text
from retrieval.encoder import Encoder
from retrieval.errors import CatalogueError
from retrieval.fusion import K
from retrieval.signals.comentions import Comentions, Mentions, Popularity, rows_of
from retrieval.signals.linear import LinearMentions
from retrieval.signals.signal import Scores, Signal
from retrieval.signals.texts import LONGEST, Meaning, Words

PUBLISHED = (
    Figures("GPT-4, zero-shot (He et al., CIKM 2023), ReDial test", 0.050, 0.201, None),
    Figures("best trained per column (Kostric & Balog, SIGIR 2026), ReDial test", 0.027, 0.213, 0.465),
)
"""Others' figures for new targets. Theirs are of the test dialogues, ours of the validation dialogues."""

DEPTHS = (200, 300, 500, 1000)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Redial:
    """The films, what may be learned from (`texts` with words, `sequences` without), and what is judged."""

    catalogue: Catalogue
    texts: Conversations
    sequences: Conversations
    held_out: Conversations

    @property
    def training(self) -> Conversations:
        """Every dialogue that may be learned from, once each: with its text where it has one."""
        return {**self.sequences, **self.texts}


@dataclass(frozen=True, slots=True)
class Reach:
    """The share of new targets among the first films of a source: the ceiling of what re-ranks them."""

    source: str
    recall_200: float
    recall_300: float
    recall_500: float
    recall_1000: float


def read_redial(folder: Path) -> Redial:
    """Read catalogue.jsonl, train.jsonl, sequences.jsonl and valid.jsonl.

    Raises ConfigError or CatalogueError naming the file, and CatalogueError where a dialogue is both to be
    learned from and judged.
    """
    data = Redial(
        read_catalogue(folder / "catalogue.jsonl").catalogue,
        *(read_conversations(folder / f"{name}.jsonl") for name in ("train", "sequences", "valid")),
    )
    leaked = data.training.keys() & data.held_out.keys()
    if leaked:
        raise CatalogueError(
            f"{folder}: dialogue {min(leaked)!r} is in valid.jsonl and in what is learned from: take it out."
        )
    return data


class Repeats:
    """Names again what was named, the last first: what "all targets" rewards."""

    name = "repeat what was named"

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def scores(self, messages: Sequence[Message]) -> Scores:
        """The place of an item's last mention; zero for all others."""
        found = np.zeros(len(self._catalogue), dtype=np.float32)
        named = [item for message in messages for item in message.items]
        for place, row in enumerate(rows_of(self._catalogue, named), start=1):
            found[row] = place
        return found


class Fused:
    """Reciprocal-rank fusion of signals over all items (Cormack, Clarke and Buettcher, SIGIR 2009)."""

    name = "fusion"

    def __init__(self, signals: Sequence[Signal]) -> None:
        self._signals = signals

    def scores(self, messages: Sequence[Message]) -> Scores:
        """Sum over the signals of 1 / (60 + rank there); ties in the order of the catalogue."""
        total = np.zeros(0, dtype=np.float32)
        for signal in self._signals:
            values = signal.scores(messages)
            ranks = np.empty(len(values), dtype=np.float32)
            ranks[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
            share = (1 / (K + ranks)).astype(np.float32)
            total = total + share if total.size else share
        return total


def baselines(data: Redial, encoder: Encoder) -> list[Signal]:
    """Every signal that is not trained by gradient, and last their fusion."""
    mentions = Mentions.count(data.training.values(), data.catalogue)
    alone: list[Signal] = [
        Popularity(mentions),
        Words(data.catalogue),
        Meaning(data.catalogue, encoder),
        Comentions(mentions, data.catalogue),
        LinearMentions(mentions, data.catalogue),
    ]
    return [Repeats(data.catalogue), *alone, Fused(alone)]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Ranks of the targets of one system, by protocol, and the dialogue that each is from."""

    system: str
    ranks: Mapping[str, list[float]]
    dialogues: Mapping[str, list[int]]


ALL, NEW = "all targets", "new targets"


def rank(system: str, scores: Iterable[Scores], data: Redial) -> Ranked:
    """Rank every target of the judged dialogues under both protocols; `scores` of each case, in order."""
    numbers = {identity: number for number, identity in enumerate(data.held_out)}
    ranks: dict[str, list[float]] = {ALL: [], NEW: []}
    dialogues: dict[str, list[int]] = {ALL: [], NEW: []}
    for case, given in zip(cases(data.held_out), scores, strict=True):
        named = rows_of(data.catalogue, mentioned(case.before))
        for protocol, targets, excluded in ((ALL, case.targets, named[:0]), (NEW, case.new, named)):
            ranks[protocol] += places(given, _rows(data.catalogue, targets), excluded)
            dialogues[protocol] += [numbers[case.dialogue]] * len(targets)
    return Ranked(system, ranks, dialogues)


def _rows(catalogue: Catalogue, targets: Sequence[str]) -> list[int | None]:
    return [catalogue.row(target) if target in catalogue else None for target in targets]


def rank_baselines(data: Redial, encoder: Encoder, say: Say) -> list[Ranked]:
    """The baselines, each over all judged dialogues."""
    found = []
    # Vectors and fusion read every dialogue, each of them.
    known = Remembering(encoder, [whole_text(case.before, LONGEST) for case in cases(data.held_out)])
    for signal in baselines(data, known):
        say(f"Ranking by {signal.name}")
        found.append(rank(signal.name, (signal.scores(case.before) for case in cases(data.held_out)), data))
    return found


def tables(found: Sequence[Ranked], data: Redial, seed: int) -> Iterator[Section]:
    """Both protocols with intervals, and how far down the targets are."""
    for protocol, others in ((NEW, PUBLISHED), (ALL, ())):
        title = f"ReDial validation, {len(found[0].ranks[protocol]):,} {protocol}"
        yield Section(title, (*figures(found, data, protocol, seed), *others))
    yield Section("New targets among the first films of each source", tuple(reach(found)))


def figures(found: Sequence[Ranked], data: Redial, protocol: str, seed: int) -> list[Figures]:
    """A line for each system."""
    return [
        measure_ranks(one.system, one.ranks[protocol], one.dialogues[protocol], len(data.held_out), seed)
        for one in found
    ]


def reach(found: Sequence[Ranked]) -> Iterator[Reach]:
    """A line for each system, and one for the films that any of them gives, so many from each."""
    for one in found:
        yield _reach(one.system, np.array(one.ranks[NEW]))
    yield _reach("any of these, as many from each", np.min([one.ranks[NEW] for one in found], axis=0))


def _reach(source: str, ranks: Floats) -> Reach:
    return Reach(source, *(float(np.mean(ranks <= depth)) for depth in DEPTHS))

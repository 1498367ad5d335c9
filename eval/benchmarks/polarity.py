"""Who liked what: for each film of a labelled dialogue, did the person like it, dislike it, or not say?

Dialogues in the format of DESIGN ("Dialogues") are read message by message, as a conversation is. Every film
with a label counts once; what was said of it last is the verdict. Macro-F1 over the three verdicts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.reading.titles import names_of, phrase, split_year
from eval.benchmarks.understanding import Reads
from eval.metrics import Estimate, bootstrap, class_counts, f1, macro_f1, totals
from finetune.config import ConfigError
from finetune.dialogues import read_dialogues, seeker_messages
from retrieval.catalogue import Catalogue, read_catalogue
from retrieval.errors import TastebudError

LIKED, DISLIKED, UNSTATED = range(3)

Tells = Callable[[Mapping[str, Any], Mapping[str, str]], Mapping[str, int]]
"""A dialogue and the titles of its films -> the verdict on each film that was judged, by item_id."""


class DialogueError(TastebudError):
    """Dialogues that cannot be measured on; the message names the file."""


@dataclass(frozen=True, slots=True)
class Polarity:
    """How well one system tells verdicts: macro-F1, and F1 of each verdict, with intervals over dialogues.

    `own`: macro-F1 over the films only that the seeker named. `films`: how many were judged.
    """

    system: str
    dialogues: int
    films: int
    macro: Estimate
    liked: Estimate
    disliked: Estimate
    unstated: Estimate
    own: Estimate


@dataclass(frozen=True, slots=True)
class Dialogues:
    """Labelled dialogues, and the catalogue that their films are from."""

    rows: tuple[Mapping[str, Any], ...]
    catalogue: Catalogue

    @property
    def titles(self) -> dict[str, str]:
        """item_id -> "Title (year)", as the texts write it."""
        return {item.item_id: item.label for item in self.catalogue}


def read_labelled(folder: Path, name: str = "valid.jsonl") -> Dialogues:
    """The dialogues of `folder`/`name` and the films of `folder`/catalogue.jsonl.

    Raises DialogueError, naming file and line, where something is missing or malformed.
    """
    for path in (folder / name, folder / "catalogue.jsonl"):
        if not path.is_file():
            raise DialogueError(f"There is no {str(path)!r}: --data wants a folder of labelled dialogues.")
    try:
        rows = tuple(read_dialogues(folder / name))
    except ConfigError as error:
        raise DialogueError(str(error)) from None
    for number, row in enumerate(rows, start=1):
        problem = _malformed(row)
        if problem:
            raise DialogueError(f"{folder / name}:{number}: {problem}.")
    return Dialogues(rows, read_catalogue(folder / "catalogue.jsonl").catalogue)


def _malformed(row: Mapping[str, Any]) -> str | None:
    labels = row.get("labels")
    if not isinstance(labels, dict) or not all(isinstance(label, dict) for label in labels.values()):
        return "`labels` should say of each item_id whether it was suggested, seen and liked"
    for turn in row["turns"]:
        if not isinstance(turn, dict) or turn.get("role") not in ("seeker", "recommender"):
            return "every turn needs the `role` seeker or recommender"
        if not isinstance(turn.get("text"), str) or not isinstance(turn.get("items", []), list):
            return "every turn needs a `text`, and `items` as a list"
    return None


def sample(dialogues: Dialogues, n: int, seed: int = 0) -> Dialogues:
    """`n` of the dialogues, or all when there are fewer."""
    rows = random.Random(f"polarity:{seed}").sample(dialogues.rows, min(n, len(dialogues.rows)))
    return Dialogues(tuple(rows), dialogues.catalogue)


def everything_liked(dialogue: Mapping[str, Any], _titles: Mapping[str, str]) -> dict[str, int]:
    """The baseline that reads nothing."""
    return dict.fromkeys(dialogue["labels"], LIKED)


def as_read(read: Reads) -> Tells:
    """The verdicts that a reader of messages finds."""
    return lambda dialogue, titles: verdicts(dialogue, titles, read)


def verdicts(dialogue: Mapping[str, Any], titles: Mapping[str, str], read: Reads) -> dict[str, int]:
    """item_id -> verdict for every film that the seeker's messages judge, as `read` understands them."""
    found: dict[str, int] = {}
    films = _films(dialogue, titles)
    for message, scene, names in seeker_messages(dialogue, titles):
        shown = tuple(names[f"#{i}"] for i in range(1, len(scene.shown) + 1))
        here = [item for name, item in names.items() if not name.startswith("#")]
        nearest = tuple(dict.fromkeys((*here, *shown, *films)))
        for name, verdict in _said(read(message, scene) or {}):
            judged = shown if name is None else _meant(name, shown, nearest, titles)
            found |= dict.fromkeys(judged, verdict)
    return found


def _films(dialogue: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    mentioned = (str(item) for turn in dialogue["turns"] for item in turn.get("items", ()))
    return [item for item in dict.fromkeys(mentioned) if item in titles]


def _said(frame: Mapping[str, Any]) -> Iterator[tuple[str | None, int]]:
    """(name, verdict) pairs of a frame. A name of None: all that is on show.

    Who takes a film likes it, who refuses what is shown dislikes it.
    """
    for key, verdict in (("like", LIKED), ("dislike", DISLIKED)):
        for name in frame.get(key, ()):
            yield name, verdict
    act, about = frame.get("act"), frame.get("about", ())
    if act == "accept":
        yield from ((name, LIKED) for name in about or (None,))
    elif act == "reject" and not frame.get("dislike"):
        yield from ((name, DISLIKED) for name in about or (None,))


def _meant(
    name: str, shown: Sequence[str], nearest: Sequence[str], titles: Mapping[str, str]
) -> tuple[str, ...]:
    """The film of a dialogue that a name means, as one item_id, or none: the first in `nearest` called so."""
    if name.startswith("#"):
        place = int(name[1:]) if name[1:].isdigit() else 0
        return tuple(shown[place - 1 : place]) if place else ()
    words, year = phrase(split_year(name)[0]), split_year(name)[1]
    for item in nearest:
        title, made = split_year(titles[item])
        if words in names_of(title) and (year is None or year == made):
            return (item,)
    return ()


def measure_polarity(system: str, tells: Tells, dialogues: Dialogues, seed: int = 0) -> Polarity:
    """The figures of one system over all `dialogues`. Raises ValueError when there are none."""
    titles = dialogues.titles
    counts, own = [], []
    for dialogue in dialogues.rows:
        said, labels = tells(dialogue, titles), dialogue["labels"]
        truth = np.array([_label(label) for label in labels.values()], np.int64)
        heard = np.array([said.get(item, UNSTATED) for item in labels], np.int64)
        named = _named_by_seeker(dialogue)
        theirs = np.array([item in named for item in labels], bool)
        counts.append(class_counts(truth, heard, 3))
        own.append(class_counts(truth[theirs], heard[theirs], 3))
    return _figures(system, np.array(counts), np.array(own), seed)


def _figures(system: str, counts: np.ndarray, own: np.ndarray, seed: int) -> Polarity:
    """`counts`, `own`: [dialogues, 3 verdicts, 3]."""
    units = len(counts)

    def of(verdict: int) -> Estimate:
        return bootstrap(units, lambda weights: float(f1(totals(counts, weights))[verdict]), seed)

    return Polarity(
        system,
        units,
        int(counts[:, :, [0, 2]].sum()) if units else 0,
        bootstrap(units, lambda weights: macro_f1(totals(counts, weights)), seed),
        of(LIKED),
        of(DISLIKED),
        of(UNSTATED),
        bootstrap(units, lambda weights: macro_f1(totals(own, weights)), seed),
    )


def _label(label: Mapping[str, Any]) -> int:
    liked = label.get("liked")
    return UNSTATED if liked is None else LIKED if liked else DISLIKED


def _named_by_seeker(dialogue: Mapping[str, Any]) -> set[str]:
    return {
        str(item) for turn in dialogue["turns"] if turn["role"] == "seeker" for item in turn.get("items", ())
    }

"""The rules' reading of a message as a draft that a trained model corrects."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from agent.model.grammar import MOST_NAMES, quotable
from agent.reading.answers import answer_to
from agent.reading.link import Linker
from agent.reading.rules import Context, read_message
from agent.reading.scene import Scene
from agent.reading.vocabulary import Vocabulary
from agent.reading.years import read_years
from agent.types import Frame, Question
from retrieval.catalogue import Catalogue

_YES_OR_NO = re.compile(r"(?:Is that all right|Shall I drop that rule)\?\s*$")
_OF_ITEMS = ("like", "dislike", "seen", "about")
_OF_OPTIONS = ("want", "avoid", "drop")


def latest_year(catalogue: Catalogue) -> int | None:
    """The year of the newest item, from which "recent" counts; None where no item has a year."""
    return max((item.year for item in catalogue if item.year is not None), default=None)


class Drafter:
    """Reads a message by rules where there is a scene but no conversation: in training and in measuring."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._linker, self._vocabulary = Linker(catalogue), Vocabulary(catalogue)
        self.latest = latest_year(catalogue)

    def read(self, message: str, scene: Scene) -> Frame:
        """A short answer to the question, else the message."""
        pending = pending_of(scene)
        answer = answer_to(message, pending, self._vocabulary) if pending else None
        begun = bool(scene.shown or scene.asked)
        context = Context(self._linker, self._vocabulary, self.latest, scene.shown, begun)
        return answer or read_message(message, context)

    def draft(self, message: str, scene: Scene) -> str:
        """The reading in JSON, as the model is shown it."""
        return draft_of(self.read(message, scene), message, scene, self.latest)


def pending_of(scene: Scene) -> Question | None:
    """The question of a scene as the rules want it; None where nothing was asked."""
    if not scene.asked:
        return None
    attribute = "relax" if _YES_OR_NO.search(scene.asked) else "themes"
    return Question(scene.asked, attribute, scene.options)


def draft_of(frame: Frame, message: str, scene: Scene, latest: int | None) -> str:
    """A frame in the JSON that the model writes. What is shown or offered but not named is a place ("#2");
    "recent" and "classic" stand for their ranges of years, counted from `latest`.
    """
    said = message.casefold()
    row: dict[str, Any] = {}
    for key, value in written(frame).items():
        if key in (*_OF_ITEMS, *_OF_OPTIONS):
            among = scene.shown if key in _OF_ITEMS else scene.options
            value = [_placed(name, among, said) for name in value]
        if isinstance(value, list) and key != "years":
            value = [quotable(name) for name in value[:MOST_NAMES]]
        row[key] = _dated(frame, latest) if key == "years" else value
    return json.dumps(row, ensure_ascii=False)


def written(frame: Frame) -> dict[str, Any]:
    """A Frame as JSON has it, without what is empty; places among what is shown as "#2"."""
    row = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(frame).items()}
    row["about"] = [f"#{name}" if name.isdigit() else name for name in frame.about]
    return {key: value for key, value in row.items() if value not in (None, [])}


def _placed(name: str, among: Sequence[str], said: str) -> str:
    if name in among and name.casefold() not in said:
        return f"#{among.index(name) + 1}"
    return name


def _dated(frame: Frame, latest: int | None) -> Any:
    for word in ("recent", "classic"):
        if frame.years == read_years(f"{word} films", latest):
            return word
    return list(frame.years or ())

"""Finished conversations, one JSON line each, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eval.simulate.person import SimulationError
from eval.simulate.runner import Exchange, Outcome


class Kept:
    """A file of finished conversations. The first line holds the settings that they were run with."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        """Begin the file, or read what it holds. Raises SimulationError where other settings began it."""
        self.path = path
        self._found: dict[tuple[str, str], Outcome] = {}
        lines = _lines(path)
        if lines and lines[0] != dict(settings):
            raise SimulationError(
                f"{path} is of a run with other settings ({_difference(lines[0], settings)}): finish "
                "that run with its own settings, delete the file, or give another --json."
            )
        if not lines:
            _write(path, json.dumps(settings) + "\n", "w")
        for line in lines[1:]:
            self._found[line["recommender"], line["key"]] = _outcome(line)

    def get(self, recommender: str, key: str) -> Outcome | None:
        """What came of a person's conversation; None when it has not been held."""
        return self._found.get((recommender, key))

    def add(self, recommender: str, outcome: Outcome) -> None:
        """Keep one more."""
        self._found[recommender, outcome.key] = outcome
        _write(self.path, json.dumps({"recommender": recommender, **asdict(outcome)}) + "\n", "a")


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of the file; what a run was killed in the middle of writing is cut off."""
    if not path.exists():
        return []
    text = path.read_text("utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        _write(path, whole, "w")
    try:
        return [json.loads(line) for line in whole.splitlines()]
    except json.JSONDecodeError as error:
        raise SimulationError(f"{path} is damaged ({error}): delete it to start again.") from None


def _outcome(row: Mapping[str, Any]) -> Outcome:
    exchanges = tuple(Exchange(**{**one, "shown": tuple(one["shown"])}) for one in row["exchanges"])
    return Outcome(
        row["key"], row["found"], row["rank"], row["leaks"], exchanges, row["slices"], row["seconds"]
    )


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    names = [name for name in new if old.get(name) != new[name]]
    return ", ".join(f"{name} {old.get(name)!r}, now {new[name]!r}" for name in names)


def _write(path: Path, text: str, mode: str) -> None:
    try:
        with open(path, mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise SimulationError(f"Cannot write {str(path)!r} ({error.strerror}).") from None

"""What a run has measured so far, one JSON line each, so that a run that was cut short goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from agent.memory.codec import dumps, loads
from retrieval.errors import TastebudError

Record = TypeVar("Record")


class ReportFolderError(TastebudError):
    """A folder that no report can be written to, or that holds the beginning of another one."""


class Measured:
    """A file of records by name. Its first line holds the settings that they were measured with."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        """Begin the file, or read what it holds. A file that was begun and holds nothing yet is begun anew.

        Raises ReportFolderError where other settings began it, and where it cannot be written.
        """
        self.path = path
        self._found: dict[str, str] = {}
        head, *lines = _lines(path) or [None]
        if head is None or not lines:
            self._write(json.dumps(dict(settings)) + "\n", "w")
        elif head != dict(settings):
            changed = ", ".join(f"{name} {head.get(name)!r}, now {settings[name]!r}" for name in settings
                                if head.get(name) != settings[name])  # fmt: skip
            raise ReportFolderError(
                f"{path} is of a run with other settings ({changed}): finish that run with its own "
                "settings, delete the file, or give another --output."
            )
        for line in lines:
            self._found[line["name"]] = line["record"]

    def keep(self, name: str, kind: type[Record], measure: Callable[[], Record]) -> Record:
        """The record `name`: as it was kept, or measured now and kept. Raises what `measure` raises."""
        if name in self._found:
            return loads(kind, self._found[name])
        record = measure()
        self._found[name] = dumps(record)
        self._write(json.dumps({"name": name, "record": self._found[name]}) + "\n", "a")
        return record

    def done(self) -> None:
        """Forget everything: the report is written."""
        self.path.unlink()

    def _write(self, text: str, mode: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, mode, encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise ReportFolderError(
                f"Cannot write {str(self.path)!r} ({error.strerror}): give --output a writable folder."
            ) from None


def _lines(path: Path) -> list[Any]:
    """The whole lines of the file; what a run was killed in the middle of writing is left out."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ReportFolderError(f"Cannot read {path} ({error}): delete it to start again.") from None
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, "utf-8")
    try:
        return [json.loads(line) for line in whole.splitlines()]
    except json.JSONDecodeError as error:
        raise ReportFolderError(f"{path} is damaged ({error}): delete it to start again.") from None

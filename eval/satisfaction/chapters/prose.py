"""The words of the chapters (prose.yaml), filled in strictly."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from eval.satisfaction.page.document import Chapter, Claim, Verdict


@cache
def _data() -> dict[str, Any]:
    return yaml.safe_load(Path(__file__).with_name("prose.yaml").read_text("utf-8"))


def title_of(key: str) -> str:
    """The title of a chapter."""
    return _data()[key]["title"]


def words_of(key: str, **values: object) -> tuple[str, ...]:
    """The paragraphs of a chapter. Raises KeyError for a value that is not given."""
    return tuple(text.format_map(values) for text in _data()[key]["words"])


def notes_of(key: str, **values: object) -> tuple[str, ...]:
    """How its figures are made. Raises KeyError for a value that is not given."""
    return tuple(text.format_map(values) for text in _data()[key].get("notes", ()))


def saying(key: str, name: str, **values: object) -> str:
    """One of the sentences that a chapter may say. Raises KeyError for a value that is not given."""
    return _data()[key]["claims"][name].format_map(values)


def claim(verdict: Verdict, key: str, name: str, **values: object) -> Claim:
    """The same as a line of the summary."""
    return Claim(verdict, saying(key, name, **values))


def missing(key: str, why: str) -> Chapter:
    """A chapter that could not be measured, and why."""
    return Chapter(key, title_of(key), missing=why)

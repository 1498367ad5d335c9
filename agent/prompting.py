"""Prompts and wordings are data: YAML files, rendered strictly."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import yaml

_FOLDER = Path(__file__).with_name("prompts")


@cache
def spec(name: str) -> Mapping[str, Any]:
    """What a prompt file says, by key."""
    return yaml.safe_load((_FOLDER / f"{name}.yaml").read_text("utf-8"))


def prompt(name: str, /, examples: bool = True, **values: str) -> list[dict[str, str]]:
    """The chat messages of a prompt file: system, worked examples, user. KeyError for a missing variable.

    `examples`: a model that was trained on these prompts needs no worked examples.
    """
    texts = spec(name)
    messages = [{"role": "system", "content": texts["system"]}]
    for example in texts["examples"] if examples else ():
        messages += [{"role": role, "content": example[role]} for role in ("user", "assistant")]
    return [*messages, {"role": "user", "content": Template(texts["user"]).substitute(values)}]


def templates(name: str) -> list[str]:
    """Every wording of a phrase with its slots open. KeyError for an unknown phrase."""
    texts = spec("phrases")[name]
    return [texts] if isinstance(texts, str) else texts


def phrasings(name: str, /, **values: object) -> list[str]:
    """Every wording of a phrase with its slots filled. KeyError for an unknown phrase or a missing slot."""
    return [text.format(**values) for text in templates(name)]


def phrase(name: str, /, pick: int = 0, **values: object) -> str:
    """One wording; `pick` chooses which, round and round."""
    texts = phrasings(name, **values)
    return texts[pick % len(texts)]

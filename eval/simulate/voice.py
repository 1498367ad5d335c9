"""How simulated people put things: sentences from templates, at random but repeatable."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Protocol

import yaml


@cache
def templates() -> dict[str, list[str]]:
    """The wordings beside this module, by what is said."""
    return yaml.safe_load(Path(__file__).with_name("voice.yaml").read_text("utf-8"))


class Voice(Protocol):
    """Words for what a person means."""

    @property
    def name(self) -> str:
        """What figures call it."""
        ...

    def say(self, what: str, rng: random.Random, **slots: str) -> str:
        """A sentence of kind `what` (a key of voice.yaml) with its slots filled."""
        ...


class TemplateVoice:
    """One of a handful of wordings, drawn by the person's own random numbers."""

    name = "templates"

    def say(self, what: str, rng: random.Random, **slots: str) -> str:
        return rng.choice(templates()[what]).format(**slots)

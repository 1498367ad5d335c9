"""How simulated people put things: sentences from templates, or a language model's words for them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import yaml
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from agent.claims import genre, is_form, themes
from agent.errors import ModelError
from agent.model.language import open_language

LONGEST = 240
"""Characters of a model's message; a longer one has added something."""

TEMPLATES = "templates"
"""The voice that needs no model."""


@cache
def _data(name: str) -> dict[str, Any]:
    return yaml.safe_load(Path(__file__).with_name(f"{name}.yaml").read_text("utf-8"))


def templates() -> dict[str, list[str]]:
    """The wordings of voice.yaml, by what is said."""
    return _data("voice")


def say(what: str, rng: random.Random, **slots: str) -> str:
    """A sentence of kind `what` (a key of voice.yaml) with its slots filled, drawn by `rng`."""
    return rng.choice(templates()[what]).format(**slots)


def spoken(kind: str, value: str) -> str:
    """A value of a fact as people say it: `a thriller`, `something set in Paris`, `a black comedy`."""
    if kind == "genres":
        return genre(value)
    if kind == "themes":
        return themes((value,), "" if is_form(value) else "something")[0]
    return value


class Voice(Protocol):
    """Somebody's own words for a whole message."""

    def reword(self, plain: str, keep: Sequence[str]) -> str:
        """`plain` in other words that hold all of `keep`, or as it is."""
        ...


class TemplateVoice:
    """Says what the templates say."""

    def reword(self, plain: str, keep: Sequence[str]) -> str:
        return plain


class ModelVoice:
    """Says it in the words of a language model, at its likeliest (temperature 0).

    A model's message is taken only when it is one line of at most `LONGEST` characters that still holds every
    value and title of the template's. Whether it means the same is for the model to answer for: a weak one
    makes people seem confused. What it says is checked for leaks like everything else.
    """

    def __init__(self, model: BaseChatModel) -> None:
        self._model = model

    def reword(self, plain: str, keep: Sequence[str]) -> str:
        """Raises ModelError when the model fails."""
        texts = _data("reword")
        messages: list[Any] = [SystemMessage(texts["system"])]
        for example in texts["examples"]:
            messages += [HumanMessage(example["plain"]), AIMessage(example["own"])]
        try:
            answer = self._model.invoke([*messages, HumanMessage(plain)], max_tokens=80).content
        except Exception as error:
            raise ModelError(f"The voice's model did not answer: {type(error).__name__}: {error}") from error
        own = str(answer).strip().strip('"')
        whole = all(word.casefold() in own.casefold() for word in keep)
        return own if own and whole and "\n" not in own and len(own) <= LONGEST else plain


def open_voice(name: str) -> Voice:
    """`TEMPLATES`, or a language model by the names of `open_language`. Raises ModelError."""
    if name == TEMPLATES:
        return TemplateVoice()
    language = open_language(name)
    if language is None:
        raise ModelError(f"There is no voice {name!r}: give templates, packaged, a model's name or a URL.")
    return ModelVoice(language.model)

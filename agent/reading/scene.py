"""What a message is read in: what is on show and what was asked, in the words the model sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.model.grammar import quotable
from agent.prompting import prompt

MOST_SHOWN = 6
_LONGEST_QUESTION = 160


@dataclass(frozen=True, slots=True)
class Scene:
    """`shown`: titles on show, in order. `asked`: the question that awaits an answer, "" for none, and
    its `options`. "#2" in a frame means the second of them: of the options for a wish, else of what is shown.
    """

    shown: tuple[str, ...] = ()
    asked: str = ""
    options: tuple[str, ...] = ()


def understand_prompt(message: str, scene: Scene, examples: bool) -> list[dict[str, str]]:
    """The chat that asks for a frame. `examples`: with worked ones, for an untrained model."""
    lines = []
    if scene.shown:
        lines.append(f"Shown: {_numbered(scene.shown[:MOST_SHOWN])}")
    if scene.asked:
        lines.append(f"Asked: {quotable(scene.asked)[:_LONGEST_QUESTION]}")
    if scene.options:
        lines.append(f"Options: {_numbered(scene.options)}")
    before = "".join(f"{line}\n" for line in lines)
    return prompt("understand", examples=examples, before=before, message=f"Message: {quotable(message)}")


def _numbered(texts: Sequence[str]) -> str:
    return "; ".join(f"{i} {quotable(text)}" for i, text in enumerate(texts, start=1))

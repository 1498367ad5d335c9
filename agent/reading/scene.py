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


def understand_prompt(message: str, scene: Scene, draft: str | None = None) -> list[dict[str, str]]:
    """The chat that asks for a frame. `draft`: the rules' reading in JSON, which a trained model corrects;
    None for a model that was not trained, which gets worked examples instead.
    """
    lines = []
    if scene.shown:
        lines.append(f"Shown: {_numbered(scene.shown[:MOST_SHOWN])}")
    if scene.asked:
        lines.append(f"Asked: {quotable(scene.asked)[:_LONGEST_QUESTION]}")
    if scene.options:
        lines.append(f"Options: {_numbered(scene.options)}")
    before = "".join(f"{line}\n" for line in lines)
    after = "" if draft is None else f"\nDraft: {draft}"
    text = f"Message: {quotable(message)}{after}"
    return prompt("understand", examples=draft is None, before=before, message=text)


def _numbered(texts: Sequence[str]) -> str:
    return "; ".join(f"{i} {quotable(text)}" for i, text in enumerate(texts, start=1))

"""One training example of one skill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Skill = Literal["understand", "expand", "judge", "respond"]
SKILLS: tuple[Skill, ...] = ("understand", "expand", "judge", "respond")


@dataclass(frozen=True, slots=True)
class Example:
    """What the model is shown and what it should write.

    `parts`: the text in pieces, (text, is it learned?). Chat prompts are one piece that is given and one that
    is learned; a judge's history alternates, since each of its verdicts is learned after the lines before it.
    `family`: the paraphrase family, user or dialogue it comes from; training has all of it or nothing.
    """

    skill: Skill
    family: str
    parts: tuple[tuple[str, bool], ...]

    @property
    def given(self) -> str:
        """The text up to the first learned piece: the prompt."""
        return self.parts[0][0]

    @property
    def learned(self) -> str:
        """What the model should write, pieces joined."""
        return "".join(text for text, learned in self.parts if learned)


def chat(skill: Skill, family: str, messages: Sequence[Mapping[str, str]], answer: str) -> Example:
    """An example in the chat format of the packaged model (ChatML, as its own template writes it)."""
    turns = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)
    return Example(skill, family, ((f"{turns}<|im_start|>assistant\n", False), (f"{answer}<|im_end|>", True)))

"""Examples of understanding: families filled from a catalogue, and what is told in a hurry."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from agent.model.grammar import quotable
from agent.reading.draft import Drafter
from agent.reading.scene import understand_prompt
from finetune.example import Example, chat
from finetune.families import LISTS, Family, Said, ordered, say
from finetune.fillings import Fillings
from finetune.noise import hurried

_JOINED = 0.15
"""Share of messages made of two families, one sentence after the other."""


def understand_example(said: Said, drafter: Drafter) -> Example:
    """A message with the rules' draft and the right frame, as the model sees and writes them."""
    draft = drafter.draft(said.message, said.scene)
    return chat("understand", said.family, understand_prompt(said.message, said.scene, draft), write(said))


def write(said: Said) -> str:
    """The frame as the grammar has it: keys in order, names as they can be quoted from the message."""
    frame = {
        key: [quotable(v) for v in value] if key in LISTS else value
        for key, value in ordered(said.frame).items()
    }
    return json.dumps(frame, ensure_ascii=False)


def messages(
    families: Sequence[Family], fillings: Fillings, count: int, seed: int, augment: float = 0.0
) -> Iterator[Said]:
    """`count` distinct messages; every family as often as the others. `augment`: share written in a hurry."""
    rng = random.Random(f"understand:{seed}")
    met: set[str] = set()
    informing = [
        family for family in families if family.act == "inform" and family.context in ("any", "start")
    ]
    for _ in range(count * 3):
        if len(met) >= count:
            return
        family = families[rng.randrange(len(families))]
        said = say(family, rng.choice(family.texts), fillings, rng)
        if rng.random() < _JOINED and informing and family in informing:
            said = _joined(said, rng.choice(informing), fillings, rng)
        if rng.random() < augment:
            said = hurried(said, rng)
        key = f"{said.scene}\n{said.message.lower()}"
        if key not in met:
            met.add(key)
            yield said


def _joined(said: Said, family: Family, fillings: Fillings, rng: random.Random) -> Said:
    """Two messages as one, unless both set a slot that holds one value."""
    other = say(family, rng.choice(family.texts), fillings, rng)
    single = (said.frame.keys() & other.frame.keys()) - {"act", *LISTS}
    if single or other.scene.shown or other.scene.asked or len(said.message) + len(other.message) > 220:
        return said
    end = "" if said.message[-1:] in ".!?" else "."
    frame: dict[str, Any] = dict(said.frame)
    for key, value in other.frame.items():
        frame[key] = [*frame.get(key, ()), *value] if key in LISTS else value
    return replace(
        said,
        message=f"{said.message}{end} {other.message}",
        frame=frame,
        family=f"{said.family}+{other.family}",
    )

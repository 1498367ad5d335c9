"""Messages about one catalogue, made for learning and for measuring, and how a model reads them freely."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from agent.model import assets
from agent.reading.draft import Drafter
from agent.reading.scene import Scene, understand_prompt
from eval.benchmarks.freely import write_freely
from finetune.example import Example
from finetune.families import Family, Said, on_side
from finetune.fillings import Fillings
from finetune.understanding import messages, understand_example
from retrieval.catalogue import Catalogue

Frames = dict[tuple[str, Scene], dict[str, Any] | None]
"""What was written for each message in its scene; None where it is no JSON object."""


@dataclass(frozen=True, slots=True)
class Domain:
    """What messages are made of: a catalogue, its families, and the rules that read them."""

    catalogue: Catalogue
    families: Sequence[Family]
    drafter: Drafter

    @classmethod
    def of(cls, catalogue: Catalogue, families: Sequence[Family]) -> Domain:
        """A domain with its rules."""
        return cls(catalogue, families, Drafter(catalogue))

    def examples(self, count: int, seed: int, augment: float = 0.0, held_out: bool = False) -> list[Example]:
        """Understanding examples of the families and items that are held out, or of the others."""
        kept = on_side(self.families, held_out)
        said = messages(kept, Fillings(self.catalogue, held_out), count, seed, augment)
        return [understand_example(one, self.drafter) for one in islice(said, count)]

    def read(self, said: Sequence[Said], adapter: Path | None) -> Frames:
        """What the model with `adapter` writes for each message, in one go; None where it is no frame."""
        prompts = [
            understand_prompt(one.message, one.scene, self.drafter.draft(one.message, one.scene))
            for one in said
        ]
        texts = write_freely(assets.model_folder(), adapter, prompts, most=72)
        return {(one.message, one.scene): frame_in(text) for one, text in zip(said, texts, strict=True)}


def frame_in(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is; None when it is none."""
    try:
        frame = json.loads(text)
    except json.JSONDecodeError:
        return None
    return frame if isinstance(frame, dict) else None

"""Whether the model says the same once it is merged, rounded to eight bits and served by another engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from eval.benchmarks.understanding import Reads
from eval.metrics import Estimate, bootstrap, share
from finetune.families import Said


@dataclass(frozen=True, slots=True)
class Agreement:
    """`same`: share of messages for which both engines write the same frame, to the letter."""

    served: str
    unquantised: str
    messages: int
    same: Estimate


def measure_agreement(
    served: tuple[str, Reads], unquantised: tuple[str, Reads], messages: Sequence[Said], seed: int = 0
) -> Agreement:
    """Let both read every message; each is (name, reader). Raises ValueError when there are no messages."""
    same = [
        served[1](said.message, said.scene) == unquantised[1](said.message, said.scene) for said in messages
    ]
    hits = np.array(same, float)
    return Agreement(served[0], unquantised[0], len(same), bootstrap(len(same), partial(share, hits), seed))

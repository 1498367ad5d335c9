"""What each way of choosing an item from a dialogue does: one verb, one number for every item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.dialogue import Message

Scores = NDArray[np.float32]
"""[n_items], in the catalogue's order; higher is better, all equal where a signal has nothing to say."""


class Signal(Protocol):
    """Scores every item of the catalogue for what may be recommended next."""

    @property
    def name(self) -> str:
        """As it stands in tables and in names of features."""

    def scores(self, messages: Sequence[Message]) -> Scores:
        """Items that the catalogue does not hold are passed over wherever the messages name them."""

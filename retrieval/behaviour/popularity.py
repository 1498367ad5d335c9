"""The same for everybody: what most people have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from retrieval.behaviour.model import ArrayModel, Matrix, per_item


@dataclass
class Popularity(ArrayModel):
    """score(i) = how many people have the item: the baseline that every other model has to beat."""

    name: ClassVar[str] = "popularity"

    def _learn(self, interactions: Matrix) -> dict[str, NDArray]:
        return {"counts": per_item(interactions)}

    def _score(self, histories: Matrix, rows: NDArray[np.int64] | None) -> NDArray:
        return np.tile(self.arrays["counts"], (histories.shape[0], 1))

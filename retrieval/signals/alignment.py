"""A scorer's tables after the catalogue changed: items that stayed, items that went, items that are new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from retrieval.catalogue import Catalogue
from retrieval.errors import WorkspaceError

if TYPE_CHECKING:
    from torch import Tensor

FEWEST = 0.5
"""Share of the former items that must still be there; with fewer it is another catalogue."""
NEIGHBOURS = 10
SHARPNESS = 4.0

Former = Sequence[tuple[str, str]]
"""(item_id, label) of every item that a scorer was trained with, in its rows' order."""


def labels(catalogue: Catalogue) -> list[tuple[str, str]]:
    """What is kept with a scorer to know its items again."""
    return [(item.item_id, item.label) for item in catalogue]


class Alignment:
    """Where each row of a former catalogue is now. An item stays while its id and its label do.

    A new item stands for the mean of the ten former ones nearest to it by their text, as cold items do in the
    collaborative source, until the scorer is trained again.
    """

    def __init__(self, former: Former, catalogue: Catalogue, texts: NDArray[np.float32]) -> None:
        """`texts`: vectors of the items as they are now, float32 [n_items, d] of unit length.

        Raises WorkspaceError when fewer than half of the former items are there.
        """
        places = {(item_id, label): row for row, (item_id, label) in enumerate(former)}
        known = np.array([places.get(key, -1) for key in labels(catalogue)], dtype=np.int64)
        stayed = np.flatnonzero(known >= 0)
        if len(stayed) < max(1, FEWEST * len(former)):
            raise WorkspaceError(
                f"The scorer belongs to another catalogue: this one has {len(stayed):,} of its "
                f"{len(former):,} items. Train the scorer again."
            )
        self._now = np.full(len(former), -1, dtype=np.int64)
        self._now[known[stayed]] = stayed
        self._shares = _shares(known, stayed, texts, len(former))

    def rows(self, former: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where these rows are now, in the same order; those that went are left out."""
        found = self._now[former]
        return found[found >= 0]

    def spread(self, table: Tensor) -> Tensor:
        """A table with a row for every former item, [n_former, ...] -> [n_items, ...]."""
        import torch

        flat = table.reshape(len(table), -1).numpy()
        spread = torch.from_numpy(np.asarray(self._shares @ flat, dtype=np.float32))
        return spread.reshape(len(spread), *table.shape[1:])


def _shares(
    known: NDArray[np.int64], stayed: NDArray[np.int64], texts: NDArray[np.float32], n_former: int
) -> sparse.csr_array:
    """Float32 [n_items, n_former]: an item that stayed is itself, a new one a mean of its neighbours."""
    new = np.flatnonzero(known < 0)
    k = min(NEIGHBOURS, len(stayed))
    likeness = texts[new] @ texts[stayed].T
    near = np.argsort(-likeness, axis=1, kind="stable")[:, :k]
    weights = np.clip(np.take_along_axis(likeness, near, 1), 1e-6, None) ** SHARPNESS
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.concatenate([stayed, np.repeat(new, k)])
    columns = np.concatenate([known[stayed], known[stayed[near]].ravel()])
    values = np.concatenate([np.ones(len(stayed)), weights.ravel()]).astype(np.float32)
    return sparse.csr_array((values, (rows, columns)), shape=(len(known), n_former))

"""How well targets are ranked: recall@k, MRR and NDCG@10, with intervals over dialogues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.metrics import Estimate, Floats, bootstrap

CUTOFF = 10
"""Where NDCG is cut."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One line of a table. None: not published."""

    system: str
    recall_1: Estimate | float | None
    recall_10: Estimate | float | None
    recall_50: Estimate | float | None
    mrr: Estimate | float | None = None
    ndcg_10: Estimate | float | None = None


def places(
    scores: NDArray[np.float32], targets: Sequence[int | None], excluded: NDArray[np.int64]
) -> list[float]:
    """Rank from 1 of each target (a row) among all items that are not `excluded` (rows), the others included.

    Equal scores share the mean of their ranks, so that a system that tells nothing apart gains nothing by
    the order of the catalogue. Infinite for a target of None, which the catalogue does not hold.
    """
    kept = scores.astype(np.float64)
    kept[excluded] = -np.inf
    found = []
    for target in targets:
        if target is None:
            found.append(np.inf)
            continue
        higher = np.count_nonzero(kept > kept[target])
        equal = np.count_nonzero(kept == kept[target])
        found.append(1 + higher + (equal - 1) / 2)
    return found


def gains(ranks: Floats) -> Floats:
    """[targets, 5]: what each rank adds to recall@1, @10, @50, MRR and NDCG@10.

    Each target is judged alone: its reciprocal rank (Voorhees, TREC-8 1999), and 1 / log2(1 + rank) where the
    rank is at most 10 (Järvelin & Kekäläinen, TOIS 2002, with one relevant item).
    """
    discounted = np.where(ranks <= CUTOFF, 1 / np.log2(1 + ranks), 0.0)
    return np.stack([ranks <= 1, ranks <= 10, ranks <= 50, 1 / ranks, discounted], axis=1).astype(float)


def measure_ranks(
    system: str, ranks: Sequence[float], dialogues: Sequence[int], n_dialogues: int, seed: int = 0
) -> Figures:
    """The figures of one system: means over targets, intervals over dialogues, which are drawn whole.

    `dialogues`: which of the `n_dialogues` each rank is from. Raises ValueError when there is no dialogue.
    """
    table = np.zeros((n_dialogues, 6))
    each = gains(np.asarray(ranks, dtype=float))
    np.add.at(table, np.asarray(dialogues, dtype=int), np.hstack([each, np.ones((len(each), 1))]))

    def mean_of(column: int) -> Estimate:
        return bootstrap(n_dialogues, lambda weights: _ratio(weights @ table[:, [column, 5]]), seed)

    return Figures(system, *(mean_of(column) for column in range(5)))


def _ratio(total: Floats) -> float:
    return float(total[0] / total[1]) if total[1] else float("nan")

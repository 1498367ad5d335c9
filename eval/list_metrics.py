"""What a list is like besides being right: spread over genres, calibration, surprise, the long tail.

Lists, `ranked`, are as in `eval.ranking_metrics`. `facets` is float [items, facets], what each item is, such
as its genres. Metrics of single lists return float [users], nan where they are undefined.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from eval.ranking_metrics import EMPTY, Floats, Hits, Places

SMOOTHING = 0.01
"""How much of the liked shares is mixed into a list's, so that a missing genre does not cost infinity."""

HEAD = 0.8
"""The most popular items that together have this share of all interactions are the short head."""


def facet_shares(rows: NDArray[np.bool_] | Floats, facets: Floats) -> Floats:
    """Float [users, facets]: p(g|u) = mean over the items of p(g|i), p(g|i) = 1 / (number of facets of i).

    `rows`: [users, items], not 0 where an item is in somebody's list or history (Steck, RecSys 2018, eq. 2
    and 3, every item weighing the same). A row without any facet is nan.
    """
    counts = facets.sum(axis=1, keepdims=True)
    each = facets / np.where(counts > 0, counts, 1.0)
    summed = (np.asarray(rows) != 0).astype(float) @ each
    total = summed.sum(axis=1, keepdims=True)
    return np.where(total > 0, summed / np.where(total > 0, total, 1.0), np.nan)


def list_shares(ranked: Places, facets: Floats, k: int) -> Floats:
    """`facet_shares` of the first k of every list, float [users, facets]."""
    first = ranked[:, :k]
    held = np.zeros((len(first), len(facets)))
    users, places = np.nonzero(first != EMPTY)
    held[users, first[users, places]] = 1.0
    return facet_shares(held, facets)


def entropy(shares: Floats) -> Floats:
    """H = -sum_g p(g) log2 p(g) of every row, in bits (Shannon 1948): 0 where all is of one genre."""
    return special.entr(shares).sum(axis=1) / np.log(2)


def simpson(shares: Floats) -> Floats:
    """1 - sum_g p(g)^2 of every row: the chance that two draws differ (after Simpson, Nature 1949)."""
    return 1 - (shares**2).sum(axis=1)


def miscalibration(liked: Floats, listed: Floats) -> Floats:
    """C_KL(p, q) = sum_g p(g) ln(p(g) / q'(g)), q' = (1 - a) q + a p, a = .01 (Steck, RecSys 2018, eq. 4-5).

    `liked`: p, the shares of genres in what each person likes; `listed`: q, those of their list. In nats; 0
    where the list has every genre in proportion. nan where either is unknown.
    """
    mixed = (1 - SMOOTHING) * listed + SMOOTHING * liked
    return special.rel_entr(liked, mixed).sum(axis=1)


def serendipity_at(found: Hits, ranked: Places, expected: NDArray[np.bool_], k: int) -> Floats:
    """|relevant and unexpected in the first k| / k (Ge, Delgado-Battenfeld & Jannach, RecSys 2010).

    `expected`: bool [items], what a primitive model gives to everybody, such as the most popular items.
    """
    return (found & _listed(ranked, ~expected))[:, :k].sum(axis=1) / k


def long_tail(counts: NDArray[np.number], head: float = HEAD) -> NDArray[np.bool_]:
    """Bool [items]: outside the smallest set of most popular items with at least `head` of all interactions.

    The Pareto reading of the long tail (Anderson 2006; Celma & Cano 2008); ties by place. Items that nobody
    knows are in the tail. Raises ValueError where nobody knows anything.
    """
    total = float(np.sum(counts))
    if total <= 0:
        raise ValueError("There is no interaction, so there is neither a head nor a tail.")
    order = np.argsort(-np.asarray(counts, dtype=float), kind="stable")
    before = np.concatenate(([0.0], np.cumsum(np.asarray(counts, dtype=float)[order])[:-1]))
    tail = np.zeros(len(order), dtype=bool)
    tail[order[before >= head * total]] = True
    return tail


def share_at(ranked: Places, marked: NDArray[np.bool_], k: int) -> Floats:
    """Share of the first k that is marked; of the long tail it is APLT (Abdollahpouri et al., FLAIRS 2019).

    `marked`: bool [items]. nan for an empty list.
    """
    first = ranked[:, :k]
    listed = (first != EMPTY).sum(axis=1)
    held = _listed(first, marked).sum(axis=1)
    return np.where(listed > 0, held / np.where(listed > 0, listed, 1), np.nan)


def _listed(ranked: Places, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bool [users, depth]: whether the item at each rank is marked."""
    return marked[np.where(ranked == EMPTY, 0, ranked)] & (ranked != EMPTY)

"""Metrics of ranked lists: pure functions, each with its formula and where it comes from.

A ranked list is a row of `ranked`, int [users, depth]: places of items, best first, EMPTY where a list ends
early. `relevant` is bool [users, items], or sparse; what is right for each user. Metrics of single lists
return float [users], nan where they are undefined (a user without anything relevant, an empty list), so that
`mean` takes weights for a bootstrap draw; metrics of all lists together take the weights themselves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

EMPTY = -1
"""Stands in `ranked` where a list has no further item."""

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Hits = NDArray[np.bool_]


def top(scores: NDArray[np.floating], n: int) -> Places:
    """The `n` best items of every row of [users, items], best first; ties by place, -inf is never ranked."""
    depth = min(n, scores.shape[1])
    order = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
    return np.where(np.isneginf(np.take_along_axis(scores, order, axis=1)), EMPTY, order)


def hits(ranked: Places, relevant: Hits | sparse.csr_array) -> Hits:
    """Bool [users, depth]: whether the item at each rank is relevant."""
    given = relevant if isinstance(relevant, np.ndarray) else relevant.toarray()
    found = np.take_along_axis(given.astype(bool), np.where(ranked == EMPTY, 0, ranked), axis=1)
    return found & (ranked != EMPTY)


def mean(values: Floats, weights: Floats | None = None) -> float:
    """Weighted mean over the users for whom a metric is defined; nan where it is for none."""
    known = ~np.isnan(values)
    shares = known.astype(float) if weights is None else known * weights
    total = shares.sum()
    return float((np.where(known, values, 0.0) * shares).sum() / total) if total > 0 else float("nan")


def precision_at(found: Hits, k: int) -> Floats:
    """|relevant in the first k| / k; what a short list lacks counts as wrong (Manning et al. 2008, 8.4)."""
    return found[:, :k].sum(axis=1) / k


def recall_at(found: Hits, wanted: NDArray[np.int64], k: int) -> Floats:
    """|relevant in the first k| / |relevant|, with `wanted` = |relevant| (Manning et al. 2008, 8.4)."""
    return _over(found[:, :k].sum(axis=1).astype(float), wanted)


def hit_rate_at(found: Hits, wanted: NDArray[np.int64], k: int) -> Floats:
    """1 where anything relevant is among the first k, else 0 (Deshpande & Karypis, TOIS 2004)."""
    return np.where(wanted > 0, found[:, :k].any(axis=1).astype(float), np.nan)


def ndcg_at(found: Hits, wanted: NDArray[np.int64], k: int) -> Floats:
    """DCG / ideal DCG with DCG = sum over ranks r <= k of relevant_r / log2(r + 1), gains 0 and 1.

    The ideal list has min(k, |relevant|) relevant items at its head (Jarvelin & Kekalainen, TOIS 2002).
    """
    discount = 1 / np.log2(np.arange(2, k + 2))
    first = found[:, :k]
    gained = (first * discount[: first.shape[1]]).sum(axis=1)
    ideal = np.concatenate(([0.0], np.cumsum(discount)))[np.minimum(wanted, k)]
    return _over(gained, ideal)


def reciprocal_rank(found: Hits, wanted: NDArray[np.int64]) -> Floats:
    """1 / rank of the first relevant item, 0 without any; its mean is MRR (Voorhees, TREC-8 1999)."""
    first = found.argmax(axis=1)
    return np.where(wanted > 0, found.any(axis=1) / (first + 1.0), np.nan)


def average_precision_at(found: Hits, wanted: NDArray[np.int64], k: int) -> Floats:
    """sum over ranks r <= k of precision@r * relevant_r, over min(k, |relevant|); its mean is MAP@k.

    Source: Buckley & Voorhees, SIGIR 2000; cut at k as in Manning et al. 2008, 8.4.
    """
    first = found[:, :k]
    precisions = np.cumsum(first, axis=1) / np.arange(1, first.shape[1] + 1)
    return _over((precisions * first).sum(axis=1), np.minimum(wanted, k))


def exposure(ranked: Places, n_items: int, k: int, weights: Floats | None = None) -> Floats:
    """Float [items]: in how many of the lists each item is among the first k."""
    first = ranked[:, :k]
    shares = np.ones(len(ranked)) if weights is None else weights
    listed = first != EMPTY
    amounts = np.repeat(shares, listed.sum(axis=1))
    return np.bincount(first[listed], amounts, minlength=n_items).astype(float)


def coverage_at(ranked: Places, n_items: int, k: int, weights: Floats | None = None) -> float:
    """Catalogue coverage: |items among anybody's first k| / |items| (Ge et al., RecSys 2010)."""
    return float((exposure(ranked, n_items, k, weights) > 0).mean())


def gini(amounts: Floats) -> float:
    """G = sum_i (2 i - n - 1) x_i / (n sum x) with x ascending: 0 = all alike, (n - 1) / n = one has all.

    Of exposure it says how unevenly items are shown (Gini 1912; Shani & Gunawardana, "Evaluating
    Recommendation Systems", 2011). nan where nothing was shown. Raises ValueError for a negative amount.
    """
    if amounts.size and amounts.min() < 0:
        raise ValueError(f"Amounts must not be negative; the lowest is {amounts.min()}.")
    total = amounts.sum()
    if total == 0:
        return float("nan")
    n = len(amounts)
    return float(((2 * np.arange(1, n + 1) - n - 1) * np.sort(amounts)).sum() / (n * total))


def intra_list_distance(ranked: Places, vectors: NDArray[np.floating], k: int) -> Floats:
    """Mean of 1 - cosine over all pairs among the first k (Ziegler et al., WWW 2005, as a distance).

    `vectors`: [items, d], scaled to unit length here; one of length 0 is at distance 1 from all. nan for a
    list of fewer than two items.
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(length > 0, length, 1.0)
    first = ranked[:, :k]
    listed = first != EMPTY
    chosen = unit[np.where(listed, first, 0)] * listed[:, :, None]
    n = listed.sum(axis=1).astype(float)
    # Over ordered pairs the cosines sum to |sum of vectors|^2 less every vector with itself.
    together = (chosen.sum(axis=1) ** 2).sum(axis=1) - (chosen**2).sum(axis=(1, 2))
    return _over(n * (n - 1) - together, n * (n - 1))


def novelty_at(ranked: Places, counts: NDArray[np.number], n_users: int, k: int) -> Floats:
    """Mean self-information of the first k, -log2 p(i), in bits (Zhou et al., PNAS 2010).

    p(i) = (users who know the item + 1) / (users + 1), so that an item nobody knows has a finite novelty.
    `counts`: [items], of the users who know each.
    """
    surprise = -np.log2((np.asarray(counts, dtype=float) + 1) / (n_users + 1))
    return _mean_over(ranked[:, :k], surprise)


def popularity_lift(ranked: Places, profiles: sparse.csr_array, counts: NDArray[np.number], k: int) -> Floats:
    """(GAP of the first k - GAP of the profile) / GAP of the profile: above 0 where lists are more popular.

    GAP is the mean of `counts` over the items of a list, or of a user's own history. It is taken for every
    user here, and for groups of users in its source (Abdollahpouri et al., RecSys 2019 workshop RMSE).
    """
    popular = np.asarray(counts, dtype=float)
    known = (profiles != 0).astype(float)
    own = _over(known @ popular, np.asarray(known.sum(axis=1)).ravel())
    return _over(_mean_over(ranked[:, :k], popular) - own, own)


def expected_calibration_error(
    chances: Floats, positive: Hits, bins: int = 10, weights: Floats | None = None
) -> float:
    """sum over bins of (share of the instances) * |mean chance - share that was positive|.

    Bins are equally wide over [0, 1], 1 in the last (Naeini et al., AAAI 2015; Guo et al., ICML 2017).
    Raises ValueError for a chance outside [0, 1].
    """
    outside = (chances < 0) | (chances > 1) | np.isnan(chances)
    if outside.any():
        raise ValueError(f"Chances must lie in [0, 1]; one is {chances[outside][0]}.")
    shares = np.ones(len(chances)) if weights is None else weights
    place = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = np.bincount(place, shares * (chances - positive), minlength=bins)
    return float(np.abs(gaps).sum() / shares.sum())


def _mean_over(first: Places, values: Floats) -> Floats:
    """Mean of the items' values over each list; nan for an empty one."""
    listed = first != EMPTY
    return _over((values[np.where(listed, first, 0)] * listed).sum(axis=1), listed.sum(axis=1))


def _over(part: Floats, whole: NDArray[np.number]) -> Floats:
    """part / whole; nan where the whole is 0."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)

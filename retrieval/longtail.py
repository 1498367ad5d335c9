"""How far down the catalogue to reach: the last places of every page are drawn, lesser-known items first."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retrieval.types import Candidate

# Chosen on 236 training users of MovieLens 100K, ten likes given twice, whose ratings no source knew: what
# each way of re-ranking makes of coverage@10 where it costs 8 to 10 % of NDCG@10 (finetune/LOG.md has more).
#   a penalty on the popularity percentile, the best formula        x 1.4
#   the eight best kept, then the likeliest below a percentile      x 1.4
#   the eight best kept, then content alone                         x 1.4
#   the eight best kept, then drawn (Plackett-Luce), as here        x 1.9
# A penalty shows everybody the same few lesser-known items; a draw shows each of them to somebody.
POWER = 2.32
"""Of a page, the share `long_tail` ** 2.32 is drawn: a fifth at 0.5, where NDCG@10 falls by 9 % for these
users (a tenth: by 5 %), and all of it at 1."""

RANK, FAME = 1.0, 3.0
"""An item at rank r that is better known than the share p of the catalogue is drawn in proportion to
r ** -RANK * exp(-FAME * p)."""

STEEPER, FAMOUS = 20.0, 0.6
"""From the middle of the slider on, an item better known than the share FAMOUS loses more and more: at the
end, STEEPER times what it is above. There, no famous items are wanted at all."""


def percentiles(popularity: NDArray[np.floating]) -> NDArray[np.float64]:
    """Float [n_items] in (0, 1): the share of items that are less popular, equals counted half.

    Where nothing is known of popularity all are alike, and stand at 0.5.
    """
    ordered = np.sort(popularity)
    below = np.searchsorted(ordered, popularity, "left") + np.searchsorted(ordered, popularity, "right")
    return below / (2.0 * max(len(popularity), 1))


def drawn_places(long_tail: float, page: int) -> int:
    """How many of the `page` items shown at once are drawn; halves are rounded up."""
    return min(page, int(page * long_tail**POWER + 0.5))


def reach(
    candidates: Sequence[Candidate],
    percentile: Callable[[str], float],
    long_tail: float,
    page: int,
    seed: str,
) -> list[Candidate]:
    """The same candidates in another order: of every `page` places the last ones hold drawn items.

    Draws are without replacement, in proportion to r ** -RANK * exp(-penalty) (Plackett-Luce, by
    the Gumbel trick: Kool et al., ICML 2019), so that exposure is spread as a stochastic policy spreads it
    (Diaz et al., CIKM 2020); but an item's luck hangs on `seed` and its id alone, so the same query has the
    same answer. The penalty of a percentile p is FAME p + STEEPER (2 long_tail - 1)+ (p - FAMOUS)+, x+ being
    max(0, x). `percentile`: of an item_id's popularity, in [0, 1]. `long_tail` in [0, 1]; 0 keeps the order.
    Ranks are counted anew, scores stay what they were.
    """
    drawn = drawn_places(long_tail, page)
    if drawn == 0:
        return list(candidates)
    luck = [_luck(seed, one.item_id) for one in candidates]
    steeper = STEEPER * max(0.0, 2 * long_tail - 1)
    keys = [
        gumbel - RANK * math.log(rank) - _penalty(percentile(one.item_id), steeper)
        for rank, (one, gumbel) in enumerate(zip(candidates, luck, strict=True), start=1)
    ]
    by_luck = sorted(range(len(candidates)), key=lambda place: -keys[place])
    order = _dealt(len(candidates), by_luck, page - drawn, page)
    return [replace(candidates[place], rank=rank) for rank, place in enumerate(order, start=1)]


def _penalty(percentile: float, steeper: float) -> float:
    return FAME * percentile + steeper * max(0.0, percentile - FAMOUS)


def _dealt(n: int, by_luck: Sequence[int], best: int, page: int) -> list[int]:
    """Places 0 .. n - 1 dealt in pages: the `best` first that are left, then those luckiest."""
    left, taken = (iter(range(n)), iter(by_luck)), [False] * n
    order: list[int] = []
    while len(order) < n:
        source = left[0] if len(order) % page < best else left[1]
        place = next(place for place in source if not taken[place])
        taken[place] = True
        order.append(place)
    return order


@lru_cache(maxsize=2**14)
def _luck(seed: str, item_id: str) -> float:
    """A standard Gumbel variate that depends on nothing but the two texts."""
    digest = hashlib.blake2b(f"{seed}\n{item_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    uniform = (int.from_bytes(digest, "big") + 0.5) / 2**64
    return -math.log(-math.log(uniform))

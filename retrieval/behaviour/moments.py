"""When people do what they do: what is done together in time belongs together more than what is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.behaviour.model import BehaviourError, Matrix, per_item
from retrieval.behaviour.splits import users_of

DAY = 86400.0
PRIOR = 5.0  # interactions of the overall shares that every moment begins with


@dataclass(frozen=True, slots=True)
class Pace:
    """`share` of what two interactions of a person count together falls off as exp(-gap / `seconds`).

    `seconds` of inf: it does not fall off, as in a count of who has both.
    """

    share: float
    seconds: float


def timed_gram(
    interactions: Matrix, times: NDArray[np.float64], paces: Sequence[Pace], history_power: float = 0.0
) -> NDArray[np.float32]:
    """sum over people of sum over paces of share * exp(-|t_ui - t_uj| / seconds), float32 [n_items, n_items].

    It stands for X'X where item-item weights are learned (`item_weights`): each addend is a positive
    semi-definite kernel, so their sum is one too. `times`: [nnz], epoch seconds of each interaction.
    `history_power`: as in `Ease`. Raises BehaviourError for other than one finite time each.
    """
    _check(interactions, times)
    gram = np.zeros((interactions.shape[1], interactions.shape[1]), np.float32)
    for start, end in zip(interactions.indptr[:-1], interactions.indptr[1:], strict=True):
        items, moments = interactions.indices[start:end], times[start:end]
        gap = np.abs(moments[:, None] - moments[None])
        close = sum(pace.share * np.exp(-gap / pace.seconds) for pace in paces)
        gram[np.ix_(items, items)] += close * max(len(items), 1) ** (-2 * history_power)
    return gram


def near_items(interactions: Matrix, times: NDArray[np.float64], seconds: float) -> NDArray[np.float32]:
    """How often two items are taken within `seconds` of each other, over the root of how often each is.

    Like `timed_gram` with one pace, with 0 on the diagonal; counts are shrunk by `PRIOR`.
    """
    counts = per_item(interactions) + PRIOR
    near = timed_gram(interactions, times, (Pace(1.0, seconds),))
    np.fill_diagonal(near, 0.0)
    return (near / np.sqrt(np.outer(counts, counts))).astype(np.float32)


def timely(interactions: Matrix, times: NDArray[np.float64], days: float) -> NDArray[np.float32]:
    """ln(an item's share of what everybody does around a person's own days / its share of all), per person.

    Float32 [n_users, n_items]. "Around" falls off as exp(-distance / `days`), summed over the person's
    interactions; shares are shrunk towards the overall ones. 0 for a person without any.
    """
    _check(interactions, times)
    day = np.floor((times - times.min(initial=np.inf)) / DAY).astype(np.int64)
    n_days = int(day.max(initial=0)) + 1
    shape = interactions.shape
    by_item = np.zeros((n_days, shape[1]))
    np.add.at(by_item, (day, interactions.indices), 1.0)
    by_user = np.zeros((shape[0], n_days))
    np.add.at(by_user, (users_of(interactions), day), 1.0)
    own = by_user / np.maximum(by_user.sum(axis=1, keepdims=True), 1.0)
    distance = np.abs(np.arange(n_days)[:, None] - np.arange(n_days)[None])
    around = (own @ np.exp(-distance / days)) @ by_item
    usual = by_item.sum(axis=0) / max(len(times), 1)
    share = (around + PRIOR * usual) / (around.sum(axis=1, keepdims=True) + PRIOR)
    known = np.maximum(usual, 1e-12)
    return np.log(np.maximum(share, 1e-12) / known).astype(np.float32)


def _check(interactions: Matrix, times: NDArray[np.float64]) -> None:
    if len(times) != interactions.nnz or not np.isfinite(times).all():
        raise BehaviourError(
            f"{len(times)} times are given for {interactions.nnz} interactions: give a finite one for each."
        )

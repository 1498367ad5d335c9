"""Who liked what: how much each item is liked, and how liking one item goes with liking another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from retrieval.behaviour.alike import Likeness
from retrieval.behaviour.ease import item_weights
from retrieval.behaviour.model import BehaviourError, Matrix

EMPTY = -1
"""Stands in a history where it is shorter than others."""

PRIOR = 5.0  # votes of the overall mean that every item's own begins with
IN_COMMON = 200.0  # people two items need in common for their own covariance to count half
IN_COMMON_ALONE = 30.0  # the same, where nothing but verdicts is to count
IN_COMMON_STARS = 20.0
DAMPING = 0.1  # likeness that pulls towards the item's mean where its neighbours are weak
NOISE, NOISE_ALONE = 0.05, 0.1  # variance of a verdict beyond that of its item's share of likes
LIKES_PENALTY = 200.0
_CHUNK = 8192

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """Would somebody like an item? A row for each question.

    `item`: int [n]; `history`: int [n, h], oldest first, EMPTY where there is none; `liked`: float [n, h]
    of 0 and 1, their verdicts; `ago`: float [n, h], seconds from each verdict to the question.
    """

    item: NDArray[np.int64]
    history: NDArray[np.int64]
    liked: Floats
    ago: Floats

    def __len__(self) -> int:
        return len(self.item)


@dataclass(frozen=True, slots=True)
class Likings:
    """What many people's verdicts say. Vectors are [n_items], matrices float32 [n_items, n_items].

    `share`: of likes among an item's verdicts, shrunk to the overall one; `mean`: the same, shrunk to what
    items like it let expect; `stars`, `spread`: mean and standard deviation of ratings; `popularity`:
    ln(1 + how many of a thousand people rated it).
    `covariance` of liking two items beyond their means, and as items' likeness alone (`expected`) and
    verdicts alone (`alone`) give it; `near`: cosine of ratings; `likes`, `dislikes`: EASE of who liked both,
    and of who disliked both.
    """

    share: Floats
    mean: Floats
    stars: Floats
    spread: Floats
    popularity: Floats
    covariance: Likeness
    expected: Likeness
    alone: Likeness
    near: Likeness
    likes: Likeness
    dislikes: Likeness


def learn(ratings: Matrix, above: float, alike: Mapping[str, Likeness]) -> Likings:
    """Likings from ratings, csr [n_people, n_items]; a rating above `above` is a like.

    `alike`: likenesses of the items by name. Raises BehaviourError when there is no rating.
    """
    if ratings.nnz == 0:
        raise BehaviourError("There is no rating to learn from.")
    stars = ratings.toarray().astype(np.float64)
    seen = (stars > 0).astype(np.float64)
    liked = (stars > above).astype(np.float64)
    votes = seen.sum(axis=0)
    usual, usual_stars = liked.sum() / votes.sum(), stars.sum() / votes.sum()
    mean = _means(liked.sum(axis=0), votes, usual, alike)
    away = (liked - seen * mean).astype(np.float32)
    seen = seen.astype(np.float32)
    cross, together = _off_diagonal(away.T @ away), _off_diagonal(seen.T @ seen)
    expected = _regressed(cross, together, alike)
    rated = (stars.sum(axis=0) + PRIOR * usual_stars) / (votes + PRIOR)
    square = ((stars**2).sum(axis=0) + PRIOR * (usual_stars**2 + 1)) / (votes + PRIOR)
    disliked = seen - liked.astype(np.float32)
    return Likings(
        share=(liked.sum(axis=0) + PRIOR * usual) / (votes + PRIOR),
        mean=mean,
        stars=rated,
        spread=np.sqrt(np.maximum(square - rated**2, 0)),
        popularity=np.log1p(1000 * votes / ratings.shape[0]),
        covariance=(cross + IN_COMMON * expected) / (together + IN_COMMON),
        expected=expected,
        alone=(cross + IN_COMMON_ALONE * expected.mean()) / (together + IN_COMMON_ALONE),
        near=_cosine((stars - seen * rated).astype(np.float32), together),
        likes=item_weights(liked.T @ liked, LIKES_PENALTY),
        dislikes=item_weights(disliked.T @ disliked, LIKES_PENALTY),
    )


def _means(likes: Floats, votes: Floats, usual: float, alike: Mapping[str, Likeness]) -> Floats:
    """Float [n_items]: every item's share of likes by Gaussian process regression over items.

    Its covariance is a sum of likenesses, of how near the numbers of votes are (popular items are liked
    more), and of what is the item's own, weighted to fit the products of what was observed (Haseman &
    Elston 1972); an observed share has the variance usual * (1 - usual) / votes.
    """
    known = votes > 0
    away = np.where(known, likes / np.maximum(votes, 1) - usual, 0.0)
    often = np.log1p(votes)
    kinds = {**alike, "votes": np.exp(-((often[:, None] - often[None]) ** 2) / 2).astype(np.float32)}
    noise = usual * (1 - usual)
    trust = votes / (votes + PRIOR)
    weight = np.outer(trust, trust).astype(np.float32)
    products = np.outer(away, away).astype(np.float32)
    covariance = _regressed(_off_diagonal(products * weight), _off_diagonal(weight), kinds).astype(np.float64)
    own = max(float((trust * (away**2 - noise / np.maximum(votes, 1))).sum() / trust.sum()), 1e-4)
    covariance[np.diag_indices_from(covariance)] = own
    curve = covariance[np.ix_(known, known)].copy()
    curve[np.diag_indices_from(curve)] += noise / votes[known]
    found = usual + covariance[:, known] @ np.linalg.solve(curve, away[known])
    return np.clip(found, 0.02, 0.98)


def _regressed(products: Likeness, weights: Likeness, kinds: Mapping[str, Likeness]) -> Likeness:
    """The sum of `kinds` and a constant that is nearest to products / weights, squares counting by weight.

    None of them counts less than 0 (Lawson & Hanson 1974), so that a sum of kernels stays one.
    """
    every = [np.ones_like(products), *kinds.values()]
    left = np.array([[np.vdot(weights * one, other) for other in every] for one in every], dtype=float)
    right = np.array([np.vdot(products, one) for one in every], dtype=float)
    left[np.diag_indices_from(left)] += 1e-6 * np.trace(left) / len(every) + 1e-9
    root = np.linalg.cholesky(left).T
    parts = nnls(root, np.linalg.solve(root.T, right))[0].astype(np.float32)
    return np.asarray(sum(part * one for part, one in zip(parts, every, strict=True)), dtype=np.float32)


def _off_diagonal(matrix: NDArray[np.floating]) -> Likeness:
    kept = matrix.astype(np.float32)
    np.fill_diagonal(kept, 0.0)
    return kept


def _cosine(away: Likeness, together: Likeness) -> Likeness:
    length = np.sqrt((away**2).sum(axis=0)) + np.float32(1e-9)
    return _off_diagonal(away.T @ away / np.outer(length, length) * together / (together + IN_COMMON_STARS))


def posterior(asked: Asked, mean: Floats, covariance: Likeness, noise: float) -> tuple[Floats, Floats]:
    """(how much likelier than `mean` a like is after the history, how much the history says), both [n].

    Gaussian process regression (Rasmussen & Williams 2006, 2.2): k' (K + D)^-1 (liked - mean) and
    k' (K + D)^-1 k, with k the covariances of the item with its history, K those within it, and D the
    variance of each verdict, mean * (1 - mean) + `noise`.
    """
    shift, told = np.zeros(len(asked)), np.zeros(len(asked))
    for start in range(0, len(asked), _CHUNK):
        span = slice(start, start + _CHUNK)
        there = asked.history[span] != EMPTY
        history = np.where(there, asked.history[span], 0)
        away = (asked.liked[span] - mean[history]) * there
        given = covariance[asked.item[span, None], history] * there
        within = covariance[history[:, :, None], history[:, None, :]] * there[:, :, None] * there[:, None]
        within = within.astype(np.float64)
        own = np.where(there, mean[history] * (1 - mean[history]) + noise, 1.0)
        within[:, np.arange(history.shape[1]), np.arange(history.shape[1])] = own
        solved = np.linalg.solve(within, np.stack([away, given], axis=-1))
        shift[span] = (given * solved[:, :, 0]).sum(axis=1)
        told[span] = (given * solved[:, :, 1]).sum(axis=1)
    return shift, told

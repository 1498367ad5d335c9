"""Several ranked lists into one: pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from retrieval.types import Candidate, Evidence

K = 60
"""The constant of reciprocal-rank fusion, as its authors found it."""


def reciprocal_rank(
    lists: Mapping[str, Sequence[Candidate]], weights: Mapping[str, float], k: int = K
) -> list[Candidate]:
    """Reciprocal-rank fusion: score(item) = sum over sources of weight / (k + rank there).

    `lists` and `weights` are keyed by source; a source of weight 0 is left out. Evidence is joined in
    the order of `lists`. Best first, ranks from 1, ties by item_id. Raises KeyError for a source
    without a weight. Source: Cormack, Clarke and Buettcher, SIGIR 2009, where k is 60.
    """
    scores: dict[str, float] = {}
    evidence: dict[str, list[Evidence]] = {}
    for source, candidates in lists.items():
        weight = weights[source]
        if weight == 0:
            continue
        for candidate in candidates:
            item_id = candidate.item_id
            scores[item_id] = scores.get(item_id, 0.0) + weight / (k + candidate.rank)
            evidence.setdefault(item_id, []).extend(candidate.evidence)
    ordered = sorted((-score, item_id) for item_id, score in scores.items())
    return [
        Candidate(item_id, -score, rank, tuple(evidence[item_id]))
        for rank, (score, item_id) in enumerate(ordered, start=1)
    ]

"""Tastes told in passing: what has more of them comes first, and nothing is ruled out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.filters import group_mask
from retrieval.types import Candidate, Constraints, Facet

Groups = Sequence[tuple[Facet, ...]]
"""Of each group, one facet is enough."""

DOUBT = 0.1
"""What is left of the fused score of an item that has nothing of what was told."""


def parts(constraints: Constraints, preferences: Groups) -> tuple[Constraints, ...]:
    """The constraints twice: with something of the preferences, and with nothing of them.

    Sources give only so many items; asked twice, they give enough of what is preferred.
    """
    if not preferences:
        return (constraints,)
    any_of = tuple(dict.fromkeys(facet for group in preferences for facet in group))
    return (
        replace(constraints, require=(*constraints.require, any_of)),
        replace(constraints, forbid=(*constraints.forbid, *any_of)),
    )


def doubted(candidates: Sequence[Candidate], preferences: Groups, catalogue: Catalogue) -> list[Candidate]:
    """By score x DOUBT ^ (share of the groups that an item has nothing of), best first, ties by item_id."""
    if not preferences or not candidates:
        return list(candidates)
    rows = [catalogue.row(one.item_id) for one in candidates]
    missed = 1 - np.mean([group_mask(catalogue, group)[rows] for group in preferences], axis=0)
    scored = [
        replace(one, score=one.score * DOUBT**share)
        for one, share in zip(candidates, missed.tolist(), strict=True)
    ]
    ordered = sorted(scored, key=lambda one: (-one.score, one.item_id))
    return [replace(one, rank=rank) for rank, one in enumerate(ordered, start=1)]

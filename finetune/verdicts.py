"""Ratings -> examples of the judge: windows of a person's history, every verdict of which is learned."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np

from agent.judge import Verdict, candidate_line, history_text
from agent.prompting import spec
from finetune.example import Example
from retrieval.catalogue import Catalogue
from retrieval.interactions import Interactions

WINDOW = 24
"""Verdicts in one example: the judge is asked after ten, and learns from fewer and from more too."""

POSITIVE_ABOVE = 3.0
"""Ratings above this count as liked (the published protocol on MovieLens)."""


def histories(
    interactions: Interactions, catalogue: Catalogue, positive_above: float = POSITIVE_ABOVE
) -> Iterator[tuple[str, list[Verdict]]]:
    """Every user with their verdicts in the order of time."""
    matrix, times = interactions.matrix.tocsr(), interactions.times.tocsr()
    items = list(catalogue)
    for row, user in enumerate(interactions.users):
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        values, columns = matrix.data[span], matrix.indices[span]
        order = np.lexsort((columns, times.data[span]))
        yield user, [Verdict(items[columns[i]], bool(values[i] > positive_above)) for i in order]


def judge_examples(
    people: Sequence[tuple[str, list[Verdict]]], seed: int, window: int = WINDOW
) -> list[Example]:
    """All verdicts of all `people`, in windows that start at a random place (another for every seed)."""
    rng = random.Random(f"judge:{seed}")
    examples = []
    for user, verdicts in people:
        start = rng.randrange(window) - window
        while start < len(verdicts):
            part = verdicts[max(start, 0) : start + window]
            if len(part) > 1:
                examples.append(judge_example(user, part))
            start += window
    return examples


def judge_example(user: str, verdicts: Sequence[Verdict]) -> Example:
    """One window as an example: the words "yes" and "no" are learned, the items are given."""
    texts = spec("judge")
    parts: list[tuple[str, bool]] = []
    before = history_text(())
    for verdict in verdicts:
        parts.append((before + candidate_line(verdict.item), False))
        parts.append((texts["liked"] if verdict.liked else texts["disliked"], True))
        before = "\n"
    return Example("judge", user, tuple(parts))

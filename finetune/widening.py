"""Likes of many people -> examples of the expand skill: who likes these films, what else do they like?

The answer is not what one person happens to like besides, most of which nobody could guess, but what stands
out among all people who share the given likes: that is what can be learned from so few people.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from agent.expand import (
    FIELDS,
    LIKES,
    MOST,
    WAYS,
    Ask,
    Way,
    answers,
    expand_prompt,
    find_bridge,
    having,
    said,
)
from agent.reading.vocabulary import INTERESTS
from finetune.config import ConfigError
from finetune.dialogues import matched, read_lines
from finetune.example import Example, chat
from finetune.verdicts import histories
from retrieval.catalogue import Catalogue
from retrieval.types import Facet, facet_values
from retrieval.workspace import Workspace

SHARED = 2.0
"""A person counts by (given films that they like too) to this power ..."""
FEW = 30
"""... over the root of how many films they like, at least these: who likes everything tells little."""
PRIOR = 5.0
"""Likes at the base rate that are added to those found, so that few say little."""
WANTED = 0.35
"""Share of the examples in which something is wanted too."""
NOTHING_LIKED = 0.06
"""Share of the examples in which nothing but a want is known."""
FROM_DIALOGUES = 0.4
"""Share of the examples drawn from dialogues where there are some: they know films that nobody rated."""
FEWEST = 3
"""Items that an answer must rest on."""


class Likes:
    """Who likes what, from ratings and, if given, from dialogues: a person per user and per dialogue."""

    def __init__(self, catalogue: Catalogue, people: Sequence[tuple[str, Sequence[int]]]) -> None:
        """`people`: names with the rows of what they like."""
        self.catalogue = catalogue
        self.people = people
        columns = [row for _, liked in people for row in liked]
        rows = [k for k, (_, liked) in enumerate(people) for _ in liked]
        shape = (len(people), len(catalogue))
        self._matrix = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        self._totals = np.asarray(self._matrix.sum(axis=1)).ravel()
        self._all = np.asarray(self._matrix.sum(axis=0)).ravel()
        self._holds = {way: _holds(catalogue, way) for way in WAYS}

    def beside(self, given: Sequence[int]) -> np.ndarray:
        """How much people who share the given likes like every other item: float [n_items].

        Without any given, how many people like it.
        """
        if not given:
            return self._all
        shared = np.asarray(self._matrix[:, list(given)].sum(axis=1)).ravel()
        found = (shared**SHARED / np.sqrt(np.maximum(self._totals, FEW))) @ self._matrix
        found[list(given)] = 0.0
        return found

    def telling(self, way: Way, weights: np.ndarray, never: Collection[str]) -> list[str]:
        """Up to four answers to a template: p log(p / base), the share of the weighted items that has a facet
        against the share of everybody's likes; facets of `never` left out. Best first."""
        holds = self._holds[way]
        base = (self._all @ holds) / max(self._all.sum(), 1.0)
        share = (weights @ holds + PRIOR * base) / (weights.sum() + PRIOR)
        scores = share * np.log(np.maximum(share, 1e-9) / np.maximum(base, 1e-6))
        values = answers(self.catalogue, way)
        order = np.argsort(-scores, kind="stable")
        return [values[i] for i in order if scores[i] > 0 and values[i] not in never][:MOST]


def expand_examples(
    workspace: Workspace, count: int, seed: int, held_users: Collection[str], dialogues: Path | None = None
) -> list[Example]:
    """`count` examples from the likes of all users but the held-out ones, each with up to four films given.

    `dialogues`: a file of dialogues with the films they mention, beside it their `catalogue.jsonl`; the films
    spoken well of in one are the likes of a further person. Empty when the workspace has no interactions.
    """
    raters = [person for person in _raters(workspace, held_users) if len(person[1]) > 1]
    read = _speakers(workspace.catalogue, dialogues) if dialogues else ()
    speakers = [person for person in read if len(person[1]) > 1]
    if not raters:
        return []
    likes, rng = Likes(workspace.catalogue, [*raters, *speakers]), random.Random(f"expand:{seed}")
    found: dict[str, Example] = {}
    for _ in range(count * 4):
        if len(found) >= count:
            break
        name, liked = rng.choice(speakers if speakers and rng.random() < FROM_DIALOGUES else raters)
        example = _example(likes, name, liked, rng)
        if example is not None:
            found.setdefault(example.given, example)
    return list(found.values())


def _example(likes: Likes, name: str, liked: Sequence[int], rng: random.Random) -> Example | None:
    """One draw; None where the template drawn does not fit it, or too little is known for an answer."""
    catalogue, way = likes.catalogue, rng.choice(WAYS)
    count = 0 if rng.random() < NOTHING_LIKED else min(rng.randint(1, LIKES), len(liked) - 1)
    given = rng.sample(liked, count)
    items = tuple(catalogue[catalogue.ids[row]] for row in given)
    wants: tuple[str, ...] = ()
    masks = []
    if not given or rng.random() < WANTED:
        field = "moods" if way == "mood" else rng.choice(INTERESTS)
        wants = facet_values(catalogue[catalogue.ids[rng.choice(liked)]], field)
        wants = (rng.choice(wants),) if wants else ()
        masks += [catalogue.mask(Facet(field, value)) for value in wants]
    bridge = find_bridge(items, catalogue) if way == "path" else None
    if (way == "path" and bridge is None) or not (items or wants) or (way == "contrast" and not items):
        return None
    if bridge is not None:
        masks.append(having(catalogue, bridge))
    weights = likes.beside(given) * np.logical_and.reduce(masks) if masks else likes.beside(given)
    ask = Ask(way, items, wants, bridge)
    answer = likes.telling(way, weights, said(ask)) if (weights > 0).sum() >= FEWEST else []
    messages: list[Mapping[str, str]] = [*expand_prompt(ask, examples=False)]
    return chat("expand", name, messages, ", ".join(answer)) if answer else None


def _holds(catalogue: Catalogue, way: Way) -> sparse.csr_array:
    """Float [n_items, n_answers]: 1 where the item has what the answer names."""
    place = {value: i for i, value in enumerate(answers(catalogue, way))}
    pairs = {
        (row, place[value])
        for row, item in enumerate(catalogue)
        for field in FIELDS[way]
        for value in facet_values(item, field)
        if value in place
    }
    rows, columns = zip(*sorted(pairs), strict=True) if pairs else ((), ())
    return sparse.csr_array((np.ones(len(pairs)), (rows, columns)), shape=(len(catalogue), len(place)))


def _raters(workspace: Workspace, held_users: Collection[str]) -> Iterator[tuple[str, list[int]]]:
    interactions = workspace.interactions
    if interactions is None:
        return
    catalogue = workspace.catalogue
    for user, verdicts in histories(interactions, catalogue):
        if user not in held_users:
            yield user, sorted(catalogue.row(verdict.item.item_id) for verdict in verdicts if verdict.liked)


def _speakers(catalogue: Catalogue, dialogues: Path) -> Iterator[tuple[str, list[int]]]:
    """Dialogues as people: the films that were spoken well of, found in the catalogue by title and year."""
    known = {
        item_id: catalogue.row(own)
        for item_id, own in matched(dialogues.parent / "catalogue.jsonl", catalogue).items()
    }
    for number, dialogue in read_lines(dialogues, ("conversation_id",)):
        if "mentions" not in dialogue and "labels" not in dialogue:
            raise ConfigError(f"{dialogues}:{number}: expected `mentions` or `labels`.")
        liked = {known[item_id] for item_id in _liked(dialogue) if item_id in known}
        yield f"dialogue {dialogue['conversation_id']}", sorted(liked)


def _liked(dialogue: Mapping[str, Any]) -> Iterator[str]:
    """The films that were spoken well of: mentions say so one by one, labels film by film."""
    if "mentions" in dialogue:
        yield from (mention["item_id"] for mention in dialogue["mentions"] if mention["liked"])
    else:
        yield from (item_id for item_id, label in dialogue["labels"].items() if label.get("liked"))

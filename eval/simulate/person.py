"""Who talks: a person with real likes, one of which is the target that nobody may name."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from finetune.splits import held_out_users
from retrieval.catalogue import Catalogue
from retrieval.errors import TastebudError
from retrieval.interactions import Interactions
from retrieval.types import Constraints, Facet, Item, Years

TURNS = 5
"""Messages that a person writes at most."""

SINGLE = frozenset({"decade", "audience", "language", "minutes"})
"""Kinds of facts of which what was said last holds; of the others, everything that was said."""

OPENINGS = ("vague", "favourite", "wish", "favourite and wish")
"""A first message that says nothing, names a film they liked, says what it should be like, or does both."""

TOPICS = ("genres", "themes", "moods")

AUDIENCES = {"family": "the whole family", "teen": "teenagers", "adult": "adults"}


class SimulationError(TastebudError):
    """A simulation that cannot be run as asked; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing said about what is wanted, and the promise that it asks for.

    `kind`: a facet field, "decade", "minutes", or "not_genres". `value`: as it is said. `group`: facets of
    which one must hold (for "not_genres": none may). `years`, `minutes`: limits, as in `Constraints`. A fact
    without any of these is a wish that promises nothing.
    """

    kind: str
    value: str
    group: tuple[Facet, ...] = ()
    years: Years | None = None
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A simulated user. `key` is theirs in every run with the same people.

    `opening`: how they begin, one of `OPENINGS`. `favourites`, `disliked`: other items with a real verdict
    of theirs. `facts`: true things about the target that they are able to say. `patience`: messages after
    which they leave, 3 to `TURNS`. `strictness`, 0 to 1: how precisely they insist (chance that a message
    holds a second fact, and that a critique says what tells the target apart best instead of anything true).
    `noise`: chance that an answer is wrong or "I don't mind". `slices`: what figures are split by.
    """

    key: str
    target: Item
    favourites: tuple[Item, ...]
    disliked: tuple[Item, ...]
    facts: tuple[Fact, ...]
    patience: int
    strictness: float
    noise: float
    opening: str
    slices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The item_ids that somebody liked and disliked. `wanted`: those of the likes that may be a target."""

    key: str
    liked: tuple[str, ...]
    disliked: tuple[str, ...]
    wanted: tuple[str, ...]


def standing(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Those of `facts`, said in this order, that later words have not replaced."""
    kept: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        kept.pop(("genres" if fact.kind == "not_genres" else "not_genres", fact.value), None)
        kept[(fact.kind, "" if fact.kind in SINGLE else fact.value)] = fact
    return tuple(kept.values())


def promises(facts: Iterable[Fact]) -> Constraints:
    """What somebody who said `facts`, in this order, may rely on. Later words win over earlier ones."""
    said = standing(facts)
    return Constraints(
        require=tuple(f.group for f in said if f.group and f.kind != "not_genres"),
        forbid=tuple(facet for f in said if f.kind == "not_genres" for facet in f.group),
        years=next((f.years for f in said if f.years is not None), None),
        max_minutes=next((f.minutes for f in said if f.minutes is not None), None),
    )


def decade_fact(year: int) -> Fact:
    """`the 1990s`; everything before 1960 is one answer."""
    if year < 1960:
        return Fact("decade", "before 1960", years=(None, 1959))
    first = year // 10 * 10
    return Fact("decade", f"the {first}s", years=(first, first + 9))


def topic(kind: str, value: str) -> Fact:
    """A wish for a genre, theme or mood. Some words are all three ("crime"), and any of them keeps it."""
    return Fact(kind, value, tuple(Facet(name, value) for name in TOPICS))


def facts_of(item: Item, rng: random.Random) -> tuple[Fact, ...]:
    """What one person remembers of an item: its genres, up to 3 themes, 2 moods, and roughly its limits.

    A name comes to half of them. In the order in which they would say it.
    """
    found = []
    for name, most in (("genres", len(item.genres)), ("themes", 3), ("moods", 2)):
        values = getattr(item, name)
        found += [topic(name, value) for value in rng.sample(values, min(most, len(values)))]
    people = [("directors", value) for value in item.directors[:1]] + [("cast", v) for v in item.cast[:3]]
    if people and rng.random() < 0.5:
        kind, name = rng.choice(people)
        found.append(Fact(kind, name, (Facet("directors", name), Facet("cast", name))))
    if item.year is not None:
        found.append(decade_fact(item.year))
    if item.minutes is not None and item.minutes <= 120:
        limit = -(-item.minutes // 30) * 30
        found.append(Fact("minutes", str(limit), minutes=limit))
    if item.audience in AUDIENCES and item.audience != "adult":
        found.append(Fact("audience", AUDIENCES[item.audience], (Facet("audience", item.audience),)))
    if item.language not in (None, "english", "silent"):
        language = str(item.language)
        found.append(Fact("language", language.title(), (Facet("language", language),)))
    rng.shuffle(found)
    return tuple(found)


def held_out(interactions: Interactions | None, catalogue: Catalogue, count: int) -> list[Verdicts]:
    """`count` users of a workspace whom no training of ours has used, in a fixed order.

    They come from `finetune.splits.held_out_users`, among those with at least two likes; of the starter
    workspace the first 190 are also unknown to the adapter that ships. The workspace has seen all of them:
    the caller has to take them out of it (`eval.simulate.unseen`). Raises
    SimulationError where there are fewer such users.
    """
    if interactions is None:
        raise SimulationError(
            "This workspace has no interactions, so there is nobody to simulate: give --data FOLDER with "
            "labelled dialogues, or index it with --interactions."
        )
    likes = np.diff(interactions.positive.indptr)
    able = {user: row for row, user in enumerate(interactions.users) if likes[row] >= 2}
    chosen = held_out_users(able, count)
    if len(chosen) < count:
        raise SimulationError(
            f"Cannot simulate {count} people: {len(chosen)} users of this workspace are held out and like at "
            f"least two items. Give --users {len(chosen)} or less."
        )
    return [_verdicts(user, able[user], interactions, catalogue) for user in sorted(chosen)]


def _verdicts(user: str, row: int, interactions: Interactions, catalogue: Catalogue) -> Verdicts:
    rated, liked = interactions.matrix[[row]], interactions.positive[[row]]
    values = zip(rated.indices, rated.data.tolist(), strict=True)
    likes = [catalogue.ids[column] for column in liked.indices]
    known = {catalogue.ids[column]: value for column, value in values}
    limit = float(interactions.matrix.data.mean()) if interactions.explicit else -1.0
    dislikes = [item_id for item_id in known.keys() - likes if known[item_id] < limit]
    return Verdicts(user, tuple(likes), tuple(sorted(dislikes)), tuple(likes))


def people(
    known: Sequence[Verdicts], catalogue: Catalogue, rated: frozenset[str], seed: int
) -> tuple[Person, ...]:
    """Give everybody a target among their likes, and a character; all of it decided by `seed` and their key.

    `rated`: item_ids that the recommender knows interactions of; a target outside it is cold. Activity is
    the third that somebody's number of likes falls in.
    """
    sizes = sorted(len(one.liked) for one in known)
    thirds = (sizes[len(sizes) // 3], sizes[2 * len(sizes) // 3]) if sizes else (0, 0)
    return tuple(_person(one, catalogue, rated, thirds, random.Random(f"{seed}:{one.key}")) for one in known)


def _person(
    one: Verdicts, catalogue: Catalogue, rated: frozenset[str], thirds: tuple[int, int], rng: random.Random
) -> Person:
    target = catalogue[rng.choice(one.wanted)]
    others = [item_id for item_id in one.liked if item_id != target.item_id]
    rng.shuffle(others)
    activity = sum(len(one.liked) >= limit for limit in thirds)
    opening = rng.choices(OPENINGS, (1, 3, 3, 1))[0]
    return Person(
        key=f"{one.key}/{target.item_id}",
        target=target,
        favourites=tuple(catalogue[item_id] for item_id in others),
        disliked=tuple(catalogue[item_id] for item_id in one.disliked),
        facts=facts_of(target, rng),
        patience=rng.randint(3, TURNS),
        strictness=round(rng.random(), 2),
        noise=rng.choice((0.0, 0.1, 0.2)),
        opening=opening,
        slices=(
            ("opening", opening),
            ("target", "warm" if target.item_id in rated else "cold"),
            ("activity", ("few likes", "some likes", "many likes")[activity]),
        ),
    )

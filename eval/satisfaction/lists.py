"""Lists for people whom the workspace has never met, from the real ranker and from naive ones.

Everybody's likes are put in an order that the seed decides. The first ones are given to the ranker, as many
as a conversation could hear; all that come after the last that may be given are to be found (strong
generalisation, Liang et al., WWW 2018). So the same items are to be found however many were given, and what
was not given yet is not listed either.

The order is not that of time: ratings come in the order in which a site once put items before people, which
is not what they would tell of first. On MovieLens 100K, five likes by time leave EASE at an NDCG@10 of .21,
below popularity (.32); five at random take it to .44 (popularity .37).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.plan import to_query
from agent.reading.vocabulary import Vocabulary
from agent.types import DialogueState, Preference
from eval.ranking_metrics import EMPTY, Floats, Places, top
from retrieval.behaviour.ease import Ease
from retrieval.behaviour.model import BehaviourModel, Matrix, per_item, without_seen
from retrieval.behaviour.neighbours import ItemNeighbours
from retrieval.catalogue import Catalogue
from retrieval.interactions import Interactions
from retrieval.types import Query
from retrieval.workspace import Workspace

DEPTH = 10
"""Items in a list."""

STEPS = (0, 1, 3, 5, 10)
"""How many likes may be given. The last is the largest that at least half of the people have more of."""

USUAL = 5
"""How many likes are given where one number has to do: what somebody tells in a conversation."""

OURS, RATED = "Tastebud", "Tastebud, rated items"
CO_OCCURRENCE, EASE, POPULAR, RANDOM = "co-occurrence", "EASE alone", "popularity", "random"
SYSTEMS = (OURS, RATED, CO_OCCURRENCE, EASE, POPULAR, RANDOM)
"""`RATED` is the ranker kept to items that somebody likes, as models of behaviour are: of the others nobody
can tell whether these people would have liked them.
"""


@dataclass(frozen=True, slots=True)
class Taster:
    """Somebody's likes by item_id: those that may be given, in that order, and those to be found."""

    user: str
    known: tuple[str, ...]
    wanted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """The lists of one system, for the tasters in order, after `given` likes of each."""

    system: str
    given: int
    lists: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Lists:
    """All of it. `left_out`: people with too few likes to be given some and have some left."""

    tasters: tuple[Taster, ...]
    listed: tuple[Listed, ...]
    left_out: int

    @property
    def usual(self) -> int:
        """How many likes were given for the figures that are not a curve."""
        return max(one.given for one in self.listed if one.given <= USUAL)

    def of(self, system: str, given: int, catalogue: Catalogue) -> Places:
        """Int [tasters, DEPTH]: a system's lists as places in the catalogue."""
        (found,) = (one for one in self.listed if (one.system, one.given) == (system, given))
        places = np.full((len(found.lists), DEPTH), EMPTY)
        for row, items in enumerate(found.lists):
            places[row, : len(items)] = [catalogue.row(item_id) for item_id in items]
        return places

    def wanted(self, catalogue: Catalogue) -> np.ndarray:
        """Bool [tasters, items]: what is to be found."""
        return _matrix([one.wanted for one in self.tasters], catalogue).toarray().astype(bool)

    def liked(self, catalogue: Catalogue) -> np.ndarray:
        """Bool [tasters, items]: all that somebody likes, what is given and what is to be found."""
        return _matrix([one.known + one.wanted for one in self.tasters], catalogue).toarray().astype(bool)


def tasters(
    interactions: Interactions, users: Sequence[str], catalogue: Catalogue, seed: int
) -> tuple[tuple[Taster, ...], int]:
    """(people with enough likes, how many have too few), in the order of `users`."""
    rows = {user: row for row, user in enumerate(interactions.users)}
    likes = []
    for user in users:
        mine = [catalogue.ids[column] for column in interactions.positive[[rows[user]]].indices]
        random.Random(f"{seed}:{user}:likes").shuffle(mine)
        likes.append(mine)
    fitting = [step for step in STEPS if 2 * sum(len(mine) > step for mine in likes) >= len(likes)]
    last = max(fitting, default=0)
    found = tuple(
        Taster(user, tuple(mine[:last]), tuple(mine[last:]))
        for user, mine in zip(users, likes, strict=True)
        if len(mine) > last
    )
    return found, len(users) - len(found)


def listings(
    workspace: Workspace, people: Sequence[Taster], seed: int, told: Callable[[], None] = lambda: None
) -> Iterator[Listed]:
    """Every system's lists after every number of likes. `workspace` must not know these people.

    `told` is called after each list of the ranker.
    """
    last = max((len(one.known) for one in people), default=0)
    models, vocabulary = fitted(workspace), Vocabulary(workspace.catalogue)
    unrated = frozenset(workspace.catalogue.ids[row] for row in np.flatnonzero(models.counts == 0))
    for given in (step for step in STEPS if step <= last):
        for name, never in ((OURS, frozenset[str]()), (RATED, unrated)):
            found = (
                _ranked(workspace, to_query(_heard(one, given, workspace), vocabulary), one, never, told)
                for one in people
            )
            yield Listed(name, given, tuple(found))
        for name, scores in _baselines(models, people, given, workspace.catalogue, seed):
            places = top(scores, DEPTH)
            ids = workspace.catalogue.ids
            yield Listed(name, given, tuple(tuple(ids[p] for p in row if p != EMPTY) for row in places))


def _heard(one: Taster, given: int, workspace: Workspace) -> DialogueState:
    """A conversation in which these likes were said, and nothing else."""
    likes = (Preference("item", workspace.catalogue[i].title, i, turn=1) for i in one.known[:given])
    return DialogueState(liked=tuple(likes), turn=1)


def _ranked(
    workspace: Workspace, query: Query, one: Taster, never: frozenset[str], told: Callable[[], None]
) -> tuple[str, ...]:
    """The ranker's list. `never`: item_ids that are left out besides all that may be given."""
    query = replace(query, exclude=query.exclude.union(one.known, never))
    found = workspace.ranker.rank(query, DEPTH).candidates
    told()
    return tuple(candidate.item_id for candidate in found)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The models of behaviour alone, and how many people like each item, float [items]."""

    models: tuple[tuple[str, BehaviourModel], ...]
    counts: Floats


def fitted(workspace: Workspace) -> Fitted:
    """Learn from the likes that the workspace knows, with the settings that the models have by themselves."""
    assert workspace.interactions is not None
    likes = Matrix(workspace.interactions.positive)
    models = (CO_OCCURRENCE, ItemNeighbours().fit(likes)), (EASE, Ease().fit(likes))
    return Fitted(models, per_item(likes))


def _baselines(
    fitted: Fitted, people: Sequence[Taster], given: int, catalogue: Catalogue, seed: int
) -> Iterator[tuple[str, np.ndarray]]:
    """(name, float32 [people, items]) with -inf where an item may not be listed."""
    histories = _matrix([one.known[:given] for one in people], catalogue)
    seen = _matrix([one.known for one in people], catalogue)
    # Where likes say nothing, better-known items come first, for every baseline alike.
    popular = np.tile(fitted.counts, (len(people), 1)).astype(np.float32)
    for name, model in fitted.models:
        yield name, without_seen(model.scores(histories) + 1e-7 * popular, seen)
    yield POPULAR, without_seen(popular, seen)
    chance = np.random.default_rng([seed, given]).random(popular.shape, dtype=np.float32)
    yield RANDOM, without_seen(chance, seen)


def _matrix(rows: Sequence[Sequence[str]], catalogue: Catalogue) -> Matrix:
    """Csr [rows, items] with 1.0 for every item_id of a row."""
    columns = [catalogue.row(item_id) for row in rows for item_id in row]
    lengths = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    data = np.ones(len(columns), np.float32)
    return Matrix((data, (lengths, np.array(columns, dtype=np.int64))), shape=(len(rows), len(catalogue)))

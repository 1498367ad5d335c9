"""What reaching for lesser-known items costs in accuracy, and what it gives in coverage.

Users of whom no source knows anything name some items they like; the real ranker answers, and what else they
like is to be found. Only items that somebody rated can be recommended here: of the others nobody can tell
whether these users would have liked them. Intervals are over users.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from eval import ranking_metrics as metrics
from eval.benchmarks.tables import Section
from eval.benchmarks.widening import without_users
from eval.curves import Curve, draw
from eval.metrics import Estimate, bootstrap, jackknife
from finetune.splits import held_out_users, place
from finetune.verdicts import POSITIVE_ABOVE
from retrieval.errors import InteractionsError
from retrieval.ranker import Ranker
from retrieval.types import Candidate, Constraints, Query
from retrieval.workspace import Workspace

K, DEEP = 10, 50
SLIDER = tuple(tenth / 10 for tenth in range(11))
DIVERSITY = (0.2, 0.5)
PROPENSITY = (0.1, 0.3)
BASE, POPULAR = "slider 0", "popularity"


@dataclass(frozen=True, slots=True)
class Protocol:
    """`training`: users that settings may be chosen on, as many as are kept for the figures.

    `given`: how many of a user's liked items are named; `draws`: how often they are drawn.
    """

    training: bool = False
    given: int = 10
    draws: int = 4
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, the rows of the items that answer it, and the place of its user."""

    query: Query
    targets: tuple[int, ...]
    user: int


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well one way ranks. `change`: its NDCG@10 over that of slider 0, less 1."""

    way: str
    ndcg_10: Estimate
    change: Estimate
    recall_50: Estimate


@dataclass(frozen=True, slots=True)
class Spread:
    """What one way shows. `coverage_10`: share of the items that are in anybody's first ten, of those that
    can be; `times`: that over slider 0's; `gini_10`: of how often they are shown; `fame_10`: mean popularity
    percentile in the catalogue; `distance_10`: mean 1 - cosine of the items' texts inside a list.
    """

    way: str
    coverage_10: Estimate
    times: Estimate
    gini_10: Estimate
    fame_10: Estimate
    distance_10: Estimate


class _Once(Ranker):
    """The ranker itself, but for retrieving once what several settings of the controls re-order."""

    _last: tuple[Query, int, list[Candidate]] | None = None
    _each: tuple[Sequence[Candidate], list[Candidate]] | None = None

    def _candidates(self, query: Query, applied: Constraints, depth: int) -> list[Candidate]:
        plain = replace(query, long_tail=0.0, diversity=0.0)
        if self._last is None or self._last[:2] != (plain, depth):
            self._last = (plain, depth, super()._candidates(query, applied, depth))
        return self._last[2]

    def _once_each(self, candidates: Sequence[Candidate], query: Query) -> Iterator[Candidate]:
        if self._each is None or self._each[0] is not candidates:
            self._each = (candidates, list(super()._once_each(candidates, query)))
        return iter(self._each[1])


Say = Callable[[str], None]
Ways = dict[str, NDArray[np.int64]]
"""For each way, the rows of what it ranks, int [queries, 50]."""


def measure(workspace: Workspace, protocol: Protocol, say: Say) -> Iterator[Section]:
    """Two tables: accuracy, and what is shown. Raises InteractionsError where there is nobody to ask."""
    users = _users(workspace, protocol)
    asked = asked_of(workspace, users, protocol)
    if len({one.user for one in asked}) < 2:
        raise InteractionsError(f"Fewer than two of {len(users)} users like {protocol.given + 1} items.")
    ways = _ways(workspace, users, asked, say)
    people = len({one.user for one in asked})
    about = f"{len(asked)} lists for {people} users, {protocol.given} likes given"
    judged = Judged(workspace, asked, protocol.seed)
    yield Section(f"Accuracy: {about}", tuple(judged.accuracy(way, ways) for way in ways))
    yield Section(f"What is shown: {about}", tuple(judged.spread(way, ways) for way in ways))


def draw_slider(sections: Sequence[Section], path: Path) -> None:
    """The slider's rows of the two tables as curves. Raises ReportError when `path` cannot be written."""
    accuracy, spread = ([row for row in s.rows if row.way.startswith("slider")] for s in sections)
    panels = (
        Curve("NDCG@10", SLIDER, tuple(row.ndcg_10 for row in accuracy)),
        Curve("Coverage@10, share of the catalogue", SLIDER, tuple(row.coverage_10 for row in spread)),
        Curve("Mean popularity percentile of what is shown", SLIDER, tuple(row.fame_10 for row in spread)),
    )
    draw(panels, "What reaching for hidden gems costs and gives", "slider: well known - hidden gems", path)


def asked_of(workspace: Workspace, users: Sequence[str], protocol: Protocol) -> list[Asked]:
    """What is asked for each user with enough likes, `draws` times; never-rated items are excluded."""
    interactions, catalogue = workspace.interactions, workspace.catalogue
    assert interactions is not None
    unrated = frozenset(i for i, n in zip(catalogue.ids, interactions.counts, strict=True) if n == 0)
    rows = {user: row for row, user in enumerate(interactions.users)}
    asked = []
    for at, user in enumerate(users):
        span = slice(*interactions.matrix.indptr[rows[user] : rows[user] + 2])
        found = interactions.matrix.indices[span][interactions.matrix.data[span] > POSITIVE_ABOVE]
        liked = sorted(int(row) for row in found)
        for number in range(protocol.draws if len(liked) > protocol.given else 0):
            named = random.Random(f"given:{protocol.seed}:{number}:{user}").sample(liked, protocol.given)
            query = Query(liked=tuple(catalogue.ids[row] for row in named), exclude=unrated)
            asked.append(Asked(query, tuple(row for row in liked if row not in named), at))
    return asked


def _users(workspace: Workspace, protocol: Protocol) -> list[str]:
    """A quarter of all users, by their place in the order that keeps users out of training; or the next."""
    if workspace.interactions is None:
        raise InteractionsError("This workspace has no interactions to measure the long tail with.")
    ordered = sorted(workspace.interactions.users, key=lambda user: place(f"user:{user}"))
    quarter = len(ordered) // 4
    return ordered[quarter : 2 * quarter] if protocol.training else ordered[:quarter]


def _ways(workspace: Workspace, users: Sequence[str], asked: Sequence[Asked], say: Say) -> Ways:
    assert workspace.interactions is not None
    catalogue, held = workspace.catalogue, {*users, *held_out_users(workspace.interactions.users)}
    ways: dict[str, list[list[str]]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plain = without_users(workspace, held, folder / "plain")
        ranker = _Once(catalogue, list(plain.sources.values()), plain.scorer)
        for number, one in enumerate(asked):
            settings = {f"slider {x:g}": replace(one.query, long_tail=x) for x in SLIDER}
            settings |= {f"diversity {x:g}": replace(one.query, diversity=x) for x in DIVERSITY}
            for way, query in settings.items():
                found = ranker.rank(query, DEEP).candidates
                ways.setdefault(way, []).append([c.item_id for c in found])
            popular = ranker.sources["popularity"].retrieve(one.query, ranker.eligible(one.query), DEEP)
            ways.setdefault(POPULAR, []).append([c.item_id for c in popular])
            if (number + 1) % 50 == 0:
                say(f"{number + 1} of {len(asked)} lists")
        for power in PROPENSITY:
            way = f"propensity {power:g}"
            other = without_users(workspace, held, folder / way, power)
            ways[way] = [[c.item_id for c in other.rank(one.query, DEEP).candidates] for one in asked]
            say(way)
    return {way: _rows([[catalogue.row(i) for i in ids] for ids in lists]) for way, lists in ways.items()}


def _rows(lists: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    ranked = np.full((len(lists), DEEP), metrics.EMPTY, dtype=np.int64)
    for at, rows in enumerate(lists):
        ranked[at, : len(rows)] = rows
    return ranked


class Judged:
    """The figures of ranked lists, with intervals over the users they were made for."""

    def __init__(self, workspace: Workspace, asked: Sequence[Asked], seed: int) -> None:
        n_items = len(workspace.catalogue)
        assert workspace.interactions is not None
        _, self._user = np.unique([one.user for one in asked], return_inverse=True)
        at = np.repeat(np.arange(len(asked)), [len(one.targets) for one in asked])
        targets = [row for one in asked for row in one.targets]
        shape = (len(asked), n_items)
        self._wanted = sparse.csr_array((np.ones(len(at), dtype=bool), (at, targets)), shape=shape)
        self._open = workspace.interactions.counts > 0
        self._fame = np.array([workspace.ranker.fame(item_id) for item_id in workspace.catalogue.ids])
        self._vectors = workspace.dense.vectors
        self._seed = seed

    def accuracy(self, way: str, ways: Ways) -> Accuracy:
        """NDCG@10, its change, and recall@50."""
        mine, base = self._ndcg(ways[way]), self._ndcg(ways[BASE])
        found = metrics.hits(ways[way], self._wanted)
        recall = metrics.recall_at(found, np.diff(self._wanted.indptr), DEEP)
        change = self._of_users(lambda w: metrics.mean(mine, w) / metrics.mean(base, w) - 1)
        ndcg = self._of_users(lambda w: metrics.mean(mine, w))
        return Accuracy(way, ndcg, change, self._of_users(lambda w: metrics.mean(recall, w)))

    def spread(self, way: str, ways: Ways) -> Spread:
        """Coverage, Gini of exposure, popularity and distance of the first ten."""
        ranked = ways[way]
        fame = np.where(ranked[:, :K] == metrics.EMPTY, np.nan, self._fame[ranked[:, :K]])
        known = np.nanmean(fame, axis=1)
        distance = metrics.intra_list_distance(ranked, self._vectors, K)
        return Spread(
            way,
            self._left_out(lambda w: self._coverage(ranked, w)),
            self._left_out(lambda w: self._coverage(ranked, w) / self._coverage(ways[BASE], w)),
            self._left_out(
                lambda w: metrics.gini(metrics.exposure(ranked, len(self._open), K, w)[self._open])
            ),
            self._of_users(lambda w: metrics.mean(known, w)),
            self._of_users(lambda w: metrics.mean(distance, w)),
        )

    def _ndcg(self, ranked: NDArray[np.int64]) -> metrics.Floats:
        return metrics.ndcg_at(metrics.hits(ranked, self._wanted), np.diff(self._wanted.indptr), K)

    def _coverage(self, ranked: NDArray[np.int64], weights: metrics.Floats) -> float:
        return float((self._exposure(ranked, weights) > 0).mean())

    def _exposure(self, ranked: NDArray[np.int64], weights: metrics.Floats) -> metrics.Floats:
        return metrics.exposure(ranked, len(self._open), K, weights)[self._open]

    def _of_users(self, statistic: Callable[[metrics.Floats], float]) -> Estimate:
        return bootstrap(self._user.max() + 1, lambda weights: statistic(weights[self._user]), self._seed)

    def _left_out(self, statistic: Callable[[metrics.Floats], float]) -> Estimate:
        return jackknife(self._user.max() + 1, lambda weights: statistic(weights[self._user]), self._seed)

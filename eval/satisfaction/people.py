"""People whom the workspace has not met: what is listed for them, and how they get on in conversation."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count as counting
from pathlib import Path

import numpy as np

from agent.reading.vocabulary import Vocabulary
from agent.recommender import Recommender
from eval.grounding import FilmIndex
from eval.satisfaction.judged import Judged, World, genres_of, judge
from eval.satisfaction.kept import Measured
from eval.satisfaction.lists import STEPS, Lists, listings, tasters
from eval.satisfaction.plan import Plan, Tell
from eval.satisfaction.replies import Met, Watched, meet
from eval.simulate.baselines import Popular
from eval.simulate.insight import Insight
from eval.simulate.run import Cast, cast
from eval.simulate.run import Plan as SimulationPlan
from eval.simulate.runner import Stage
from eval.simulate.voice import TEMPLATES, open_voice
from finetune.splits import held_out_users
from retrieval.behaviour.model import per_item
from retrieval.conversational import Conversational
from retrieval.interactions import Interactions
from retrieval.workspace import Workspace

LEAST = 2
"""Fewer people say nothing, and there is no interval of one."""


@dataclass(frozen=True, slots=True)
class People:
    """What was measured with them. `likes`: how many items each of them likes, by user_id.

    `judged`: the lists of every system after so many likes. `learned`: a trained scorer had a say in them.
    `untrained`: how many of the people no training of the product uses.
    """

    lists: Lists
    world: World
    met: tuple[Met, ...]
    popular: tuple[Met, ...]
    likes: Mapping[str, int]
    judged: Mapping[tuple[str, int], Judged]
    learned: bool
    untrained: int


def measure_people(workspace: Workspace, plan: Plan, kept: Measured, tell: Tell) -> People | str:
    """Hold people out, list for them, let them talk; or why there is nobody. Raises ModelError."""
    known = workspace.interactions
    if known is None or not known.positive.nnz:
        return (
            "This workspace has no interactions, so nobody's likes can be held out: index it again with "
            "`tastebud index --interactions FILE`."
        )
    likes = dict(zip(known.users, np.diff(known.positive.indptr).tolist(), strict=True))
    able = [user for user in known.users if likes[user] >= 2]
    count = len(held_out_users(able, plan.most))
    if count < LEAST:
        return (
            f"Of the {len(known.users)} users of this workspace {len(able)} like two items or more, and at "
            f"most a quarter of them may be held out. That is {count}, and {LEAST} are the least."
        )
    tell(f"taking {count} people out of the workspace", 0, 0)
    with tempfile.TemporaryDirectory(prefix="tastebud-all-") as folder:
        simulation = SimulationPlan(count, (), plan.llm, TEMPLATES, None, plan.seed)
        players = cast(simulation, workspace, Path(folder))
        others = players.workspace.interactions
        if others is None or not others.positive.nnz:
            return "Nobody besides the people held out likes anything, so there is nothing to learn from."
        lists = _lists(known, players, plan, kept, tell)
        if not lists.tasters:
            return "Nobody who may be held out likes two items or more: there is nothing to give and to find."
        met = {name: tuple(found) for name, found in _talks(players, plan, kept, tell)}
        world = world_of(players.workspace)
        judged = {(o.system, o.given): judge(lists, o.system, o.given, world) for o in lists.listed}
        learned = isinstance(players.workspace.ranker.scorer, Conversational)
        untrained = len(held_out_users(known.users) & {one.user for one in met["Tastebud"]})
        return People(lists, world, met["Tastebud"], met["popular"], likes, judged, learned, untrained)


def _lists(known: Interactions, players: Cast, plan: Plan, kept: Measured, tell: Tell) -> Lists:
    unseen = players.workspace
    users = [one.key.rpartition("/")[0] for one in players.people]
    people, left_out = tasters(known, users, unseen.catalogue, plan.seed)

    def made() -> Lists:
        done, steps = counting(1), sum(step <= len(people[0].known) for step in STEPS) if people else 0

        def told() -> None:
            tell("listing", next(done), 2 * steps * len(people))

        return Lists(people, tuple(listings(unseen, people, plan.seed, told)), left_out)

    return kept.keep("lists", Lists, made)


def world_of(unseen: Workspace) -> World:
    """What lists are judged by, out of a workspace with interactions."""
    assert unseen.interactions is not None
    facets, names = genres_of(unseen.catalogue)
    likes = unseen.interactions.positive
    return World(unseen.catalogue, facets, names, unseen.dense.vectors, per_item(likes), likes.shape[0])


def _talks(players: Cast, plan: Plan, kept: Measured, tell: Tell) -> Iterator[tuple[str, Iterator[Met]]]:
    """Everybody's conversation with this recommender, then with one that knows only what is popular."""
    unseen = players.workspace
    catalogue, vocabulary, voice = unseen.catalogue, Vocabulary(unseen.catalogue), open_voice(TEMPLATES)
    films = FilmIndex(catalogue)
    recommender = Recommender(unseen, plan.llm, "sqlite://", plan.seed)
    insight = Insight(unseen.ranker, vocabulary)
    try:
        watched = Watched(recommender, films)
        stage = Stage(watched, catalogue, vocabulary, voice, insight)
        yield "Tastebud", _held("Tastebud", players, watched, stage, plan, kept, tell)
    finally:
        recommender.close()
    watched = Watched(Popular(unseen.ranker), films)
    stage = Stage(watched, catalogue, vocabulary, voice)
    yield "popular", _held("popular", players, watched, stage, plan, kept, tell)


def _held(
    name: str, players: Cast, watched: Watched, stage: Stage, plan: Plan, kept: Measured, tell: Tell
) -> Iterator[Met]:
    for number, person in enumerate(players.people, start=1):
        yield kept.keep(f"talk/{name}/{person.key}", Met, lambda: meet(person, watched, stage, plan.seed))  # noqa: B023
        tell(f"talking, {name}", number, len(players.people))

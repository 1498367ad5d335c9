"""Measure everything that the report speaks of, as far as the workspace has it; cut short, it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.recommender import Recommender
from eval.grounding import FilmIndex
from eval.parsing import fitted, load_all
from eval.satisfaction.behaviour import Sessions, read_sessions
from eval.satisfaction.groups import Groups, read_groups
from eval.satisfaction.kept import Measured
from eval.satisfaction.people import People, measure_people
from eval.satisfaction.plan import Plan, Tell
from eval.satisfaction.replies import Played, play
from eval.script import ANYWHERE, PACKAGED, Script
from retrieval.starter import dataset_folder
from retrieval.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was measured. `people`: a text where there are none, which says why.

    `groups`: what is known of people, by user_id. `unfit`: scripts that were left out, with reasons.
    """

    plan: Plan
    workspace: Workspace
    people: People | str
    played: tuple[Played, ...]
    unfit: tuple[str, ...]
    sessions: Sessions
    groups: Mapping[str, Groups]


def measure(workspace: Workspace, plan: Plan, kept: Measured, tell: Tell) -> Findings:
    """Everything. Raises ModelError, StoreError, and GroupsError for a folder without a file of users."""
    groups = _groups(plan)
    people = measure_people(workspace, plan, kept, tell)
    played, unfit = _scripts(workspace, plan, kept, tell)
    sessions = read_sessions(workspace.database)
    return Findings(plan, workspace, people, played, unfit, sessions, groups)


def _groups(plan: Plan) -> Mapping[str, Groups]:
    if plan.data is None and not plan.starter:
        return {}
    return read_groups(dataset_folder() if plan.data is None else plan.data)


def _scripts(
    workspace: Workspace, plan: Plan, kept: Measured, tell: Tell
) -> tuple[tuple[Played, ...], tuple[str, ...]]:
    """The packaged scripts that fit this catalogue; those that name films for the starter alone."""
    films = FilmIndex(workspace.catalogue)
    scripts, unfit = fitted(load_all([PACKAGED if plan.starter else ANYWHERE]), films)
    if plan.quick:
        scripts = _one_each(scripts)
    if not scripts:
        return (), unfit
    recommender = Recommender(workspace, plan.llm, "sqlite://", plan.seed)
    played = []
    try:
        for number, script in enumerate(scripts, start=1):
            name = f"script/{script.name}"
            played.append(kept.keep(name, Played, lambda: play(script, recommender, films)))  # noqa: B023
            tell("scripts", number, len(scripts))
    finally:
        recommender.close()
    return tuple(played), unfit


def _one_each(scripts: Sequence[Script]) -> tuple[Script, ...]:
    """The first script of every family."""
    first: dict[str, Script] = {}
    for script in scripts:
        first.setdefault(script.family, script)
    return tuple(first.values())

"""A whole simulation: people, recommenders, and conversations between them; stopped, it goes on later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.policy import BALANCED, Asking
from agent.reading.vocabulary import Vocabulary
from agent.recommender import Recommender
from eval.simulate.baselines import Filtered, Popular
from eval.simulate.insight import Insight
from eval.simulate.kept import Kept
from eval.simulate.person import Person, held_out, people
from eval.simulate.runner import Outcome, Stage, Talker, converse
from eval.simulate.seekers import seekers
from eval.simulate.unseen import without_users
from eval.simulate.voice import open_voice
from retrieval.workspace import Workspace

POLICIES: Mapping[str, Asking] = {
    "balanced": BALANCED,
    "ask-more": Asking(latest=4, enough=6, questions=3),
    "recommend-early": Asking(latest=1),
}
"""How the product can be told to behave; it ships balanced."""

BASELINES = ("popular, filtered", "popular")
"""What every run is read beside; see `eval.simulate.baselines`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate. `data`: folder of labelled dialogues; None: held-out users of the workspace.

    `llm`: the recommender's language model. `voice`: the people's (see `open_voice`).
    """

    users: int
    policies: tuple[str, ...]
    llm: str
    voice: str
    data: Path | None
    seed: int

    def settings(self, workspace: Workspace) -> dict[str, Any]:
        """All that decides the figures, as plain data."""
        return {
            "users": self.users,
            "policies": list(self.policies),
            "llm": self.llm,
            "voice": self.voice,
            "data": None if self.data is None else str(self.data),
            "seed": self.seed,
            "fingerprints": dict(workspace.manifest.fingerprints),
        }


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of a run, and a workspace that has not met them."""

    people: tuple[Person, ...]
    workspace: Workspace


def cast(plan: Plan, workspace: Workspace, folder: Path) -> Cast:
    """Find the people. `folder`: an empty one for the workspace without them, where that is another.

    Raises SimulationError, or DialogueError for dialogues that cannot be read.
    """
    catalogue = workspace.catalogue
    if plan.data is None:
        known = held_out(workspace.interactions, catalogue, plan.users)
        workspace = without_users(workspace, frozenset(one.key for one in known), folder)
    else:
        known = seekers(plan.data, catalogue, plan.users)
    rated = frozenset[str]()
    if workspace.interactions is not None:
        counts = workspace.interactions.counts
        rated = frozenset(item_id for item_id, n in zip(catalogue.ids, counts, strict=True) if n)
    return Cast(people(known, catalogue, rated, plan.seed), workspace)


def run(
    plan: Plan, cast: Cast, kept: Kept | None = None, told: Callable[[str], None] = lambda name: None
) -> dict[str, tuple[Outcome, ...]]:
    """Outcomes of every policy and of the baselines. `told` hears the recommender's name after each person.

    What `kept` holds is not run again, and what is run is added to it. Raises ModelError.
    """
    return {
        name: tuple(_outcomes(name, stage, plan, cast.people, kept, told))
        for name, stage in _stages(plan, cast.workspace)
    }


def _stages(plan: Plan, workspace: Workspace) -> Iterator[tuple[str, Stage]]:
    """The recommenders, one open at a time."""
    catalogue, vocabulary = workspace.catalogue, Vocabulary(workspace.catalogue)
    voice = open_voice(plan.voice)
    insight = Insight(workspace.ranker, vocabulary)
    for name in plan.policies:
        recommender = Recommender(workspace, plan.llm, "sqlite://", plan.seed, asking=POLICIES[name])
        yield name, Stage(recommender, catalogue, vocabulary, voice, insight)
        recommender.close()
    ranker = workspace.ranker
    baselines: tuple[Talker, ...] = (Filtered(ranker, vocabulary), Popular(ranker))
    for name, talker in zip(BASELINES, baselines, strict=True):
        yield name, Stage(talker, catalogue, vocabulary, voice)


def _outcomes(
    name: str,
    stage: Stage,
    plan: Plan,
    people: Sequence[Person],
    kept: Kept | None,
    told: Callable[[str], None],
) -> Iterator[Outcome]:
    for person in people:
        outcome = kept.get(name, person.key) if kept is not None else None
        if outcome is None:
            outcome = converse(person, stage, plan.seed)
            if kept is not None:
                kept.add(name, outcome)
        told(name)
        yield outcome

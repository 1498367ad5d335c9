"""Does the learned scorer serve better than fusion? The whole ranking, as conversations ask for it.

Three kinds of queries: what recorded recommenders named next in dialogues kept from training, what held-out
users like beside three films, and sixty films described without their name. Every system ranks the same
queries over the same sources; no source has seen the held-out users.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agent.plan import to_query
from agent.reading.vocabulary import Vocabulary
from agent.recommender import Recommender
from eval.benchmarks.known_item import read_descriptions
from eval.benchmarks.tables import Section
from eval.benchmarks.widening import people_of, state_of, without_users
from eval.metrics import Estimate, bootstrap
from eval.ranking_metrics import Hits, mean, ndcg_at, recall_at
from finetune.corpus import known_conversations
from finetune.splits import held_out_users
from finetune.targets import cases
from retrieval.conversational import NAME, Conversational
from retrieval.dialogue import Message
from retrieval.ranker import Ranker
from retrieval.scorer import FusionScorer
from retrieval.types import Candidate, Query
from retrieval.workspace import Workspace

DEPTH = 50

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, the items that answer it, and whose it is: what is drawn together for an interval."""

    query: Query
    targets: frozenset[str]
    whose: str


@dataclass(frozen=True, slots=True)
class Served:
    """One system on one kind of queries: the share of the targets among the first 1, 10 and 50, mean over
    queries, and NDCG@10 (Järvelin & Kekäläinen, TOIS 2002).
    """

    system: str
    recall_1: Estimate
    recall_10: Estimate
    recall_50: Estimate
    ndcg_10: Estimate


class Alone:
    """The scorer over its own candidates, without any other source."""

    def __init__(self, scorer: Conversational) -> None:
        self._scorer = scorer

    def score(self, query: Query, candidates: Sequence[Candidate]) -> list[Candidate]:
        """By the evidence of the scorer alone; what it did not find keeps its order behind."""
        own = {one.item_id: e.score for one in candidates for e in one.evidence if e.source == NAME}
        ordered = sorted(candidates, key=lambda one: -own.get(one.item_id, -np.inf))
        return [replace(one, rank=rank) for rank, one in enumerate(ordered, start=1)]


def systems(ranker: Ranker) -> dict[str, Ranker]:
    """Fusion of all other sources, the scorer alone, and both as they serve; without a scorer, fusion."""
    catalogue = ranker.catalogue
    others = [source for name, source in ranker.sources.items() if name != NAME]
    found = {"fusion": Ranker(catalogue, others, FusionScorer())}
    scorer = ranker.sources.get(NAME)
    if isinstance(scorer, Conversational):
        found["scorer alone"] = Ranker(catalogue, [scorer], Alone(scorer))
        found["both, as served"] = ranker
    return found


def measure_serving(
    workspace: Workspace, dialogues: Path | None, cases_at_most: int, seed: int, say: Say
) -> Iterator[Section]:
    """A table for each kind of queries that the workspace allows."""
    with tempfile.TemporaryDirectory(prefix="tastebud-serving-") as name:
        folder = Path(name)
        with Recommender(workspace, llm="none", database=folder / "eval.db") as recommender:
            if dialogues is not None:
                asked = list(from_dialogues(recommender, dialogues, cases_at_most, seed))
                yield _section("next new films of kept dialogues", workspace.ranker, asked, seed, say)
            if workspace.is_starter:
                asked = list(from_descriptions(recommender))
                yield _section("films described without their name", workspace.ranker, asked, seed, say)
        if workspace.interactions is not None:
            users = held_out_users(workspace.interactions.users)
            ranker = without_users(workspace, users, folder / "collaborative")
            asked = list(from_likes(workspace, users, seed))
            yield _section("held-out users, three films given", ranker, asked, seed, say)


def from_dialogues(recommender: Recommender, folder: Path, at_most: int, seed: int) -> Iterator[Asked]:
    """A sample of the recommender's messages in valid.jsonl, what was said before read by the agent."""
    catalogue = recommender.catalogue
    conversations = known_conversations(folder, "valid", catalogue)
    every = [case for case in cases(conversations) if case.new]
    for case in random.Random(seed).sample(every, min(at_most, len(every))):
        said = [_as_content(message, recommender) for message in case.before]
        _, query = recommender.heard(said)
        yield Asked(query, frozenset(case.new), case.dialogue)


def from_descriptions(recommender: Recommender) -> Iterator[Asked]:
    """Every description as the first message of a conversation."""
    for number, description in enumerate(read_descriptions(recommender.catalogue)):
        state, _ = recommender.heard([{"role": "user", "content": description.query}])
        query = recommender.query(state)
        yield Asked(query, frozenset([description.item_id]), str(number))


def from_likes(workspace: Workspace, users: frozenset[str], seed: int) -> Iterator[Asked]:
    """Held-out users after they named three films that they like."""
    vocabulary = Vocabulary(workspace.catalogue)
    assert workspace.interactions is not None
    for person in people_of(workspace.catalogue, workspace.interactions, users, seed):
        yield Asked(to_query(state_of(person), vocabulary), person.targets, person.user)


def _as_content(message: Message, recommender: Recommender) -> dict[str, str]:
    """A recorded message with the names of its items put back at its end."""
    names = " ".join(recommender.catalogue[item].label for item in message.items)
    return {"role": message.role, "content": f"{message.text} {names}"}


def _section(title: str, ranker: Ranker, asked: Sequence[Asked], seed: int, say: Say) -> Section:
    rows = []
    for name, system in systems(ranker).items():
        say(f"{title}: {name}")
        rows.append(serve(name, system, asked, seed))
    return Section(f"{title} ({len(asked):,} queries)", tuple(rows))


def serve(name: str, ranker: Ranker, asked: Sequence[Asked], seed: int) -> Served:
    """Rank every query; intervals over whose they are."""
    found = np.stack([_hits(ranker, one) for one in asked])
    wanted = np.array([len(one.targets) for one in asked])
    gains = [*(recall_at(found, wanted, k) for k in (1, 10, 50)), ndcg_at(found, wanted, 10)]
    owners, owner = np.unique([one.whose for one in asked], return_inverse=True)

    def mean_of(column: int) -> Estimate:
        return bootstrap(len(owners), lambda weights: mean(gains[column], weights[owner]), seed)

    return Served(name, *(mean_of(column) for column in range(4)))


def _hits(ranker: Ranker, asked: Asked) -> Hits:
    """bool [DEPTH]: which ranks hold a target; False where the list is shorter."""
    found = np.zeros(DEPTH, dtype=bool)
    for rank, candidate in enumerate(ranker.rank(asked.query, DEPTH).candidates):
        found[rank] = candidate.item_id in asked.targets
    return found

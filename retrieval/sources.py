"""The sources that a build has, opened; any of them can be switched off."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from retrieval.collaborative import CollaborativeRetriever
from retrieval.conversational import NAME as DIALOGUE
from retrieval.dense import DenseRetriever
from retrieval.encoder import Encoder
from retrieval.errors import WorkspaceError
from retrieval.images import ImageRetriever
from retrieval.indexes import COLLABORATIVE, DENSE, IMAGES, KNOWLEDGE, LEXICAL
from retrieval.interests import InterestRetriever
from retrieval.knowledge import KnowledgeRetriever
from retrieval.lexical import LexicalRetriever
from retrieval.popularity import PopularityRetriever
from retrieval.ranker import Ranker
from retrieval.retriever import Retriever
from retrieval.scoring import open_scoring
from retrieval.snapshot import Snapshot

ALWAYS_THERE = (DENSE, LEXICAL, KNOWLEDGE, PopularityRetriever.name, InterestRetriever.name)
"""Sources that need no interactions, images or trained scorer."""

NAMES = (*ALWAYS_THERE, COLLABORATIVE, IMAGES, DIALOGUE)
"""Every source that a workspace may have, by the name that switches it off."""


@dataclass(frozen=True)
class Sources:
    """`collaborative` is None without interactions. `ranker` asks those that are on.

    `scorer_fault`: why a scorer that is there is not used; empty when it is.
    """

    dense: DenseRetriever
    collaborative: CollaborativeRetriever | None
    knowledge: KnowledgeRetriever
    ranker: Ranker
    scorer_fault: str


def checked(without: Iterable[str]) -> frozenset[str]:
    """Names of sources to switch off. Raises WorkspaceError for one that no source has, and for too many."""
    given = frozenset(without)
    unknown = sorted(given.difference(NAMES))
    if unknown:
        raise WorkspaceError(f"There is no source {unknown[0][:120]!r}: sources are {', '.join(NAMES)}.")
    if given.issuperset(ALWAYS_THERE):
        raise WorkspaceError(f"Nothing would be found: leave one of {', '.join(ALWAYS_THERE)} on.")
    return given


def open_sources(
    build: Path, snapshot: Snapshot, encoder: Encoder, scorer: Path, without: Collection[str]
) -> Sources:
    """Open every index of the folder `build`, and the scorer in the folder `scorer` if there is one."""
    catalogue, interactions = snapshot.catalogue, snapshot.interactions
    dense = DenseRetriever(build / DENSE, catalogue, encoder)
    knowledge = KnowledgeRetriever(build / KNOWLEDGE, catalogue)
    found: list[Retriever] = [dense, LexicalRetriever(build / LEXICAL, catalogue), knowledge]
    found += [PopularityRetriever(catalogue, interactions), InterestRetriever(catalogue, interactions)]
    collaborative = None
    if interactions is not None:
        collaborative = CollaborativeRetriever(build / COLLABORATIVE, catalogue)
        found.append(collaborative)
    if snapshot.looks is not None:
        found.append(ImageRetriever(build / IMAGES, catalogue, snapshot.looks))
    found = [source for source in found if source.name not in without]
    if DIALOGUE in without:
        return Sources(dense, collaborative, knowledge, Ranker(catalogue, found), "")
    scoring = open_scoring(scorer, catalogue, encoder, dense.vectors)
    if scoring.scorer is not None:
        found.append(scoring.scorer)
    ranker = Ranker(catalogue, found, scoring.scorer)
    return Sources(dense, collaborative, knowledge, ranker, scoring.fault)

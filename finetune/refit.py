"""Trains a workspace's scorer from all that the workspace has, and puts it where it serves."""

from __future__ import annotations

import shutil
from pathlib import Path

from agent.memory.store import Store
from finetune.config import ConfigError
from finetune.corpus import corpus, from_likes
from finetune.feedback import Feedback, from_states, remembered
from finetune.scorer import train
from finetune.tower import Say
from retrieval.errors import WorkspaceError
from retrieval.scorer import LearnedScorer
from retrieval.scoring import SCORER, scorer_folder
from retrieval.signals.listener import Layers
from retrieval.workspace import Workspace


def train_for(
    workspace: Workspace,
    dialogues: Path | None,
    with_feedback: bool,
    output: Path | None,
    starts: int,
    seed: int,
    say: Say,
) -> Path:
    """Train on everything at once, so that nothing is forgotten, and publish in one step; where it is.

    With feedback it says what the former scorer and the new one recall of old and of new conversations that
    neither has learned from. `starts` as in `train`. Raises ConfigError where there is nothing to learn from.
    """
    feedback = _feedback(workspace) if with_feedback else Feedback({}, {})
    learned = corpus(workspace.catalogue, dialogues, workspace.interactions, seed, feedback.learned)
    say(f"Learning from {len(learned.texts):,} and {len(learned.sequences):,} conversations")
    before = _former(workspace) if with_feedback else {}
    trained = train(workspace, learned, starts, seed, say)
    if with_feedback:
        _compare(workspace, {**before, "after": trained}, feedback, seed, say)
    folder = output or workspace.folder / SCORER
    publish(trained, folder)
    return folder


def publish(trained: LearnedScorer, folder: Path) -> None:
    """Write beside `folder` and change places, so that what serves is never half of a scorer."""
    written, former = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    for left_over in (written, former):
        shutil.rmtree(left_over, ignore_errors=True)
    trained.save(written)
    if folder.exists():
        folder.rename(former)
    written.rename(folder)
    shutil.rmtree(former, ignore_errors=True)


def _feedback(workspace: Workspace) -> Feedback:
    if not workspace.database.exists():
        raise ConfigError(f"{workspace.database} does not exist: nobody has talked in this workspace yet.")
    with Store(workspace.database) as store:
        found = from_states(store.states(), workspace.catalogue)
    if not found.learned:
        raise ConfigError(
            f"No conversation in {workspace.database} has two likes to learn from: leave out --from-feedback."
        )
    return found


def _former(workspace: Workspace) -> dict[str, LearnedScorer]:
    folder = scorer_folder(workspace.folder, workspace.is_starter)
    try:
        given = (workspace.catalogue, workspace.encoder, workspace.dense.vectors, Layers.packaged)
        return {"before": LearnedScorer.load(folder, *given)}
    except WorkspaceError:
        return {}  # there was none, or it could not be read: nothing to compare with


def _compare(
    workspace: Workspace, scorers: dict[str, LearnedScorer], feedback: Feedback, seed: int, say: Say
) -> None:
    interactions = workspace.interactions
    old = from_likes(interactions, workspace.catalogue, seed, kept=True) if interactions is not None else {}
    for row in remembered(scorers, old, feedback.kept, workspace.catalogue):
        figures = ("-" if value is None else f"{value:.3f}" for value in (row.old, row.new))
        say("recall@10 {:6} old {}, new {}".format(row.scorer, *figures))

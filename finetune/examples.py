"""All training examples of one run: every skill, from a workspace and, where given, labelled dialogues.

Seeded and free of repetitions. What is held out (families, users, a share of the items) goes into the
validation set or nowhere, so that no figure is taken on something that was trained.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from agent.reading.draft import Drafter
from agent.reading.link import Linker
from agent.reading.rules import Context
from agent.reading.vocabulary import Vocabulary
from finetune.clauses import read_clauses
from finetune.config import AdapterConfig, ConfigError, Stage
from finetune.dialogues import dialogue_messages, read_dialogues, read_titles
from finetune.example import Example, Skill
from finetune.families import Family, Said, on_side, packaged_banks
from finetune.fillings import Fillings
from finetune.lora import Pool
from finetune.splits import held_out_users
from finetune.understanding import messages, understand_example
from finetune.verdicts import histories, judge_examples
from finetune.widening import expand_examples
from finetune.wordings import respond_examples
from retrieval.catalogue import Catalogue, read_catalogue
from retrieval.workspace import Workspace

DIALOGUE_SHARE = 0.25
"""Share of the understanding examples that are real messages, where dialogues are given."""

VALIDATION = 200
"""Examples of each skill that are only measured."""


@dataclass(frozen=True, slots=True)
class Material:
    """What examples are built from. `dialogues`: folder with catalogue.jsonl and train.jsonl."""

    workspace: Workspace
    families: Sequence[Family]
    dialogues: Path | None = None


def material(workspace: Workspace, dialogues: Path | None = None, bank: Sequence[Family] = ()) -> Material:
    """Everything there is to train on; `bank`: families of another domain instead of the packaged ones.

    Raises ConfigError when a file of the dialogues is missing.
    """
    for name in ("catalogue.jsonl", "train.jsonl"):
        if dialogues is not None and not (dialogues / name).is_file():
            raise ConfigError(
                f"There is no {name} in {str(dialogues)!r}: give a folder of labelled dialogues."
            )
    return Material(workspace, bank or packaged_banks(), dialogues)


def pools(config: AdapterConfig, given: Material) -> tuple[list[Pool], Pool]:
    """The examples of every stage, and the validation set."""
    builders = {skill: _builder(skill, given, config) for skill in config.skills}
    training: list[Pool] = []
    for number, stage in enumerate(config.stages):
        seed = config.seed * 1000 + number
        training.append({skill: _distinct(builders[skill](stage, seed)) for skill in stage.examples})
    validation = {skill: _validation(skill, given, config) for skill in config.skills}
    return training, validation


def _builder(skill: Skill, given: Material, config: AdapterConfig) -> Callable[[Stage, int], list[Example]]:
    def build(stage: Stage, seed: int) -> list[Example]:
        count = stage.examples[skill]
        share = stage.composed if skill == "understand" else 0.0
        composed = _composed(given, int(count * share), seed, config.augment)
        return [*composed, *_build(skill, given, count - len(composed), seed, config.augment, held_out=False)]

    return build


def _validation(skill: Skill, given: Material, config: AdapterConfig) -> list[Example]:
    return _build(skill, given, min(VALIDATION, config.validation), config.seed, 0.0, held_out=True)


def _build(
    skill: Skill, given: Material, count: int, seed: int, augment: float, held_out: bool
) -> list[Example]:
    catalogue, interactions = given.workspace.catalogue, given.workspace.interactions
    users = held_out_users(interactions.users) if interactions is not None else frozenset()
    rng = random.Random(f"{skill}:{seed}")
    if skill == "understand":
        return _understand(given, count, seed, augment, held_out)
    if skill == "judge":
        people = list(histories(interactions, catalogue)) if interactions is not None else []
        examples = judge_examples([row for row in people if (row[0] in users) == held_out], seed)
    elif skill == "expand":
        # Its held-out users are those that it is asked to leave out: the others, to get theirs.
        left_out = frozenset(interactions.users) - users if held_out and interactions is not None else users
        mentions = None if held_out or given.dialogues is None else _mentions(given.dialogues)
        examples = expand_examples(given.workspace, count, seed, left_out, mentions)
    else:
        said = messages(on_side(given.families, held_out), Fillings(catalogue, held_out), count * 2, seed)
        examples = respond_examples(given.workspace, (one.message for one in said), count, seed)
    rng.shuffle(examples)
    return examples[:count]


def _understand(given: Material, count: int, seed: int, augment: float, held_out: bool) -> list[Example]:
    catalogue = given.workspace.catalogue
    real: list[Said] = []
    if given.dialogues is not None and not held_out:
        real = list(islice(_real(given.dialogues, catalogue, seed), int(count * DIALOGUE_SHARE)))
    made = messages(
        on_side(given.families, held_out), Fillings(catalogue, held_out), count - len(real), seed, augment
    )
    drafter = Drafter(catalogue)
    examples = [understand_example(said, drafter) for said in made]
    if given.dialogues is not None and real:  # their films are other ones than the workspace's
        theirs = Drafter(read_catalogue(given.dialogues / "catalogue.jsonl").catalogue)
        examples += [understand_example(said, theirs) for said in real]
    random.Random(seed).shuffle(examples)
    return examples


def _composed(given: Material, count: int, seed: int, augment: float) -> list[Example]:
    """Messages put together from clauses, of which no figure is ever taken."""
    if count < 1:
        return []
    catalogue = given.workspace.catalogue
    drafter = Drafter(catalogue)
    said = read_clauses().messages(Fillings(catalogue, held_out=False), count, seed, augment)
    return [understand_example(one, drafter) for one in said]


def _real(folder: Path, catalogue: Catalogue, seed: int) -> Iterable[Said]:
    """Messages of the dialogues, in an order of their own for every seed."""
    vocabulary = Vocabulary(catalogue)
    context = Context(Linker(catalogue), vocabulary)
    titles = read_titles(folder / "catalogue.jsonl")
    rows = list(read_dialogues(folder / "train.jsonl"))
    random.Random(f"dialogues:{seed}").shuffle(rows)
    for dialogue in rows:
        yield from dialogue_messages(dialogue, titles, context)


def _mentions(folder: Path) -> Path:
    """The file with the most dialogues: sequences of mentions without their text, where there are any."""
    sequences = folder / "sequences.jsonl"
    return sequences if sequences.is_file() else folder / "train.jsonl"


def _distinct(examples: Iterable[Example]) -> list[Example]:
    return list({example.parts: example for example in examples}.values())

"""`tastebud eval adapter` and `tastebud eval recipes`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.terminal import one_line_errors
from eval.commands.shared import JsonOption, WorkspaceOption, say, told_and_kept

if TYPE_CHECKING:
    from eval.benchmarks.tables import Section


class Skills(StrEnum):
    """What the figures of the adapter are taken of."""

    understand = "understand"
    export = "export"
    expand = "expand"
    judge = "judge"
    respond = "respond"
    speed = "speed"


class Recipes(StrEnum):
    """Comparisons of small trainings."""

    methods = "methods"
    ablations = "ablations"
    judge = "judge"
    transfer = "transfer"


def adapter(
    adapter: Annotated[
        str, typer.Option("--adapter", help="Folder of an adapter, or packaged for the agent's own.")
    ] = "packaged",
    workspace: WorkspaceOption = None,
    skills: Annotated[
        list[Skills] | None, typer.Option(help="Repeat for several. Speed is of the packaged one only.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Labelled dialogues (valid.jsonl, catalogue.jsonl), for polarity.")
    ] = None,
    messages: Annotated[
        int | None, typer.Option(min=1, help="Messages to understand; of every held-out text if left out.")
    ] = None,
    dialogues: Annotated[int, typer.Option(min=1, help="Dialogues that each model reads.")] = 250,
    judgements: Annotated[int, typer.Option(min=1, help="Judgements that each model makes.")] = 3000,
    replies: Annotated[int, typer.Option(min=1, help="Replies to check.")] = 150,
    seed: Annotated[int, typer.Option(help="Decides what is sampled.")] = 0,
    json: JsonOption = None,
) -> None:
    """Measure an adapter beside the base model, the rules and the baselines, with 95 % intervals."""
    from eval.benchmarks.adapter import Bench, Sizes, open_models
    from eval.benchmarks.polarity import read_labelled
    from retrieval.workspace import Workspace, open_starter

    with one_line_errors():
        labelled = read_labelled(data) if data is not None else None
        models = open_models(None if adapter == "packaged" else Path(adapter))
        opened = open_starter() if workspace is None else Workspace.open(workspace)
        sizes = Sizes(messages, dialogues, judgements, replies)
        bench = Bench(models, opened, labelled, sizes, seed, say=say)
        every = [skill for skill in Skills if skill is not Skills.speed or adapter == "packaged"]
        sections: list[Section] = []
        for section in bench.measure(skills or every):
            told_and_kept(section, sections, str(models.adapter), seed, json)


def recipes(
    tables: Annotated[list[Recipes] | None, typer.Option(help="Repeat for several; all if left out.")] = None,
    output: Annotated[
        Path, typer.Option(help="Where the small adapters are kept; a run cut short goes on from there.")
    ] = Path("runs/recipes"),
    messages: Annotated[int, typer.Option(min=1, help="Held-out messages that each adapter reads.")] = 150,
    seed: Annotated[int, typer.Option(help="Decides what is drawn.")] = 0,
    json: JsonOption = None,
) -> None:
    """Train small adapters and compare: methods, what prevents overfitting, few examples, another domain."""
    from eval.benchmarks.trials import Trials
    from retrieval.workspace import open_starter

    with one_line_errors():
        trials = Trials(open_starter(), output, messages, seed, say=say)
        sections: list[Section] = []
        for table in tables or Recipes:
            for section in getattr(trials, table.value)():
                told_and_kept(section, sections, "small adapters", seed, json)

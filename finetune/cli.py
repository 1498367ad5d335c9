"""`tastebud train ...`: the adapter, from a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.terminal import one_line_errors

app = typer.Typer(help="Train what the agent runs on.", no_args_is_help=True, add_completion=False)

PACKAGED = Path(__file__).parent / "configs" / "adapter.yaml"


@app.callback()
def train() -> None:
    """Train what the agent runs on."""


@app.command()
def adapter(
    output: Annotated[
        Path,
        typer.Option("--output", help="Folder for checkpoints, logs and the adapter; a killed run resumes."),
    ] = Path("runs/adapter"),
    config: Annotated[Path, typer.Option("--config", help="YAML configuration of the training.")] = PACKAGED,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", help="What to learn from; the starter films if left out.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option("--from", help="An adapter to go on from, such as agent/weights.")
    ] = None,
    dialogues: Annotated[
        Path | None,
        typer.Option("--dialogues", help="Folder with catalogue.jsonl and train.jsonl of dialogues."),
    ] = None,
    bank: Annotated[
        Path | None, typer.Option("--bank", help="YAML of paraphrase families instead of the packaged ones.")
    ] = None,
    base: Annotated[
        str, typer.Option("--base", help="packaged, a folder or a Hugging Face id.")
    ] = "packaged",
    seed: Annotated[int | None, typer.Option("--seed", help="Overrides the configuration's seed.")] = None,
) -> None:
    """Train the adapter of the language model's four skills; resumes when started again."""
    with one_line_errors():
        _train(output, config, workspace, start, dialogues, bank, base, seed)


def _train(
    output: Path,
    config: Path,
    workspace: Path | None,
    start: Path | None,
    dialogues: Path | None,
    bank: Path | None,
    base: str,
    seed: int | None,
) -> None:
    from dataclasses import replace

    from rich.console import Console

    from agent.model.assets import model_folder
    from finetune.config import read_config
    from finetune.examples import material, pools
    from finetune.families import read_bank
    from finetune.lora import train as train_adapter
    from retrieval.workspace import Workspace, open_starter

    console = Console(stderr=True)
    settings = read_config(config)
    settings = settings if seed is None else replace(settings, seed=seed)
    place = open_starter() if workspace is None else Workspace.open(workspace)
    families = read_bank(bank) if bank is not None else ()
    console.print("Building examples")
    training, validation = pools(settings, material(place, dialogues, families))
    for stage, pool in zip(settings.stages, training, strict=True):
        counted = ", ".join(f"{len(rows):,} {skill}" for skill, rows in pool.items())
        console.print(f"  {stage.name}: {counted}")
    done = train_adapter(
        settings, training, validation, model_folder() if base == "packaged" else base, output, start
    )
    console.print(f"The adapter is in {done}")


@app.command()
def scorer(
    workspace: Annotated[
        Path | None, typer.Option("--workspace", help="Whose scorer it is; the starter films if left out.")
    ] = None,
    dialogues: Annotated[
        Path | None,
        typer.Option(
            "--dialogues",
            help="Folder with catalogue.jsonl, train.jsonl and, if there is one, sequences.jsonl.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", help="Where it is kept; in the workspace, which then serves it, if left out."
        ),
    ] = None,
    from_feedback: Annotated[
        bool, typer.Option("--from-feedback", help="Learn from the workspace's own conversations too.")
    ] = False,
    starts: Annotated[
        int, typer.Option("--starts", min=1, help="Towers that are averaged; 1 makes a smaller scorer.")
    ] = 2,
    seed: Annotated[int, typer.Option("--seed", help="Of every random choice in the training.")] = 7,
) -> None:
    """Train the scorer from dialogues and from what the workspace's users like; it serves from then on."""
    from rich.console import Console

    from finetune.refit import train_for
    from retrieval.workspace import Workspace, open_starter

    console = Console(stderr=True)
    with one_line_errors():
        place = open_starter() if workspace is None else Workspace.open(workspace)
        folder = train_for(place, dialogues, from_feedback, output, starts, seed, console.print)
        console.print(f"The scorer is in {folder}")

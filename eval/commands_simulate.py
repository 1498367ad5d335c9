"""`tastebud eval simulate` and `tastebud eval compare`."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agent.terminal import one_line_errors


class Policies(StrEnum):
    """Which ways to decide between asking and recommending are simulated."""

    balanced = "balanced"
    ask_more = "ask-more"
    recommend_early = "recommend-early"
    both = "both"


def simulate(
    users: Annotated[int, typer.Option(min=1, help="How many people talk.")] = 200,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", help="Workspace folder; the starter workspace if left out.")
    ] = None,
    llm: Annotated[str, typer.Option(help="packaged, none, a Hugging Face id or folder, or a URL.")] = "none",
    policy: Annotated[
        Policies, typer.Option(help="balanced is how the product ships; both compares the other two.")
    ] = Policies.balanced,
    data: Annotated[
        Path | None,
        typer.Option(help="Labelled dialogues (valid.jsonl, catalogue.jsonl) whose seekers talk instead."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides targets, characters and words.")] = 0,
    json: Annotated[
        Path | None,
        typer.Option("--json", help="Write all figures to this file; a run cut short goes on beside it."),
    ] = None,
) -> None:
    """Let simulated people look for a film they like, without naming it, in up to five messages."""
    from rich.console import Console
    from rich.progress import Progress

    from eval.report import write_json
    from eval.simulate.kept import Kept
    from eval.simulate.report import figures_of, print_report, to_json
    from eval.simulate.run import POPULAR, Plan, cast, run
    from retrieval.workspace import Workspace, open_starter

    chosen = ("ask-more", "recommend-early") if policy is Policies.both else (policy.value,)
    plan = Plan(users, chosen, llm, data, seed)
    with one_line_errors(), tempfile.TemporaryDirectory(prefix="tastebud-simulate-") as folder:
        opened = open_starter() if workspace is None else Workspace.open(workspace)
        settings = plan.settings(opened)
        kept = None if json is None else Kept(json.with_name(json.name + ".part"), settings)
        players = cast(plan, opened, Path(folder))
        with Progress(console=Console(stderr=True)) as bars:
            bar = bars.add_task("talking", total=users * (len(chosen) + 1))
            results = run(
                plan, players, kept, lambda name: bars.update(bar, advance=1, description=f"talking, {name}")
            )
        figures = figures_of(results, seed)
        print_report(results, figures, POPULAR, seed, Console())
        if json is not None and kept is not None:
            write_json(to_json(results, figures, settings), json)
            kept.path.unlink()

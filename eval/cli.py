"""`tastebud eval ...`: scripted dialogues, the figures of the adapter, speed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agent.terminal import one_line_errors
from eval.commands import everything, items, rankings, simulating, tails, training
from eval.commands.shared import JsonOption, WorkspaceOption, opened

app = typer.Typer(help="Measure: scripted dialogues and speed.", no_args_is_help=True, add_completion=False)
for command in (
    simulating.simulate,
    simulating.compare,
    rankings.movielens,
    rankings.liking,
    rankings.redial,
    rankings.inspired,
    items.cold,
    items.scale,
    rankings.ranking,
    tails.longtail,
    training.adapter,
    training.recipes,
):
    app.command()(command)
app.command("all")(everything.everything)


class Llms(StrEnum):
    """Which language models the latency figures are taken with."""

    packaged = "packaged"
    none = "none"
    both = "both"


@app.command()
def scripts(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="YAML scripts or folders of them; the packaged ones if left out (with --workspace, those "
            "that name no film)."
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    llm: Annotated[
        str, typer.Option(help="packaged, none, a Hugging Face id or folder, or a URL.")
    ] = "packaged",
    json: JsonOption = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print the whole transcripts.")] = False,
) -> None:
    """Run scripted dialogues; exit code 1 when an expectation fails, 2 when a script is malformed."""
    from rich.console import Console

    from eval.grounding import FilmIndex
    from eval.machine import machine
    from eval.parsing import fitted, load_all
    from eval.report import print_report, to_json, write_json
    from eval.runner import ScriptResult, run_scripts
    from eval.script import ANYWHERE, PACKAGED

    def told(result: ScriptResult) -> None:
        typer.echo(f"{'passed' if result.passed else 'FAILED'}  {result.script.name}", err=True)

    with one_line_errors():
        loaded = load_all(files or [PACKAGED if workspace is None else ANYWHERE])
        with opened(workspace, llm) as recommender:
            if not files:  # a packaged script that does not fit somebody's catalogue is no mistake of theirs
                loaded, unfit = fitted(loaded, FilmIndex(recommender.catalogue))
                typer.echo("".join(f"left out  {reason}\n" for reason in unfit), err=True, nl=False)
            results = run_scripts(loaded, recommender, told)
        print_report(results, Console(), f"Scripted dialogues, llm={llm}", verbose)
        if json is not None:
            write_json(to_json(results, machine(), llm), json)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


@app.command()
def latency(
    workspace: WorkspaceOption = None,
    llm: Annotated[Llms, typer.Option(help="Which model to time.")] = Llms.both,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each measurement.")] = 5,
    json: JsonOption = None,
) -> None:
    """Time turns, retrieval, indexing and start-up, beside the targets; prints a Markdown table."""
    from eval.benchmarks.latency import markdown, run
    from eval.benchmarks.latency import to_json as figures_to_json
    from eval.report import write_json

    models = ("none", "packaged") if llm is Llms.both else (llm.value,)
    with one_line_errors():
        report = run(workspace, models, repeats, say=lambda text: typer.echo(text, err=True))
        typer.echo(markdown(report))
        if json is not None:
            write_json(figures_to_json(report), json)


@app.command()
def search(
    workspace: WorkspaceOption = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List the films that did not come first.")
    ] = False,
    json: JsonOption = None,
) -> None:
    """Find films by descriptions that do not name them; prints a Markdown table."""
    from eval.benchmarks.known_item import markdown, misses, run
    from eval.report import write_json
    from retrieval.workspace import Workspace, open_starter

    with one_line_errors():
        opened = open_starter() if workspace is None else Workspace.open(workspace)
        found = run(opened.catalogue, opened.encoder)
        typer.echo(markdown(found))
        if verbose:
            typer.echo("\n".join(misses(opened.catalogue, found[-1])))
        if json is not None:
            write_json({row.name: {"ranks": row.ranks, "mrr": row.reciprocal} for row in found}, json)


if __name__ == "__main__":
    app()

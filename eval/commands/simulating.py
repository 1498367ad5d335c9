"""`tastebud eval simulate` and `tastebud eval compare`."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.terminal import one_line_errors

if TYPE_CHECKING:
    from eval.simulate.kept import Kept
    from eval.simulate.run import Plan
    from eval.simulate.runner import Outcome
    from retrieval.workspace import Workspace


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
    voice: Annotated[
        str, typer.Option(help="Who words the messages: templates, or a language model as for --llm.")
    ] = "templates",
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

    from eval.report import write_json
    from eval.simulate.kept import Kept
    from eval.simulate.report import figures_of, print_report, to_json
    from eval.simulate.run import BASELINES, Plan
    from retrieval.workspace import Workspace, open_starter

    chosen = ("ask-more", "recommend-early") if policy is Policies.both else (policy.value,)
    plan = Plan(users, chosen, llm, voice, data, seed)
    with one_line_errors():
        opened = open_starter() if workspace is None else Workspace.open(workspace)
        settings = plan.settings(opened)
        kept = None if json is None else Kept(json.with_name(json.name + ".part"), settings)
        results = _talk(plan, opened, kept)
        figures = figures_of(results, seed)
        print_report(results, figures, BASELINES, seed, Console())
        if json is not None and kept is not None:
            write_json(to_json(results, figures, settings), json)
            kept.path.unlink()


def _talk(plan: Plan, opened: Workspace, kept: Kept | None) -> dict[str, tuple[Outcome, ...]]:
    """Hold all conversations under a progress bar."""
    from rich.console import Console
    from rich.progress import Progress

    from eval.simulate.run import BASELINES, cast, run

    with (
        tempfile.TemporaryDirectory(prefix="tastebud-simulate-") as folder,
        Progress(console=Console(stderr=True)) as bars,
    ):
        bar = bars.add_task("finding people", total=plan.users * (len(plan.policies) + len(BASELINES)))

        def told(name: str) -> None:
            bars.update(bar, advance=1, description=f"talking, {name}")

        return run(plan, cast(plan, opened, Path(folder)), kept, told)


def compare(
    a: Annotated[Path, typer.Argument(metavar="A.json", help="Figures of what is there now.")],
    b: Annotated[Path, typer.Argument(metavar="B.json", help="Figures of what would replace it.")],
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Repeat for several; these alone are shown and decide. All are shown if left out."),
    ] = None,
    fail_below: Annotated[
        float | None, typer.Option("--fail-below", help="Fail also when the metric of B is below this.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the differences into this SVG file.")] = None,
    seed: Annotated[int, typer.Option(help="Decides the bootstrap's draws.")] = 0,
    json: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
) -> None:
    """Is B worse than A? Exit code 1 when it is, 2 when the files cannot be compared, else 0.

    Without --metric, success@10 decides between simulations and passed between scripts.
    """
    from rich.console import Console

    from eval.benchmarks.tables import Section, as_table
    from eval.compare import GATES, failures, pair, read_results, to_json
    from eval.compare import compare as differences
    from eval.forest import draw
    from eval.report import write_json

    with one_line_errors():
        first, second = read_results(a), read_results(b)
        pairs = pair(first, second)
        rows = differences(pairs, metric or (), seed)
        reasons = failures(rows, metric or (GATES[first.command],), fail_below)
        title = f"B ({b.name}) less A ({a.name}), {len(pairs)} in both"
        alone = len(first.units) - len(pairs), len(second.units) - len(pairs)
        if any(alone):
            typer.echo(f"Left out: {alone[0]} that only A holds, {alone[1]} that only B holds.", err=True)
        Console().print(as_table(Section(title, rows)))
        if plot is not None:
            draw(rows, title, plot)
        if json is not None:
            write_json(to_json(rows, reasons), json)
    for reason in reasons:
        typer.echo(f"Not good enough: {reason}", err=True)
    if reasons:
        raise typer.Exit(1)

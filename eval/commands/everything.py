"""`tastebud eval all`: everything that can be measured of a workspace, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.terminal import one_line_errors
from eval.commands.shared import WorkspaceOption

if TYPE_CHECKING:
    from eval.satisfaction.page.document import Document
    from eval.satisfaction.plan import Plan
    from retrieval.workspace import Workspace


def everything(
    workspace: WorkspaceOption = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with a file of users (ml-100k.user, u.user or users.csv with user_id, age, gender, "
            "occupation), for fairness; the starter's own if left out."
        ),
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder for report.html, report.md and report.json.")] = Path(
        "reports/all"
    ),
    users: Annotated[int, typer.Option(min=2, help="How many people are held out and talk.")] = 200,
    quick: Annotated[
        bool, typer.Option("--quick", help="At most 40 people, one script of each family.")
    ] = False,
    llm: Annotated[str, typer.Option(help="packaged, none, a Hugging Face id or folder, or a URL.")] = "none",
    seed: Annotated[int, typer.Option(help="Decides targets, characters, words and draws.")] = 0,
) -> None:
    """Measure accuracy, variety, fairness, conversations, wording and speed; write one report.

    A run that is cut short goes on where it was when the same command is given again.
    """
    from eval.satisfaction.plan import Plan
    from retrieval.workspace import Workspace, open_starter

    with one_line_errors():
        plan = Plan(workspace is None, data, users, quick, llm, seed)
        opened = open_starter() if workspace is None else Workspace.open(workspace)
        _print(_measured(opened, plan, output), output)


def _measured(opened: Workspace, plan: Plan, output: Path) -> Document:
    """Measure under a progress bar, write all three files, and let go of what was kept for going on."""
    from rich.console import Console
    from rich.progress import Progress

    from eval.satisfaction.contents import document
    from eval.satisfaction.kept import Measured
    from eval.satisfaction.page.writing import write
    from eval.satisfaction.run import measure

    kept = Measured(output / "measured.jsonl", plan.settings(opened))
    with Progress(console=Console(stderr=True)) as bars:
        bar = bars.add_task("measuring", total=None)

        def tell(what: str, done: int, of: int) -> None:
            bars.update(bar, description=what, completed=done, total=of or None)

        found = document(measure(opened, plan, kept, tell))
    write(found, output)
    kept.done()
    return found


def _print(document: Document, output: Path) -> None:
    """The summary, and where the rest is."""
    from eval.satisfaction.page.markdown import HEADS

    for verdict, head in HEADS.items():
        claims = document.claims(verdict)
        if claims:
            typer.echo(f"\n{head}\n" + "\n".join(f"  - {claim.text}" for claim in claims))
    for chapter in document.chapters:
        if chapter.missing:
            typer.echo(f"\nNot measured: {chapter.title} {chapter.missing}")
    typer.echo(f"\nThe report: {output / 'report.html'}, report.md and report.json beside it.")

"""What `tastebud index` did, for the terminal."""

from __future__ import annotations

import typer

from retrieval.indexing import ChangeReport, IndexReport, Tally


def print_report(report: IndexReport) -> None:
    """What a build kept, and where its rejected rows are."""
    typer.echo(f"Workspace {report.folder} is built in {report.seconds:.1f} s (build {report.build}).")
    typer.echo(_tally("items", report.items))
    if report.interactions is not None:
        typer.echo(_tally("interactions", report.interactions))
    if report.looks is not None:
        typer.echo(_tally("images or vectors", report.looks))
    if report.links:
        typer.echo(f"  knowledge: {report.links} links")
    typer.echo(f"  encoding: {report.items_per_second:.0f} items/s")
    if any(tally.rejected for tally in (report.items, report.interactions, report.looks) if tally):
        typer.echo(f"Rejected rows, each with its reason: {report.rejected_file}")
    typer.echo(f"Talk to it: tastebud chat --workspace {report.folder}")


def print_changes(report: ChangeReport) -> None:
    """How many items came, changed and went."""
    done = f"{report.added} added, {report.changed} changed, {report.removed} removed"
    typer.echo(f"Workspace {report.folder}: {done}; {report.items} items now (build {report.build}).")
    if report.looks is not None:
        typer.echo(_tally("images or vectors", report.looks))
    typer.echo("What is running already serves the earlier items until it is started again.")


def _tally(name: str, tally: Tally) -> str:
    repeated = f" + {tally.repeated} repeated" if tally.repeated else ""
    return f"  {name}: {tally.total} rows = {tally.kept} kept + {tally.rejected} rejected{repeated}"

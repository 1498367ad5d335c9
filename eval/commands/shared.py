"""What the sub-commands have in common: options, a recommender of their own, tables kept as they come."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from agent.recommender import Recommender
    from eval.benchmarks.tables import Section

WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", help="Workspace folder; the starter workspace if left out.")
]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")]


def say(text: str) -> None:
    """Progress, apart from what is printed as the result."""
    typer.echo(text, err=True)


@contextmanager
def opened(workspace: Path | None, llm: str) -> Iterator[Recommender]:
    """A Recommender on a database of its own, so that no conversation of the user's is touched."""
    from agent.recommender import Recommender

    with tempfile.TemporaryDirectory(prefix="tastebud-eval-") as folder:
        recommender = Recommender.open(workspace, llm=llm, database=Path(folder) / "eval.db")
        try:
            yield recommender
        finally:
            recommender.close()


def told_and_kept(
    section: Section, sections: list[Section], adapter: str, seed: int, json: Path | None
) -> None:
    """Print a table, add it to those before, and write all of them: a run is long, and may be cut short."""
    from rich.console import Console

    from eval.benchmarks.tables import as_table, to_json
    from eval.report import write_json

    Console().print(as_table(section))
    sections.append(section)
    if json is not None:
        write_json(to_json(sections, adapter, seed), json)

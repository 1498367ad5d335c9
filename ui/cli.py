"""The `tastebud` command. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from agent.terminal import one_line_errors

if TYPE_CHECKING:
    from rich.console import Console

    from agent import Recommender
    from agent.types import Reply
    from retrieval.indexing import ChangeReport, IndexReport

_GROUP = "tastebud.commands"


class Commands(TyperGroup):
    """The commands of this module and those that other installed packages offer under `tastebud.commands`."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *sorted(entry_points(group=_GROUP).names)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        offered = tuple(entry_points(group=_GROUP, name=cmd_name))
        if not offered:
            return None
        command = get_command(offered[0].load())
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A conversational recommender that runs on your own machine.",
)

WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", help="Workspace folder; the starter films if left out.")
]
LlmOption = Annotated[
    str,
    typer.Option(
        "--llm",
        help='"packaged", "none" (rules only, fast), a Hugging Face id or folder, or the URL of an '
        "OpenAI-compatible server such as http://localhost:11434/v1#llama3.2.",
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        help="Where conversations are kept: a file or an SQLAlchemy URL; in the workspace if left out.",
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Makes the choice of wordings repeatable.")]
WithoutOption = Annotated[
    list[str] | None,
    typer.Option("--without", help="A source to switch off, such as collaborative; repeat for several."),
]
HostOption = Annotated[str, typer.Option("--host", help="Address to listen on.")]
PortOption = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="Port; 7860 or the next free one if left out.")
]
OpenOption = Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser when ready.")]


@app.command()
def chat(
    workspace: WorkspaceOption = None,
    llm: LlmOption = "packaged",
    port: PortOption = None,
    host: HostOption = "127.0.0.1",
    open_page: OpenOption = False,
    database: DatabaseOption = None,
    seed: SeedOption = 0,
    without: WithoutOption = None,
) -> None:
    """Talk in the browser."""
    with one_line_errors():
        _serve(workspace, llm, port, host, open_page, database, seed, without, rest=False)


@app.command()
def serve(
    workspace: WorkspaceOption = None,
    llm: LlmOption = "packaged",
    port: PortOption = None,
    host: HostOption = "127.0.0.1",
    open_page: OpenOption = False,
    database: DatabaseOption = None,
    seed: SeedOption = 0,
    without: WithoutOption = None,
) -> None:
    """The browser page and the REST API under /v1."""
    with one_line_errors():
        _serve(workspace, llm, port, host, open_page, database, seed, without, rest=True)


CatalogueOption = Annotated[
    Path | None, typer.Option(help="Items: a CSV, TSV, JSONL, Parquet, RecBole or MovieLens file.")
]
FolderOption = Annotated[
    Path,
    typer.Option("--workspace", help="Folder to build or change; an earlier build serves until it is done."),
]
InteractionsOption = Annotated[Path | None, typer.Option(help="Ratings or clicks: user, item, value, time.")]
ColumnsOption = Annotated[Path | None, typer.Option(help="YAML that maps your columns: `field: column`.")]
KnowledgeOption = Annotated[Path | None, typer.Option(help="RecBole .kg file beside its .link file.")]
ImagesOption = Annotated[
    Path | None,
    typer.Option("--images", help="Folder of a CLIP model that reads the files in the column `image`."),
]
VectorsOption = Annotated[
    Path | None,
    typer.Option("--vectors", help="Instead of images: item_id and vector, as JSONL, Parquet or CSV."),
]
AddOption = Annotated[
    Path | None,
    typer.Option("--add", help="File of items to add to the workspace; one of the same item_id is replaced."),
]
RemoveOption = Annotated[
    list[str] | None,
    typer.Option("--remove", help="item_id to remove from the workspace; repeat for several."),
]


@app.command()
def index(
    workspace: FolderOption,
    catalogue: CatalogueOption = None,
    interactions: InteractionsOption = None,
    columns: ColumnsOption = None,
    knowledge: KnowledgeOption = None,
    images: ImagesOption = None,
    vectors: VectorsOption = None,
    add: AddOption = None,
    remove: RemoveOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON.")] = False,
) -> None:
    """Build a workspace from your own catalogue, or change some of its items."""
    _check_index(catalogue is not None, bool(add or remove), bool(interactions or knowledge), vectors)
    if images is not None and vectors is not None:
        raise typer.BadParameter("give --images or --vectors, not both: they would feed the same source.")
    with one_line_errors():
        from retrieval import indexing
        from ui.reports import print_changes, print_report

        with _progress() as progress:
            report: IndexReport | ChangeReport
            if catalogue is not None:
                report = indexing.index(
                    catalogue,
                    interactions,
                    workspace,
                    columns,
                    knowledge,
                    progress,
                    images=images,
                    vectors=vectors,
                )
            else:
                report = indexing.change(
                    workspace, add, remove or (), columns, progress, images=images, vectors=vectors
                )
        if as_json:
            typer.echo(json.dumps(asdict(report), default=str, indent=2))
        elif isinstance(report, indexing.ChangeReport):
            print_changes(report)
        else:
            print_report(report)


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help='What you are looking for, such as "something like Heat".')],
    workspace: WorkspaceOption = None,
    llm: LlmOption = "packaged",
    n: Annotated[int, typer.Option("--n", min=1, max=100, help="How many items.")] = 3,
    seed: SeedOption = 0,
    long_tail: Annotated[
        float, typer.Option("--long-tail", help="From 0, well known or not, to 1, hidden gems.")
    ] = 0.0,
    without: WithoutOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the reply as JSON.")] = False,
) -> None:
    """One question, one answer, in the terminal."""
    with one_line_errors():
        rec = _open(workspace, llm, None, seed, without)
        reply = rec.ask(text, n=n, long_tail=long_tail)
        if as_json:
            typer.echo(json.dumps(asdict(reply), indent=2))
        else:
            _print_reply(rec, reply)


def _check_index(build: bool, change: bool, for_all: bool, vectors: Path | None) -> None:
    """Raise BadParameter unless a workspace is either built or changed."""
    if build == (change or (not build and vectors is not None)):
        raise typer.BadParameter("give either --catalogue to build, or --add and --remove to change.")
    if for_all and not build:
        raise typer.BadParameter(
            "--interactions and --knowledge need --catalogue: build again with all files."
        )


def _serve(
    workspace: Path | None,
    llm: str,
    port: int | None,
    host: str,
    open_page: bool,
    database: str | None,
    seed: int,
    without: list[str] | None,
    rest: bool,
) -> None:
    from ui.server import reserve, run

    bound = reserve(host, port)
    rec = _open(workspace, llm, database, seed, without)
    from ui.app import build_app

    def ready(url: str) -> None:
        typer.echo(f"Tastebud is ready: {url}" + (f"  (REST API: {url}/v1)" if rest else ""))
        if open_page:
            typer.launch(url)

    run(build_app(rec, rec.workspace.folder, rest=rest), bound, ready)


def _open(
    workspace: Path | None, llm: str, database: str | None, seed: int, without: list[str] | None
) -> Recommender:
    with _console().status("Opening the workspace and the model"):
        from agent import Recommender

        where = _location(database)
        rec = Recommender.open(workspace, llm=llm, database=where, seed=seed, without=without or ())
    if fault := rec.workspace.scorer_fault:
        typer.echo(f"Recommending without the trained scorer. {fault}", err=True)
    return rec


def _location(database: str | None) -> Path | str | None:
    return database if database is None or "://" in database else Path(database)


def _console() -> Console:
    """Progress and remarks go to stderr, so that stdout stays clean for answers and figures."""
    from rich.console import Console

    return Console(file=sys.stderr)


@contextmanager
def _progress() -> Iterator[Any]:
    """A progress bar per stage, as the callback (stage, done, total) that building a workspace takes."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console()) as bars:
        tasks: dict[str, Any] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield progress


def _print_reply(rec: Recommender, reply: Reply) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False)
    console.print(_italics(reply.text))
    for found in reply.items:
        item = rec.item(found.item_id)
        console.print()
        console.print(Text.assemble((f"{found.rank}  ", "dim"), (item.label, "bold")))
        about = " · ".join([*item.genres[:3], *([f"{item.minutes} min"] if item.minutes else [])])
        reasons = "; ".join(reason.text for reason in found.reasons[:3])
        for line, style in ((about, "dim"), (reasons, "")):
            if line:
                console.print(Padding(Text(line, style=style), (0, 0, 0, 3), expand=False))


def _italics(text: str) -> Any:
    """A reply for the terminal: `*Title*` in italics, every other character as it is."""
    from rich.text import Text

    from ui.marks import split_titles

    return Text.assemble(*((part, "italic") if title else part for part, title in split_titles(text)))


def main() -> None:
    app()

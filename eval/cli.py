"""`tastebud eval ...`: scripted dialogues, the figures of the adapter, speed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.terminal import one_line_errors
from eval import commands_simulate

if TYPE_CHECKING:
    from agent.recommender import Recommender
    from eval.benchmarks.tables import Section

app = typer.Typer(help="Measure: scripted dialogues and speed.", no_args_is_help=True, add_completion=False)
app.command()(commands_simulate.simulate)
app.command()(commands_simulate.compare)

WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", help="Workspace folder; the starter workspace if left out.")
]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")]


class Llms(StrEnum):
    """Which language models the latency figures are taken with."""

    packaged = "packaged"
    none = "none"
    both = "both"


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


class Protocols(StrEnum):
    """How MovieLens is split."""

    random = "random"
    last = "last"
    cold = "cold"


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


@app.command()
def movielens(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of a MovieLens download; MovieLens 100K of the starter if left out."),
    ] = None,
    protocols: Annotated[
        list[Protocols] | None, typer.Option("--protocol", help="Repeat for several; all if left out.")
    ] = None,
    neural: Annotated[bool, typer.Option(help="BPR, NeuMF and CFGAN too: minutes more.")] = True,
    blend: Annotated[bool, typer.Option(help="The learned blend too; needs LightGBM.")] = True,
    seed: Annotated[int, typer.Option(help="Decides the splits and where learning begins.")] = 0,
    json: JsonOption = None,
) -> None:
    """Rank MovieLens by its published protocols, every baseline in the same run, with 95 % intervals."""
    from rich.console import Console

    from eval.benchmarks.movielens import Options, measure
    from eval.benchmarks.movielens_data import read_movielens
    from eval.benchmarks.tables import Section, as_table, to_json
    from eval.report import write_json
    from retrieval.starter import dataset_folder

    with one_line_errors():
        read = read_movielens(data if data is not None else dataset_folder())
        options = Options(tuple(one.value for one in protocols or Protocols), neural, blend, seed)
        sections: list[Section] = []
        for section in measure(read, options, say=lambda text: typer.echo(text, err=True)):
            Console().print(as_table(section))
            sections.append(section)
            if json is not None:  # after every table: a run is long, and may be cut short
                write_json(to_json(sections, "none", seed), json)


@app.command()
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
        bench = Bench(models, opened, labelled, sizes, seed, say=lambda text: typer.echo(text, err=True))
        every = [skill for skill in Skills if skill is not Skills.speed or adapter == "packaged"]
        sections: list[Section] = []
        for section in bench.measure(skills or every):
            _told_and_kept(section, sections, str(models.adapter), seed, json)


@app.command()
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
        trials = Trials(open_starter(), output, messages, seed, say=lambda text: typer.echo(text, err=True))
        sections: list[Section] = []
        for table in tables or Recipes:
            for section in getattr(trials, table.value)():
                _told_and_kept(section, sections, "small adapters", seed, json)


def _told_and_kept(
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


@app.command()
def redial(
    data: Annotated[
        Path,
        typer.Option(help="Folder with catalogue.jsonl, train.jsonl, sequences.jsonl and valid.jsonl."),
    ],
    seed: Annotated[int, typer.Option(help="Of the training, and of what the intervals draw.")] = 0,
    json: JsonOption = None,
) -> None:
    """Rank the next film of ReDial's validation dialogues: baselines, and a scorer that is trained first."""
    from rich.console import Console

    from eval.benchmarks.redial import rank_baselines, read_redial, tables
    from eval.benchmarks.redial_scorer import ablation, rank_scorer, train_scorer
    from eval.benchmarks.tables import Section, as_table, to_json
    from eval.report import write_json
    from retrieval.encoder import TextEncoder

    def say(text: str) -> None:
        typer.echo(text, err=True)

    with one_line_errors():
        dialogues, encoder = read_redial(data), TextEncoder()
        found = rank_baselines(dialogues, encoder, say)
        trained = train_scorer(dialogues, encoder, seed, say)
        found += rank_scorer(trained, dialogues)
        sections: list[Section] = []
        for section in chain(tables(found, dialogues, seed), ablation(trained, dialogues, seed, say)):
            Console().print(as_table(section))
            sections.append(section)
            if json is not None:  # after every table: a run is long, and may be cut short
                write_json(to_json(sections, "none", seed), json)


if __name__ == "__main__":
    app()

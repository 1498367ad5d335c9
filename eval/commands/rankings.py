"""`tastebud eval movielens`, `liking`, `redial`, `inspired` and `ranking`."""

from __future__ import annotations

from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.terminal import one_line_errors
from eval.commands.shared import JsonOption, WorkspaceOption, say, told_and_kept

if TYPE_CHECKING:
    from eval.benchmarks.judging import Probabilities
    from eval.benchmarks.tables import Section


class Protocols(StrEnum):
    """How MovieLens is split."""

    random = "random"
    last = "last"
    cold = "cold"


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
    from eval.benchmarks.movielens import Options, measure
    from eval.benchmarks.movielens_data import read_movielens
    from retrieval.starter import dataset_folder

    with one_line_errors():
        read = read_movielens(data if data is not None else dataset_folder())
        options = Options(tuple(one.value for one in protocols or Protocols), neural, blend, seed)
        sections: list[Section] = []
        for section in measure(read, options, say=say):
            told_and_kept(section, sections, "none", seed, json)


def liking(
    workspace: WorkspaceOption = None,
    judgements: Annotated[
        int, typer.Option(min=0, help="Questions that the language model is asked too; 0 for none.")
    ] = 2000,
    seed: Annotated[int, typer.Option(help="Of the training, and of which questions are drawn.")] = 0,
    json: JsonOption = None,
) -> None:
    """Train the probability of liking and measure it on held-out people, with and without the judge."""
    from eval.benchmarks.liking import measure_liking
    from retrieval.workspace import Workspace, open_starter

    with one_line_errors():
        opened = open_starter() if workspace is None else Workspace.open(workspace)
        judge = _packaged_judge() if judgements else None
        sections: list[Section] = []
        for section in measure_liking(opened, judge, judgements, seed, say):
            told_and_kept(section, sections, "packaged" if judgements else "none", seed, json)


def _packaged_judge() -> Probabilities:
    from eval.benchmarks.adapter import open_models

    tuned = open_models(None).tuned
    return lambda prompts: tuned.judge("", prompts)


def redial(
    data: Annotated[
        Path,
        typer.Option(help="Folder with catalogue.jsonl, train.jsonl, sequences.jsonl and valid.jsonl."),
    ],
    seed: Annotated[int, typer.Option(help="Of the training, and of what the intervals draw.")] = 0,
    json: JsonOption = None,
) -> None:
    """Rank the next film of ReDial's validation dialogues: baselines, and a scorer that is trained first."""
    from eval.benchmarks.redial import rank_baselines, read_redial, tables
    from eval.benchmarks.redial_scorer import ablation, rank_scorer, train_scorer
    from retrieval.encoder import TextEncoder

    with one_line_errors():
        dialogues, encoder = read_redial(data), TextEncoder()
        found = rank_baselines(dialogues, encoder, say)
        trained = train_scorer(dialogues, encoder, seed, say)
        found += rank_scorer(trained, dialogues)
        sections: list[Section] = []
        for section in chain(tables(found, dialogues, seed), ablation(trained, dialogues, seed, say)):
            told_and_kept(section, sections, "none", seed, json)


def inspired(
    data: Annotated[
        Path,
        typer.Option(
            help="Folder with train.jsonl or the published train.tsv; catalogue.jsonl there, or in the "
            "folder redial beside it."
        ),
    ],
    seed: Annotated[int, typer.Option(help="Of what the intervals draw.")] = 0,
    json: JsonOption = None,
) -> None:
    """Rank the next film of INSPIRED dialogues: popularity, BM25, vectors, co-occurrence, EASE and fusion."""
    from eval.benchmarks.inspired import read_inspired, tables
    from eval.benchmarks.redial import rank_baselines
    from retrieval.encoder import TextEncoder

    with one_line_errors():
        dialogues = read_inspired(data)
        found = rank_baselines(dialogues, TextEncoder(), say)
        sections: list[Section] = []
        for section in tables(found, dialogues, seed):
            told_and_kept(section, sections, "none", seed, json)


def ranking(
    workspace: WorkspaceOption = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with catalogue.jsonl and valid.jsonl of dialogues.")
    ] = None,
    cases: Annotated[int, typer.Option(min=1, help="Recommendations of the dialogues to rank.")] = 1000,
    seed: Annotated[int, typer.Option(help="Decides which, and what is given of users.")] = 0,
    json: JsonOption = None,
) -> None:
    """Compare what serves: fusion, the learned scorer and both, on dialogues, users and descriptions."""
    from eval.benchmarks.serving import measure_serving
    from retrieval.workspace import Workspace, open_starter

    with one_line_errors():
        opened = open_starter() if workspace is None else Workspace.open(workspace)
        sections: list[Section] = []
        for section in measure_serving(opened, data, cases, seed, say):
            told_and_kept(section, sections, "none", seed, json)

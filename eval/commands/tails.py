"""`tastebud eval longtail`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.terminal import one_line_errors
from eval.commands.shared import JsonOption, WorkspaceOption, say, told_and_kept

if TYPE_CHECKING:
    from eval.benchmarks.tables import Section


class People(StrEnum):
    """Whose likes are ranked for: those kept for the figures, or as many others, to choose settings on."""

    held_out = "held-out"
    training = "training"


def longtail(
    workspace: WorkspaceOption = None,
    people: Annotated[People, typer.Option(help="Choose settings on training users only.")] = People.held_out,
    given: Annotated[int, typer.Option(min=1, help="How many liked items are given.")] = 10,
    draws: Annotated[int, typer.Option(min=1, help="How often they are drawn of each user's likes.")] = 4,
    plot: Annotated[Path | None, typer.Option(help="Draw the slider's cost into this SVG file.")] = None,
    seed: Annotated[int, typer.Option(help="Decides what is given.")] = 0,
    json: JsonOption = None,
) -> None:
    """What the slider from well-known items to hidden gems costs and gives, beside other controls."""
    from eval.benchmarks.longtail import Protocol, draw_slider, measure
    from retrieval.workspace import Workspace, open_starter

    with one_line_errors():
        opened = open_starter() if workspace is None else Workspace.open(workspace)
        protocol = Protocol(people is People.training, given, draws, seed)
        sections: list[Section] = []
        for section in measure(opened, protocol, say):
            told_and_kept(section, sections, "none", seed, json)
        if plot is not None:
            draw_slider(sections, plot)

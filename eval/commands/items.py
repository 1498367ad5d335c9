"""`tastebud eval cold` and `tastebud eval scale`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.terminal import one_line_errors
from eval.commands.shared import JsonOption, WorkspaceOption, say, told_and_kept


def cold(
    workspace: WorkspaceOption = None,
    seed: Annotated[int, typer.Option(help="Decides which items lose their ratings.")] = 0,
    json: JsonOption = None,
) -> None:
    """Take the ratings of a fifth of the items away: who still gets them, at what cost to the others?"""
    from eval.benchmarks.cold_start import measure_cold_start
    from eval.benchmarks.tables import Section
    from retrieval.errors import WorkspaceError
    from retrieval.expected import Near
    from retrieval.workspace import Workspace, open_starter

    with one_line_errors():
        opened = open_starter() if workspace is None else Workspace.open(workspace)
        if opened.interactions is None:
            raise WorkspaceError(f"{opened.folder} has no interactions: build it with --interactions.")
        near = Near(opened.dense.vectors, opened.knowledge.matrix)
        rows = measure_cold_start(opened.catalogue, opened.interactions, near, seed, say)
        told_and_kept(Section("Items without any rating", rows), [], "none", seed, json)


def scale(
    sizes: Annotated[
        list[int] | None,
        typer.Option("--size", min=100, help="Repeat for several; 3,000 to 100,000 if left out."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the costs into this SVG file.")] = None,
    json: JsonOption = None,
) -> None:
    """Build and ask synthetic catalogues: time, memory and disk by size, extrapolated to a million items."""
    from eval.benchmarks.scale import measure_scale
    from eval.benchmarks.tables import Section
    from eval.scaling_plot import draw

    with one_line_errors():
        rows, sources = measure_scale(sizes or (3_000, 10_000, 30_000, 100_000), say)
        sections: list[Section] = []
        for section in (Section("Costs by catalogue size", rows), Section("Sources", sources)):
            told_and_kept(section, sections, "none", 0, json)
        if plot is not None:
            draw(rows, plot)

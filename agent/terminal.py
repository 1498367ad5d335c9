"""How commands end when something a user can cause goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from retrieval.errors import TastebudError


@contextmanager
def one_line_errors() -> Iterator[None]:
    """What a user can cause ends the command with one line and exit code 2; Ctrl-C ends it quietly (130)."""
    try:
        yield
    except TastebudError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None

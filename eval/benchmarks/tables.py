"""Rows of figures (frozen dataclasses) as tables for people, and as plain data for machines."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from eval.machine import machine


@dataclass(frozen=True, slots=True)
class Section:
    """One table: a frozen dataclass for each of its rows."""

    title: str
    rows: tuple[Any, ...]


def as_table(section: Section) -> Table:
    """A section for the terminal: a column per field, a line per row. Nested ones are left out."""
    table = Table(title=escape(section.title), title_justify="left", box=box.SIMPLE, pad_edge=False)
    names = [f.name for f in fields(section.rows[0]) if not _nested(section.rows, f.name)]
    for name in names:
        words = isinstance(getattr(section.rows[0], name), str)
        table.add_column(name.replace("_", " "), justify="left" if words else "right")
    for row in section.rows:
        table.add_row(*(escape(shown(getattr(row, name))) for name in names))
    return table


def _nested(rows: Iterable[Any], name: str) -> bool:
    return any(isinstance(getattr(row, name), tuple | list | dict) for row in rows)


def shown(value: Any) -> str:
    """One cell: three figures of a number, an interval in brackets, "-" for None."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def to_json(sections: Iterable[Section], adapter: str, seed: int) -> dict[str, Any]:
    """The tables as plain data, with the machine they are from; what is undefined is null."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "adapter": adapter,
        "seed": seed,
        "machine": asdict(machine()),
        "tables": [
            {"title": one.title, "rows": [plain(asdict(row)) for row in one.rows]} for one in sections
        ],
    }


def plain(value: Any) -> Any:
    """Lists and dicts of plain data, with null for nan, as JSON has no such number."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value

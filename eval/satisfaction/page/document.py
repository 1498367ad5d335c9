"""The report as data: chapters of words, tables and charts, before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal

from eval.benchmarks.tables import Section, plain, shown
from eval.machine import machine
from eval.metrics import Estimate
from eval.satisfaction.page.charts import Chart

Verdict = Literal["good", "weak", "note"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the summary: what it is good at, what not, or what to keep in mind."""

    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure to see first. `beside`: what to read it against."""

    value: str
    label: str
    beside: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """`words`: paragraphs. `notes`: how the figures are made, with sources. `missing`: why there are none.

    `timed`: its figures are times, which no seed repeats.
    """

    key: str
    title: str
    words: tuple[str, ...] = ()
    tables: tuple[Section, ...] = ()
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    tile: Tile | None = None
    missing: str = ""
    timed: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report. `subject`: what was measured, in a line."""

    subject: str
    chapters: tuple[Chapter, ...]
    settings: Mapping[str, Any]

    def claims(self, verdict: Verdict) -> tuple[Claim, ...]:
        """All sentences of the summary of one kind, in the order of the chapters."""
        return tuple(one for chapter in self.chapters for one in chapter.claims if one.verdict == verdict)


_NAMES = {"ndcg": "NDCG", "mrr": "MRR", "tastebud": "Tastebud", "simpson": "Simpson", "gini": "Gini"}
_JOINED = {
    "co_occurrence": "co-occurrence",
    "tastebud_rated_items": "Tastebud, rated items",
    "ease_alone": "EASE alone",
    "intra_list_distance": "intra-list distance",
    "distinct_2": "distinct-2",
    "median_ms": "median, ms",
    "worst_tenth_ms": "worst tenth, ms",
}
UNKNOWN = "–"


def heading(name: str) -> str:
    """A field as the head of its column: `ndcg_at_10` -> `NDCG@10`."""
    if name in _JOINED:
        return _JOINED[name]
    parts = [part.split("@") for part in name.replace("_at_", "@").split("_")]
    return " ".join("@".join((_NAMES.get(first, first), *rest)) for first, *rest in parts)


def columns(section: Section) -> tuple[str, ...]:
    """The fields of a table's rows."""
    return tuple(field.name for field in fields(section.rows[0])) if section.rows else ()


def cells(section: Section, name: str) -> tuple[tuple[str, str], ...]:
    """(what it shows, its interval or "") for every cell of a column, all with as many decimals."""
    values = [getattr(row, name) for row in section.rows]
    sizes = [abs(one.value if isinstance(one, Estimate) else one) for one in values if _is_real(one)]
    most = max((size for size in sizes if not math.isnan(size)), default=0.0)
    return tuple(cell(value, 3 if most < 10 else 1 if most < 1000 else 0) for value in values)


def cell(value: Any, decimals: int = 3) -> tuple[str, str]:
    """(what a cell shows, its interval or ""). What is undefined is a dash."""
    if isinstance(value, Estimate):
        if math.isnan(value.value):
            return UNKNOWN, ""
        low, high = (_figure(end, decimals) for end in (value.low, value.high))
        return _figure(value.value, decimals), f"{low} to {high}"
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return UNKNOWN, ""
    return (_figure(value, decimals) if isinstance(value, float) else shown(value)), ""


def _is_real(value: Any) -> bool:
    return isinstance(value, float | Estimate)


def _figure(value: float, decimals: int) -> str:
    """With a true minus sign, and never a minus before nothing."""
    written = f"{value:,.{decimals}f}"
    return written.replace("-", "−") if float(written.replace(",", "")) else written.lstrip("-")


def is_number(value: Any) -> bool:
    """Whether a cell stands to the right."""
    return value is None or isinstance(value, int | float | Estimate)


def to_json(document: Document) -> dict[str, Any]:
    """The report as plain data. `chapters` that are not `timed` depend on nothing but the settings."""
    return {
        "command": "all",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "subject": document.subject,
        "settings": dict(document.settings),
        "machine": asdict(machine()),
        "chapters": [plain(asdict(chapter)) for chapter in document.chapters],
    }

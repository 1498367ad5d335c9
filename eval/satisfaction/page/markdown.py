"""The report as Markdown: the same words and figures, without the drawings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from eval.benchmarks.tables import Section
from eval.satisfaction.page.document import Chapter, Document, Verdict, cells, columns, heading, is_number

HEADS: Mapping[Verdict, str] = {"good": "Good at", "weak": "Not good at", "note": "To keep in mind"}


def markdown(document: Document) -> str:
    """The whole page."""
    return "\n".join(_lines(document)).rstrip() + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield from ("# How good is this recommender, and for whom?", "", document.subject, "")
    tiles = [chapter.tile for chapter in document.chapters if chapter.tile is not None]
    if tiles:
        yield from ("| | | beside it |", "|--:|---|---|")
        yield from (f"| **{tile.value}** | {tile.label} | {tile.beside} |" for tile in tiles)
        yield ""
    for verdict, head in HEADS.items():
        claims = document.claims(verdict)
        if claims:
            yield from (f"## {head}", "", *(f"- {claim.text}" for claim in claims), "")
    for chapter in document.chapters:
        yield from _chapter(chapter)


def _chapter(chapter: Chapter) -> Iterator[str]:
    yield from (f"## {chapter.title}", "")
    if chapter.missing:
        yield from (f"*Not measured.* {chapter.missing}", "")
    for paragraph in chapter.words:
        yield from (paragraph, "")
    for table in chapter.tables:
        yield from _table(table)
    for note in chapter.notes:
        yield f"- {note}"
    yield ""


def _table(section: Section) -> Iterator[str]:
    names = columns(section)
    if not names:
        return
    first = section.rows[0]
    yield from (f"**{section.title}**", "")
    yield "| " + " | ".join(heading(name) for name in names) + " |"
    yield "|" + "|".join("--:" if is_number(getattr(first, name)) else "---" for name in names) + "|"
    for row in zip(*(cells(section, name) for name in names), strict=True):
        yield "| " + " | ".join(_cell(*one) for one in row) + " |"
    yield ""


def _cell(value: str, interval: str) -> str:
    text = value.replace("|", "\\|")
    return f"{text} [{interval.replace(' to ', ', ')}]" if interval else text

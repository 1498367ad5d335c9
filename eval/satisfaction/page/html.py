"""The report as one HTML page: style and drawings inside, nothing fetched, light or dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from eval.benchmarks.tables import Section
from eval.satisfaction.page.document import Chapter, Document, cells, columns, heading, is_number
from eval.satisfaction.page.drawing import draw
from eval.satisfaction.page.markdown import HEADS

_CODE = re.compile(r"`([^`]+)`")
TITLE = "How good is this recommender, and for whom?"


def page(document: Document) -> str:
    """The whole page."""
    style = Path(__file__).with_name("page.css").read_text("utf-8")
    body = "\n".join(_body(document))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{TITLE}</title>\n<style>\n{style}</style></head>\n<body><main>\n{body}\n</main></body></html>\n"
    )


def _body(document: Document) -> Iterator[str]:
    yield f'<header><h1>{TITLE}</h1><p class="subject">{escape(document.subject)}</p></header>'
    tiles = [chapter.tile for chapter in document.chapters if chapter.tile is not None]
    if tiles:
        yield '<div class="tiles">'
        for tile in tiles:
            yield (
                f'<div class="tile"><b>{escape(tile.value)}</b><span>{escape(tile.label)}</span>'
                f"<small>{escape(tile.beside)}</small></div>"
            )
        yield "</div>"
    yield '<div class="claims">'
    for verdict, head in HEADS.items():
        claims = document.claims(verdict)
        if claims:
            items = "".join(f"<li>{escape(claim.text)}</li>" for claim in claims)
            yield f'<section class="{verdict}"><h2>{head}</h2><ul>{items}</ul></section>'
    yield "</div>"
    links = "".join(f'<a href="#{c.key}">{escape(c.title)}</a>' for c in document.chapters)
    yield f"<nav>{links}</nav>"
    for chapter in document.chapters:
        yield from _chapter(chapter)


def _chapter(chapter: Chapter) -> Iterator[str]:
    yield f'<section class="chapter" id="{chapter.key}"><h2>{escape(chapter.title)}</h2>'
    if chapter.missing:
        yield f'<p class="missing"><b>Not measured.</b> {_written(chapter.missing)}</p>'
    yield '<div class="intro"><div>'
    yield from (f"<p>{_written(paragraph)}</p>" for paragraph in chapter.words)
    if chapter.notes:
        notes = "".join(f"<li>{escape(note)}</li>" for note in chapter.notes)
        yield f"<details><summary>How these figures are made</summary><ul>{notes}</ul></details>"
    yield "</div>"
    yield from (f"<figure>{draw(chart)}</figure>" for chart in chapter.charts)
    yield "</div>"
    for table in chapter.tables:
        yield from _table(table)
    yield "</section>"


def _written(text: str) -> str:
    """Escaped, with `commands` as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _table(section: Section) -> Iterator[str]:
    names = columns(section)
    if not names:
        return
    kinds = {name: "num" if is_number(getattr(section.rows[0], name)) else "word" for name in names}
    kinds[names[0]] = "word"  # what a row is about stands to the left, also where it is a number
    heads = "".join(f'<th class="{kinds[name]}">{escape(heading(name))}</th>' for name in names)
    yield f'<div class="wide"><table><caption>{escape(section.title)}</caption>'
    yield f"<thead><tr>{heads}</tr></thead><tbody>"
    for row in zip(*(cells(section, name) for name in names), strict=True):
        yield (
            "<tr>"
            + "".join(_cell(kind, *one) for kind, one in zip(kinds.values(), row, strict=True))
            + "</tr>"
        )
    yield "</tbody></table></div>"


def _cell(kind: str, value: str, interval: str) -> str:
    beside = f"<small>{escape(interval)}</small>" if interval else ""
    return f'<td class="{kind}">{escape(value)}{beside}</td>'

"""One row of a catalogue file into one Item, or a CellError that says why not."""

from __future__ import annotations

import re

from retrieval import cells
from retrieval.columns import Columns
from retrieval.readers import Row
from retrieval.titles import parse_title
from retrieval.types import Item

ID_LENGTH = 200
_TITLE_LENGTH, _DESCRIPTION_LENGTH, _ATTRIBUTE_LENGTH, _LINK_LENGTH = 300, 4000, 1000, 2000
_LOWER_CASE = ("genres", "themes", "moods", "countries", "content_notes")
_AS_SPELLED = ("directors", "cast")
# A link is shown as one: nothing but the web or a plain path may become clickable.
_OTHER_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def parse_item(row: Row, columns: Columns) -> tuple[Item, str]:
    """The item in a row, and its title with parentheses kept. Raises CellError."""
    if row.problem:
        raise cells.CellError(row.problem, row.value)
    cell = {field: row.cells[column] for field, column in columns.fields.items()}
    item_id, written = _id_and_title(cell)
    title = parse_title(written, cells.year(cell.get("year")))
    lists = {name: cells.values(cell.get(name), lower=True) for name in _LOWER_CASE}
    lists |= {name: cells.values(cell.get(name), lower=False) for name in _AS_SPELLED}
    aliases = (*title.aliases, *cells.values(cell.get("aliases"), lower=False))
    links = {name: cells.text(cell.get(name), _LINK_LENGTH) for name in ("image", "url")}
    unsafe = {name: link for name, link in links.items() if _OTHER_SCHEME.match(link)}
    rest = {name: cells.text(row.cells[name], _ATTRIBUTE_LENGTH) for name in columns.rest} | unsafe
    item = Item(
        item_id=item_id,
        title=title.text,
        year=title.year,
        **lists,
        language=next(iter(cells.values(cell.get("language"), lower=True)), None),
        minutes=cells.minutes(cell.get("minutes")),
        audience=next(iter(cells.values(cell.get("audience"), lower=True)), None),
        description=cells.text(cell.get("description"), _DESCRIPTION_LENGTH),
        aliases=tuple(dict.fromkeys(alias for alias in aliases if alias != title.text)),
        image=None if "image" in unsafe else links["image"] or None,
        url=None if "url" in unsafe else links["url"] or None,
        popularity=_popularity(cell.get("popularity")),
        attributes=tuple((name, value) for name, value in rest.items() if value),
    )
    return item, title.full


def _id_and_title(cell: dict[str, object]) -> tuple[str, str]:
    item_id = cells.text(cell.get("item_id"), ID_LENGTH + 1)
    title = cells.text(cell.get("title"), _TITLE_LENGTH)
    if not item_id:
        raise cells.CellError("missing item_id", title)
    if len(item_id) > ID_LENGTH:
        raise cells.CellError(f"item_id longer than {ID_LENGTH} characters", item_id)
    if not title:
        raise cells.CellError("missing title", item_id)
    return item_id, title


def _popularity(cell: object) -> float:
    popularity = cells.number(cell, "popularity") or 0.0
    if popularity < 0:
        raise cells.CellError("negative popularity", popularity)
    return popularity

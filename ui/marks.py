"""The smallest pieces of the page: escaped words, titles in italics, buttons and icons."""

from __future__ import annotations

import re
import unicodedata
from html import escape

_TITLE = re.compile(r"(?<![\w*])\*(?=[^\s*])([^\n]*?[^\s])\*(?![\w*])")
_OPEN_TITLE = re.compile(r"(?<![\w*])\*(?=[^\s*])([^\n]*)$")
_PATHS = {
    "like": "M10 16.6S3 12.7 3 7.9C3 5.7 4.7 4 6.7 4 8.1 4 9.3 4.8 10 6c.7-1.2 1.9-2 3.3-2 2 0 3.7 "
    "1.7 3.7 3.9 0 4.8-7 8.7-7 8.7z",
    "dislike": "M4.5 10a5.5 5.5 0 1 0 11 0 5.5 5.5 0 1 0-11 0zM6.2 6.2l7.6 7.6",
    "seen": "M2.5 10S5.2 5 10 5s7.5 5 7.5 5-2.7 5-7.5 5-7.5-5-7.5-5z"
    "M10 7.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4z",
    "cross": "M6 6l8 8M14 6l-8 8",
    "plus": "M10 4.5v11M4.5 10h11",
    "list": "M3.5 5.5h13M3.5 10h13M3.5 14.5h8",
    "theme": "M10 3.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM10 3.5v13M10 6.5l4.8-.9M10 10h6.5M10 13.5l4.8.9",
    "bud": "M10 17.5c-4.2 0-6.5-2.9-6.5-6.7C3.5 6.5 6.3 3.3 10 2.5c3.7.8 6.5 4 6.5 8.3 0 3.8-2.3 6.7-6.5 6.7z"
    "M10 2.5c-2 2.4-2.9 4.9-2.9 7.6 0 3 1 5.4 2.9 7.4M10 2.5c2 2.4 2.9 4.9 2.9 7.6 0 3-1 5.4-2.9 7.4",
}


def icon(name: str) -> str:
    """A line icon in the colour of the text around it, hidden from screen readers."""
    return f'<svg class="tb-svg" viewBox="0 0 20 20" aria-hidden="true"><path d="{_PATHS[name]}"/></svg>'


def one_line(text: str, length: int) -> str:
    """Escaped text on one line, of at most `length` characters."""
    text = " ".join(plain(text).split())
    return escape(text if len(text) <= length else text[: length - 1].rstrip() + "…")


def plain(text: str) -> str:
    """Text without control characters and lone surrogates, which neither JSON nor a page can carry."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def quoted(text: str) -> str:
    """Escaped text for an attribute, on one line without losing its line breaks."""
    return escape(plain(text)).replace("\n", "&#10;")


def words(text: str) -> str:
    """Escaped text; line breaks become `<br>`."""
    return escape(plain(text).strip()).replace("\n", "<br>")


def prose(text: str, unfinished: bool = False) -> str:
    """Escaped text of a reply, with `*Title*` in italics and no other markup.

    `unfinished` is for text that is still streaming: a title whose closing asterisk has not come yet
    is already set in italics, so that nothing flips when it arrives.
    """
    marked = _TITLE.sub(r"<em>\1</em>", escape(plain(text).strip()))
    if unfinished:
        marked = _OPEN_TITLE.sub(r"<em>\1</em>", marked).removesuffix("*")
    return marked.replace("\n", "<br>")


def split_titles(text: str) -> list[tuple[str, bool]]:
    """A reply cut into pieces, each with whether it is a title (without its asterisks), for a terminal."""
    pieces, end = [], 0
    for found in _TITLE.finditer(text := plain(text)):
        pieces += [(text[end : found.start()], False), (found[1], True)]
        end = found.end()
    return [*pieces, (text[end:], False)]


def button(
    act: str,
    inner: str,
    css: str,
    *,
    label: str | None = None,
    pressed: bool | None = None,
    expanded: bool | None = None,
    current: bool = False,
    **data: str,
) -> str:
    """A real button that `page.js` reports as `act` with its data; `data-key` lets focus survive."""
    pairs = {"act": act, **data, "key": " ".join([act, *data.values()])}
    attributes = [f'data-{name}="{quoted(value)}"' for name, value in pairs.items()]
    if label is not None:
        attributes += [f'aria-label="{quoted(label)}"', f'title="{quoted(label)}"']
    for name, value in (("pressed", pressed), ("expanded", expanded)):
        if value is not None:
            attributes.append(f'aria-{name}="{str(value).lower()}"')
    if current:
        attributes.append('aria-current="true"')
    return f'<button type="button" class="{css}" {" ".join(attributes)}>{inner}</button>'

"""A drawn cover for an item without an image: title and year on a small geometric poster.

The palette comes from the genres and the composition from a digest of the item, so an item always
looks the same, and two items of one genre look related without being twins.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from retrieval.types import Item
from ui.palettes import Palette, palette_of

WIDTH, HEIGHT, MARGIN = 400, 500, 34
_TITLE_BOX = (WIDTH - 2 * MARGIN, 216)
_SIZES = (58, 50, 43, 37, 32, 27, 23, 20)
_BREAK_FROM = 27
_LEADING = 1.08
_FONT = "ui-serif, 'Iowan Old Style', Palatino, 'Palatino Linotype', Georgia, 'Noto Serif', serif"
_IMAGE_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
}
_MAX_IMAGE_BYTES = 2_000_000
_DATA_IMAGE = re.compile(r"data:(image/(?:png|jpeg|webp|gif|avif));base64,([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True)
class Cover:
    """An image file: its bytes and its media type."""

    content: bytes
    media_type: str


def cover_of(item: Item, folder: Path | None = None) -> Cover:
    """The image of an item, without ever asking another machine for it.

    The item's own image is used when it is a base64 `data:` image or a file inside `folder` (the
    workspace) of at most 2 MB; anything else, a remote URL included, gives the drawn cover.
    """
    own = _own_image(item.image, folder) if item.image else None
    return own or Cover(
        cover_svg(item.title, item.year, item.genres, seed=item.item_id).encode(), "image/svg+xml"
    )


def cover_svg(title: str, year: int | None = None, genres: tuple[str, ...] = (), seed: str = "") -> str:
    """A 400 x 500 poster as well-formed SVG, for any text in any script. `seed` varies the drawing."""
    digest = hashlib.sha256(f"{seed}\0{title}\0{year}".encode(errors="replace")).digest()
    palette = palette_of(genres, digest)
    composition = _COMPOSITIONS[digest[0] % len(_COMPOSITIONS)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{palette.ground}"/>'
        f"{composition(palette, digest)}{_title(title, palette)}{_foot(year, genres, palette)}</svg>"
    )


def fit_title(title: str) -> tuple[int, tuple[str, ...]]:
    """Font size (px) and lines with which a title fills its box; the last line may end in an ellipsis."""
    words = _clean(title).split() or ["Untitled"]
    width, height = _TITLE_BOX
    for size in _SIZES:
        lines = _wrap(_break_long(words, width / size) if size <= _BREAK_FROM else words, width / size)
        if len(lines) * size * _LEADING <= height and all(_ems(line) * size <= width for line in lines):
            return size, tuple(lines)
    room = int(height / (size * _LEADING))
    if len(lines) > room:
        lines = [*lines[: room - 1], _shorten(lines[room - 1], width / size)]
    return size, tuple(lines)


def _own_image(image: str, folder: Path | None) -> Cover | None:
    found = _DATA_IMAGE.fullmatch(image)
    if found:
        try:
            return Cover(base64.b64decode(found[2], validate=True), found[1])
        except ValueError:
            return None
    if folder is None or ":" in image or "\0" in image:
        return None
    path, root = (folder / image).resolve(), folder.resolve()
    kind = _IMAGE_TYPES.get(path.suffix.casefold())
    if kind is None or not path.is_relative_to(root) or not path.is_file():
        return None
    return Cover(path.read_bytes(), kind) if path.stat().st_size <= _MAX_IMAGE_BYTES else None


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 forbids (controls, surrogates, non-characters)."""
    return "".join(
        c if unicodedata.category(c) not in ("Cc", "Cs") and c not in "\ufffe\uffff" else " " for c in text
    )


def _ems(text: str) -> float:
    """Estimated width of a text in ems: ideographs are square, narrow letters narrow."""
    return sum(_em(character) for character in text)


def _em(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if character in "iljtfrI.,:;'!|()[] -":
        return 0.34
    if character in "mwMW@%&":
        return 0.86
    return 0.68 if character.isupper() else 0.54


def _wrap(words: list[str], width: float) -> list[str]:
    lines = [words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        if _ems(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _break_long(words: list[str], width: float) -> list[str]:
    pieces: list[str] = []
    for word in words:
        piece = ""
        for character in word:
            if piece and _ems(piece + character) > width:
                pieces.append(piece)
                piece = ""
            piece += character
        pieces.append(piece)
    return pieces


def _shorten(line: str, width: float) -> str:
    while line and _ems(line) + 1.0 > width:
        line = line[:-1]
    return line.rstrip() + "…"


def _title(title: str, palette: Palette) -> str:
    size, lines = fit_title(title)
    right_to_left = _right_to_left(title)
    x = WIDTH - MARGIN if right_to_left else MARGIN
    direction = ' direction="rtl"' if right_to_left else ""
    top = HEIGHT - MARGIN - 40 - (len(lines) - 1) * size * _LEADING
    spans = "".join(
        f'<text x="{x}" y="{top + i * size * _LEADING:.1f}"{direction}>{escape(line)}</text>'
        for i, line in enumerate(lines)
    )
    return (
        f'<g fill="{palette.ink}" font-family="{escape(_FONT)}" font-size="{size}" '
        f'font-weight="600" letter-spacing="-0.5">{spans}</g>'
    )


def _right_to_left(text: str) -> bool:
    strong = (unicodedata.bidirectional(c) for c in text)
    return next((kind in ("R", "AL") for kind in strong if kind in ("L", "R", "AL")), False)


def _foot(year: int | None, genres: tuple[str, ...], palette: Palette) -> str:
    words = [str(year)] if year is not None else []
    words += [_clean(genre)[:24] for genre in genres[:2]]
    text = escape("  ·  ".join(words))
    return (
        f'<text x="{MARGIN}" y="{HEIGHT - MARGIN + 4}" fill="{palette.ink}" opacity="0.78" '
        f'font-family="ui-sans-serif, system-ui, sans-serif" font-size="17" '
        f'letter-spacing="0.6">{text}</text>'
    )


def _sun(p: Palette, d: bytes) -> str:
    x, y, r = 120 + d[2] % 160, 110 + d[3] % 60, 62 + d[4] % 34
    return (
        f'<rect y="{y + 44}" width="{WIDTH}" height="{HEIGHT}" fill="{p.shape}"/>'
        f'<circle cx="{x}" cy="{y}" r="{r}" fill="{p.accent}"/>'
        f'<rect y="{y + 44}" width="{WIDTH}" height="{r}" fill="{p.shape}" opacity="0.86"/>'
        f'<rect y="252" width="{WIDTH}" height="248" fill="{p.ground}"/>'
    )


def _rings(p: Palette, d: bytes) -> str:
    x, y = 60 + d[2] % 280, 60 + d[3] % 110
    rings = "".join(
        f'<circle cx="{x}" cy="{y}" r="{r}" fill="none" stroke="{p.shape}" stroke-width="15"/>'
        for r in range(58, 300, 32)
    )
    return rings + f'<circle cx="{x}" cy="{y}" r="34" fill="{p.accent}"/>' + _veil(p)


def _bars(p: Palette, d: bytes) -> str:
    bars = []
    for i in range(7):
        height = 60 + d[2 + i] % 170
        fill = p.accent if i == d[10] % 7 else p.shape
        bars.append(f'<rect x="{MARGIN + i * 48}" y="0" width="36" height="{height}" fill="{fill}"/>')
    return "".join(bars)


def _road(p: Palette, d: bytes) -> str:
    x = 90 + d[2] % 220
    return (
        f'<path d="M{x} 40 L{WIDTH + 60} 500 L-60 500 Z" fill="{p.shape}"/>'
        f'<path d="M{x} 40 L{x + 46} 500 L{x - 46} 500 Z" fill="{p.accent}" opacity="0.9"/>' + _veil(p)
    )


def _arches(p: Palette, d: bytes) -> str:
    shift = d[2] % 80 - 40
    arches = []
    for i, radius in enumerate((168, 126, 84, 42)):
        fill = p.accent if i == 3 - d[3] % 3 else (p.shape if i % 2 == 0 else p.ground)
        arches.append(
            f'<path d="M{200 + shift - radius} 232 a{radius} {radius} 0 0 1 {2 * radius} 0 Z" fill="{fill}"/>'
        )
    return "".join(arches)


def _moons(p: Palette, d: bytes) -> str:
    x, y = 130 + d[2] % 60, 120 + d[3] % 30
    gap = 54 + d[4] % 44
    return (
        f'<circle cx="{x}" cy="{y}" r="92" fill="{p.shape}"/>'
        f'<circle cx="{x + gap}" cy="{y}" r="92" fill="{p.accent}" opacity="0.92"/>'
        f'<circle cx="{x + gap + 26}" cy="{y - 8}" r="82" fill="{p.ground}"/>'
    )


def _tiles(p: Palette, d: bytes) -> str:
    tiles = []
    for i in range(15):
        x, y, turn = (i % 5) * 80, (i // 5) * 80, (d[2 + i] % 4) * 90
        fill = p.accent if d[2 + i] % 7 == 0 else p.shape
        tiles.append(
            f'<path d="M0 0 h80 a80 80 0 0 1 -80 80 Z" fill="{fill}" '
            f'transform="translate({x} {y}) rotate({turn} 40 40)"/>'
        )
    return "".join(tiles)


def _veil(p: Palette) -> str:
    """The ground again under the title, so that the text always has its contrast."""
    return f'<rect y="236" width="{WIDTH}" height="264" fill="{p.ground}" opacity="0.9"/>'


_COMPOSITIONS: tuple[Callable[[Palette, bytes], str], ...] = (
    _sun,
    _rings,
    _bars,
    _road,
    _arches,
    _moons,
    _tiles,
)

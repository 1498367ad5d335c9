"""What the hand-written SVG pictures have in common: the frame, its type, a line of text, the file."""

from __future__ import annotations

from html import escape
from pathlib import Path

from eval.report import ReportError

_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:16px}"
    ".small{font-size:12px;fill:#57606a}.end{text-anchor:end}.mid{text-anchor:middle}.head{font-weight:600}"
)


def framed(width: int, height: int, title: str, body: str) -> str:
    """A whole SVG picture on white; sizes in pixels, `title` for those who cannot see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(title)}"><style>{_STYLE}</style>'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{body}</svg>\n'
    )


def text(x: float, y: float, words: str, kind: str) -> str:
    """Words at a place. `kind`: title, head, small, end (right-aligned) or mid, or several of them."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(words)}</text>'


def write(picture: str, path: Path) -> None:
    """Write a picture to `path`. Raises ReportError when it cannot be written."""
    try:
        path.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise ReportError(
            f"Cannot write {str(path)!r} ({error.strerror}): give --plot a writable file."
        ) from None

"""The last check before a reply is stored: it says what its parts say, in one of their wordings."""

from __future__ import annotations

from collections.abc import Sequence


def problems(text: str, parts: Sequence[Sequence[str]]) -> str | None:
    """What is wrong with `text` as a wording of `parts`; None when it is one.

    Parts are filled from the catalogue and the state, so a text made of them can name no other item
    and claim nothing else. Compared without regard to white space.
    """
    rest = " ".join(text.split())
    for wordings in parts:
        match = next((w for w in _longest_first(wordings) if rest.startswith(w)), None)
        if match is None:
            return f"{rest[:60]!r} is no wording of {wordings[0][:40]!r}"
        rest = rest[len(match) :].lstrip()
    return f"{rest[:60]!r} is more than was to be said" if rest else None


def _longest_first(wordings: Sequence[str]) -> list[str]:
    return sorted((" ".join(wording.split()) for wording in wordings), key=len, reverse=True)

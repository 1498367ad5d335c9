"""A model's JSON -> Frame: places resolved to what they point at, parts of the wrong shape left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from agent.reading.scene import Scene
from agent.reading.slots import language_names
from agent.reading.years import read_years
from agent.types import ACTS, Frame
from retrieval.types import Years

AUDIENCES = ("family", "teen", "adult")
_PLACE = re.compile(r"#([1-9])")
_LONGEST_FILM = 600


def frame_of(proposed: dict[str, Any], scene: Scene, latest: int | None) -> Frame:
    """The frame that a model's JSON means in `scene`. `latest`: newest year there is, for "recent"."""
    act = proposed.get("act")
    language = proposed.get("language")
    minutes = proposed.get("max_minutes")
    audience = proposed.get("audience")
    return Frame(
        act=act if act in ACTS else "inform",
        like=_names(proposed, "like", scene.shown),
        dislike=_names(proposed, "dislike", scene.shown),
        seen=_names(proposed, "seen", scene.shown),
        want=_names(proposed, "want", scene.options),
        avoid=_names(proposed, "avoid", scene.options),
        people=_names(proposed, "people", ()),
        years=_years(proposed.get("years"), latest),
        language=language if language in language_names() else None,
        max_minutes=minutes if isinstance(minutes, int) and 0 < minutes <= _LONGEST_FILM else None,
        audience=audience if audience in AUDIENCES else None,
        about=tuple(
            name.removeprefix("#") if _PLACE.fullmatch(name) else name
            for name in _texts(proposed, "about")
            if not _PLACE.fullmatch(name) or int(name[1]) <= len(scene.shown)
        ),
        drop=_names(proposed, "drop", scene.options),
    )


def _texts(proposed: dict[str, Any], key: str) -> list[str]:
    values = proposed.get(key)
    return [v.strip() for v in values if isinstance(v, str) and v.strip()] if isinstance(values, list) else []


def _names(proposed: dict[str, Any], key: str, places: Sequence[str]) -> tuple[str, ...]:
    """The values of a list, "#2" replaced by the second of `places`; a place that is none is left out."""
    names = []
    for text in _texts(proposed, key):
        place = _PLACE.fullmatch(text)
        if place is None:
            names.append(text)
        elif int(place[1]) <= len(places):
            names.append(places[int(place[1]) - 1])
    return tuple(dict.fromkeys(names))


def _years(given: Any, latest: int | None) -> Years | None:
    if given in ("recent", "classic"):
        return read_years(f"{given} films", latest)
    if isinstance(given, list) and len(given) == 2 and all(y is None or isinstance(y, int) for y in given):
        low, high = given
        if given != [None, None] and (low is None or high is None or low <= high):
            return (low, high)
    return None

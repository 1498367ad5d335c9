"""Single cells: untidy text, numbers, years, running times and lists into clean values, or a CellError."""

from __future__ import annotations

import ast
import datetime as dt
import json
import math
import re
import unicodedata
from collections.abc import Iterable

FIRST_YEAR, LAST_YEAR = 1, 2100
LONGEST_MINUTES = 100_000
LARGEST = 1e38
"""Numbers end up as float32: what that cannot hold counts as infinite."""
_MOST_VALUES = 100
_VALUE_LENGTH = 120

_SPACE = re.compile(r"\s+")
# Control characters, byte-order marks, marks that reorder text on screen, lone surrogates.
# Joiners stay: emoji need them.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?\d{1,9}(\.0*)?")
_YEAR_INSIDE = re.compile(r"(?<!\d)\d{4}(?!\d)")
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")
_HOURS_MINUTES = re.compile(r"(?:pt)?\s*(?:(\d+)\s*h[a-z]*\.?)?\s*(?:(\d+)\s*(?:m[a-z]*\.?)?)?")
_NOT_FINITE = {"nan", "inf", "infinity"}
_NO_VALUE = {"unknown", "n/a", "none", "null", "nan", "(no genres listed)"}


class CellError(ValueError):
    """A cell that makes its row unusable: why, and what it held."""

    def __init__(self, reason: str, value: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = value


def text(value: object, limit: int) -> str:
    """One line of clean Unicode (NFC), at most `limit` characters; "" when the cell holds nothing."""
    if not isinstance(value, str):
        value = _as_text(value)
    value = value[: limit * 4]
    if not (value.isascii() and value.isprintable()):
        value = unicodedata.normalize("NFC", _CONTROL.sub("", _SPACE.sub(" ", value)))
    value = " ".join(value.split())[:limit].rstrip()
    return "" if value == r"\N" else value


def _as_text(value: object) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, tuple):
        return " ".join(value)
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def number(value: object, name: str) -> float | None:
    """A finite number, or None for an empty cell. Raises CellError for NaN, infinity and other text."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        written = text(value, 64)
        if not written:
            return None
        value = written.replace(",", "") if _THOUSANDS.fullmatch(written) else written
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise CellError(f"{name} is not a number", value) from None
    if not abs(found) <= LARGEST:
        raise CellError(f"{name} is not a finite number", value)
    return found


def year(value: object) -> int | None:
    """The year of a number, a date or a text with a four-digit year; None when the cell names none.

    Words without a digit ("unknown", "TBA") mean not known. Raises CellError for anything else, and for
    a year outside 1..2100.
    """
    if isinstance(value, dt.date):
        return value.year
    if isinstance(value, float) and not math.isfinite(value):
        raise CellError("year is not a finite number", value)
    written = text(value, 64)
    if not any(character.isdigit() for character in written):
        _refuse_not_finite(written, "year")
        return None
    if _INTEGER.fullmatch(written):
        found = int(float(written))
    elif match := _YEAR_INSIDE.search(written):
        found = int(match[0])
    else:
        raise CellError("year is not a year", value)
    if not FIRST_YEAR <= found <= LAST_YEAR:
        raise CellError("impossible year", value)
    return found


def minutes(value: object) -> int | None:
    """Minutes out of `118`, `118 min`, `1h 58m` or `PT1H58M`; None when empty, without a digit, or 0.

    Raises CellError when it is negative, not finite, longer than 100,000 minutes or not readable.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise CellError("minutes is not a finite number", value)
    written = text(value, 64).lower()
    if not any(character.isdigit() for character in written):
        _refuse_not_finite(written, "minutes")
        return None
    found = _hours_minutes(written)
    if not 0 <= found <= LONGEST_MINUTES:
        raise CellError("impossible minutes", value)
    return round(found) or None


def _hours_minutes(written: str) -> float:
    match = _HOURS_MINUTES.fullmatch(written)
    if match is None:
        return number(written, "minutes") or 0.0
    return 60 * float(match[1] or 0) + float(match[2] or 0)


def _refuse_not_finite(written: str, name: str) -> None:
    if written.lower().lstrip("+-") in _NOT_FINITE:
        raise CellError(f"{name} is not a finite number", written)


def values(cell: object, lower: bool) -> tuple[str, ...]:
    """The values of a list cell, in order, each once (compared without case); `lower` writes them so.

    A list is a JSON or Python list, or text separated by | or ; or, when it has neither, by commas.
    Objects such as {"id": 28, "name": "Action"} count by their name. "unknown" and its like are no value
    of a lower-case field (but may be somebody's name).
    """
    found: dict[str, str] = {}
    for part in _parts(cell):
        value = text(part, _VALUE_LENGTH)
        if lower:
            value = value.lower()
        if value and not (lower and value in _NO_VALUE):
            found.setdefault(value.casefold(), value)
    return tuple(found.values())[:_MOST_VALUES]


def _parts(cell: object) -> Iterable[object]:
    if isinstance(cell, str):
        cell = cell.strip()
        listed = _literal_list(cell) if cell.startswith("[") and cell.endswith("]") else None
        if listed is None:
            return re.split(r"[|;]" if re.search(r"[|;]", cell) else ",", cell)
        cell = listed
    if isinstance(cell, (list, tuple)):
        return [part.get("name") if isinstance(part, dict) else part for part in cell]
    return [cell]


def _literal_list(written: str) -> list[object] | None:
    for parse in (json.loads, ast.literal_eval):
        try:
            parsed = parse(written)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(parsed, list):
            return parsed
    return None

"""The records of `agent.types` and `retrieval.types` as JSON text and back.

One generic pair of functions, driven by the type annotations, so that a new field needs no code here.
A row written by a newer program may hold fields this one lacks (they are ignored), and one written by
an older program may lack fields (they take their defaults).
"""

from __future__ import annotations

import json
import types
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from retrieval.errors import TastebudError

Record = TypeVar("Record")


class CodecError(TastebudError):
    """Stored text that is not the record it should be."""


def storable(text: str) -> str:
    """`text` as UTF-8 and SQL can hold it: lone surrogates and NUL become U+FFFD, surrogate pairs join."""
    if text.isascii():
        return text.replace("\0", "\ufffd")
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\0", "\ufffd")


def dumps(record: object) -> str:
    """One line of JSON for a dataclass instance; tuples become lists. Lone surrogates become U+FFFD."""
    return storable(json.dumps(_plain(record), ensure_ascii=False, separators=(",", ":")))


def loads(kind: type[Record], text: str) -> Record:
    """The record of type `kind` that `dumps` wrote.

    Raises CodecError when the text is not JSON, or a value has the wrong type, or a field without a
    default is missing.
    """
    try:
        return _restore(kind, json.loads(text), kind.__name__)
    except ValueError as error:
        raise CodecError(f"Stored {kind.__name__} is not valid JSON: {text[:80]!r}.") from error


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise CodecError(f"Cannot store a {type(value).__name__}: {str(value)[:80]!r}.")


@cache
def _layout(kind: type) -> tuple[tuple[Field[Any], Any], ...]:
    hints = get_type_hints(kind)
    return tuple((f, hints[f.name]) for f in fields(kind))


def _restore(kind: Any, value: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _restore_union(get_args(kind), value, where)
    if origin is tuple:
        return _restore_tuple(get_args(kind), value, where)
    if origin is Literal:
        # A newer program may know more words than this one: any text is kept.
        return _restore(str, value, where)
    if is_dataclass(kind):
        return _restore_record(kind, value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise CodecError(f"Stored {where} should be {kind.__name__}, not {str(value)[:80]!r}.")


def _restore_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and types.NoneType in kinds:
        return None
    options = [kind for kind in kinds if kind is not types.NoneType]
    for kind in options[:-1]:
        try:
            return _restore(kind, value, where)
        except CodecError:
            continue
    return _restore(options[-1], value, where)


def _restore_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise CodecError(f"Stored {where} should be a list, not {str(value)[:80]!r}.")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_restore(kinds[0], part, where) for part in value)
    if len(kinds) != len(value):
        raise CodecError(f"Stored {where} should hold {len(kinds)} values, not {str(value)[:80]!r}.")
    return tuple(_restore(kind, part, where) for kind, part in zip(kinds, value, strict=True))


def _restore_record(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise CodecError(f"Stored {where} should be an object, not {str(value)[:80]!r}.")
    given: dict[str, Any] = {}
    for field, hint in _layout(kind):
        if field.name in value:
            given[field.name] = _restore(hint, value[field.name], f"{where}.{field.name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise CodecError(f"Stored {where} lacks {field.name!r}: {str(value)[:80]!r}.")
    return kind(**given)

"""Which column of a file is which field of ours: the names in `columns.yaml`, or a user's own mapping."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from retrieval.errors import TastebudError


@dataclass(frozen=True)
class Columns:
    """Where each field is found: field -> column; `rest` are the columns that no field claims."""

    fields: Mapping[str, str]
    rest: tuple[str, ...]


def match_columns(names: Iterable[str], part: str, own: Mapping[str, str] | None = None) -> Columns:
    """Match column names to the fields of `part` ("catalogue" or "interactions").

    `own` (field -> column) goes first; a column it names serves no other field by its usual name.
    """
    names = tuple(names)
    by_key = {_key(name): name for name in reversed(names)}
    own = own or {}
    fields = {field: by_key[_key(column)] for field, column in own.items() if _key(column) in by_key}
    taken = set(fields.values())
    for field, usual in usual_names(part).items():
        found = next((by_key[key] for key in usual if key in by_key), None)
        if field not in own and found is not None and found not in taken:
            fields[field] = found
            taken.add(found)
    return Columns(fields, tuple(name for name in names if name not in taken))


@cache
def usual_names(part: str) -> dict[str, tuple[str, ...]]:
    """Field -> the names its column usually has, folded for comparison, best first."""
    parsed = _yaml((Path(__file__).parent / "columns.yaml").read_text("utf-8"))
    return {field: tuple(_key(name) for name in names) for field, names in parsed[part].items()}


def read_mapping(path: Path, error: type[TastebudError]) -> dict[str, str]:
    """Read a user's `field: column` file for a catalogue. Raises `error` for anything else."""
    import yaml

    try:
        parsed = _yaml(path.read_text("utf-8"))
    except FileNotFoundError:
        raise error(f"{path} does not exist.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise error(f"{path} cannot be read as YAML: {str(problem)[:300]}") from None
    known = usual_names("catalogue")
    if not isinstance(parsed, dict) or not all(isinstance(column, str) for column in parsed.values()):
        raise error(f"{path} must hold lines of the form `field: column`; fields are {', '.join(known)}.")
    unknown = [str(field) for field in parsed if field not in known]
    if unknown:
        raise error(f"{path} maps {unknown[0][:120]!r}, which is no field; fields are {', '.join(known)}.")
    return parsed


def _yaml(written: str) -> Any:
    import yaml

    return yaml.safe_load(written)


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())

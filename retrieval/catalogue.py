"""The catalogue: every item there is, in file order, immutable, with the arrays that filters need."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval import cells
from retrieval.columns import Columns, match_columns, read_mapping
from retrieval.errors import CatalogueError, UnknownItemError
from retrieval.items import parse_item
from retrieval.readers import open_table
from retrieval.types import FACET_FIELDS, Facet, Item, facet_values

_SHOWN_LENGTH = 200
_EXPECTED = (
    "Expected a CSV, TSV, JSONL or Parquet file with the columns item_id and title, and any of year, genres, "
    "directors, cast, themes, language, minutes, description; other names can be mapped with a columns.yaml "
    "beside it (field: column)."
)
_DEFAULTS = {field.name: field.default for field in dataclasses.fields(Item)}


class Catalogue:
    """Items in file order, found by `item_id` or by row. Nothing in it changes after construction.

    `years` and `minutes` are float32 [n_items] with nan for unknown, `popularity` float32 [n_items]; all
    arrays it hands out are read-only. Raises CatalogueError for a duplicate id.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.items: tuple[Item, ...] = tuple(items)
        self.ids: tuple[str, ...] = tuple(item.item_id for item in self.items)
        self._rows = {item_id: row for row, item_id in enumerate(self.ids)}
        if len(self._rows) < len(self.ids):
            twice = next(item_id for item_id, count in Counter(self.ids).items() if count > 1)
            raise CatalogueError(f"Duplicate item_id {twice[:120]!r}: every item needs an id of its own.")
        self.years = _numbers(item.year for item in self.items)
        self.minutes = _numbers(item.minutes for item in self.items)
        self.popularity = _numbers(item.popularity for item in self.items)
        self._facets: dict[str, dict[str, tuple[str, NDArray[np.intp]]]] = {}
        self._masks: dict[tuple[str, str], NDArray[np.bool_]] = {}

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._rows

    def __getitem__(self, item_id: str) -> Item:
        """The item with this id. Raises UnknownItemError."""
        return self.items[self.row(item_id)]

    def row(self, item_id: str) -> int:
        """Position of an item in `items` and in every array. Raises UnknownItemError."""
        try:
            return self._rows[item_id]
        except (KeyError, TypeError):
            raise UnknownItemError(item_id) from None

    def values(self, field: str) -> tuple[str, ...]:
        """Distinct values of a facet field, most frequent first (ties: as first met in the file).

        Spelling is that of the first item; values that differ only in case are one. Raises CatalogueError
        when `field` is not a facet field.
        """
        return tuple(spelling for spelling, _ in self._facet_rows(field).values())

    def mask(self, facet: Facet) -> NDArray[np.bool_]:
        """bool [n_items], read-only: which items have this facet, compared without case.

        All False for a value that no item has. Raises CatalogueError when the field is no facet field.
        """
        found = self._facet_rows(facet.field).get(facet.value.casefold())
        if found is None:
            return self._nothing
        key = (facet.field, facet.value.casefold())
        if key not in self._masks:
            mask = np.zeros(len(self), dtype=bool)
            mask[found[1]] = True
            self._masks[key] = _frozen(mask)
        return self._masks[key]

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) over the canonical JSON of the items: same items in the same order, same print."""
        digest = hashlib.sha256()
        for item in self.items:
            digest.update(_to_json(item).encode() + b"\n")
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Write one JSON object per item, without the fields that are unknown."""
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(_to_json(item) + "\n" for item in self.items)

    @classmethod
    def load(cls, path: Path) -> Catalogue:
        """Read what `save` wrote. Raises CatalogueError when it is missing or damaged."""
        try:
            with open(path, encoding="utf-8", newline="\n") as file:
                return cls(_from_json(line) for line in file)
        except OSError as problem:
            raise CatalogueError(f"{path} cannot be read: {problem.strerror}.") from None
        except (ValueError, TypeError, AttributeError) as problem:
            raise CatalogueError(f"{path} is damaged: {problem}.") from None

    @cached_property
    def _nothing(self) -> NDArray[np.bool_]:
        return _frozen(np.zeros(len(self), dtype=bool))

    def _facet_rows(self, field: str) -> dict[str, tuple[str, NDArray[np.intp]]]:
        if field not in self._facets:
            if field not in FACET_FIELDS:
                raise CatalogueError(
                    f"{field[:120]!r} is no facet field: use one of {', '.join(FACET_FIELDS)}."
                )
            rows: dict[str, tuple[str, list[int]]] = {}
            for row, item in enumerate(self.items):
                for value in facet_values(item, field):
                    rows.setdefault(value.casefold(), (value, []))[1].append(row)
            ordered = sorted(rows.items(), key=lambda entry: -len(set(entry[1][1])))
            self._facets[field] = {key: (spelling, np.unique(at)) for key, (spelling, at) in ordered}
        return self._facets[field]


def _frozen(array: Any) -> Any:
    array.flags.writeable = False
    return array


def _numbers(values: Iterable[float | None]) -> NDArray[np.float32]:
    return _frozen(np.array([np.nan if value is None else value for value in values], dtype=np.float32))


def _to_json(item: Item) -> str:
    known = {name: getattr(item, name) for name in _DEFAULTS}
    known = {name: value for name, value in known.items() if value != _DEFAULTS[name]}
    return json.dumps(known, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _from_json(line: str) -> Item:
    cells = json.loads(line)
    for name, value in cells.items():
        if isinstance(value, list):
            cells[name] = tuple(tuple(part) if isinstance(part, list) else part for part in value)
    return Item(**cells)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be used. `row` is the 1-based data row; `value`: what was wrong, cut to 200."""

    file: str
    row: int
    reason: str
    value: str


@dataclass(frozen=True)
class CatalogueRead:
    """What reading gave: `total` data rows, each either an item of `catalogue` or in `rejected`."""

    catalogue: Catalogue
    rejected: tuple[Rejected, ...]
    total: int


def rejection(path: Path, row: int, reason: str, value: object) -> Rejected:
    """A Rejected whose value is safe to write as UTF-8, whatever bytes the file held."""
    shown = value if isinstance(value, str) else repr(value)
    shown = shown[:_SHOWN_LENGTH].encode("utf-8", "backslashreplace").decode("utf-8")
    return Rejected(path.name, row, reason, shown[:_SHOWN_LENGTH])


def read_catalogue(path: Path, columns: Path | None = None, beside: Iterable[Item] = ()) -> CatalogueRead:
    """Read a catalogue in any format of `retrieval.readers`.

    `columns` is a YAML file of `field: column` lines; without it, a `columns.yaml` beside the catalogue
    is used when there is one. `beside`: items that these will be together with, unless they replace them:
    only titles have to tell all of them apart. Rows with a missing or repeated id, no title, bad UTF-8, a
    number that is not finite or an impossible year, running time or popularity are rejected, and only they.
    Raises CatalogueError when the file is missing, has no such columns, or holds no usable row.
    """
    table = open_table(path, CatalogueError)
    own = _own_columns(path, columns)
    _check_columns(path, table.columns, own)
    items: dict[str, Item] = {}
    full_titles: list[str] = []
    rejected: list[Rejected] = []
    matched: dict[tuple[str, ...], Columns] = {}
    for row in table.rows:
        try:
            names = tuple(row.cells)
            if names not in matched:
                matched[names] = match_columns(names, "catalogue", own)
            item, full_title = parse_item(row, matched[names])
            if item.item_id in items:
                raise cells.CellError("duplicate item_id", item.item_id)
        except cells.CellError as problem:
            rejected.append(rejection(path, row.number, problem.reason, problem.value))
        else:
            items[item.item_id] = item
            full_titles.append(full_title)
    total = len(items) + len(rejected)
    if not items:
        first = ""
        if rejected:
            reason, value = rejected[0].reason, rejected[0].value
            first = f" The first of {total} rejected rows: {reason}: {value[:120]!r}."
        raise CatalogueError(f"{path} has no usable row.{first} {_EXPECTED}")
    others = [item for item in beside if item.item_id not in items]
    told_apart = _told_apart(items.values(), full_titles, others)
    return CatalogueRead(Catalogue(told_apart), tuple(rejected), total)


def _own_columns(path: Path, columns: Path | None) -> Mapping[str, str]:
    beside = path.parent / "columns.yaml"
    if columns is None and not beside.is_file():
        return {}
    return read_mapping(columns or beside, CatalogueError)


def _check_columns(path: Path, names: tuple[str, ...], own: Mapping[str, str]) -> None:
    """The header of a table must name an id and a title, and every column that the mapping promises."""
    found = match_columns(names, "catalogue", own).fields
    listed = ", ".join(names)[:500] or "none"
    for field, column in own.items():
        if field not in found:
            raise CatalogueError(
                f"{path} has no column {column!r} (mapped to {field}); its columns: {listed}."
            )
    missing = [field for field in ("item_id", "title") if field not in found]
    if missing:
        raise CatalogueError(
            f"{path} has no column for {' and '.join(missing)}; its columns: {listed}. {_EXPECTED}"
        )


def _told_apart(items: Iterable[Item], full_titles: list[str], others: Iterable[Item]) -> Iterator[Item]:
    """Give back its parentheses to a title that another item would otherwise share (shirts in S and M)."""
    items = tuple(items)
    shared = Counter((item.title.casefold(), item.year) for item in (*items, *others))
    for item, full in zip(items, full_titles, strict=True):
        if shared[item.title.casefold(), item.year] > 1 and full != item.title:
            yield dataclasses.replace(item, title=full, aliases=(item.title, *item.aliases))
        else:
            yield item

"""Rows out of the files people already have, whatever their format.

CSV, TSV (and ; or | separated text), JSONL, Parquet, RecBole atomic files (`.item`, `.inter`, `.kg`,
`.link`) and MovieLens files as they are (`u.item`, `u.data`, `movies.csv`, `ratings.csv`, `movies.dat`,
`ratings.dat`). The format is told by content first, then by name. A row that cannot be read is handed on
with its problem, so that the caller can count it; only a file that is no table at all is an error.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from retrieval.errors import TastebudError

Cells = dict[str, object]
Shape = Callable[[Cells], Cells]

_HEAD_BYTES = 1 << 16
_SURROGATE = re.compile("[\ud800-\udfff]")
_BAD_UTF8 = "not valid UTF-8"
_ATOMIC_TYPES = ("token", "token_seq", "float", "float_seq")
_NOT_TEXT = {
    b"PK\x03\x04": "a zip or Excel file: save it as CSV",
    b"\x1f\x8b": "compressed: unpack it first",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
}
_U_ITEM_GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary"),
    *("Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller"),
    *("War", "Western"),
)
_U_ITEM = ("item_id", "title", "release_date", "video_release_date", "imdb_url", *_U_ITEM_GENRES)
_RATINGS = ("user_id", "item_id", "rating", "timestamp")


class Row(NamedTuple):
    """One data row. `number` counts from 1. `problem` is empty, or why the row could not be read.

    A cell is text, or what JSON and Parquet hold; a tuple of strings where the file itself says that the
    cell is a sequence. (A NamedTuple, because interactions come by the million.)
    """

    number: int
    cells: Cells
    problem: str = ""
    value: str = ""


@dataclass(frozen=True)
class Table:
    """An opened file. `columns` is the header, or the keys of the first object; `rows` reads on demand."""

    path: Path
    columns: tuple[str, ...]
    rows: Iterator[Row]


def open_table(path: Path, error: type[TastebudError]) -> Table:
    """Recognise the format of `path` and read its header. Raises `error` when there is no table to read."""
    head = _head(path, error)
    if head.startswith(b"PAR1"):
        return _parquet(path, error)
    first = head.decode("utf-8-sig", "replace").lstrip().partition("\n")[0].rstrip("\r")
    if first.startswith("{"):
        return Table(path, _json_columns(first), _json_rows(path))
    if first.startswith("["):
        raise error(f"{path} is one JSON array: write one object per line instead (JSONL).")
    if _is_atomic(first):
        return _atomic(path, first)
    if path.suffix == ".dat" and "::" in first:
        return _movielens_dat(path, first, error)
    if path.name == "u.item" and first.count("|") == len(_U_ITEM) - 1:
        records = _records(path, _legacy_encoding(path), "|", csv.QUOTE_NONE)
        return Table(path, (*_U_ITEM[:5], "genres"), _rows(records, _U_ITEM, _fold_genres))
    if path.name == "u.data" and first.count("\t") == len(_RATINGS) - 1:
        return Table(path, _RATINGS, _rows(_records(path, "utf-8-sig", "\t", csv.QUOTE_NONE), _RATINGS))
    return _delimited(path, first, error)


def _head(path: Path, error: type[TastebudError]) -> bytes:
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError:
        raise error(f"{path} does not exist.") from None
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem.strerror}.") from None
    for magic, what in _NOT_TEXT.items():
        if head.startswith(magic):
            raise error(f"{path} is {what}.")
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise error(f"{path} is empty: expected a header and one row per line.")
    return head


def _delimited(path: Path, first: str, error: type[TastebudError]) -> Table:
    # The header decides: it is the one line that rarely holds quoted text.
    delimiter = max(",\t;|", key=first.count)
    records = _records(path, "utf-8-sig", delimiter, csv.QUOTE_MINIMAL)
    header = next((record for record in records if record), [])
    if isinstance(header, csv.Error):
        raise error(f"{path} has no readable header: {header}.")
    columns = tuple(name.strip() for name in header)
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise error(f"{path} has several columns named {', '.join(map(repr, repeated))}: rename them.")
    return Table(path, columns, _rows(records, columns))


def _is_atomic(first: str) -> bool:
    names = [name.strip() for name in first.split("\t")]
    return all(":" in name and name.rsplit(":", 1)[1] in _ATOMIC_TYPES for name in names)


def _atomic(path: Path, first: str) -> Table:
    """RecBole: tab separated, no quotes, header `name:type`; a `_seq` cell is separated by spaces."""
    typed = [name.strip().rsplit(":", 1) for name in first.split("\t")]
    columns = tuple(name for name, _ in typed)
    sequences = [name for name, kind in typed if kind.endswith("_seq")]

    def split(cells: Cells) -> Cells:
        for name in sequences:
            cells[name] = tuple(str(cells[name]).split())
        return cells

    records = _records(path, "utf-8-sig", "\t", csv.QUOTE_NONE)
    next(records)
    return Table(path, columns, _rows(records, columns, split))


def _movielens_dat(path: Path, first: str, error: type[TastebudError]) -> Table:
    shapes = {3: ("item_id", "title", "genres"), 4: _RATINGS}
    columns = shapes.get(first.count("::") + 1)
    if columns is None:
        raise error(f"{path} is neither movies.dat (3 fields) nor ratings.dat (4 fields): {first[:120]!r}.")
    return Table(path, columns, _rows(_split_records(path), columns))


def _legacy_encoding(path: Path) -> str:
    """MovieLens before 2015 wrote Latin-1 in some releases and UTF-8 in others."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _records(path: Path, encoding: str, delimiter: str, quoting: Any) -> Iterator[list[str] | csv.Error]:
    # surrogateescape carries bad bytes to the row they belong to, which alone is then rejected.
    with open(path, encoding=encoding, errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, quoting=quoting)
        while True:
            try:
                yield next(reader)
            except StopIteration:
                return
            except csv.Error as problem:
                yield problem


def _split_records(path: Path) -> Iterator[list[str]]:
    with open(path, encoding=_legacy_encoding(path), errors="surrogateescape") as file:
        for line in file:
            yield line.rstrip("\n").split("::") if line.strip() else []


def _fold_genres(cells: Cells) -> Cells:
    genres = tuple(name for name in _U_ITEM_GENRES if cells.pop(name) == "1")
    return {**cells, "genres": genres}


def _rows(
    records: Iterable[list[str] | csv.Error], columns: tuple[str, ...], shape: Shape | None = None
) -> Iterator[Row]:
    number = 0
    for record in records:
        if not record and not isinstance(record, csv.Error):
            continue  # a blank line is no row
        number += 1
        if isinstance(record, csv.Error):
            yield Row(number, {}, f"unreadable row: {record}")
            continue
        text = "".join(record)
        if not text.isascii() and _SURROGATE.search(text):
            yield Row(number, {}, _BAD_UTF8, " ".join(record))
        elif len(record) != len(columns):
            reason = f"{len(record)} cells where the header has {len(columns)}"
            yield Row(number, {}, reason, " ".join(record))
        else:
            cells: Cells = dict(zip(columns, record, strict=True))
            yield Row(number, shape(cells) if shape else cells)


def _json_columns(first: str) -> tuple[str, ...]:
    try:
        parsed = json.loads(first)
    except (ValueError, RecursionError):
        return ()
    return tuple(parsed) if isinstance(parsed, dict) else ()


def _json_rows(path: Path) -> Iterator[Row]:
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        lines = (line for line in file if line.strip())
        for number, line in enumerate(lines, start=1):
            yield _json_row(number, line)


def _json_row(number: int, line: str) -> Row:
    if _SURROGATE.search(line):
        return Row(number, {}, _BAD_UTF8, line)
    try:
        parsed = json.loads(line)
    except RecursionError:
        return Row(number, {}, "JSON nested too deeply", line)
    except ValueError as problem:
        return Row(number, {}, f"bad JSON: {problem}", line)
    if not isinstance(parsed, dict):
        return Row(number, {}, "not a JSON object", line)
    # An escape such as "\ud800" on its own is legal JSON but no character.
    if "\\u" in line and _SURROGATE.search(json.dumps(parsed, ensure_ascii=False)):
        return Row(number, {}, "lone surrogate: " + _BAD_UTF8, line)
    return Row(number, parsed)


def _parquet(path: Path, error: type[TastebudError]) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        names = [name for name in file.schema_arrow.names if not name.startswith("__index_level_")]
    except (pa.ArrowException, OSError) as problem:
        raise error(f"{path} is a damaged Parquet file: {problem}.") from None
    return Table(path, tuple(names), _parquet_rows(path, file, names, error))


def _parquet_rows(path: Path, file: Any, names: list[str], error: type[TastebudError]) -> Iterator[Row]:
    import pyarrow as pa

    number = 0
    try:
        for batch in file.iter_batches(columns=names):
            for cells in _batch_rows(batch):
                number += 1
                yield Row(number, cells) if cells is not None else Row(number, {}, _BAD_UTF8)
    except (pa.ArrowException, OSError) as problem:
        raise error(f"{path} is a damaged Parquet file: {problem}.") from None


def _batch_rows(batch: Any) -> Iterator[Cells | None]:
    """The rows of an Arrow batch; None for a row whose text is not valid UTF-8."""
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        for index in range(batch.num_rows):
            try:
                yield batch.slice(index, 1).to_pylist()[0]
            except UnicodeDecodeError:
                yield None

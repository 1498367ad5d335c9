"""Interactions: who did what with which item, as sparse matrices beside the catalogue."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from retrieval import cells
from retrieval.catalogue import Catalogue, Rejected, rejection
from retrieval.columns import Columns, match_columns
from retrieval.errors import InteractionsError
from retrieval.readers import Row, open_table
from retrieval.types import Interaction

_HIGHEST_RATING = 100.0
_MILLISECONDS_FROM = 1e11
_ID_LENGTH = 200
_EXPECTED = (
    "Expected the columns user_id and item_id, and optionally value and timestamp (CSV, TSV, JSONL, Parquet, "
    "a RecBole .inter or a MovieLens ratings file), with item ids of this catalogue."
)


class Interactions:
    """Users by items, once per pair: of a repeated pair the last by time counts, then the last in the file.

    `matrix`: csr float32 [n_users, n_items] of values, columns as the catalogue's rows. A value that was not
    given is 1.0, or the mean rating where the others are ratings. `times`: csr float64 of the same pattern,
    epoch seconds, 0 = unknown. `explicit`: the values are ratings, that is they differ and none exceeds
    100; otherwise they only say that something happened, or how often. Users are in the order in which they
    first appear.
    """

    def __init__(
        self, users: tuple[str, ...], matrix: sparse.csr_array, times: sparse.csr_array, explicit: bool
    ) -> None:
        self.users = users
        self.matrix = matrix
        self.times = times
        self.explicit = explicit

    @classmethod
    def from_rows(cls, rows: Iterable[Interaction], catalogue: Catalogue) -> Interactions:
        """Build the matrices. Raises UnknownItemError for a foreign id, InteractionsError for no row."""
        users: dict[str, int] = {}
        columns = _Columns([], [], [], [])
        for row in rows:
            columns.user.append(users.setdefault(row.user_id, len(users)))
            columns.item.append(catalogue.row(row.item_id))
            columns.value.append(math.nan if row.value is None else row.value)
            columns.time.append(row.time or 0.0)
        return _assemble(tuple(users), columns, len(catalogue))

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """int64 [n_items]: how many users interacted with each item."""
        return np.bincount(self.matrix.indices, minlength=self.matrix.shape[1]).astype(np.int64)

    @cached_property
    def liked_from(self) -> float | None:
        """The value from which a rating counts as liked; None when values are not ratings.

        Three quarters up the observed range, the same for every user: 4 on a 1-5 scale, 0.75 on 0-1.
        """
        if not self.explicit:
            return None
        low, high = float(self.matrix.data.min()), float(self.matrix.data.max())
        return low + 0.75 * (high - low)

    @cached_property
    def positive(self) -> sparse.csr_array:
        """csr float32 [n_users, n_items]: 1.0 where liked (`liked_from`; without ratings, any value > 0)."""
        limit = self.liked_from
        liked = self.matrix.data > 0 if limit is None else self.matrix.data >= limit
        data = liked.astype(np.float32)
        found = sparse.csr_array(
            (data, self.matrix.indices.copy(), self.matrix.indptr.copy()), self.matrix.shape
        )
        found.eliminate_zeros()
        return found

    def over(self, kept: NDArray[np.int64], n_items: int) -> Interactions | None:
        """The interactions with the items of these rows (ascending), which become the first of `n_items`.

        Whoever has none of them is left out; None when that is everybody.
        """
        places = np.full(self.matrix.shape[1], -1, dtype=np.int64)
        places[kept] = np.arange(len(kept))
        column = places[self.matrix.indices]
        user = np.repeat(np.arange(len(self.users)), np.diff(self.matrix.indptr))
        counts = np.bincount(user[column >= 0], minlength=len(self.users))
        if not counts.any():
            return None
        shape = (int((counts > 0).sum()), n_items)
        indptr = np.concatenate(([0], np.cumsum(counts[counts > 0])))
        values = self.matrix.data[column >= 0]
        matrix = sparse.csr_array((values, column[column >= 0], indptr), shape)
        times = sparse.csr_array((self.times.data[column >= 0], matrix.indices, matrix.indptr), shape)
        users = tuple(name for name, count in zip(self.users, counts, strict=True) if count)
        return Interactions(users, matrix, times, _are_ratings(values))

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) over users and matrices."""
        digest = hashlib.sha256(json.dumps([self.users, self.matrix.shape, self.explicit]).encode())
        for name, array in self._arrays().items():
            digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Write an .npz file without pickle: the arrays, and the users as UTF-8 JSON."""
        head = json.dumps({"users": self.users, "explicit": self.explicit, "n_items": self.matrix.shape[1]})
        with open(path, "wb") as file:
            arrays = {"head": np.frombuffer(head.encode(), dtype=np.uint8), **self._arrays()}
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Interactions:
        """Read what `save` wrote. Raises InteractionsError when it is missing or damaged."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                head = json.loads(stored["head"].tobytes())
                users, shape = tuple(head["users"]), (len(head["users"]), int(head["n_items"]))
                matrix = sparse.csr_array((stored["values"], stored["indices"], stored["indptr"]), shape)
                times = sparse.csr_array((stored["times"], matrix.indices, matrix.indptr), shape)
                return cls(users, matrix, times, bool(head["explicit"]))
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as problem:
            raise InteractionsError(f"{path} is missing or damaged: {problem}.") from None

    def _arrays(self) -> dict[str, Any]:
        matrix = self.matrix
        return {
            "values": matrix.data,
            "times": self.times.data,
            "indices": matrix.indices,
            "indptr": matrix.indptr,
        }


@dataclass(frozen=True)
class InteractionsRead:
    """What reading gave: `total` == `interactions.matrix.nnz` + `repeated` + `len(rejected)`."""

    interactions: Interactions
    rejected: tuple[Rejected, ...]
    total: int
    repeated: int


def read_interactions(
    path: Path, catalogue: Catalogue, ids: Mapping[str, str] | None = None
) -> InteractionsRead:
    """Read interactions in any format of `retrieval.readers`.

    `ids`: item ids of the file -> item_ids of the catalogue; None where they are the same.
    Rows without a user, with an item the catalogue does not hold, with bad UTF-8, or with a value or time
    that is not a finite number are rejected, and only they. Raises InteractionsError when the file is
    missing, has no such columns, or holds no usable row.
    """
    table = open_table(path, InteractionsError)
    _check_columns(path, table.columns)
    rejected: list[Rejected] = []
    users: dict[str, int] = {}
    columns = _Columns([], [], [], [])
    for row, found in _matched(table.rows):
        try:
            user_id, item_row, value, time = _parse(row, found, catalogue, ids)
        except cells.CellError as problem:
            rejected.append(rejection(path, row.number, problem.reason, problem.value))
            continue
        columns.user.append(users.setdefault(user_id, len(users)))
        columns.item.append(item_row)
        columns.value.append(value)
        columns.time.append(time)
    total = len(columns.user) + len(rejected)
    if not columns.user:
        first = f" The first of {total} rejected rows: {rejected[0].reason}." if rejected else ""
        raise InteractionsError(f"{path} has no usable row.{first} {_EXPECTED}")
    interactions = _assemble(tuple(users), columns, len(catalogue))
    repeated = total - len(rejected) - interactions.matrix.nnz
    return InteractionsRead(interactions, tuple(rejected), total, repeated)


def _check_columns(path: Path, names: tuple[str, ...]) -> None:
    found = match_columns(names, "interactions").fields
    missing = [field for field in ("user_id", "item_id") if field not in found]
    if missing:
        listed = ", ".join(names)[:500] or "none"
        raise InteractionsError(
            f"{path} has no column for {' and '.join(missing)}; its columns: {listed}. {_EXPECTED}"
        )


def _matched(rows: Iterator[Row]) -> Iterator[tuple[Row, Columns]]:
    known: dict[tuple[str, ...], Columns] = {}
    for row in rows:
        names = tuple(row.cells)
        if names not in known:
            known[names] = match_columns(names, "interactions")
        yield row, known[names]


def _parse(
    row: Row, columns: Columns, catalogue: Catalogue, ids: Mapping[str, str] | None
) -> tuple[str, int, float, float]:
    """User, row of the item, value (nan = none given), time (0 = unknown). Raises CellError."""
    if row.problem:
        raise cells.CellError(row.problem, row.value)
    fields: Mapping[str, str] = columns.fields
    user_id, item_id = (
        cells.text(row.cells[fields[name]], _ID_LENGTH + 1) if name in fields else ""
        for name in ("user_id", "item_id")
    )
    if not user_id:
        raise cells.CellError("missing user_id", item_id)
    if len(user_id) > _ID_LENGTH:
        raise cells.CellError(f"user_id longer than {_ID_LENGTH} characters", user_id)
    if not item_id:
        raise cells.CellError("missing item_id", user_id)
    item_id = item_id if ids is None else ids.get(item_id, item_id)
    if item_id not in catalogue:
        raise cells.CellError("unknown item_id", item_id)
    value = cells.number(row.cells[fields["value"]], "value") if "value" in fields else None
    time = _time(row.cells[fields["time"]]) if "time" in fields else 0.0
    return user_id, catalogue.row(item_id), math.nan if value is None else value, time


def _time(cell: object) -> float:
    """Epoch seconds out of seconds, milliseconds, a datetime or an ISO date (UTC unless it says so)."""
    if isinstance(cell, str) and "-" in cell[1:] and "e-" not in cell.lower():
        try:
            cell = dt.datetime.fromisoformat(cell.strip())
        except ValueError:
            raise cells.CellError("timestamp is not a time", cell) from None
    if isinstance(cell, dt.datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=dt.UTC)).timestamp()
    if isinstance(cell, dt.date):
        return dt.datetime(cell.year, cell.month, cell.day, tzinfo=dt.UTC).timestamp()
    seconds = cells.number(cell, "timestamp") or 0.0
    return seconds / 1000 if abs(seconds) > _MILLISECONDS_FROM else seconds


def _are_ratings(given: NDArray[np.float32]) -> bool:
    return bool(given.size and given.min() < given.max() and given.max() <= _HIGHEST_RATING)


@dataclass(frozen=True)
class _Columns:
    user: list[int]
    item: list[int]
    value: list[float]
    time: list[float]


def _assemble(users: tuple[str, ...], columns: _Columns, n_items: int) -> Interactions:
    if not columns.user:
        raise InteractionsError(f"There is no interaction to build from. {_EXPECTED}")
    user = np.array(columns.user, dtype=np.int64)
    item = np.array(columns.item, dtype=np.int64)
    value = np.array(columns.value, dtype=np.float32)
    time = np.array(columns.time, dtype=np.float64)
    given = value[~np.isnan(value)]
    explicit = _are_ratings(given)
    value[np.isnan(value)] = given.mean() if explicit else 1.0
    # lexsort is stable: within a pair the latest comes last, and of equal times the last in the file.
    order = np.lexsort((time, item, user))
    user, item, value, time = user[order], item[order], value[order], time[order]
    last = np.append((user[1:] != user[:-1]) | (item[1:] != item[:-1]), True)
    shape = (len(users), n_items)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(user[last], minlength=len(users)))))
    matrix = sparse.csr_array((value[last], item[last], indptr), shape)
    times = sparse.csr_array((time[last], matrix.indices, matrix.indptr), shape)
    return Interactions(users, matrix, times, explicit)

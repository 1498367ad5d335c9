"""Interactions: what is read, what is rejected, and matrices small enough to check by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.catalogue import Catalogue
from retrieval.errors import InteractionsError, UnknownItemError
from retrieval.interactions import Interactions, InteractionsRead, read_interactions
from retrieval.types import Interaction, Item

FILMS = Catalogue([Item("a", "Heat"), Item("b", "Ran"), Item("c", "Fargo")])
NUMBERED = Catalogue([Item("1", "Heat"), Item("2", "Ran")])


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def dense(read: InteractionsRead) -> list[list[float]]:
    assert read.total == read.interactions.matrix.nnz + read.repeated + len(read.rejected)
    return read.interactions.matrix.toarray().tolist()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ratings.csv", "userId,movieId,rating,timestamp\n7,1,4.0,100\n8,2,2.0,200\n"),
        ("u.data", "7\t1\t4\t100\n8\t2\t2\t200\n"),
        ("ratings.dat", "7::1::4::100\n8::2::2::200\n"),
        (
            "ml.inter",
            "user_id:token\titem_id:token\trating:float\ttimestamp:float\n7\t1\t4\t100\n8\t2\t2\t200\n",
        ),
        (
            "clicks.jsonl",
            '{"user": 7, "item": 1, "score": 4, "ts": 100}\n'
            '{"user": "8", "item": "2", "score": 2, "ts": 200000000000}',
        ),
        (
            "r.tsv",
            "user\titem_id\tstars\tdate\n7\t1\t4\t1970-01-01T00:01:40Z\n8\t2\t2\t1970-01-01 00:03:20\n",
        ),
    ],
)
def test_every_format_gives_the_same_matrix(tmp_path: Path, name: str, content: str) -> None:
    read = read_interactions(write(tmp_path, name, content), NUMBERED)
    assert read.rejected == ()
    assert read.interactions.users == ("7", "8")
    assert dense(read) == [[4, 0], [0, 2]]
    times = read.interactions.times.toarray()
    assert times[0, 0] == 100
    assert times[1, 1] in (200, 200_000_000)
    assert read.interactions.explicit


def test_parquet_with_dates(tmp_path: Path) -> None:
    import datetime as dt

    import pyarrow as pa
    import pyarrow.parquet as pq

    when = [dt.datetime(1970, 1, 1, 0, 1, 40), None]
    pq.write_table(
        pa.table({"user_id": ["u", "u"], "item_id": [1, 2], "timestamp": when}), tmp_path / "r.parquet"
    )
    read = read_interactions(tmp_path / "r.parquet", NUMBERED)
    assert dense(read) == [[1, 1]]
    assert read.interactions.times.toarray().tolist() == [[100, 0]]
    assert not read.interactions.explicit


BAD_ROWS = b"""user_id,item_id,rating,timestamp
ana,a,5,1
,a,5,1
ana,,5,1
ana,zzz,5,1
ana,b,NaN,1
ana,b,-inf,1
ana,b,lots,1
ana,b,5,soon
ana,b,5,12-99-1
ana,b,5
b\xe9a,b,5,1
ana,b,1e39,1
bo,c,,
"""


def test_bad_rows_are_rejected_with_their_reason_and_nothing_else(tmp_path: Path) -> None:
    read = read_interactions(write(tmp_path, "r.csv", BAD_ROWS), FILMS)
    assert [(rejected.row, rejected.reason) for rejected in read.rejected] == [
        (2, "missing user_id"),
        (3, "missing item_id"),
        (4, "unknown item_id"),
        (5, "value is not a finite number"),
        (6, "value is not a finite number"),
        (7, "value is not a number"),
        (8, "timestamp is not a number"),
        (9, "timestamp is not a time"),
        (10, "3 cells where the header has 4"),
        (11, "not valid UTF-8"),
        (12, "value is not a finite number"),
    ]
    assert read.rejected[2].value == "zzz"
    assert read.total == 13
    assert dense(read) == [[5, 0, 0], [0, 0, 1]]


def test_of_a_repeated_pair_the_last_by_time_counts_then_the_last_in_the_file(tmp_path: Path) -> None:
    rows = "user_id,item_id,value,time\nu,a,5,30\nu,a,1,20\nu,b,1,9\nu,b,4,9\nu,c,3,\n"
    read = read_interactions(write(tmp_path, "r.csv", rows), FILMS)
    assert dense(read) == [[5, 4, 3]]
    assert read.interactions.times.toarray().tolist() == [[30, 9, 0]]
    assert read.repeated == 2


def rows_of(*values: float | None) -> list[Interaction]:
    return [Interaction(f"u{index}", "abc"[index % 3], value) for index, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "explicit", "liked_from", "liked"),
    [
        ((1, 2, 3, 4, 5), True, 4, [3, 4]),
        ((0.5, 3.5, 4, 5), True, 3.875, [2, 3]),
        ((0, 1), True, 0.75, [1]),
        ((-1, 1), True, 0.5, [1]),
        ((None, None), False, None, [0, 1]),
        ((1, 1), False, None, [0, 1]),
        ((3, 5000, 0), False, None, [0, 1]),
        ((5, 1, None), True, 4, [0]),
    ],
)
def test_what_counts_as_liked(
    values: tuple[float | None, ...], explicit: bool, liked_from: float | None, liked: list[int]
) -> None:
    interactions = Interactions.from_rows(rows_of(*values), FILMS)
    assert interactions.explicit is explicit
    assert interactions.liked_from == liked_from
    assert np.unique(interactions.positive.nonzero()[0]).tolist() == liked
    assert set(interactions.positive.data.tolist()) == {1.0}


def test_counts_are_users_per_item() -> None:
    rows = [
        Interaction("u", "a", 0.0),
        Interaction("v", "a", 2.0),
        Interaction("v", "a", 3.0),
        Interaction("v", "c"),
    ]
    assert Interactions.from_rows(rows, FILMS).counts.tolist() == [2, 0, 1]


def test_foreign_items_and_nothing_at_all_are_errors() -> None:
    with pytest.raises(UnknownItemError, match="'zzz'"):
        Interactions.from_rows([Interaction("u", "zzz")], FILMS)
    with pytest.raises(InteractionsError, match="no interaction"):
        Interactions.from_rows([], FILMS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.csv", "user_id,rating\nu,1\n", "no column for item_id; its columns: user_id, rating"),
        ("r.csv", "user_id,item_id\nu,zzz\n", "no usable row. The first of 1 rejected rows: unknown item_id"),
        ("r.csv", "", "is empty"),
    ],
)
def test_a_file_without_interactions_is_named_and_explained(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(InteractionsError, match=message) as caught:
        read_interactions(path, FILMS)
    assert str(path) in str(caught.value)


triples = st.tuples(
    st.sampled_from(["u", "v", "ü"]),
    st.sampled_from("abc"),
    st.none() | st.integers(1, 5).map(float),
    st.none() | st.integers(1, 9).map(float),
)


@given(st.lists(triples, min_size=1, max_size=20))
def test_the_matrix_holds_each_pair_once_and_survives_saving(
    tmp_path_factory: pytest.TempPathFactory, rows: list
) -> None:
    interactions = Interactions.from_rows([Interaction(*row) for row in rows], FILMS)
    pairs = {(user, item) for user, item, _, _ in rows}
    assert interactions.matrix.nnz == len(pairs)
    assert interactions.counts.sum() == len(pairs)
    assert set(interactions.users) == {user for user, _ in pairs}
    path = tmp_path_factory.mktemp("npz") / "interactions.npz"
    interactions.save(path)
    loaded = Interactions.load(path)
    assert loaded.fingerprint == interactions.fingerprint
    assert loaded.users == interactions.users
    np.testing.assert_array_equal(loaded.times.toarray(), interactions.times.toarray())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04K\x01."])
def test_a_damaged_file_is_an_error_and_never_unpickled(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InteractionsError, match="missing or damaged"):
        Interactions.load(write(tmp_path, "interactions.npz", content))

"""Catalogues: what is read from which format, what is rejected, and that the totals reconcile."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval import cells
from retrieval.catalogue import Catalogue, CatalogueRead, read_catalogue
from retrieval.errors import CatalogueError, UnknownItemError
from retrieval.titles import parse_title
from retrieval.types import Facet, Item


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def reasons(read: CatalogueRead) -> list[tuple[int, str]]:
    assert read.total == len(read.catalogue) + len(read.rejected)
    return [(rejected.row, rejected.reason) for rejected in read.rejected]


# Formats: one film, written in every way it comes.

HEAT = Item("6", "Heat", year=1995, genres=("action", "crime"))
U_ITEM_FLAGS = "0|1|0|0|0|0|1|0|0|0|0|0|0|0|0|0|0|0|0"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("films.csv", "item_id,title,year,genres\n6,Heat,1995,Action|Crime\n"),
        ("bom.csv", "\ufeffitem_id,title,year,genres\r\n6,Heat,1995,Action|Crime\r\n"),
        ("excel.csv", 'Item ID;Title;Year;Genres\n6;Heat;1995;"Action, Crime"\n'),
        ("films.tsv", "id\tname\trelease_year\tclass\n6\tHeat\t1995\tAction;Crime\n"),
        ("films.txt", 'movieId,title,genres\n6,Heat (1995),"[""Action"", ""Crime""]"\n'),
        ("movies.csv", "movieId,title,genres\n6,Heat (1995),Action|Crime\n"),
        ("movies.dat", "6::Heat (1995)::Action|Crime\n"),
        ("u.item", f"6|Heat (1995)|15-Dec-1995||http://us.imdb.com/Heat|{U_ITEM_FLAGS}\n"),
        (
            "ml.item",
            "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
            "6\tHeat\t1995\tAction Crime\n",
        ),
        ("films.jsonl", '{"item_id": 6, "title": "Heat", "year": 1995, "genres": ["Action", "Crime"]}\n'),
        (
            "tmdb.jsonl",
            '{"id": 6, "title": "Heat (1995)", "genres": [{"name": "Action"}, {"name": "Crime"}]}',
        ),
    ],
)
def test_every_format_gives_the_same_item(tmp_path: Path, name: str, content: str) -> None:
    read = read_catalogue(write(tmp_path, name, content))
    assert reasons(read) == []
    item = read.catalogue["6"]
    assert (item.title, item.year, item.genres) == (HEAT.title, HEAT.year, HEAT.genres)


def test_parquet_keeps_types_and_nulls(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {"item_id": [6, 7], "title": ["Heat", "Seven"], "year": [1995.0, None], "genres": [["Crime"], None]}
    )
    pq.write_table(table, tmp_path / "films.parquet")
    read = read_catalogue(tmp_path / "films.parquet")
    assert list(read.catalogue) == [Item("6", "Heat", year=1995, genres=("crime",)), Item("7", "Seven")]


def test_a_bad_text_in_parquet_rejects_its_row_only(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    raw = pa.array([b"Heat", b"Am\xe9lie", b"Ran"], type=pa.binary()).view(pa.string())
    pq.write_table(pa.table({"id": ["1", "2", "3"], "title": raw}), tmp_path / "films.parquet")
    read = read_catalogue(tmp_path / "films.parquet")
    assert reasons(read) == [(2, "not valid UTF-8")]
    assert read.catalogue.ids == ("1", "3")


def test_latin_1_is_read_in_old_movielens_files_only(tmp_path: Path) -> None:
    line = f"1|Misérables, Les (1995)|01-Jan-1995|||{U_ITEM_FLAGS}\n".encode("latin-1")
    assert read_catalogue(write(tmp_path, "u.item", line)).catalogue["1"].title == "Les Misérables"
    read = read_catalogue(write(tmp_path, "films.csv", b"id,title\n1,Am\xe9lie\n2,Ran\n"))
    assert reasons(read) == [(1, "not valid UTF-8")]
    assert "\\udce9" in read.rejected[0].value


# Rows

BAD_ROWS = """item_id,title,year,minutes,popularity
1,Heat,1995,170,10
,No id,1995,,
3,,1995,,
1,Heat again,1995,,
5,Far future,99999,,
6,Not a number,NaN,,
7,Endless,1995,inf,
8,Backwards,1995,-5,
9,Loved too much,1995,,1e999
10,Ragged,1995
11,Unloved,1995,,-1
12,Fine,TBA,1h 30m,
"""


def test_bad_rows_are_rejected_with_their_reason_and_nothing_else(tmp_path: Path) -> None:
    read = read_catalogue(write(tmp_path, "films.csv", BAD_ROWS))
    assert reasons(read) == [
        (2, "missing item_id"),
        (3, "missing title"),
        (4, "duplicate item_id"),
        (5, "impossible year"),
        (6, "year is not a finite number"),
        (7, "minutes is not a finite number"),
        (8, "impossible minutes"),
        (9, "popularity is not a finite number"),
        (10, "3 cells where the header has 5"),
        (11, "negative popularity"),
    ]
    assert [item.item_id for item in read.catalogue] == ["1", "12"]
    assert (read.catalogue["12"].year, read.catalogue["12"].minutes) == (None, 90)
    assert read.rejected[3].value == "99999"


def test_bad_json_lines_are_rejected_one_by_one(tmp_path: Path) -> None:
    lines = ['{"id": 1, "title": "Heat"}', "{broken", "[1]", '{"id": 2, "title": "\\ud800"}', '{"id": 3}']
    lines += [
        '{"id": 4, "title": "Ran", "year": NaN}',
        "[" * 100_000,
        '{"title": "Ikiru", "id": 5, "mood": "warm"}',
    ]
    read = read_catalogue(write(tmp_path, "films.jsonl", "\n".join(lines)))
    assert read.catalogue.ids == ("1", "5")
    assert read.catalogue["5"].moods == ("warm",)
    found = dict(reasons(read))
    assert found[2].startswith("bad JSON")
    assert found[3] == "not a JSON object"
    assert "not valid UTF-8" in found[4]
    assert found[5] == "missing title"
    assert found[6] == "year is not a finite number"
    assert found[7] in ("JSON nested too deeply", "not a JSON object") or found[7].startswith("bad JSON")
    assert all(len(rejected.value) <= 200 for rejected in read.rejected)


def test_quoted_cells_may_hold_newlines_and_delimiters(tmp_path: Path) -> None:
    content = 'id,title,plot\r\n1,"Heat","One line,\r\nanother ""line"""\r\n\r\n2,Ran,x\r\n'
    read = read_catalogue(write(tmp_path, "films.csv", content))
    assert read.catalogue["1"].description == 'One line, another "line"'
    assert read.total == 2


def test_control_and_reordering_characters_are_stripped(tmp_path: Path) -> None:
    read = read_catalogue(
        write(tmp_path, "films.csv", "id,title\n1,He\0at\x1b\u202e  <script>\n2," + "x" * 9999)
    )
    assert read.catalogue["1"].title == "Heat <script>"
    assert len(read.catalogue["2"].title) == 300


def test_unknown_columns_are_kept_and_unsafe_links_are_not_links(tmp_path: Path) -> None:
    row = "1,Heat,Warner,javascript:alert(1),https://example.org/heat.jpg,"
    read = read_catalogue(write(tmp_path, "films.csv", f"id,title,studio,url,poster,empty\n{row}\n"))
    item = read.catalogue["1"]
    assert item.attributes == (("studio", "Warner"), ("url", "javascript:alert(1)"))
    assert (item.url, item.image) == (None, "https://example.org/heat.jpg")


# Columns

BOOKS = "sku,label,writer\nb1,Emma,Jane Austen\n"
BOOK_COLUMNS = "item_id: sku\ntitle: label\ndirectors: writer\n"


def test_another_domain_maps_its_columns_beside_the_file_or_by_option(tmp_path: Path) -> None:
    books = write(tmp_path, "books.csv", BOOKS)
    with pytest.raises(
        CatalogueError, match=r"books\.csv has no column for title; its columns: sku, label, writer"
    ):
        read_catalogue(books)
    mapping = write(tmp_path, "mine.yaml", BOOK_COLUMNS)
    expected = Item("b1", "Emma", directors=("Jane Austen",))
    assert list(read_catalogue(books, mapping).catalogue) == [expected]
    mapping.rename(tmp_path / "columns.yaml")
    assert list(read_catalogue(books).catalogue) == [expected]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("title: nome\n", "no column 'nome' \\(mapped to title\\)"),
        ("colour: label\n", "maps 'colour', which is no field"),
        ("- title\n", "field: column"),
        ("title: [a, b]\n", "field: column"),
        ("{", "cannot be read as YAML"),
    ],
)
def test_a_wrong_mapping_is_explained(tmp_path: Path, mapping: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        read_catalogue(write(tmp_path, "books.csv", BOOKS), write(tmp_path, "mine.yaml", mapping))


# Files that are no catalogue


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", "", "is empty"),
        ("blank.csv", "\ufeff \n\n", "is empty"),
        ("films.xlsx", b"PK\x03\x04rest", "save it as CSV"),
        ("wide.csv", "id,title\n".encode("utf-16"), "save it as UTF-8"),
        ("films.json", '[{"id": 1}]', "one object per line"),
        ("films.csv", "id,title\n", "no usable row"),
        ("bad.csv", "id,title\n,Heat\n", "no usable row. The first of 1 rejected rows: missing item_id"),
        ("twice.csv", "id,title,title\n1,a,b\n", "several columns named 'title'"),
        ("films.parquet", b"PAR1 and then nothing", "damaged Parquet"),
        ("tags.dat", "1::2\n", "neither movies.dat"),
        ("x.jsonl", '{"name": "Heat"}', "no column for item_id; its columns: name"),
    ],
)
def test_a_file_that_is_no_catalogue_is_named_and_explained(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(CatalogueError, match=message) as caught:
        read_catalogue(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder_are_explained(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="does not exist"):
        read_catalogue(tmp_path / "none.csv")
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_catalogue(tmp_path)


# Titles


@pytest.mark.parametrize(
    ("written", "year", "title", "found_year", "aliases"),
    [
        ("Heat (1995)", None, "Heat", 1995, ()),
        ("Heat (1995)", 1995, "Heat", 1995, ()),
        ("Blade Runner (1982)", 2007, "Blade Runner (1982)", 2007, ()),
        ("2001: A Space Odyssey", 1968, "2001: A Space Odyssey", 1968, ()),
        ("Death Note (2006\u20132007)", None, "Death Note", 2006, ()),
        ("Land Before Time III (1995) (V)", None, "Land Before Time III", 1995, ()),
        ("Matrix, The", 1999, "The Matrix", 1999, ("Matrix, The",)),
        ("Postino, Il", 1994, "Il Postino", 1994, ("Postino, Il",)),
        ("Enfer, L'", 1994, "L'Enfer", 1994, ("Enfer, L'",)),
        ("Good, The Bad and The Ugly, The", 1966, "The Good, The Bad and The Ugly", 1966, None),
        ("Bye Bye, Love", 1995, "Bye Bye, Love", 1995, ()),
        ("Seven (Se7en)", 1995, "Seven", 1995, ("Se7en",)),
        ("Seven (a.k.a. Se7en) (1995)", None, "Seven", 1995, ("Se7en",)),
        (
            "Horseman on the Roof, The (Hussard sur le toit, Le) (1995)",
            None,
            "The Horseman on the Roof",
            1995,
            ("Horseman on the Roof, The", "Le Hussard sur le toit", "Hussard sur le toit, Le"),
        ),
        ("Birdman or (The Unexpected Virtue)", 2014, "Birdman or (The Unexpected Virtue)", 2014, ()),
        ("Kill Bill (Volume 1)", 2003, "Kill Bill (Volume 1)", 2003, ()),
        ("Phone case (black)", None, "Phone case (black)", None, ()),
        ("(1995)", None, "(1995)", None, ()),
    ],
)
def test_titles_are_read_as_people_say_them(
    written: str, year: int | None, title: str, found_year: int | None, aliases: tuple[str, ...] | None
) -> None:
    read = parse_title(written, year)
    assert (read.text, read.year) == (title, found_year)
    assert aliases is None or read.aliases == aliases


@given(st.text(min_size=1).map(str.strip).filter(bool), st.none() | st.integers(1, 2100))
def test_a_title_is_never_lost(written: str, year: int | None) -> None:
    read = parse_title(written, year)
    assert read.text
    assert year is None or read.year == year
    assert read.text not in read.aliases


def test_titles_that_would_become_the_same_keep_what_tells_them_apart(tmp_path: Path) -> None:
    read = read_catalogue(
        write(tmp_path, "shirts.csv", "id,name\n1,Shirt (Small)\n2,Shirt (Large)\n3,Seven (Se7en)\n")
    )
    assert [item.title for item in read.catalogue] == ["Shirt (Small)", "Shirt (Large)", "Seven"]
    assert read.catalogue["1"].aliases == ("Shirt", "Small")


# Cells


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("Sci-Fi|Children's", ("sci-fi", "children's")),
        ("drama; Drama ;", ("drama",)),
        ("a, b|c", ("a, b", "c")),
        ("['War', 'Film-Noir']", ("war", "film-noir")),
        ("[not a list", ("[not a list",)),
        ("(no genres listed)", ()),
        ("unknown", ()),
        (None, ()),
        (["x", None, 3.0], ("x", "3")),
        (("Film-Noir", "Drama"), ("film-noir", "drama")),
    ],
)
def test_lists_come_in_many_forms(cell: object, values: tuple[str, ...]) -> None:
    assert cells.values(cell, lower=True) == values


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("118", 118),
        ("118 min", 118),
        ("1h 58m", 118),
        ("PT1H58M", 118),
        (118.0, 118),
        ("0", None),
        ("", None),
        ("2h", 120),
    ],
)
def test_running_times_come_in_many_forms(cell: object, minutes: int | None) -> None:
    assert cells.minutes(cell) == minutes


@pytest.mark.parametrize("cell", ["1995", 1995, 1995.0, "1995.0", "1995-12-15", "15-Dec-1995", "12/15/1995"])
def test_years_come_in_many_forms(cell: object) -> None:
    assert cells.year(cell) == 1995


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.text())))
def test_no_cell_breaks_the_reader(cell: object) -> None:
    for read in (cells.year, cells.minutes, lambda value: cells.number(value, "popularity")):
        found = None
        with contextlib.suppress(cells.CellError):
            found = read(cell)
        assert found is None or np.isfinite(np.float32(found))
    assert all(value and value == value.lower() for value in cells.values(cell, lower=True))
    assert cells.text(cell, 10).encode("utf-8") is not None


@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_a_csv_holds_its_rows_reconcile(
    tmp_path_factory: pytest.TempPathFactory, rows: list
) -> None:
    written = io.StringIO()
    csv.writer(written).writerows([("item_id", "title"), ("the one", "usable row"), *rows])
    path = write(tmp_path_factory.mktemp("csv"), "films.csv", written.getvalue())
    read = read_catalogue(path)
    assert read.total == len(read.catalogue) + len(read.rejected) == 1 + len(rows)
    assert len(set(read.catalogue.ids)) == len(read.catalogue)
    json.dumps([rejected.value for rejected in read.rejected], ensure_ascii=False).encode("utf-8")


# The catalogue itself

FILMS = Catalogue(
    [
        Item("a", "Heat", year=1995, genres=("crime", "Drama"), minutes=170, directors=("Michael Mann",)),
        Item("b", "Ran", genres=("drama",), popularity=3.0),
        Item(
            "c",
            "Fargo",
            year=1996,
            genres=("crime", "drama"),
            audience="adult",
            attributes=(("studio", "x"),),
        ),
    ]
)


def test_rows_and_arrays_agree() -> None:
    assert FILMS.row("b") == 1
    assert FILMS["c"].title == "Fargo"
    assert "a" in FILMS
    assert "x" not in FILMS
    assert len(FILMS) == 3
    np.testing.assert_array_equal(FILMS.years, np.array([1995, np.nan, 1996], dtype=np.float32))
    np.testing.assert_array_equal(FILMS.minutes, np.array([170, np.nan, np.nan], dtype=np.float32))
    np.testing.assert_array_equal(FILMS.popularity, np.array([0, 3, 0], dtype=np.float32))
    with pytest.raises(ValueError, match="read-only"):
        FILMS.years[0] = 1


def test_values_and_masks_ignore_case() -> None:
    assert FILMS.values("genres") == ("Drama", "crime")
    assert FILMS.values("audience") == ("adult",)
    assert FILMS.mask(Facet("genres", "DRAMA")).tolist() == [True, True, True]
    assert FILMS.mask(Facet("genres", "crime")).tolist() == [True, False, True]
    assert FILMS.mask(Facet("directors", "michael mann")).tolist() == [True, False, False]
    assert not FILMS.mask(Facet("genres", "western")).any()
    with pytest.raises(CatalogueError, match="'colour' is no facet field"):
        FILMS.mask(Facet("colour", "red"))


@pytest.mark.parametrize("item_id", ["nope", None, 6, ["a"]])
def test_an_unknown_item_is_quoted(item_id: object) -> None:
    with pytest.raises(UnknownItemError, match="Unknown item_id"):
        FILMS.row(item_id)  # type: ignore[arg-type]


def test_duplicate_ids_are_refused() -> None:
    with pytest.raises(CatalogueError, match="Duplicate item_id 'a'"):
        Catalogue([Item("a", "Heat"), Item("a", "Ran")])


def test_saving_and_loading_changes_nothing(tmp_path: Path) -> None:
    FILMS.save(tmp_path / "c.jsonl")
    loaded = Catalogue.load(tmp_path / "c.jsonl")
    assert loaded.items == FILMS.items
    assert loaded.fingerprint == FILMS.fingerprint
    assert Catalogue(reversed(FILMS.items)).fingerprint != FILMS.fingerprint


@pytest.mark.parametrize(
    "content", ["{", '{"item_id": "1"}', '{"item_id": "1", "title": "t", "colour": 1}', "[]"]
)
def test_a_damaged_snapshot_is_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(CatalogueError, match="damaged"):
        Catalogue.load(write(tmp_path, "c.jsonl", content))

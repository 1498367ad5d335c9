"""The checker of the starter films: each of its rules can fail."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import CatalogueError
from retrieval.starter.against import Row, compare, read_rows
from retrieval.starter.check import main, movielens_names, report
from retrieval.starter.films import (
    FILMS,
    Film,
    parse_film,
    person_key,
    read_films,
    schema,
    shingles,
    slug,
    title_key,
    vocabulary,
)

WORDS = (
    "A master thief and the driven detective who hunts him circle each other through Los Angeles at "
    "night, two professionals whose devotion to the work has hollowed out everything else."
)
OTHER = (
    "On a quiet farm an orphaned piglet learns to herd sheep with good manners alone, to the delight of the "
    "taciturn farmer and the dismay of animals that know their place."
)


def row(**changes: Any) -> dict[str, Any]:
    """A perfect line, changed; a field changed to None is left out."""
    made = {
        "title": "Heat",
        "year": 1995,
        "genres": ["crime", "thriller"],
        "directors": ["Michael Mann"],
        "cast": ["Al Pacino", "Robert De Niro"],
        "countries": ["united states"],
        "language": "english",
        "minutes": 170,
        "audience": "adult",
        "themes": ["heist", "police", "thief", "cat and mouse"],
        "moods": ["tense", "stylish"],
        "content_notes": ["violence"],
        "description": WORDS,
    } | changes
    if "item_id" not in made and isinstance(made["title"], str) and isinstance(made["year"], int):
        made["item_id"] = slug(made["title"], made["year"])
    return {name: value for name, value in made.items() if value is not None}


def film(number: int = 1, **changes: Any) -> Film:
    parsed = parse_film(json.dumps(row(**changes)), number)
    assert isinstance(parsed, Film), parsed
    return parsed


def faults(**changes: Any) -> list[str]:
    parsed = parse_film(json.dumps(row(**changes)), 7)
    assert not isinstance(parsed, Film)
    assert all(problem.where.startswith("line 7") for problem in parsed)
    return [problem.text for problem in parsed]


def rules(*films: Film, **options: Any) -> list[str]:
    return [problem.rule for problem in report(films, **{"partial": True, **options}).problems]


def test_a_perfect_film_has_no_problem() -> None:
    assert film(movielens_id=273).movielens_ids == (273,)
    assert film(movielens_id=[246, 268]).movielens_ids == (246, 268)
    assert rules(film()) == []


def test_gaps_are_allowed_and_counted() -> None:
    bare = film(directors=None, cast=None, minutes=None, themes=None, moods=None, content_notes=None)
    gaps = report((film(), bare), partial=True).gaps
    assert (gaps["directors"], gaps["themes"], gaps["countries"], gaps["aliases"]) == (1, 1, 0, 2)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"title": None, "item_id": "heat-1995"}, "title is missing"),
        ({"description": None}, "description is missing"),
        ({"director": ["Michael Mann"]}, "'director' is no field of a film"),
        ({"genres": ["Crime"]}, 'genres is "Crime": not in the list of genres (vocabulary.yaml)'),
        ({"themes": ["heist", "police", "thief", "cops"]}, 'themes is "cops": not in the list of themes'),
        ({"moods": ["tense", "cool"]}, 'moods is "cool": not in the list of moods'),
        ({"audience": "kids"}, 'audience is "kids": not in the list of audience'),
        ({"language": "English"}, 'language is "English": not in the list of languages'),
        ({"countries": ["usa"]}, 'countries is "usa": not in the list of countries'),
        ({"content_notes": ["guns"]}, 'content_notes is "guns": not in the list of content_notes'),
        ({"themes": ["heist"]}, 'themes has ["heist"]: it needs at least 4'),
        ({"moods": ["tense", "dark", "epic", "stylish", "eerie"]}, "it may have at most 4"),
        ({"cast": ["Ann", "Ben", "Cid", "Dan", "Eve", "Fay"]}, "it may have at most 5"),
        ({"cast": ["Al Pacino", "Al Pacino"]}, "something twice"),
        ({"directors": []}, "directors has []: it needs at least 1"),
        ({"directors": "Michael Mann"}, 'directors is "Michael Mann": it must be of type array'),
        ({"year": 1894}, "year is 1894: the least is 1895"),
        ({"year": 2026}, "year is 2026: the most is 2025"),
        ({"year": "1995", "item_id": "heat-1995"}, 'year is "1995": it must be of type integer'),
        ({"minutes": True}, "minutes is true: it must be of type integer"),
        ({"minutes": 0}, "minutes is 0: the least is 1"),
        ({"movielens_id": 1683}, "movielens_id is 1683: the most is 1682"),
        ({"movielens_id": [1]}, "movielens_id has [1]: it needs at least 2"),
        ({"item_id": "Heat_1995"}, 'item_id is "Heat_1995": it must match'),
        ({"original_title": ""}, 'original_title is "": it needs 1 characters'),
    ],
)
def test_the_schema_and_the_vocabulary_are_kept(changes: dict[str, Any], fault: str) -> None:
    found = faults(**changes)
    assert len(found) == 1
    assert fault in found[0]


@pytest.mark.parametrize("line", ["{", "[]", "null", "[" * 100_000, '"Heat"'])
def test_a_line_that_is_no_object_is_a_problem(line: str) -> None:
    problems = parse_film(line, 3)
    assert not isinstance(problems, Film)
    assert [problem.where for problem in problems] == ["line 3"]


@given(
    st.dictionaries(
        st.sampled_from(sorted(schema()["properties"])),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.lists(st.text() | st.integers() | st.none()),
    )
)
def test_any_object_is_a_film_or_has_problems(value: dict[str, Any]) -> None:
    parsed = parse_film(json.dumps(value), 1)
    assert isinstance(parsed, Film) or parsed


def test_schema_record_and_vocabulary_speak_of_the_same_fields() -> None:
    fields = {"movielens_id" if name == "movielens_ids" else name for name in Film.__slots__} - {"number"}
    assert fields == set(schema()["properties"])


def test_the_vocabulary_is_clean() -> None:
    lists = vocabulary()
    assert len(lists["genres"]) <= 24
    assert 250 <= len(lists["themes"]) <= 500
    assert 35 <= len(lists["moods"]) <= 45
    assert len(lists["content_notes"]) <= 15
    for name, values in lists.items():
        assert len(set(values)) == len(values), name
        assert all(value == value.lower().strip() for value in values), name
    assert not set(lists["themes"]) & {*lists["moods"], *lists["genres"]}
    assert {"space", "heist", "espionage", "superhero"} <= set(lists["themes"])
    assert {
        "dark",
        "light-hearted",
        "heartwarming",
        "tense",
        "thought-provoking",
        "melancholic",
        "epic",
    } <= set(lists["moods"])


@pytest.mark.parametrize(
    ("title", "year", "item_id"),
    [
        ("Heat", 1995, "heat-1995"),
        ("Amélie", 2001, "amelie-2001"),
        ("Love & Basketball", 2000, "love-and-basketball-2000"),
        ("Ocean's Eleven", 2001, "oceans-eleven-2001"),
        ("8½", 1963, "8-1-2-1963"),
        ("Tár", 2022, "tar-2022"),
        ("Søstre", 1995, "sostre-1995"),
    ],
)
def test_slugs(title: str, year: int, item_id: str) -> None:
    assert slug(title, year) == item_id


def test_spellings_of_one_title_or_name_meet() -> None:
    assert title_key("Matrix, The") == title_key("The Matrix") == "matrix"
    assert title_key("Pride & Prejudice") == title_key("Pride and Prejudice")
    assert title_key("Léon") != title_key("Lion")
    assert title_key("The The") == "the"
    assert person_key("Zhang Yimou") == person_key("Yimou Zhang")
    assert person_key("Park Chan-wook") == person_key("Chan-wook Park")
    assert shingles("One, two three’s four", 3) == {"one two three's", "two three's four"}


def test_each_rule_about_one_film() -> None:
    assert rules(film(item_id="heat-1996")) == ["item_id"]
    assert rules(film(description=" ".join(WORDS.split()[:24]))) == ["words"]
    assert rules(film(description=" ".join(WORDS.split()[:25]))) == []
    assert rules(film(description=" ".join((WORDS + " " + OTHER).split()[:46]))) == ["words"]
    assert rules(film(original_title="Heat")) == ["original_title"]
    assert rules(film(aliases=["Heat"])) == ["aliases"]


def test_duplicates() -> None:
    other = film(2, description=OTHER)
    assert rules(film(), other) == ["duplicate"]
    moved = film(2, title="The Heat", description=OTHER)
    assert rules(film(), moved) == ["duplicate"]
    same_id = film(2, title="Cold", item_id="heat-1995", description=OTHER)
    assert rules(film(), same_id) == ["item_id", "duplicate"]
    remake = film(2, year=2013, description=OTHER)
    assert rules(film(), remake) == []
    foreign = film(2, title="Fuego", aliases=["Heat"], description=OTHER)
    assert rules(film(), foreign) == ["duplicate"]
    namesake = film(2, title="Fuego", aliases=["Heat"], directors=["Someone Else"], description=OTHER)
    assert rules(film(), namesake) == []


def test_descriptions_that_are_nearly_the_same() -> None:
    changed = WORDS.replace("everything else", "all they had")
    assert rules(film(), film(2, title="Cold", description=changed)) == ["alike"]
    assert rules(film(), film(2, title="Cold", description=OTHER)) == []


def test_nobody_directs_for_more_than_seventy_years() -> None:
    def later(year: int) -> Film:
        return film(2, title="Cold", year=year, directors=["Mann, Michael"], description=OTHER)

    early = film(year=1930)
    assert rules(early, later(2000)) == []
    assert rules(early, later(2001)) == ["career"]


def test_links_to_movielens() -> None:
    names = {273: (frozenset({"heat"}), 1995), 510: (frozenset({"magnificent seven"}), 1954)}
    assert rules(film(movielens_id=273), movielens=names) == []
    assert rules(film(movielens_id=510), movielens=names) == ["movielens", "movielens"]  # name and year
    samurai = film(title="Seven Samurai", year=1954, aliases=["The Magnificent Seven"], movielens_id=510)
    assert rules(samurai, movielens=names) == []
    assert rules(film(movielens_id=273, year=1999), movielens=names) == ["movielens"]
    assert rules(film(movielens_id=267)) == ["movielens"]
    twice = film(2, title="Cold", movielens_id=273, description=OTHER)
    assert rules(film(movielens_id=273), twice) == ["movielens"]


def test_totals_are_judged_only_for_the_whole() -> None:
    found = report((film(movielens_id=273),), movielens=None)
    assert found.linked == 1
    counted = [problem.rule for problem in found.problems]
    # Of all themes, four are used by one film of one, the others by none.
    assert counted == ["total", "movielens", *["theme"] * len(vocabulary()["themes"])]
    texts = {problem.where: problem.text for problem in found.problems}
    assert texts["heist"] == "used by 1 films, of at least 5"
    # The placeholder is no film that is missing.
    assert "1680 of its films are not linked: [1, 2, 3" in found.problems[1].text


def test_a_theme_may_not_be_everywhere() -> None:
    films = [film(number, title=f"Heat {number}") for number in range(5)]
    texts = {problem.where: problem.text for problem in report(films).problems if problem.rule == "theme"}
    assert texts["heist"] == "used by 5 films, more than 15%"


def test_the_table_counts_genres_by_decade() -> None:
    films = (film(), film(2, title="Babe", year=1999, genres=["comedy"]), film(3, title="Old", year=1927))
    table = report(films, partial=True).table
    assert (table["all"], table["comedy"], table["western"]) == ({1990: 2, 1920: 1}, {1990: 1}, {})
    assert "3 films, 0 MovieLens numbers linked" in report(films, partial=True).text()


def test_facts_are_compared_with_another_catalogue() -> None:
    films = (
        film(1),
        film(2, title="Amélie", year=2001, directors=["Jean-Pierre Jeunet"], cast=["Audrey Tautou"]),
        film(3, title="Unmatched", year=1950),
        film(4, title="Gap", year=1980, directors=None, cast=None),
    )
    rows = (
        Row("HEAT", 1996, ("Somebody Else",), ("Robert De Niro",), ""),
        Row("Amelie", 2001, ("Jean Pierre Jeunet",), ("Someone",), ""),
        Row("Unmatched", 1952, (), (), ""),
        Row("Gap", 1980, ("Anyone",), ("Anyone",), ""),
    )
    compared = compare(films, rows)
    director, cast, year = compared.agreements
    assert compared.matched == 3
    assert (director.known, len(director.misses)) == (2, 1)
    assert (cast.known, [miss.split(" (")[0] for miss in cast.misses]) == (2, ["Amélie"])
    assert (year.known, len(year.misses)) == (3, 1)
    assert "Heat (1995) (line 1): 1995, there 1996" in compared.text()
    assert [problem.rule for problem in compared.problems(partial=False)] == ["facts"] * 3
    assert compared.problems(partial=True) == ()


def test_of_two_namesakes_the_one_with_our_director_is_compared() -> None:
    rows = (Row("Heat", 1995, ("Other",), (), ""), Row("Heat", 1996, ("Michael Mann",), (), ""))
    assert compare((film(),), rows).agreements[0].misses == ()


def test_six_words_of_a_plot_are_copied_five_are_not() -> None:
    def copied(plot: str) -> int:
        return len(compare((film(),), (Row("Other", None, (), (), plot),)).copied)

    assert copied("Then a MASTER thief and the, driven policeman.") == 1
    assert copied("Then a master thief and the policeman.") == 0


def test_the_command_tells_by_its_exit_code(tmp_path: Path) -> None:
    written: list[str] = []
    path = tmp_path / "films.jsonl"
    path.write_text(json.dumps(row()) + "\n\n", encoding="utf-8")
    assert main([str(path), "--partial"], written.append) == 0
    assert main([str(path)], written.append) == 1
    other = tmp_path / "redial.jsonl"
    plot = {"title": "Heat", "year": 1995, "directors": [], "cast": [], "plot": WORDS}
    other.write_text(json.dumps(plot) + "\n", encoding="utf-8")
    assert main([str(path), "--partial", "--against", str(other)], written.append) == 1
    path.write_text("{}\n", encoding="utf-8")
    assert main([str(path), "--partial"], written.append) == 1
    assert "title is missing" in written[-1]
    assert main([str(tmp_path / "none.jsonl")], written.append) == 2
    assert "none.jsonl" in written[-1]


@pytest.mark.parametrize(
    "text", ["no json", "{}", '{"title": "Heat", "year": 1995, "plot": "", "directors": 3}']
)
def test_a_file_that_is_no_redial_catalogue_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "redial.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"redial\.jsonl.*one object a line"):
        read_rows(path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "films.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogueError, match=r"films\.jsonl"):
        read_films(path)


def test_movielens_is_read_from_the_wheel() -> None:
    names = movielens_names()
    assert names is not None
    assert len(names) == 1682
    assert names[16] == (frozenset({"french twist", "gazon maudit"}), 1995)


def test_the_films_that_ship_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    films, faults = read_films(FILMS)
    found = report(films, movielens=movielens_names())
    redial = Path(os.environ.get("REDIAL", "../shared/data/redial")) / "catalogue.jsonl"
    compared = compare(films, read_rows(redial)) if redial.is_file() else None
    with capsys.disabled():  # the figures are worth seeing in every run
        print(
            "",
            found.text(),
            compared.text() if compared else "(no ReDial catalogue to compare with)",
            sep="\n",
        )
    assert [str(problem) for problem in (*faults, *found.problems)] == []
    assert found.linked == 1681
    assert compared is None or compared.problems(partial=False) == ()

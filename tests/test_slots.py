"""Years, running time, language and audience out of running text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading.slots import Slots, read_slots
from agent.reading.years import read_years
from retrieval.types import Years


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("from the 90s", (1990, 1999)),
        ("a '70s film", (1970, 1979)),
        ("the 2000s", (2000, 2009)),
        ("00s pop", (2000, 2009)),
        ("the eighties", (1980, 1989)),
        ("early 90s", (1990, 1993)),
        ("mid-80s", (1983, 1987)),
        ("late 1970s", (1976, 1979)),
        ("70s or 80s", (1970, 1989)),
        ("los años 80", (1980, 1989)),
        ("des années 60", (1960, 1969)),
        ("after 1995", (1996, None)),
        ("post-1995", (1996, None)),
        ("since 1995", (1995, None)),
        ("1995 or later", (1995, None)),
        ("1995+", (1995, None)),
        ("from 1995 onwards", (1995, None)),
        ("before 1980", (None, 1979)),
        ("pre-1980", (None, 1979)),
        ("until 1980", (None, 1980)),
        ("before the 80s", (None, 1979)),
        ("after the 80s", (1990, None)),
        ("not before 1980", (1980, None)),
        ("nothing after 1980", (None, 1980)),
        ("not older than 1990", (1990, None)),
        ("after 1980 but before 1990", (1981, 1989)),
        ("between 1995 and 1985", (1985, 1995)),
        ("1985 - 1995", (1985, 1995)),
        ("in 1994", (1994, 1994)),
        ("something recent", (1995, None)),
        ("new releases", (1995, None)),
        ("an old movie", (None, 1979)),
        ("not the 80s", None),
        ("nothing from the 90s", None),
        ("not in 1994", None),
        ("nothing too old, a classic feel is not for me", None),
        ("Room 237", None),
        ("in 1,994 rooms", None),
        ("", None),
    ],
)
def test_years(text: str, years: Years | None) -> None:
    assert read_years(text, latest=1999) == years


def test_recent_needs_to_know_the_newest_year() -> None:
    assert read_years("something recent", None) is None


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("under 100 minutes", 100),
        ("at most 90 min", 90),
        ("less than two hours", 120),
        ("under an hour", 60),
        ("under an hour and a half", 90),
        ("no longer than 1.5 hours", 90),
        ("max 2h", 120),
        ("a short film", 100),
        ("not too long", 100),
        ("over 100 minutes", None),
        ("in 100 minutes I leave", None),
        ("a long film", None),
    ],
)
def test_minutes(text: str, minutes: int | None) -> None:
    assert read_slots(text).max_minutes == minutes


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("in French", "french"),
        ("a japanese film", "japanese"),
        ("Spanish-language", "spanish"),
        ("Italian comedies", "italian"),
        ("not in French", None),
        ("no French films", None),
        ("french fries", None),
    ],
)
def test_language(text: str, language: str | None) -> None:
    assert read_slots(text).language == language


@pytest.mark.parametrize(
    ("text", "audience", "refused"),
    [
        ("for the kids", "family", None),
        ("with my 6-year-old", "family", None),
        ("a children's film", "family", None),
        ("kid-friendly", "family", None),
        ("for my teenager", "teen", None),
        ("for adults", "adult", None),
        ("not for kids", None, "family"),
        ("no family movies", None, "family"),
        ("about a family", None, None),
    ],
)
def test_audience(text: str, audience: str | None, refused: str | None) -> None:
    slots = read_slots(text)
    assert (slots.audience, slots.not_audience) == (audience, refused)


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("the ſixties", Slots(years=(1960, 1969))),
        ("nınetıes", Slots(years=(1990, 1999))),
        ("in İtalian", Slots(language="italian")),
        ("under ٩٠ minutes", Slots(max_minutes=90)),
    ],
)
def test_letters_and_digits_of_other_alphabets(text: str, slots: Slots) -> None:
    assert read_slots(text) == slots


@given(low=st.integers(1900, 2029), span=st.integers(1, 60))
def test_a_range_comes_back_as_it_was_written(low: int, span: int) -> None:
    high = min(low + span, 2030)
    for text in (f"between {low} and {high}", f"from {low} to {high}", f"{low}-{high}"):
        assert read_years(text) == (low, high)
    assert read_years(f"after {low}") == (low + 1, None)
    assert read_years(f"before {low}") == (None, low - 1)


@given(minutes=st.integers(10, 999))
def test_a_limit_in_minutes_comes_back_as_it_was_written(minutes: int) -> None:
    assert read_slots(f"under {minutes} minutes").max_minutes == minutes


@given(text=st.text(alphabet="0123456789s'-–. aftbeorundhminlk", max_size=60))
def test_ranges_are_never_the_wrong_way_round(text: str) -> None:
    years = read_years(text, latest=1999)
    assert years is None or years != (None, None)
    if years and None not in years:
        assert years[0] <= years[1]  # type: ignore[operator]


def test_the_languages_of_the_catalogue_are_understood_besides_the_frequent_ones() -> None:
    assert read_slots("something in Hebrew").language is None
    assert read_slots("something in Hebrew", languages={"hebrew"}).language == "hebrew"
    assert read_slots("a Tagalog film", languages={"tagalog", "thai"}).language == "tagalog"
    assert read_slots("it should be in Mandarin", languages={"mandarin"}).language == "chinese"
    assert read_slots("nothing in Thai", languages={"thai"}).language is None

"""Metrics of wording: counted by hand, and what they must not see."""

from __future__ import annotations

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval import text_metrics as metrics


def test_distinct_pairs_over_all_pairs() -> None:
    # the cat, cat sat | the cat, cat ran: three different ones of four.
    assert metrics.distinct_n(["The cat sat.", "the cat ran"]) == 3 / 4
    assert metrics.distinct_n(["a b c d"]) == 1
    assert metrics.distinct_n(["a a a a"]) == 1 / 3
    assert isnan(metrics.distinct_n(["word", ""]))


@given(st.lists(st.text(alphabet="ab ", max_size=12), min_size=1, max_size=4))
def test_saying_it_all_again_never_makes_it_more_varied(texts: list[str]) -> None:
    once = metrics.distinct_n(texts)
    assert isnan(once) or metrics.distinct_n(texts * 2) == pytest.approx(once / 2)


@pytest.mark.parametrize(
    ("word", "count"),
    [("film", 1), ("the", 1), ("movie", 2), ("make", 1), ("table", 2), ("see", 1), ("recommend", 3)],
)
def test_syllables(word: str, count: int) -> None:
    assert metrics.syllables(word) == count


def test_reading_ease_by_hand() -> None:
    # Six words, two sentences, six syllables.
    assert metrics.reading_ease("The cat sat. The dog ran!") == pytest.approx(206.835 - 1.015 * 3 - 84.6)
    # A title is one word, whatever it is called: "I like it."
    long = metrics.reading_ease("I like **Extraordinarily Incomprehensible Ramifications** (1999).")
    assert long == pytest.approx(206.835 - 1.015 * 3 - 84.6)
    assert isnan(metrics.reading_ease("*** 42 ..."))


def test_insults_are_found_as_words_and_never_in_titles() -> None:
    assert metrics.toxic_words("Only an idiot asks. Idiot!") == ("idiot",)
    assert metrics.toxic_words("**Idiot Box** (1996), classic, assessed, Scunthorpe") == ()


@pytest.mark.parametrize(
    ("text", "manners"),
    [
        ("Thanks! Would you like more?", 2),
        ("Here are three films.", 0),
        ("You must choose.", -1),
        ("Sorry, you must choose.", 0),
        ("**Please Don't Eat the Daisies** (1960) is a comedy.", 0),
    ],
)
def test_politeness_counts_kinds_of_marker(text: str, manners: int) -> None:
    assert metrics.politeness(text) == manners

"""Messages in a hurry and in other languages, words that are themes and titles, and what refusals take in."""

from __future__ import annotations

import pytest

from agent.policy import Split, phrase_question, written
from agent.reading.acts import spelt_out
from agent.reading.foreign import is_foreign
from agent.reading.link import Linker
from agent.reading.rules import Context, read_message
from agent.reading.vocabulary import Vocabulary
from agent.state import Reading, apply_reading, refusal
from agent.types import DialogueState, Frame, Preference
from retrieval.catalogue import Catalogue
from retrieval.types import Item

ITEMS = (
    Item("1", "Road Trip", 2000, ("comedy",), themes=("road trip",), moods=("silly",)),
    Item("2", "Stalker", 1979, ("sci-fi",), themes=("stalker",), moods=("melancholic",)),
    Item("3", "Grown Ups", 2010, ("comedy",), moods=("heartbreaking", "bittersweet")),
    Item("4", "Senna", 2010, ("documentary",), content_notes=("violence", "gore")),
    Item("5", "Grease", 1978, ("musical",), directors=("Ann Bell",)),
    Item("6", "Clueless", 1995, ("horror",)),
)
CATALOGUE = Catalogue(ITEMS)
VOCABULARY = Vocabulary(CATALOGUE)
CONTEXT = Context(Linker(CATALOGUE), VOCABULARY, 2020, begun=True)


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        ("a road trip comedy", Frame(want=("road trip", "comedy"))),
        ("road trip", Frame(want=("road trip",))),
        ("i love road trip movies", Frame(want=("road trip",))),
        ("no stalker please", Frame(act="critique", avoid=("stalker",))),
        ("loved road trip", Frame(like=("road trip",))),
        ("something like Road Trip", Frame(like=("Road Trip",))),
        ("stalker (1979) was amazing", Frame(like=("stalker (1979)",))),
        ("stalker was amazing", Frame(like=("stalker",))),
        ("a comedy for us grown-ups", Frame(want=("comedy",), audience="adult")),
        ("loved Grown Ups", Frame(like=("Grown Ups",))),
        ("una commedia senza limiti di anno", Frame(act="critique", want=("commedia",), drop=("years",))),
        ("no year limit, a musical", Frame(act="critique", want=("musical",), drop=("years",))),
        ("without any limit on length", Frame(act="critique", drop=("max_minutes",))),
        ("a comedy without swearing", Frame(want=("comedy",))),
        ("horror i can't stand", Frame(act="critique", avoid=("horror",))),
        ("not really any of these, it should be bittersweet", Frame(want=("bittersweet",))),
        ("not a musical, it must not be silly", Frame(act="critique", avoid=("musical", "silly"))),
        ("show me what you have by Ann Bell", Frame(act="more", people=("Ann Bell",))),
        ("show me what you've got", Frame(act="more")),
        ("clueless was way better than grease", Frame(like=("clueless",), seen=("grease",))),
        ("the songs of Grease did nothing for me", Frame(act="critique", dislike=("Grease",))),
        ("grease bored me", Frame(act="critique", dislike=("grease",))),
        ("we saw Grease last night", Frame(seen=("Grease",))),
        ("höchstens 100 Minuten", Frame(max_minutes=100)),
        ("moins de deux heures", Frame(max_minutes=120)),
        ("aus den 90ern", Frame(years=(1990, 1999))),
        ("b4 1970", Frame(years=(None, 1969))),
        ("from this century", Frame(years=(2001, None))),
        ("ok silly is fine after all", Frame(act="critique", drop=("silly",))),
        ("and undo that as well", Frame(act="undo")),
    ],
)
def test_what_a_message_says(message: str, frame: Frame) -> None:
    assert read_message(message, CONTEXT) == frame


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("y the 2nd one??", "why the 2nd one??"),
        ("Y did u pick this", "why did u pick this"),
        ("y nada", "y nada"),
    ],
)
def test_why_in_one_letter(message: str, said: str) -> None:
    assert spelt_out(message) == said


def test_a_small_word_of_another_language_is_no_title_misspelt() -> None:
    assert read_message("un film senza fine", CONTEXT).like == ()
    assert is_foreign("una commedia senza violenza")
    assert not is_foreign("a comedy without violence")


def test_too_sad_refuses_what_breaks_hearts_but_a_wish_for_it_does_not_ask_for_both() -> None:
    assert [p.value for p in refusal("sad", VOCABULARY, 1)] == ["melancholic", "heartbreaking"]
    wanted = apply_reading(DialogueState(), Reading(Frame(want=("sad",))), VOCABULARY, 1)
    assert [p.value for p in wanted.wants] == ["melancholic"]


def test_a_promise_is_taken_back_by_any_of_its_words() -> None:
    scary = DialogueState(avoids=(Preference("genres", "horror", None, 1),))
    after = apply_reading(scary, Reading(Frame(act="critique", drop=("scary",))), VOCABULARY, 2)
    assert after.avoids == ()


def test_names_keep_their_capitals_in_a_question() -> None:
    assert [written(value) for value in ("new york", "heist", "american dream")] == [
        "New York",
        "heist",
        "American dream",
    ]
    question = phrase_question(Split("themes", ("new york", "heist"), 1.0), None)
    assert question.text == "What should it be about: New York or heist?"
    assert question.options[:2] == ("New York", "heist")

"""What a model says counts only where the message speaks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from small import context, parts, recommender

from agent.reading.agreement import Checks
from agent.reading.evidence import believed, supported
from agent.reading.refine import FAR
from agent.reading.rules import read_message
from agent.reading.scene import Scene
from agent.reading.years import read_years
from agent.recommender import Recommender
from agent.types import Frame

CATALOGUE, LINKER, VOCABULARY = parts()
OPTIONS = Scene(asked="Which mood?", options=("epic", "tense", "bittersweet"))
SHOWN = Scene(("Heat (1995)", "Casino (1995)", "Ronin (1998)"))


def exact(name: str) -> str | None:
    link = LINKER.link(name)
    return link.item_id if link and link.exact else None


CHECKS = Checks(VOCABULARY, exact, lambda name: True)


@pytest.fixture(scope="module")
def films() -> Iterator[Recommender]:
    with recommender() as opened:
        yield opened


@pytest.mark.parametrize(
    ("message", "said", "kept"),
    [
        ("a movie for date night", Frame(years=(2021, None)), Frame()),
        ("something from the 80s", Frame(years=(1980, 1989)), Frame(years=(1980, 1989))),
        ("made around 1987", Frame(years=(1985, 1989)), Frame(years=(1985, 1989))),
        ("I'm 40, surprise me", Frame(audience="adult"), Frame()),
        ("for us grown ups", Frame(audience="adult"), Frame(audience="adult")),
        ("my niece is visiting", Frame(audience="family"), Frame(audience="family")),
        ("more like that but not Korean", Frame(language="korean"), Frame()),
        ("in Korean", Frame(language="korean"), Frame(language="korean")),
        ("it's a tv show", Frame(want=("epic", "tense")), Frame()),
        ("the second", Frame(want=("tense",)), Frame(want=("tense",))),
        ("tense, I guess", Frame(want=("tense",)), Frame(want=("tense",))),
        ("nothing too long", Frame(avoid=("too long",)), Frame(max_minutes=100)),
        ("an hour and a half max", Frame(max_minutes=120), Frame(max_minutes=90)),
        ("something sweet", Frame(max_minutes=100), Frame()),
    ],
)
def test_what_nothing_speaks_for_is_left_out(message: str, said: Frame, kept: Frame) -> None:
    rules = read_message(message, context())
    assert supported(said, rules, message, OPTIONS) == kept


@pytest.mark.parametrize(
    ("message", "said", "kept"),
    [
        (
            "I liked everything by Tom Hanks except Big",
            Frame(like=("Big",), avoid=("Tom Hanks",)),
            Frame(dislike=("Big",), people=("Tom Hanks",)),
        ),
        (
            "I've seen Heat, Casino and Ronin",
            Frame(like=("Heat", "Ronin"), seen=("Casino",)),
            Frame(seen=("Heat", "Casino", "Ronin")),
        ),
        ("I loved Heat, hated Casino", Frame(like=("Heat",)), Frame(like=("Heat",), dislike=("Casino",))),
        ("I don't like Robert De Niro", Frame(dislike=("Robert De Niro",)), Frame(avoid=("Robert De Niro",))),
    ],
)
def test_verdicts_that_cannot_be_misread_stand(message: str, said: Frame, kept: Frame) -> None:
    rules = read_message(message, context())
    assert believed(said, rules, message, Scene(), CHECKS) == kept


@pytest.mark.parametrize(
    ("message", "like"),
    [
        ("thanks a lot, you're great", ()),
        ("ok what should I watch first", ()),
        ("I love the first one", ("Heat (1995)",)),
        ("Heat was wonderful", ("Heat (1995)",)),
    ],
)
def test_praise_of_what_is_shown_points_at_it(message: str, like: tuple[str, ...]) -> None:
    said = Frame(like=("Heat (1995)",))
    rules = replace(read_message(message, context()), like=(), seen=())
    named = believed(said, rules, message.replace("Heat", "Heat (1995)"), SHOWN, CHECKS)
    assert named.like == like


def test_asking_about_a_film_is_no_praise() -> None:
    said = Frame(act="ask_about", like=("Heat",), about=("Heat",))
    assert believed(said, Frame(), "what about Heat?", Scene(), CHECKS).like == ()


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("released in the last 20 years", (2005, None)),
        ("from the past few years", (2020, None)),
        ("of the last two decades", (2005, None)),
        ("something from when I was a kid, I'm 40", (1990, 1999)),
        ("when I was a teenager, I am 40 now", (1997, 2006)),
        ("I'm 40", None),
        ("I have 20 minutes", None),
    ],
)
def test_years_that_count_from_now(text: str, years: tuple[int | None, int | None] | None) -> None:
    assert read_years(text, 2025) == years


@pytest.mark.parametrize(
    ("messages", "reach"),
    [
        (("a thriller", "less famous ones please"), FAR),
        (("a hidden gem",), FAR),
        (("a hidden gem", "more well-known ones"), 0.0),
        (("a thriller",), 0.0),
    ],
)
def test_lesser_known_moves_the_slider(films: Recommender, messages: tuple[str, ...], reach: float) -> None:
    state, query = films.heard([{"role": "user", "content": message} for message in messages])
    assert state.long_tail == query.long_tail == reach
    assert not [p for p in (*state.wants, *state.avoids) if p.kind == "text"]


@pytest.mark.parametrize(
    ("promise", "release"),
    [
        ("a comedy under 100 minutes", "longer than 100 minutes is fine"),
        ("a comedy after 1995", "older is ok"),
        ("a comedy, nothing romantic", "romance is fine after all"),
        ("a comedy, nothing romantic", "romance is fine"),
    ],
)
def test_what_is_fine_is_no_promise(films: Recommender, promise: str, release: str) -> None:
    state = films.heard([{"role": "user", "content": text} for text in (promise, release)])[0]
    assert (state.max_minutes, state.years, state.avoids) == (None, None, ())
    assert [p.value for p in state.wants] == ["comedy"]


def test_consent_drops_nothing(films: Recommender) -> None:
    said = ("a comedy under 110 minutes", "that is fine", "it is ok")
    assert films.heard([{"role": "user", "content": text} for text in said])[0].max_minutes == 110


def test_a_bent_promise_is_explained_once(films: Recommender) -> None:
    chat = films.conversation(user="bent")
    first = chat.send("a western horror film")
    assert first.relaxed
    assert "Nothing here keeps every promise" in first.text
    again = chat.send("show me more")
    if again.relaxed == first.relaxed:
        assert "Still leaving aside" in again.text
    assert again.state.relaxed == again.relaxed


def test_no_subtitles_is_english(films: Recommender) -> None:
    assert (
        films.heard([{"role": "user", "content": "a comedy, nothing with subtitles"}])[0].language
        == "english"
    )


def test_children_come_first_with_the_family(films: Recommender) -> None:
    items = films.recommend([{"role": "user", "content": "something for my kids"}], n=5).items
    childrens = ["children's" in films.item(one.item_id).genres for one in items]
    assert childrens[:3] == [True, True, True]


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ("is it on netflix?", "not where they run"),
        ("no black people movies", "by their skin"),
        ("what a rough day, I broke up with my boyfriend", "I'm sorry"),
    ],
)
def test_what_is_no_wish_is_answered(films: Recommender, message: str, part: str) -> None:
    reply = films.conversation(user=part).send(message)
    assert part in reply.text
    assert not reply.items
    assert (*reply.state.wants, *reply.state.avoids) == ()

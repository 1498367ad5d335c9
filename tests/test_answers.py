"""Turns that answer: one detail of an item, the same director, what is known, languages refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small import parts, recommender

from agent.conversation import Conversation
from agent.details import detail, foremost
from agent.recommender import Recommender
from retrieval.catalogue import Catalogue
from retrieval.popularity import PopularityRetriever
from retrieval.ranker import Ranker
from retrieval.types import Item, Query

CATALOGUE = parts()[0]


@pytest.fixture(scope="module")
def films() -> Iterator[Recommender]:
    with recommender() as opened:
        yield opened


@pytest.fixture
def chat(films: Recommender, request: pytest.FixtureRequest) -> Conversation:
    return films.conversation(user=request.node.name[:150])


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("who directed it?", "*Heat* (1995) was directed by Michael Mann."),
        ("who's in it", "*Heat* (1995) has Al Pacino and Robert De Niro in it."),
        ("how long is it?", "*Heat* (1995) runs 170 minutes."),
        ("when was it made", "*Heat* (1995) is from 1995."),
        ("what language is it in?", "*Heat* (1995) is in English."),
        ("is it ok for kids?", "*Heat* (1995) is for grown-ups."),
        ("what kind of film is it", "*Heat* (1995): crime and thriller."),
        ("tell me more", None),
        ("who directed it and how long is it?", None),
    ],
)
def test_one_thing_asked_is_one_thing_told(question: str, answer: str | None) -> None:
    assert detail(CATALOGUE["heat"], question) == answer


def test_what_the_catalogue_does_not_know_is_not_guessed() -> None:
    assert detail(Item("x", "X"), "who directed it?") == (
        "My catalogue doesn't say that of *X*, so I'd rather not guess."
    )


def test_what_a_child_would_meet_is_said() -> None:
    item = Item("x", "X", audience="teen", content_notes=("violence", "gore"))
    assert detail(item, "is it ok for kids?") == (
        "*X* is for teenagers and up. It does have violence and gore."
    )


@pytest.mark.parametrize(
    ("question", "item_id"),
    [
        ("which of these is the shortest?", "fargo"),
        ("which one is longest", "heat"),
        ("which is the oldest?", "alien"),
        ("which is the most recent?", "fargo"),
    ],
)
def test_the_foremost_of_what_is_on_show(question: str, item_id: str) -> None:
    shown = [CATALOGUE[one] for one in ("heat", "alien", "fargo")]
    assert f"*{CATALOGUE[item_id].title}*" in str(foremost(shown, question))
    assert foremost(shown, "which of these is the best?") is None
    assert foremost([], question) is None


def test_a_conversation_answers_details(chat: Conversation) -> None:
    shown = chat.send("a crime film with Robert De Niro").items
    first = CATALOGUE[shown[0].item_id]
    assert f"directed by {first.directors[0]}" in chat.send("who directed the first one?").text
    shortest = min((CATALOGUE[one.item_id] for one in shown), key=lambda item: item.minutes or 999)
    assert shortest.title in chat.send("which of these is the shortest?").text


def test_the_same_director_is_the_first_ones(chat: Conversation) -> None:
    shown = chat.send("a kidnapping comedy").items
    state = chat.send("something by the same director").state
    assert [p.value for p in state.people] == list(CATALOGUE[shown[0].item_id].directors)


def test_the_same_director_as_of_a_named_film(chat: Conversation) -> None:
    reply = chat.send("something by the same director as Alien")
    assert [p.value for p in reply.state.people] == ["Ridley Scott"]
    assert {one.item_id for one in reply.items} == {"blade"}


def test_what_is_known_is_told(chat: Conversation) -> None:
    assert "Nothing yet" in chat.send("what do you know about me?").text
    chat.send("I loved Heat, hated Casino")
    chat.send("a western under 140 minutes, nothing in French")
    text = chat.send("so what have you learned about me?").text
    for part in ("*Heat* (1995)", "*Casino* (1995)", "western", "up to 140 minutes", "nothing in French"):
        assert part in text


@pytest.mark.parametrize("message", ["a comedy, but not in French", "a comedy but no French films"])
def test_a_language_can_be_refused(films: Recommender, message: str) -> None:
    result = films.recommend([{"role": "user", "content": message}], n=20)
    assert [(p.kind, p.value) for p in result.state.avoids] == [("language", "french")]
    assert {films.item(one.item_id).language for one in result.items} == {"english"}


def test_other_negations_refuse_no_language(films: Recommender) -> None:
    for message in ("a French comedy", "not the French Connection", "no romance, in French"):
        state = films.heard([{"role": "user", "content": message}])[0]
        assert not [p for p in state.avoids if p.kind == "language"], message


def test_seen_is_heard_before_a_question(chat: Conversation) -> None:
    shown = chat.send("an action film from before 1995").items
    reply = chat.send("seen the first one. why the second?")
    assert CATALOGUE[shown[1].item_id].title in reply.text
    assert shown[0].item_id in [p.item_id for p in reply.state.seen]
    assert not reply.state.liked


def test_namesakes_of_what_is_liked_or_not_stay_out() -> None:
    remake = Item("new", "Oldboy", 2013, popularity=9.0)
    others = [Item(str(number), f"Film {number}", 2000, popularity=float(number)) for number in range(5)]
    catalogue = Catalogue([Item("old", "Oldboy", 2003), remake, *others])
    ranker = Ranker(catalogue, [PopularityRetriever(catalogue, None)])
    ids = [one.item_id for one in ranker.rank(Query(), 9).candidates]
    assert {"old", "new"} <= set(ids)
    for query in (Query(liked=("old",)), Query(disliked=("old",))):
        assert "new" not in [one.item_id for one in ranker.rank(query, 9).candidates]
    shown = ranker.rank(Query(exclude=frozenset({"old"})), 9).candidates
    assert "new" in [one.item_id for one in shown]

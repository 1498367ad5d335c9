"""What is told in passing ranks, what is asked for is promised, and remarks on films are neither."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from retriever_contract import FILMS
from small import context, recommender

from agent.reading.passing import in_passing, is_remark, without_remarks
from agent.reading.rules import masked_message
from agent.recommender import Recommender
from agent.state import Reading, apply_reading
from agent.types import DialogueState, Frame, Preference
from retrieval.preferences import DOUBT, doubted, parts
from retrieval.types import Candidate, Constraints, Facet


@pytest.fixture(scope="module")
def films() -> Recommender:
    return recommender()


def heard(films: Recommender, *messages: str) -> DialogueState:
    return films.heard([{"role": "user", "content": message} for message in messages])[0]


def wishes(preferences: Sequence[Preference], firm: bool) -> list[str]:
    return [p.value for p in preferences if p.firm is firm]


@pytest.mark.parametrize(
    ("message", "asked", "told"),
    [
        ("a horror film", ["horror"], []),
        ("horror", ["horror"], []),
        ("I love horror", [], ["horror"]),
        ("i'm a big fan of horror movies", [], ["horror"]),
        ("I love horror, any suggestions?", ["horror"], []),
        ("I love horror. Can you recommend something?", ["horror"], []),
        ("I love horror and comedy. Something from the 90s please", [], ["horror", "comedy"]),
        ("I love horror, thrillers and westerns", [], ["horror", "thrillers", "westerns"]),
        ("My wife enjoys romance but I want a thriller", ["thriller"], ["romance"]),
        ("I'd love a comedy", ["comedy"], []),
        ("I would like to see some sci-fi", ["sci-fi"], []),
        ("I like something with a heist", ["heist"], []),
        ("we usually watch comedies, tonight a drama", ["drama"], ["comedies"]),
        ("I like comedies, but not gross-out comedies", ["comedies"], []),
        ("I usually love horror, but no horror tonight. I want a comedy", ["comedy"], []),
    ],
)
def test_a_request_promises_and_a_taste_does_not(
    films: Recommender, message: str, asked: list[str], told: list[str]
) -> None:
    state = heard(films, message)
    singular = {"thrillers": "thriller", "westerns": "western", "comedies": "comedy"}
    assert wishes(state.wants, True) == [singular.get(word, word) for word in asked]
    assert wishes(state.wants, False) == [singular.get(word, word) for word in told]


@pytest.mark.parametrize(
    ("message", "asked", "told"),
    [
        ("something with Tom Hanks", ["Tom Hanks"], []),
        ("Tom Hanks", ["Tom Hanks"], []),
        ("I like Bill Murray. I like Tom Hanks too", [], ["Bill Murray", "Tom Hanks"]),
        ("Robin Williams was such a great actor", [], ["Robin Williams"]),
        (
            "anything with Tom Hanks, Bill Murray or Kurt Russell?",
            ["Tom Hanks or Bill Murray or Kurt Russell"],
            [],
        ),
        ("something with Tom Hanks and Bill Murray", ["Tom Hanks", "Bill Murray"], []),
    ],
)
def test_people_too(films: Recommender, message: str, asked: list[str], told: list[str]) -> None:
    people = heard(films, message).people
    assert (wishes(people, True), wishes(people, False)) == (asked, told)


@pytest.mark.parametrize(
    "message",
    [
        "Fargo was so funny! it's a comedy classic",
        "it was more of a thriller",
        "I thought that was a horror movie",
        "is it a comedy?",
        "Yes its a classic and one of his best",
        "that one is scary",
        "we live in Paris",
        "i am from brazil, my english is not good",
    ],
)
def test_a_remark_asks_for_nothing(films: Recommender, message: str) -> None:
    state = heard(films, message)
    assert (state.wants, state.years) == ((), None)


@pytest.mark.parametrize(
    "message",
    [
        "it should be a comedy",
        "make it a comedy",
        "it has to be funny, a comedy",
        "something that is a comedy",
    ],
)
def test_a_demand_is_no_remark(films: Recommender, message: str) -> None:
    assert wishes(heard(films, message).wants, True) == ["comedy"]


@pytest.mark.parametrize(
    ("message", "years"),
    [
        ("some classics please", (None, 1979)),
        ("classics like Alien", (None, 1979)),
        ("classics like The Matrix", None),
        ("a cult classic", None),
        ("loved The Matrix, now some classics", (None, 1979)),
    ],
)
def test_old_is_as_old_as_its_examples(
    films: Recommender, message: str, years: tuple[int | None, int | None] | None
) -> None:
    assert heard(films, message).years == years


@pytest.mark.parametrize(
    ("message", "wants", "avoids"),
    [
        ("no horror, a comedy", ["comedy"], ["horror"]),
        ("nothing with horror, a comedy maybe", ["comedy"], ["horror"]),
        ("I hate westerns, comedies are great", ["comedy"], ["western"]),
        ("actually no, thriller", ["thriller"], []),
        ("oops not comedy, I meant drama", ["drama"], ["comedy"]),
        ("not a thriller, a horror or a war film", [], ["thriller", "horror", "war"]),
        ("I want a comedy that's not stupid", ["comedy"], []),
        ("a western that isn't boring", ["western"], []),
        ("I wouldn't mind a comedy", ["comedy"], []),
        ("I have nothing against westerns", ["western"], []),
        ("no rom-coms", [], ["romance"]),
        ("So a comedy then", ["comedy"], []),
        ("it doesn't have to be a comedy", [], []),
    ],
)
def test_a_refusal_goes_no_further_than_it_says(
    films: Recommender, message: str, wants: list[str], avoids: list[str]
) -> None:
    state = heard(films, message)
    assert [p.value for p in state.wants] == wants
    assert [p.value for p in state.avoids] == avoids


@pytest.mark.parametrize(
    ("message", "liked", "disliked"),
    [
        ("My kids loved Toy Story. Anything similar without horror?", ["Toy Story"], []),
        ("Loved Heat! Would like one that is not too long", ["Heat"], []),
        ("Heat was brilliant. Not in the mood for that today", ["Heat"], []),
        ("I loved Heat. Nothing like that but shorter", ["Heat"], []),
        ("I saw Heat. hated it", [], ["Heat"]),
        ("I've seen Heat and didn't like it", [], ["Heat"]),
    ],
)
def test_asking_for_others_takes_no_praise_back(
    films: Recommender, message: str, liked: list[str], disliked: list[str]
) -> None:
    state = heard(films, message)
    assert [p.value for p in state.liked] == liked
    assert [p.value for p in state.disliked] == disliked


@pytest.mark.parametrize(
    ("message", "years"),
    [
        ("I don't want anything made before 1990", (1990, None)),
        ("please avoid films after 1995", (None, 1995)),
        ("no new movies", None),
        ("I'm sick of modern movies", None),
        ("no classics please", None),
        ("not a recent one", None),
    ],
)
def test_years_that_are_refused_are_not_wished_for(
    films: Recommender, message: str, years: tuple[int | None, int | None] | None
) -> None:
    assert heard(films, message).years == years


@pytest.mark.parametrize(
    ("message", "audience"),
    [
        ("something for my 8 year old", "family"),
        ("my 15 year old wants a comedy", "teen"),
        ("I'm a 30 year old man who likes action", None),
        ("a drama with family secrets", None),
        ("something to watch with kids", "family"),
    ],
)
def test_an_age_says_who_watches(films: Recommender, message: str, audience: str | None) -> None:
    assert heard(films, message).audience == audience


def test_a_refusal_outlasts_a_taste_told_in_passing(films: Recommender) -> None:
    state = heard(films, "no horror", "my wife loves horror but I want a thriller")
    assert ([p.value for p in state.wants], [p.value for p in state.avoids]) == (["thriller"], ["horror"])


def test_starting_over_counts_in_a_recorded_dialogue(films: Recommender) -> None:
    assert [p.value for p in heard(films, "a comedy", "start over. a thriller").wants] == ["thriller"]


def test_what_was_said_of_the_long_tail_can_be_undone(films: Recommender) -> None:
    chat = films.conversation(user="undone")
    chat.send("a thriller from the 90s")
    assert chat.send("less famous ones").state.long_tail == 1.0
    after = chat.undo()
    assert (after.long_tail, [p.value for p in after.wants]) == (0.0, ["thriller"])
    chat.set_long_tail(0.4)
    assert chat.undo().long_tail == 0.4


@pytest.mark.parametrize("message", ["forget the no horror rule", "ignore my previous wish, a comedy"])
def test_a_rule_of_ones_own_is_no_attack(films: Recommender, message: str) -> None:
    reply = films.conversation(user=message).send(message)
    assert "one thing" not in reply.text


def test_what_is_told_and_asked_for_later_is_a_promise(films: Recommender) -> None:
    state = heard(films, "I love horror", "a horror film, please")
    assert wishes(state.wants, True) == ["horror"]
    later = apply_reading(
        state, Reading(Frame(want=("horror",)), told=frozenset({"horror"})), films._grounds.vocabulary, 3
    )
    assert wishes(later.wants, True) == ["horror"]


def test_a_taste_leads_and_rules_nothing_out(films: Recommender) -> None:
    items = films.recommend([{"role": "user", "content": "I love westerns"}], n=10).items
    western = ["western" in films.item(one.item_id).genres for one in items]
    assert western == [True, True] + [False] * 8
    promised = films.recommend([{"role": "user", "content": "a western, please"}], n=10).items
    assert {one.item_id for one in promised} == {one.item_id for one in items[:2]}


def test_the_profile_says_what_is_no_promise(films: Recommender) -> None:
    chat = films.conversation(user="profile")
    chat.send("I love horror, but tonight a western with Clint Eastwood")
    labels = {entry.value: entry.label for entry in chat.profile}
    assert labels == {
        "horror": "horror, where possible",
        "western": "western",
        "Clint Eastwood": "Clint Eastwood",
    }


def test_a_reply_speaks_only_of_tastes_that_all_it_shows_have(films: Recommender) -> None:
    chat = films.conversation(user="westerns")
    reply = chat.send("I love westerns and musicals, what is there?", n=3)
    if not reply.items:
        reply = chat.send("surprise me", n=3)
    assert len(reply.items) == 3
    assert "for western" not in reply.text.lower()


def test_the_sources_are_asked_for_what_has_it_and_for_the_rest() -> None:
    horror, comedy = Facet("genres", "horror"), Facet("genres", "comedy")
    kept = Constraints(years=(1990, None))
    assert parts(kept, ()) == (kept,)
    having, lacking = parts(kept, ((horror,), (comedy, horror)))
    assert having == Constraints(require=((horror, comedy),), years=(1990, None))
    assert lacking == Constraints(forbid=(horror, comedy), years=(1990, None))


def test_doubt_grows_with_what_is_missed() -> None:
    ids = [item.item_id for item in FILMS][:6]
    genre = Facet("genres", FILMS[ids[0]].genres[0])
    person = Facet("cast", FILMS[ids[0]].cast[0]) if FILMS[ids[0]].cast else genre
    candidates = [Candidate(item_id, 1.0, rank) for rank, item_id in enumerate(ids, start=1)]
    groups = ((genre,), (person,))
    scores = {one.item_id: one.score for one in doubted(candidates, groups, FILMS)}
    for item_id in ids:
        missed = np.mean([not FILMS.mask(facet)[FILMS.row(item_id)] for (facet,) in groups])
        assert scores[item_id] == pytest.approx(DOUBT**missed)
    assert doubted(candidates, (), FILMS) == candidates
    assert doubted([], groups, FILMS) == []


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            [
                "I love",
                "horror",
                "Heat",
                "was",
                "funny",
                ",",
                "but",
                "something",
                "Tom Hanks",
                "or",
                ".",
                "it is",
                "please",
            ]
        ),
        max_size=12,
    ).map(" ".join)
)
def test_any_text_is_read(text: str) -> None:
    read = context()
    masked, named = masked_message(text, read)
    passing = in_passing(masked, named, read.vocabulary)
    assert passing.told.isdisjoint(passing.remarked)
    blank = without_remarks(masked)
    assert len(blank) == len(masked)
    assert all(a in (b, " ") for a, b in zip(blank, masked, strict=True))


def test_hostile_text_is_read_at_once() -> None:
    import time

    start = time.perf_counter()
    for text in ("that " * 4000, "and so it " * 2000, "\ue000, " * 4000, "really " * 4000):
        is_remark(text)
    assert time.perf_counter() - start < 2

"""What a message changes in the state: the latest word wins, and everything can be taken back."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.plan import to_constraints
from agent.reading.rules import read_message
from agent.reading.vocabulary import Vocabulary
from agent.state import (
    LIST_SLOTS,
    VALUE_SLOTS,
    Linked,
    Reading,
    afresh,
    apply_reading,
    describe_value,
    forget,
    wish,
    with_item,
    with_value,
)
from agent.types import DialogueState, Frame, Preference, Question
from retrieval.catalogue import Catalogue
from retrieval.types import Facet, Item

CATALOGUE, LINKER, VOCABULARY = small.parts()


def item(item_id: str, turn: int | None = 1) -> Preference:
    return Preference("item", CATALOGUE[item_id].title, item_id, turn)


def after(state: DialogueState, frame: Frame, turn: int = 1, **more: bool) -> DialogueState:
    names = dict.fromkeys((*frame.like, *frame.dislike, *frame.seen))
    links = []
    for name in names:
        link = LINKER.link(name)
        links.append(
            Linked(name, link and link.item_id, link.title if link else name, bool(link and link.exact))
        )
    return apply_reading(state, Reading(frame, tuple(links), **more), VOCABULARY, turn)


def said(*messages: str) -> DialogueState:
    state = DialogueState()
    for turn, message in enumerate(messages, 1):
        state = after(state, read_message(message, small.context(begun=turn > 1)), turn)
    return state


def ids(preferences: tuple[Preference, ...]) -> list[str | None]:
    return [p.item_id for p in preferences]


def values(preferences: tuple[Preference, ...]) -> list[str]:
    return [p.value for p in preferences]


class TestWhatIsSaidLaterWins:
    def test_likes_add_up_with_the_turn_that_set_them(self) -> None:
        state = said("I loved Heat", "and I loved Alien")
        assert state.liked == (item("heat", 1), item("alien", 2))
        assert state.turn == 2

    def test_a_like_becomes_a_dislike_and_back(self) -> None:
        state = said("I loved Heat", "I hated Heat")
        assert (state.liked, ids(state.disliked)) == ((), ["heat"])
        state = said("I loved Heat", "I hated Heat", "I loved Heat")
        assert (ids(state.liked), state.disliked) == (["heat"], ())

    def test_seen_goes_with_either_verdict(self) -> None:
        state = said("I've seen Heat", "I loved Heat")
        assert (ids(state.seen), ids(state.liked)) == (["heat"], ["heat"])

    def test_saying_it_again_makes_it_the_latest(self) -> None:
        assert said("I loved Heat", "I loved Alien", "I loved Heat").liked == (
            item("alien", 2),
            item("heat", 3),
        )

    def test_avoiding_takes_back_the_wish_and_wishing_the_refusal(self) -> None:
        state = said("a horror film", "no horror")
        assert (state.wants, state.avoids) == ((), (Preference("genres", "horror", None, 2),))
        state = said("no horror", "a horror film")
        assert (values(state.wants), state.avoids) == (["horror"], ())

    def test_avoiding_one_alternative_leaves_the_other(self) -> None:
        assert values(said("comedy or horror", "no horror").wants) == ["comedy"]
        assert said("comedy or horror", "no comedy or horror").wants == ()

    def test_people_and_their_opposite(self) -> None:
        state = said("with Tom Hanks")
        assert state.people == (Preference("person", "Tom Hanks", None, 1),)
        state = said("with Tom Hanks", "no Tom Hanks")
        assert (state.people, values(state.avoids)) == ((), ["Tom Hanks"])
        state = said("no Tom Hanks", "with tom hanks")
        assert (values(state.people), state.avoids) == (["Tom Hanks"], ())

    def test_limits_replace_each_other_and_remember_their_turn(self) -> None:
        state = said("from the 90s, under 100 minutes", "in French", "from the 80s")
        assert (state.years, state.max_minutes, state.language) == ((1980, 1989), 100, "french")
        assert dict(state.set_on) == {"years": 3, "max_minutes": 1, "language": 2}

    def test_instead_replaces_the_wishes_but_not_the_refusals(self) -> None:
        before = said("a comedy, no horror")
        state = after(before, Frame(want=("western",)), 2, instead=True)
        assert (values(state.wants), values(state.avoids)) == (["western"], ["horror"])

    def test_a_name_the_catalogue_lacks_changes_nothing(self) -> None:
        state = after(DialogueState(), Frame(like=("Zyxxor 9",)))
        assert state == DialogueState(turn=1)


class TestPromises:
    def test_a_theme_that_is_called_one_or_the_other_is_one(self) -> None:
        vocabulary = Vocabulary(
            Catalogue([Item("1", "Doubt", genres=("war", "western"), themes=("nun or priest",))])
        )
        for phrase, group in (
            ("nun or priest", [("themes", "nun or priest")]),
            ("war or western", [("genres", "war"), ("genres", "western")]),
        ):
            state = DialogueState(wants=tuple(wish(phrase, vocabulary, 1)))
            assert to_constraints(state, vocabulary).require == (tuple(Facet(*pair) for pair in group),)
        state = DialogueState(avoids=tuple(wish("nun or priest", vocabulary, 1)))
        assert to_constraints(state, vocabulary).forbid == (Facet("themes", "nun or priest"),)

    def test_chinese_is_what_catalogues_call_chinese_or_mandarin(self) -> None:
        (group,) = to_constraints(DialogueState(language="chinese"), VOCABULARY).require
        assert group == (Facet("language", "chinese"), Facet("language", "mandarin"))
        (group,) = to_constraints(DialogueState(language="french"), VOCABULARY).require
        assert group == (Facet("language", "french"),)


class TestTakingBack:
    def test_a_frame_drops_a_value_and_a_slot(self) -> None:
        state = said("a comedy from the 90s with Tom Hanks under 110 minutes")
        state = after(state, Frame(drop=("comedy", "years")), 2)
        assert (state.wants, state.years, state.max_minutes) == ((), None, 110)
        assert values(state.people) == ["Tom Hanks"]
        assert dict(state.set_on) == {"max_minutes": 1}

    @pytest.mark.parametrize("value", ["heat", "Heat", "HEAT"])
    def test_forget_by_id_or_title_in_any_case(self, value: str) -> None:
        assert forget(DialogueState(liked=(item("heat"), item("alien"))), value).liked == (item("alien"),)

    @pytest.mark.parametrize(
        ("value", "slot"),
        [("years", None), ("years", "years"), ("from 1990 to 1999", None), ("max_minutes", None)],
    )
    def test_forget_a_limit_by_name_or_words(self, value: str, slot: str | None) -> None:
        state = with_value(with_value(DialogueState(), "years", (1990, 1999), 1), "max_minutes", 100, 2)
        left = forget(state, value, slot)  # type: ignore[arg-type]
        assert (left.years is None) != (left.max_minutes is None)
        assert len(left.set_on) == 1

    def test_forget_from_one_slot_only(self) -> None:
        state = DialogueState(liked=(item("heat"),), seen=(item("heat"),))
        assert forget(state, "heat", "seen") == replace(state, seen=())

    def test_forgetting_what_is_not_there_changes_nothing(self) -> None:
        state = said("a comedy from the 90s", "I loved Heat")
        assert forget(state, "opera") == state

    def test_afresh_keeps_verdicts_and_what_was_shown(self) -> None:
        state = DialogueState(
            liked=(item("heat", None), item("alien", 2)),
            disliked=(item("scream", 2),),
            seen=(item("big", 1),),
            wants=(Preference("genres", "comedy", None, 1),),
            years=(1990, None),
            shown=("ronin",),
            asked=("genres",),
            pending=Question("?", "genres"),
            turn=4,
        )
        assert afresh(state) == DialogueState(
            liked=(item("heat", None),),
            disliked=(item("scream", 2),),
            seen=(item("big", 1), item("alien", 2)),  # who praised it here is not to be told of it
            shown=("ronin",),
            turn=4,
        )


@pytest.mark.parametrize(
    ("slot", "value", "words"),
    [
        ("years", (1990, 1999), "from 1990 to 1999"),
        ("years", (1990, 1990), "from 1990"),
        ("years", (1990, None), "from 1990 on"),
        ("years", (None, 1979), "up to 1979"),
        ("max_minutes", 100, "up to 100 minutes"),
        ("language", "french", "in French"),
        ("audience", "family", "for the family"),
        ("audience", "everyone", "everyone"),
    ],
)
def test_limits_in_words(slot: str, value: object, words: str) -> None:
    assert describe_value(slot, value) == words  # type: ignore[arg-type]


NAMES = st.lists(st.sampled_from(["Heat", "Alien", "Big", "Fargo", "Zyxxor"]), max_size=3).map(tuple)
TOPICS = st.lists(
    st.sampled_from(["comedy", "horror", "comedy or horror", "funny", "Tom Hanks", "space"]), max_size=3
)
FRAMES = st.builds(
    Frame,
    like=NAMES,
    dislike=NAMES,
    seen=NAMES,
    want=TOPICS.map(tuple),
    avoid=TOPICS.map(tuple),
    people=st.lists(st.sampled_from(["Tom Hanks", "tom hanks", "Nobody Known"]), max_size=2).map(tuple),
    years=st.sampled_from([None, (1990, None), (1980, 1989)]),
    audience=st.sampled_from([None, "family"]),
    drop=st.lists(st.sampled_from(["comedy", "years", "Heat", "audience"]), max_size=2).map(tuple),
)


@settings(max_examples=150)
@given(frames=st.lists(FRAMES, min_size=1, max_size=5))
def test_no_sequence_of_frames_leaves_the_state_at_odds_with_itself(frames: list[Frame]) -> None:
    state = DialogueState()
    for turn, frame in enumerate(frames, 1):
        state = after(state, frame, turn)
        assert not set(ids(state.liked)) & set(ids(state.disliked))
        for slot in LIST_SLOTS:
            entries = [(p.kind, p.value.casefold(), p.item_id) for p in getattr(state, slot)]
            assert len(set(entries)) == len(entries)
            assert all(p.turn is not None and 1 <= p.turn <= turn for p in getattr(state, slot))
        assert {slot for slot, _ in state.set_on} == {s for s in VALUE_SLOTS if getattr(state, s) is not None}


@given(frame=FRAMES)
def test_forgetting_every_entry_leaves_an_empty_state(frame: Frame) -> None:
    state = after(DialogueState(), frame)
    for slot in LIST_SLOTS:
        for preference in getattr(state, slot):
            state = forget(state, preference.value, slot)
    for slot in VALUE_SLOTS:
        state = forget(state, slot, slot)
    assert state == DialogueState(turn=1)


@given(
    verdicts=st.lists(
        st.tuples(st.sampled_from(["liked", "disliked", "seen"]), st.sampled_from(["heat", "big"]))
    )
)
def test_the_latest_verdict_on_a_card_stands(verdicts: list[tuple[str, str]]) -> None:
    state = DialogueState()
    for slot, item_id in verdicts:
        state = with_item(state, slot, item(item_id))  # type: ignore[arg-type]
    for item_id in ("heat", "big"):
        given_ones = [slot for slot, which in verdicts if which == item_id and slot != "seen"]
        standing = [s for s in ("liked", "disliked") if item_id in ids(getattr(state, s))]
        assert standing == given_ones[-1:]
    assert {f.name for f in fields(state)} >= set(LIST_SLOTS)

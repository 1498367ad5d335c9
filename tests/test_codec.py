"""Records survive their way through JSON, also between older and newer programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.memory.codec import CodecError, dumps, loads, storable
from agent.types import DialogueState, Preference, Question, Reply, Result, Step, Trace
from retrieval.types import Constraints, Facet, Item, Reason, Recommendation

_finite = st.floats(allow_nan=False)
_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
st.register_type_strategy(str, _text)
st.register_type_strategy(float, _finite)


@pytest.mark.parametrize("kind", [Reply, DialogueState, Trace, Item, Constraints, Result])
def test_any_record_comes_back_equal(kind: type) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.builds(kind, **{name: st.from_type(hint) for name, hint in get_type_hints(kind).items()}))
    def check(record: object) -> None:
        assert loads(kind, dumps(record)) == record

    check()


def test_nested_tuples_and_none_are_restored_as_they_were() -> None:
    state = DialogueState(
        liked=(Preference("item", "Heat", "273", 1),),
        years=(2000, None),
        pending=Question("Which?", "genres", ("crime", "drama")),
        set_on=(("years", 2),),
        turn=2,
    )
    reply = Reply(
        "Try *Ronin* (1998).",
        items=(Recommendation("5", "Ronin", 0.5, 1, (Reason("genre", "crime", 1.0),)),),
        state=state,
        trace=Trace(steps=(Step("rank", 0.01, "code"),)),
    )
    restored = loads(Reply, dumps(reply))
    assert restored == reply
    assert restored.state.years == (2000, None)
    assert isinstance(restored.items[0].reasons, tuple)
    assert hash(restored) == hash(reply)


def test_a_field_of_a_newer_program_is_ignored_and_a_missing_one_takes_its_default() -> None:
    text = json.dumps({"text": "hi", "sparkle": {"a": 1}, "state": {"turn": 3, "zodiac": "lion"}})
    assert loads(Reply, text) == Reply("hi", state=DialogueState(turn=3))


def test_a_word_this_program_does_not_know_is_kept() -> None:
    assert loads(Step, '{"name":"rank","seconds":1,"speaker":"oracle"}').speaker == "oracle"


def test_whole_numbers_become_floats_where_seconds_are_meant() -> None:
    seconds = loads(Step, '{"name":"rank","seconds":1,"speaker":"code"}').seconds
    assert (seconds, type(seconds)) == (1.0, float)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not valid JSON"),
        ("[1]", "should be an object"),
        ("{}", "lacks 'kind'"),
        ('{"kind":"item","value":7}', "Preference.value should be str, not '7'"),
        ('{"kind":"item","value":"x","turn":true}', "Preference.turn should be int, not 'True'"),
    ],
)
def test_damaged_text_is_refused_with_the_value(text: str, complaint: str) -> None:
    with pytest.raises(CodecError) as error:
        loads(Preference, text)
    assert complaint in str(error.value)


@pytest.mark.parametrize(("text", "complaint"), [('{"years":[1]}', "2 values"), ('{"years":3}', "list")])
def test_damaged_tuples_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(CodecError, match=complaint):
        loads(DialogueState, text)


def test_what_is_no_record_is_refused() -> None:
    @dataclass(frozen=True)
    class Odd:
        value: object

    with pytest.raises(CodecError, match="Cannot store a set"):
        dumps(Odd({1}))


def test_lone_surrogates_and_nul_are_replaced_and_pairs_joined() -> None:
    assert storable("a\ud800b\0") == "a\ufffdb\ufffd"
    assert storable("\ud83d\ude00") == "😀"
    assert loads(Facet, dumps(Facet("genres", "\udfff"))) == Facet("genres", "\ufffd")


@given(st.text())
def test_storable_text_is_utf8_and_stays_as_it_is(text: str) -> None:
    once = storable(text)
    assert once.encode("utf-8").decode("utf-8") == once == storable(once)
    assert "\0" not in once

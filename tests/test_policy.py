"""When to ask, and what: the expected information of an answer, computed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import small
from hypothesis import given
from hypothesis import strategies as st

from agent import policy
from agent.policy import (
    Anchor,
    Split,
    answer_probabilities,
    best_split,
    choose_question,
    expected_gain,
    in_order,
    should_ask,
)
from agent.state import Reading
from agent.types import DialogueState, Frame, Preference
from retrieval.types import Item

CATALOGUE, _, VOCABULARY = small.parts()


def even(n: int) -> np.ndarray:
    return np.full(n, 1 / n)


class TestExpectedGain:
    def test_an_option_that_halves_two_items_is_one_bit(self) -> None:
        assert expected_gain([["a"], ["b"]], even(2), ["a"]) == pytest.approx(1.0)

    def test_four_items_told_apart_are_two_bits(self) -> None:
        assert expected_gain([["a"], ["b"], ["c"], ["d"]], even(4), ["a", "b", "c"]) == pytest.approx(2.0)

    @pytest.mark.parametrize("options", [["a"], ["z"], []])
    def test_a_question_with_one_possible_answer_tells_nothing(self, options: list[str]) -> None:
        assert expected_gain([["a"], ["a"]], even(2), options) == pytest.approx(0.0)

    def test_an_item_that_fits_two_options_is_noise(self) -> None:
        # H(answer) = H(3/4, 1/4) = .811; the first item answers a or b at random: 1/2 x 1 bit is lost
        assert expected_gain([["a", "b"], ["a"]], even(2), ["a", "b"]) == pytest.approx(
            0.8113 - 0.5, abs=1e-4
        )

    def test_weights_count(self) -> None:
        assert expected_gain([["a"], ["b"]], np.array([0.9, 0.1]), ["a"]) == pytest.approx(0.4690, abs=1e-4)

    def test_probabilities_of_answers(self) -> None:
        table = answer_probabilities([["a"], ["a", "b"], []], ["a", "b"])
        assert table.tolist() == [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]]

    @given(
        labels=st.lists(st.lists(st.sampled_from("abcd"), max_size=3, unique=True), min_size=1, max_size=8),
        options=st.lists(st.sampled_from("abcd"), max_size=4, unique=True),
    )
    def test_it_is_never_negative_nor_more_than_there_is_to_know(
        self, labels: list[list[str]], options: list[str]
    ) -> None:
        gain = expected_gain(labels, even(len(labels)), options)
        assert -1e-9 <= gain <= np.log2(min(len(labels), len(options) + 1)) + 1e-9


class TestBestSplit:
    def test_it_takes_what_tells_most_and_stops_when_nothing_more_does(self) -> None:
        split = best_split("genres", [["a"], ["a"], ["b"], ["b"]], even(4))
        assert (len(split.options), split.gain) == (1, pytest.approx(1.0))

    def test_at_most_four_options(self) -> None:
        split = best_split("genres", [[letter] for letter in "abcdefgh"], even(8))
        assert len(split.options) == 4

    def test_what_all_items_share_is_no_option(self) -> None:
        assert best_split("genres", [["a"], ["a"], ["a"]], even(3)) == Split("genres", (), 0.0)

    def test_nothing_known_is_no_option(self) -> None:
        assert best_split("genres", [[], []], even(2)).options == ()


class TestWhenToAsk:
    nothing = Reading(Frame())

    def test_with_nothing_known_it_asks(self) -> None:
        assert should_ask(DialogueState(turn=1), self.nothing)

    def test_after_one_thing_it_asks_once(self) -> None:
        one = DialogueState(wants=(Preference("genres", "comedy", None, 1),), turn=1)
        assert should_ask(one, self.nothing)
        assert not should_ask(replace(one, asked=("moods",), turn=2), self.nothing)

    def test_two_things_are_enough(self) -> None:
        two = DialogueState(wants=(Preference("genres", "comedy", None, 1),), years=(1990, 1999), turn=1)
        assert not should_ask(two, self.nothing)

    def test_what_an_earlier_conversation_left_is_not_what_is_wanted_now(self) -> None:
        old = DialogueState(liked=(Preference("item", "Heat", "heat", None),) * 2, turn=1)
        assert policy.information(old) == 0
        assert should_ask(old, self.nothing)

    def test_never_from_the_third_turn_on(self) -> None:
        assert should_ask(DialogueState(turn=2), self.nothing)
        assert not should_ask(DialogueState(turn=3), self.nothing)

    def test_never_a_third_question_nor_after_something_was_shown(self) -> None:
        assert not should_ask(DialogueState(turn=2, asked=("moods", "genres")), self.nothing)
        assert not should_ask(DialogueState(turn=1, shown=("heat",)), self.nothing)

    @pytest.mark.parametrize("act", ["more", "accept", "critique"])
    def test_never_when_told_to_get_on_with_it(self, act: str) -> None:
        assert not should_ask(DialogueState(turn=1), Reading(Frame(act=act)))  # type: ignore[arg-type]
        assert not should_ask(DialogueState(turn=1), Reading(Frame(), surprise=True))


class TestWhichQuestion:
    items = tuple(item for item in CATALOGUE if "comedy" in item.genres or "horror" in item.genres)

    def test_decades_are_asked_for_from_the_earliest_on(self) -> None:
        chosen = Split("decade", ("the 2010s", "before 1960", "the 1990s"), 1.0)
        assert in_order(chosen).options == ("before 1960", "the 1990s", "the 2010s")
        assert in_order(replace(chosen, attribute="genres")).options == chosen.options

    def test_nobody_is_asked_how_it_should_feel_who_has_just_said_so(self) -> None:
        items = tuple(
            Item(str(n), "T", moods=(mood,), themes=("heist",))
            for n, mood in enumerate(("tense", "witty", "sad"))
        )
        asked = choose_question(DialogueState(turn=1), items, VOCABULARY, None)
        assert asked is not None
        assert asked.attribute == "moods"
        said = DialogueState(wants=(Preference("moods", "offbeat", None, 1),), turn=1)
        assert choose_question(said, items, VOCABULARY, None) is None

    def test_options_are_values_of_the_candidates_and_surprise_comes_last(self) -> None:
        known = DialogueState(
            people=(Preference("person", "Nobody", None, 1),), asked=("moods", "themes"), turn=1
        )
        question = choose_question(known, self.items, VOCABULARY, None)
        assert question is not None
        assert question.options[-1] == policy.SURPRISE
        for option in question.options[:-1]:
            assert any(
                option in policy.labels_of(item, question.attribute, VOCABULARY) for item in self.items
            )
            assert option in question.text
        assert 2 <= len(question.options) - 1 <= policy.MOST_OPTIONS

    def test_with_nothing_known_it_is_about_moods(self) -> None:
        question = choose_question(DialogueState(turn=1), self.items, VOCABULARY, None)
        assert question is not None
        assert question.attribute == "moods"

    def test_what_was_asked_or_said_is_not_asked_again(self) -> None:
        state = DialogueState(wants=(Preference("genres", "comedy", None, 1),), years=(1990, None), turn=2)
        for asked in ((), ("moods",), ("moods", "themes"), ("moods", "themes", "audience")):
            question = choose_question(replace(state, asked=asked), self.items, VOCABULARY, None)
            if question is not None:
                assert question.attribute not in (*asked, "decade")
                assert "comedy" not in question.options

    def test_an_anchor_is_named_and_offers_its_own_sides_only(self) -> None:
        fargo = CATALOGUE["fargo"]
        near = [item for item in CATALOGUE if item.item_id != "fargo"]
        state = DialogueState(
            liked=(Preference("item", "Fargo", "fargo", 1),), asked=("moods", "decade", "audience")
        )
        question = choose_question(state, near, VOCABULARY, Anchor(fargo, "*Fargo* (1996)"))
        assert question is not None
        assert "*Fargo* (1996)" in question.text
        assert set(question.options[:-1]) <= {*fargo.genres, *fargo.themes}

    def test_candidates_that_are_all_alike_are_not_asked_about(self) -> None:
        same = [Item(str(i), f"Film {i}", 1990, genres=("drama",)) for i in range(9)]
        assert choose_question(DialogueState(turn=1), same, VOCABULARY, None) is None
        assert choose_question(DialogueState(turn=1), [], VOCABULARY, None) is None


def test_decades_as_answers() -> None:
    assert [policy.decade(year) for year in (1927, 1959, 1960, 1999, 2001)] == [
        *("before 1960", "before 1960", "the 1960s", "the 1990s", "the 2000s")
    ]


def test_critiques_name_what_the_rest_has_and_was_not_said() -> None:
    rest = [item for item in CATALOGUE if "comedy" in item.genres]
    state = DialogueState(wants=(Preference("genres", "comedy", None, 1),))
    chips = policy.critiques(state, rest, VOCABULARY)
    assert chips[-1] == "newer"  # from 1988 to 2001
    left = {genre for item in rest for genre in item.genres} - {"comedy"}
    assert {chip.split(" ", 1)[1] for chip in chips[:-1]} <= left
    assert "newer" not in policy.critiques(replace(state, years=(1990, None)), rest, VOCABULARY)


@pytest.mark.parametrize(
    ("values", "text"), [(["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")]
)
def test_lists_in_words(values: list[str], text: str) -> None:
    assert policy.list_or(values) == text

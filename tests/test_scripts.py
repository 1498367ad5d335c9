"""Running scripted dialogues: the runner against an agent that behaves and against broken ones."""

from __future__ import annotations

import pytest

from eval.checks import satisfies
from eval.runner import run_script, run_scripts
from eval.script import ScriptError
from tests.talkers import (
    FILMS,
    ITEMS,
    Asks,
    BreaksConstraints,
    FakeTalker,
    InventsInWords,
    InventsItems,
    Repeats,
    failures,
    run,
    script,
)


class TestRunner:
    GOOD = """
- user: hi
  expect: {asked: true, options: {min: 2}, recommended: false, question_budget: 1, captured: {act: inform}}
- reply_option: 1
  expect: {captured: {liked: [Heat]}, recommended: true, must_not_recommend: [Heat], items: {min: 2, max: 2}}
- feedback: {rank: 1, liked: false}
  expect: {captured: {disliked: [The Fugitive]}, not_captured: {disliked: [Fargo]}}
- user: no horror
  expect:
    captured: {avoids: [Horror], years: null}
    every_item: {not_genres: [horror], any_genre: [action], years: [1995, 1998]}
    new_items: true
    recommend: [Ronin]
    recommend_any: [Heat, Seven]
    relaxed: false
    text_contains: [ronin]
    text_any: [Heat, seven]
    text_not_contains: [scream]
    latency: 5
"""

    def test_a_good_agent_passes(self) -> None:
        result = run(self.GOOD.replace(", any_genre: [action]", ""))
        assert failures(result) == []
        assert result.questions == 1
        assert [turn.message for turn in result.turns] == [
            "hi",
            "Heat",
            "[marks recommendation 1 as disliked]",
            "no horror",
        ]

    def test_one_broken_condition_of_every_item_is_named_with_the_record(self) -> None:
        result = run(self.GOOD)
        (failed,) = [check for turn in result.turns for check in turn.checks if not check.passed]
        assert (failed.name, failed.expected) == ("every_item", "a genre of action")
        assert "Seven (1995): crime/thriller" in failed.got

    @pytest.mark.parametrize(
        ("talker", "names"),
        [
            (Repeats(), {"grounded", "new_items"}),
            (BreaksConstraints(), {"grounded", "every_item"}),
            (InventsItems(), {"grounded", "new_items"}),
            (InventsInWords(), {"grounded"}),
        ],
    )
    def test_a_broken_agent_fails(self, talker: FakeTalker, names: set[str]) -> None:
        turns = (
            "- user: Heat\n- user: no horror\n"
            "  expect: {new_items: true, every_item: {not_genres: [horror]}}\n"
        )
        assert failures(run(turns)) == []
        assert set(failures(run(turns, talker))) == names

    @pytest.mark.parametrize(
        "expectation",
        [
            "captured: {liked: [Fargo]}",
            "captured: {wants: [comedy]}",
            "captured: {years: [1990, 1999]}",
            "captured: {act: more}",
            "not_captured: {liked: any}",
            "not_captured: {liked: [Heat]}",
            "items: {max: 1}",
            "every_item: {genres: [crime]}",
            "every_item: {audience: family}",
            "every_item: {max_minutes: 100}",
            "some_item: {genres: [horror]}",
            "some_item: {genres: [comedy], years: [null, 1995]}",
            "recommend: [Ronin]",
            "recommend_any: [Ronin, Heat]",
            "must_not_recommend: [Fargo]",
            "asked: true",
            "recommended: false",
            "options: {min: 1}",
            "relaxed: true",
            "text_contains: [Ronin]",
            "text_any: [Ronin, Seven]",
            "text_not_contains: [fargo]",
            "latency: 0.0000001",
        ],
    )
    def test_every_expectation_can_fail(self, expectation: str) -> None:
        name = expectation.split(":")[0]
        assert failures(run(f"- user: Heat\n  expect: {{{expectation}}}\n")) == [name]

    def test_n_is_how_many_items_a_reply_may_show(self) -> None:
        turns = "- user: hello\n  expect: {items: {min: 2, max: 2}, recommend: [The Fugitive]}\n"
        assert failures(run(turns)) == []
        one = run_script(script(f"{turns}n: 1\n"), FakeTalker(), FILMS)
        assert failures(one) == ["items", "recommend"]

    @pytest.mark.parametrize(
        ("condition", "films"),
        [
            ("any_theme: [heist, Space]", ["Heat"]),
            ("not_themes: [space]", ["Heat"]),  # of the others no theme is known
            ("not_themes: [heist]", []),
            ("not_notes: [violence]", ["The Fugitive", "Fargo", "Scream", "Ronin", "Seven"]),
            ("person: michael mann", ["Heat"]),
            ("person: Al Pacino", []),
            ("not_person: Michael Mann", []),  # of the others nobody is known
            ("not_person: Al Pacino", ["Heat"]),
            ("any_mood: [dark, tense]", ["Heat"]),
            ("not_moods: [silly]", ["Heat"]),
            ("not_moods: [tense]", []),
        ],
    )
    def test_what_a_rich_record_must_say(self, condition: str, films: list[str]) -> None:
        wanted = script(f"- user: hi\n  expect: {{every_item: {{{condition}}}}}\n").turns[0].expect.every_item
        assert wanted is not None
        assert [item.title for item in ITEMS if satisfies(item, wanted)] == films

    def test_one_item_has_to_keep_all_conditions_of_some_item(self) -> None:
        # shown are The Fugitive (action, thriller, 1993) and Fargo (crime, comedy, 1996)
        good = "- user: Heat\n  expect: {some_item: {genres: [comedy], years: [1996, 1996]}}\n"
        assert failures(run(good)) == []
        (check,) = (c for c in run(good.replace("1996, 1996", "1993, 1993")).turns[0].checks if not c.passed)
        assert check.got == "none of The Fugitive (1993), Fargo (1996)"

    @pytest.mark.parametrize(
        ("expectation", "failed"),
        [
            ("not_asked_about: [genres, moods]", ["not_asked_about"]),
            ("not_asked_about: decade", []),
            ("options_without: heat", ["options_without"]),
            ("options_without: horror", []),  # "no horror" offers none
        ],
    )
    def test_what_a_question_must_not_be_about(self, expectation: str, failed: list[str]) -> None:
        assert failures(run(f"- user: hi\n  expect: {{{expectation}}}\n", Asks())) == failed

    def test_the_question_budget_counts_over_the_script(self) -> None:
        turns = "- user: hi\n  expect: {question_budget: 1}\n- user: hi\n  expect: {question_budget: 1}\n"
        assert failures(run(turns)) == ["question_budget"]

    def test_every_item_of_nothing_fails(self) -> None:
        assert failures(run("- user: hi\n  expect: {every_item: {genres: [crime]}}\n")) == ["every_item"]

    def test_a_crash_fails_its_turn_and_the_script_goes_on(self) -> None:
        result = run(
            "- user: crash\n- user: '  '\n- reply_option: 7\n"
            "- feedback: {rank: 3, liked: true}\n- user: Heat\n"
        )
        assert [turn.passed for turn in result.turns] == [False, False, False, False, True]
        assert result.turns[0].error == "RuntimeError: boom"
        assert "Nothing to read" in str(result.turns[1].error)
        assert "no quick reply 7" in str(result.turns[2].error)
        assert "no recommendation of rank 3; there are 0" in str(result.turns[3].error)

    def test_the_first_quick_replies_are_those_of_the_welcome(self) -> None:
        assert run("- reply_option: Surprise Me\n").turns[0].message == "surprise me"

    def test_undo_forget_and_restart_act_on_the_state(self) -> None:
        turns = (
            "- user: Heat\n- restart: true\n  expect: {captured: {liked: [Heat]}}\n"
            "- undo: true\n  expect: {not_captured: {liked: any}}\n"
            "- user: Fargo\n- forget: Fargo\n  expect: {not_captured: {liked: [Fargo]}}\n"
            "- new_conversation: true\n  expect: {not_captured: {liked: any}}\n"
        )
        talker = FakeTalker()
        assert failures(run(turns, talker)) == []
        assert len(talker.history) == 2
        assert len(set(talker.users)) == 1

    def test_after_an_undo_the_undone_items_may_come_again(self) -> None:
        assert (
            failures(run("- user: Heat\n- undo: true\n- user: Heat\n  expect: {recommend: [The Fugitive]}\n"))
            == []
        )

    def test_what_was_refused_stays_refused_in_a_new_conversation(self) -> None:
        turns = "- user: Heat\n- feedback: {rank: 1, liked: false}\n- new_conversation: true\n- user: more\n"
        assert failures(run(turns)) == ["grounded"]  # this fake agent forgets between conversations

    def test_each_run_has_a_user_nobody_has_met(self) -> None:
        talker = FakeTalker()
        run("- user: hi\n", talker)
        run("- user: hi\n", talker)
        assert len(set(talker.users)) == 2

    def test_unknown_films_are_told_before_anything_runs(self) -> None:
        bad = script(
            "- user: hi\n  expect:\n    recommend: [Heat, The Matrix]\n- feedback: {title: Up, liked: true}\n"
        )
        talker = FakeTalker()
        with pytest.raises(ScriptError, match=r"s\.yaml:7: unknown film 'The Matrix'") as error:
            run_scripts([bad], talker)
        assert len(error.value.problems) == 2
        assert talker.history == {}

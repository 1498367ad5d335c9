"""Scripted dialogues: parsing with exact places of mistakes, the runner against good and broken agents,
the report, the command, and the packaged scripts themselves."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from agent.types import DialogueState, Frame, Preference, ProfileEntry, Question, Reply, Step, Trace
from eval import cli
from eval.checks import satisfies
from eval.grounding import FilmIndex
from eval.machine import machine
from eval.parsing import fitted, load, load_all, parse
from eval.report import by_family, pass_rate, print_report, to_json
from eval.runner import ScriptResult, run_script, run_scripts
from eval.script import (
    FAMILIES,
    PACKAGED,
    Bounds,
    Expect,
    Feedback,
    Film,
    Forget,
    Reopen,
    Say,
    Script,
    ScriptError,
    Tap,
    Undo,
)
from retrieval.errors import TastebudError
from retrieval.types import Item, Recommendation

ITEMS = (
    Item(
        "1",
        "Heat",
        1995,
        genres=("crime", "thriller"),
        directors=("Michael Mann",),
        themes=("heist",),
        moods=("tense",),
        content_notes=("violence",),
    ),
    Item("2", "The Fugitive", 1993, genres=("action", "thriller")),
    Item("3", "Fargo", 1996, genres=("crime", "comedy")),
    Item("4", "Scream", 1996, genres=("horror",)),
    Item("5", "Ronin", 1998, genres=("action", "crime")),
    Item("6", "Seven", 1995, genres=("crime", "thriller")),
)
FILMS = FilmIndex(ITEMS)
KEYS = ["user", "expect", "captured", "years", "liked", "feedback", "rank", "items", "min", "forget", "value"]
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda tree: st.lists(tree, max_size=3) | st.dictionaries(st.sampled_from(KEYS), tree, max_size=4),
    max_leaves=12,
)


class FakeTalk:
    """Knows the titles and "no <genre>"; recommends the next two items in catalogue order; asks on "hi"."""

    def __init__(self, owner: FakeTalker, conversation_id: str) -> None:
        self.owner, self.conversation_id = owner, conversation_id

    @property
    def state(self) -> DialogueState:
        return self.owner.history[self.conversation_id][-1]

    @property
    def profile(self) -> tuple[ProfileEntry, ...]:
        return tuple(ProfileEntry("liked", p.value, p.value, item_id=p.item_id) for p in self.state.liked)

    def _set(self, state: DialogueState) -> DialogueState:
        self.owner.history[self.conversation_id].append(state)
        return state

    def send(self, text: str, n: int) -> Reply:
        state = self._understand(text)
        if text == "crash":
            raise RuntimeError("boom")
        if not text.strip():
            raise TastebudError(f"Nothing to read in {text!r}.")
        if text == "hi":
            self._set(state)
            return Reply(
                "A film you love?", question="A film you love?", options=("Heat", "no horror"), state=state
            )
        ids = self.owner.choose(state)[:n]
        state = self._set(replace(state, shown=state.shown + ids, last_shown=ids))
        items = tuple(Recommendation(i, self.owner.title(i), 1.0, at) for at, i in enumerate(ids, start=1))
        named = " and ".join(f"*{item.title}*" for item in items)
        steps = (Step("respond", 0.0, "template", "2 candidates"),)
        return Reply(self.owner.words(named), items, state=state, trace=Trace(steps, Frame(), 0.01, 0.02))

    def _understand(self, text: str) -> DialogueState:
        state = replace(self.state, turn=self.state.turn + 1)
        for item in ITEMS:
            if item.title in text:
                state = replace(
                    state, liked=(*state.liked, Preference("item", item.title, item.item_id, state.turn))
                )
        if text.startswith("no "):
            state = replace(state, avoids=(*state.avoids, Preference("genres", text[3:], turn=state.turn)))
        return state

    def feedback(self, item_id: str, liked: bool | None = None, seen: bool = False) -> DialogueState:
        slot = "seen" if seen else "liked" if liked else "disliked"
        entry = Preference("item", self.owner.title(item_id), item_id)
        return self._set(replace(self.state, **{slot: (*getattr(self.state, slot), entry)}))

    def undo(self) -> DialogueState:
        self.owner.history[self.conversation_id].pop()
        return self.state

    def forget(self, value: str, slot: str | None = None) -> DialogueState:
        return self._set(replace(self.state, liked=tuple(p for p in self.state.liked if p.value != value)))


class FakeTalker:
    """A well-behaved agent over six films; the broken ones below override one habit each."""

    catalogue = ITEMS
    welcome = Reply("Hello!", options=("surprise me", "hi"))

    def __init__(self) -> None:
        self.history: dict[str, list[DialogueState]] = {}
        self.users: list[str] = []

    def conversation(self, user: str, conversation_id: str | None = None) -> FakeTalk:
        if conversation_id is None:
            conversation_id = f"c{len(self.history)}"
            self.history[conversation_id] = [DialogueState()]
            self.users.append(user)
        return FakeTalk(self, conversation_id)

    def title(self, item_id: str) -> str:
        return next((item.title for item in ITEMS if item.item_id == item_id), "Collateral")

    def words(self, named: str) -> str:
        return f"Try {named}."

    def choose(self, state: DialogueState) -> tuple[str, ...]:
        known = {p.item_id for p in (*state.liked, *state.disliked, *state.seen)} | set(state.shown)
        avoided = {p.value for p in state.avoids}
        return tuple(i.item_id for i in ITEMS if i.item_id not in known and avoided.isdisjoint(i.genres))[:2]


class Repeats(FakeTalker):
    def choose(self, state: DialogueState) -> tuple[str, ...]:
        return super().choose(replace(state, shown=()))


class BreaksConstraints(FakeTalker):
    def choose(self, state: DialogueState) -> tuple[str, ...]:
        return super().choose(replace(state, avoids=()))


class InventsItems(FakeTalker):
    def choose(self, state: DialogueState) -> tuple[str, ...]:
        return (*super().choose(state)[:1], "404")


class Asks(FakeTalker):
    """Its question is about moods."""

    def conversation(self, user: str, conversation_id: str | None = None) -> FakeTalk:
        talk = super().conversation(user, conversation_id)
        send = talk.send

        def asking(text: str, n: int) -> Reply:
            reply = send(text, n)
            state = replace(reply.state, pending=Question("A film you love?", "moods"))
            return replace(reply, state=state)

        talk.send = asking  # type: ignore[method-assign]
        return talk


class InventsInWords(FakeTalker):
    def words(self, named: str) -> str:
        return f"Try {named}, or *The Matrix* (1999)."


def script(turns: str, head: str = "name: s\nfamily: eliciting\ndescription: d\n") -> Script:
    return parse(f"{head}turns:\n{turns}", Path("s.yaml"))


def run(turns: str, talker: FakeTalker | None = None) -> ScriptResult:
    return run_script(script(turns), talker or FakeTalker(), FILMS)


def failures(result: ScriptResult) -> list[str]:
    return [check.name for turn in result.turns for check in turn.checks if not check.passed]


class TestParsing:
    def test_every_kind_of_step(self) -> None:
        steps = script(
            "- user: no\n- reply_option: 2\n- reply_option: both\n- feedback: {rank: 1, liked: false}\n"
            "- feedback: {title: Heat, seen: true}\n- undo: true\n- forget: comedy\n"
            "- forget: {value: Heat, slot: liked}\n- restart: true\n- new_conversation: true\n"
        ).turns
        assert [turn.action for turn in steps] == [
            Say("no"),
            Tap(2),
            Tap("both"),
            Feedback(rank=1, liked=False),
            Feedback(film=Film("Heat", 9), seen=True),
            Undo(),
            Forget("comedy"),
            Forget("Heat", "liked"),
            Reopen(),
            Reopen(fresh=True),
        ]
        assert [turn.line for turn in steps] == list(range(5, 15))

    def test_expectations_keep_types_and_lines(self) -> None:
        expect = (
            script(
                "- user: hi\n  expect:\n"
                "    captured: {liked: Heat, wants: [[comedy, funny], crime], years: [null, 1979]}\n"
                "    not_captured: {avoids: any}\n    items: {min: 2}\n"
                "    text_any: [yes, 1995]\n    latency: 2.5\n"
            )
            .turns[0]
            .expect
        )
        liked, wants, years = expect.captured
        assert liked.films == (Film("Heat", 7),)
        assert wants.words == (("comedy", "funny"), ("crime",))
        assert years.value == (None, 1979)
        assert expect.not_captured[0].anything
        assert expect.items == Bounds(2, None)
        assert expect.text_any == ("yes", "1995")
        assert (expect.latency, expect.grounded) == (2.5, True)

    @pytest.mark.parametrize(
        ("turns", "message"),
        [
            ("- usr: hi", "s.yaml:5: unknown key 'usr' in a turn; did you mean 'user'?"),
            (
                "- user: hi\n  expect: {capturd: {}}",
                "s.yaml:6: unknown key 'capturd' in expect; did you mean 'captured'",
            ),
            ("- user: hi\n  expect:\n    asked: maybe", "s.yaml:7: expected true or false, got 'maybe'"),
            (
                "- user: hi\n  expect: {items: 3}",
                "s.yaml:6: expected min/max: a mapping with min, max, got '3'",
            ),
            ("- user: hi\nn: 0", "s.yaml:6: expected a whole number from 1, got '0'"),
            ("- user: hi\n  expect: {items: {min: 3, max: 2}}", "expected min up to max, not 3 and 2"),
            (
                "- user: hi\n  expect: {items: {min: -1}}",
                "s.yaml:6: expected a whole number from 0, got '-1'",
            ),
            ("- user: hi\n  expect: {captured: {years: 1995}}", "expected [first year, last year]"),
            ("- user: hi\n  expect: {captured: {years: [1999, 1990]}}", "the first year before the last"),
            ("- user: hi\n  expect: {captured: {act: sing}}", "expected one of inform, critique"),
            ("- user: hi\n  expect: {every_item: {}}", "at least one condition"),
            ("- user: hi\n  expect: {recommend: []}", "at least one value"),
            ("- user: hi\n  expect: {asked: true, asked: false}", "key 'asked' is given twice"),
            ("- user: hi\n  expect: {latency: fast}", "a number of seconds"),
            ("- user: hi\n  expect: {latency: .inf}", "a number of seconds"),
            ("- user: hi\n  undo: true", "exactly one of user, reply_option"),
            ("- expect: {asked: true}", "exactly one of user, reply_option"),
            (
                "- undo: true\n  expect: {asked: true}",
                "unknown key 'asked' in expect (this step has no reply)",
            ),
            ("- undo: false", "expected true (leave the line out otherwise)"),
            ("- feedback: {liked: true}", "feedback with either title or rank"),
            ("- feedback: {rank: 1}", "feedback with liked: true, liked: false or seen: true"),
            ("- feedback: {rank: 0, liked: true}", "expected a whole number from 1"),
            ("- forget: {slot: liked}", "forget with a value"),
            ("- user:", "expected text, got nothing"),
            ("- user: [a, b]", "expected text, got a list"),
            ("- user: hi\n  expect: {some_item: {mood: dark}}", "s.yaml:6: unknown key 'mood' in some_item"),
            ("- user: hi\n  expect: {not_asked_about: weather}", "expected one of moods, themes, genres"),
        ],
    )
    def test_a_mistake_is_told_with_its_line(self, turns: str, message: str) -> None:
        with pytest.raises(ScriptError) as error:
            script(turns)
        assert message in str(error.value)
        assert "s.yaml:" in str(error.value)

    @pytest.mark.parametrize(
        ("family", "message"),
        [
            ("criticing", "expected one of eliciting, describing, .*; did you mean 'critiquing'[?], got"),
            ("[why, undo]", "expected text, got a list"),
            ("", "expected text, got nothing"),
        ],
    )
    def test_a_family_that_is_none(self, family: str, message: str) -> None:
        with pytest.raises(ScriptError, match=rf"^s\.yaml:2: {message}"):
            script("- user: hi\n", f"name: s\nfamily: {family}\ndescription: d\n")

    def test_all_mistakes_are_told_at_once(self) -> None:
        with pytest.raises(ScriptError) as error:
            parse(
                "name: s\nfamily: singing\nturns:\n- usr: hi\n- user: hi\n  expect: {aksed: true}\n",
                Path("s.yaml"),
            )
        assert [problem.split(":")[1] for problem in error.value.problems] == ["2", "4", "6"]

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("", "the file is empty"),
            ("name: s\nfamily: why\n", "missing description, turns"),
            ("- a\n- b\n", "a script: a mapping with name"),
            ("name: [s\n", "not YAML"),
            ("name: s\x00\n", "not YAML"),
            ("name: s\nfamily: why\ndescription: d\nturns: hi\n", "s.yaml:4: expected a list of turns"),
            ("name: s\nfamily: why\ndescription: d\nturns: &a [*a]\n", "a turn: a mapping"),
        ],
    )
    def test_a_file_that_is_no_script(self, source: str, message: str) -> None:
        with pytest.raises(ScriptError, match=r"s\.yaml:\d+: ") as error:
            parse(source, Path("s.yaml"))
        assert message in str(error.value)

    def test_files_that_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "bytes.yaml").write_bytes(b"name: \xff\xfe\n")
        (tmp_path / "big.yaml").write_bytes(b"#" * 1_000_001)
        with pytest.raises(ScriptError) as error:
            load_all([tmp_path, tmp_path / "none.yaml"])
        assert [p.rsplit("/", 1)[1].split(":")[0] for p in error.value.problems] == [
            "big.yaml",
            "bytes.yaml",
            "none.yaml",
        ]
        (tmp_path / "empty").mkdir()
        with pytest.raises(ScriptError, match=r"holds no \*\.yaml"):
            load_all([tmp_path / "empty"])

    def test_two_scripts_of_one_name(self, tmp_path: Path) -> None:
        for name in ("a.yaml", "b.yaml"):
            (tmp_path / name).write_text("name: s\nfamily: why\ndescription: d\nturns: [{user: hi}]\n")
        with pytest.raises(ScriptError, match=r"b\.yaml: the name 's' is used twice"):
            load_all([tmp_path])

    @given(st.text(max_size=200))
    def test_any_text_is_a_script_or_a_script_error(self, source: str) -> None:
        try:
            parse(source, Path("s.yaml"))
        except ScriptError as error:
            assert error.problems  # noqa: PT017 - either way is right

    @given(TREES)
    def test_any_tree_of_turns_is_a_script_or_a_script_error(self, tree: object) -> None:
        source = json.dumps({"name": "s", "family": "why", "description": "d", "turns": tree})
        try:
            parse(source, Path("s.yaml"))
        except ScriptError as error:
            assert all(problem.startswith("s.yaml:1:") for problem in error.problems)  # noqa: PT017


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


class TestReport:
    def results(self) -> tuple[ScriptResult, ...]:
        good, bad = (
            script("- user: hi\n"),
            replace(script('- user: "[red]\\uD800"\n  expect: {asked: true}\n'), name="b"),
        )
        return run_scripts([good, bad], FakeTalker())

    def test_the_table_counts_and_the_failures_are_spelled_out(self) -> None:
        out = io.StringIO()
        print_report(self.results(), Console(file=out, width=140), "title")
        assert "1 of 2 scripts passed" in out.getvalue()
        assert "FAILED asked: expected a question; got no question" in out.getvalue()
        assert "s.yaml:5  user: '[red]\\ud800'" in out.getvalue()

    def test_families_have_their_pass_rates(self) -> None:
        good, bad = self.results()
        of_why = replace(bad, script=replace(bad.script, family="why"))
        eliciting, why = by_family((of_why, good, bad, good))
        assert (eliciting.family, eliciting.scripts, eliciting.scripts_passed) == ("eliciting", 3, 2)
        assert (eliciting.turns, eliciting.turns_passed) == (3, 2)
        assert (eliciting.checks, eliciting.checks_held) == (7, 6)  # answered and grounded, and what b asks
        assert (why.family, why.scripts_passed, why.scripts) == ("why", 0, 1)
        out = io.StringIO()
        print_report((of_why, good, bad, good), Console(file=out, width=140), "title")
        (line,) = (line for line in out.getvalue().splitlines() if line.split()[:2] == ["eliciting", "2/3"])
        assert line.split() == ["eliciting", "2/3", "67%", "21%", "to", "94%", "2/3", "6/7"]

    def test_the_interval_of_four_passes_does_not_flatter(self) -> None:
        # Wilson with z = 1.96: 1 / (1 + z^2 / 4) = 0.510; of 1 in 2: (0.5 + z^2 / 4 -+ ...) = 0.0945, 0.9055
        four, half = pass_rate(4, 4), pass_rate(1, 2)
        assert (four.value, round(four.low, 3), four.high) == (1.0, 0.510, 1.0)
        assert (half.value, round(half.low, 4), round(half.high, 4)) == (0.5, 0.0945, 0.9055)
        with pytest.raises(ValueError):
            pass_rate(0, 0)

    def test_verbose_prints_transcripts_of_what_passed(self) -> None:
        out = io.StringIO()
        print_report(self.results(), Console(file=out, width=140), "title", verbose=True)
        assert "reply: A film you love?" in out.getvalue()

    def test_json_has_transcripts_speakers_and_medians(self) -> None:
        data = json.loads(json.dumps(to_json(self.results(), machine(), "none")))
        assert (data["passed"], data["scripts"], data["llm"]) == (1, 2, "none")
        turn = data["results"][1]["turns"][0]
        assert turn["reply"]["steps"][0]["speaker"] == "template"
        assert turn["reply"]["items"][0] == {"item_id": "1", "title": "Heat", "rank": 1}
        assert data["median_turn_seconds"] > 0
        assert data["families"]["eliciting"]["pass_rate"] == 0.5
        assert data["families"]["eliciting"]["scripts"] == 2


class TestCommand:
    @pytest.fixture
    def call(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
        @contextmanager
        def opened(workspace: Path | None, llm: str) -> Iterator[FakeTalker]:
            if llm == "nonsense":
                raise TastebudError("No such model: 'nonsense'.")
            yield FakeTalker()

        monkeypatch.setattr(cli, "opened", opened)

        def call(*arguments: object) -> tuple[int, str]:
            result = CliRunner().invoke(cli.app, ["scripts", *map(str, arguments)])
            assert result.exception is None or isinstance(result.exception, SystemExit)
            return result.exit_code, result.output

        return call

    def write(self, folder: Path, turns: str) -> Path:
        path = folder / "s.yaml"
        path.write_text(f"name: s\nfamily: why\ndescription: d\nturns:\n{turns}")
        return path

    def test_a_pass_is_0_and_writes_json(self, call: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
        code, output = call(self.write(tmp_path, "- user: Heat\n"), "--json", tmp_path / "out.json")
        assert (code, "1 of 1 scripts passed" in output) == (0, True)
        assert json.loads((tmp_path / "out.json").read_text())["passed"] == 1

    def test_a_failed_expectation_is_1(self, call: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
        code, output = call(self.write(tmp_path, "- user: Heat\n  expect: {asked: true}\n"))
        assert (code, "FAILED asked" in output) == (1, True)

    @pytest.mark.parametrize("turns", ["- usr: hi\n", "- user: hi\n  expect: {recommend: [The Matrix]}\n"])
    def test_a_malformed_script_is_2_with_its_place(
        self, call: Callable[..., tuple[int, str]], tmp_path: Path, turns: str
    ) -> None:
        code, output = call(self.write(tmp_path, turns))
        assert code == 2
        assert "s.yaml:" in output
        assert "Traceback" not in output

    def test_packaged_scripts_that_do_not_fit_a_workspace_are_left_out_and_named(
        self, call: Callable[..., tuple[int, str]], tmp_path: Path
    ) -> None:
        code, output = call("--workspace", tmp_path)  # ITEMS have one director and one mood in all
        assert code == 1
        left_out = [line for line in output.splitlines() if line.startswith("left out")]
        assert any("any-mood.yaml:7: this catalogue has no more mood among" in line for line in left_out)
        assert "scripts passed" in output

    def test_a_script_of_ones_own_that_does_not_fit_is_2(
        self, call: Callable[..., tuple[int, str]], tmp_path: Path
    ) -> None:
        path = tmp_path / "s.yaml"
        path.write_text(
            "name: s\nfamily: why\ndescription: d\ngiven: {m: {language: any}}\nturns: [{user: $m}]\n"
        )
        code, output = call(path)
        assert (code, "s.yaml:4: this catalogue has no language for $m" in output) == (2, True)

    def test_what_cannot_be_opened_or_written_is_2(
        self, call: Callable[..., tuple[int, str]], tmp_path: Path
    ) -> None:
        path = self.write(tmp_path, "- user: Heat\n")
        assert call(path, "--llm", "nonsense") == (2, "Error: No such model: 'nonsense'.\n")
        code, output = call(path, "--json", tmp_path / "no" / "out.json")
        assert (code, "Cannot write" in output) == (2, True)
        assert call(tmp_path / "none.yaml")[0] == 2


class TestPackagedScripts:
    @pytest.fixture(scope="class")
    def scripts(self) -> tuple[Script, ...]:
        return load_all([PACKAGED])

    @pytest.fixture(scope="class")
    def catalogue(self) -> Iterable[Item]:
        from retrieval.starter import starter_sources

        return starter_sources().catalogue_read.catalogue

    def test_sixty_and_more_with_four_of_every_family(self, scripts: tuple[Script, ...]) -> None:
        assert len(scripts) == 68
        families = Counter(script.family for script in scripts)
        assert families.keys() == set(FAMILIES)
        assert min(families.values()) >= 4
        assert all(script.path.stem == script.name for script in scripts)

    def test_fifteen_name_films_that_must_be_among_the_first_ten(self, scripts: tuple[Script, ...]) -> None:
        rich = [script for script in scripts if script.name.startswith("rich-")]
        assert len(rich) == 15
        for script in rich:
            assert script.n == 10
            assert any(t.expect.recommend or t.expect.recommend_any for t in script.turns), script.name

    def test_each_demands_something_of_every_answer_and_recommendations_of_one(
        self, scripts: tuple[Script, ...]
    ) -> None:
        for script in scripts:
            said = [turn for turn in script.turns if isinstance(turn.action, Say | Tap)]
            assert len(said) >= 2, script.name
            assert [turn.line for turn in said if turn.expect == Expect()] == [], script.name
            insists = (t.expect.recommended or t.expect.new_items or t.expect.recommend for t in said)
            assert any(insists), script.name

    def test_their_films_are_in_the_starter_catalogue(
        self, scripts: tuple[Script, ...], catalogue: Iterable[Item]
    ) -> None:
        fitting, problems = fitted(scripts, FilmIndex(catalogue))
        assert problems == ()
        assert len(fitting) == len(scripts)

    def test_what_they_demand_of_every_item_can_be_met(
        self, scripts: tuple[Script, ...], catalogue: Iterable[Item]
    ) -> None:
        for script in fitted(scripts, FilmIndex(catalogue))[0]:
            for turn in script.turns:
                for wanted in (turn.expect.every_item, turn.expect.some_item):
                    if wanted is not None:
                        can = sum(satisfies(item, wanted) for item in catalogue)
                        assert can >= 6, (script.name, turn.line)

    def test_a_packaged_script_reads_back(self) -> None:
        assert load(PACKAGED / "one-film.yaml").turns[0].action == Say("something like Heat?")

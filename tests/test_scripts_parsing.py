"""Scripted dialogues as files: parsing with exact places of mistakes, and the packaged scripts themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.checks import satisfies
from eval.grounding import FilmIndex
from eval.parsing import fitted, load, load_all, parse
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
from retrieval.types import Item
from tests.talkers import script

KEYS = ["user", "expect", "captured", "years", "liked", "feedback", "rank", "items", "min", "forget", "value"]
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda tree: st.lists(tree, max_size=3) | st.dictionaries(st.sampled_from(KEYS), tree, max_size=4),
    max_leaves=12,
)


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


class TestPackagedScripts:
    @pytest.fixture(scope="class")
    def scripts(self) -> tuple[Script, ...]:
        return load_all([PACKAGED])

    @pytest.fixture(scope="class")
    def catalogue(self) -> Iterable[Item]:
        from retrieval.starter import starter_sources

        return starter_sources().catalogue_read.catalogue

    def test_sixty_and_more_with_four_of_every_family(self, scripts: tuple[Script, ...]) -> None:
        assert len(scripts) == 72
        families = Counter(one.family for one in scripts)
        assert families.keys() == set(FAMILIES)
        assert min(families.values()) >= 4
        assert all(one.path.stem == one.name for one in scripts)

    def test_fifteen_name_films_that_must_be_among_the_first_ten(self, scripts: tuple[Script, ...]) -> None:
        rich = [one for one in scripts if one.name.startswith("rich-")]
        assert len(rich) == 15
        for one in rich:
            assert one.n == 10
            assert any(t.expect.recommend or t.expect.recommend_any for t in one.turns), one.name

    def test_each_demands_something_of_every_answer_and_recommendations_of_one(
        self, scripts: tuple[Script, ...]
    ) -> None:
        for one in scripts:
            said = [turn for turn in one.turns if isinstance(turn.action, Say | Tap)]
            assert len(said) >= 2, one.name
            assert [turn.line for turn in said if turn.expect == Expect()] == [], one.name
            insists = (t.expect.recommended or t.expect.new_items or t.expect.recommend for t in said)
            assert any(insists), one.name

    def test_their_films_are_in_the_starter_catalogue(
        self, scripts: tuple[Script, ...], catalogue: Iterable[Item]
    ) -> None:
        fitting, problems = fitted(scripts, FilmIndex(catalogue))
        assert problems == ()
        assert len(fitting) == len(scripts)

    def test_what_they_demand_of_every_item_can_be_met(
        self, scripts: tuple[Script, ...], catalogue: Iterable[Item]
    ) -> None:
        for one in fitted(scripts, FilmIndex(catalogue))[0]:
            for turn in one.turns:
                for wanted in (turn.expect.every_item, turn.expect.some_item):
                    if wanted is not None:
                        can = sum(satisfies(item, wanted) for item in catalogue)
                        assert can >= 6, (one.name, turn.line)

    def test_a_packaged_script_reads_back(self) -> None:
        assert load(PACKAGED / "one-film.yaml").turns[0].action == Say("something like Heat?")

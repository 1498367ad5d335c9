"""The schema that editors complete scripts with says what the parser reads: no more, no less."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from agent.policy import ASKABLE
from agent.types import ACTS
from eval import expectations, given, parsing
from eval.script import FAMILIES, PACKAGED, ScriptError

SCHEMA = json.loads((PACKAGED / "schema.json").read_text("utf-8"))
DEFINED = SCHEMA["definitions"]
VALIDATOR = Draft7Validator(SCHEMA)
FILES = sorted(PACKAGED.rglob("*.yaml"))
HEAD = "name: s\nfamily: why\ndescription: d\n"


def refused(source: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(source))]


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_packaged_script_keeps_to_the_schema_and_points_at_it(path: Path) -> None:
    source = path.read_text("utf-8")
    assert refused(source) == []
    first = source.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == (PACKAGED / "schema.json").resolve()


@pytest.mark.parametrize(
    ("listed", "known"),
    [
        (SCHEMA, parsing.SCRIPT),
        (DEFINED["turn"], parsing.TURN),
        (DEFINED["feedback"], parsing.FEEDBACK),
        (DEFINED["forget"], parsing.FORGET),
        (DEFINED["expect"], expectations.EXPECT),
        (DEFINED["captured"], expectations.CAPTURED),
        (DEFINED["not_captured"], expectations.NOT_CAPTURED),
        (DEFINED["conditions"], expectations.EVERY_ITEM),
        (DEFINED["bounds"], expectations.BOUNDS),
        (DEFINED["given"]["additionalProperties"], dict.fromkeys(given.KINDS)),
    ],
)
def test_the_schema_lists_exactly_the_keys_that_the_parser_knows(
    listed: dict[str, Any], known: Mapping[str, Any]
) -> None:
    assert set(listed["properties"]) == set(known)
    assert listed["additionalProperties"] is False
    assert all(entry.get("description") for entry in listed["properties"].values())


def test_the_schema_lists_exactly_the_values_that_the_parser_takes() -> None:
    assert tuple(SCHEMA["properties"]["family"]["enum"]) == FAMILIES
    assert tuple(DEFINED["act"]["enum"]) == ACTS
    assert tuple(DEFINED["forget"]["properties"]["slot"]["enum"]) == parsing.FORGETTABLE
    assert tuple(DEFINED["expect"]["properties"]["not_asked_about"]["anyOf"][0]["enum"]) == ASKABLE
    assert [step["required"] for step in DEFINED["turn"]["oneOf"]] == [[step] for step in parsing.STEPS]
    assert set(SCHEMA["required"]) == set(parsing.SCRIPT) - set(parsing.OPTIONAL)
    without_reply = DEFINED["turn"]["else"]["properties"]["expect"]["propertyNames"]["enum"]
    assert without_reply == list(expectations.WITHOUT_REPLY)


@pytest.mark.parametrize(
    "source",
    [
        "turns: []",
        "turns: hi",
        "turns: [{usr: hi}]",
        "turns: [{user: hi, undo: true}]",
        "turns: [{expect: {asked: true}}]",
        "turns: [{undo: false}]",
        "turns: [{undo: true, expect: {asked: true}}]",
        "turns: [{reply_option: 0}]",
        "turns: [{feedback: {liked: true}}]",
        "turns: [{feedback: {rank: 1, title: Heat, liked: true}}]",
        "turns: [{feedback: {rank: 1}}]",
        "turns: [{forget: {slot: liked}}]",
        "turns: [{forget: {value: a, slot: act}}]",
        "turns: [{user: hi, expect: {capturd: {}}}]",
        "turns: [{user: hi, expect: {asked: maybe}}]",
        "turns: [{user: hi, expect: {items: 3}}]",
        "turns: [{user: hi, expect: {items: {min: -1}}}]",
        "turns: [{user: hi, expect: {every_item: {}}}]",
        "turns: [{user: hi, expect: {some_item: {mood: dark}}}]",
        "turns: [{user: hi, expect: {recommend: []}}]",
        "turns: [{user: hi, expect: {captured: {act: sing}}}]",
        "turns: [{user: hi, expect: {captured: {years: 1995}}}]",
        "turns: [{user: hi, expect: {captured: {years: [null, null]}}}]",
        "turns: [{user: hi, expect: {not_asked_about: weather}}]",
        "turns: [{user: hi, expect: {new_items: false}}]",
        "turns: [{user: hi, expect: {latency: 0}}]",
        "turns: [{user: hi}]\nn: 0",
        "turns: [{user: hi}]\ngiven: {}",
        "turns: [{user: hi}]\ngiven: {Loved: {item: any}}",
        "turns: [{user: hi}]\ngiven: {loved: {film: any}}",
        "turns: [{user: hi}]\ngiven: {loved: {item: any, genre: any}}",
        "turns: [{user: hi}]\ngiven: {loved: {item: {}}}",
    ],
)
def test_what_the_parser_refuses_an_editor_marks(source: str) -> None:
    with pytest.raises(ScriptError):
        parsing.parse(HEAD + source, Path("s.yaml"))
    assert refused(HEAD + source)


@pytest.mark.parametrize(
    "source",
    [
        "turns: [{user: 1995, expect: {text_any: [yes, 1995], grounded: false}}]",
        "turns: [{reply_option: both}, {forget: comedy}, {restart: true}, {new_conversation: true}]",
        "turns: [{user: hi, expect: {captured: {wants: [[comedy, funny], crime], years: null}}}]",
        "turns: [{user: hi, expect: {not_captured: {liked: any, years: any}, options: {}}}]",
        "given: {y: {year: {genres: drama}}}\nturns: [{user: $y, expect: {every_item: {years: [$y, null]}}}]",
    ],
)
def test_what_the_parser_takes_an_editor_does_not_mark(source: str) -> None:
    assert parsing.parse(HEAD + source, Path("s.yaml")).turns
    assert refused(HEAD + source) == []

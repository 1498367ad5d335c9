"""YAML text -> Script. Every mistake is reported with its file, its line and what was expected."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

from agent.types import ACTS
from eval.nodes import (
    NodeErrors,
    Parser,
    Problem,
    boolean,
    integer,
    is_null,
    line_of,
    list_of,
    mapping,
    one_of,
    only_true,
    positive,
    seconds,
    text,
    wrong,
    years,
)
from eval.script import (
    FAMILIES,
    FILM_SLOTS,
    VALUE_SLOTS,
    WORD_SLOTS,
    Action,
    Alternatives,
    Bounds,
    EveryItem,
    Expect,
    Feedback,
    Film,
    Forget,
    Reopen,
    Say,
    Script,
    ScriptError,
    ScriptTurn,
    SlotExpectation,
    Tap,
    Undo,
)

MAX_BYTES = 1_000_000


def _film(node: Node) -> Film:
    return Film(text(node), line_of(node))


def _alternatives(node: Node) -> Alternatives:
    return list_of(text)(node)


def _slot_value(slot: str) -> Parser[Any]:
    parsers: dict[str, Parser[Any]] = {"years": years, "max_minutes": positive, "act": one_of(*ACTS)}
    return parsers.get(slot, text)


def _captured(node: Node) -> tuple[SlotExpectation, ...]:
    def value_of(slot: str) -> Parser[Any]:
        return lambda child: None if is_null(child) else _slot_value(slot)(child)

    allowed: dict[str, Parser[Any]] = {slot: list_of(_film) for slot in FILM_SLOTS}
    allowed |= {slot: list_of(_alternatives) for slot in WORD_SLOTS}
    allowed |= {slot: value_of(slot) for slot in VALUE_SLOTS}
    return tuple(_slot(*pair) for pair in mapping(node, allowed, "captured").items())


def _not_captured(node: Node) -> tuple[SlotExpectation, ...]:
    def unless_any(parser: Parser[Any]) -> Parser[Any]:
        return lambda child: "any" if getattr(child, "value", None) == "any" else parser(child)

    allowed: dict[str, Parser[Any]] = {slot: unless_any(list_of(_film)) for slot in FILM_SLOTS}
    allowed |= {slot: unless_any(list_of(_alternatives)) for slot in WORD_SLOTS}
    allowed |= {slot: unless_any(_slot_value(slot)) for slot in VALUE_SLOTS}
    return tuple(_slot(*pair) for pair in mapping(node, allowed, "not_captured").items())


def _slot(slot: str, value: Any) -> SlotExpectation:
    if value == "any":
        return SlotExpectation(slot, anything=True)
    if slot in FILM_SLOTS:
        return SlotExpectation(slot, films=value)
    if slot in WORD_SLOTS:
        return SlotExpectation(slot, words=value)
    return SlotExpectation(slot, value=value)


def _every_item(node: Node) -> EveryItem:
    words = list_of(text)
    allowed: dict[str, Parser[Any]] = {"genres": words, "any_genre": words, "not_genres": words}
    allowed |= {"any_theme": words, "not_themes": words, "not_notes": words, "person": text}
    allowed |= {"years": years, "max_minutes": positive, "audience": text, "language": text}
    found = mapping(node, allowed, "every_item")
    if not found:
        raise wrong(node, "at least one condition")
    return EveryItem(**found)


def _bounds(node: Node) -> Bounds:
    bounds = Bounds(**mapping(node, {"min": integer, "max": integer}, "min/max"))
    if bounds.min is not None and bounds.max is not None and bounds.min > bounds.max:
        raise wrong(node, f"min up to max, not {bounds.min} and {bounds.max}")
    return bounds


_FILMS, _TEXTS = list_of(_film), list_of(text)
_EXPECT: dict[str, Parser[Any]] = {
    "captured": _captured,
    "not_captured": _not_captured,
    "items": _bounds,
    "every_item": _every_item,
    "recommend": _FILMS,
    "recommend_any": _FILMS,
    "must_not_recommend": _FILMS,
    "asked": boolean,
    "recommended": boolean,
    "question_budget": integer,
    "options": _bounds,
    "text_contains": _TEXTS,
    "text_any": _TEXTS,
    "text_not_contains": _TEXTS,
    "relaxed": boolean,
    "new_items": only_true,
    "grounded": boolean,
    "latency": seconds,
}
_WITHOUT_REPLY = ("captured", "not_captured")


def _option(node: Node) -> Tap:
    return Tap(positive(node) if node.tag.endswith(":int") else text(node))


def _feedback(node: Node) -> Feedback:
    allowed: dict[str, Parser[Any]] = {"title": _film, "rank": positive, "liked": boolean, "seen": only_true}
    found = mapping(node, allowed, "feedback")
    if ("title" in found) == ("rank" in found):
        raise wrong(node, "feedback with either title or rank")
    if "liked" not in found and "seen" not in found:
        raise wrong(node, "feedback with liked: true, liked: false or seen: true")
    return Feedback(found.get("title"), found.get("rank"), found.get("liked"), found.get("seen", False))


def _forget(node: Node) -> Forget:
    if not isinstance(node, MappingNode):
        return Forget(text(node))
    slot = one_of(*FILM_SLOTS, *WORD_SLOTS, *(name for name in VALUE_SLOTS if name != "act"))
    found = mapping(node, {"value": text, "slot": slot}, "forget")
    if "value" not in found:
        raise wrong(node, "forget with a value")
    return Forget(**found)


def _undo(node: Node) -> Undo:
    only_true(node)
    return Undo()


_STEPS: dict[str, Parser[Action]] = {
    "user": lambda node: Say(text(node)),
    "reply_option": _option,
    "feedback": _feedback,
    "undo": _undo,
    "forget": _forget,
    "restart": lambda node: Reopen(not only_true(node)),
    "new_conversation": lambda node: Reopen(only_true(node)),
}


def _turn(node: Node) -> ScriptTurn:
    allowed: dict[str, Parser[Any]] = {**_STEPS, "expect": lambda child: (child, _expect(child))}
    found = mapping(node, allowed, "a turn")
    expect_node, expect = found.pop("expect", (None, Expect()))
    if len(found) != 1:
        raise wrong(node, f"a turn with exactly one of {', '.join(_STEPS)} (it has {len(found)})")
    action: Action = next(iter(found.values()))
    if expect_node is not None and not isinstance(action, Say | Tap):
        # The buttons change what is known but nobody answers: only the state can be looked at.
        allowed = {key: _EXPECT[key] for key in _WITHOUT_REPLY}
        mapping(expect_node, allowed, "expect (this step has no reply)")
    return ScriptTurn(action, expect, line_of(node))


def _expect(node: Node) -> Expect:
    return Expect(**mapping(node, _EXPECT, "expect"))


def _turns(node: Node) -> tuple[ScriptTurn, ...]:
    if not isinstance(node, SequenceNode):
        raise wrong(node, "a list of turns")
    return list_of(_turn)(node)


def parse(source: str, path: Path) -> Script:
    """One script from its YAML text. Raises ScriptError with every mistake as `file:line: ...`."""
    try:
        root = yaml.compose(source, Loader=yaml.SafeLoader)
        if root is None:
            raise NodeErrors(Problem(1, "the file is empty; expected name, family, description and turns"))
        words = {
            "name": text,
            "description": text,
            "user": text,
            "n": positive,
            "family": one_of(*FAMILIES),
            "turns": _turns,
        }
        found = mapping(root, words, "a script")
        missing = [key for key in words if key not in found and key not in ("user", "n")]
        if missing:
            raise NodeErrors(Problem(line_of(root), f"missing {', '.join(missing)}"))
    except NodeErrors as errors:
        raise ScriptError(f"{path}:{p.line}: {p.text}" for p in errors.problems) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScriptError([f"{path}:{line}: not YAML: {error.problem or error.context}"]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ScriptError([f"{path}:1: not YAML: {error}"]) from None
    return Script(path=path, **found)


def load(path: Path) -> Script:
    """One script from its file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ScriptError([f"{path}:1: larger than {MAX_BYTES:,} bytes; a script is a short dialogue"])
        return parse(path.read_bytes().decode("utf-8-sig"), path)
    except UnicodeDecodeError as error:
        raise ScriptError([f"{path}:1: not UTF-8 at byte {error.start}; save the script as UTF-8"]) from None
    except OSError as error:
        raise ScriptError(
            [f"{path}: cannot be read ({error.strerror}); give YAML files or folders"]
        ) from None


def load_all(paths: Iterable[Path]) -> tuple[Script, ...]:
    """Scripts from files and folders (their *.yaml in order); one ScriptError holds all mistakes of all."""
    scripts: list[Script] = []
    problems: list[str] = []
    for path in paths:
        files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        if not files:
            problems.append(f"{path}: the folder holds no *.yaml script")
        for file in files:
            try:
                scripts.append(load(file))
            except ScriptError as error:
                problems.extend(error.problems)
    names = [script.name for script in scripts]
    problems += [
        f"{s.path}: the name {s.name!r} is used twice" for i, s in enumerate(scripts) if s.name in names[:i]
    ]
    if problems:
        raise ScriptError(problems)
    return tuple(scripts)

"""Reading a YAML tree with its line numbers kept, so that every mistake can be pointed at.

A parser is a function `Node -> value` that raises `NodeErrors`. Containers try all their children
before they raise, so one run reports every mistake in a file.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

T = TypeVar("T")
Parser = Callable[[Node], T]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: the line it is on (from 1) and what was expected there."""

    line: int
    text: str


class NodeErrors(Exception):  # noqa: N818 - it carries several
    """The mistakes found below one node."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems


def line_of(node: Node) -> int:
    """Line of a node in its file, from 1."""
    return int(node.start_mark.line) + 1


def shown(node: Node) -> str:
    """What the node holds, in words short enough to quote in an error."""
    if isinstance(node, ScalarNode):
        return "nothing" if node.tag.endswith(":null") else repr(str(node.value)[:80])
    return "a mapping" if isinstance(node, MappingNode) else "a list"


def wrong(node: Node, expected: str) -> NodeErrors:
    """The error that says what a node should have been."""
    return NodeErrors(Problem(line_of(node), f"expected {expected}, got {shown(node)}"))


def text(node: Node) -> str:
    """A non-null scalar, as it is written: `no` and `1995` are text here."""
    if not isinstance(node, ScalarNode) or node.tag.endswith(":null"):
        raise wrong(node, "text")
    return str(node.value)


def boolean(node: Node) -> bool:
    if not isinstance(node, ScalarNode) or not node.tag.endswith(":bool"):
        raise wrong(node, "true or false")
    return str(node.value).lower() in ("true", "yes", "on")


def only_true(node: Node) -> bool:
    """A step that is either there or not: `undo: false` would mean nothing."""
    if not boolean(node):
        raise wrong(node, "true (leave the line out otherwise)")
    return True


def integer(node: Node) -> int:
    """A whole number from 0."""
    if isinstance(node, ScalarNode) and node.tag.endswith(":int") and str(node.value).isdecimal():
        return int(node.value)
    raise wrong(node, "a whole number from 0")


def positive(node: Node) -> int:
    value = integer(node)
    if value < 1:
        raise wrong(node, "a whole number from 1")
    return value


def seconds(node: Node) -> float:
    try:
        value = float(text(node))
    except ValueError:
        raise wrong(node, "a number of seconds") from None
    if not 0 < value < float("inf"):
        raise wrong(node, "a number of seconds above 0")
    return value


def is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag.endswith(":null")


def years(node: Node) -> tuple[int | None, int | None]:
    """`[from, to]`, inclusive; null leaves an end open."""
    if not isinstance(node, SequenceNode) or len(node.value) != 2:
        raise wrong(node, "[first year, last year], with null for an open end")
    first, last = (None if is_null(child) else integer(child) for child in node.value)
    if first is None and last is None:
        raise wrong(node, "at least one year in [first year, last year]")
    if first is not None and last is not None and first > last:
        raise wrong(node, f"the first year before the last, not [{first}, {last}]")
    return first, last


def one_of(*words: str) -> Parser[str]:
    def parse(node: Node) -> str:
        value = text(node)
        if value not in words:
            raise wrong(node, "one of " + ", ".join(words) + _did_you_mean(value, words))
        return value

    return parse


def list_of(parser: Parser[T]) -> Parser[tuple[T, ...]]:
    """A list, or a single value standing for a list of one."""

    def parse(node: Node) -> tuple[T, ...]:
        children = node.value if isinstance(node, SequenceNode) else [node]
        if not children:
            raise wrong(node, "at least one value")
        values: list[T] = []
        problems: list[Problem] = []
        for child in children:
            try:
                values.append(parser(child))
            except NodeErrors as errors:
                problems.extend(errors.problems)
        if problems:
            raise NodeErrors(*problems)
        return tuple(values)

    return parse


def mapping(node: Node, allowed: Mapping[str, Parser[Any]], what: str) -> dict[str, Any]:
    """The keys of a mapping node, each read by its parser; unknown and repeated keys are mistakes."""
    if not isinstance(node, MappingNode):
        raise wrong(node, f"{what}: a mapping with {', '.join(allowed)}")
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key_node, value_node in node.value:
        try:
            key = text(key_node)
            if key not in allowed:
                hint = _did_you_mean(key, allowed) or f"; {what} takes {', '.join(allowed)}"
                raise NodeErrors(Problem(line_of(key_node), f"unknown key {key[:80]!r} in {what}{hint}"))
            if key in values:
                raise NodeErrors(Problem(line_of(key_node), f"key {key!r} is given twice in {what}"))
            values[key] = allowed[key](value_node)
        except NodeErrors as errors:
            problems.extend(errors.problems)
    if problems:
        raise NodeErrors(*problems)
    return values


def _did_you_mean(word: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""

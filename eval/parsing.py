"""YAML text -> Script. Every mistake is reported with its file, its line and what was expected."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

from eval.expectations import WITHOUT_REPLY, Table, expect, film
from eval.given import Finder, FromCatalogue, fill_in, stand_in
from eval.grounding import FilmIndex
from eval.nodes import (
    NodeErrors,
    Parser,
    Problem,
    boolean,
    line_of,
    list_of,
    mapping,
    one_of,
    only_true,
    positive,
    text,
    wrong,
)
from eval.script import (
    FAMILIES,
    FILM_SLOTS,
    VALUE_SLOTS,
    WORD_SLOTS,
    Action,
    Expect,
    Feedback,
    Forget,
    Reopen,
    Say,
    Script,
    ScriptError,
    ScriptTurn,
    Tap,
    Undo,
)

MAX_BYTES = 1_000_000
FORGETTABLE = (*FILM_SLOTS, *WORD_SLOTS, *(name for name in VALUE_SLOTS if name != "act"))
FEEDBACK: Table = {"title": film, "rank": positive, "liked": boolean, "seen": only_true}
FORGET: Table = {"value": text, "slot": one_of(*FORGETTABLE)}


def _option(node: Node) -> Tap:
    return Tap(positive(node) if node.tag.endswith(":int") else text(node))


def _feedback(node: Node) -> Feedback:
    found = mapping(node, FEEDBACK, "feedback")
    if ("title" in found) == ("rank" in found):
        raise wrong(node, "feedback with either title or rank")
    if "liked" not in found and "seen" not in found:
        raise wrong(node, "feedback with liked: true, liked: false or seen: true")
    return Feedback(found.get("title"), found.get("rank"), found.get("liked"), found.get("seen", False))


def _forget(node: Node) -> Forget:
    if not isinstance(node, MappingNode):
        return Forget(text(node))
    found = mapping(node, FORGET, "forget")
    if "value" not in found:
        raise wrong(node, "forget with a value")
    return Forget(**found)


def _undo(node: Node) -> Undo:
    only_true(node)
    return Undo()


STEPS: dict[str, Parser[Action]] = {
    "user": lambda node: Say(text(node)),
    "reply_option": _option,
    "feedback": _feedback,
    "undo": _undo,
    "forget": _forget,
    "restart": lambda node: Reopen(not only_true(node)),
    "new_conversation": lambda node: Reopen(only_true(node)),
}
TURN: Table = {**STEPS, "expect": lambda node: (node, expect(node))}


def _turn(node: Node) -> ScriptTurn:
    found = mapping(node, TURN, "a turn")
    expect_node, expected = found.pop("expect", (None, Expect()))
    if len(found) != 1:
        raise wrong(node, f"a turn with exactly one of {', '.join(STEPS)} (it has {len(found)})")
    action: Action = next(iter(found.values()))
    if expect_node is not None and not isinstance(action, Say | Tap):
        mapping(expect_node, WITHOUT_REPLY, "expect (this step has no reply)")
    return ScriptTurn(action, expected, line_of(node))


def _turns(node: Node) -> tuple[ScriptTurn, ...]:
    if not isinstance(node, SequenceNode):
        raise wrong(node, "a list of turns")
    return list_of(_turn)(node)


SCRIPT: Table = {
    "name": text,
    "description": text,
    "user": text,
    "n": positive,
    "family": one_of(*FAMILIES),
    "given": lambda node: True,  # read by fill_in, before anything else is
    "turns": _turns,
}
OPTIONAL = ("user", "n", "given")


def _script(root: Node, find: Finder) -> dict[str, Any]:
    """The fields of a script, names filled in. NodeErrors with what is wrong with names and with the rest."""
    problems = fill_in(root, find)
    found: dict[str, Any] = {}
    try:
        found = mapping(root, SCRIPT, "a script")
        missing = [key for key in SCRIPT if key not in found and key not in OPTIONAL]
        if missing:
            raise NodeErrors(Problem(line_of(root), f"missing {', '.join(missing)}"))
    except NodeErrors as errors:
        problems += errors.problems
    if problems:
        raise NodeErrors(*sorted(problems, key=lambda problem: problem.line))
    return found


def parse(source: str, path: Path, find: Finder = stand_in) -> Script:
    """One script from its YAML text. Raises ScriptError with every mistake as `file:line: ...`.

    `find` fills in what `given` leaves open; without it the names stay, and `unfilled` keeps the text.
    """
    try:
        root = yaml.compose(source, Loader=yaml.SafeLoader)
        if root is None:
            raise NodeErrors(Problem(1, "the file is empty; expected name, family, description and turns"))
        found = _script(root, find)
    except NodeErrors as errors:
        raise ScriptError(f"{path}:{p.line}: {p.text}" for p in errors.problems) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScriptError([f"{path}:{line}: not YAML: {error.problem or error.context}"]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ScriptError([f"{path}:1: not YAML: {error}"]) from None
    left: Any = source if found.pop("given", False) and find is stand_in else None
    return Script(path=path, unfilled=left, **found)


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
    """Scripts from files and folders (every *.yaml below them, in order of their names).

    Raises one ScriptError with all the mistakes of all files.
    """
    scripts: list[Script] = []
    problems: list[str] = []
    for path in paths:
        files = sorted(path.rglob("*.yaml"), key=lambda file: file.name) if path.is_dir() else [path]
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


def fitted(scripts: Iterable[Script], films: FilmIndex) -> tuple[tuple[Script, ...], tuple[str, ...]]:
    """The scripts with what they leave open filled in from a catalogue, and why others do not fit it.

    A script does not fit when the catalogue has nothing to give for a name of its `given`, or when it names
    a film that is not there; each reason has the file, the line and what is expected.
    """
    fitting: list[Script] = []
    problems: list[str] = []
    for script in scripts:
        try:
            if script.unfilled is not None:
                script = parse(script.unfilled, script.path, FromCatalogue(films))
        except ScriptError as error:
            problems.extend(error.problems)
            continue
        unknown = [film for film in script.films() if not films.find(film.title)]
        problems += [
            f"{script.path}:{film.line}: unknown film {film.title[:120]!r}; write a title of this catalogue, "
            "with its year where several share it, or let `given` name one"
            for film in unknown
        ]
        if not unknown:
            fitting.append(script)
    return tuple(fitting), tuple(problems)

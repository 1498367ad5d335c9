"""Names that a script leaves for the catalogue to fill in, so that it can be run on any workspace.

    given:
      loved: {item: {any_theme: [heist]}}     the best-known item that keeps these conditions
      kind: {genre: any}                      the genre that most items have
      maker: {person: {genres: [$kind]}}      who directed (or wrote) most of the items that keep them
      year: {year: {person: $maker}}          the middle one of their years
    turns:
      - user: i loved $loved, what else is there by $maker?

`$name` stands wherever the script has text or a year. A name may use those above it, and nothing but a year
is given twice: a second `genre: any` is the second most common genre. Items whose title has several words
come first, then the better known, then the order of the catalogue; values that are equally common come in
the order of the alphabet. So a script says the same on every run.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from eval.checks import satisfies
from eval.expectations import conditions
from eval.grounding import FilmIndex
from eval.nodes import NodeErrors, Problem, line_of, mapping, wrong
from eval.script import EveryItem
from retrieval.types import Item, facet_values

FIELDS = {
    "genre": "genres",
    "theme": "themes",
    "mood": "moods",
    "person": "directors",
    "language": "language",
    "audience": "audience",
}
KINDS = ("item", *FIELDS, "year")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_REFERENCE = re.compile(r"(?<![\w$])\$([a-z][a-z0-9_]*)")
_YEAR_TO_CHECK = "2000"


@dataclass(frozen=True, slots=True)
class Given:
    """One name to fill in. `kind`: an item, a value of a facet, or a year. `conditions` None: any."""

    name: str
    kind: str
    conditions: EveryItem | None


class NothingToGiveError(LookupError):
    """The catalogue has nothing (more) of what a script asks it for."""


Finder = Callable[[Given], str]
"""What stands for a name. Raises NothingToGiveError."""


def stand_in(given: Given) -> str:
    """Before any catalogue is known: the name itself, or some year where only a year can be read."""
    return _YEAR_TO_CHECK if given.kind == "year" else f"${given.name}"


class FromCatalogue:
    """A Finder for one script: what is given once is not given again."""

    def __init__(self, films: FilmIndex) -> None:
        self._films = films
        self._taken: set[tuple[str, str]] = set()

    def __call__(self, given: Given) -> str:
        wanted = given.conditions
        items = [i for i in self._films.items.values() if wanted is None or satisfies(i, wanted)]
        for value in self._values(given.kind, items):
            if (given.kind, value) not in self._taken or given.kind == "year":
                self._taken.add((given.kind, value))
                return value
        among = " among the items that keep the conditions" if wanted else ""
        more = " more" if any(kind == given.kind for kind, _ in self._taken) else ""
        raise NothingToGiveError(
            f"this catalogue has no{more} {given.kind}{among} for ${given.name}; "
            "ask for something that it has, or loosen the conditions"
        )

    def _values(self, kind: str, items: list[Item]) -> Iterator[str]:
        """All there is of a kind, in the order in which it is given."""
        if kind == "item":
            # "i loved it": a title of one word may not be heard as a name, by a person neither.
            known = sorted(items, key=lambda item: (" " not in item.title, -item.popularity))
            yield from map(self._written, known)
        elif kind == "year":
            years = [item.year for item in items if item.year is not None]
            if years:
                yield str(statistics.median_low(years))
        else:
            counts = Counter(value for item in items for value in facet_values(item, FIELDS[kind]))
            yield from sorted(counts, key=lambda value: (-counts[value], value))

    def _written(self, item: Item) -> str:
        """The title, with the year where several items share it."""
        return item.title if len(self._films.find(item.title)) == 1 else item.label


def fill_in(root: Node, find: Finder) -> tuple[Problem, ...]:
    """Read `given` and put what `find` says in place of every `$name` of a script's tree.

    The scalars of the tree are changed where they are, so that lines stay right. What is wrong with the
    names comes back as problems.
    """
    problems: list[Problem] = []
    values: dict[str, str] = {}
    if not isinstance(root, MappingNode):
        return ()
    for key, node in root.value:
        if key.value == "given":
            problems += _read(node, values, find)
    for key, node in root.value:
        if key.value != "given":
            problems += _replace(node, values)
    return tuple(problems)


def _read(node: Node, values: dict[str, str], find: Finder) -> Iterator[Problem]:
    """Fill `values` from a `given` block; what cannot be read still has a stand-in, to be told once."""
    if not isinstance(node, MappingNode) or not node.value:
        yield from wrong(node, "given: a mapping of names, such as `loved: {item: any}`").problems
        return
    for key_node, value_node in node.value:
        name = str(key_node.value)
        try:
            if not isinstance(key_node, ScalarNode) or not _NAME.fullmatch(name):
                raise wrong(key_node, "a name of lower-case letters, digits and _")
            if name in values:
                raise wrong(key_node, "each name once")
            values[name] = f"${name}"
            yield from _replace(value_node, values)
            values[name] = find(_given(name, value_node))
        except NodeErrors as errors:
            yield from errors.problems
        except NothingToGiveError as error:
            yield Problem(line_of(key_node), str(error))


def _given(name: str, node: Node) -> Given:
    def parse(child: Node) -> EveryItem | None:
        return None if getattr(child, "value", None) == "any" else conditions("conditions")(child)

    found = mapping(node, dict.fromkeys(KINDS, parse), "given")
    if len(found) != 1:
        raise wrong(node, f"exactly one of {', '.join(KINDS)}, such as `{name}: {{genre: any}}`")
    ((kind, wanted),) = found.items()
    return Given(name, kind, wanted)


def _replace(root: Node, values: dict[str, str]) -> Iterator[Problem]:
    """Put values in place of names in every scalar below a node, once each though YAML may share them."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, MappingNode):
            waiting += [child for pair in node.value for child in pair]
        elif isinstance(node, SequenceNode):
            waiting += node.value
        else:
            yield from _fill(node, values)


def _fill(node: Node, values: dict[str, str]) -> Iterator[Problem]:
    written = str(node.value)
    for name in _REFERENCE.findall(written):
        if name not in values:
            known = ", ".join(f"${name}" for name in values) or "nothing (the script has no `given`)"
            yield Problem(line_of(node), f"unknown name '${name}'; what is given here is {known}")
    node.value = _REFERENCE.sub(lambda match: values.get(match[1], match[0]), written)
    if _REFERENCE.fullmatch(written) and node.value.isdecimal():
        node.tag = "tag:yaml.org,2002:int"

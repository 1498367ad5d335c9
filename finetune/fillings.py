"""Values for the slots of a family: titles, facets, people and limits, as people write them."""

from __future__ import annotations

import random
import re

from agent.reading.slots import language_names
from agent.reading.vocabulary import synonyms
from finetune.config import ConfigError
from finetune.splits import is_held_out
from retrieval.catalogue import Catalogue
from retrieval.types import Item

_FIELDS = {"genre": "genres", "mood": "moods", "theme": "themes"}
_DECADES = (1930, 1940, 1950, 1960, 1970, 1980, 1990, 2000, 2010, 2020)
_WORDS = {
    1930: "thirties", 1940: "forties", 1950: "fifties", 1960: "sixties",
    1970: "seventies", 1980: "eighties", 1990: "nineties",
}  # fmt: skip
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_RANGES = (
    "between {low} and {high}", "from {low} to {high}", "made between {low} and {high}", "{low}-{high}",
    "from {low} through {high}", "anywhere from {low} to {high}",
)  # fmt: skip
_LOWER = {
    "after {year}": 1, "made after {year}": 1, "newer than {year}": 1, "post {year}": 1,
    "later than {year}": 1,
    "since {year}": 0, "from {year} on": 0, "from {year} onwards": 0, "not older than {year}": 0,
    "{year} or later": 0, "no earlier than {year}": 0, "from {year} or newer": 0, "released after {year}": 1,
}  # fmt: skip
_UPPER = {
    "before {year}": -1, "made before {year}": -1, "older than {year}": -1, "pre-{year}": -1,
    "from before {year}": -1,
    "up to {year}": 0, "no later than {year}": 0, "{year} or earlier": 0, "not newer than {year}": 0,
}  # fmt: skip
_MINUTES = (
    "under {n} minutes", "at most {n} minutes", "no longer than {n} minutes", "less than {n} minutes",
    "max {n} min", "shorter than {n} minutes", "below {n} min", "within {n} minutes", "not over {n} minutes",
    "{n} minutes tops", "{n} minutes at most", "{n} min max", "no more than {n} minutes", "under {n} mins",
)  # fmt: skip
_HOURS = {
    "under two hours": 120, "less than two hours": 120, "under 2 hours": 120, "under 2h": 120,
    "no longer than two hours": 120, "at most two hours": 120, "two hours tops": 120, "two hours max": 120,
    "under an hour and a half": 90, "at most an hour and a half": 90, "less than 90 minutes": 90,
    "under 1.5 hours": 90, "under three hours": 180, "not longer than two hours": 120, "under one hour": 60,
}  # fmt: skip
_LENGTHS = {
    "two hours": 120, "2 hours": 120, "2h": 120, "an hour and a half": 90, "1.5 hours": 90, "one hour": 60,
    "three hours": 180, "1h 40": 100, "1h50": 110, "two and a half hours": 150, "a hundred minutes": 100,
}  # fmt: skip
_SAID = frozenset(
    [
        "sci fi",
        "scifi",
        "science fiction",
        "rom-com",
        "romcom",
        "romantic comedy",
        "love story",
        "war film",
        "film noir",
        "noir",
        "whodunit",
        "detective",
        "gangster",
        "mafia",
        "cartoon",
        "anime",
        "animated",
        "suspense",
        "cowboy",
        "scary",
        "funny",
        "silly",
        "creepy",
        "lighthearted",
        "light",
        "cheerful",
        "fun",
        "heart-warming",
        "feel-good",
        "feelgood",
        "cosy",
        "warm",
        "gripping",
        "exciting",
        "nail-biting",
        "thoughtful",
        "clever",
        "smart",
        "cerebral",
        "darker",
        "grim",
        "sad",
        "depressing",
        "weepy",
        "tearjerker",
        "spy",
        "heists",
        "aliens",
        "superheroes",
        "zombie",
        "serial killers",
        "space",
        "robots",
        "true crime",
        "comic book",
        "martial arts",
        "kung fu",
        "dinosaurs",
        "sharks",
        "pirates",
        "ghosts",
    ]
)
"""Synonyms that can stand where the catalogue's own word can: "a thriller", "something cosy"."""

_QUESTIONS = (
    ("Which mood is it tonight: {}?", "mood"), ("Which way shall we lean: {}?", "genre"),
    ("What should it be about: {}?", "theme"), ("Are you in the mood to {}?", "doing"),
)  # fmt: skip
_DOING = ("laugh", "be gripped", "think", "feel warm", "be thrilled", "cry")


class Fillings:
    """Draws values from one catalogue. `held_out`: titles and people of held-out items, or of the others."""

    def __init__(self, catalogue: Catalogue, held_out: bool) -> None:
        """Raises ConfigError for a catalogue without titles on that side, or without any facet."""
        items = [item for item in catalogue if is_held_out("item", item.item_id) == held_out]
        self._titles = [_spoken(item) for item in items]
        self._people = sorted({name for item in items for name in (*item.directors[:1], *item.cast[:2])})
        said = _surfaces(catalogue)
        self._facets = {kind: said[field] for kind, field in _FIELDS.items()}
        self._any = [value for values in self._facets.values() for value in values]
        self._languages = sorted({item.language for item in catalogue if item.language in language_names()})
        if not self._titles or not any(self._facets.values()):
            facets = sum(map(len, self._facets.values()))
            raise ConfigError(
                f"Of {len(catalogue)} items {len(self._titles)} can be named and "
                f"{facets} genres, themes and moods be asked for: too little to say."
            )
        years = sorted(item.year for item in catalogue if item.year is not None)
        self._years = (years[len(years) // 20], years[-1]) if years else (1950, 2020)

    def title(self, rng: random.Random) -> str:
        """A title as people write it: now and then without its article or subtitle, or with the year."""
        short, full, year = self._titles[_towards_the_known(rng, len(self._titles))]
        roll = rng.random()
        if roll < 0.08 and year:
            return f"{full} ({year})"
        if roll < 0.12 and year:
            return f"{full} {year}"
        return short if roll < 0.3 else full

    def titles(self, rng: random.Random, count: int) -> tuple[str, ...]:
        """Titles on show, as replies write them: with the year."""
        chosen = rng.sample(self._titles, min(count, len(self._titles)))
        return tuple(f"{full} ({year})" if year else full for _, full, year in chosen)

    def person(self, rng: random.Random) -> str:
        name = rng.choice(self._people) if self._people else "Agatha Christie"
        last = name.split()[-1]
        return last if rng.random() < 0.15 and len(last) > 4 else name

    def facet(self, rng: random.Random, kind: str) -> str:
        return rng.choice(self._facets[kind] or self._facets["genre"] or self._any)

    def year(self, rng: random.Random) -> int:
        year = rng.randint(*self._years)
        return year - year % 5 if rng.random() < 0.6 else year

    def ordinal(self, rng: random.Random, place: int, count: int) -> str:
        words = [f"the {_ORDINALS[place - 1]} one", f"the {_ORDINALS[place - 1]}", f"number {place}"]
        words += [f"the {place}{('st', 'nd', 'rd')[place - 1] if place < 4 else 'th'} one"]
        if place == count and count > 1:
            words += ["the last one", "the last"]
        return rng.choice(words)

    def question(self, rng: random.Random) -> tuple[str, tuple[str, ...]]:
        """A question as the agent puts it, with its options."""
        text, kind = rng.choice(_QUESTIONS)
        pool = _DOING if kind == "doing" else self._facets[kind] or self._facets["genre"] or self._any
        options = tuple(rng.sample(list(pool), min(rng.choice((2, 3, 4)), len(pool))))
        return text.format(f"{', '.join(options[:-1])} or {options[-1]}"), options

    def phrase(self, rng: random.Random, kind: str) -> tuple[str, object]:
        """A phrase and the value it means: `years`, `decade`, `minutes` (a limit), `length` or `language`."""
        if kind == "language":
            value = rng.choice(self._languages or ["french"])
            return (value if rng.random() < 0.15 else value.title()), value
        if kind == "minutes":
            if rng.random() < 0.45:
                return rng.choice(list(_HOURS.items()))
            n = rng.randrange(75, 185, 5)
            return rng.choice(_MINUTES).format(n=n), n
        if kind == "length":
            if rng.random() < 0.4:
                return rng.choice(list(_LENGTHS.items()))
            n = rng.randrange(75, 185, 5)
            return rng.choice(("{n} minutes", "{n} min", "{n} mins")).format(n=n), n
        if kind == "decade":
            return self._decade(rng)
        return self._range(rng)

    def _decade(self, rng: random.Random) -> tuple[str, list[int]]:
        start = rng.choice([d for d in _DECADES if self._years[0] <= d <= self._years[1]] or [1990])
        texts = [f"{start}s", f"{start}s"]
        if start < 2000:
            texts += [f"{start % 100}s", f"{start % 100}s", f"'{start % 100}s", _WORDS[start], _WORDS[start]]
        return rng.choice(texts), [start, start + 9]

    def _range(self, rng: random.Random) -> tuple[str, list[int | None]]:
        roll, year = rng.random(), self.year(rng)
        if roll < 0.4:
            text, (low, high) = self._decade(rng)
            part, span = rng.choice(
                (("", (0, 9)), ("", (0, 9)), ("", (0, 9)), ("early ", (0, 3)), ("late ", (6, 9)))
            )
            lead = rng.choice(("from the ", "from the ", "in the ", "made in the ", "of the "))
            return f"{lead}{part}{text}", [low + span[0], low + span[1] if part else high]
        if roll < 0.65:
            text, shift = rng.choice(list(_LOWER.items()))
            return text.format(year=year), [year + shift, None]
        if roll < 0.85:
            text, shift = rng.choice(list(_UPPER.items()))
            return text.format(year=year), [None, year + shift]
        high = year + rng.choice((5, 9, 10, 15, 20))
        return rng.choice(_RANGES).format(low=year, high=high), [year, high]


def _towards_the_known(rng: random.Random, count: int) -> int:
    """An index; catalogues are often ordered by how well known their items are, and people name those."""
    return min(int(count * rng.random() ** 1.6), count - 1)


def _spoken(item: Item) -> tuple[str, str, int | None]:
    """(title without article and subtitle, title, year)."""
    short = re.sub(r"^(?:The|A|An)\s+", "", item.title.split(": ")[0])
    return (short if len(short) > 3 else item.title), item.title, item.year


def _surfaces(catalogue: Catalogue) -> dict[str, list[str]]:
    """For each field the words that people use for its values: the values and their English synonyms."""
    said: dict[str, list[str]] = {field: sorted(catalogue.values(field)) for field in _FIELDS.values()}
    for row in synonyms():
        fields = {facet.field for facet in row.meant}
        known = all(facet.value in catalogue.values(facet.field) for facet in row.meant)
        if known and len(fields) == 1 and fields <= said.keys():
            said[fields.pop()] += [text for text in row.phrases if text in _SAID]
    return {field: list(dict.fromkeys(values)) for field, values in said.items()}

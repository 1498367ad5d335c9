"""One step of a script against what was expected of it: a Check per expectation, with what was got."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.types import DialogueState, Reply
from eval.grounding import FilmIndex, Known, check_reply, plain
from eval.script import Bounds, EveryItem, Expect, Film, SlotExpectation
from retrieval.types import Item, Years


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation: its name in the script, what it asked for, whether it held, and what was got."""

    name: str
    expected: str
    passed: bool
    got: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step led to. `reply` is None for buttons that only change the state.

    `shown`: item_ids recommended earlier in this conversation. `questions`: put so far, this reply
    included. `seconds`: wall time of the step.
    """

    reply: Reply | None
    state: DialogueState
    seconds: float
    shown: frozenset[str] = frozenset()
    questions: int = 0
    known: Known = field(default_factory=Known)


def check(expect: Expect, outcome: Outcome, films: FilmIndex) -> tuple[Check, ...]:
    """A Check for every expectation of the step, in the order of the script's vocabulary."""
    checks = [*_slots(expect, outcome, films)]
    if outcome.reply is not None:
        reply = outcome.reply
        checks += _items(expect, reply, outcome, films)
        checks += _talk(expect, reply, outcome)
        checks += _text(expect, reply.text)
        if expect.grounded:
            faults = check_reply(reply, films, outcome.known)
            checks.append(
                Check("grounded", "every name and figure is real", not faults, "; ".join(faults) or "yes")
            )
    if expect.latency is not None:
        got = f"{outcome.seconds:.2f} s"
        checks.append(
            Check("latency", f"within {expect.latency:g} s", outcome.seconds <= expect.latency, got)
        )
    return tuple(checks)


def _slots(expect: Expect, outcome: Outcome, films: FilmIndex) -> Iterator[Check]:
    for wanted in expect.captured:
        for expected, held in _slot(wanted, outcome, films):
            yield Check("captured", f"{wanted.slot}: {expected}", held, _holds(wanted.slot, outcome))
    for unwanted in expect.not_captured:
        got = _holds(unwanted.slot, outcome)
        if unwanted.anything:
            yield Check("not_captured", f"{unwanted.slot}: nothing", got == "nothing", got)
        else:
            for expected, held in _slot(unwanted, outcome, films):
                yield Check("not_captured", f"{unwanted.slot}: not {expected}", not held, got)


def _slot(wanted: SlotExpectation, outcome: Outcome, films: FilmIndex) -> Iterator[tuple[str, bool]]:
    """(what is looked for, whether the slot holds it) for each value."""
    if wanted.films:
        ids = {preference.item_id for preference in getattr(outcome.state, wanted.slot)}
        for film in wanted.films:
            yield film.title, not ids.isdisjoint(films.find(film.title))
    elif wanted.words:
        has = _words(outcome.state, wanted.slot)
        for alternatives in wanted.words:
            yield " or ".join(alternatives), not has.isdisjoint(plain(word) for word in alternatives)
    else:
        value = _value(wanted.slot, outcome)
        same = plain(str(value)) == plain(str(wanted.value))
        yield str("nothing" if wanted.value is None else wanted.value), same


def _words(state: DialogueState, slot: str) -> set[str]:
    """The values of a slot, whole and by alternatives: "comedy or thriller" also holds "comedy"."""
    values = [plain(preference.value) for preference in getattr(state, slot)]
    return {*values, *(part.strip() for value in values for part in value.split(" or "))}


def _value(slot: str, outcome: Outcome) -> Years | str | int | None:
    if slot == "act":
        return outcome.reply.trace.frame.act if outcome.reply else None
    value: Years | str | int | None = getattr(outcome.state, slot)
    return value


def _holds(slot: str, outcome: Outcome) -> str:
    value = _value(slot, outcome)
    if isinstance(value, tuple) and slot != "years":
        return ", ".join(getattr(preference, "value", "") for preference in value) or "nothing"
    return "nothing" if value is None else str(value)


def _items(expect: Expect, reply: Reply, outcome: Outcome, films: FilmIndex) -> Iterator[Check]:
    ids = {item.item_id for item in reply.items}
    got = ", ".join(item.title for item in reply.items) or "no items"
    if expect.recommended is not None:
        expected = "items" if expect.recommended else "no items"
        yield Check("recommended", expected, bool(ids) == expect.recommended, got)
    if expect.items is not None:
        yield _count("items", expect.items, len(reply.items), got)
    for film in expect.recommend:
        yield Check("recommend", film.title, not ids.isdisjoint(films.find(film.title)), got)
    if expect.recommend_any:
        titles = " or ".join(film.title for film in expect.recommend_any)
        yield Check("recommend_any", titles, not ids.isdisjoint(_ids(expect.recommend_any, films)), got)
    for film in expect.must_not_recommend:
        yield Check("must_not_recommend", f"not {film.title}", ids.isdisjoint(films.find(film.title)), got)
    if expect.new_items:
        again = [item.title for item in reply.items if item.item_id in outcome.shown]
        told = f"again: {', '.join(again)}" if again else got
        yield Check("new_items", "items not shown before", bool(ids) and not again, told)
    items = [films.items[i.item_id] for i in reply.items if i.item_id in films.items]
    if expect.every_item is not None:
        yield from _every(expect.every_item, items)
    if expect.some_item is not None:
        yield _some(expect.some_item, items)


def _ids(wanted: tuple[Film, ...], films: FilmIndex) -> frozenset[str]:
    return frozenset().union(*(films.find(film.title) for film in wanted))


def _count(name: str, bounds: Bounds, count: int, got: str) -> Check:
    low, high = bounds.min or 0, bounds.max
    passed = low <= count and (high is None or count <= high)
    return Check(name, f"{low} to {'any number' if high is None else high}", passed, f"{count}: {got}")


def satisfies(item: Item, wanted: EveryItem) -> bool:
    """Whether the catalogue's record of an item keeps all conditions; an unknown field keeps none."""
    return all(passed for _, passed in _conditions(item, wanted))


def _every(wanted: EveryItem, items: list[Item]) -> Iterator[Check]:
    """One check per condition; without any item nothing is promised, so it fails."""
    if not items:
        yield Check("every_item", "items that keep the conditions", False, "no items")
    faults: dict[str, list[str]] = {}
    for item in items:
        for condition, passed in _conditions(item, wanted):
            faults.setdefault(condition, [])
            if not passed:
                record = (
                    f"{item.label}: {'/'.join(item.genres)}, audience {item.audience}, {item.minutes} min, "
                    f"{'/'.join((*item.themes, *item.content_notes))}, by or with "
                    f"{'/'.join((*item.directors, *item.cast))}"
                )
                faults[condition].append(record)
    for condition, broken in faults.items():
        yield Check("every_item", condition, not broken, "; ".join(broken) or "all of them")


def _some(wanted: EveryItem, items: list[Item]) -> Check:
    keeping = [item.label for item in items if satisfies(item, wanted)]
    told = ", ".join(f"{name} {value}" for name in wanted.__slots__ if (value := getattr(wanted, name)))
    got = ", ".join(item.label for item in items) or "no items"
    return Check("some_item", f"an item with {told}", bool(keeping), ", ".join(keeping) or f"none of {got}")


def _conditions(item: Item, wanted: EveryItem) -> Iterator[tuple[str, bool]]:
    genres, themes, notes = _plain(item.genres), _plain(item.themes), _plain(item.content_notes)
    for genre in wanted.genres:
        yield f"genre {genre}", plain(genre) in genres
    if wanted.any_genre:
        yield f"a genre of {', '.join(wanted.any_genre)}", not genres.isdisjoint(_plain(wanted.any_genre))
    for genre in wanted.not_genres:
        yield f"not genre {genre}", bool(genres) and plain(genre) not in genres
    if wanted.any_theme:
        yield f"a theme of {', '.join(wanted.any_theme)}", not themes.isdisjoint(_plain(wanted.any_theme))
    for theme in wanted.not_themes:
        yield f"not theme {theme}", bool(themes) and plain(theme) not in themes
    moods = _plain(item.moods)
    if wanted.any_mood:
        yield f"a mood of {', '.join(wanted.any_mood)}", not moods.isdisjoint(_plain(wanted.any_mood))
    for mood in wanted.not_moods:
        yield f"not mood {mood}", bool(moods) and plain(mood) not in moods
    for note in wanted.not_notes:
        yield f"no {note}", plain(note) not in notes
    people = _plain((*item.directors, *item.cast))
    if wanted.person is not None:
        yield f"by or with {wanted.person}", plain(wanted.person) in people
    if wanted.not_person is not None:
        yield f"not by or with {wanted.not_person}", bool(people) and plain(wanted.not_person) not in people
    yield from _limits(item, wanted)


def _limits(item: Item, wanted: EveryItem) -> Iterator[tuple[str, bool]]:
    if wanted.years is not None:
        low, high = wanted.years
        year = item.year
        passed = year is not None and (low is None or year >= low) and (high is None or year <= high)
        yield f"years {low} to {high}", passed
    if wanted.max_minutes is not None:
        passed = item.minutes is not None and item.minutes <= wanted.max_minutes
        yield f"at most {wanted.max_minutes} minutes", passed
    for name in ("audience", "language"):
        value = getattr(wanted, name)
        if value is not None:
            yield f"{name} {value}", plain(getattr(item, name) or "") == plain(value)


def _plain(values: tuple[str, ...]) -> set[str]:
    return {plain(value) for value in values}


def _talk(expect: Expect, reply: Reply, outcome: Outcome) -> Iterator[Check]:
    if expect.asked is not None:
        expected = "a question" if expect.asked else "no question"
        asked = reply.question is not None
        yield Check("asked", expected, asked == expect.asked, reply.question or "no question")
    if expect.question_budget is not None:
        passed = outcome.questions <= expect.question_budget
        expected = f"at most {expect.question_budget} so far"
        yield Check("question_budget", expected, passed, f"{outcome.questions} so far")
    about = reply.state.pending.attribute if reply.question and reply.state.pending else "nothing"
    for attribute in expect.not_asked_about:
        yield Check("not_asked_about", f"no question about {attribute}", about != attribute, about)
    options = " | ".join(reply.options)
    if expect.options is not None:
        yield _count("options", expect.options, len(reply.options), options)
    for words in expect.options_without:
        offered = any(_offers(option, words) for option in reply.options)
        yield Check("options_without", f"no quick reply {words}", not offered, options)
    if expect.relaxed is not None:
        expected = "something is relaxed, and said" if expect.relaxed else "nothing is relaxed"
        got = "; ".join(reply.relaxed) or "nothing is relaxed"
        yield Check("relaxed", expected, bool(reply.relaxed) == expect.relaxed, got)


def _offers(option: str, words: str) -> bool:
    """Whether tapping a quick reply asks for that; "no horror" does not ask for horror."""
    said = plain(option)
    return plain(words) in said and not said.startswith(("no ", "not ", "less ", "without ", "nothing "))


def _text(expect: Expect, text: str) -> Iterator[Check]:
    said = plain(text)
    for words in expect.text_contains:
        yield Check("text_contains", words, plain(words) in said, text)
    if expect.text_any:
        passed = any(plain(words) in said for words in expect.text_any)
        yield Check("text_any", " or ".join(expect.text_any), passed, text)
    for words in expect.text_not_contains:
        yield Check("text_not_contains", f"not {words}", plain(words) not in said, text)

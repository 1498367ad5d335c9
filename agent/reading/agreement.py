"""Whether a model's frame can be believed: what it must never do, and where it is at odds with the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from agent.reading.frames import AUDIENCES
from agent.reading.rules import is_empty
from agent.reading.scene import Scene
from agent.reading.slots import language_of
from agent.reading.vocabulary import Vocabulary
from agent.types import Frame

_NAMED = ("like", "dislike", "seen", "want", "avoid", "people")


@dataclass(frozen=True, slots=True)
class Checks:
    """What code knows of words. `item`: item_id of an exact title, else None. `named`: whether a text is a
    title, typos and all, or written as one.
    """

    vocabulary: Vocabulary
    item: Callable[[str], str | None]
    named: Callable[[str], bool]


def objection(model: Frame, rules: Frame, said: str, scene: Scene) -> str | None:
    """Why the model's frame cannot be used at all; None when it can be. `said`: the message, as it was
    written and as it was quoted; a model that decodes without a grammar may name what does not stand in it.
    """
    names = [name.casefold() for key in _NAMED for name in getattr(model, key)]
    if len(set(names)) < len(names):
        return "the same is said twice"
    bearing = "\n".join((said, *scene.shown, *scene.options)).casefold()
    for name in names:
        if name not in bearing:
            return f"{name[:60]!r} does not stand in the message"
    if rules.act in ("undo", "reset") and model.act != rules.act:
        return f"{model.act}, where the wording says {rules.act}"
    return None


def disagreement(model: Frame, rules: Frame, checks: Checks) -> str | None:
    """Where an untrained model is at odds with the rules; None where it is not.

    It reads messages far worse than they do (`tastebud eval adapter` tells), so its frame is believed only
    where both agree: a grammar makes it well-formed, not right.
    """
    ours, theirs = _verdicts(rules, checks), _verdicts(model, checks)
    for name, verdict in ours.items():
        if theirs.get(name) != verdict:
            return f"{name!r} is {verdict}, not {theirs.get(name, 'missing')}"
    for name in theirs.keys() - ours.keys():
        if theirs[name] not in ("wanted", "avoided") or checks.vocabulary.term(name) is None:
            return f"{name!r} is {theirs[name]} by the model alone"
    if rules.years != model.years:
        return f"years {model.years}, not {rules.years}"
    if is_empty(rules) and not is_empty(model):
        return "nothing of it stands in the message"
    return None


def completed(model: Frame, rules: Frame, checks: Checks) -> Frame:
    """A trained model's frame, with what the rules know better: how a title is spelled, that a word is none,
    that a word of the vocabulary is a wish, and which promise is taken back.
    """
    found = [name for name in (*rules.like, *rules.dislike, *rules.seen, *rules.about) if checks.named(name)]
    like, dislike, seen = (
        tuple(dict.fromkeys(name for name in (_spelled(each, found) for each in names) if checks.named(name)))
        for names in (model.like, model.dislike, model.seen)
    )
    if not (like or dislike or seen or model.about) and (model.like or model.dislike or model.seen):
        like, dislike, seen = rules.like, rules.dislike, rules.seen  # it took another word for the title
    lost = _lost(model, rules, checks)
    like, dislike, seen = (
        tuple(dict.fromkeys((*kept, *(name for name in names if name in lost))))
        for kept, names in ((like, rules.like), (dislike, rules.dislike), (seen, rules.seen))
    )
    said = {_plain(name) for key in (*_NAMED, "drop") for name in getattr(model, key)}
    absent = tuple(name for name in rules.people if not within(name, (*said, *map(_plain, model.about))))
    found_someone = model.act in ("accept", "chat") and bool(rules.people) and rules.act == "inform"
    if found_someone:
        absent = rules.people
    missed = tuple(want for want in rules.want if _is_promise(want, checks) and not within(want, said))
    refused = (
        name
        for name in rules.avoid
        if (name in AUDIENCES and name != model.audience) or language_of(name) is not None
    )
    return replace(
        model,
        like=like,
        dislike=dislike,
        seen=seen,
        avoid=tuple(dict.fromkeys((*model.avoid, *(name for name in refused if not within(name, said))))),
        want=(*(want for want in model.want if _plain(want) not in map(_plain, lost)), *missed),
        act="inform" if found_someone else model.act,
        about=() if found_someone else model.about,
        people=tuple(dict.fromkeys((*(name for name in model.people if name not in lost), *absent))),
        years=rules.years if "years" in rules.drop else model.years,
        max_minutes=rules.max_minutes if "max_minutes" in rules.drop else model.max_minutes,
        drop=tuple(dict.fromkeys((*rules.drop, *model.drop))),
    )


def _lost(model: Frame, rules: Frame, checks: Checks) -> set[str]:
    """Exact titles that the rules found and the model took for people or wishes, or found nothing in."""
    titles = {name for name in (*rules.like, *rules.dislike, *rules.seen) if checks.item(name) is not None}
    wishes = (want for want in model.want if checks.vocabulary.term(want) is None)
    taken = {_plain(name) for name in (*model.people, *wishes)}
    return titles if is_empty(model) else {title for title in titles if _plain(title) in taken}


def _spelled(name: str, found: Sequence[str]) -> str:
    """The name as the rules found it in the message, where one is a part of the other."""
    plain = _plain(name)
    return next((other for other in found if plain in _plain(other) or _plain(other) in plain), name)


def _plain(name: str) -> str:
    return name.strip().casefold()


def within(want: str, said: Iterable[str]) -> bool:
    """Whether a phrase is part of one of those said, or holds one; these in lower case."""
    return any(_plain(want) in other or other in _plain(want) for other in said)


def _is_promise(want: str, checks: Checks) -> bool:
    term = checks.vocabulary.term(want)
    return term is not None and term.promised


def agreed(model: Frame, rules: Frame) -> Frame:
    """The frame of an untrained model, with what only the rules are trusted to read."""
    return replace(
        model,
        act=rules.act,
        about=rules.about,
        drop=rules.drop,
        language=rules.language,
        max_minutes=rules.max_minutes,
        audience=rules.audience,
    )


def _verdicts(frame: Frame, checks: Checks) -> dict[str, str]:
    """Every name and word of a frame, in a form that can be compared, with its verdict."""
    lists = {
        "liked": frame.like,
        "disliked": frame.dislike,
        "seen": frame.seen,
        "wanted": frame.want,
        "a person": frame.people,
        "avoided": frame.avoid,
    }
    return {
        checks.item(name) or name.strip().lower(): verdict
        for verdict, names in lists.items()
        for name in names
    }

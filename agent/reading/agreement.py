"""Whether a model's frame can be believed: what it must never do, and where it is at odds with the rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.reading.rules import is_empty
from agent.reading.scene import Scene
from agent.reading.vocabulary import Vocabulary
from agent.types import Frame

_NAMED = ("like", "dislike", "seen", "want", "avoid", "people")


@dataclass(frozen=True, slots=True)
class Checks:
    """What code knows of words. `item`: item_id of an exact title, else None."""

    vocabulary: Vocabulary
    item: Callable[[str], str | None]


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

"""Two readings of one message -> one frame: the model's words, with what code must never get wrong.

The model tells what is liked, wanted and refused; numbers and refusals that the rules found are kept whatever
it says, and nothing of its own that the message cannot bear is taken over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from agent.reading.rules import is_empty
from agent.reading.scene import Scene
from agent.reading.slots import DECADE_WORDS
from agent.reading.vocabulary import Vocabulary
from agent.types import Frame

_DATED = re.compile(r"\d|" + "|".join(DECADE_WORDS), re.I)
_NAMED = ("like", "dislike", "seen", "want", "avoid", "people")


@dataclass(frozen=True, slots=True)
class Checks:
    """What code knows of words. `item`: item_id of an exact title, else None; `named`: a title or name nobody
    knows, written as one (capitals, quotes); then it is answered that the catalogue has no such item.
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


def reconcile(model: Frame, rules: Frame, message: str, checks: Checks) -> Frame:
    """The model's frame, completed and corrected by the rules'."""
    known = {name: _key(name, checks) for key in _NAMED for name in getattr(model, key)}
    said = {*known.values(), *(_key(name, checks) for name in model.about)}

    def missed(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if _key(name, checks) not in said)

    frame = replace(
        model,
        like=(*_titles(model.like, checks), *missed(rules.like)),
        dislike=(*_titles(model.dislike, checks), *missed(rules.dislike)),
        seen=(*_titles(model.seen, checks), *missed(rules.seen)),
        want=model.want or missed(rules.want),
        avoid=(*model.avoid, *missed(rules.avoid)),
        people=(*_people(model.people, checks), *missed(rules.people)),
        years=rules.years or (model.years if _DATED.search(message) else None),
        language=rules.language or model.language,
        max_minutes=rules.max_minutes or (model.max_minutes if _DATED.search(message) else None),
        audience=rules.audience or model.audience,
        about=model.about or rules.about,
        drop=tuple(dict.fromkeys((*model.drop, *rules.drop))),
    )
    return frame


def _key(name: str, checks: Checks) -> str:
    """Two ways of writing one thing have one key."""
    term = checks.vocabulary.term(name)
    return checks.item(name) or (term.phrase.casefold() if term else name.strip().casefold())


def _titles(names: tuple[str, ...], checks: Checks) -> tuple[str, ...]:
    """Names that are titles, or written as some; a mere word of the vocabulary is nothing to like."""
    return tuple(name for name in names if checks.item(name) or checks.named(name))


def _people(names: tuple[str, ...], checks: Checks) -> tuple[str, ...]:
    return tuple(name for name in names if checks.vocabulary.person(name) or name.istitle())


def disagreement(model: Frame, rules: Frame, checks: Checks) -> str | None:
    """Where a model that was not trained to read is at odds with the rules; None where it is not.

    Such a model writes well-formed frames that are wrong in kind, so it is believed only where both agree.
    """
    ours, theirs = _verdicts(rules, checks), _verdicts(model, checks)
    for name, verdict in ours.items():
        if theirs.get(name) != verdict:
            return f"{name!r} is {verdict}, not {theirs.get(name, 'missing')}"
    for name in theirs.keys() - ours.keys():
        if not name[0].isdigit() and checks.vocabulary.term(name) is None and checks.item(name) is None:
            return f"{name!r} is nothing this catalogue knows"
    if rules.years != model.years:
        return f"years {model.years}, not {rules.years}"
    if is_empty(rules) and not is_empty(model):
        return "nothing of it stands in the message"
    return None


def _verdicts(frame: Frame, checks: Checks) -> dict[str, str]:
    """Every name and word of a frame, in a form that can be compared, with its verdict."""
    lists = {
        "liked": frame.like,
        "disliked": frame.dislike,
        "seen": frame.seen,
        "wanted": (*frame.want, *frame.people),
        "avoided": frame.avoid,
    }
    return {
        checks.item(name) or name.strip().lower(): verdict
        for verdict, names in lists.items()
        for name in names
    }

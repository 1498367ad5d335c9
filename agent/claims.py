"""What a reply may say for an item: its reasons as claims, and facet values as people would say them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.policy import list_or
from agent.prompting import phrasings, spec
from agent.types import DialogueState
from retrieval.catalogue import Catalogue
from retrieval.types import Item, Reason, Recommendation, facet_values

FIELDS = ("themes", "moods", "genres")
"""Facet fields that stories are told of, the most specific first."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that speaks for an item: the phrases `clause_<kind>` and `why_<kind>`, and what fills them.

    `values`: the catalogue's own values that it states; empty for what people liked.
    """

    kind: str
    slots: dict[str, str] = field(default_factory=dict)
    values: tuple[str, ...] = ()

    @property
    def clauses(self) -> list[str]:
        """How it is said after a title and a comma."""
        return phrasings(f"clause_{self.kind}", **self.slots)

    @property
    def sentences(self) -> list[str]:
        """How it ends a sentence that ended on the title, or makes a new one."""
        return phrasings(f"why_{self.kind}", **self.slots)


def claims(
    recommendation: Recommendation, catalogue: Catalogue, state: DialogueState, named: Sequence[str]
) -> list[Claim]:
    """What speaks for a recommended item, best first; never empty. What was asked for needs no saying again.

    `named`: item_ids that the reply has just named, so that they need not be named once more.
    """
    item = catalogue[recommendation.item_id]
    asked = {value for p in state.wants for value in p.value.split(" or ")}
    made = [
        _claim(reason, item, catalogue, state, asked, named)
        for reason in recommendation.reasons
        if reason.kind not in ("wanted", "years", "themes", "genres", "plain")
    ]
    made += [_own(item, name, asked) for name in FIELDS]
    found: list[Claim] = []
    for claim in made:
        if claim is not None and not any(claim.values and claim.values == c.values for c in found):
            found.append(claim)
    return found or [Claim("plain")]


def _claim(
    reason: Reason,
    item: Item,
    catalogue: Catalogue,
    state: DialogueState,
    asked: set[str],
    named: Sequence[str],
) -> Claim | None:
    """A reason as a claim; None when all it has to say was asked for."""
    people = [*item.directors, *item.cast]
    if reason.item_id is None:
        if reason.kind == "person":
            name = next(name for name in people if name in reason.text)
            return Claim("by" if name in item.directors else "with", {"person": name}, (name,))
        return _wished(reason, item, state) if reason.kind == "wished" else Claim(reason.kind)
    other, again = catalogue[reason.item_id], reason.item_id in named
    title = {} if again else {"title": f"*{other.title.replace('*', '∗')}*"}
    if reason.kind == "person":
        both = tuple(dict.fromkeys(name for name in people if name in (*other.directors, *other.cast)))[:2]
        return Claim("again" if again else "person", {"person": list_or(both, "and"), **title}, both)
    if reason.kind == "loved_by":
        return Claim("fans" if again else "loved_by", title)
    for name in FIELDS:
        shared = [value for value in _fresh(item, name, asked) if value in facet_values(other, name)]
        if shared:
            text, values = story(name, shared[:3])
            return Claim("kin" if again else "shares", {**_cased(text), **title}, values)
    return None


def _wished(reason: Reason, item: Item, state: DialogueState) -> Claim | None:
    wish = next((p.value for p in state.wants if p.kind == "text" and reason.text.endswith(p.value)), None)
    if wish is None:
        return None
    said = reason.text.removesuffix(wish)
    for name in FIELDS:
        values = [value for value in facet_values(item, name) if value in said]
        if values:
            text, told = story(name, values[:2])
            return Claim("wished", {**_cased(text), "wish": quoted(wish)}, told)
    return None


def _own(item: Item, name: str, asked: set[str]) -> Claim | None:
    values = _fresh(item, name, asked)
    if not values:
        return None
    text, told = story(name, values[:2])
    return Claim("story", _cased(text), told)


def _fresh(item: Item, name: str, asked: set[str]) -> list[str]:
    return [value for value in facet_values(item, name) if value not in asked]


def _cased(text: str) -> dict[str, str]:
    return {"story": text, "story_capital": text[:1].upper() + text[1:]}


def quoted(wish: str) -> str:
    """A free wish as a reply repeats it: short, one line, in quotation marks."""
    return f'"{" ".join(wish.replace(chr(34), " ").replace("*", " ").split())[:60]}"'


def with_article(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def genre(value: str) -> str:
    """A genre as it follows "it is": `a thriller`, `horror`."""
    return with_article(value) if value in spec("spoken")["genres"] else value


def subject(theme: str) -> str:
    """A theme as it follows "about": `a heist`, `revenge`, `the Cold War`."""
    texts = spec("spoken")
    return with_article(theme) if theme in texts["articles"] else texts["names"].get(theme, theme)


def is_form(theme: str) -> bool:
    """Whether a theme says what something is (`a black comedy`), not what it is about or where it is set."""
    return theme in spec("spoken")["forms"] or theme in spec("spoken")["bare_forms"]


def is_subject(theme: str) -> bool:
    """Whether "about" can precede a theme."""
    return not is_form(theme) and theme not in spec("spoken")["tails"]


def story(name: str, values: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Values of one field as they follow "it is", and which are in it: all but a second form or place.

    `a black comedy about revenge, set in Paris`; `tense and gritty`; `crime and thriller in one`.
    """
    if name == "moods":
        return list_or(values, "and"), tuple(values)
    if name == "genres":
        return (genre(values[0]) if len(values) == 1 else f"{list_or(values, 'and')} in one"), tuple(values)
    return themes(values)


def themes(values: Sequence[str], head: str = "") -> tuple[str, tuple[str, ...]]:
    """Themes as one phrase, and those that found a place in it. `head`: what it is, if that is known."""
    texts = spec("spoken")
    abouts = [value for value in values if is_subject(value)]
    forms = [] if head else [value for value in values if is_form(value)][:1]
    tails = [value for value in values if value in texts["tails"]][:1]
    for form in forms:
        head = with_article(form) if form in texts["forms"] else form
    said = " ".join(
        part
        for part in (head, f"about {list_or([subject(v) for v in abouts], 'and')}" if abouts else "")
        if part
    )
    for tail in tails:
        joint = ", " if abouts else " " if said else ""
        words = texts["tails"][tail]
        said += f"{joint}{words.removeprefix('and ') if said in ('', 'something') else words}"
    return said, tuple(v for v in values if v in (*abouts, *forms, *tails))

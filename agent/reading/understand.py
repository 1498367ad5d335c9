"""Message -> Reading. The model proposes a frame; the rules check it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.errors import ModelError
from agent.model.grammar import quotable
from agent.model.language import Language
from agent.policy import SURPRISE
from agent.reading.acts import spelt_out, without_reset
from agent.reading.agreement import Checks, agreed, completed, disagreement, objection
from agent.reading.answers import answer_to
from agent.reading.draft import draft_of, latest_year
from agent.reading.foreign import is_foreign
from agent.reading.frames import frame_of
from agent.reading.link import Linker
from agent.reading.names import Named, alternatives
from agent.reading.passing import examples_of_age, in_passing, without_remarks
from agent.reading.rules import Context, is_empty, masked_message, read_message
from agent.reading.scene import MOST_SHOWN, Scene, understand_prompt
from agent.reading.slots import read_years
from agent.reading.talk import before_orders, off_the_road, small_talk
from agent.reading.vocabulary import Vocabulary
from agent.reading.wishes import read_description
from agent.state import ALTERNATIVES, Linked, Reading
from agent.types import DialogueState, Frame, Question, Speaker
from retrieval.catalogue import Catalogue
from retrieval.filters import satisfies
from retrieval.types import Constraints, Facet, Item, Years

LIKE_AN_ITEM = 0.35
"""Cosine to the nearest item below which a description means nothing here. Of 46 descriptions of films
the least like its nearest film has .39; of idle talk in ReDial half is below .35."""

_LEFT_TO_RULES = {True: ("undo", "reset", "more"), False: ("undo", "reset", "more", "ask_why", "ask_about")}
"""Acts that no model is asked about, by whether it was trained for this."""

_INSTEAD = re.compile(
    r"\b(?:instead|actually|rather|on second thought|changed my mind)\b|^\W*(?:(?:ok(?:ay)?|and|so|well)\W+)*"
    r"(?:now|ora|adesso|ahora|maintenant|jetzt|agora)\b(?!\s+(?:with|also|add|only|that|con|avec|mit|com))",
    re.I,
)
_SURPRISE = re.compile(
    r"surprise me|you (?:choose|pick|decide)|(?:just )?pick (?:something|smth|sth|one|anything)"
    r"|dealer'?s choice|^whatever\b|no preference|don'?t (?:care|mind)|"
    r"any(?:thing)? (?:is fine|goes|will do)|^anything[.!?]*$",
    re.I,
)
_YEAR = re.compile(r"\(?\b((?:1[89]|20)\d\d)\b\)?\s*$")
_STATED = re.compile(r"\d|\b(?:twen|thir|for|fif|six|seven|eigh|nine)ties\b|\bhours?\b", re.I)
_REFUSES = r"\b(?:not?|any|more|without|avoid|hate|enough|of|nothing|never|too|tired of)"
_COMPARED = re.compile(
    r"\b(newer|more recent|more modern|older|earlier|shorter)\b(?! like)(?: than\s+(.{1,60}))?", re.I
)


@dataclass(frozen=True, slots=True)
class Understood:
    """A reading, who made it, and in a few words how."""

    reading: Reading
    speaker: Speaker
    detail: str


class Reader:
    """Reads messages against one catalogue, with or without a language model."""

    def __init__(
        self,
        catalogue: Catalogue,
        linker: Linker,
        vocabulary: Vocabulary,
        language: Language | None,
        likeness: Callable[[str], float],
    ) -> None:
        """`likeness`: cosine of a text to its nearest item, which tells a description from idle talk."""
        self._catalogue = catalogue
        self._linker = linker
        self._vocabulary = vocabulary
        self._language = language
        self._likeness = likeness
        self._latest = latest_year(catalogue)
        self._checks = Checks(vocabulary, self._exact, self._named)

    def read(self, message: str, state: DialogueState) -> Understood:
        """Understand `message` after `state`. Never raises; a failing model leaves it to the rules."""
        message = spelt_out(message)
        off = off_the_road(message)
        if off is not None:
            return Understood(Reading(Frame(act="chat")), "rules", off)
        shown = [self._catalogue[item_id] for item_id in state.last_shown]
        answer = answer_to(message, state.pending, self._vocabulary) if state.pending else None
        if answer is not None:
            return Understood(self._reading(answer, message, []), "code", "a quick reply")
        labels = tuple(item.label for item in shown)
        context = Context(self._linker, self._vocabulary, self._latest, labels, begun=state.turn > 0)
        wish = before_orders(message)
        draft = read_message(wish, context)
        if wish != message and is_empty(draft):
            return Understood(Reading(Frame(act="chat")), "rules", "an order, not a wish")
        message = wish
        pending = state.pending
        left = self._language is None or draft.act in _LEFT_TO_RULES[self._language.tuned]
        if left or is_foreign(message):  # the model was taught in English
            return self._in_passing(self._by_rules(draft, None, message, shown), message, context, pending)
        scene = Scene(
            labels[:MOST_SHOWN],
            pending.text if pending else "",
            tuple(option for option in pending.options if option != SURPRISE) if pending else (),
        )
        understood = self._with_model(message, draft, scene, shown)
        return self._in_passing(understood, message, context, pending)

    def _described(self, frame: Frame, message: str) -> Frame:
        """A message that describes something the catalogue has: a wish in its own words."""
        rest = without_reset(message) if frame.act == "reset" else message
        only_wishes = is_empty(replace(frame, want=())) and frame.act in (
            "chat",
            "inform",
            "critique",
            "reset",
        )
        text = read_description(rest, self._vocabulary) if only_wishes else None
        if text is None or small_talk(rest) or self._likeness(text) < LIKE_AN_ITEM:
            return frame
        genres = tuple(phrase for phrase in frame.want if self._is_genre(phrase))
        return replace(frame, act="inform" if frame.act == "chat" else frame.act, want=(*genres, text))

    def _is_genre(self, phrase: str) -> bool:
        term = self._vocabulary.answer(phrase)
        return term is not None and term.promised and all(facet.field == "genres" for facet in term.facets)

    def _with_model(self, message: str, draft: Frame, scene: Scene, shown: list[Item]) -> Understood:
        """Only a reading that counts is taken as a description, for that costs an embedding."""
        assert self._language is not None
        tuned = self._language.tuned
        rules = None if tuned else self._described(draft, message)
        known = draft_of(draft, message, scene, self._latest) if tuned else None
        try:
            proposed = self._language.frame(understand_prompt(message, scene, known), message)
        except ModelError as error:
            return self._by_rules(draft, rules, message, shown, f"model failed: {error}"[:160])
        frame = frame_of(proposed, scene, self._latest)
        wrong = objection(frame, draft, f"{message} {quotable(message)}", scene)
        if rules is None:
            frame = completed(frame, draft, self._checks)
        else:
            wrong = wrong or disagreement(frame, rules, self._checks)
            frame = agreed(frame, rules)
        if wrong is not None:
            return self._by_rules(draft, rules, message, shown, f"model's frame refused: {wrong}")
        frame = self._described(frame, message)
        return Understood(self._reading(frame, message, shown), "model", frame.act)

    def _by_rules(
        self, draft: Frame, rules: Frame | None, message: str, shown: list[Item], detail: str = ""
    ) -> Understood:
        """The rules speak. `rules`: the draft with its description, where that was looked for already."""
        frame = rules or self._described(draft, message)
        return Understood(self._reading(frame, message, shown), "rules", detail or frame.act)

    def _named(self, name: str) -> bool:
        return name[:1].isupper() or name[:1].isdigit() or self._linker.link(name) is not None

    def _exact(self, name: str) -> str | None:
        link = self._linker.link(name)
        return link.item_id if link and link.exact else None

    def _reading(self, frame: Frame, message: str, shown: list[Item]) -> Reading:
        names = (*frame.like, *frame.dislike, *frame.seen)
        about = tuple(name for name in frame.about if not name.isdigit())
        links = tuple(self.link(name) for name in dict.fromkeys((*names, *about)))
        return Reading(
            self._compared(frame, message, links, shown),
            links,
            foreign=is_foreign(message),
            instead=bool(_INSTEAD.search(message)) and "instead of" not in message.lower(),
            surprise=bool(_SURPRISE.search(message)),
        )

    def _compared(self, frame: Frame, message: str, links: tuple[Linked, ...], shown: list[Item]) -> Frame:
        """ "Newer", "older", "shorter": than what the message names, else than what is on show."""
        match = _COMPARED.search(message)
        named = [self._catalogue[link.item_id] for link in links if link.item_id is not None]
        against = named or shown
        if not match or not against or frame.about:
            return frame
        word = match[1].lower()
        years = sorted(item.year for item in against if item.year is not None)
        minutes = sorted(item.minutes for item in against if item.minutes is not None)
        frame = replace(frame, act="critique" if frame.act == "chat" else frame.act)
        stated = _STATED.search(message) is not None  # a limit of its own goes before any comparison
        if word == "shorter":
            kept = not minutes or (stated and frame.max_minutes is not None)
            return frame if kept else replace(frame, max_minutes=minutes[len(minutes) // 2] - 1)
        if not years or (stated and frame.years is not None):
            return frame
        middle = years[len(years) // 2]
        late = word in ("newer", "more recent", "more modern")
        return replace(frame, years=(middle + 1, None) if late else (None, middle - 1))

    def _in_passing(
        self, understood: Understood, message: str, context: Context, pending: Question | None
    ) -> Understood:
        """Tells tastes from requests and takes out what describes a film. An answer to a question asks."""
        reading = understood.reading
        frame = reading.frame
        if not (frame.want or frame.people or frame.years):
            return understood
        masked, named = masked_message(message, context)
        passing = in_passing(masked, named, self._vocabulary)
        want = tuple(phrase for phrase in frame.want if not self._all_in(phrase, passing.remarked))
        want, avoid = self._not_both(want, frame.avoid, masked)
        people = _grouped(frame.people, alternatives(masked, named))
        years = None if self._mistaken(frame.years, masked, named, reading.links) else frame.years
        frame = replace(frame, want=want, avoid=avoid, people=people, years=years)
        told = (
            *(phrase for phrase in want if self._all_in(phrase, passing.told)),
            *(name for name in people if passing.people.issuperset(name.lower().split(" or "))),
        )
        told = told if pending is None else ()
        return replace(understood, reading=replace(reading, frame=frame, told=frozenset(told)))

    def _not_both(
        self, want: tuple[str, ...], avoid: tuple[str, ...], masked: str
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """A wish goes before the refusal of a kind of it ("no gross-out comedies"), but not of it all."""
        for phrase in avoid:
            same = tuple(wish for wish in want if self._meant(wish) & self._meant(phrase))
            if same and re.search(rf"{_REFUSES}\s+{re.escape(phrase)}", masked, re.I):
                want = tuple(wish for wish in want if wish not in same)
            elif same:
                avoid = tuple(other for other in avoid if other != phrase)
        return want, avoid

    def _meant(self, phrase: str) -> frozenset[Facet]:
        options = (phrase, *ALTERNATIVES.split(phrase))
        terms = [self._vocabulary.answer(option) for option in options]
        return frozenset(facet for term in terms if term is not None for facet in term.facets)

    def _all_in(self, phrase: str, facets: frozenset[Facet]) -> bool:
        meant = self._meant(phrase)
        return bool(meant) and meant <= facets

    def _mistaken(
        self, years: Years | None, masked: str, named: Sequence[Named], links: Sequence[Linked]
    ) -> bool:
        """Whether years come from a remark ("a true classic!"), or examples of them lie outside."""
        if years is None:
            return False
        if read_years(masked, self._latest) and not read_years(without_remarks(masked), self._latest):
            return True
        examples = examples_of_age(masked, named)
        given = [self._catalogue[link.item_id] for link in links if link.item_id and link.name in examples]
        return any(not satisfies(item, Constraints(years=years)) for item in given)

    def link(self, name: str) -> Linked:
        """The item a name means; without one, `item_id` is None."""
        year = _YEAR.search(name)
        bare = name[: year.start()].strip() if year else name
        link = self._linker.link(bare, int(year[1])) if year and bare else self._linker.link(name)
        link = link or self._linker.link(name)
        if link is None:
            return Linked(name, None, name, False)
        return Linked(name, link.item_id, link.title, link.exact)


def _grouped(people: Sequence[str], groups: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The people of a frame, those of whom any will do in one value: "Brad Pitt or Matt Damon"."""
    of = {name.lower(): group for group in groups for name in group}
    joined = (of.get(name.lower(), [name]) for name in people)
    return tuple(dict.fromkeys(" or ".join(names) for names in joined))

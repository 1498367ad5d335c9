"""Message -> Reading. The model proposes a frame; the rules check it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.errors import ModelError
from agent.model.grammar import quotable
from agent.model.language import Language
from agent.policy import SURPRISE
from agent.reading.acts import spelt_out, without_reset
from agent.reading.agreement import Checks, agreed, completed, disagreement, objection
from agent.reading.answers import answer_to
from agent.reading.draft import draft_of, latest_year
from agent.reading.evidence import believed, supported
from agent.reading.foreign import is_foreign
from agent.reading.frames import frame_of
from agent.reading.link import Linker
from agent.reading.refine import Refiner
from agent.reading.rules import Context, is_empty, masked_message, read_masked
from agent.reading.scene import MOST_SHOWN, Scene, understand_prompt
from agent.reading.talk import before_orders, off_the_road, small_talk
from agent.reading.vocabulary import Vocabulary
from agent.reading.wishes import read_description
from agent.state import Linked, Reading
from agent.types import DialogueState, Frame, Speaker
from retrieval.catalogue import Catalogue
from retrieval.types import Item

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
    r"surprise (?:me|us)|you (?:choose|pick|decide)|(?:just )?pick (?:something|smth|sth|one|anything)"
    r"|dealer'?s choice|^whatever\b|no preference|don'?t (?:care|mind)|"
    r"any(?:thing)? (?:is fine|goes|will do)|^anything[.!?]*$",
    re.I,
)
_YEAR = re.compile(r"\(?\b((?:1[89]|20)\d\d)\b\)?\s*$")
_STATED = re.compile(r"\d|\b(?:twen|thir|for|fif|six|seven|eigh|nine)ties\b|\bhours?\b", re.I)
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
        self._refiner = Refiner(catalogue, vocabulary, self._latest)
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
        masked, named = masked_message(wish, context)
        draft = read_masked(wish, masked, named, context)
        if wish != message and is_empty(draft):
            return Understood(Reading(Frame(act="chat")), "rules", "an order, not a wish")
        message = wish
        pending = state.pending
        left = self._language is None or draft.act in _LEFT_TO_RULES[self._language.tuned] or draft.drop
        if left or is_foreign(message):  # the model was taught in English
            understood = self._by_rules(draft, None, message, shown)
        else:
            scene = Scene(
                labels[:MOST_SHOWN],
                pending.text if pending else "",
                tuple(option for option in pending.options if option != SURPRISE) if pending else (),
            )
            understood = self._with_model(message, draft, scene, shown)
        reading = self._refiner.refined(understood.reading, message, masked, named, shown)
        return replace(understood, reading=reading)

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
        if tuned:
            frame = believed(supported(frame, draft, message, scene), draft, message, scene, self._checks)
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
        if not match or not against or frame.about or frame.drop:
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

    def link(self, name: str) -> Linked:
        """The item a name means; without one, `item_id` is None."""
        year = _YEAR.search(name)
        bare = name[: year.start()].strip() if year else name
        link = self._linker.link(bare, int(year[1])) if year and bare else self._linker.link(name)
        link = link or self._linker.link(name)
        if link is None:
            return Linked(name, None, name, False)
        return Linked(name, link.item_id, link.title, link.exact)

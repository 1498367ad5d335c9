"""What a simulated person says next: truthful up to their noise, and never the title they have in mind."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from agent.policy import SURPRISE
from agent.reading.vocabulary import Vocabulary
from agent.types import Reply
from eval.simulate.leak import LeakDetector
from eval.simulate.person import TOPICS, Fact, Person, decade_fact, promises, standing, topic
from eval.simulate.voice import Voice, say, spoken, templates
from retrieval.filters import satisfies
from retrieval.types import Facet, Item, facet_values

_FAVOURITES = re.compile(r"\b(?:films?|movies?)\b.*\b(?:lov|lik|enjoy)|\benjoyed? lately", re.I)
_DECADE = re.compile(r"(?:the )?(\d{3}0)s|before 1960")
_AGAIN = "start over"
_IDLE = frozenset({SURPRISE, _AGAIN, "show me more"})


@dataclass(frozen=True, slots=True)
class Say:
    """A message: what it does (`kind`), its words, the facts it tells and the items it names.

    `reworded`: the words are a language model's.
    """

    kind: str
    text: str
    facts: tuple[Fact, ...] = ()
    films: tuple[Item, ...] = ()
    reworded: bool = False

    @property
    def keep(self) -> tuple[str, ...]:
        """The words that no rewording may lose."""
        return (*(fact.value for fact in self.facts), *(film.title for film in self.films))


class Mind:
    """One person in one conversation. `told`: facts in the order said. `named`: item_ids they spoke of.

    `leaks`: messages that would have given the title away and were not sent.
    """

    def __init__(self, person: Person, voice: Voice, vocabulary: Vocabulary, rng: random.Random) -> None:
        self.person, self.told, self.named, self.leaks = person, list[Fact](), set[str](), 0
        self._voice, self._vocabulary, self._rng = voice, vocabulary, rng
        self._detector = LeakDetector(person.target)

    def broken(self, item: Item, admitted: Sequence[str]) -> bool:
        """Whether an item breaks what was asked for, but for what the reply gave up in words (`admitted`)."""
        return any(
            not satisfies(item, promises((fact,))) and not _admits(admitted, fact)
            for fact in standing(self.told)
        )

    def open(self) -> Say:
        """The first message."""
        return self._first_safe(self._openings(), "open_vague")

    def answer(self, reply: Reply, shown: Sequence[Item]) -> Say:
        """The next message, after a reply whose items `shown` do not hold the target."""
        if shown:
            return self._first_safe(self._critiques(shown), "more")
        if reply.question is None:
            return self._first_safe(self._tellings(), "more")
        options = [option for option in reply.options if option not in _IDLE]
        if self._rng.random() < self.person.noise:
            return self._first_safe(self._noise(options), "no_matter")
        if not options and _AGAIN in reply.options:
            return self._first_safe(iter(()), "restart")
        return self._first_safe(self._answers(reply.question, options), "no_matter")

    def _first_safe(self, candidates: Iterator[Say], fallback: str) -> Say:
        """The first candidate that gives nothing away, else a `fallback`; what would is counted."""
        for plain in chain(candidates, self._fallbacks(fallback)):
            for message in dict.fromkeys((self._reworded(plain), plain)):
                if self._detector.leaks(message.text) is None:
                    return self._sent(message)
                self.leaks += 1
        return self._sent(Say("more", "…"))  # even "what else?" can be a title

    def _fallbacks(self, what: str) -> Iterator[Say]:
        yield Say(what, say(what, self._rng))
        yield from (Say(what, text) for text in templates()[what])

    def _reworded(self, plain: Say) -> Say:
        text = self._voice.reword(plain.text, plain.keep)
        return replace(plain, text=text, reworded=text != plain.text)

    def _sent(self, message: Say) -> Say:
        if message.kind == "restart":
            self.told.clear()
        self.told += message.facts
        self.named.update(film.item_id for film in message.films)
        return message

    def _openings(self) -> Iterator[Say]:
        opening = self.person.opening
        if opening == "vague":
            return
        if opening == "wish":
            yield from self._tellings("open")
        for film in self._favourites():
            named = self._film("open_favourite" if opening == "favourite" else "favourite", film)
            facts = self._untold()
            if opening == "favourite" or not facts:
                yield named
            for fact in facts[:3] if opening != "favourite" else ():
                text = say("two", self._rng, first=named.text, second=self._fact(fact))
                yield Say("open", text, (fact,), named.films)

    def _answers(self, question: str, options: Sequence[str]) -> Iterator[Say]:
        """A true answer: an option that the target is an instance of, else none of them and a fact."""
        true = [option for option in options if self._true(option)]
        if not true and _FAVOURITES.search(question):
            yield from (self._film("favourite", film) for film in self._favourites())
        for option in self._rng.sample(true, len(true)):
            yield self._option(option)
        for fact in self._untold():
            text = say("none_of_those", self._rng, first=self._fact(fact))
            yield Say("none", text, (fact,))

    def _noise(self, options: Sequence[str]) -> Iterator[Say]:
        """A wrong option, or (half of the time) no opinion."""
        wrong = [option for option in options if not self._true(option)]
        if wrong and self._rng.random() < 0.5:
            yield self._option(self._rng.choice(wrong))

    def _critiques(self, shown: Sequence[Item]) -> Iterator[Say]:
        """What is wrong with what is shown; a verdict on a film of it that they know goes before."""
        verdict = self._verdict(shown)
        if verdict is None and self._rng.random() < (1 - self.person.strictness) / 3:
            yield from (self._film("favourite", film) for film in self._favourites()[:2])
        for fact in self._telling_apart(shown):
            text = self._fact(fact)
            if verdict is None:
                yield Say("critique", text, (fact,))
            else:
                yield Say("critique", f"{verdict.text} {text}", (fact,), verdict.films)
        if verdict is not None:
            yield verdict
        yield from (self._film("favourite", film) for film in self._favourites())

    def _verdict(self, shown: Sequence[Item]) -> Say | None:
        """What they thought of a film on show that they really rated, a third of the time."""
        liked = {film.item_id for film in self.person.favourites}
        known = liked | {film.item_id for film in self.person.disliked}
        rated = [item for item in shown if item.item_id in known and item.item_id not in self.named]
        if not rated or self._rng.random() >= 1 / 3:
            return None
        return self._film("seen_liked" if rated[0].item_id in liked else "seen_disliked", rated[0])

    def _telling_apart(self, shown: Sequence[Item]) -> list[Fact]:
        """Facts not told yet. Strict people begin with what most of `shown` lacks, others anywhere."""
        facts = list(self._untold())
        true = self.person.target.genres
        for genre in dict.fromkeys(genre for item in shown for genre in item.genres):
            fact = Fact("not_genres", genre, (Facet("genres", genre),))
            if genre not in true and fact not in self.told:
                facts.append(fact)
        facts = [fact for fact in facts if _broken(fact, shown)] or facts
        if self._rng.random() < self.person.strictness:
            return sorted(facts, key=lambda fact: -_broken(fact, shown))
        return self._rng.sample(facts, len(facts))

    def _tellings(self, kind: str = "tell") -> Iterator[Say]:
        """One fact, or two from strict people."""
        facts = self._untold()
        if len(facts) > 1 and self._rng.random() < self.person.strictness:
            first, second = (self._fact(fact) for fact in facts[:2])
            text = say("two", self._rng, first=first, second=second)
            yield Say(kind, text, facts[:2])
        for fact in facts:
            yield Say(kind, self._fact(fact), (fact,))

    def _untold(self) -> tuple[Fact, ...]:
        said = {(fact.kind, fact.value) for fact in self.told}
        return tuple(fact for fact in self.person.facts if (fact.kind, fact.value) not in said)

    def _favourites(self) -> list[Item]:
        return [film for film in self.person.favourites if film.item_id not in self.named]

    def _film(self, what: str, film: Item) -> Say:
        return Say(what, say(what, self._rng, film=film.title), (), (film,))

    def _fact(self, fact: Fact) -> str:
        return say(fact.kind, self._rng, value=spoken(fact.kind, fact.value))

    def _option(self, option: str) -> Say:
        return Say("option", say("answer", self._rng, value=option), (self._meant(option),))

    def _meant(self, option: str) -> Fact:
        """What choosing an option asks for. One that names no facet of the catalogue promises nothing."""
        years = _DECADE.fullmatch(option)
        if years:
            return decade_fact(int(years[1]) if years[1] else 1959)
        if option in ("family", "teen", "adult"):
            return Fact("audience", option, (Facet("audience", option),))
        term = self._vocabulary.answer(option)
        if term is None or not term.promised or len(term.facets) != 1:
            return Fact("option", option)
        field, value = term.facets[0].field, term.facets[0].value
        return topic(field, value) if field in TOPICS else Fact(field, value, (term.facets[0],))

    def _true(self, option: str) -> bool:
        """Whether the target is an instance of an option; of a loose one, whether anything it means fits."""
        fact = self._meant(option)
        if fact.group or fact.years is not None:
            return satisfies(self.person.target, promises((fact,)))
        term = self._vocabulary.answer(option)
        held = () if term is None else term.facets
        return any(facet.value in facet_values(self.person.target, facet.field) for facet in held)


def _admits(admitted: Sequence[str], fact: Fact) -> bool:
    """Whether a reply that gives something up in words names this fact among it."""
    if fact.years is not None:
        return any(words.startswith("release ") for words in admitted)
    if fact.minutes is not None:
        return any(words.startswith("running time ") for words in admitted)
    return any(facet.value.casefold() in words.casefold() for words in admitted for facet in fact.group)


def _broken(fact: Fact, shown: Sequence[Item]) -> float:
    """Share of `shown` that does not keep what a fact asks for."""
    kept = promises((fact,))
    return sum(not satisfies(item, kept) for item in shown) / len(shown)

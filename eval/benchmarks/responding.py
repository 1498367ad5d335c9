"""How replies are worded: grounded, varied, brief, and as the rule of `finetune.wordings` would have it.

Every system words the same drafts: those of conversations made of given messages, run without a model. The
checks read the finished text and the catalogue; they do not know from which wording it was made.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice, pairwise

from agent.recommender import Recommender
from agent.respond import Parts, Wording, joined
from agent.types import Reply, Speaker
from eval.grounding import FilmIndex, Known, check_reply, plain
from finetune.wordings import Rule, Worded, worded_replies
from retrieval.catalogue import Catalogue
from retrieval.types import Item, facet_values

Words = Callable[[Parts, dict[str, str], int, Callable[[str], None]], tuple[list[Wording], Speaker, str]]
"""How a system words: `Turns.word`."""

CLAIMED_FIELDS = ("themes", "genres", "moods", "directors", "cast")
_NAMED = re.compile(r"\*([^*\n]+)\*(?: \((\d{4})\))?")
_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Responding:
    """Figures of one system over `replies`.

    `named_given`: share of the named items that were given (recommended, or known of the user).
    `claims_found`: share of the factual claims (years, facet values and people said of an item) that stand
    in its fields. `grounded`: share of replies in which `eval.grounding` finds nothing wrong. `distinct_2`:
    distinct bigrams / bigrams of all replies (Li et al. 2016). `words`: mean of a reply. `fallback`: share of
    replies that the model failed to word. `best`: share of choices that the rule would make after the words
    before them, where it prefers some wordings to others; `best_at_random`: of a choice at random. `seconds`:
    median of a reply.
    """

    system: str
    replies: int
    named_given: float
    claims_found: float
    claims: int
    grounded: float
    distinct_2: float
    words: float
    fallback: float
    best: float
    best_at_random: float
    seconds: float

    def rows(self) -> tuple[tuple[str, str], ...]:
        """(figure, value) for a table."""
        values = ((f.name.replace("_", " "), getattr(self, f.name)) for f in fields(self))
        return tuple((name, f"{v:.3f}" if isinstance(v, float) else str(v)) for name, v in values)


def measure_responding(
    recommender: Recommender, messages: Iterable[str], n: int = 150, seed: int = 0
) -> Responding:
    """Figures of the recommender's own model over `n` seeded replies (fewer if the messages give fewer)."""
    drafts = reply_drafts(recommender, messages, n, seed)
    system = "templates" if recommender.model_name == "none" else recommender.model_name
    return measure_wording(system, recommender.turns.word, drafts, recommender.catalogue)


def reply_drafts(recommender: Recommender, messages: Iterable[str], n: int, seed: int) -> list[Worded]:
    """The replies to be worded: the same for every system."""
    found = worded_replies(recommender.workspace, messages, seed, held_out=True)
    return list(islice(found, n))


def measure_wording(system: str, word: Words, drafts: Sequence[Worded], catalogue: Catalogue) -> Responding:
    """Let a system word the drafts, and check what it said. Raises ValueError when there is no draft."""
    if not drafts:
        raise ValueError("There is nothing to word: no message led to a reply with a choice of wordings.")
    films, rule = FilmIndex(catalogue), Rule.of(catalogue)
    values = claimable(catalogue)
    named: list[bool] = []
    claims: list[bool] = []
    choices: list[tuple[bool, float]] = []
    texts, grounded, failed, seconds = [], [], [], []
    for seed, draft in enumerate(drafts):
        started = time.perf_counter()
        used, _, wrong = word(draft.parts, draft.facts, seed, _unheard)
        seconds.append(time.perf_counter() - started)
        text = joined(used)
        reply = replace(draft.reply, text=text, question=_asked(draft.reply, used))
        texts.append(text)
        failed.append(bool(wrong))
        grounded.append(not check_reply(reply, films, _known(draft)))
        named += items_given(reply, films)
        claims += claims_found(reply, films, values)
        choices += rule_choices(draft, used, rule)
    return Responding(
        system,
        len(drafts),
        _mean(named),
        _mean(claims),
        len(claims),
        _mean(grounded),
        distinct_2(texts),
        _mean([len(text.split()) for text in texts]),
        _mean(failed),
        _mean([hit for hit, _ in choices]),
        _mean([chance for _, chance in choices]),
        statistics.median(seconds),
    )


def rule_choices(draft: Worded, used: Sequence[Wording], rule: Rule) -> Iterator[tuple[bool, float]]:
    """For each part where some wordings are better: was one of those chosen, and the chance of that."""
    for place, part in enumerate(draft.parts):
        best = rule.best(part, joined(used[:place]), draft.facts["said"])
        if len(best) < len(part):
            yield part.index(used[place]) in best, len(best) / len(part)


def items_given(reply: Reply, films: FilmIndex) -> Iterator[bool]:
    """For each title in italics that is an item's: whether that item was given."""
    state = reply.state
    kept = (*state.liked, *state.disliked, *state.seen)
    given = {item.item_id for item in reply.items} | {p.item_id for p in kept}
    for title in _NAMED.finditer(reply.text):
        ids = films.find(f"{title[1]} ({title[2]})" if title[2] else title[1])
        if ids:
            yield not ids.isdisjoint(given)


def claimable(catalogue: Catalogue) -> dict[tuple[str, ...], str]:
    """The values that a reply could claim of an item, by their words. People of one word are left out."""
    values = {
        value: tuple(_TOKEN.findall(plain(value)))
        for item in catalogue
        for name in CLAIMED_FIELDS
        for value in facet_values(item, name)
        if name not in ("directors", "cast") or " " in value
    }
    return {words: value for value, words in values.items()}


def claims_found(reply: Reply, films: FilmIndex, values: dict[tuple[str, ...], str]) -> Iterator[bool]:
    """For each claim made of a recommended item in the text: whether the item's own fields say so.

    What is said between a title and the next is said of that item, and of a liked item named there as well.
    """
    recommended = {item.item_id for item in reply.items}
    item: Item | None = None
    spans = list(_NAMED.finditer(reply.text))
    for span, following in pairwise([*spans, None]):
        assert span is not None
        found = [films.items[i] for i in films.find(span[1]) if not span[2] or _year(films, i) == span[2]]
        own = next((one for one in found if one.item_id in recommended), None)
        if span[2]:
            yield bool(found)
        item = own or item
        if item is not None:
            said = reply.text[span.end() : following.start() if following else _end(reply)]
            for value in said_values(said, values):
                yield any(value in facet_values(item, name) for name in CLAIMED_FIELDS)


def said_values(text: str, values: dict[tuple[str, ...], str]) -> Iterator[str]:
    """Catalogue values that stand in a text, longest first where they overlap."""
    words = _TOKEN.findall(plain(text))
    longest = max(map(len, values), default=0)
    place = 0
    while place < len(words):
        sizes = range(min(longest, len(words) - place), 0, -1)
        size = next((k for k in sizes if tuple(words[place : place + k]) in values), 0)
        if size:
            yield values[tuple(words[place : place + size])]
        place += size or 1


def distinct_2(texts: Sequence[str]) -> float:
    """Distinct bigrams / bigrams of all texts (Li et al., "A Diversity-Promoting Objective", NAACL 2016)."""
    pairs = [pair for text in texts for pair in pairwise(_TOKEN.findall(text.lower()))]
    return len(set(pairs)) / len(pairs) if pairs else 0.0


def _asked(reply: Reply, used: Sequence[Wording]) -> str | None:
    return used[-1].text.strip() if reply.question else None


def _end(reply: Reply) -> int:
    """Where the question begins: it asks, it claims nothing."""
    return len(reply.text) - len(reply.question or "")


def _known(draft: Worded) -> Known:
    return Known(draft.said, mentioned=frozenset(draft.reply.state.shown))


def _year(films: FilmIndex, item_id: str) -> str:
    return str(films.items[item_id].year)


def _unheard(piece: str) -> None:
    """Nobody listens."""


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 1.0

"""Examples of wording: real turns without a model, and of each part the wording that a plain rule likes best.

The rule scores a wording in its place, given what stands before it in the reply; the best score wins, and
among equals a seed chooses, so that what the model learns is to vary. Points, in bits where they tell:

    + what it tells of an item: the bits of its rarest facet, log2(items / items that have it), at most 10;
      4 for what people liked, 2 for "best loved", 0 for "a good match"
    - 3 for each word that the reply has said already: lead, reasons and question do not echo each other
    - 6 when the reply before was worded like it (the prompt tells how it was)
    - 2 for a colon beside a colon of a title, for more than two commas, for more than sixteen words
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from agent.claims import Claim
from agent.graph import Skills, Turns, TurnState
from agent.messages import readable
from agent.prompting import prompt
from agent.reading.link import Linker
from agent.reading.understand import Reader
from agent.reading.vocabulary import Vocabulary
from agent.reasons import Grounds, best_loved
from agent.respond import Parts, Wording, joined
from agent.types import DialogueState, Preference, Reply, Speaker
from finetune.example import Example, chat
from finetune.splits import is_held_out
from retrieval.catalogue import Catalogue
from retrieval.types import facet_values
from retrieval.workspace import Workspace

SPECIFIC_AT_MOST = 10.0
LIKED_BITS = 4.0
POPULAR_BITS = 2.0
REPEATED_WORD = 3.0
REPEATED_PATTERN = 6.0
CLUMSY = 2.0
MOST_COMMAS = 2
MOST_WORDS = 16

FOLLOWING = ("more", "show me more", "surprise me", "something else", "not those")
MOST_TURNS = 5
ITEMS = (1, 2, 3, 5), (1, 1, 12, 2)
"""How many items are asked for, and how often."""

_TITLE = re.compile(r"\*[^*]*\*(?: \(\d+\))?")
_WORD = re.compile(r"[a-z][a-z'’-]{3,}")
_COMMON = frozenset(
    {
        *("with", "that", "this", "what", "from", "have", "like", "also", "into", "they", "them", "then"),
        *("there", "than", "here", "your", "you're", "it's", "i'd", "i'm", "which", "about", "does", "would"),
    }
)


@dataclass(frozen=True, slots=True)
class Worded:
    """A reply and how it was worded. `best`: of each part the places of the wordings that do best there.

    `facts`: what the prompt says; `said`: the user's messages up to now.
    """

    facts: dict[str, str]
    parts: Parts
    best: tuple[tuple[int, ...], ...]
    used: tuple[Wording, ...]
    reply: Reply
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule above, for one catalogue. `bits`: how much a facet value tells."""

    bits: dict[str, float]

    @classmethod
    def of(cls, catalogue: Catalogue) -> Rule:
        counts = Counter(
            value
            for item in catalogue
            for name in ("themes", "genres", "moods", "directors", "cast")
            for value in set(facet_values(item, name))
        )
        return cls({value: math.log2(len(catalogue) / count) for value, count in counts.items()})

    def best(self, part: Sequence[Wording], before: str, said: str) -> tuple[int, ...]:
        """The places of the wordings of one part that score highest. `before`: the reply up to here."""
        heard = content_words(before)
        scores = [round(self.score(wording, heard, said), 6) for wording in part]
        return tuple(i for i, score in enumerate(scores) if score == max(scores))

    def score(self, wording: Wording, heard: frozenset[str], said: str) -> float:
        plain, titles = _TITLE.sub("", wording.text), _TITLE.findall(wording.text)
        clumsy = (
            (":" in plain and any(":" in title for title in titles))
            + (plain.count(",") > MOST_COMMAS)
            + (len(plain.split()) > MOST_WORDS)
        )
        return (
            self._told(wording.claim)
            - REPEATED_WORD * len(content_words(plain) & heard)
            - REPEATED_PATTERN * bool(wording.pattern and wording.pattern in said.split("; "))
            - CLUMSY * clumsy
        )

    def _told(self, claim: Claim | None) -> float:
        if claim is None:
            return 0.0
        if claim.values:
            return min(SPECIFIC_AT_MOST, max(self.bits.get(value, 0.0) for value in claim.values))
        return {"loved_by": LIKED_BITS, "fans": LIKED_BITS, "popular": POPULAR_BITS}.get(claim.kind, 0.0)


def content_words(text: str) -> frozenset[str]:
    """The words of a text that would be heard as an echo: of four letters or more, no titles, none common."""
    return frozenset(_WORD.findall(_TITLE.sub("", text).lower())) - _COMMON


def choose(
    parts: Parts, said: str, rule: Rule, rng: random.Random
) -> tuple[list[Wording], list[tuple[int, ...]]]:
    """A best wording of each part, in order, and the places of all that were as good."""
    used: list[Wording] = []
    best = []
    for part in parts:
        best.append(rule.best(part, joined(used), said))
        used.append(part[rng.choice(best[-1])])
    return used, best


@lru_cache(maxsize=1)
def _skills(workspace: Workspace) -> Skills:
    """What turns without a model need; kept, as the linker of a large catalogue takes seconds to make."""
    catalogue, ranker = workspace.catalogue, workspace.ranker
    vocabulary = Vocabulary(catalogue)
    reader = Reader(catalogue, Linker(catalogue), vocabulary, None, ranker.likeness)
    return Skills(reader, Grounds(catalogue, ranker, vocabulary, best_loved(ranker, catalogue)), None)


class Wordsmith(Turns):
    """Runs turns without a model, and words them by the rule."""

    def __init__(self, workspace: Workspace, seed: int) -> None:
        super().__init__(_skills(workspace))
        self._rule, self._rng = Rule.of(workspace.catalogue), random.Random(f"wordings:{seed}")
        self._worded: tuple[dict[str, str], Parts, list[tuple[int, ...]], list[Wording]] | None = None

    def word(
        self, parts: Parts, facts: dict[str, str], seed: int, hear: object = None
    ) -> tuple[list[Wording], Speaker, str]:
        used, best = choose(parts, facts["said"], self._rule, self._rng)
        self._worded = facts, parts, best, used
        return used, "template", ""

    def say(
        self, said: Sequence[str], before: DialogueState, n: int, may_ask: bool
    ) -> tuple[Reply, Worded | None]:
        """One turn, to its end: the reply to the last message, and how it was worded if it was drafted."""
        self._worded = None
        turn: TurnState = {
            "message": readable(said[-1]),
            "n": n,
            "may_ask": may_ask,
            "seed": 0,
            "undo": lambda: None,
            "before": before,
            "steps": (),
        }
        *_, reply = self.run(turn)
        assert isinstance(reply, Reply)
        if self._worded is None:
            return reply, None
        facts, parts, best, used = self._worded
        return reply, Worded(facts, parts, tuple(best), tuple(used), reply, tuple(said))


def worded_replies(
    workspace: Workspace, messages: Iterable[str], seed: int, held_out: bool = False
) -> Iterator[Worded]:
    """Replies of conversations made of random `messages`, with answers and calls for more between them.

    Without `held_out` no held-out item is recommended: nothing is learned about those.
    """
    rng = random.Random(f"conversations:{seed}")
    smith = Wordsmith(workspace, seed)
    left_out = [item for item in workspace.catalogue if not held_out and is_held_out("item", item.item_id)]
    start = DialogueState(seen=tuple(Preference("item", item.title, item.item_id) for item in left_out))
    more = iter(messages)
    for first in more:
        state, said = start, [first]
        for _ in range(rng.randint(1, MOST_TURNS)):
            n = rng.choices(*ITEMS)[0]
            reply, worded = smith.say(said, state, n, may_ask=rng.random() < 0.7)
            if worded is not None:
                yield worded
            state = reply.state
            following = [*FOLLOWING, *reply.options, *reply.options]
            said.append(rng.choice(following) if rng.random() < 0.6 else next(more, first))


def respond_examples(workspace: Workspace, said: Iterable[str], count: int, seed: int) -> list[Example]:
    """`count` examples of wording, or as many as the messages give; prompts are as serving sends them."""
    examples = []
    for number, one in enumerate(islice(worded_replies(workspace, said, seed), count)):
        messages = prompt("respond", examples=False, **one.facts)
        examples.append(chat("respond", f"wording:{seed}:{number}", messages, joined(one.used)))
    return examples

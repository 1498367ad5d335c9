"""Training dialogues -> what towers learn from: readings, the items named next, how much that counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from finetune.targets import Conversations, cases
from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message, Role
from retrieval.signals.comentions import rows_of
from retrieval.signals.listener import transcript
from retrieval.signals.reading import TURNS, Reader, Reading, bare, phrases


@dataclass(frozen=True, slots=True)
class Example:
    """What was said before, the rows of the new items that are then named, the dialogue, how much it counts.

    `said`: the text before a recommendation, for models that read it as a whole; empty for others.
    The `turn` of its reading says what it is: below 12 what the recommender names next, below 24 what the
    seeker does (turn + 12), and 24 one of the recommender's items beside all others of the dialogue.
    """

    reading: Reading
    targets: tuple[int, ...]
    dialogue: str
    weight: float
    said: str = ""


def vocabulary(
    conversations: Conversations, catalogue: Catalogue, fewest: int, fewest_pairs: int
) -> list[str]:
    """The words that `fewest` messages hold, and the pairs of neighbours that `fewest_pairs` do, the most
    frequent first. Where nothing was said, one that no text has: the tables of words may not be empty.
    """
    counts = Counter(
        phrase
        for messages in conversations.values()
        for message in messages
        for phrase in dict.fromkeys(phrases(bare(message, catalogue)))
    )
    return [
        phrase
        for phrase, count in counts.most_common()
        if count >= (fewest_pairs if "_" in phrase else fewest)
    ] or [""]


def examples(conversations: Conversations, reader: Reader, further: float) -> Iterator[Example]:
    """Three kinds: of the recommender's messages, of the seeker's, and of items among all others.

    The last two teach what goes together, at the weight `further`: they are not what is asked for.
    """
    roles: tuple[tuple[Role, int, float], ...] = (
        ("recommender", 0, 1.0),
        ("seeker", TURNS, further),
    )
    for role, shift, weight in roles:
        for case in cases(conversations, role):
            targets = tuple(int(row) for row in rows_of(reader.catalogue, case.new))
            if targets:
                reading = reader.read(case.before)
                said = "" if shift else transcript(case.before)
                moved = replace(reading, turn=reading.turn + shift)
                yield Example(moved, targets, case.dialogue, weight, said)
    for identity, messages in conversations.items():
        for item, others in _one_among_others(messages):
            reading = replace(reader.read(others), turn=2 * TURNS)
            for row in rows_of(reader.catalogue, [item]):
                yield Example(reading, (int(row),), identity, further)


def _one_among_others(messages: Sequence[Message]) -> Iterator[tuple[str, list[Message]]]:
    """Each item that the recommender is the first to name, and all others, as bare mentions."""
    first: dict[str, Role] = {}
    for message in messages:
        for item in message.items:
            first.setdefault(item, message.role)
    for item, role in first.items():
        if role == "recommender" and len(first) > 1:
            yield item, [Message(by, "", (other,)) for other, by in first.items() if other != item]

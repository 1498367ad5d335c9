"""Training dialogues -> lists of candidates with their features: what the scorer learns to order.

Nothing in a list knows its own answer: its dialogue is in a fold that neither the towers nor any count has
seen. To take each dialogue out of the counts alone would not do: a film that is one dialogue less popular
than everywhere else is then the answer, and trees find that out (recall@1 .27 on such lists, .04 on others).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finetune.encoder import EncoderSettings, tune_encoder
from finetune.readings import examples, vocabulary
from finetune.splits import place
from finetune.targets import Conversations, cases
from finetune.tower import Say, TowerSettings, train_tower
from retrieval.catalogue import Catalogue
from retrieval.encoder import Encoder, Progress
from retrieval.features import Features
from retrieval.scorer import candidate_rows
from retrieval.signals.comentions import Mentions, rows_of
from retrieval.signals.listener import Layers, Listener
from retrieval.signals.reading import Reader, seeker_texts
from retrieval.signals.tower import Tower

FOLDS = 4
STOPPING = 0.12
"""Share of the training dialogues that say when to stop and how models are blended, and are not fitted."""

OTHERS = 100
"""How many candidates of a list that were not recommended are kept, all equally likely to be.

Keeping the likeliest ones more often teaches that they are wrong more often: the trees then ranked below the
towers alone (recall@10 .108 instead of .209).
"""


@dataclass(frozen=True, slots=True)
class RankedList:
    """Some candidates of one case, all of them where it says when to stop: features [candidates, f], whether
    each was recommended, the dialogue.
    """

    features: NDArray[np.float32]
    recommended: NDArray[np.bool_]
    dialogue: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a scorer is made of but its last model, and the lists that this one learns from."""

    tower: Tower
    features: Features
    listener: Listener
    lists: tuple[RankedList, ...]


class Remembering:
    """An encoder that has already read many texts: what it is asked for is looked up."""

    def __init__(self, encoder: Encoder, texts: Sequence[str]) -> None:
        distinct = ["", *dict.fromkeys(texts)]
        self._encoder = encoder
        self._vectors = encoder.encode(distinct)
        self._places: Mapping[str, int] = {text: number for number, text in enumerate(distinct)}

    @property
    def name(self) -> str:
        """That of the encoder itself."""
        return self._encoder.name

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """[n_texts, d]; asks the encoder itself where a text is new."""
        if any(text not in self._places for text in texts):
            return self._encoder.encode(texts, progress)
        return self._vectors[[self._places[text] for text in texts]]


def prepare(
    catalogue: Catalogue,
    texts: Conversations,
    sequences: Conversations,
    encoder: Encoder,
    layers: Layers,
    settings: TowerSettings,
    seed: int,
    say: Say,
) -> Prepared:
    """Train the towers, and make a list of every case of `texts` with what has not seen it.

    `sequences`: dialogues without words, learned from by the towers and the counts only.
    """
    everything = {**sequences, **texts}
    say("Encoding what was said")
    said = [text for messages in texts.values() for text in seeker_texts(messages, catalogue)]
    known = Remembering(encoder, said)
    reader = Reader(catalogue, vocabulary(texts, catalogue, settings.fewest, settings.fewest_pairs), known)
    features = Features.of_catalogue(catalogue, Mentions.count(everything.values(), catalogue), encoder)
    learned = list(examples(everything, reader, settings.further))
    heard = [one for one in learned if not stops(one.dialogue)]
    listener = tune_encoder(heard, reader, layers, features.texts, EncoderSettings(settings), seed, say)
    lists: list[RankedList] = []
    for fold in range(FOLDS):
        say(f"Towers without fold {fold + 1} of {FOLDS}")
        left_out = {name: messages for name, messages in texts.items() if _fold(name) == fold}
        seen = [one for one in learned if one.dialogue not in left_out]
        tower = train_tower(seen, reader, features.texts, settings, seed, say)
        counted = [messages for name, messages in everything.items() if name not in left_out]
        apart = Features(catalogue, Mentions.count(counted, catalogue), features.texts)
        lists += make_lists(left_out, reader, tower, apart, listener, seed)
    say("Towers of all training dialogues")
    tower = train_tower(learned, reader, features.texts, settings, seed, say)
    return Prepared(tower.read_by(encoder), features, listener, tuple(lists))


def make_lists(
    conversations: Conversations,
    reader: Reader,
    tower: Tower,
    features: Features,
    listener: Listener,
    seed: int,
) -> Iterator[RankedList]:
    """A list for every case with a target among its candidates. Neither `tower` nor the counts of `features`
    know the conversations.

    The tuned encoder has heard all dialogues but those that say when to stop, and is asked for these only.
    """
    rng = np.random.default_rng(seed)
    for case in cases(conversations):
        targets = rows_of(features.catalogue, case.new)
        reading = reader.read(case.before)
        chances = tower.chances(reading)
        rows = candidate_rows(features, case.before, chances.all)
        hits = np.isin(rows, targets)
        if hits.any():
            whole = stops(case.dialogue)
            kept = np.arange(len(rows)) if whole else sampled(hits, rng)
            heard = listener.hear(case.before, reading) if whole else None
            table = features.of(case.before, rows[kept], chances, reading, heard)
            yield RankedList(table, hits[kept], case.dialogue)


def stops(dialogue: str) -> bool:
    """Whether a dialogue says when to stop."""
    return place(f"stopping:{dialogue}") < STOPPING


def sampled(hits: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
    """Places of all hits and of some of the others, ascending."""
    others = np.flatnonzero(~hits)
    drawn = rng.choice(others, min(OTHERS, len(others)), replace=False)
    return np.sort(np.concatenate([np.flatnonzero(hits), drawn]))


def _fold(dialogue: str) -> int:
    return int(place(f"fold:{dialogue}") * FOLDS)

"""The tuned encoder: what it reads of a dialogue, that batches do not matter, that it learns and is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from listener_layers import tiny_layers
from test_redial import FILMS, LettersEncoder, recommender, seeker

from finetune.encoder import EncoderSettings, tune_encoder
from finetune.readings import examples
from finetune.tower import TowerSettings
from retrieval.errors import WorkspaceError
from retrieval.signals.alignment import Alignment, labels
from retrieval.signals.listener import LONGEST, WEIGHTS, Listener, batches, transcript
from retrieval.signals.reading import Reader

QUICK = TowerSettings(dimension=8, epochs=20, batch=8, learning_rate=0.03, fewest=99, fewest_pairs=99)
SHARK, THIEF = (seeker("sssss a shark"),), (seeker("ttt ttt thief"),)
DIALOGUES = {f"shark {k}": (*SHARK, recommender("see Jaws", "d")) for k in range(8)} | {
    f"thief {k}": (*THIEF, recommender("see Heat", "a")) for k in range(8)
}


class Deaf:
    """An encoder to which everything sounds alike, so that only the tuned one can tell dialogues apart."""

    name = "deaf"

    def encode(self, texts, progress=None):
        return np.ones((len(texts), 26), np.float32) / 26**0.5


@pytest.fixture(scope="module")
def listener() -> Listener:
    reader = Reader(FILMS, ("unsaid",), Deaf())
    training = list(examples(DIALOGUES, reader, QUICK.further))
    texts, settings = LettersEncoder().encode([item.title for item in FILMS]), EncoderSettings(QUICK, 0.01)
    return tune_encoder(training, reader, tiny_layers(), texts, settings, 0, lambda text: None)


def test_a_transcript_says_who_speaks_and_bare_mentions_have_none() -> None:
    assert transcript((seeker("Hi"), recommender("Jaws?", "d"))) == "asks: Hi answers: Jaws?"
    assert transcript((seeker("", "a"), recommender("", "b"))) == ""


def test_the_end_of_a_long_text_is_read() -> None:
    layers = tiny_layers()
    first, *_, before, last = layers.tokens("a" * 500 + "b")
    assert len(layers.tokens("a" * 500 + "b")) == LONGEST
    assert (first, last) == (2, 3)
    assert before == layers.tokens("b")[1]
    assert layers.tokens("") == [2, 3]


def test_a_text_sounds_the_same_alone_and_among_longer_ones() -> None:
    layers, texts = tiny_layers(), ["abc", "a long text " * 20, "", "xyz"]
    hidden = layers.lower(texts)
    together = layers.upper(hidden).detach()
    alone = torch.cat([layers.upper(layers.lower([text])).detach() for text in texts])
    assert together.numpy() == pytest.approx(alone.numpy(), abs=1e-6)
    padded = layers.upper(hidden, padded=True).detach()
    assert padded.numpy() == pytest.approx(alone.numpy(), abs=0.02)  # bfloat16, where there is any
    assert torch.linalg.norm(together, dim=1).tolist() == pytest.approx([1] * 4, abs=0.01)


def test_batches_hold_every_text_once_the_short_ones_first() -> None:
    lengths = [7] * 20 + [3, 5, 3]
    assert list(batches(lengths)) == [[20, 22], [21], list(range(16)), list(range(16, 20))]
    assert list(batches(lengths, padded=True)) == [[20, 22, 21, *range(13)], list(range(13, 20))]


def test_only_the_last_layers_learn() -> None:
    names = tiny_layers().adapters()
    assert {name.split(".layer.")[1][0] for name in names} == {"1", "2"}


def test_it_hears_what_a_dialogue_is_about(listener: Listener) -> None:
    assert np.argmax(listener.scores(SHARK)) == 3
    assert np.argmax(listener.scores(THIEF)) == 0
    assert np.exp(listener.scores(THIEF)).sum() == pytest.approx(1, abs=1e-3)
    nothing = (seeker("", "c"),)
    assert listener.hear(nothing, listener.reader.read(nothing)) == pytest.approx(listener.scores(nothing))


def test_reading_ahead_changes_nothing(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("", "s", "ssss", "a thief", "tttttt")
    dialogues = [(seeker(word), recommender("see Jaws", "d")) for word in words]
    alone = [listener.scores(messages) for messages in dialogues]
    ahead = Listener(listener._tables, listener._told, listener._layers, listener.reader)
    ahead.read_ahead([*dialogues, (seeker("", "c"),)])
    monkeypatch.setattr(ahead._layers, "lower", lambda texts: pytest.fail("read again"))
    for messages, expected in zip(dialogues, alone, strict=True):
        assert ahead.scores(messages) == pytest.approx(expected, abs=1e-6)


def test_it_is_kept_and_a_damaged_one_is_refused(listener: Listener, tmp_path: Path) -> None:
    listener.save(tmp_path)
    catalogue = listener.reader.catalogue
    same = Alignment(labels(catalogue), catalogue, np.ones((len(catalogue), 1), np.float32))
    opened = Listener.load(tmp_path, tiny_layers(), listener.reader, same)
    assert opened.scores(SHARK) == pytest.approx(listener.scores(SHARK), abs=0.1)
    (tmp_path / WEIGHTS).write_bytes(b"nothing")
    with pytest.raises(WorkspaceError, match=r"tuned encoder's weights .* Train the scorer again"):
        Listener.load(tmp_path, tiny_layers(), listener.reader, same)

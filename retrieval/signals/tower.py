"""A dialogue as one vector beside those of all items: two towers, learned from what was recommended next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message
from retrieval.encoder import Encoder
from retrieval.errors import WorkspaceError
from retrieval.signals.reading import Reader, Reading
from retrieval.signals.signal import Scores

if TYPE_CHECKING:
    import torch
    from torch import Tensor

WEIGHTS, WORDS = "tower.safetensors", "tower.json"


@dataclass(frozen=True, slots=True)
class Tables:
    """The weights, with n items, w words (the recommender's counted apart) and d dimensions.

    `items` [n, d] and `bias` [n] are what is recommended; `named` [n, d] what was named, weighted by
    exp(`roles` [2, 8: places] + `ages` [10]); `words` [2w, d], weighted by exp(`importance` [2w] +
    `word_ages` [10]); `senses` [2e + 1, d] what was said, and said last, as vectors [e] of the encoder (its
    last row: that anything was); `turns` [t, d], of which the
    first 12 are for the next recommendation. `power` [1], in [-1, 0]: 0 adds mentions up, -1 averages.
    """

    items: Tensor
    bias: Tensor
    named: Tensor
    roles: Tensor
    ages: Tensor
    power: Tensor
    words: Tensor
    importance: Tensor
    word_ages: Tensor
    senses: Tensor
    turns: Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings padded to one length: `mentions` [b, m, 4] and `words` [b, w, 2] with their masks of 1 and 0,
    `senses` [b, 2e + 1], `turns` [b].
    """

    mentions: Tensor
    mention_mask: Tensor
    words: Tensor
    word_mask: Tensor
    senses: Tensor
    turns: Tensor


def pad(readings: Sequence[Reading]) -> Batch:
    """Raises ValueError when there is no reading."""
    import torch

    return Batch(
        *_padded([one.mentions for one in readings]),
        *_padded([one.words for one in readings]),
        torch.from_numpy(np.stack([_sense(one) for one in readings])),
        torch.tensor([one.turn for one in readings]),
    )


def vectors(tables: Tables, batch: Batch, keep: float = 1.0) -> Tensor:
    """[b, d] of the dialogues. `keep`: share of the mentions and words that count, drawn anew (training)."""
    import torch
    from torch.nn.functional import embedding

    row, role, place, age = batch.mentions.unbind(-1)
    weight = torch.exp(tables.roles[role, place] + tables.ages[age]) * _drawn(batch.mention_mask, keep)
    power = tables.power.clamp(-1, 0)
    found = (embedding(row, tables.named) * weight[..., None]).sum(1) * (
        weight.sum(1, keepdim=True) + 0.5
    ) ** power
    word, age = batch.words.unbind(-1)
    weight = torch.exp(tables.importance[word] + tables.word_ages[age]) * _drawn(batch.word_mask, keep)
    said = (embedding(word, tables.words) * weight[..., None]).sum(1) * (
        weight.sum(1, keepdim=True) + 1
    ) ** -0.5
    return found + said + batch.senses @ tables.senses + tables.turns[batch.turns]


class Tower:
    """log P(item is recommended next | dialogue) = log softmax(items . vector of the dialogue + bias)."""

    name = "towers"

    def __init__(self, tables: Tables, reader: Reader) -> None:
        self._tables = tables
        self.reader = reader

    def scores(self, messages: Sequence[Message]) -> Scores:
        """Natural logarithms of probabilities that add up to 1 over the catalogue."""
        return self.scores_of([self.reader.read(messages)])[0]

    def scores_of(self, readings: Sequence[Reading]) -> np.ndarray:
        """The same for many dialogues at once, float32 [n_dialogues, n_items]."""
        import torch

        with torch.inference_mode():
            logits = vectors(self._tables, pad(readings)) @ self._tables.items.T + self._tables.bias
            return torch.log_softmax(logits, dim=1).numpy()

    def read_by(self, encoder: Encoder) -> Tower:
        """The same towers with another way to the same vectors, such as one that forgets them again."""
        return Tower(self._tables, Reader(self.reader.catalogue, self.reader.words, encoder))

    def save(self, folder: Path) -> None:
        """Write the weights (half precision) and the words into an existing folder."""
        from safetensors.torch import save_file

        save_file({f.name: getattr(self._tables, f.name).half() for f in fields(Tables)}, folder / WEIGHTS)
        about = {"catalogue": self.reader.catalogue.fingerprint, "words": self.reader.words}
        (folder / WORDS).write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, catalogue: Catalogue, encoder: Encoder) -> Tower:
        """Read what `save` wrote. Raises WorkspaceError when it is damaged or another catalogue's."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            about = json.loads((folder / WORDS).read_text(encoding="utf-8"))
            held = {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()}
            reader, tables = Reader(catalogue, about["words"], encoder), Tables(**held)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as problem:
            raise WorkspaceError(
                f"The scorer's weights in {folder} cannot be read ({problem}). Train the scorer again."
            ) from None
        if about.get("catalogue") != catalogue.fingerprint:
            raise WorkspaceError(
                f"The scorer's weights in {folder} belong to another catalogue. Train the scorer again."
            )
        return cls(tables, reader)


def _sense(reading: Reading) -> np.ndarray:
    anything = np.array([reading.said.any()], dtype=np.float32)
    return np.concatenate([reading.said, reading.last, anything])


def _padded(rows: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    import torch

    longest = max(1, max(len(one) for one in rows))
    filled = np.zeros((len(rows), longest, rows[0].shape[1]), dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.float32)
    for number, one in enumerate(rows):
        filled[number, : len(one)] = one
        mask[number, : len(one)] = 1
    return torch.from_numpy(filled), torch.from_numpy(mask)


def _drawn(mask: torch.Tensor, keep: float) -> torch.Tensor:
    import torch

    return mask if keep == 1 else mask * (torch.rand_like(mask) < keep)

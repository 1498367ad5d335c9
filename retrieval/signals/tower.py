"""A dialogue as one vector beside those of all items: two towers, learned from what was recommended next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message
from retrieval.encoder import Encoder
from retrieval.errors import WorkspaceError
from retrieval.signals.alignment import Alignment, Former, labels
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
    return parts(tables, batch, keep).sum(0)


def parts(tables: Tables, batch: Batch, keep: float = 1.0) -> Tensor:
    """What adds up to the vectors, [3, b, d]: from what was named, from words, and from their sense."""
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
    return torch.stack([found, said, batch.senses @ tables.senses + tables.turns[batch.turns]])


@dataclass(frozen=True, slots=True)
class Chances:
    """What the towers make of a dialogue, each [n_items]: `all` are log-probabilities that add up to 1;
    `names`, `words` and `sense` are what each of these adds to them, up to a constant.
    """

    all: Scores
    names: Scores
    words: Scores
    sense: Scores


class Tower:
    """log P(item is recommended next | dialogue) = log softmax(items . vector of the dialogue + bias).

    Of several pairs of towers, trained alike from different starts, the logits' mean counts.
    """

    name = "towers"

    def __init__(self, tables: Sequence[Tables], reader: Reader) -> None:
        self._tables = tuple(tables)
        self.reader = reader

    def scores(self, messages: Sequence[Message]) -> Scores:
        """Natural logarithms of probabilities that add up to 1 over the catalogue."""
        return self.chances(self.reader.read(messages)).all

    def chances(self, reading: Reading) -> Chances:
        """The same with what it is made of."""
        import torch

        with torch.inference_mode():
            batch = pad([reading])
            each = [parts(tables, batch)[:, 0] @ tables.items.T for tables in self._tables]
            mean = torch.stack(each).mean(0)
            bias = torch.stack([tables.bias for tables in self._tables]).mean(0)
            return Chances(torch.log_softmax(mean.sum(0) + bias, dim=0).numpy(), *mean.numpy())

    def read_by(self, encoder: Encoder) -> Tower:
        """The same towers with another way to the same vectors, such as one that forgets them again."""
        return Tower(self._tables, Reader(self.reader.catalogue, self.reader.words, encoder))

    def save(self, folder: Path) -> None:
        """Write the weights (half precision) and the words into an existing folder."""
        from safetensors.torch import save_file

        held = {
            f"{number}.{field.name}": getattr(tables, field.name).half().contiguous()
            for number, tables in enumerate(self._tables)
            for field in fields(Tables)
        }
        save_file(held, folder / WEIGHTS)
        about = {"items": labels(self.reader.catalogue), "words": self.reader.words}
        (folder / WORDS).write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, encoder: Encoder, catalogue: Catalogue, alignment: Alignment) -> Tower:
        """Read what `save` wrote. Raises WorkspaceError when it is damaged."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            about = json.loads((folder / WORDS).read_text(encoding="utf-8"))
            held = {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()}
            reader = Reader(catalogue, about["words"], encoder)
            tables = [aligned(one, alignment) for one in _numbered(held)]
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as problem:
            raise WorkspaceError(
                f"The scorer's weights in {folder} cannot be read ({problem}). Train the scorer again."
            ) from None
        return cls(tables, reader)


def former(folder: Path) -> Former:
    """The items that the towers in `folder` were trained with. Raises WorkspaceError when it is damaged."""
    try:
        items = json.loads((folder / WORDS).read_text(encoding="utf-8"))["items"]
        return [(str(item_id), str(label)) for item_id, label in items]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise WorkspaceError(
            f"The scorer's weights in {folder} cannot be read ({problem}). Train the scorer again."
        ) from None


def aligned(tables: Tables, alignment: Alignment) -> Tables:
    """The tables with a row for every item that there is now."""
    moved = {name: alignment.spread(getattr(tables, name)) for name in ("items", "bias", "named")}
    return replace(tables, **moved)


def _numbered(held: Mapping[str, Tensor]) -> list[Tables]:
    """Raises TypeError where a table is missing, or one is there that is not known."""
    numbers = sorted({name.partition(".")[0] for name in held}, key=int)
    return [
        Tables(**{name.partition(".")[2]: one for name, one in held.items() if name.startswith(f"{number}.")})
        for number in numbers
    ]


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

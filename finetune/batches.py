"""Examples -> token ids with labels, and padded batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from finetune.example import Example

IGNORED = -100
"""Label of a token that is given, not learned."""

LONGEST = 512


def encode(example: Example, tokenizer: Any) -> dict[str, list[int]]:
    """`input_ids` and `labels` (int lists of one length, at most 512); what is given has the label -100.

    Pieces are tokenised one by one. They meet at line ends, spaces and special tokens only, where the
    tokenizer never joins text, so serving, which tokenises the whole, gets the same ids.
    """
    ids: list[int] = []
    labels: list[int] = []
    for text, learned in example.parts:
        piece = tokenizer(text, add_special_tokens=False)["input_ids"]
        ids += piece
        labels += piece if learned else [IGNORED] * len(piece)
    return {"input_ids": ids[:LONGEST], "labels": labels[:LONGEST]}


class Encoded(torch.utils.data.Dataset[dict[str, list[int]]]):
    """Encoded examples as a torch data set."""

    def __init__(self, examples: Sequence[Example], tokenizer: Any) -> None:
        self.rows = [encode(example, tokenizer) for example in examples]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        return self.rows[index]


class Collator:
    """Pads a batch on the right to its longest row."""

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def __call__(self, rows: Sequence[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        longest = max(len(row["input_ids"]) for row in rows)
        ids = torch.full((len(rows), longest), self.pad)
        labels = torch.full((len(rows), longest), IGNORED)
        mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for i, row in enumerate(rows):
            length = len(row["input_ids"])
            ids[i, :length] = torch.tensor(row["input_ids"])
            labels[i, :length] = torch.tensor(row["labels"])
            mask[i, :length] = 1
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}

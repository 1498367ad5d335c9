"""What is named in one dialogue is named together in others: counts of dialogues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message, mentioned
from retrieval.errors import WorkspaceError
from retrieval.signals.alignment import Alignment
from retrieval.signals.signal import Scores

PRIOR = 10.0
"""How many dialogues the overall shares are worth beside those in which an item was named."""

COUNTS = "counts.safetensors"

Rows = NDArray[np.int64]


def rows_of(catalogue: Catalogue, item_ids: Iterable[str]) -> Rows:
    """Rows of those of the items that the catalogue holds, in the same order."""
    return np.array([catalogue.row(item) for item in item_ids if item in catalogue], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Mentions:
    """What was named in many dialogues, each dialogue counting once.

    `named`: csr float32 0/1 [n_dialogues, n_items]; `recommended`: the same, of the recommender's messages.
    """

    named: sparse.csr_array
    recommended: sparse.csr_array

    @property
    def counts(self) -> NDArray[np.float32]:
        """[n_items]: how many dialogues name each."""
        return np.asarray(self.named.sum(axis=0), dtype=np.float32).ravel()

    @classmethod
    def count(cls, dialogues: Iterable[Sequence[Message]], catalogue: Catalogue) -> Mentions:
        """Items that the catalogue does not hold are left out."""
        every: list[Rows] = []
        offered: list[Rows] = []
        for messages in dialogues:
            every.append(rows_of(catalogue, mentioned(messages)))
            said = [message for message in messages if message.role == "recommender"]
            offered.append(rows_of(catalogue, mentioned(said)))
        return cls(_indicator(every, len(catalogue)), _indicator(offered, len(catalogue)))

    def save(self, folder: Path) -> None:
        """Write the rows that each dialogue names into an existing folder."""
        from safetensors.numpy import save_file

        parts = {"named": self.named, "recommended": self.recommended}
        arrays = {f"{name} rows": one.indices.astype(np.int32) for name, one in parts.items()}
        ends = {f"{name} ends": one.indptr.astype(np.int32) for name, one in parts.items()}
        save_file({**arrays, **ends}, folder / COUNTS)

    @classmethod
    def load(cls, folder: Path, catalogue: Catalogue, alignment: Alignment) -> Mentions:
        """Read what `save` wrote; items that went are named no more. Raises WorkspaceError when damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            held = load_file(folder / COUNTS)
            parts = []
            for name in ("named", "recommended"):
                each = np.split(held[f"{name} rows"].astype(np.int64), held[f"{name} ends"][1:-1])
                parts.append(_indicator([alignment.rows(rows) for rows in each], len(catalogue)))
            return cls(*parts)
        except (OSError, ValueError, KeyError, IndexError, SafetensorError) as problem:
            raise WorkspaceError(
                f"The counts of dialogues in {folder} cannot be read ({problem}). Train the scorer again."
            ) from None


class Popularity:
    """The share of dialogues in which the recommender names an item."""

    name = "popularity"

    def __init__(self, mentions: Mentions) -> None:
        self._counts = np.asarray(mentions.recommended.sum(axis=0)).ravel()
        self._dialogues = mentions.recommended.shape[0]

    def scores(self, messages: Sequence[Message]) -> Scores:
        """The same for every dialogue."""
        return self.shares

    @property
    def shares(self) -> Scores:
        """[n_items]."""
        return (self._counts / max(self._dialogues, 1)).astype(np.float32)


class Comentions:
    """Sum over the items named so far of P(item | named one), shrunk towards the overall shares.

    P(i | j) = (dialogues with both + 10 x share of i) / (dialogues with j + 10).
    """

    name = "co-occurrence"

    def __init__(self, mentions: Mentions, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._together = sparse.csr_array(mentions.named.T @ mentions.named)
        self._counts = self._together.diagonal()
        self._popularity = Popularity(mentions)

    def scores(self, messages: Sequence[Message]) -> Scores:
        """Zero for every item where none was named."""
        return self.given(rows_of(self._catalogue, mentioned(messages))).sum(axis=0)

    def given(self, named: Rows) -> NDArray[np.float32]:
        """P(i | j), [named, n_items]."""
        both, prior = self._together[named].toarray(), PRIOR * self._popularity.shares
        return ((both + prior) / (self._counts[named][:, None] + PRIOR)).astype(np.float32)


def _indicator(rows: Sequence[Rows], width: int) -> sparse.csr_array:
    ends = np.cumsum([0, *(len(one) for one in rows)])
    columns = np.concatenate([np.zeros(0, np.int64), *rows])
    return sparse.csr_array((np.ones(len(columns), np.float32), columns, ends), shape=(len(rows), width))

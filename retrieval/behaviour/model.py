"""What every model of behaviour has in common: the protocol, its checks, and how it is kept on disk."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import ClassVar, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy import sparse

from retrieval.errors import TastebudError

Matrix: TypeAlias = sparse.csr_array
Scores = NDArray[np.float32]


class BehaviourError(TastebudError):
    """Interactions, histories or a saved model that a model of behaviour cannot work with."""


class UnseenUserError(BehaviourError):
    """A model that knows only the people it was fitted on is asked about others."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} has learned a vector for each person it was fitted on and cannot score anybody else. "
            "Give the rows of those people, or serve new ones with popularity, item-kNN, user-kNN, EASE or "
            "ALS, which read a history, until the model is fitted again."
        )


class BehaviourModel(Protocol):
    """One way to score items from behaviour alone.

    `name`: what it is called in tables. Interactions are csr float32 [n_users, n_items]: what is stored and
    above 0 is a positive, its value how strong (1.0 where nothing is known of that).
    """

    name: ClassVar[str]

    def fit(self, interactions: Matrix) -> Self:
        """Learn from interactions. The same ones and the same seed give the same model.

        Raises BehaviourError for values that are negative or not finite, or when nothing is positive.
        """

    def scores(self, histories: Matrix, rows: NDArray[np.int64] | None = None) -> Scores:
        """Float32 [n, n_items], the higher the likelier; scores of different people are not comparable.

        `histories`: csr [n, n_items] as in `fit`; an empty one is allowed. `rows`: which rows of the fitted
        interactions these people are; None: nobody it was fitted on. Raises BehaviourError before `fit` and
        for histories of other items, UnseenUserError where the model needs `rows` and has none.
        """

    def save(self, folder: Path) -> None:
        """Write model.safetensors and model.json into the folder, which is made where missing."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises BehaviourError when it is missing, damaged or another method's."""


@dataclass
class ArrayModel(ABC):
    """A model whose settings are its dataclass fields and whose knowledge is named arrays."""

    name: ClassVar[str]
    arrays: dict[str, NDArray] = field(default_factory=dict, init=False, repr=False, compare=False)

    def fit(self, interactions: Matrix) -> Self:
        """As the protocol says."""
        self.arrays = self._learn(checked(interactions))
        self.arrays["n_items"] = np.array([interactions.shape[1]])
        return self

    def scores(self, histories: Matrix, rows: NDArray[np.int64] | None = None) -> Scores:
        """As the protocol says."""
        if not self.arrays:
            raise BehaviourError(f"{self.name} was not fitted yet: call fit or load first.")
        n_items = int(self.arrays["n_items"][0])
        if histories.shape[1] != n_items:
            raise BehaviourError(
                f"The histories are over {histories.shape[1]} items, {self.name} was fitted on {n_items}. "
                "Use the same catalogue, in the same order."
            )
        if rows is not None and len(rows) != histories.shape[0]:
            raise BehaviourError(
                f"{len(rows)} rows are given for {histories.shape[0]} histories: give one each."
            )
        return np.ascontiguousarray(self._score(_canonical(histories), rows), dtype=np.float32)

    @abstractmethod
    def _learn(self, interactions: Matrix) -> dict[str, NDArray]:
        """What there is to know, as arrays, from checked interactions."""

    @abstractmethod
    def _score(self, histories: Matrix, rows: NDArray[np.int64] | None) -> NDArray:
        """Scores [n, n_items] from `self.arrays`."""

    def save(self, folder: Path) -> None:
        """As the protocol says."""
        if not self.arrays:
            raise BehaviourError(f"{self.name} was not fitted yet: there is nothing to save.")
        folder.mkdir(parents=True, exist_ok=True)
        save_file({key: np.ascontiguousarray(array) for key, array in self.arrays.items()}, _weights(folder))
        settings = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        (folder / "model.json").write_text(json.dumps({"method": self.name, "settings": settings}), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As the protocol says."""
        try:
            head = json.loads((folder / "model.json").read_text("utf-8"))
            method, settings = head["method"], head["settings"]
            arrays = load_file(_weights(folder))
            model = cls(**settings)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as problem:
            raise BehaviourError(
                f"The model in {folder} is missing or damaged ({problem}). Fit and save it again."
            ) from None
        if method != cls.name:
            raise BehaviourError(f"{folder} holds a model of the method {method!r}, not {cls.name!r}.")
        model.arrays = arrays
        return model


def checked(interactions: Matrix) -> Matrix:
    """The interactions as csr float32 without stored zeros. Raises BehaviourError; see the protocol."""
    data = interactions.data
    wrong = ~np.isfinite(data) | (data < 0)
    if wrong.any():
        raise BehaviourError(
            f"Interactions must be finite and not negative; one is {data[wrong][0]}. Give what counts as "
            "positive, with its strength or 1."
        )
    kept = _canonical(interactions)
    if kept.nnz == 0:
        raise BehaviourError(
            f"No interaction of {interactions.shape[0]} users with {interactions.shape[1]} items "
            "is positive: there is nothing to learn from."
        )
    return kept


def _canonical(matrix: Matrix) -> Matrix:
    kept = sparse.csr_array(matrix, dtype=np.float32, copy=True)
    kept.sum_duplicates()
    kept.eliminate_zeros()
    return kept


def ones(matrix: Matrix) -> Matrix:
    """The same pattern with 1.0 everywhere."""
    return Matrix((np.ones(matrix.nnz, np.float32), matrix.indices, matrix.indptr), matrix.shape)


def per_item(matrix: Matrix) -> NDArray[np.float64]:
    """Float [n_items]: how many users have each item."""
    return np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(float)


def without_seen(scores: Scores, seen: Matrix) -> Scores:
    """A copy of the scores with -inf where a person has the item already."""
    kept = scores.copy()
    rows = np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr))
    kept[rows, seen.indices] = -np.inf
    return kept


def _weights(folder: Path) -> Path:
    return folder / "model.safetensors"

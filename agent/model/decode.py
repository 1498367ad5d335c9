"""Decodes a local model under a grammar, token by token, and judges candidates; whatever runs the model.

Own loop rather than a library's `generate`: where the grammar leaves one way only (the keys of a frame, a
title), its tokens are appended in one forward pass instead of one each, which more than halves a reply's
time. The prefixes of prompts are read once and kept.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import ModelError

_CACHED_PREFIXES = 8
_ROWS = 32  # candidates judged in one batch


class Engine(ABC):
    """A causal language model in memory. One text at a time; others wait their turn.

    A subclass keeps the keys and values of the current text, and extends, saves and restores them.
    """

    def __init__(self, tokenizer: Any, name: str) -> None:
        self.tokenizer = tokenizer
        self.name = name
        self._lock = threading.Lock()
        self._prefixes: OrderedDict[tuple[int, ...], Any] = OrderedDict()
        self._grammar_tokenizer: Any = None

    @abstractmethod
    def _restore(self, memory: Any | None) -> None:
        """Make what `_save` gave the current text again, without changing it; None: the empty text."""

    @abstractmethod
    def _save(self) -> Any:
        """Keys and values of the current text, apart from what happens to it later."""

    @abstractmethod
    def _forward(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Append tokens to the current text. Returns a logit of each token of the vocabulary coming next."""

    @abstractmethod
    def _branch(self, rows: Sequence[Sequence[int]], tokens: Sequence[int]) -> NDArray[np.float32]:
        """Logits of `tokens` coming after the current text and each of `rows`: (rows, tokens).

        The current text is undefined afterwards, until `_restore`.
        """

    def render(self, messages: Sequence[dict[str, str]]) -> tuple[list[int], int]:
        """Token ids of a chat, ready for the answer, and how many of them precede the last message."""
        whole = self._ids(messages, answer=True)
        prefix = self._ids(messages[:-1], answer=False) if len(messages) > 1 else []
        shared = len(prefix) if whole[: len(prefix)] == prefix else 0
        return whole, shared

    def generate(
        self,
        messages: Sequence[dict[str, str]],
        lark: str | None = None,
        max_tokens: int = 128,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Iterator[str]:
        """Stream the answer to a chat. `lark`: grammar it must follow; `temperature` 0: the likeliest token.

        Raises ModelError when the grammar is invalid.
        """
        ids, shared = self.render(messages)
        matcher = self._matcher(lark) if lark is not None else None
        noise = np.random.default_rng(seed)
        with self._lock:
            self._start(ids[:shared])
            pending, written = ids[shared:], list[int]()
            sent = ""
            while len(written) < max_tokens:
                forced = matcher.compute_ff_tokens() if matcher else []
                if matcher and forced:
                    matcher.consume_tokens(forced)
                    chosen = forced
                else:
                    if matcher and matcher.is_stopped():
                        break
                    token = _pick(self._forward(pending), matcher, temperature, noise)
                    pending = []
                    if token == self.tokenizer.eos_token_id or (matcher and not matcher.consume_token(token)):
                        break
                    chosen = [token]
                written += chosen
                pending = pending + chosen
                text = self.tokenizer.decode(written, skip_special_tokens=True)
                if not text.endswith("\ufffd") and len(text) > len(sent):
                    yield text[len(sent) :]
                    sent = text
                if matcher and matcher.is_stopped():
                    break

    def yes_probabilities(self, prefix: str, candidates: Sequence[str], yes: str, no: str) -> list[float]:
        """For each candidate, how likely `yes` is, against `no`, to follow `prefix` + candidate; in order.

        The texts are taken as they stand: no chat template is added, special tokens in them count as such,
        and prefix and candidates are split into tokens apart. `prefix` is read once and kept. Raises
        ModelError for an empty candidate, or if `yes` or `no` is not a single token.
        """
        tokens = [self._token(yes), self._token(no)]
        rows = [self._split(candidate) for candidate in candidates]
        if empty := [candidate for candidate, row in zip(candidates, rows, strict=True) if not row]:
            raise ModelError(f"The candidate {empty[0]!r} has no tokens.")
        start = self._split(prefix)
        odds = np.zeros(len(rows))
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        with self._lock:
            for first in range(0, len(order), _ROWS):
                batch = order[first : first + _ROWS]
                self._start(start)
                logits = self._branch([rows[row] for row in batch], tokens).astype(np.float64)
                odds[batch] = logits[:, 0] - logits[:, 1]
        return [float(p) for p in 1 / (1 + np.exp(-odds))]

    def _ids(self, messages: Sequence[dict[str, str]], answer: bool) -> list[int]:
        encoded = self.tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=answer, return_dict=True
        )
        return list(encoded["input_ids"])

    def _split(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _token(self, text: str) -> int:
        ids = self._split(text)
        if len(ids) != 1:
            raise ModelError(f"{text!r} is {len(ids)} tokens of {self.name}, not one.")
        return ids[0]

    def _start(self, prefix: Sequence[int]) -> None:
        """Make `prefix` the current text; it is read once, and kept for the latest few prompts."""
        key = tuple(prefix)
        if not key:
            self._restore(None)
            return
        if key not in self._prefixes:
            self._restore(None)
            self._forward(prefix)
            self._prefixes[key] = self._save()
            while len(self._prefixes) > _CACHED_PREFIXES:
                self._prefixes.popitem(last=False)
        self._prefixes.move_to_end(key)
        self._restore(self._prefixes[key])

    def _matcher(self, lark: str) -> Any:
        from llguidance import LLMatcher
        from llguidance.hf import from_tokenizer

        if self._grammar_tokenizer is None:
            self._grammar_tokenizer = from_tokenizer(self.tokenizer)
        matcher = LLMatcher(self._grammar_tokenizer, LLMatcher.grammar_from_lark(lark))
        if matcher.is_error():
            raise ModelError(f"Invalid grammar: {matcher.get_error()}")
        return matcher


def open_tokenizer(folder: str) -> Any:
    """The fast tokenizer of a model folder. Raises OSError or ValueError if there is none."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def padded(rows: Sequence[Sequence[int]], past: int) -> tuple[NDArray[np.int64], ...]:
    """Rows of tokens of any length as one batch behind `past` shared tokens: ids, mask and positions.

    Padded on the left, so that each row's last token is in the last column.
    """
    width = max(len(row) for row in rows)
    ids = np.zeros((len(rows), width), dtype=np.int64)
    mask = np.ones((len(rows), past + width), dtype=np.int64)
    positions = np.full((len(rows), width), past, dtype=np.int64)
    for number, row in enumerate(rows):
        gap = width - len(row)
        ids[number, gap:] = row
        mask[number, past : past + gap] = 0
        positions[number, gap:] += np.arange(len(row))
    return ids, mask, positions


def _pick(logits: NDArray[np.float32], matcher: Any, temperature: float, noise: np.random.Generator) -> int:
    if matcher is not None:
        bits = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
        allowed = np.unpackbits(bits, count=len(logits), bitorder="little")
        logits = np.where(allowed, logits, -np.inf)
    if temperature <= 0:
        return int(logits.argmax())
    chances = np.cumsum(np.exp((logits - logits.max()).astype(np.float64) / temperature))
    return int(np.searchsorted(chances, noise.random() * chances[-1], side="right"))

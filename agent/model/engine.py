"""Decodes a local transformers model under a grammar, token by token, with prompts' prefixes cached.

Own loop rather than `generate`: where the grammar leaves one way only (the keys of a frame, a title),
its tokens are appended in one forward pass instead of one each, which more than halves a reply's time.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import ModelError

if TYPE_CHECKING:
    import torch

_CACHED_PREFIXES = 8


class TransformersEngine:
    """A causal language model in memory. One generation at a time; others wait their turn."""

    def __init__(self, folder: str | Path, adapter: str | Path | None = None) -> None:
        """`folder`: a Hugging Face model folder or id; `adapter`: a PEFT adapter to merge into it.

        Raises ModelError if either cannot be loaded. Weights are read from safetensors only.
        """
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        dtype = torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(str(folder))
            self.model: Any = AutoModelForCausalLM.from_pretrained(
                str(folder), dtype=dtype, use_safetensors=True, low_cpu_mem_usage=True
            ).eval()
            if adapter is not None:
                from peft import PeftModel

                self.model = PeftModel.from_pretrained(self.model, str(adapter)).merge_and_unload()
        except (OSError, ValueError) as error:
            raise ModelError(
                f"Cannot load the language model {str(folder)!r}: {str(error).splitlines()[0]} "
                'Give a folder with safetensors weights, a server address, or "none".'
            ) from error
        self.name = Path(str(folder)).name
        self._lock = threading.Lock()
        self._prefixes: OrderedDict[tuple[int, ...], Any] = OrderedDict()
        self._grammar_tokenizer: Any = None

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
        import torch

        ids, shared = self.render(messages)
        matcher = self._matcher(lark) if lark is not None else None
        noise = torch.Generator().manual_seed(seed)
        with self._lock, torch.inference_mode():
            cache = self._prefix_cache(ids[:shared])
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
                    logits = self._forward(pending, cache)
                    pending = []
                    token = self._pick(logits, matcher, temperature, noise)
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

    def _ids(self, messages: Sequence[dict[str, str]], answer: bool) -> list[int]:
        encoded = self.tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=answer, return_dict=True
        )
        return list(encoded["input_ids"])

    def _forward(self, ids: list[int], cache: Any) -> torch.Tensor:
        import torch

        out = self.model(
            input_ids=torch.tensor([ids]), past_key_values=cache, use_cache=True, logits_to_keep=1
        )
        return out.logits[0, -1].float()

    def _prefix_cache(self, prefix: list[int]) -> Any:
        """A copy of the keys and values of `prefix`, computed once and kept for the latest few prompts."""
        from transformers import DynamicCache

        key = tuple(prefix)
        if not key:
            return DynamicCache()
        if key not in self._prefixes:
            cache = DynamicCache()
            self._forward(prefix, cache)
            self._prefixes[key] = cache
            while len(self._prefixes) > _CACHED_PREFIXES:
                self._prefixes.popitem(last=False)
        self._prefixes.move_to_end(key)
        return copy.deepcopy(self._prefixes[key])

    def _pick(self, logits: torch.Tensor, matcher: Any, temperature: float, noise: torch.Generator) -> int:
        import torch

        if matcher is not None:
            allowed = torch.frombuffer(bytearray(matcher.compute_bitmask()), dtype=torch.uint8)
            bits = (allowed.unsqueeze(1) >> torch.arange(8, dtype=torch.uint8)) & 1
            mask = bits.flatten()[: logits.shape[0]].bool()
            logits = logits[: mask.shape[0]].masked_fill(~mask, float("-inf"))
        if temperature <= 0:
            return int(logits.argmax())
        return int(torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=noise))

    def _matcher(self, lark: str) -> Any:
        from llguidance import LLMatcher
        from llguidance.hf import from_tokenizer

        if self._grammar_tokenizer is None:
            self._grammar_tokenizer = from_tokenizer(self.tokenizer)
        matcher = LLMatcher(self._grammar_tokenizer, LLMatcher.grammar_from_lark(lark))
        if matcher.is_error():
            raise ModelError(f"Invalid grammar: {matcher.get_error()}")
        return matcher

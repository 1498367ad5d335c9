"""A local model run by transformers: any Hugging Face folder or id, where nothing faster is installed."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import ModelError
from agent.model.decode import Engine, open_tokenizer, padded


class TransformersEngine(Engine):
    """An Engine over transformers, in bf16 where the processor has it."""

    def __init__(self, folder: str | Path, adapter: str | Path | None = None, exact: bool = False) -> None:
        """`folder`: a Hugging Face model folder or id; `adapter`: a PEFT adapter to merge into it.

        `exact`: in fp32, slower, as a reference. Raises ModelError if either cannot be loaded. Weights are
        read from safetensors only.
        """
        import torch
        from transformers import AutoModelForCausalLM, DynamicCache
        from transformers.utils import logging

        logging.disable_progress_bar()
        quick = not exact and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        dtype = torch.bfloat16 if quick else torch.float32
        try:
            tokenizer = open_tokenizer(str(folder))
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
        super().__init__(tokenizer, Path(str(folder)).name)
        self._empty = DynamicCache
        self._cache: Any = DynamicCache()

    def _restore(self, memory: Any | None) -> None:
        self._cache = self._empty() if memory is None else copy.deepcopy(memory)

    def _save(self) -> Any:
        return copy.deepcopy(self._cache)

    def _forward(self, ids: Sequence[int]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            out = self.model(
                input_ids=torch.tensor([list(ids)]),
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
            return out.logits[0, -1].float().numpy()

    def _branch(self, rows: Sequence[Sequence[int]], tokens: Sequence[int]) -> NDArray[np.float32]:
        """The last layer is done in 32 bits: bf16 logits come in steps of an eighth."""
        import torch

        past = self._cache.get_seq_length()
        ids, mask, positions = (torch.from_numpy(array) for array in padded(rows, past))
        with torch.inference_mode():
            if past:
                self._cache.batch_repeat_interleave(len(rows))
            out = self.model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
                output_hidden_states=True,
            )
            head = self.model.get_output_embeddings().weight[list(tokens)].float()
            return (out.hidden_states[-1][:, -1].float() @ head.T).numpy()

"""An adapter merged into its base model, and the result written as safetensors or as GGUF.

GGUF stores every weight in eight bits here (Q8_0: blocks of 32 with one scale). Nothing here knows where the
files are kept: `assets` does.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from agent.errors import ModelError

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
# What peft raises for a damaged adapter, one for another model, and a method without weights to add.
_UNUSABLE = (OSError, ValueError, LookupError, RuntimeError, TypeError, AttributeError, SafetensorError)
_TOKENIZER_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
# How the Llama weights of safetensors are called in GGUF; "{}" is the number of a layer.
_LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_WHOLE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def merge(adapter: Path, folder: Path, base: Path) -> None:
    """Write the model `base` with the PEFT adapter `adapter` merged into it to `folder`: bf16 safetensors.

    The sum is done in 32 bits and rounded once. Raises ModelError if the adapter cannot be read or merged.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    for name in ADAPTER_FILES:  # peft would look for a missing one on the hub
        if not (adapter / name).exists():
            raise ModelError(f"Cannot merge the adapter {str(adapter)!r}: it has no {name}.")
    logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, use_safetensors=True)
    try:
        adapted = PeftModel.from_pretrained(model, str(adapter))
        merged: Any = adapted.merge_and_unload()
    except (
        OSError,
        ValueError,
        LookupError,
        RuntimeError,
        TypeError,
        AttributeError,
        SafetensorError,
    ) as error:
        problem = str(error).splitlines() or [type(error).__name__]
        raise ModelError(f"Cannot merge the adapter {str(adapter)!r}: {problem[0]}") from error
    merged.to(torch.bfloat16).save_pretrained(folder)
    copy_tokenizer(base, folder)


def copy_tokenizer(source: Path, folder: Path) -> None:
    """Copy the tokenizer, the chat template and the configuration of a model folder; what is there stays."""
    for name in _TOKENIZER_FILES:
        if (source / name).exists() and not (folder / name).exists():
            shutil.copyfile(source / name, folder / name)


def write_gguf(folder: Path, file: Path, like: Path) -> None:
    """Write the Llama model in `folder` (safetensors) as GGUF Q8_0; the tokenizer is copied from `like`.

    `like`: a GGUF file of the same base model. Raises ModelError if `folder` holds another architecture
    or another vocabulary.
    """
    import gguf

    config = json.loads((folder / "config.json").read_text("utf-8"))
    if config.get("model_type") != "llama" or config.get("attention_bias") or config.get("mlp_bias"):
        raise ModelError(f"{str(folder)!r} is no Llama model without biases: GGUF is not written for it.")
    fields = gguf.GGUFReader(like).fields
    known = len(fields[gguf.Keys.Tokenizer.LIST].data)
    if config["vocab_size"] != known:
        raise ModelError(f"{str(folder)!r} has {config['vocab_size']} tokens, the tokenizer to copy {known}.")
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name(folder.name)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _describe(writer, config)
    for name, field in fields.items():
        if name.startswith("tokenizer."):
            sub_type = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), field.types[0], sub_type)
    _add_tensors(writer, folder, config)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: Any, config: dict[str, Any]) -> None:
    heads = config["num_attention_heads"]
    rope = config.get("rope_parameters") or config
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(float(rope["rope_theta"]))
    writer.add_rope_dimension_count(config.get("head_dim") or config["hidden_size"] // heads)


def _add_tensors(writer: Any, folder: Path, config: dict[str, Any]) -> None:
    """Matrices in eight bits, norms in 32. Tied output weights are left out, as the format has it."""
    import torch
    from gguf import GGMLQuantizationType, quants
    from safetensors import safe_open

    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 (it is no dict)
                target = _gguf_name(name.removesuffix(".weight"))
                if target == "output" and config.get("tie_word_embeddings"):
                    continue
                weight = tensors.get_tensor(name).to(torch.float32).numpy()
                kind = target.rpartition(".")[2]
                if kind in heads:
                    weight = interleave(weight, heads[kind])
                if weight.ndim == 1:
                    writer.add_tensor(f"{target}.weight", weight)
                    continue
                packed = quants.quantize(weight, GGMLQuantizationType.Q8_0)
                writer.add_tensor(f"{target}.weight", packed, raw_dtype=GGMLQuantizationType.Q8_0)


def _gguf_name(name: str) -> str:
    if name in _WHOLE:
        return _WHOLE[name]
    _, _, number, rest = name.split(".", 3)
    return f"blk.{number}.{_LAYER[rest]}"


def interleave(weight: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """Rows of a query or key matrix, from safetensors' order to GGUF's.

    Rotary embedding turns pairs of rows: row i with row i + half within a head in safetensors, row 2i with
    row 2i + 1 in GGUF.
    """
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)

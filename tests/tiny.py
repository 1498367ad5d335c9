"""A Llama of two layers with random weights and the packaged model's tokenizer, and adapters for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.model.assets import model_folder
from agent.model.export import copy_tokenizer


def write_model(folder: Path, **changes: Any) -> Path:
    """A model folder. The vocabulary is the real one; everything else is small."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "head_dim": 16}
    config = LlamaConfig(
        **{
            "vocab_size": 49152,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 2048,
            "initializer_range": 0.2,
            "tie_word_embeddings": True,
            "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
            "bos_token_id": 1,
            "eos_token_id": 2,
            **sizes,
            **changes,
        }
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    copy_tokenizer(model_folder(), folder)
    return folder


def write_adapter(base: Path, folder: Path, seed: int = 0) -> Path:
    """A LoRA adapter with random weights, large enough to change what `base` says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(folder)
    return folder

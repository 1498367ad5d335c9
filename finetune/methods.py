"""Parameter-efficient methods by name, each as PEFT configures it, on every linear layer of the model."""

from __future__ import annotations

from typing import Any

from finetune.config import AdapterConfig


def peft_config(config: AdapterConfig, steps: int) -> Any:
    """The PEFT configuration of `config.method`. `steps`: optimizer steps of the stage (AdaLoRA's schedule).

    lora: Hu et al. 2021. rslora: rank-stabilised scaling, Kalajdzievski 2023. dora: Liu et al. 2024.
    adalora: Zhang et al. 2023. ia3: Liu et al. 2022. prefix: Li & Liang 2021, `rank` virtual tokens.
    """
    from peft import AdaLoraConfig, IA3Config, LoraConfig, PrefixTuningConfig

    task = "CAUSAL_LM"
    shape: dict[str, Any] = {
        "task_type": task,
        "target_modules": "all-linear",
        "lora_alpha": config.alpha,
        "lora_dropout": config.dropout,
    }
    if config.method == "ia3":
        return IA3Config(
            task_type=task,
            target_modules=["k_proj", "v_proj", "down_proj"],
            feedforward_modules=["down_proj"],
        )
    if config.method == "prefix":
        return PrefixTuningConfig(task_type=task, num_virtual_tokens=config.rank)
    if config.method == "adalora":
        return AdaLoraConfig(
            **shape,
            target_r=config.rank,
            init_r=config.rank + config.rank // 2,
            tinit=max(1, steps // 10),
            tfinal=max(1, steps // 3),
            deltaT=max(1, steps // 40),
            total_step=steps,
        )
    return LoraConfig(
        **shape, r=config.rank, use_rslora=config.method == "rslora", use_dora=config.method == "dora"
    )

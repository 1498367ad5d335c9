"""Trains an adapter, stage by stage, through transformers' Trainer and so through accelerate."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agent.model.export import ADAPTER_FILES
from finetune.config import AdapterConfig, Stage
from finetune.example import Example, Skill
from finetune.methods import peft_config

Pool = Mapping[Skill, Sequence[Example]]


def train(
    config: AdapterConfig,
    training: Sequence[Pool],
    validation: Pool,
    base: str | Path,
    output: Path,
    start: Path | None = None,
    progress: bool = True,
) -> Path:
    """Train the stages of `config` and return the folder of the last one's adapter.

    `training`: for each stage its examples by skill. `validation`: examples that only measure. `base`: folder
    or id of the model; `start`: an adapter to go on from. Everything lands in `output`; a run that was killed
    goes on from its last checkpoint when it is started again with the same `output`.
    """
    done = start
    for number, (stage, pool) in enumerate(zip(config.stages, training, strict=True), start=1):
        folder = output / f"{number}-{stage.name}"
        if not all((folder / "adapter" / name).exists() for name in ADAPTER_FILES):
            _train_stage(config, stage, pool, validation, base, folder, done, progress)
        done = folder / "adapter"
    assert done is not None
    return done


def load_base(base: str | Path) -> tuple[Any, Any]:
    """(model, tokenizer) of a base model, in bf16 where the processor has it. Safetensors only."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    fast = torch.cuda.is_available() or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    dtype = torch.bfloat16 if fast else torch.float32
    model = AutoModelForCausalLM.from_pretrained(str(base), dtype=dtype, use_safetensors=True)
    return model, AutoTokenizer.from_pretrained(str(base))


def _train_stage(
    config: AdapterConfig,
    stage: Stage,
    pool: Pool,
    validation: Pool,
    base: str | Path,
    folder: Path,
    start: Path | None,
    progress: bool,
) -> None:
    from finetune.batches import Collator, Encoded
    from finetune.trainer import SkillTrainer, StopWhenNoSkillImproves

    examples = [example for skill in stage.examples for example in pool.get(skill, ())]
    steps = max(1, math.ceil(len(examples) / (stage.batch * config.accumulation) * stage.epochs))
    model, tokenizer = load_base(base)
    model = _with_adapter(model, config, steps, start)
    data = Encoded(examples, tokenizer)
    held = {
        skill: Encoded(rows[: config.validation], tokenizer) for skill, rows in validation.items() if rows
    }
    trainer = SkillTrainer(
        model=model,
        args=_arguments(config, stage, folder, bool(held), progress),
        data_collator=Collator(tokenizer.pad_token_id or 0),
        train_dataset=data,
        eval_dataset=held or None,
        processing_class=tokenizer,
        callbacks=[StopWhenNoSkillImproves(config.patience)] if config.patience else [],
    )
    checkpoints = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    trainer.train(resume_from_checkpoint=str(checkpoints[-1]) if checkpoints else None)
    if trainer.is_world_process_zero():
        _save(trainer, config, stage, folder, len(examples))


def _with_adapter(model: Any, config: AdapterConfig, steps: int, start: Path | None) -> Any:
    from peft import PeftModel, get_peft_model

    if start is not None:
        return PeftModel.from_pretrained(model, str(start), is_trainable=True, autocast_adapter_dtype=False)
    return get_peft_model(model, peft_config(config, steps), autocast_adapter_dtype=False)


def _arguments(config: AdapterConfig, stage: Stage, folder: Path, evaluated: bool, progress: bool) -> Any:
    from transformers import TrainingArguments

    when = "steps" if evaluated else "no"
    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=stage.batch,
        per_device_eval_batch_size=stage.batch,
        gradient_accumulation_steps=config.accumulation,
        num_train_epochs=stage.epochs,
        learning_rate=stage.learning_rate,
        warmup_steps=stage.warmup,
        lr_scheduler_type="cosine",
        weight_decay=config.weight_decay,
        train_sampling_strategy="group_by_length",
        eval_strategy=when,
        eval_steps=config.evaluate_every,
        save_strategy="steps",
        save_steps=config.evaluate_every,
        save_total_limit=2,
        load_best_model_at_end=evaluated,
        metric_for_best_model="eval_loss" if evaluated else None,
        greater_is_better=False if evaluated else None,
        prediction_loss_only=True,
        remove_unused_columns=False,
        label_names=["labels"],
        logging_steps=10,
        report_to=["tensorboard"] if find_spec("tensorboard") else [],
        disable_tqdm=not progress,
        seed=config.seed,
        data_seed=config.seed,
    )


def _save(trainer: Any, config: AdapterConfig, stage: Stage, folder: Path, count: int) -> None:
    """The adapter with all that is needed to make it again, written beside and moved into place."""
    fresh = folder / "adapter.new"
    shutil.rmtree(fresh, ignore_errors=True)
    for settings in trainer.model.peft_config.values():  # its name, not where it lay on this machine
        settings.base_model_name_or_path = Path(settings.base_model_name_or_path).name
    dtype = next(param.dtype for param in trainer.model.parameters() if not param.requires_grad)
    trainer.model.to(dtype).save_pretrained(str(fresh), safe_serialization=True)
    (fresh / "README.md").unlink(missing_ok=True)  # PEFT's form of a model card, with nothing filled in
    record = {
        "config": asdict(config),
        "stage": stage.name,
        "examples": count,
        "steps": trainer.state.global_step,
        "history": trainer.state.log_history,
    }
    (fresh / "training.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    shutil.rmtree(folder / "adapter", ignore_errors=True)
    fresh.rename(folder / "adapter")

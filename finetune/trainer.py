"""transformers' Trainer with a loss on the learned tokens only and a validation loss per skill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from finetune.batches import IGNORED
from finetune.optimizer import MasterAdamW


class SkillTrainer(Trainer):
    """Computes logits at learned positions alone: a vocabulary of 49,000 words is a fifth of the work."""

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        labels = inputs.pop("labels")
        out = model(**inputs, output_hidden_states=True, logits_to_keep=1, use_cache=False)
        hidden = out.hidden_states[-1][:, -labels.shape[1] :][:, :-1]  # a tuned prefix comes first
        targets = labels[:, 1:]
        learned = targets != IGNORED
        head = self.accelerator.unwrap_model(model).get_output_embeddings()
        logits = head(hidden[learned]).float()
        reduction = "mean" if num_items_in_batch is None else "sum"
        loss = torch.nn.functional.cross_entropy(logits, targets[learned], reduction=reduction)
        if num_items_in_batch is not None:
            loss = loss / num_items_in_batch
        return (loss, {"logits": None}) if return_outputs else loss

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            tuned: Any = model if model is not None else self.model
            self.optimizer = MasterAdamW(tuned.parameters(), self.args.learning_rate, self.args.weight_decay)
        return self.optimizer

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """A loss for each skill (`eval_<skill>_loss`) and their mean (`eval_loss`)."""
        given = self.eval_dataset if eval_dataset is None else eval_dataset
        if not isinstance(given, Mapping):
            return super().evaluate(given, ignore_keys, metric_key_prefix)
        losses = {
            skill: super(SkillTrainer, self).evaluate(rows, ignore_keys, f"eval_{skill}")[
                f"eval_{skill}_loss"
            ]
            for skill, rows in given.items()
        }
        metrics = {f"eval_{skill}_loss": loss for skill, loss in losses.items()}
        metrics["eval_loss"] = sum(losses.values()) / len(losses)
        self.log(metrics)
        return metrics


class StopWhenNoSkillImproves(TrainerCallback):
    """Ends a stage after `patience` evaluations in a row in which no skill had its best validation loss."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.best: dict[str, float] = {}
        self.waited = 0

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        losses = {
            key: value
            for entry in state.log_history
            if entry.get("step") == state.global_step
            for key, value in entry.items()
            if key.startswith("eval_") and key.endswith("_loss")
        }
        better = [key for key, loss in losses.items() if loss < self.best.get(key, float("inf"))]
        self.best.update({key: losses[key] for key in better})
        self.waited = 0 if better else self.waited + 1
        if self.waited >= self.patience > 0:
            control.should_training_stop = True


Sets = Mapping[str, Dataset[Any]]

"""What `tastebud train adapter --config FILE` reads."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from finetune.example import SKILLS, Skill
from retrieval.errors import TastebudError

Method = Literal["lora", "rslora", "dora", "adalora", "ia3", "prefix"]
METHODS: tuple[Method, ...] = get_args(Method)


class ConfigError(TastebudError):
    """A training configuration that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass of training. `examples`: how many of each skill (all there are, if fewer); skills left out
    are not trained. `learning_rate` is its peak, after `warmup` (share of the steps), before a cosine decay.
    `batch`: examples in a forward pass. `composed`: share of the understanding examples that are put together
    from clauses, where the others are texts of families and messages of dialogues.
    """

    name: str
    examples: dict[Skill, int]
    epochs: float = 1.0
    learning_rate: float = 5e-4
    warmup: float = 0.05
    batch: int = 16
    composed: float = 0.0


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """A whole training. `patience`: evaluations without a better validation loss in any skill before a stage
    stops; 0 = never. `accumulation`: forward passes in a step. `augment`: share
    of the understanding examples that are written with typos and the like.
    """

    stages: tuple[Stage, ...]
    method: Method = "lora"
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    weight_decay: float = 0.01
    accumulation: int = 1
    augment: float = 0.3
    evaluate_every: int = 100
    validation: int = 120
    patience: int = 0
    seed: int = 7
    skills: tuple[Skill, ...] = field(default=SKILLS)


def read_config(path: Path) -> AdapterConfig:
    """Read a YAML configuration. Raises ConfigError naming the file, the entry and what is expected."""
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"Cannot read the configuration {str(path)!r}: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {str(error).splitlines()[0]}") from error
    return parse_config(raw, str(path))


def parse_config(raw: Any, where: str) -> AdapterConfig:
    """A configuration from parsed YAML. Raises ConfigError."""
    if not isinstance(raw, dict) or not raw.get("stages"):
        raise ConfigError(f"{where}: expected a mapping with a list of `stages`.")
    stages = tuple(_stage(stage, where) for stage in raw["stages"])
    rest = {key: value for key, value in raw.items() if key != "stages"}
    _check_keys(rest, {f.name for f in fields(AdapterConfig)} - {"stages", "skills"}, where)
    if rest.get("method", "lora") not in METHODS:
        raise ConfigError(f"{where}: method {rest['method']!r} is none of {', '.join(METHODS)}.")
    trained = tuple(skill for skill in SKILLS if any(skill in stage.examples for stage in stages))
    return AdapterConfig(stages=stages, skills=trained, **rest)


def _stage(raw: Any, where: str) -> Stage:
    if not isinstance(raw, dict) or not isinstance(raw.get("examples"), dict) or "name" not in raw:
        raise ConfigError(
            f"{where}: a stage needs a `name` and `examples` (a number per skill), not {raw!r}."
        )
    _check_keys(raw, {f.name for f in fields(Stage)}, where)
    _check_keys(raw["examples"], set(SKILLS), where)
    for skill, count in raw["examples"].items():
        if not isinstance(count, int) or count < 0:
            raise ConfigError(f"{where}: {skill}: {count!r} is no number of examples.")
    return Stage(**{**raw, "learning_rate": float(raw.get("learning_rate", 5e-4))})


def _check_keys(given: dict[str, Any], known: set[str], where: str) -> None:
    for key in given:
        if key not in known:
            raise ConfigError(f"{where}: {key!r} is none of {', '.join(sorted(known))}.")

"""Small trainings beside each other: methods at equal budget, what keeps overfitting away, few examples.

Every adapter here learns from the same few examples, so the figures compare recipes and say nothing of the
adapter that ships. Frames are written freely, without the grammar that serving decodes under, so that
what was learned is seen and not what the grammar repairs.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.judge import LONGEST_HISTORY
from agent.model import assets
from agent.model.engine import TransformersEngine
from agent.model.language import Language
from agent.model.llm import LocalChatModel
from eval.benchmarks import judging, understanding
from eval.benchmarks.domain import Domain
from eval.benchmarks.tables import Section
from eval.metrics import Estimate
from finetune.config import METHODS, AdapterConfig, Method, Stage
from finetune.example import Example, Skill
from finetune.families import Said, packaged_banks, read_bank
from finetune.lora import train
from finetune.noise import hurried
from finetune.verdicts import judge_example
from retrieval.catalogue import read_catalogue
from retrieval.interactions import Interactions
from retrieval.workspace import Workspace

BOOKS = Path(__file__).parents[2] / "finetune" / "books"
RATES: dict[Method, float] = {
    "lora": 8e-4, "rslora": 4e-4, "dora": 8e-4, "adalora": 2e-3, "ia3": 1e-2, "prefix": 1e-2
}  # fmt: skip
"""Peak learning rates: each method's own scale of weights asks for its own."""

METHOD_EXAMPLES = 480
OVERFITTING = (120, 4.0)  # examples, epochs: few and often, so that there is something to prevent
FEW = ((16, 8.0), (64, 4.0), (256, 2.0))
_VALIDATION = 60


@dataclass(frozen=True, slots=True)
class Trial:
    """One small training and how it reads held-out messages. `parameters`: trained ones. `loss`: of learned
    tokens of held-out messages, in nats. `valid`: share of frames that are any. `hurried_f1`: on the same
    messages with typos and the like. `seconds`: of the training.
    """

    recipe: str
    examples: int
    epochs: float
    parameters: int
    loss: float | None
    f1: Estimate
    hurried_f1: Estimate | None
    act: Estimate
    valid: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Shots:
    """The judge after `examples` examples of eleven verdicts each; 0 = the base model, untrained."""

    examples: int
    judgements: int
    area: Estimate
    loss: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Transfer:
    """An adapter for films, taken on with examples about books: how it reads both."""

    examples: int
    books_f1: Estimate
    books_act: Estimate
    films_f1: Estimate
    seconds: float


@dataclass(frozen=True, slots=True)
class Trials:
    """Runs the trainings. `output`: where they are kept, so that a run cut short goes on. `n`: messages that
    each adapter reads.
    """

    workspace: Workspace
    output: Path
    n: int
    seed: int
    say: Callable[[str], None]

    def methods(self) -> Iterator[Section]:
        """Every method on the same examples, as often and in the same order."""
        films = self._films()
        rows = [self._trial(films, name, METHOD_EXAMPLES, 1.0, method=name) for name in METHODS]
        yield Section(f"methods: {METHOD_EXAMPLES} examples each, once", tuple(rows))

    def ablations(self) -> Iterator[Section]:
        """What is meant to keep overfitting away, put in or left out one at a time."""
        films, (count, epochs) = self._films(), OVERFITTING
        variants: dict[str, dict[str, Any]] = {
            "as shipped": {},
            "dropout .05": {"dropout": 0.05},
            "no weight decay": {"weight_decay": 0.0},
            "weight decay .1": {"weight_decay": 0.1},
            "no augmentation": {"augment": 0.0},
            "early stopping": {"patience": 1, "evaluate_every": 15},
            "one epoch of four times as many": {"times": 4},
        }
        rows = []
        for name, changes in variants.items():
            times = changes.pop("times", 1)
            row = self._trial(films, name, count * times, epochs / times, with_hurried=True, **changes)
            rows.append(row)
        yield Section(f"overfitting: {count} examples, {epochs:g} times", tuple(rows))

    def judge(self) -> Iterator[Section]:
        """The judge from few examples: people's ten films before, and the next one, with their verdicts."""
        interactions = self.workspace.interactions
        if interactions is None:
            raise judging.JudgingError("This workspace has no interactions: there is nothing to judge.")
        rows = [self._shots(interactions, 0, 0.0)]
        rows += [self._shots(interactions, count, epochs) for count, epochs in FEW]
        yield Section("judge: after so many examples of eleven verdicts", tuple(rows))

    def transfer(self) -> Iterator[Section]:
        """From films to books: the packaged adapter goes on with a few examples of the new domain."""
        books = Domain.of(read_catalogue(BOOKS / "books.jsonl").catalogue, read_bank(BOOKS / "families.yaml"))
        films, start = self._films(), assets.packaged_adapter()
        rows = [self._transferred(books, films, start, 0, 0.0)]
        rows += [self._transferred(books, films, start, count, epochs) for count, epochs in FEW]
        yield Section("transfer: the packaged adapter, taken on with examples about books", tuple(rows))

    def _films(self) -> Domain:
        return Domain.of(self.workspace.catalogue, packaged_banks())

    def _trial(
        self, domain: Domain, name: str, count: int, epochs: float, with_hurried: bool = False, **changes: Any
    ) -> Trial:
        self.say(f"{name}: {count} examples, {epochs:g} times")
        method = changes.get("method", "lora")
        config = replace(_config("understand", count, epochs, method), seed=self.seed, **changes)
        examples = domain.examples(count, self.seed, config.augment)
        adapter, seconds = self._train(name, config, examples, domain)
        said = understanding.held_out_messages(domain.catalogue, self.n, self.seed, domain.families)
        clean = self._understood(domain, name, said, adapter)
        rng = random.Random(self.seed)
        rushed = [hurried(one, rng) for one in said] if with_hurried else []
        losses = json.loads((adapter / "training.json").read_text("utf-8"))["history"]
        known = [entry["eval_understand_loss"] for entry in losses if "eval_understand_loss" in entry]
        return Trial(
            name,
            count,
            epochs,
            _parameters(adapter),
            min(known) if known else None,
            clean.f1,
            self._understood(domain, name, rushed, adapter).f1 if rushed else None,
            clean.act,
            clean.valid,
            seconds,
        )

    def _shots(self, interactions: Interactions, count: int, epochs: float) -> Shots:
        self.say(f"judge: {count} examples, {epochs:g} times")
        catalogue = self.workspace.catalogue
        people, _ = judging.split_people(interactions, catalogue)
        adapter, seconds = None, 0.0
        if count:
            config = replace(_config("judge", count, epochs), seed=self.seed)
            adapter, seconds = self._train(
                f"judge-{count}", config, judged_examples(people, count, self.seed), None
            )
        engine = TransformersEngine(assets.model_folder(), adapter)
        language = Language(LocalChatModel(engine=engine), "judge", constrained=True, tuned=True)
        row = judging.measure_judging(
            interactions,
            catalogue,
            {"model": lambda prompts: language.judge("", prompts)},
            self.n * 5,
            self.seed,
        )[-1]
        return Shots(count, row.judgements, row.area, row.loss, seconds)

    def _transferred(
        self, books: Domain, films: Domain, start: Path | None, count: int, epochs: float
    ) -> Transfer:
        self.say(f"books: {count} examples, {epochs:g} times")
        adapter, seconds = start, 0.0
        if count:
            config = replace(_config("understand", count, epochs), seed=self.seed)
            examples = books.examples(count, self.seed, config.augment)
            adapter, seconds = self._train(f"books-{count}", config, examples, books, start)
        about = understanding.held_out_messages(books.catalogue, self.n, self.seed, books.families)
        before = understanding.held_out_messages(films.catalogue, self.n, self.seed, films.families)
        read = self._understood(books, "books", about, adapter)
        kept = self._understood(films, "films", before, adapter)
        return Transfer(count, read.f1, read.act, kept.f1, seconds)

    def _train(
        self,
        name: str,
        config: AdapterConfig,
        examples: Sequence[Example],
        domain: Domain | None,
        start: Path | None = None,
    ) -> tuple[Path, float]:
        """(the adapter, seconds it took; 0 where an earlier run had made it)."""
        held = domain.examples(_VALIDATION, self.seed, held_out=True) if domain is not None else []
        (skill,) = config.skills
        began = time.perf_counter()
        folder = self.output / name.replace(" ", "-")
        validation = {skill: held} if held else {}
        adapter = train(config, [{skill: examples}], validation, assets.model_folder(), folder, start, False)
        return adapter, time.perf_counter() - began

    def _understood(
        self, domain: Domain, name: str, said: Sequence[Said], adapter: Path | None
    ) -> understanding.Understanding:
        frames = domain.read(said, adapter)
        return understanding.measure_understanding(
            name, lambda message, scene: frames[message, scene], said, domain.drafter.latest, self.seed
        )


def _config(skill: Skill, count: int, epochs: float, method: Method = "lora") -> AdapterConfig:
    stage = Stage("trial", {skill: count}, epochs=epochs, learning_rate=RATES[method], batch=8)
    steps = int(count * epochs / stage.batch)
    return AdapterConfig((stage,), evaluate_every=max(1, steps), validation=_VALIDATION, skills=(skill,))


def judged_examples(people: Sequence[judging.Person], count: int, seed: int) -> list[Example]:
    """One stretch of eleven verdicts each of `count` people, drawn with the seed."""
    rng = random.Random(f"shots:{seed}")
    able = [person for person in people if len(person[1]) > LONGEST_HISTORY]
    examples = []
    for user, verdicts in rng.sample(able, min(count, len(able))):
        start = rng.randrange(len(verdicts) - LONGEST_HISTORY)
        examples.append(judge_example(user, verdicts[start : start + LONGEST_HISTORY + 1]))
    return examples


def _parameters(adapter: Path) -> int:
    from safetensors import safe_open

    with safe_open(str(adapter / "adapter_model.safetensors"), "np") as file:
        return int(sum(np.prod(file.get_slice(name).get_shape()) for name in file.keys()))  # noqa: SIM118

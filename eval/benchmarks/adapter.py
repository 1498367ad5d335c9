"""Every figure of the adapter side by side with the base model, the rules and the baselines."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.model import assets
from agent.model.decode import Engine
from agent.model.engine import TransformersEngine
from agent.model.language import Language, open_language
from agent.model.llm import LocalChatModel
from agent.reading.draft import Drafter
from agent.reading.link import Linker
from agent.reading.understand import Reader
from agent.reading.vocabulary import Vocabulary
from eval.benchmarks import judging, polarity, understanding
from eval.benchmarks.tables import Section
from eval.metrics import Estimate, bootstrap, share
from finetune.splits import held_out_users
from retrieval.errors import TastebudError
from retrieval.interactions import Interactions
from retrieval.workspace import Workspace

if TYPE_CHECKING:
    from agent.recommender import Recommender
    from agent.respond import Parts, Wording
    from agent.types import Speaker
    from eval.benchmarks.widening import Widening

Hears = Callable[[str], None]


class AdapterError(TastebudError):
    """An adapter that cannot be measured; the message says why."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. `messages`: None = one of every held-out text. `dialogues`: those that a model
    reads (rules read all). `judgements`: those that a model makes. `repeats`: runs of each timing.
    """

    messages: int | None = None
    dialogues: int = 250
    judgements: int = 3000
    replies: int = 150
    repeats: int = 3


@dataclass(frozen=True, slots=True)
class Widened:
    """One way of widening in one catalogue ("rated", or "cold" without any rating).

    `gain`: in recall over no widening, 0.15 = 15 % more; None for no widening itself. `theme_entropy` in
    bits. `seconds`: median of a call; None where no model is asked.
    """

    system: str
    catalogue: str
    recall_at_50: Estimate
    gain: Estimate | None
    theme_entropy: float
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Models:
    """The packaged model without and with an adapter, whose folder is `adapter`."""

    base: Language
    tuned: Language
    adapter: Path


def open_models(adapter: Path | None) -> Models:
    """Both models. `adapter`: None for the packaged one. Raises AdapterError, ModelError."""
    folder = adapter or assets.packaged_adapter()
    if folder is None:
        raise AdapterError("No adapter comes with this copy: train one, and give its folder with --adapter.")
    if not (folder / "adapter_model.safetensors").is_file():
        raise AdapterError(f"{str(folder)!r} is no adapter: it holds no adapter_model.safetensors.")
    tuned = open_language("packaged", str(folder))
    assert tuned is not None
    return Models(_open_base(), tuned, folder)


def _open_base() -> Language:
    """The packaged model without any adapter, on the engine that serves."""
    engine: Engine
    if assets.has_openvino():
        from agent.model.openvino import OpenVinoEngine

        engine = OpenVinoEngine(assets.openvino_folder())
    else:
        engine = TransformersEngine(assets.model_folder())
    return Language(LocalChatModel(engine=engine), "base model", constrained=True)


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of measurements. `say` hears what is measured. Without `dialogues` there is no polarity."""

    models: Models
    workspace: Workspace
    dialogues: polarity.Dialogues | None
    sizes: Sizes
    seed: int
    say: Callable[[str], None]

    def measure(self, skills: Sequence[str]) -> Iterator[Section]:
        """The tables of `skills` (names of the methods below), each as soon as it is measured.

        Raises TastebudError where something that they need is missing or malformed.
        """
        for skill in skills:
            yield from getattr(self, skill)()

    def understand(self) -> Iterator[Section]:
        """Held-out families and, where there are labelled dialogues, the polarity of their films."""
        catalogue = self.workspace.catalogue
        said = understanding.held_out_messages(catalogue, self.sizes.messages, self.seed)
        likeness = self.workspace.ranker.likeness
        drafter = Drafter(catalogue)
        reader = Reader(catalogue, Linker(catalogue), Vocabulary(catalogue), self.models.tuned, likeness)
        systems = {
            "rules": understanding.rules_reader(catalogue),
            "base model, examples in its prompt": understanding.model_reader(self.models.base, None),
            "adapter": understanding.model_reader(self.models.tuned, drafter),
            "adapter and rules, as served": understanding.served_reader(reader, catalogue),
        }
        latest = drafter.latest
        rows = []
        for name, read in systems.items():
            self.say(f"understand: {len(said)} messages, {name}")
            rows.append(understanding.measure_understanding(name, read, said, latest, self.seed))
        yield Section(f"understand: {len(said)} messages of held-out families", tuple(rows))
        yield Section("understand: F1 of each slot", understanding.by_slot(rows))
        if self.dialogues is not None:
            yield self._polarity(self.dialogues)

    def _polarity(self, every: polarity.Dialogues) -> Section:
        part = polarity.sample(every, self.sizes.dialogues, self.seed)
        rules = polarity.as_read(understanding.rules_reader(every.catalogue))
        plain = (("everything mentioned is liked", polarity.everything_liked), ("rules", rules))
        tuned = understanding.model_reader(self.models.tuned, Drafter(every.catalogue))
        base = understanding.model_reader(self.models.base, None)
        jobs = [(name, tells, every) for name, tells in plain if len(part.rows) < len(every.rows)]
        jobs += [(name, tells, part) for name, tells in plain]
        jobs.append(("base model, examples in its prompt", polarity.as_read(base), part))
        jobs.append(("adapter", polarity.as_read(tuned), part))
        rows = []
        for name, tells, dialogues in jobs:
            self.say(f"polarity: {len(dialogues.rows)} dialogues, {name}")
            rows.append(polarity.measure_polarity(name, tells, dialogues, self.seed))
        return Section("understand: polarity of every labelled film", tuple(rows))

    def export(self) -> Iterator[Section]:
        """The model as it is served, beside the adapter as PEFT puts it on, unquantised: in fp32, in bf16."""
        from eval.benchmarks.exporting import measure_agreement

        drafter = Drafter(self.workspace.catalogue)
        said = understanding.held_out_messages(self.workspace.catalogue, self.sizes.messages, self.seed)
        served = (self.models.tuned.name, understanding.model_reader(self.models.tuned, drafter))
        rows = []
        for name, exact in (("transformers, fp32", True), ("transformers, bf16", False)):
            self.say(f"export: {len(said)} messages, {name}")
            engine = TransformersEngine(assets.model_folder(), self.models.adapter, exact)
            plain = Language(LocalChatModel(engine=engine), name, constrained=True, tuned=True)
            rows.append(measure_agreement(served, (name, understanding.model_reader(plain, drafter)), said))
        yield Section("export: frames of the served model and of the unquantised one", tuple(rows))

    def expand(self) -> Iterator[Section]:
        """Retrieval with interests that the model named, for held-out people."""
        from eval.benchmarks.widening import measure_widening

        users = held_out_users(self._interactions().users)
        rows: list[Widened] = []
        for name, language in (("base model", self.models.base), ("adapter", self.models.tuned)):
            self.say(f"expand: {len(users)} people, {name}")
            found = measure_widening(self.workspace, language, users, self.seed)
            rows += widened(found, name, with_rules=not rows)
        ordered = tuple(sorted(rows, key=lambda row: row.catalogue == "cold"))
        yield Section("expand: recall@50 of held-out people's likes, three of them given", ordered)

    def judge(self) -> Iterator[Section]:
        """Likes of held-out people."""
        # Every prompt has a history of its own, so nothing is shared: whole prompts go in batches.
        systems: dict[str, judging.Probabilities] = {
            "base model": lambda prompts: self.models.base.judge("", prompts),
            "adapter": lambda prompts: self.models.tuned.judge("", prompts),
        }
        self.say(f"judge: {self.sizes.judgements} judgements by each model")
        interactions, catalogue = self._interactions(), self.workspace.catalogue
        rows = judging.measure_judging(interactions, catalogue, systems, self.sizes.judgements, self.seed)
        yield Section("judge: ratings above 3 of held-out people, after the ten before", rows)

    def respond(self) -> Iterator[Section]:
        """Replies in conversations made of messages of held-out families; all systems word the same ones."""
        from agent.respond import word
        from eval.benchmarks.responding import measure_wording, reply_drafts

        said = understanding.held_out_messages(self.workspace.catalogue, None, self.seed)
        messages = [one.message for one in said]
        with self._product("none") as recommender:
            drafts = reply_drafts(recommender, messages, self.sizes.replies, self.seed)
        systems = {"templates": None, "base model": self.models.base, "adapter": self.models.tuned}
        rows = []
        for name, language in systems.items():
            self.say(f"respond: {len(drafts)} replies, {name}")

            def words(
                parts: Parts,
                facts: dict[str, str],
                seed: int,
                hear: Hears,
                language: Language | None = language,
            ) -> tuple[list[Wording], Speaker, str]:
                return word(parts, language, facts, seed, hear)

            rows.append(measure_wording(name, words, drafts, self.workspace.catalogue))
        yield Section(f"respond: {len(drafts)} replies", tuple(rows))

    def speed(self) -> Iterator[Section]:
        """Steps, turns and decoding. Raises AdapterError unless the adapter is the one that is served."""
        from eval.benchmarks.adapter_speed import measure_speed

        if self.models.adapter != assets.packaged_adapter():
            raise AdapterError("Speed is measured as served: it needs the adapter that comes with the agent.")
        self.say("speed")
        with self._product("packaged") as recommender:
            rows = measure_speed(recommender, self.models.tuned, self.sizes.repeats)
        yield Section("speed of the adapter as served", rows)

    def _interactions(self) -> Interactions:
        if self.workspace.interactions is None:
            raise AdapterError(
                "This workspace has no interactions: `judge` and `expand` need people's ratings."
            )
        return self.workspace.interactions

    @contextmanager
    def _product(self, llm: str) -> Iterator[Recommender]:
        """A Recommender on a database of its own."""
        from agent.recommender import Recommender

        with tempfile.TemporaryDirectory(prefix="tastebud-eval-") as folder:
            recommender = Recommender(self.workspace, llm=llm, database=Path(folder) / "eval.db")
            try:
                yield recommender
            finally:
                recommender.close()


def widened(found: Widening, model: str, with_rules: bool) -> list[Widened]:
    """The rows of one model, and with `with_rules` those of the ways that need none."""
    rows = []
    for catalogue, ways in found.results.items():
        for way, results in ways.items():
            if way != "model" and not with_rules:
                continue
            recall = bootstrap(len(results.recalls), partial(share, np.array(results.recalls)))
            gain = Estimate(found.gain(catalogue, way), *found.interval(catalogue, way))
            by_model = way == "model"
            rows.append(
                Widened(
                    model if by_model else way,
                    catalogue,
                    recall,
                    None if way == "none" else gain,
                    results.entropy,
                    statistics.median(found.seconds) if by_model and found.seconds else None,
                )
            )
    return rows

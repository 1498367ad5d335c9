"""A tiny adapter is trained for real: the loss falls, a killed run resumes, and serving speaks with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from small import ITEMS, parts
from tiny import write_model

from agent.judge import Verdict, history_text
from agent.model.assets import model_folder
from agent.model.engine import TransformersEngine
from agent.model.export import ADAPTER_FILES
from agent.model.language import Language
from agent.model.llm import LocalChatModel
from agent.reading.draft import Drafter
from agent.reading.scene import Scene, understand_prompt
from finetune.batches import IGNORED, Collator, encode
from finetune.config import METHODS, AdapterConfig, ConfigError, Stage, parse_config, read_config
from finetune.example import Example, chat
from finetune.families import Said, packaged_banks
from finetune.fillings import Fillings
from finetune.lora import train
from finetune.splits import held_out_users, is_held_out, place
from finetune.understanding import messages, understand_example
from finetune.verdicts import judge_example

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    said = messages(packaged_banks(), Fillings(parts()[0], held_out=False), 64, seed=1)
    drafter = Drafter(parts()[0])
    return [understand_example(one, drafter) for one in said]


def config(**changes: object) -> AdapterConfig:
    stage = Stage("skills", {"understand": 64}, epochs=3, learning_rate=5e-3, batch=8)
    settings = AdapterConfig((stage,), rank=4, evaluate_every=8, validation=8, skills=("understand",))
    return replace(settings, **changes)  # type: ignore[arg-type]


def run(
    settings: AdapterConfig, rows: Sequence[Example], base: Path, output: Path
) -> tuple[Path, list[float]]:
    done = train(settings, [{"understand": rows}], {"understand": rows[:8]}, base, output, progress=False)
    history = json.loads((done / "training.json").read_text())["history"]
    return done, [entry["eval_understand_loss"] for entry in history if "eval_understand_loss" in entry]


def test_the_loss_falls_and_the_adapter_loads(base: Path, examples: list[Example], tmp_path: Path) -> None:
    done, losses = run(config(), examples, base, tmp_path)
    assert losses[-1] < losses[0] - 0.5
    assert {path.name for path in done.iterdir()} >= set(ADAPTER_FILES)
    plain, tuned = TransformersEngine(base), TransformersEngine(base, done)
    chat_prompt = understand_prompt("hello", Scene(), draft="{}")
    assert "".join(plain.generate(chat_prompt, max_tokens=8)) != "".join(
        tuned.generate(chat_prompt, max_tokens=8)
    )


def test_a_finished_stage_is_not_trained_again(base: Path, examples: list[Example], tmp_path: Path) -> None:
    done, _ = run(config(), examples[:16], base, tmp_path)
    before = (done / "adapter_model.safetensors").stat().st_mtime_ns
    again, _ = run(config(), examples[:16], base, tmp_path)
    assert again == done
    assert (done / "adapter_model.safetensors").stat().st_mtime_ns == before


def test_a_killed_run_goes_on_from_its_checkpoint(
    base: Path, examples: list[Example], tmp_path: Path
) -> None:
    _, whole = run(config(), examples, base, tmp_path / "whole")
    folder = tmp_path / "killed"
    run(config(), examples, base, folder)
    for name in ADAPTER_FILES:  # as if it had died after its last checkpoint but one
        (folder / "1-skills" / "adapter" / name).unlink()
    checkpoints = sorted((folder / "1-skills").glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1]))
    for file in sorted(checkpoints[-1].rglob("*"), reverse=True):
        file.unlink()
    checkpoints[-1].rmdir()
    resumed, losses = run(config(), examples, base, folder)
    assert json.loads((resumed / "training.json").read_text())["steps"] == 24
    assert losses[-1] == pytest.approx(whole[-1], rel=0.15)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns(method: str, base: Path, examples: list[Example], tmp_path: Path) -> None:
    rate = 5e-2 if method in ("ia3", "prefix") else 5e-3
    stage = Stage("skills", {"understand": 64}, epochs=2, learning_rate=rate, batch=8)
    _, losses = run(config(method=method, stages=(stage,), evaluate_every=2), examples[:32], base, tmp_path)
    assert losses[-1] < losses[0]


@pytest.mark.model
def test_serving_speaks_with_an_adapter_of_the_real_model(tmp_path: Path) -> None:
    """A few steps on one frame, and the packaged model writes it."""
    said = Said(
        "f", "loved Heat, no musicals", Scene(), {"act": "inform", "like": ["Heat"], "avoid": ["musicals"]}
    )
    drafter = Drafter(parts()[0])
    rows = [understand_example(said, drafter)] * 32
    settings = config(stages=(Stage("skills", {"understand": 32}, epochs=3, learning_rate=2e-3, batch=4),))
    done, losses = run(settings, rows, model_folder(), tmp_path)
    assert losses[-1] < 0.1
    language = Language(
        LocalChatModel(engine=TransformersEngine(model_folder(), done)), "tuned", True, tuned=True
    )
    prompt = understand_prompt(said.message, said.scene, drafter.draft(said.message, said.scene))
    assert language.frame(prompt, said.message) == said.frame
    odds = language.judge(history_text([Verdict(ITEMS[0], True)]), ["Casino, crime drama:", "Big, comedy:"])
    assert all(0 < p < 1 for p in odds)


def test_only_the_answer_is_learned() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder())
    example = chat("expand", "f", [{"role": "user", "content": "Likes: Heat."}], "heist, crime")
    row = encode(example, tokenizer)
    learned = [
        token for token, label in zip(row["input_ids"], row["labels"], strict=True) if label != IGNORED
    ]
    assert tokenizer.decode(learned) == "heist, crime<|im_end|>"
    whole = tokenizer.apply_chat_template(
        [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}], tokenize=False
    )
    assert chat("expand", "f", [{"role": "user", "content": "x"}], "y").given in whole


def test_every_verdict_of_a_history_is_learned() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder())
    verdicts = [Verdict(ITEMS[0], True), Verdict(ITEMS[1], False), Verdict(ITEMS[2], True)]
    row = encode(judge_example("ana", verdicts), tokenizer)
    learned = [
        token for token, label in zip(row["input_ids"], row["labels"], strict=True) if label != IGNORED
    ]
    assert tokenizer.decode(learned) == " yes no yes"
    served = tokenizer(history_text(verdicts[:2]), add_special_tokens=False)["input_ids"]
    assert row["input_ids"][: len(served)] == served  # training and serving see the same tokens


def test_batches_are_padded_on_the_right() -> None:
    rows = [{"input_ids": [5, 6, 7], "labels": [-100, 6, 7]}, {"input_ids": [8], "labels": [8]}]
    batch = Collator(pad=0)(rows)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["labels"].tolist() == [[-100, 6, 7], [8, IGNORED, IGNORED]]


def test_what_is_held_out_depends_on_the_name_alone() -> None:
    users = [f"u{i}" for i in range(943)]
    held = held_out_users(users)
    assert len(held) == 190
    assert held == held_out_users(reversed(users))
    assert sum(is_held_out("item", f"i{i}") for i in range(2000)) / 2000 == pytest.approx(0.15, abs=0.03)
    assert 0 <= place("anything") < 1
    assert len(held_out_users(["a", "b", "c", "d"])) == 1


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ([], "expected a mapping with a list of `stages`"),
        ({"stages": [{"name": "a"}]}, "a stage needs a `name` and `examples`"),
        ({"stages": [{"name": "a", "examples": {"dance": 3}}]}, "'dance' is none of"),
        ({"stages": [{"name": "a", "examples": {"judge": -1}}]}, "judge: -1 is no number of examples"),
        (
            {"stages": [{"name": "a", "examples": {"judge": 1}}], "method": "magic"},
            "method 'magic' is none of",
        ),
        ({"stages": [{"name": "a", "examples": {"judge": 1}}], "bacth": 3}, "'bacth' is none of"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(raw: object, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse_config(raw, "adapter.yaml")


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Cannot read the configuration .*nowhere\.yaml"):
        read_config(tmp_path / "nowhere.yaml")

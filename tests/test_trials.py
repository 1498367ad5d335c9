"""Small trainings beside each other: run for real on a tiny model, and what they are made of."""

from __future__ import annotations

from pathlib import Path

import pytest
from small import parts, workspace
from tiny import write_model

from agent.model import assets
from agent.reading.scene import Scene
from eval.benchmarks import domain, exporting, trials
from eval.benchmarks.judging import split_people
from finetune.families import Said, packaged_banks
from finetune.splits import is_held_out


@pytest.fixture(scope="module")
def films() -> domain.Domain:
    return domain.Domain.of(parts()[0], packaged_banks())


def test_what_is_held_out_is_not_learned(films: domain.Domain) -> None:
    learned = {example.family.partition("+")[0] for example in films.examples(80, 1)}
    kept = {example.family.partition("+")[0] for example in films.examples(40, 1, held_out=True)}
    assert learned
    assert kept
    assert not any(is_held_out("family", name) for name in learned)
    assert all(is_held_out("family", name) for name in kept)


def test_a_text_that_is_no_frame_counts_as_none() -> None:
    assert domain.frame_in('{"act": "chat"}') == {"act": "chat"}
    assert domain.frame_in("[1]") is None
    assert domain.frame_in('{"act": "ch') is None


def test_agreement_is_the_share_of_equal_frames() -> None:
    said = [Said("f", text, Scene(), {"act": "chat"}) for text in ("a", "b", "c", "d")]
    row = exporting.measure_agreement(
        ("one", lambda text, scene: {"act": text}),
        ("other", lambda text, scene: {"act": text if text != "d" else "x"}),
        said,
    )
    assert (row.same.value, row.messages) == (0.75, 4)


def test_examples_for_the_judge_are_people_with_eleven_verdicts() -> None:
    interactions = workspace().interactions
    assert interactions is not None
    people = split_people(interactions, workspace().catalogue)[0]
    able = [user for user, verdicts in people if len(verdicts) > 10]
    found = trials.judged_examples(people, 3, seed=0)
    assert len(found) == min(3, len(able))
    assert all(sum(learned for _, learned in example.parts) == 11 for example in found)


@pytest.mark.model
def test_a_trial_trains_reads_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = write_model(tmp_path / "model")
    monkeypatch.setattr(assets, "model_folder", lambda adapter=None: base)
    monkeypatch.setattr(trials, "METHODS", ("lora", "prefix"))
    monkeypatch.setattr(trials, "METHOD_EXAMPLES", 16)
    heard: list[str] = []
    run = trials.Trials(workspace(), tmp_path / "runs", 4, 0, heard.append)
    (section,) = run.methods()
    assert [row.recipe for row in section.rows] == ["lora", "prefix"]
    assert all(row.parameters > 0 and row.loss > 0 and row.seconds > 0 for row in section.rows)
    (again,) = run.methods()
    assert [row.f1 for row in again.rows] == [row.f1 for row in section.rows]
    assert len(heard) == 4

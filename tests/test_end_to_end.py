"""The packaged scripts on the real starter workspace: what `tastebud eval scripts` runs, in one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import Recommender
from eval.parsing import load_all
from eval.runner import run_scripts
from eval.script import PACKAGED

STILL_FAILING = {
    "any-cold",
    "any-comparison",
    "any-memory",
    "any-negation",
    "any-people",
    "cold-shrug",
    "comparison-facts",
    "comparison-more-like",
    "critique-creepy-not-gory",
    "critique-too-long",
    "injection-in-a-wish",
    "language-german",
    "language-portuguese-italian",
    "memory-long-evening",
    "mood-good-cry",
    "safety-bad-night",
    "safety-for-a-child",
    "undo-slip-of-the-finger",
    "undo-step-by-step",
    "why-in-a-hurry",
}
"""Their demands are fair and not met yet. A script is never bent to pass: the agent has to."""


@pytest.fixture(scope="module", params=["none", pytest.param("packaged", marks=pytest.mark.model)])
def recommender(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recommender]:
    database: Path = tmp_path_factory.mktemp("scripts") / "chat.db"
    opened = Recommender.open(llm=request.param, database=database)
    yield opened
    opened.close()


def test_every_script_passes_but_those_known_to_fail(recommender: Recommender) -> None:
    results = run_scripts(load_all([PACKAGED]), recommender)
    assert len(results) == 68
    failed = {result.script.name for result in results if not result.passed}
    assert failed - STILL_FAILING == set()
    if recommender.model_name == "none":
        assert STILL_FAILING - failed == set(), "these pass now: take them out of STILL_FAILING"

"""The packaged scripts on the real starter workspace: what `tastebud eval scripts` runs, in one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import Recommender
from eval.parsing import load_all
from eval.runner import run_scripts
from eval.script import PACKAGED


@pytest.fixture(scope="module", params=["none", pytest.param("packaged", marks=pytest.mark.model)])
def recommender(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recommender]:
    database: Path = tmp_path_factory.mktemp("scripts") / "chat.db"
    opened = Recommender.open(llm=request.param, database=database)
    yield opened
    opened.close()


def test_every_script_passes(recommender: Recommender) -> None:
    results = run_scripts(load_all([PACKAGED]), recommender)
    assert len(results) == 72
    assert [result.script.name for result in results if not result.passed] == []

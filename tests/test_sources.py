"""Any source can be switched off, and what is left still recommends."""

from __future__ import annotations

from pathlib import Path

import pytest
import small
from test_images import looks_of
from typer.testing import CliRunner

import ui.cli as cli
from agent import Recommender
from retrieval.errors import WorkspaceError
from retrieval.sources import ALWAYS_THERE, NAMES
from retrieval.types import Query
from retrieval.workspace import Workspace

ENCODER = small.WordEncoder()
QUERY = Query(text="a heist", liked=("heat", "alien"), expansions=("mafia",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sources")
    from retrieval.changes import Changes

    looks = looks_of(("heat", (1, 0)), ("ronin", (1, 1)), ("alien", (0, 1)))
    small.build(small.ITEMS, place).change(Changes(looks=looks))
    return place


@pytest.mark.parametrize("name", [*ALWAYS_THERE, "collaborative", "images"])
def test_a_source_that_is_off_gives_no_evidence_and_the_others_do(folder: Path, name: str) -> None:
    opened = Workspace.open(folder, ENCODER, without=[name])
    asked = {evidence.source for c in opened.ranker.rank(QUERY, 32).candidates for evidence in c.evidence}
    assert asked == {*ALWAYS_THERE, "collaborative", "images"} - {name}
    assert name not in {source.name for source in opened.retrievers}
    alone = set(ALWAYS_THERE) - {name} or {"lexical"}
    several = Workspace.open(folder, ENCODER, without=set(NAMES) - {min(alone)})
    assert set(several.ranker.sources) == {min(alone)}


@pytest.mark.parametrize("name", [*ALWAYS_THERE, "collaborative", "images", "dialogue"])
def test_a_conversation_goes_on_without_any_one_source(folder: Path, name: str) -> None:
    opened = Workspace.open(folder, ENCODER, without=[name])
    rec = Recommender(opened, "none", "sqlite://")
    reply = rec.ask("something like Heat")
    assert reply.items
    assert all(item.reasons for item in reply.items)
    if name == "collaborative":
        assert not {reason.kind for item in reply.items for reason in item.reasons} & {"loved_by"}
    rec.close()


def test_a_change_leaves_off_what_was_off(folder: Path) -> None:
    opened = Workspace.open(folder, ENCODER, without=["lexical"]).remove(["babe"])
    assert "lexical" not in opened.ranker.sources


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (["colaborative"], "There is no source 'colaborative': sources are dense, lexical"),
        (ALWAYS_THERE, "Nothing would be found: leave one of dense"),
    ],
)
def test_what_cannot_be_switched_off_is_said(folder: Path, without: list[str], said: str) -> None:
    with pytest.raises(WorkspaceError, match=said):
        Workspace.open(folder, ENCODER, without=without)


def test_the_command_switches_sources_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.workspace._packaged_encoder", lambda: ENCODER)
    words = ["ask", "something like Heat", "--workspace", str(folder), "--llm", "none"]
    done = CliRunner().invoke(cli.app, [*words, "--without", "collaborative", "--without", "images"])
    assert done.exit_code == 0, done.stderr
    wrong = CliRunner().invoke(cli.app, [*words, "--without", "taste"])
    assert wrong.exit_code == 2
    assert "There is no source 'taste'" in wrong.stderr

"""The `tastebud` command: quick help, one clear line for an error, and answers a machine can read."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner
from ui_fake import FakeRecommender

import ui.cli as cli
from retrieval.errors import WorkspaceError
from ui.server import DEFAULT_PORT, PortError, address, reserve

runner = CliRunner()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRecommender:
    rec = FakeRecommender()
    monkeypatch.setattr("agent.recommender.Recommender.open", lambda *args, **kwargs: rec)
    return rec


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        yield busy.getsockname()[1]


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['tastebud', '--help']\n"
        "from ui.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'gradio', 'chromadb', 'transformers', 'fastapi') if m in sys.modules])"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert time.perf_counter() - started < 3  # 0.2 s on a free machine
    assert done.stdout.rstrip().endswith("[]")
    for command in ("chat", "serve", "index", "ask"):
        assert command in done.stdout


def test_ui_does_not_import_the_packages_above_it() -> None:
    code = "import sys, ui.cli, ui.app; print({'eval', 'finetune'} & {m.split('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_commands_of_other_packages_are_found_when_called(monkeypatch: pytest.MonkeyPatch) -> None:
    other = typer.Typer(help="Measure things.")

    @other.command("all")
    def everything() -> None:
        typer.echo("measured")

    @other.command("one")
    def one() -> None:
        typer.echo("one")

    def loaded(group: str, name: str | None = None) -> object:
        assert group == "tastebud.commands"
        found = [SimpleNamespace(name="measure", load=lambda: other)] if name in (None, "measure") else []
        return found if name else SimpleNamespace(names={"measure"})

    monkeypatch.setattr(cli, "entry_points", loaded)
    assert runner.invoke(cli.app, ["measure", "all"]).stdout == "measured\n"
    assert "Measure things." in runner.invoke(cli.app, ["--help"]).stdout
    unknown = runner.invoke(cli.app, ["mesure"])
    assert unknown.exit_code == 2
    assert "mesure" in unknown.stderr


def test_ask_prints_the_answer_and_its_items(fake: FakeRecommender) -> None:
    done = runner.invoke(cli.app, ["ask", "something like Heat", "--n", "2"])
    assert done.exit_code == 0
    assert done.stdout.startswith("Then Heat (1995).\n")
    assert "1  Heat (1995)" in done.stdout
    assert "a thriller, as you asked" in done.stdout
    assert "3  " not in done.stdout


def test_ask_as_json_is_only_json(fake: FakeRecommender) -> None:
    reply = json.loads(runner.invoke(cli.app, ["ask", "Heat", "--json"]).stdout)
    assert [item["item_id"] for item in reply["items"]] == ["1", "2", "3"]


def test_a_scorer_that_cannot_be_used_is_said_once_beside_the_answer(fake: FakeRecommender) -> None:
    said = "Recommending without the trained scorer. The counts cannot be read. Train the scorer again."
    assert "without" not in runner.invoke(cli.app, ["ask", "Heat", "--json"]).stderr
    fake.workspace.scorer_fault = "The counts cannot be read. Train the scorer again."
    done = runner.invoke(cli.app, ["ask", "Heat", "--json"])
    assert done.stderr.count(said) == 1
    assert len(json.loads(done.stdout)["items"]) == 3


def test_an_error_is_one_line_and_exit_code_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise WorkspaceError("No workspace in 'nowhere'.")

    monkeypatch.setattr("agent.recommender.Recommender.open", refuse)
    done = runner.invoke(cli.app, ["ask", "Heat", "--workspace", "nowhere"])
    assert done.exit_code == 2
    assert "Error: No workspace in 'nowhere'." in done.stderr
    assert "Traceback" not in done.output


def test_interrupting_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("agent.recommender.Recommender.open", interrupt)
    done = runner.invoke(cli.app, ["ask", "Heat"])
    assert done.exit_code == 130
    assert "Traceback" not in done.output


@pytest.mark.parametrize("n", ["0", "-1", "101", "many"])
def test_a_bad_number_is_a_usage_error(n: str) -> None:
    done = runner.invoke(cli.app, ["ask", "Heat", "--n", n])
    assert done.exit_code == 2
    assert "--n" in done.stderr
    assert "Traceback" not in done.stderr


def test_index_of_a_missing_file_says_which(tmp_path: Path) -> None:
    arguments = ["index", "--catalogue", str(tmp_path / "none.csv"), "--workspace", str(tmp_path / "w")]
    done = runner.invoke(cli.app, arguments)
    assert done.exit_code == 2
    assert "none.csv" in done.stderr
    assert not (tmp_path / "w").exists()


def test_index_prints_totals_that_reconcile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from retrieval import indexing

    def build(*arguments: object, **_: object) -> indexing.IndexReport:
        progress = arguments[-1]
        assert callable(progress)
        progress("encode", 2, 2)
        items = indexing.Tally(3, 2, 1)
        return indexing.IndexReport(tmp_path, "b1", items, None, 0, 1.5, 200.0, tmp_path / "rejected.jsonl")

    monkeypatch.setattr(indexing, "index", build)
    arguments = ["index", "--catalogue", "my.csv", "--workspace", str(tmp_path)]
    done = runner.invoke(cli.app, arguments)
    assert done.exit_code == 0
    assert "3 rows = 2 kept + 1 rejected" in done.stdout
    assert "rejected.jsonl" in done.stdout
    assert json.loads(runner.invoke(cli.app, [*arguments, "--json"]).stdout)["items"]["kept"] == 2


def test_a_given_port_that_is_taken_is_said(taken: int) -> None:
    done = runner.invoke(cli.app, ["chat", "--port", str(taken)])
    assert done.exit_code == 2
    assert f"Port {taken}" in done.stderr
    assert "--port" in done.stderr


def test_without_a_given_port_the_next_free_one_is_taken(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    monkeypatch.setattr("ui.server.DEFAULT_PORT", taken)
    bound = reserve("127.0.0.1", None)
    try:
        assert taken < bound.getsockname()[1] < taken + 20
    finally:
        bound.close()


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(PortError, match="203"):
        reserve("203.0.113.7", DEFAULT_PORT)
    with pytest.raises(PortError, match="not-a-host"):
        reserve("not-a-host.invalid", 0)


def test_the_address_is_one_to_open() -> None:
    everywhere = reserve("0.0.0.0", 0)
    try:
        assert address(everywhere) == f"http://127.0.0.1:{everywhere.getsockname()[1]}"
    finally:
        everywhere.close()

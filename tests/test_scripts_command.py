"""What is told of a run of scripted dialogues: the report, its figures, and the command."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from eval import cli
from eval.machine import machine
from eval.report import by_family, pass_rate, print_report, to_json
from eval.runner import ScriptResult, run_scripts
from retrieval.errors import TastebudError
from tests.talkers import FakeTalker, script


class TestReport:
    def results(self) -> tuple[ScriptResult, ...]:
        good, bad = (
            script("- user: hi\n"),
            replace(script('- user: "[red]\\uD800"\n  expect: {asked: true}\n'), name="b"),
        )
        return run_scripts([good, bad], FakeTalker())

    def test_the_table_counts_and_the_failures_are_spelled_out(self) -> None:
        out = io.StringIO()
        print_report(self.results(), Console(file=out, width=140), "title")
        assert "1 of 2 scripts passed" in out.getvalue()
        assert "FAILED asked: expected a question; got no question" in out.getvalue()
        assert "s.yaml:5  user: '[red]\\ud800'" in out.getvalue()

    def test_families_have_their_pass_rates(self) -> None:
        good, bad = self.results()
        of_why = replace(bad, script=replace(bad.script, family="why"))
        eliciting, why = by_family((of_why, good, bad, good))
        assert (eliciting.family, eliciting.scripts, eliciting.scripts_passed) == ("eliciting", 3, 2)
        assert (eliciting.turns, eliciting.turns_passed) == (3, 2)
        assert (eliciting.checks, eliciting.checks_held) == (7, 6)  # answered and grounded, and what b asks
        assert (why.family, why.scripts_passed, why.scripts) == ("why", 0, 1)
        out = io.StringIO()
        print_report((of_why, good, bad, good), Console(file=out, width=140), "title")
        (line,) = (line for line in out.getvalue().splitlines() if line.split()[:2] == ["eliciting", "2/3"])
        assert line.split() == ["eliciting", "2/3", "67%", "21%", "to", "94%", "2/3", "6/7"]

    def test_the_interval_of_four_passes_does_not_flatter(self) -> None:
        # Wilson with z = 1.96: 1 / (1 + z^2 / 4) = 0.510; of 1 in 2: (0.5 + z^2 / 4 -+ ...) = 0.0945, 0.9055
        four, half = pass_rate(4, 4), pass_rate(1, 2)
        assert (four.value, round(four.low, 3), four.high) == (1.0, 0.510, 1.0)
        assert (half.value, round(half.low, 4), round(half.high, 4)) == (0.5, 0.0945, 0.9055)
        with pytest.raises(ValueError):
            pass_rate(0, 0)

    def test_verbose_prints_transcripts_of_what_passed(self) -> None:
        out = io.StringIO()
        print_report(self.results(), Console(file=out, width=140), "title", verbose=True)
        assert "reply: A film you love?" in out.getvalue()

    def test_json_has_transcripts_speakers_and_medians(self) -> None:
        data = json.loads(json.dumps(to_json(self.results(), machine(), "none")))
        assert (data["passed"], data["scripts"], data["llm"]) == (1, 2, "none")
        turn = data["results"][1]["turns"][0]
        assert turn["reply"]["steps"][0]["speaker"] == "template"
        assert turn["reply"]["items"][0] == {"item_id": "1", "title": "Heat", "rank": 1}
        assert data["median_turn_seconds"] > 0
        assert data["families"]["eliciting"]["pass_rate"] == 0.5
        assert data["families"]["eliciting"]["scripts"] == 2


class TestCommand:
    @pytest.fixture
    def call(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
        @contextmanager
        def opened(workspace: Path | None, llm: str) -> Iterator[FakeTalker]:
            if llm == "nonsense":
                raise TastebudError("No such model: 'nonsense'.")
            yield FakeTalker()

        monkeypatch.setattr(cli, "opened", opened)

        def call(*arguments: object) -> tuple[int, str]:
            result = CliRunner().invoke(cli.app, ["scripts", *map(str, arguments)])
            assert result.exception is None or isinstance(result.exception, SystemExit)
            return result.exit_code, result.output

        return call

    def write(self, folder: Path, turns: str) -> Path:
        path = folder / "s.yaml"
        path.write_text(f"name: s\nfamily: why\ndescription: d\nturns:\n{turns}")
        return path

    def test_a_pass_is_0_and_writes_json(self, call: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
        code, output = call(self.write(tmp_path, "- user: Heat\n"), "--json", tmp_path / "out.json")
        assert (code, "1 of 1 scripts passed" in output) == (0, True)
        assert json.loads((tmp_path / "out.json").read_text())["passed"] == 1

    def test_a_failed_expectation_is_1(self, call: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
        code, output = call(self.write(tmp_path, "- user: Heat\n  expect: {asked: true}\n"))
        assert (code, "FAILED asked" in output) == (1, True)

    @pytest.mark.parametrize("turns", ["- usr: hi\n", "- user: hi\n  expect: {recommend: [The Matrix]}\n"])
    def test_a_malformed_script_is_2_with_its_place(
        self, call: Callable[..., tuple[int, str]], tmp_path: Path, turns: str
    ) -> None:
        code, output = call(self.write(tmp_path, turns))
        assert code == 2
        assert "s.yaml:" in output
        assert "Traceback" not in output

    def test_packaged_scripts_that_do_not_fit_a_workspace_are_left_out_and_named(
        self, call: Callable[..., tuple[int, str]], tmp_path: Path
    ) -> None:
        code, output = call("--workspace", tmp_path)  # ITEMS have one director and one mood in all
        assert code == 1
        left_out = [line for line in output.splitlines() if line.startswith("left out")]
        assert any("any-mood.yaml:7: this catalogue has no more mood among" in line for line in left_out)
        assert "scripts passed" in output

    def test_a_script_of_ones_own_that_does_not_fit_is_2(
        self, call: Callable[..., tuple[int, str]], tmp_path: Path
    ) -> None:
        path = tmp_path / "s.yaml"
        path.write_text(
            "name: s\nfamily: why\ndescription: d\ngiven: {m: {language: any}}\nturns: [{user: $m}]\n"
        )
        code, output = call(path)
        assert (code, "s.yaml:4: this catalogue has no language for $m" in output) == (2, True)

    def test_what_cannot_be_opened_or_written_is_2(
        self, call: Callable[..., tuple[int, str]], tmp_path: Path
    ) -> None:
        path = self.write(tmp_path, "- user: Heat\n")
        assert call(path, "--llm", "nonsense") == (2, "Error: No such model: 'nonsense'.\n")
        code, output = call(path, "--json", tmp_path / "no" / "out.json")
        assert (code, "Cannot write" in output) == (2, True)
        assert call(tmp_path / "none.yaml")[0] == 2

"""Comparing two result files: differences by hand, verdicts, gates, and files that are not comparable."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.compare import CompareError, Unit, compare, failures, pair, read_results
from eval.forest import forest

RUNNER = CliRunner()


def units(metric: str, values: list[float]) -> list[Unit]:
    return [Unit(str(i), {"half": "low" if i < 5 else "high"}, {metric: v}) for i, v in enumerate(values)]


def pairs(metric: str, a: list[float], b: list[float]) -> list[tuple[Unit, Unit]]:
    return list(zip(units(metric, a), units(metric, b), strict=True))


def people(values: list[float], seed: int = 0, recommender: str = "balanced") -> dict[str, Any]:
    rows = [
        {
            "recommender": name,
            "key": f"{i}/film",
            "slices": {"target": "warm" if i % 2 else "cold"},
            "metrics": {"success@10": value if name != "popular" else 0.0, "repeats": None},
        }
        for name in (recommender, "popular")
        for i, value in enumerate(values)
    ]
    settings = {"seed": seed, "data": None, "voice": "templates", "policies": [recommender]}
    return {"command": "simulate", "settings": settings, "people": rows}


def scripts(passed: dict[str, bool]) -> dict[str, Any]:
    rows = [
        {"name": name, "family": "why", "passed": ok, "median_turn_seconds": None}
        for name, ok in passed.items()
    ]
    return {"results": rows}


def written(folder: Path, name: str, data: Any) -> str:
    (folder / name).write_text(json.dumps(data), "utf-8")
    return str(folder / name)


class TestDifferences:
    def test_by_hand(self) -> None:
        a, b = [0, 0, 0, 1, 1, 0, 0, 1, 1, 1], [1, 0, 0, 1, 1, 1, 1, 1, 1, 1]
        rows = compare(pairs("success@10", a, b))
        assert [(row.slice, row.units) for row in rows] == [("all", 10), ("half: high", 5), ("half: low", 5)]
        everybody, high, low = rows
        assert (everybody.a, everybody.b, everybody.difference.value) == pytest.approx((0.5, 0.8, 0.3))
        assert (high.difference.value, low.difference.value) == pytest.approx((0.4, 0.2))

    def test_the_interval_is_that_of_paired_draws(self) -> None:
        a, b = [0.0] * 40, [1.0] * 10 + [0.0] * 30
        (row, *_) = compare(pairs("success@10", a, b))
        # The mean of 40 draws of a 0/1 with p = 1/4 is binomial: sd = sqrt(.25 x .75 / 40) = .0685
        assert row.difference.low == pytest.approx(0.25 - 1.96 * 0.0685, abs=0.03)
        assert row.difference.high == pytest.approx(0.25 + 1.96 * 0.0685, abs=0.03)

    def test_pairing_cancels_what_is_hard_for_both(self) -> None:
        hard = list(np.linspace(1, 6, 30))
        (row, *_) = compare(pairs("turns", hard, [turns + 0.1 for turns in hard]))
        assert (row.difference.low, row.difference.high) == pytest.approx((0.1, 0.1))
        assert row.verdict == "worse"

    @pytest.mark.parametrize(
        ("metric", "gap", "count", "verdict"),
        [
            ("success@10", 1.0, 6, "better"),
            ("success@10", -1.0, 6, "worse"),
            ("turns", -1.0, 6, "better"),
            ("turns", 1.0, 6, "worse"),
            ("questions", 1.0, 6, "-"),
            ("success@10", -1.0, 5, "-"),
            ("success@10", 0.0, 6, "-"),
        ],
    )
    def test_verdicts(self, metric: str, gap: float, count: int, verdict: str) -> None:
        (row, *_) = compare(pairs(metric, [1.0] * count, [1.0 + gap] * count))
        assert row.verdict == verdict

    def test_what_is_undefined_on_a_side_is_no_pair(self) -> None:
        a, b = Unit("1", {}, {"repeats": 0.5, "turns": 2}), Unit("1", {}, {"turns": 3})
        other = Unit("2", {}, {"repeats": 0.5, "turns": 2})
        rows = compare([(a, b), (other, other)])
        assert [(row.metric, row.units) for row in rows] == [("turns", 2), ("repeats", 1)]

    def test_an_unknown_metric_names_those_there_are(self) -> None:
        with pytest.raises(CompareError, match="no metric 'speed'; they have turns"):
            compare(pairs("turns", [1], [2]), ["speed"])


class TestGates:
    def test_only_all_units_decide(self) -> None:
        rows = compare(pairs("success@10", [0] * 5 + [1] * 6, [1] * 5 + [0] * 6))
        assert rows[1].verdict == "worse"
        assert failures(rows, ("success@10",), None) == ()

    def test_a_floor_is_for_the_second_file(self) -> None:
        rows = compare(pairs("success@10", [1, 1], [1, 0]))
        assert failures(rows, ("success@10",), 0.5) == ()
        (reason,) = failures(rows, ("success@10",), 0.6)
        assert reason == "success@10 of B is 0.500, below 0.6"

    def test_a_floor_needs_a_metric_of_which_more_is_better(self) -> None:
        with pytest.raises(CompareError, match="which 'turns' is not"):
            failures(compare(pairs("turns", [1], [2])), ("turns",), 3)


class TestCommand:
    def test_the_same_file_twice_may_be_promoted(self, tmp_path: Path) -> None:
        a = written(tmp_path, "a.json", people([0, 1, 0, 1, 1, 1, 0]))
        done = RUNNER.invoke(app, ["compare", a, a])
        assert done.exit_code == 0, done.output
        assert "target: cold" in done.output

    def test_significantly_worse_fails(self, tmp_path: Path) -> None:
        a = written(tmp_path, "a.json", people([1] * 12))
        b = written(tmp_path, "b.json", people([1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], recommender="ask-more"))
        done = RUNNER.invoke(app, ["compare", a, b, "--json", str(tmp_path / "c.json")])
        assert done.exit_code == 1
        assert "success@10 is significantly worse: 1.000 -> 0.250" in done.stderr
        assert len(json.loads((tmp_path / "c.json").read_text("utf-8"))["failures"]) == 1
        assert RUNNER.invoke(app, ["compare", b, a]).exit_code == 0

    def test_scripts_that_only_one_file_holds_are_left_out_aloud(self, tmp_path: Path) -> None:
        a = written(tmp_path, "a.json", scripts({"one": True, "two": True}))
        b = written(tmp_path, "b.json", scripts({"one": True, "two": False, "three": True}))
        done = RUNNER.invoke(app, ["compare", a, b])
        assert done.exit_code == 0  # two scripts are too few to be sure
        assert "Left out: 0 that only A holds, 1 that only B holds" in done.stderr
        assert RUNNER.invoke(app, ["compare", a, b, "--fail-below", "0.9"]).exit_code == 1

    @pytest.mark.parametrize(
        ("other", "told"),
        [
            (scripts({"one": True}), "compare like with like"),
            (people([1, 0], seed=1), "differ in seed"),
            ({"command": "simulate"}, "is damaged"),
            ({"figures": 1}, "holds no figures to compare"),
            ([1], "holds no figures to compare"),
            (people([]), "in common"),
        ],
    )
    def test_what_cannot_be_compared(self, tmp_path: Path, other: Any, told: str) -> None:
        a = written(tmp_path, "a.json", people([1, 0]))
        done = RUNNER.invoke(app, ["compare", a, written(tmp_path, "b.json", other)])
        assert done.exit_code == 2
        assert told in done.stderr

    def test_no_file_and_no_json(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text("{", "utf-8")
        for name in ("a.json", "missing.json"):
            done = RUNNER.invoke(app, ["compare", str(tmp_path / name), str(tmp_path / name)])
            assert done.exit_code == 2

    def test_the_plot_is_a_picture_with_every_row(self, tmp_path: Path) -> None:
        a = written(tmp_path, "a.json", people([1] * 8))
        b = written(tmp_path, "b.json", people([0] * 8))
        done = RUNNER.invoke(app, ["compare", a, b, "--plot", str(tmp_path / "plot.svg")])
        assert done.exit_code == 1
        svg = ElementTree.fromstring((tmp_path / "plot.svg").read_text("utf-8"))
        dots = svg.findall("{http://www.w3.org/2000/svg}circle")
        assert [dot.get("fill") for dot in dots] == ["#b42318", "#57606a", "#57606a"]
        assert len({dot.get("cx") for dot in dots}) == 1


class TestFiles:
    def test_several_recommenders_are_units_of_their_own(self, tmp_path: Path) -> None:
        data = people([1.0, 0.0])
        data["settings"]["policies"] = ["balanced", "popular"]
        path = Path(written(tmp_path, "a.json", data))
        found = read_results(path)
        assert list(found.units)[::2] == ["balanced: 0/film", "popular: 0/film"]
        assert found.units["popular: 1/film"].slices == {"target": "warm", "policy": "popular"}
        assert len(pair(found, found)) == 4

    def test_titles_cannot_break_the_picture(self) -> None:
        rows = compare(pairs("turns", [1, 2], [2, 3]))
        assert "<b>" not in forest(rows, "<b>&")
        ElementTree.fromstring(forest(rows, "<b>&"))

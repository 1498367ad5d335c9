"""The report as a reader gets it: the same twice, whole without a network, honest where data is missing."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import small
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from eval.benchmarks.tables import Section
from eval.cli import app
from eval.metrics import Estimate
from eval.satisfaction.chapters.prose import words_of
from eval.satisfaction.chapters.using import Act
from eval.satisfaction.page.charts import Dot, DotChart, Line, LineChart, Row
from eval.satisfaction.page.document import Chapter, Claim, Document, cell, cells, heading
from eval.satisfaction.page.drawing import draw, ticks_of
from eval.satisfaction.page.html import page
from eval.satisfaction.page.markdown import markdown
from retrieval.catalogue import Catalogue, CatalogueRead
from retrieval.workspace import Workspace

NAN = float("nan")


class TestCells:
    def test_figures_have_intervals_and_what_is_undefined_is_a_dash(self) -> None:
        assert cell(Estimate(0.5, 0.25, 0.75)) == ("0.500", "0.250 to 0.750")
        assert cell(Estimate(NAN, NAN, NAN)) == cell(None) == cell(NAN) == ("–", "")
        assert cell(-0.0512) == ("−0.051", "")
        assert cell(-0.0001) == ("0.000", "")
        assert cell(3) == ("3", "")

    def test_a_column_has_as_many_decimals_as_its_largest_figure_needs(self) -> None:
        table = Section(
            "t", (Act("a", 1234567.0, "x"), Act("b", Estimate(2.6, 1.0, 3.0), "x"), Act("c", None, "x"))
        )
        assert cells(table, "value") == (("1,234,567", ""), ("3", "1 to 3"), ("–", ""))
        assert cells(Section("t", table.rows[1:]), "value")[0] == ("2.600", "1.000 to 3.000")

    def test_heads_are_written_as_people_write_them(self) -> None:
        assert [heading(name) for name in ("ndcg_at_10", "hit_rate_at_10", "ease_alone")] == [
            "NDCG@10",
            "hit rate@10",
            "EASE alone",
        ]


class TestDrawing:
    @given(st.floats(-1e4, 0), st.floats(0.001, 1e4))
    def test_ticks_are_even_and_hold_everything(self, low: float, high: float) -> None:
        ticks = ticks_of(low, high)
        step = ticks[1] - ticks[0]
        assert ticks[0] <= low + 1e-6 * step
        assert ticks[-1] >= high - 1e-6 * step
        assert len(ticks) <= 8
        assert [b - a for a, b in pairwise(ticks)] == pytest.approx([step] * (len(ticks) - 1), rel=1e-4)

    def test_dots_stand_where_their_values_are(self) -> None:
        rows = (Row("a <b>", (Dot(0.0), Dot(1.0, 1, 0.5, 1.0))), Row("none", (Dot(NAN),)))
        root = ET.fromstring(draw(DotChart("t", "x", rows)))
        circles = [float(c.get("cx", "")) for c in root.iter("{http://www.w3.org/2000/svg}circle")]
        zero, one = circles
        lines = {line.get("class"): line for line in root.iter("{http://www.w3.org/2000/svg}line")}
        assert float(lines["zero"].get("x1", "")) == zero
        interval = lines["interval t1"]
        assert float(interval.get("x1", "")) == pytest.approx((zero + one) / 2, abs=0.1)
        assert float(interval.get("x2", "")) == one

    def test_a_line_goes_up_where_values_do(self) -> None:
        line = Line("a", 0, ((1.0, 0.0), (2.0, 1.0)), ((1.0, 0.0, 0.5), (2.0, 0.5, 1.0)))
        root = ET.fromstring(draw(LineChart("t", "x", "y", (line,), (1.0, 2.0))))
        (path,) = root.iter("{http://www.w3.org/2000/svg}polyline")
        (x1, y1), (x2, y2) = (map(float, place.split(",")) for place in path.get("points", "").split())
        assert x1 < x2
        assert y1 > y2  # a screen counts downwards

    def test_nothing_but_undefined_values_is_still_a_drawing(self) -> None:
        ET.fromstring(draw(DotChart("t", "x", (Row("a", (Dot(NAN),)),), bars=True)))
        ET.fromstring(draw(LineChart("t", "x", "y", (Line("a", 0, ((1.0, 0.0),)),), (1.0,))))


def test_words_that_are_not_given_are_an_error() -> None:
    with pytest.raises(KeyError, match="expected"):
        words_of("diversity")


def test_both_pages_say_the_same_and_escape_what_they_show() -> None:
    table = Section("T <1>", (Act("a|b", Estimate(0.5, 0.25, 0.75), "x"), Act("c", None, "<script>")))
    chapter = Chapter("k", "Title", ("Words & more.",), (table,), claims=(Claim("good", "Fine <3."),))
    document = Document("Subject", (chapter, Chapter("m", "Gone", missing="No data.")), {})
    written, html = markdown(document), page(document)
    assert "| a\\|b | 0.500 [0.250, 0.750] | x |" in written
    assert "| c | – | <script> |" in written
    assert "*Not measured.* No data." in written
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert '<td class="num">0.500<small>0.250 to 0.750</small></td>' in html
    assert "Fine &lt;3." in html


class Loads(HTMLParser):
    """Collects what a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [str(value) for name, value in attrs if name in ("src", "srcset", "data")]
        self.found += [
            str(value) for name, value in attrs if name == "href" and not str(value).startswith("#")
        ]
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def run(folder: Path, *more: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["all", "--users", "8", "--quick", "--output", str(folder), *more])
    assert done.exit_code == 0, done.output + done.stderr
    return json.loads((folder / "report.json").read_text("utf-8"))


class TestCommand:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("retrieval.workspace.open_starter", small.workspace)
        monkeypatch.setattr("retrieval.workspace._packaged_encoder", small.WordEncoder)
        monkeypatch.setattr("eval.metrics.RESAMPLES", 40)

    def test_a_seeded_run_gives_the_same_figures_twice_also_when_cut_short(self, tmp_path: Path) -> None:
        first, second = run(tmp_path / "a"), self._resumed(tmp_path / "b")
        kept = [[c for c in one["chapters"] if not c["timed"]] for one in (first, second)]
        assert kept[0] == kept[1]
        assert {c["key"] for c in first["chapters"]} == {
            *(
                "satisfaction",
                "accuracy",
                "warmth",
                "talking",
                "diversity",
                "spread",
                "calibration",
                "fairness",
            ),
            *("behaviour", "scripts", "wording", "speed", "how"),
        }
        assert [c["key"] for c in first["chapters"] if c["missing"]] == []
        assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [
            "report.html",
            "report.json",
            "report.md",
        ]
        self._whole((tmp_path / "a" / "report.html").read_text("utf-8"), first)
        written = (tmp_path / "a" / "report.md").read_text("utf-8")
        assert all(f"## {chapter['title']}" in written for chapter in first["chapters"])

    def _whole(self, html: str, report: dict[str, Any]) -> None:
        """Every tag is closed, nothing is fetched, every chart is drawn, and nothing reads `nan`."""
        loads = Loads()
        loads.feed(html)
        assert loads.found == []
        assert loads.open == []
        assert "url(" not in html
        charts = sum(len(chapter["charts"]) for chapter in report["chapters"])
        drawn = re.findall(r"<svg.*?</svg>", html, re.S)
        assert len(drawn) == charts > 5
        for one in drawn:
            ET.fromstring(one)
        assert not re.search(r"\bnan\b|\binf\b", html)

    def _resumed(self, folder: Path) -> dict[str, Any]:
        """A run that is cut short, and goes on without measuring again what it has."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("eval.satisfaction.run.play", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            done = CliRunner().invoke(app, ["all", "--users", "8", "--quick", "--output", str(folder)])
        assert done.exit_code == 130
        assert (folder / "measured.jsonl").exists()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("eval.satisfaction.people.meet", None)
            patch.setattr("eval.satisfaction.people.listings", None)
            return run(folder)

    def test_without_interactions_the_report_says_what_is_missing(self, tmp_path: Path) -> None:
        read = CatalogueRead(Catalogue(small.ITEMS), (), len(small.ITEMS))
        Workspace.build(tmp_path / "shop", read, None, (), small.WordEncoder())
        report = run(tmp_path / "report", "--workspace", str(tmp_path / "shop"))
        missing = {c["key"]: c["missing"] for c in report["chapters"] if c["missing"]}
        assert {"accuracy", "fairness", "talking", "satisfaction", "behaviour"} <= missing.keys()
        assert "tastebud index --interactions FILE" in missing["accuracy"]
        assert {"scripts", "wording", "speed"}.isdisjoint(missing)
        assert "Not measured." in (tmp_path / "report" / "report.html").read_text("utf-8")

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--data", "/nowhere"], "/nowhere is no folder. Expected one of ml-100k.user"),
            (["--output", "/proc/report"], "give --output a writable folder"),
            (["--workspace", "/nowhere"], "/nowhere"),
        ],
    )
    def test_what_cannot_be_done_is_said_in_one_line(
        self, arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        done = CliRunner().invoke(app, ["all", "--users", "2", *arguments])
        assert done.exit_code == 2
        assert told in done.stderr
        assert len(done.stderr.strip().splitlines()) <= 2

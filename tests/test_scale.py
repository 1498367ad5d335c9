"""Costs by size: what is extrapolated says so, and the picture tells it from what was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eval.benchmarks.scale import LARGEST, ScaleRow, _extrapolated, _zipf, synthetic
from eval.report import ReportError
from eval.scaling_plot import draw, scaling


def row(items: int, cost: float) -> ScaleRow:
    return ScaleRow(items, "measured", cost, cost, 0.5, cost, 1.0)


def test_costs_go_on_at_the_power_of_the_last_two_sizes() -> None:
    found = _extrapolated([row(1_000, 5.0), row(10_000, 10.0), row(100_000, 40.0)])
    assert [one.items for one in found] == [300_000, LARGEST]
    assert {one.origin for one in found} == {"extrapolated"}
    assert found[-1].cpu == pytest.approx(160)  # four times as much for ten times as many
    assert found[-1].memory == pytest.approx(0.5)
    assert _extrapolated([row(1_000, 5.0)]) == []
    assert _extrapolated([row(10, 1.0), row(2_000_000, 2.0)]) == []


def test_a_synthetic_catalogue_is_the_same_every_time_and_uneven() -> None:
    (read, ratings), (again, _) = synthetic(300), synthetic(300)
    assert read.catalogue.fingerprint == again.catalogue.fingerprint
    assert len(read.catalogue) == 300
    counts = ratings.interactions.counts
    assert counts[:10].mean() > 5 * counts[-100:].mean()
    drawn = _zipf(50, np.random.default_rng(0))(20_000)
    shares = np.bincount(drawn, minlength=50) / 20_000
    assert shares[0] / shares[9] == pytest.approx(10, rel=0.15)


def test_the_picture_dashes_what_was_not_measured(tmp_path: Path) -> None:
    measured = [row(3_000, 10.0), row(100_000, 60.0)]
    rows = [*measured, *_extrapolated(measured)]
    picture = scaling(rows)
    assert picture.count("stroke-dasharray") == 3
    assert picture.count("<circle") == 3 * len(measured)
    assert "1,000,000" in picture
    draw(rows, tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").read_text() == picture
    with pytest.raises(ReportError, match="--plot"):
        draw(rows, tmp_path / "none" / "plot.svg")

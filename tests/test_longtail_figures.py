"""The figures of the long tail: on a small workspace, and their parts with answers computed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from eval.benchmarks.longtail import BASE, POPULAR, Protocol, asked_of, draw_slider, measure
from eval.curves import Curve, curves
from eval.metrics import Estimate, jackknife
from eval.report import ReportError
from retrieval.behaviour.ease import item_weights, propensities, unbiased_weights
from retrieval.errors import InteractionsError
from tests import small

WORKSPACE = small.workspace()
PROTOCOL = Protocol(given=1, draws=2)


@pytest.fixture(scope="module")
def sections() -> list[Any]:
    return list(measure(WORKSPACE, PROTOCOL, lambda text: None))


def test_nothing_that_answers_is_given_or_excluded() -> None:
    assert WORKSPACE.interactions is not None
    asked = asked_of(WORKSPACE, WORKSPACE.interactions.users[:5], PROTOCOL)
    assert asked
    for one in asked:
        named = {WORKSPACE.catalogue.row(item_id) for item_id in (*one.query.liked, *one.query.exclude)}
        assert len(one.query.liked) == 1
        assert one.targets
        assert not named & set(one.targets)


def test_every_way_is_measured_and_slider_0_is_what_others_are_compared_to(sections: list[Any]) -> None:
    accuracy, spread = (section.rows for section in sections)
    assert [row.way for row in accuracy] == [row.way for row in spread]
    ways = {row.way for row in spread}
    assert {"slider 0.5", "slider 1", "diversity 0.5", "propensity 0.3", POPULAR, BASE} <= ways
    base = next(row for row in accuracy if row.way == BASE)
    assert (base.change.value, base.change.low, base.change.high) == (0, 0, 0)
    assert next(row for row in spread if row.way == BASE).times == Estimate(1, 1, 1)
    for row in spread:
        assert 0 < row.coverage_10.value <= 1
        assert 0 <= row.gini_10.value < 1


def test_the_slider_is_drawn(sections: list[Any], tmp_path: Path) -> None:
    draw_slider(sections, tmp_path / "slider.svg")
    root = ElementTree.parse(tmp_path / "slider.svg").getroot()
    assert len(root.findall("{*}polyline")) == 3
    with pytest.raises(ReportError, match="--plot"):
        draw_slider(sections, tmp_path / "none" / "slider.svg")


def test_without_people_there_is_nothing_to_measure() -> None:
    with pytest.raises(InteractionsError, match="users like 101 items"):
        next(measure(WORKSPACE, Protocol(given=100), lambda text: None))


def test_points_stand_at_their_share_of_the_panel() -> None:
    figures = (Estimate(1, 1, 1), Estimate(0, 0, 0), Estimate(2, 2, 2))
    line = ElementTree.fromstring(curves([Curve("<f>", (0, 0.5, 1), figures)], "<t>", "x")).find(
        "{*}polyline"
    )
    assert line is not None
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    (x0, y0), (x1, y1), (x2, y2) = points
    assert x1 - x0 == pytest.approx(x2 - x1)
    assert y1 - y0 == pytest.approx(y0 - y2)


def test_jackknife_of_a_mean_is_its_standard_error() -> None:
    """For a mean, leaving one out gives s / sqrt(n): here sqrt(2.5 / 5)."""
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    found = jackknife(5, lambda w: float((values * w).sum() / w.sum()))
    assert found.value == 3
    assert found.high - found.value == pytest.approx(1.96 * np.sqrt(2.5 / 5))
    assert found.value - found.low == pytest.approx(1.96 * np.sqrt(2.5 / 5))
    with pytest.raises(ValueError, match="two or more"):
        jackknife(1, lambda w: 0.0)


def test_propensities_are_relative_popularity() -> None:
    np.testing.assert_allclose(propensities(np.array([16.0, 4.0, 1.0]), 0.5), [1, 0.5, 0.25])
    assert propensities(np.array([16.0, 4.0]), 0.0).tolist() == [1, 1]


def test_likes_all_seen_make_plain_ease_and_others_favour_the_rare() -> None:
    likes = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 0, 0]], dtype=np.float32)
    gram = likes.T @ likes
    plain = item_weights(gram.copy(), 1.0)
    np.testing.assert_allclose(unbiased_weights(gram.copy(), 1.0, np.ones(3)), plain, rtol=1e-5)
    unbiased = unbiased_weights(gram.copy(), 1.0, propensities(np.diag(gram), 0.5))
    assert unbiased[0, 2] / unbiased[0, 1] > plain[0, 2] / plain[0, 1]

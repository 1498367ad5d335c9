"""What is done together in time: kernels by hand, and that they stay kernels."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.behaviour.ease import weighted_gram
from retrieval.behaviour.model import BehaviourError, Matrix
from retrieval.behaviour.moments import DAY, Pace, near_items, timed_gram, timely


def matrix(rows: list[list[float]]) -> Matrix:
    return Matrix(np.array(rows, np.float32))


TWO = matrix([[1, 1, 0], [0, 1, 1]])
TIMES = np.array([0.0, 10.0, 0.0, 1e9])


def test_the_gram_falls_off_with_the_gap() -> None:
    close = np.exp(-1)
    expected = [[1, close, 0], [close, 2, 0], [0, 0, 1]]
    np.testing.assert_allclose(timed_gram(TWO, TIMES, (Pace(1.0, 10.0),)), expected, atol=1e-6)


def test_without_falling_off_it_is_who_has_both() -> None:
    every = timed_gram(TWO, TIMES, (Pace(0.5, np.inf), Pace(0.5, np.inf)))
    np.testing.assert_allclose(every, (TWO.T @ TWO).toarray())
    power = timed_gram(TWO, TIMES, (Pace(1.0, np.inf),), history_power=0.5)
    np.testing.assert_allclose(power, weighted_gram(TWO, np.array([0.5, 0.5])))


@pytest.mark.parametrize("seed", range(3))
def test_it_is_symmetric_and_positive_semi_definite(seed: int) -> None:
    rng = np.random.default_rng(seed)
    some = Matrix((rng.random((9, 7)) < 0.5).astype(np.float32))
    gram = timed_gram(some, rng.random(some.nnz) * 1e4, (Pace(0.3, 50.0), Pace(0.7, 3000.0)))
    np.testing.assert_array_equal(gram, gram.T)
    assert np.linalg.eigvalsh(gram.astype(float)).min() > -1e-5


def test_near_items_by_hand() -> None:
    near = near_items(TWO, TIMES, 10.0)
    assert near[0, 1] == pytest.approx(np.exp(-1) / np.sqrt(6 * 7))
    assert near.diagonal().tolist() == [0, 0, 0]
    assert near[1, 2] == pytest.approx(0)


def test_what_is_taken_around_a_persons_days_stands_out() -> None:
    taken = matrix([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])
    lifts = timely(taken, np.array([0.0, 0.5, 100.0, 100.0]) * DAY, days=1.0)
    # Around day 0 there are two of four: of item 1, (1 + 5/4) / (2 + 5) against a quarter.
    assert lifts[0, 1] == pytest.approx(np.log((1 + 5 / 4) / 7 * 4), abs=1e-5)
    assert lifts[0, 1] > 0 > lifts[0, 2]
    assert lifts[2, 2] > 0 > lifts[2, 1]


def test_nobody_and_nothing_are_unremarkable() -> None:
    lifts = timely(matrix([[1, 0], [0, 0]]), np.array([5.0]), days=1.0)
    np.testing.assert_allclose(lifts, 0, atol=1e-6)


@pytest.mark.parametrize("times", [TIMES[:3], np.array([0, 1, np.nan, 2])])
def test_a_missing_time_is_refused(times: np.ndarray) -> None:
    for call in (lambda: timed_gram(TWO, times, (Pace(1, 1),)), lambda: timely(TWO, times, 1.0)):
        with pytest.raises(BehaviourError, match="a finite one for each"):
            call()

"""The probability of liking: its parts by hand, and a training on two camps of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from eval.benchmarks.judging import JudgingError, instances, split_people
from eval.benchmarks.liking import measure_liking, reliability, with_judge
from eval.metrics import RankedScores
from finetune.liking import LikingError, Shelf, Trained, fit_line, questions, train_liking
from finetune.splits import held_out_users
from retrieval.behaviour.alike import likenesses
from retrieval.behaviour.likings import EMPTY, Asked, learn, posterior
from retrieval.behaviour.model import BehaviourError, Matrix
from retrieval.catalogue import Catalogue
from retrieval.errors import WorkspaceError
from retrieval.interactions import Interactions
from retrieval.liking import Liking, sigmoid
from retrieval.types import Interaction, Item

N_ITEMS, N_PEOPLE, RATED = 30, 48, 18


def films() -> list[Item]:
    return [
        Item(str(n), f"Film {n}", year=1980 + n, genres=("comedy" if n % 2 else "drama",))
        for n in range(N_ITEMS)
    ]


def rows() -> list[Interaction]:
    """Even people like dramas (even films), odd people comedies, nine times out of ten."""
    rng = np.random.default_rng(0)
    found = []
    for person in range(N_PEOPLE):
        for time, item in enumerate(rng.choice(N_ITEMS, RATED, replace=False)):
            likes = (item % 2 == person % 2) ^ (rng.random() < 0.1)
            found.append(Interaction(f"u{person}", str(item), 5.0 if likes else 2.0, 60.0 * time))
    return found


CATALOGUE = Catalogue(films())
TEXTS = np.eye(N_ITEMS, dtype=np.float32)


@pytest.fixture(scope="module")
def interactions() -> Interactions:
    return Interactions.from_rows(rows(), CATALOGUE)


@pytest.fixture(scope="module")
def shelf(interactions: Interactions) -> Shelf:
    return Shelf.of(interactions, CATALOGUE, TEXTS)


@pytest.fixture(scope="module")
def trained(shelf: Shelf) -> Trained:
    return train_liking(shelf, np.arange(36))


def test_likenesses_by_hand() -> None:
    some = [
        Item("a", "A", year=1990, genres=("drama", "war"), directors=("X",), cast=("Y", "Z"), language="en"),
        Item("b", "B", year=1998, genres=("drama",), directors=("Y",), cast=("Z", "X"), language="en"),
        Item("c", "C"),
    ]
    found = likenesses(some, np.eye(3, dtype=np.float32))
    assert found["genres"][0, 1] == pytest.approx(1 / np.sqrt(2))
    assert found["people"][0, 1] == 2  # three in common count as two
    assert found["directors"][0, 1] == 0
    assert found["years"][0, 1] == pytest.approx(np.exp(-1))
    assert found["language"][0, 1] == pytest.approx(1)
    assert all(one[0, 2] == 0 for one in found.values())


def test_the_posterior_of_one_verdict_by_hand() -> None:
    mean = np.array([0.5, 0.6])
    covariance = np.array([[9, 0.1], [0.1, 9]], np.float32)  # its diagonal does not count
    asked = Asked(np.array([1]), np.array([[0]]), np.array([[1.0]]), np.array([[5.0]]))
    shift, told = posterior(asked, mean, covariance, noise=0.05)
    assert shift[0] == pytest.approx(0.1 * 0.5 / 0.30)
    assert told[0] == pytest.approx(0.1**2 / 0.30)


def test_an_empty_place_says_nothing() -> None:
    rng = np.random.default_rng(1)
    root = rng.normal(0, 0.2, (6, 6))
    covariance, mean = (root @ root.T).astype(np.float32), rng.uniform(0.2, 0.8, 6)
    short = Asked(np.array([5]), np.array([[1, 2]]), np.array([[1.0, 0.0]]), np.array([[9.0, 3.0]]))
    padded = Asked(
        np.array([5]), np.array([[EMPTY, 1, 2]]), np.array([[1.0, 1.0, 0.0]]), np.array([[0.0, 9.0, 3.0]])
    )
    np.testing.assert_allclose(
        posterior(short, mean, covariance, 0.1), posterior(padded, mean, covariance, 0.1)
    )
    nothing = Asked(np.array([5]), np.array([[EMPTY]]), np.array([[0.0]]), np.array([[0.0]]))
    assert np.ravel(posterior(nothing, mean, covariance, 0.1)).tolist() == [0, 0]


def test_questions_have_ten_verdicts_before_them(shelf: Shelf) -> None:
    posed = questions(shelf, [0, 1])
    assert len(posed.asked) == 2 * (RATED - 10)
    first = [row for row in rows() if row.user_id == "u0"]
    assert posed.asked.history[0].tolist() == [int(row.item_id) for row in first[:10]]
    assert posed.asked.liked[0].tolist() == [float(row.value == 5) for row in first[:10]]
    assert posed.asked.item[0] == int(first[10].item_id)
    assert posed.asked.ago[0].tolist() == [60.0 * n for n in range(10, 0, -1)]
    assert posed.positive[0] == (first[10].value == 5)


def test_they_are_the_questions_of_the_judge(shelf: Shelf, interactions: Interactions) -> None:
    held = held_out_users(interactions.users)
    posed = questions(shelf, [row for row, user in enumerate(interactions.users) if user in held])
    given = instances(split_people(interactions, CATALOGUE)[1], CATALOGUE)
    np.testing.assert_array_equal(posed.asked.item, given.item)
    np.testing.assert_array_equal(posed.asked.history, given.history)
    np.testing.assert_array_equal(posed.asked.liked, given.liked)
    np.testing.assert_array_equal(posed.positive, given.positive)


def test_the_tables_of_a_run(interactions: Interactions) -> None:
    workspace: Any = SimpleNamespace(
        interactions=interactions, catalogue=CATALOGUE, dense=SimpleNamespace(vectors=TEXTS)
    )
    asked: list[str] = []

    def judge(prompts: Sequence[str]) -> list[float]:
        asked.extend(prompts)
        return [0.5] * len(prompts)

    every, said, sampled = measure_liking(workspace, judge, 40, 0, say=lambda text: None)
    areas = {row.system: row.area.value for row in every.rows}
    assert areas["features: trees and regression"] > areas["item mean"] + 0.1
    assert (
        {row.judgements for row in every.rows}
        == {12 * (RATED - 10)}
        == {sum(b.judgements for b in said.rows)}
    )
    assert {row.judgements for row in sampled.rows} == {40} == {len(asked)}
    assert {row.system for row in sampled.rows} > areas.keys()
    workspace.interactions = None
    with pytest.raises(JudgingError, match="no interactions"):
        next(measure_liking(workspace, None, 0, 0, say=lambda text: None))


def test_items_of_the_own_camp_go_together(shelf: Shelf) -> None:
    likings = learn(shelf.ratings, 3.0, shelf.alike)
    same = np.equal.outer(np.arange(N_ITEMS) % 2, np.arange(N_ITEMS) % 2)
    apart = ~np.eye(N_ITEMS, dtype=bool)
    for one in (likings.covariance, likings.expected, likings.alone, likings.near):
        assert one[same & apart].mean() > one[~same].mean() + 0.01
    assert ((likings.mean > 0) & (likings.mean < 1)).all()


def test_an_item_without_votes_has_the_mean_of_its_like() -> None:
    ratings = np.zeros((40, 6), np.float32)
    ratings[:, :3] = [5, 5, 1]  # films 0 and 1 are liked, film 2 is not; 3 to 5 are unrated
    kinds = np.zeros((6, 6), np.float32)
    kinds[np.ix_([0, 1, 3], [0, 1, 3])] = 1
    kinds[np.ix_([2, 4], [2, 4])] = 1
    likings = learn(Matrix(ratings), 3.0, {"kind": kinds})
    assert likings.mean[3] > likings.mean[5] > likings.mean[4]


def test_likes_of_new_people_are_told_and_calibrated(shelf: Shelf, trained: Trained) -> None:
    posed = questions(shelf, np.arange(36, N_PEOPLE))
    chances = trained.liking.chances(trained.table(posed.asked))
    assert ((chances > 0) & (chances < 1)).all()
    assert RankedScores(chances, posed.positive).area() > 0.8
    assert abs(chances.mean() - posed.positive.mean()) < 0.1


def test_the_same_seed_gives_the_same_model(shelf: Shelf, trained: Trained) -> None:
    table = trained.table(questions(shelf, [40]).asked)
    again = train_liking(shelf, np.arange(36))
    np.testing.assert_array_equal(again.liking.chances(table), trained.liking.chances(table))


def test_it_is_kept_on_disk(shelf: Shelf, trained: Trained, tmp_path: Path) -> None:
    table = trained.table(questions(shelf, [40]).asked)
    trained.liking.save(tmp_path)
    np.testing.assert_allclose(Liking.load(tmp_path).chances(table), trained.liking.chances(table), atol=1e-6)
    (tmp_path / "trees.txt").write_text("no trees")
    with pytest.raises(WorkspaceError, match="damaged"):
        Liking.load(tmp_path)


def test_bad_input_is_named(shelf: Shelf, trained: Trained) -> None:
    table = trained.table(questions(shelf, [40]).asked)
    del table["taste"]
    with pytest.raises(WorkspaceError, match="'taste'"):
        trained.liking.chances(table)
    with pytest.raises(LikingError, match="3 people are too few"):
        train_liking(shelf, np.arange(3))
    few = replace(shelf, ratings=shelf.ratings[:, :8].tocsr(), times=shelf.times[:, :8].tocsr())
    with pytest.raises(LikingError, match="more than 10 ratings"):
        questions(few, [0, 1])
    with pytest.raises(BehaviourError, match="no rating"):
        learn(Matrix((3, 4), dtype=np.float32), 3.0, {})


def test_a_line_through_one_feature_by_hand() -> None:
    values = np.array([0.0, 1.0]).repeat(1000)[:, None]
    positive = np.concatenate([np.arange(1000) < 250, np.arange(1000) < 750])
    odds = fit_line(values, positive).log_odds(np.array([[0.0], [1.0]]))
    np.testing.assert_allclose(sigmoid(odds), [0.25, 0.75], atol=0.005)


def test_a_judge_that_knows_more_is_heard_and_one_that_knows_nothing_is_not() -> None:
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(50), 40)
    truth = rng.normal(0, 2, 2000)
    positive = rng.random(2000) < sigmoid(truth)
    ours = sigmoid(truth / 2 + rng.normal(0, 1, 2000))
    alone = RankedScores(ours, positive).area()
    knowing = RankedScores(with_judge(ours, sigmoid(truth), positive, person), positive).area()
    guessing = RankedScores(with_judge(ours, rng.random(2000), positive, person), positive).area()
    assert knowing > alone + 0.03
    assert guessing == pytest.approx(alone, abs=0.01)


def test_reliability_by_hand() -> None:
    bins = reliability(np.array([0.05, 0.32, 0.38, 1.0]), np.array([False, True, False, True]))
    assert [(one.low, one.judgements, one.liked) for one in bins] == [
        (0.0, 1, 0.0),
        (0.3, 2, 0.5),
        (0.9, 1, 1.0),
    ]
    assert bins[1].said == pytest.approx(0.35)

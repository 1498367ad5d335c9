"""Models of behaviour: one contract for all of them, and answers computable by hand for the closed forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from retrieval.behaviour.als import Als
from retrieval.behaviour.augment import augmented
from retrieval.behaviour.bpr import Bpr
from retrieval.behaviour.cfgan import Cfgan
from retrieval.behaviour.ease import Ease, item_weights, with_facets
from retrieval.behaviour.model import (
    ArrayModel,
    BehaviourError,
    Matrix,
    UnseenUserError,
    ones,
    without_seen,
)
from retrieval.behaviour.neighbours import ItemNeighbours, UserNeighbours, nearest
from retrieval.behaviour.neumf import NeuMf
from retrieval.behaviour.popularity import Popularity
from retrieval.behaviour.spectral import Spectral
from retrieval.behaviour.splits import held_back
from retrieval.behaviour.training import Patience, Schedule, ndcg, pairs

MAKERS: dict[str, Callable[[], ArrayModel]] = {
    "popularity": Popularity,
    "item-kNN": lambda: ItemNeighbours(4, 1.0),
    "user-kNN": lambda: UserNeighbours(6),
    "EASE": lambda: Ease(2.0),
    "EASE, denoising": lambda: Ease(0.5, power=1.0, history_power=0.2),
    "spectral": lambda: Spectral(4),
    "ALS": lambda: Als(factors=4),
    "BPR": lambda: Bpr(factors=8, epochs=60, learning_rate=0.02),
    "NeuMF": lambda: NeuMf(factors=8, epochs=30, learning_rate=0.02),
    "CFGAN": lambda: Cfgan(hidden=16, epochs=100, batch=8, learning_rate=0.01, zero_weight=0.03),
}
TRANSDUCTIVE = {"BPR", "NeuMF"}


def two_camps(n_users: int = 24, n_items: int = 20) -> Matrix:
    """Even people have most of the even items, odd people most of the odd ones, in an order of their own."""
    rng = np.random.default_rng(3)
    matrix = np.zeros((n_users, n_items), np.float32)
    for user in range(n_users):
        matrix[user, rng.choice(np.arange(user % 2, n_items, 2), 7, replace=False)] = 1
    return Matrix(matrix)


CAMPS = two_camps()
ROWS = np.arange(CAMPS.shape[0])


@pytest.fixture(scope="module")
def fitted() -> dict[str, ArrayModel]:
    return {key: make().fit(CAMPS) for key, make in MAKERS.items()}


@pytest.mark.parametrize("key", MAKERS)
class TestContract:
    def test_scores_are_one_finite_row_a_person(self, key: str, fitted: dict[str, ArrayModel]) -> None:
        for rows in (ROWS, ROWS[[5]], ROWS[:0]):
            scores = fitted[key].scores(CAMPS[rows], rows)
            assert scores.dtype == np.float32
            assert scores.shape == (len(rows), CAMPS.shape[1])
            assert np.isfinite(scores).all()

    def test_a_person_scores_alone_as_among_others(self, key: str, fitted: dict[str, ArrayModel]) -> None:
        together = fitted[key].scores(CAMPS, ROWS)
        alone = fitted[key].scores(CAMPS[[7]], ROWS[[7]])
        np.testing.assert_allclose(alone[0], together[7], rtol=1e-4, atol=1e-5)

    def test_the_same_seed_gives_the_same_model(self, key: str, fitted: dict[str, ArrayModel]) -> None:
        again = MAKERS[key]().fit(CAMPS)
        np.testing.assert_array_equal(again.scores(CAMPS, ROWS), fitted[key].scores(CAMPS, ROWS))

    def test_it_learns_the_camps(self, key: str, fitted: dict[str, ArrayModel]) -> None:
        scores = without_seen(fitted[key].scores(CAMPS, ROWS), CAMPS)
        first = scores.argmax(axis=1)
        right = (first % 2 == ROWS % 2).mean()
        assert right == 1.0 or key == "popularity"

    def test_saving_and_loading_changes_nothing(
        self, key: str, fitted: dict[str, ArrayModel], tmp_path: Path
    ) -> None:
        model = fitted[key]
        model.save(tmp_path / "model")
        again = type(model).load(tmp_path / "model")
        assert again == model
        np.testing.assert_array_equal(again.scores(CAMPS, ROWS), model.scores(CAMPS, ROWS))

    def test_an_empty_history_is_served_or_refused_in_words(
        self, key: str, fitted: dict[str, ArrayModel]
    ) -> None:
        nobody = Matrix((2, CAMPS.shape[1]), dtype=np.float32)
        if key in TRANSDUCTIVE:
            with pytest.raises(UnseenUserError, match="serve new ones with popularity"):
                fitted[key].scores(nobody)
        else:
            assert np.isfinite(fitted[key].scores(nobody)).all()

    def test_what_it_was_given_is_left_as_it_was(self, key: str) -> None:
        given = CAMPS.copy()
        MAKERS[key]().fit(given).scores(given, ROWS)
        np.testing.assert_array_equal(given.toarray(), CAMPS.toarray())

    def test_bad_input_is_named(self, key: str, fitted: dict[str, ArrayModel], tmp_path: Path) -> None:
        model = MAKERS[key]()
        with pytest.raises(BehaviourError, match="not fitted yet"):
            model.scores(CAMPS, ROWS)
        with pytest.raises(BehaviourError, match="nothing to save"):
            model.save(tmp_path)
        for wrong in (np.nan, -1.0, np.inf):
            with pytest.raises(BehaviourError, match=str(wrong)):
                model.fit(Matrix(np.array([[1, wrong]], np.float32)))
        with pytest.raises(BehaviourError, match="2 users with 3 items is positive"):
            model.fit(Matrix((2, 3), dtype=np.float32))
        with pytest.raises(BehaviourError, match=f"over 3 items, {model.name} was fitted on 20"):
            fitted[key].scores(Matrix((2, 3), dtype=np.float32))
        with pytest.raises(BehaviourError, match="1 rows are given for 24 histories"):
            fitted[key].scores(CAMPS, ROWS[:1])

    def test_a_damaged_or_foreign_folder_is_named(
        self, key: str, fitted: dict[str, ArrayModel], tmp_path: Path
    ) -> None:
        model = type(fitted[key])
        with pytest.raises(BehaviourError, match="missing or damaged"):
            model.load(tmp_path)
        fitted[key].save(tmp_path)
        head = json.loads((tmp_path / "model.json").read_text())
        (tmp_path / "model.json").write_text(json.dumps({**head, "method": "another"}))
        with pytest.raises(BehaviourError, match="of the method 'another'"):
            model.load(tmp_path)
        (tmp_path / "model.safetensors").write_bytes(b"\0" * 9)
        with pytest.raises(BehaviourError, match="missing or damaged"):
            model.load(tmp_path)


@pytest.mark.parametrize("key", [key for key in MAKERS if key not in TRANSDUCTIVE | {"popularity"}])
def test_somebody_new_is_scored_by_their_history(key: str, fitted: dict[str, ArrayModel]) -> None:
    history = np.zeros((1, CAMPS.shape[1]), np.float32)
    history[0, [1, 3, 5, 7]] = 1
    best = without_seen(fitted[key].scores(Matrix(history)), Matrix(history)).argmax()
    assert best % 2 == 1


def test_seen_items_are_never_ranked_and_the_scores_stay() -> None:
    scores = np.array([[1.0, 2.0, 3.0]], np.float32)
    kept = without_seen(scores, Matrix(np.array([[0, 5.0, 0]], np.float32)))
    assert kept.tolist() == [[1.0, -np.inf, 3.0]]
    assert scores.tolist() == [[1.0, 2.0, 3.0]]


def test_popularity_counts_people_and_not_strengths() -> None:
    matrix = Matrix(np.array([[5, 1, 0], [0, 1, 0]], np.float32))
    assert Popularity().fit(matrix).scores(matrix[[0]]).tolist() == [[1, 2, 0]]


def test_item_neighbours_by_hand() -> None:
    matrix = Matrix(np.array([[1, 1, 0], [1, 1, 0], [0, 1, 1]], np.float32))
    scores = ItemNeighbours(1, 0.0).fit(matrix).scores(Matrix(np.array([[0, 1, 0]], np.float32)))
    # Of item 0 the nearest is 1, at 2 / sqrt(2 * 3); of item 2 it is 1, at 1 / sqrt(3).
    np.testing.assert_allclose(scores, [[2 / 6**0.5, 0, 1 / 3**0.5]], rtol=1e-6)


def test_user_neighbours_by_hand_and_nobody_is_their_own() -> None:
    matrix = Matrix(np.array([[1, 1, 0], [1, 0, 1]], np.float32))
    model = UserNeighbours(5).fit(matrix)
    np.testing.assert_allclose(model.scores(matrix[[0]], np.array([0])), [[0.5, 0, 0.5]], rtol=1e-6)
    np.testing.assert_allclose(model.scores(matrix[[0]]), [[1.5, 1, 0.5]], rtol=1e-6)


def test_nearest_keeps_the_highest() -> None:
    assert nearest(np.array([[3, 1, 2], [5, 5, 4]]), 2).tolist() == [[3, 0, 2], [5, 5, 0]]


def test_ease_solves_its_own_least_squares() -> None:
    matrix = two_camps().toarray().astype(float)
    weights = item_weights(matrix.T @ matrix, 3.0).astype(float)
    assert np.abs(weights.diagonal()).max() == 0
    for item in range(5):
        others = np.delete(np.arange(20), item)
        known, target = matrix[:, others], matrix[:, item]
        expected = np.linalg.solve(known.T @ known + 3.0 * np.eye(19), known.T @ target)
        np.testing.assert_allclose(weights[others, item], expected, atol=1e-5)


def test_ease_penalises_by_popularity_where_asked() -> None:
    counts = np.maximum(CAMPS.toarray().sum(axis=0), 1)
    gram = (CAMPS.T @ CAMPS).toarray()
    expected = item_weights(gram, 0.5 * counts)
    np.testing.assert_allclose(Ease(0.5, power=1.0).fit(CAMPS).arrays["weights"], expected, rtol=1e-5)


def test_als_folds_in_the_vector_that_least_squares_gives() -> None:
    model = Als(factors=3, regularisation=0.1, unobserved=0.3, power=0.0).fit(CAMPS)
    items = model.arrays["items"]
    history = CAMPS[[0]].toarray()[0]
    # Weighted ridge: weight 1 + .3 on what the person has with target 1 / 1.3, .3 with target 0 elsewhere.
    weight, target = 0.3 + history, history / 1.3
    vector = np.linalg.solve((items.T * weight) @ items + 0.1 * np.eye(3), (items.T * weight) @ target)
    np.testing.assert_allclose(model.scores(CAMPS[[0]])[0], items @ vector, rtol=1e-5)


def test_als_places_items_that_nobody_has_by_their_facets() -> None:
    matrix = CAMPS.toarray()
    matrix[:, [18, 19]] = 0
    known = Matrix(matrix)
    facets = Matrix(np.eye(2, dtype=np.float32)[np.arange(20) % 2])
    model = Als(factors=4).fit(known)
    placed = model.place(facets, ridge=0.1)
    scores = placed.scores(known)
    assert (scores[:, 18] > scores[:, 19]).tolist() == (ROWS % 2 == 0).tolist()
    assert not model.scores(known)[:, [18, 19]].any()
    np.testing.assert_array_equal(scores[:, :18], model.scores(known)[:, :18])
    with pytest.raises(BehaviourError, match="facets are of 2 items, the model knows 20"):
        model.place(facets[:2])


def test_facets_speak_for_items_that_nobody_has() -> None:
    matrix = Matrix(np.array([[1, 1, 0, 0], [1, 0, 0, 0]], np.float32))
    facets = Matrix(np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32))
    stacked = with_facets(matrix, facets, 4.0)
    assert stacked.toarray().tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [2, 0, 2, 0], [0, 2, 0, 2]]
    scores = Ease(1.0).fit(stacked).scores(Matrix(np.array([[1, 0, 0, 0]], np.float32)))
    assert scores[0, 2] > 0.5 > abs(scores[0, 3])


def test_every_positive_is_drawn_once_with_items_the_person_lacks() -> None:
    rng = np.random.default_rng(0)
    drawn = list(pairs(CAMPS, Schedule(batch=50, negatives=3), rng))
    users, items, others = (np.concatenate([part[k].numpy() for part in drawn]) for k in range(3))
    assert sorted(zip(users, items, strict=True)) == sorted(zip(*CAMPS.nonzero(), strict=True))
    assert not CAMPS.toarray()[users[:, None], others].any()


def test_a_person_who_has_everything_does_not_stop_the_rest() -> None:
    full = Matrix(np.ones((1, 4), np.float32))
    assert sum(len(users) for users, _, _ in pairs(full, Schedule(), np.random.default_rng(0))) == 4


def test_what_is_held_back_is_a_share_of_everybody() -> None:
    training, validation = held_back(CAMPS, share=0.3, seed=1)
    assert np.diff(validation.indptr).tolist() == [2] * 24
    np.testing.assert_array_equal((training + validation).toarray(), CAMPS.toarray())
    assert held_back(CAMPS, share=0.1, seed=1)[1].nnz == 0


def test_early_stopping_waits_and_remembers() -> None:
    stop = Patience(2)
    assert [stop.after(epoch, value) for epoch, value in enumerate([1, 3, 2, 3], start=1)] == [
        False,
        False,
        False,
        True,
    ]
    assert stop.best_epoch == 2


def test_the_validation_figure_by_hand() -> None:
    wanted = Matrix(np.array([[0, 1, 0, 1]], np.float32))
    found = ndcg(np.array([[4.0, 3.0, 2.0, 1.0]], np.float32), wanted)
    assert found == pytest.approx((1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3)))


def test_generated_rows_keep_the_history_and_double_it(fitted: dict[str, ArrayModel]) -> None:
    generator = fitted["CFGAN"]
    assert isinstance(generator, Cfgan)
    made = generator.rows(CAMPS[:4], 6, seed=1)
    assert made.shape == (6, 20)
    assert np.diff(made.indptr).tolist() == [14] * 6
    starts = CAMPS[[0, 1, 2, 3, 0, 1]].toarray()
    assert (made.toarray() >= starts).all()
    np.testing.assert_array_equal(made.toarray(), generator.rows(CAMPS[:4], 6, seed=1).toarray())
    assert (made.toarray() != generator.rows(CAMPS[:4], 6, seed=2).toarray()).any()
    with pytest.raises(BehaviourError, match="no history"):
        generator.rows(CAMPS[:0], 2)


def test_what_generated_rows_gain_is_plausible(fitted: dict[str, ArrayModel]) -> None:
    generator = fitted["CFGAN"]
    assert isinstance(generator, Cfgan)
    short = np.zeros((2, 20), np.float32)
    short[0, [0, 4, 8]] = short[1, [1, 5, 9]] = 1
    made = generator.rows(Matrix(short), 60).toarray()
    gained = made - np.tile(short, (30, 1))
    own_camp = np.arange(20) % 2 == np.tile([0, 1], 30)[:, None]
    assert gained.sum() == 180
    assert gained[own_camp].mean() > 3 * gained[~own_camp].mean()


def test_a_history_that_is_nearly_everything_gains_only_what_is_left(fitted: dict[str, ArrayModel]) -> None:
    generator = fitted["CFGAN"]
    assert isinstance(generator, Cfgan)
    history = np.ones((1, 20), np.float32)
    history[0, :2] = 0
    assert generator.rows(Matrix(history), 1).toarray().sum() == 20


def test_augmentation_adds_rows_of_sparse_people(fitted: dict[str, ArrayModel]) -> None:
    generator = fitted["CFGAN"]
    assert isinstance(generator, Cfgan)
    sparse_ones = sparse.lil_array(CAMPS)
    sparse_ones[0] = 0
    sparse_ones[0, 4] = 1
    interactions = ones(Matrix(sparse_ones))
    mixed = augmented(interactions, generator, ratio=0.5)
    assert mixed.shape == (36, 20)
    np.testing.assert_array_equal(mixed[:24].toarray(), interactions.toarray())
    assert augmented(interactions, generator, ratio=0).shape == interactions.shape
    with pytest.raises(BehaviourError, match=r"ratio of generated rows is -1"):
        augmented(interactions, generator, ratio=-1)

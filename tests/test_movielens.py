"""The MovieLens benchmark: what is read, how it is split, how scores are blended, and a small run."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from eval.benchmarks import cold_items
from eval.benchmarks.movielens import Options, measure
from eval.benchmarks.movielens_data import (
    MovieLens,
    MovieLensError,
    cold_split,
    folds,
    last_out,
    moments,
    random_split,
    read_movielens,
)
from eval.benchmarks.recipes import ndcg, plain, remembered
from eval.benchmarks.stacking import MissingLibraryError, learned, standardised, weighted
from eval.cli import app
from retrieval.behaviour.als import Als
from retrieval.behaviour.ease import Ease
from retrieval.behaviour.model import Matrix, ones

MOVIES = "movieId,title,genres\n1,Heat (1995),Crime|Drama\n2,Ran (1985),Drama|War\n3,Fargo (1996),Crime\n"
RATINGS = "userId,movieId,rating,timestamp\n7,1,5,10\n7,2,3,30\n7,3,4,20\n8,2,1,5\n8,3,2,5\n"


def folder(path: Path, ratings: str = RATINGS, movies: str = MOVIES) -> Path:
    (path / "ratings.csv").write_text(ratings)
    (path / "movies.csv").write_text(movies)
    return path


@pytest.fixture
def small(tmp_path: Path) -> MovieLens:
    return read_movielens(folder(tmp_path))


@pytest.fixture(scope="module")
def camps(tmp_path_factory: pytest.TempPathFactory) -> MovieLens:
    """Forty people, 24 films: even people have rated dramas, odd people comedies."""
    rng = np.random.default_rng(0)
    movies = ["movieId,title,genres"]
    movies += [
        f"{film},Film {film} ({1980 + film % 12}),{'Comedy' if film % 2 else 'Drama'}" for film in range(24)
    ]
    ratings = ["userId,movieId,rating,timestamp"]
    for user in range(40):
        for time, film in enumerate(rng.choice(np.arange(user % 2, 24, 2), 8, replace=False)):
            ratings.append(f"{user},{film},{rng.integers(1, 6)},{time}")
    path = tmp_path_factory.mktemp("camps")
    return read_movielens(folder(path, "\n".join(ratings), "\n".join(movies)))


def test_what_is_read(small: MovieLens) -> None:
    assert small.ratings.toarray().tolist() == [[5, 3, 4], [0, 1, 2]]
    assert small.times.toarray().tolist() == [[10, 30, 20], [0, 5, 5]]
    assert small.genres.toarray().tolist() == [[1, 1, 0], [0, 1, 1], [1, 0, 0]]
    assert small.years.toarray().tolist() == [[1, 0], [0, 1], [1, 0]]
    assert small.links.shape == (3, 0)


def test_links_come_from_the_graph_beside_the_items(tmp_path: Path) -> None:
    files = {
        "inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n7\t1\t5\t1\n7\t2\t3\t2\n",
        "item": "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "1\tHeat\t1995\tCrime Drama\n2\tRan\t1985\tWar\n",
        "link": "item_id:token\tentity_id:token\n1\tm.1\n2\tm.2\n",
        "kg": "head_id:token\trelation_id:token\ttail_id:token\nm.1\tfilm.film.actor\tm.9\n"
        "m.2\tfilm.film.actor\tm.9\nm.2\tfilm.film.actor\tm.8\nm.1\tfilm.film.rating\tm.7\n"
        "m.2\tfilm.film.rating\tm.7\n",
    }
    for ending, text in files.items():
        (tmp_path / f"ml-100k.{ending}").write_text(text)
    assert read_movielens(tmp_path).links.toarray().tolist() == [[1], [1]]


@pytest.mark.parametrize(
    ("ratings", "movies", "message"),
    [
        (
            RATINGS + "9,1,lots,3\n",
            MOVIES,
            r"ratings\.csv, data row 6: value is not a number: 'lots'.*a rating",
        ),
        (
            RATINGS + "9,77,3,3\n",
            MOVIES,
            r"ratings\.csv, data row 6: unknown item_id: '77'.*item of the item file",
        ),
        (RATINGS, MOVIES + "4,,Drama\n", r"movies\.csv, data row 4: .*title"),
        (RATINGS + "9,77,3,3\n9,78,3,3\n", MOVIES, r"1 more rows are bad"),
        ("userId,movieId,rating,timestamp\n7,1,1,10\n8,1,1,3\n", MOVIES, r"holds no ratings"),
    ],
)
def test_a_bad_row_is_named_with_its_file_and_line(
    tmp_path: Path, ratings: str, movies: str, message: str
) -> None:
    with pytest.raises(MovieLensError, match=message):
        read_movielens(folder(tmp_path, ratings, movies))


def test_a_folder_without_the_files_says_which_are_expected(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text(RATINGS)
    with pytest.raises(
        MovieLensError, match=r"holds ratings\.csv\. Expected .*u\.data and u\.item; ratings\.csv and"
    ):
        read_movielens(tmp_path)
    with pytest.raises(MovieLensError, match="is no folder"):
        read_movielens(tmp_path / "nowhere")
    done = CliRunner().invoke(app, ["movielens", "--data", str(tmp_path)])
    assert done.exit_code != 0
    assert "Expected one of these pairs of files" in done.output


def test_the_random_split_is_per_user_and_seeded(camps: MovieLens) -> None:
    split = random_split(camps.ratings, 0.75, seed=1)
    assert set(np.diff(split.train.indptr)) == {6}
    np.testing.assert_array_equal((split.train + split.test).toarray(), camps.ratings.toarray())
    again, other = (random_split(camps.ratings, 0.75, seed) for seed in (1, 2))
    assert (split.train != again.train).nnz == 0
    assert (split.train != other.train).nnz > 0


def test_moments_are_those_of_the_ratings_that_are_kept(camps: MovieLens) -> None:
    split = random_split(camps.ratings, 0.5, seed=3)
    found = Matrix((moments(split.train, camps), split.train.indices, split.train.indptr), split.train.shape)
    kept = split.train.toarray() > 0
    np.testing.assert_array_equal(found.toarray(), np.where(kept, camps.times.toarray(), 0))


def test_every_rating_is_in_the_test_part_of_one_fold(camps: MovieLens) -> None:
    parts = folds(camps.ratings, 4, seed=0)
    np.testing.assert_array_equal(sum(part.test for part in parts).toarray(), camps.ratings.toarray())
    assert all(set(np.diff(part.test.indptr)) == {2} for part in parts)


def test_the_last_rating_is_left_out_and_a_tie_is_drawn(small: MovieLens) -> None:
    found = [last_out(small.ratings, small.times, seed).test.toarray() for seed in range(12)]
    assert {tuple(test[0]) for test in found} == {(0, 3, 0)}
    assert {tuple(test[1]) for test in found} == {(0, 1, 0), (0, 0, 2)}


def test_who_has_rated_once_keeps_it() -> None:
    one = Matrix(np.array([[0, 4.0]], np.float32))
    split = last_out(one, one, seed=0)
    assert (split.train.nnz, split.test.nnz) == (1, 0)


def test_cold_items_have_no_rating_left(camps: MovieLens) -> None:
    split, cold = cold_split(camps.ratings, 0.2, seed=3)
    assert len(cold) == 5
    assert split.train[:, cold].nnz == 0
    assert split.test[:, cold].nnz == split.test.nnz
    np.testing.assert_array_equal(split.train.data, camps.ratings.data[split.kept])


def test_scores_are_standardised_over_what_is_not_seen() -> None:
    scores = np.array([[1.0, 100.0, 3.0]], np.float32)
    seen = Matrix(np.array([[0, 5.0, 0]], np.float32))
    np.testing.assert_allclose(standardised(scores, seen), [[-1, np.nan, 1]])
    other = np.array([[7.0, 0.0, 7.0]], np.float32)
    np.testing.assert_allclose(weighted([scores, other], [0.5, 0.5], seen), [[-0.5, -np.inf, 0.5]])


def test_ndcg_is_over_unseen_items(small: MovieLens) -> None:
    split = last_out(small.ratings, small.times, seed=0)
    scores = np.array([[9.0, 1.0, 8.0], [0.0, 0.0, 0.0]], np.float32)
    assert ndcg(scores, split)[0] == 1  # the two films above it are known


def test_a_learned_blend_follows_the_recipe_that_knows(camps: MovieLens) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=camps.ratings.shape).astype(np.float32)
    split = random_split(camps.ratings, 0.75, seed=0)
    recipes = {"noise": lambda train: noise, "EASE": plain(Ease(5.0))}
    stacked, again = (learned(split.train, recipes, camps, seed=0) for _ in range(2))
    for name in ("line", "trees", "both"):
        scores = getattr(stacked, name)
        assert scores.shape == camps.ratings.shape
        assert np.nanmean(ndcg(scores, split)) > np.nanmean(ndcg(noise, split)) + 0.1
        np.testing.assert_array_equal(scores, getattr(again, name))


def test_without_lightgbm_it_is_said_how_to_install_it(
    camps: MovieLens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingLibraryError, match=r"tastebud\[train\]"):
        learned(camps.ratings, {"EASE": plain(Ease())}, camps, seed=0)


def test_a_remembered_recipe_is_made_once_for_the_same_ratings(small: MovieLens) -> None:
    made = []

    def recipe(train: Matrix) -> np.ndarray:
        made.append(train)
        return train.toarray()

    again = remembered(recipe)
    assert again(small.ratings) is again(small.ratings)
    again(small.ratings.copy())
    assert len(made) == 2


def test_popularity_of_genres_by_hand(small: MovieLens) -> None:
    known = Matrix((small.ratings.toarray() > 0).astype(np.float32))
    # Ratings: Heat 1, Ran 2, Fargo 2. Crime 1.5, drama 1.5, war 2.
    np.testing.assert_allclose(cold_items._genre_popularity(known, small), [1.5, 1.75, 1.5])
    np.testing.assert_allclose(cold_items._genre_taste(known, small)[1], [1 / 3, 1 / 3, 1 / 3])


def test_a_run_measures_every_protocol_and_gives_the_same_again(camps: MovieLens) -> None:
    options = Options(neural=False, blend=False)
    random, last, cold = measure(camps, options, say=lambda text: None)
    (again,) = measure(camps, Options(("cold",)), say=lambda text: None)
    assert again == cold
    by_name = {row.model: row for row in random.rows}
    assert by_name["EASE"].gain.value == 0
    assert by_name["EASE"].ndcg_10.value > 1.5 * by_name["popularity"].ndcg_10.value
    assert by_name["EASE in time"].ndcg_10.value > 1.5 * by_name["popularity"].ndcg_10.value
    assert by_name["ALS"].ndcg_10.low <= by_name["ALS"].ndcg_10.value <= by_name["ALS"].ndcg_10.high
    assert {row.model for row in last.rows} == set(by_name)
    placed = {row.model: row.among_new.value for row in cold.rows}
    assert placed["ALS, vectors from facets"] > 0


@pytest.mark.parametrize("seed", [0, 1])
def test_vectors_from_facets_find_new_items_for_the_right_people(camps: MovieLens, seed: int) -> None:
    split, cold = cold_split(camps.ratings, 0.2, seed)
    known = ones(split.train)
    scores = Als(4).fit(known).place(cold_items.facets(camps), ridge=1.0).scores(known)[:, cold]
    own_camp = cold[None] % 2 == np.arange(40)[:, None] % 2
    assert scores[own_camp].mean() > scores[~own_camp].mean() + 0.1

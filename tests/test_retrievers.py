"""Each source of candidates, on a catalogue small enough to reckon by hand."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from retriever_contract import FILMS, RetrieverContract
from scipy import sparse

from retrieval import neighbours
from retrieval.catalogue import Catalogue
from retrieval.chroma import VectorStore
from retrieval.collaborative import REGULARISATION, CollaborativeRetriever
from retrieval.dense import DenseRetriever
from retrieval.errors import UnknownItemError, WorkspaceError
from retrieval.expected import UNSHRUNK, Near, expected_factors
from retrieval.filters import eligible
from retrieval.interactions import Interactions
from retrieval.knowledge import KnowledgeRetriever, Link
from retrieval.lexical import LexicalRetriever
from retrieval.popularity import PopularityRetriever
from retrieval.text import item_text
from retrieval.types import Constraints, Facet, Interaction, Item, Query

ANY = eligible(FILMS, Constraints(), ())


class BagOfWordsEncoder:
    """Stands in for the model: one dimension per known word, and a last one that every text has."""

    name = "bag-of-words"
    words = tuple(dict.fromkeys(re.findall(r"\w+", " ".join(item_text(item) for item in FILMS).lower())))

    def encode(self, texts, progress=None):
        vectors = np.zeros((len(texts), len(self.words) + 1), dtype=np.float32)
        vectors[:, -1] = 0.1
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                if word in self.words:
                    vectors[row, self.words.index(word)] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def ids(candidates):
    return [candidate.item_id for candidate in candidates]


def ratings(*rows):
    return Interactions.from_rows([Interaction(*row) for row in rows], FILMS)


LIKES = ratings(
    *((f"a{user}", item, 5.0) for user in range(3) for item in ("10", "11", "14")),
    *((f"b{user}", item, 5.0) for user in range(2) for item in ("12", "13", "16")),
    ("c", "10", 4.0),
    ("c", "14", 4.0),
    ("c", "13", 1.0),
)


class TestDense(RetrieverContract):
    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("dense")
        DenseRetriever.build(folder, FILMS, BagOfWordsEncoder())
        return folder

    @pytest.fixture(scope="class")
    def retriever(self, folder):
        return DenseRetriever(folder, FILMS, BagOfWordsEncoder())

    def test_the_text_decides(self, retriever):
        assert ids(retriever.retrieve(Query(text="a clown in a small town"), ANY, 1)) == ["17"]

    def test_expansions_count_less_than_the_text(self, retriever):
        found = ids(retriever.retrieve(Query(text="revenge", expansions=("clown",)), ANY, 2))
        assert found == ["15", "17"]

    def test_likes_alone_find_what_is_like_them(self, retriever):
        assert ids(retriever.retrieve(Query(liked=("10",)), ANY, 2)) == ["10", "11"]

    def test_dislikes_push_away(self, retriever):
        def score(query, item_id):
            return {c.item_id: c.score for c in retriever.retrieve(query, ANY, 8)}[item_id]

        with_it = score(Query(liked=("10",), disliked=("11",)), "11")
        assert with_it < score(Query(liked=("10",)), "11")

    def test_without_text_and_likes_it_is_silent(self, retriever):
        assert retriever.retrieve(Query(text="  ", disliked=("10",)), ANY, 3) == []

    def test_unknown_items_are_refused(self, retriever):
        with pytest.raises(UnknownItemError, match="zzz"):
            retriever.retrieve(Query(liked=("zzz",)), ANY, 3)

    @pytest.mark.parametrize(("overfetch", "exact_up_to"), [(200, 0), (0, 0), (0, 20_000)])
    def test_chroma_with_and_without_where_and_numpy_agree(
        self, retriever, monkeypatch, overfetch, exact_up_to
    ):
        monkeypatch.setattr(neighbours, "OVERFETCH", overfetch)
        monkeypatch.setattr(neighbours, "EXACT_UP_TO", exact_up_to)
        query = Query(text="comedy for children in space")
        comedies = eligible(FILMS, Constraints(require=((Facet("genres", "comedy"),),)), {"13"})
        found = retriever.retrieve(query, comedies, 5)
        scores = retriever.vectors @ retriever._query_vector(query)
        expected = sorted((-scores[FILMS.row(item_id)], item_id) for item_id in ("12", "16"))
        assert ids(found) == [item_id for _, item_id in expected]
        assert [c.score for c in found] == pytest.approx([-score for score, _ in expected], abs=1e-6)

    def test_reading_leaves_hnsw_files_and_vectors_alone(self, folder, retriever):
        index = json.loads((folder / "chroma" / "index.json").read_text())
        DenseRetriever(folder, FILMS, BagOfWordsEncoder()).retrieve(self.query, ANY, 3)
        assert json.loads((folder / "chroma" / "index.json").read_text()) == index

    def test_two_processes_read_one_store(self, folder, retriever):
        code = (
            "import sys; from pathlib import Path\n"
            "sys.path.insert(0, sys.argv[2])\n"
            "from test_retrievers import *\n"
            "r = DenseRetriever(Path(sys.argv[1]), FILMS, BagOfWordsEncoder())\n"
            "print(ids(r.retrieve(Query(text='clown'), ANY, 3)))"
        )
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", code, str(folder), str(Path(__file__).parent)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        here = str(ids(retriever.retrieve(Query(text="clown"), ANY, 3)))
        assert [run.communicate(timeout=120)[0].strip() for run in runs] == [here, here]


class TestDenseStore:
    """A catalogue large enough for Chroma to write its graph to disk."""

    @pytest.fixture(scope="class")
    def catalogue(self):
        return Catalogue(Item(str(row), f"Film {row}", year=1900 + row % 100) for row in range(1500))

    @pytest.fixture(scope="class")
    def vectors(self, catalogue):
        found = np.random.default_rng(0).normal(size=(len(catalogue), 16)).astype(np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    @pytest.fixture(scope="class")
    def built(self, tmp_path_factory, catalogue, vectors):
        folder = tmp_path_factory.mktemp("store") / "chroma"
        VectorStore.rebuild(folder, catalogue, vectors)
        return folder

    def nearest(self, vectors, n, mask=True):
        return [str(row) for row in np.argsort(-(vectors @ vectors[7]))[:1500] if np.all(mask) or mask[row]][
            :n
        ]

    def test_neighbours_are_the_exact_ones(self, built, catalogue, vectors):
        found = VectorStore(built, catalogue, vectors).nearest(vectors[7], 100)
        assert found[0] == "7"
        assert len(set(found) & set(self.nearest(vectors, 100))) >= 98

    def test_a_selective_where_returns_every_match(self, built, catalogue, vectors):
        found = VectorStore(built, catalogue, vectors).nearest(vectors[7], 15, {"year": {"$gte": 1999}})
        assert found == self.nearest(vectors, 15, catalogue.years >= 1999)

    @pytest.mark.parametrize(
        "damage", ["gone", "index", "sqlite", "empty sqlite", "truncated graph", "no graph"]
    )
    def test_a_damaged_store_is_rebuilt(self, built, tmp_path, catalogue, vectors, damage):
        folder = shutil.copytree(built, tmp_path / "chroma")
        home = folder / json.loads((folder / "index.json").read_text())["folder"]
        graph = next(path for path in home.rglob("data_level0.bin"))
        if damage == "gone":
            shutil.rmtree(folder)
        elif damage == "index":
            (folder / "index.json").write_text("{")
        elif damage == "sqlite":
            (home / "chroma.sqlite3").write_bytes(b"not a database" * 500)
        elif damage == "empty sqlite":
            (home / "chroma.sqlite3").write_bytes(b"")
        elif damage == "truncated graph":
            graph.write_bytes(graph.read_bytes()[: graph.stat().st_size // 2])
        else:
            shutil.rmtree(graph.parent)
        found = VectorStore(folder, catalogue, vectors).nearest(vectors[7], 10)
        assert found == self.nearest(vectors, 10)
        assert [path for path in folder.iterdir() if path.is_dir()] != [home]

    def test_another_catalogue_is_rebuilt(self, built, tmp_path, catalogue, vectors):
        folder = shutil.copytree(built, tmp_path / "chroma")
        shorter = Catalogue(catalogue.items[:500])
        store = VectorStore(folder, shorter, vectors[:500])
        assert all(int(item_id) < 500 for item_id in store.nearest(vectors[900], 20))


class TestLexical(RetrieverContract):
    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("lexical")
        LexicalRetriever.build(folder, FILMS)
        return folder

    @pytest.fixture(scope="class")
    def retriever(self, folder):
        return LexicalRetriever(folder, FILMS)

    def test_the_only_item_with_the_word_comes_alone(self, retriever):
        assert ids(retriever.retrieve(Query(text="Clown!"), ANY, 5)) == ["17"]

    def test_words_nobody_has_and_stopwords_find_nothing(self, retriever):
        assert retriever.retrieve(Query(text="the zyxxor of it"), ANY, 5) == []

    def test_expansions_count_less(self, retriever):
        found = retriever.retrieve(Query(text="revenge", expansions=("clown",)), ANY, 5)
        assert ids(found) == ["15", "17"]

    def test_no_pickle_on_disk(self, folder):
        assert {path.suffix for path in folder.iterdir()} <= {".npy", ".json"}

    def test_a_catalogue_of_stopwords(self, tmp_path):
        films = Catalogue([Item("1", "It"), Item("2", "Who")])
        LexicalRetriever.build(tmp_path, films)
        everything = eligible(films, Constraints(), ())
        assert LexicalRetriever(tmp_path, films).retrieve(Query(text="it"), everything, 5) == []


class TestCollaborative(RetrieverContract):
    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("collaborative")
        CollaborativeRetriever.build(folder, FILMS, LIKES)
        return folder

    @pytest.fixture(scope="class")
    def retriever(self, folder):
        return CollaborativeRetriever(folder, FILMS)

    def test_two_items_by_hand(self, tmp_path):
        """Two users like both: G = [[2, 2], [2, 2]] + lambda I, so B off the diagonal is 2 / (2 + lambda)."""
        both = ratings(
            ("a", "10", 5.0), ("a", "11", 5.0), ("b", "10", 5.0), ("b", "11", 5.0), ("b", "12", 1.0)
        )
        CollaborativeRetriever.build(tmp_path, FILMS, both)
        (found,) = CollaborativeRetriever(tmp_path, FILMS).retrieve(Query(liked=("10",)), ANY, 5)
        assert found.item_id == "11"
        assert found.score == pytest.approx(2 / (2 + REGULARISATION), rel=1e-4)

    def test_items_liked_together_come_and_cold_items_do_not(self, retriever):
        assert set(ids(retriever.retrieve(Query(liked=("10",)), ANY, 8))) == {"11", "14"}
        assert retriever.retrieve(Query(liked=("15",)), ANY, 8) == []

    def test_dislikes_take_away_half_their_weight(self, retriever):
        ((_, from_liked),) = retriever.contributions("14", ("10",))
        ((_, from_disliked),) = retriever.contributions("14", ("11",))
        (found,) = retriever.retrieve(
            Query(liked=("10",), disliked=("11",)), eligible(FILMS, Constraints(), {"11"}), 8
        )
        assert found.item_id == "14"
        assert found.score == pytest.approx(from_liked - from_disliked / 2, rel=1e-5)

    def test_contributions_add_up_to_the_score(self, retriever):
        liked = ("10", "11")
        scores = {c.item_id: c.score for c in retriever.retrieve(Query(liked=liked), ANY, 8)}
        parts = retriever.contributions("14", liked)
        assert [item_id for item_id, _ in parts] == ["10", "11"]
        assert sum(weight for _, weight in parts) == pytest.approx(scores["14"], rel=1e-5)

    def test_contributions_of_cold_and_unknown_items(self, retriever):
        assert retriever.contributions("15", ("10",)) == ()
        with pytest.raises(UnknownItemError):
            retriever.contributions("zzz", ("10",))

    def test_another_catalogue_is_refused(self, folder):
        with pytest.raises(WorkspaceError, match="another catalogue"):
            CollaborativeRetriever(folder, Catalogue(FILMS.items[3:]))


class TestKnowledge(RetrieverContract):
    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("knowledge")
        KnowledgeRetriever.build(folder, FILMS, [Link("17", "award", "m.01"), Link("15", "award", "m.01")])
        return folder

    @pytest.fixture(scope="class")
    def retriever(self, folder):
        return KnowledgeRetriever(folder, FILMS)

    def test_shared_people_and_genres(self, retriever):
        assert ids(retriever.retrieve(Query(liked=("11",)), eligible(FILMS, Constraints(), {"11"}), 1)) == [
            "10"
        ]

    def test_links_connect_what_facets_do_not(self, retriever):
        assert ids(retriever.retrieve(Query(liked=("17",)), eligible(FILMS, Constraints(), {"17"}), 1)) == [
            "15"
        ]

    def test_wished_facets_are_entities_whatever_their_case(self, retriever):
        found = ids(retriever.retrieve(Query(facets=(Facet("cast", "ridley scott"),)), ANY, 5))
        assert sorted(found) == ["14", "15"]

    def test_dislikes_alone_say_nothing(self, retriever):
        assert retriever.retrieve(Query(disliked=("10",)), ANY, 5) == []

    def test_shared_facets_are_readable_and_rarest_first(self, retriever):
        assert retriever.shared("10", "11") == (
            Facet("directors", "Michael Mann"),
            Facet("genres", "crime"),
            Facet("genres", "thriller"),
        )
        assert retriever.shared("12", "16")[-1] == Facet("genres", "comedy")
        assert retriever.shared("15", "17") == ()

    def test_a_link_to_an_unknown_item_is_refused(self, tmp_path):
        with pytest.raises(UnknownItemError, match="zzz"):
            KnowledgeRetriever.build(tmp_path, FILMS, [Link("zzz", "award", "m.01")])


class TestPopularity(RetrieverContract):
    @pytest.fixture(scope="class")
    def retriever(self):
        return PopularityRetriever(FILMS, LIKES)

    def test_it_always_answers(self, retriever):
        assert len(retriever.retrieve(Query(), ANY, 100)) == len(FILMS)

    def test_one_perfect_rating_does_not_beat_many_good_ones(self):
        many = [(f"u{user}", "10", 4.0) for user in range(30)]
        found = PopularityRetriever(FILMS, ratings(*many, ("u0", "11", 5.0), ("u1", "12", 1.0)))
        assert ids(found.retrieve(Query(), ANY, 3))[:2] == ["10", "11"]

    def test_many_bad_ratings_do_not_beat_fewer_good_ones(self):
        bad = [(f"u{user}", "10", 1.0) for user in range(60)]
        good = [(f"u{user}", "11", 5.0) for user in range(40)]
        assert ids(PopularityRetriever(FILMS, ratings(*bad, *good)).retrieve(Query(), ANY, 1)) == ["11"]

    def test_without_ratings_counts_decide(self):
        seen = ratings(("a", "13"), ("b", "13"), ("a", "12"))
        assert ids(PopularityRetriever(FILMS, seen).retrieve(Query(), ANY, 2)) == ["13", "12"]

    def test_without_interactions_the_catalogue_decides(self):
        assert ids(PopularityRetriever(FILMS, None).retrieve(Query(), ANY, 8)) == list(FILMS.ids)
        known = Catalogue([Item("a", "A", popularity=1.0), Item("b", "B", popularity=3.0)])
        found = PopularityRetriever(known, None).retrieve(Query(), eligible(known, Constraints(), ()), 2)
        assert ids(found) == ["b", "a"]


@pytest.mark.parametrize(
    ("file", "opened"),
    [
        ("vectors.npy", lambda folder: DenseRetriever(folder, FILMS, BagOfWordsEncoder())),
        ("params.index.json", lambda folder: LexicalRetriever(folder, FILMS)),
        ("weights.npy", lambda folder: CollaborativeRetriever(folder, FILMS)),
        ("links.json", lambda folder: KnowledgeRetriever(folder, FILMS)),
    ],
)
def test_missing_and_damaged_files_say_what_to_do(tmp_path, file, opened):
    with pytest.raises(WorkspaceError, match="Build the workspace again"):
        opened(tmp_path)
    (tmp_path / file).write_bytes(b"\x00garbage")
    with pytest.raises(WorkspaceError, match="Build the workspace again"):
        opened(tmp_path)


@pytest.mark.parametrize("title", ["The", "🎬", "<b>x</b>"])
def test_a_catalogue_without_an_indexable_word_can_be_searched(tmp_path, title):
    catalogue = Catalogue([Item("1", title)])
    LexicalRetriever.build(tmp_path / "lexical", catalogue)
    everything = eligible(catalogue, Constraints(), ())
    assert (
        LexicalRetriever(tmp_path / "lexical", catalogue).retrieve(Query(text="(none) the"), everything, 3)
        == []
    )


def test_words_meet_by_their_stems(tmp_path):
    catalogue = Catalogue(
        [Item("1", "A", description="Robbers plan heists."), Item("2", "B", description="A wedding.")]
    )
    LexicalRetriever.build(tmp_path / "lexical", catalogue)
    everything = eligible(catalogue, Constraints(), ())
    found = LexicalRetriever(tmp_path / "lexical", catalogue).retrieve(
        Query(text="the robber planning a heist"), everything, 3
    )
    assert ids(found) == ["1"]


def near(text=None, graph=None):
    """What "17" is like, all other items being like nothing but themselves; None: like nothing either."""
    texts, entities = np.eye(len(FILMS), dtype=np.float32), np.eye(len(FILMS))
    for matrix, like in ((texts, text), (entities, graph)):
        matrix[FILMS.row("17")] = matrix[FILMS.row(like)] if like else 0
    return Near(texts, sparse.csr_array(entities))


class TestColdItems(RetrieverContract):
    """ "15" and "17" were liked by nobody; "17" reads like "11", which was liked together with "10"."""

    @pytest.fixture(scope="class")
    def retriever(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("cold")
        CollaborativeRetriever.build(folder, FILMS, LIKES, near(text="11"))
        return CollaborativeRetriever(folder, FILMS)

    def scores(self, retriever, *liked, disliked=()):
        query = Query(liked=liked, disliked=disliked)
        return {c.item_id: c.score for c in retriever.retrieve(query, ANY, len(FILMS))}

    def test_a_cold_item_scores_as_what_it_is_like_less_what_the_penalty_takes(self, retriever):
        # Kernel 1 + 4 and penalty .5 on the diagonal, 1 between "17" and "11": 1.2 x 1 / 5.5 of its score.
        found = self.scores(retriever, "10")
        assert found["17"] == pytest.approx(found["11"] * UNSHRUNK / 5.5, rel=1e-4)
        assert "15" not in found

    def test_a_neighbour_in_the_graph_counts_four_times_as_much(self, retriever, tmp_path):
        CollaborativeRetriever.build(tmp_path, FILMS, LIKES, near(graph="11"))
        by_graph = self.scores(CollaborativeRetriever(tmp_path, FILMS), "10")
        assert by_graph["17"] == pytest.approx(4 * self.scores(retriever, "10")["17"], rel=1e-4)

    def test_a_liked_cold_item_speaks_as_what_it_is_like(self, retriever):
        cold, known = self.scores(retriever, "17"), self.scores(retriever, "11")
        assert cold["10"] == pytest.approx(known["10"] / 5.5, rel=1e-4)
        assert self.scores(retriever, "15") == {}

    def test_known_items_are_scored_as_without_any_cold_one(self, retriever, tmp_path):
        CollaborativeRetriever.build(tmp_path, FILMS, LIKES)
        without = self.scores(CollaborativeRetriever(tmp_path, FILMS), "10", disliked=("12",))
        found = self.scores(retriever, "10", disliked=("12",))
        assert {item_id: found[item_id] for item_id in without} == without

    def test_contributions_add_up_and_say_nothing_about_being_known(self, retriever):
        parts = dict(retriever.contributions("17", ("10", "14")))
        assert sum(parts.values()) == pytest.approx(self.scores(retriever, "10", "14")["17"], rel=1e-4)
        assert retriever.knows("11")
        assert not retriever.knows("17")
        assert not retriever.knows("15")


def test_factors_are_the_best_ones_of_their_number_and_always_the_same():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(150, 40)).astype(np.float32) @ rng.normal(size=(40, 150)).astype(np.float32)
    like = Near(np.eye(151, dtype=np.float32), sparse.csr_array((151, 1)))
    givers, takers = expected_factors(weights, like, np.arange(150))
    sizes = np.linalg.svd(weights, compute_uv=False)
    lost = np.linalg.norm(givers[:150] @ takers[:150].T - weights)
    assert lost == pytest.approx(np.linalg.norm(sizes[32:]), rel=1e-3)
    again = expected_factors(weights, like, np.arange(150))
    assert np.array_equal(givers, again[0])
    assert not givers[150].any()

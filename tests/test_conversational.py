"""The learned scorer as it serves: a source, the last word, and what it says of its reasons."""

import math

import numpy as np
import pytest
from retriever_contract import FILMS, RetrieverContract
from scorer_contract import ScorerContract, candidates

from agent.plan import spoken
from agent.types import DialogueState, Preference
from retrieval.conversational import BESIDE, IN_DIALOGUE, ONLY_WORDS, Conversational
from retrieval.dialogue import Message
from retrieval.errors import UnknownItemError
from retrieval.ranker import Ranker
from retrieval.retriever import best
from retrieval.scorer import FusionScorer
from retrieval.scoring import open_scoring
from retrieval.types import Query

SAID = (Message("seeker", "something with crime", ("16",)),)


class Odds:
    """A model whose log-odds are written down: film 13 is likeliest, then 12, 11 and so on down."""

    def __init__(self):
        self.read = 0

    def scores(self, messages):
        self.read += 1
        return np.array([0.0, 1.0, 2.0, 3.0, -1.0, -2.0, -3.0, -4.0], dtype=np.float32)

    def read_ahead(self, dialogues):
        self.ahead = dialogues

    def familiarity(self, item_ids):
        return 0.5 if item_ids else 1.0

    def contributions(self, messages, item_id):
        FILMS.row(item_id)
        return {"chance": 2.0, "rank by chance": 1.0, "named together": 1.0, "year": -5.0}


class TestSource(RetrieverContract):
    query = Query(text="crime", liked=("16",), messages=SAID)

    @pytest.fixture
    def retriever(self):
        return Conversational(FILMS, Odds())


class TestScorer(ScorerContract):
    query = Query(liked=("16",), messages=SAID)

    @pytest.fixture
    def scorer(self):
        return Conversational(FILMS, Odds())

    def test_the_joint_score_by_hand(self, scorer):
        found = {one.item_id: one.score for one in scorer.score(self.query, self.given)}
        assert found["13"] == pytest.approx(3.0 + 2 * BESIDE * math.log(0.02))
        assert found["10"] == pytest.approx(0.0 + 2 * BESIDE * math.log(0.05))


class TestFusion(ScorerContract):
    @pytest.fixture
    def scorer(self):
        return FusionScorer()


def test_free_words_alone_are_left_to_the_sources_that_read_text():
    scorer, given = Conversational(FILMS, Odds()), candidates(0.05, 0.04, 0.03, 0.02)
    words = scorer.score(Query(text="a clown in a town", messages=SAID), given)
    assert [one.item_id for one in words] == ["10", "11", "12", "13"]
    assert words[0].score == pytest.approx(ONLY_WORDS * math.log(0.05))


def test_a_dialogue_in_both_sides_words_is_what_the_model_knows_best():
    scorer, given = Conversational(FILMS, Odds()), candidates(0.05, 0.04, 0.03, 0.02)
    said = (*SAID, Message("recommender", "have you seen this one?", ("17",)))
    found = {c.item_id: c.score for c in scorer.score(Query(text="crime", messages=said), given)}
    assert found["11"] == pytest.approx(1.0 + IN_DIALOGUE * math.log(0.04))


def test_a_query_without_messages_is_left_to_fusion():
    model = Odds()
    scorer, given = Conversational(FILMS, model), candidates(0.05, 0.04)
    assert scorer.score(Query(liked=("16",)), given) == given
    assert scorer.shares(Query(liked=("16",)), "10") == ()
    assert model.read == 0


def test_a_dialogue_is_read_once_for_the_source_and_the_last_word():
    model = Odds()
    ranker = ranker_with(Conversational(FILMS, model))
    query = Query(liked=("16",), messages=SAID)
    ranking = ranker.rank(query, 3)
    assert ranker.rank_of(query, ranking.candidates[0].item_id).rank == 1
    assert model.read == 1


def test_the_model_is_told_of_the_dialogues_to_come():
    model = Odds()
    ranker_with(Conversational(FILMS, model)).read_ahead([Query(messages=SAID), Query(text="crime")])
    assert model.ahead == [SAID]


def test_what_speaks_for_an_item_adds_up_to_one():
    ranker = ranker_with(Conversational(FILMS, Odds()))
    query = Query(liked=("16",), messages=SAID)
    first = ranker.rank(query, 1).candidates[0]
    parts = dict(ranker.weighed(query, first))
    assert sum(parts.values()) == pytest.approx(1.0)
    # The model's part is 1 / (1 + w), w doubled by a familiarity of .5; of it, towers are (2 + 1) of 4.
    assert parts["towers"] == pytest.approx(0.75 / (1 + 2 * BESIDE))
    assert parts["together"] == pytest.approx(0.25 / (1 + 2 * BESIDE))
    assert "popularity" not in parts  # its one feature speaks against it
    with pytest.raises(UnknownItemError, match="nowhere"):
        ranker.scorer.shares(query, "nowhere")


def test_a_state_is_told_as_a_dialogue():
    likes = tuple(Preference("item", FILMS[i].label, i, 1) for i in ("10", "11"))
    wants = (Preference("genres", "comedy", None, 2),)
    state = DialogueState(
        liked=likes, wants=wants, years=(1990, 1999), shown=tuple(f"s{k}" for k in range(9))
    )
    said = spoken(state, ("10", "11"))
    assert said == (Message("seeker", "comedy 1990s", ("10", "11")),)
    assert spoken(DialogueState(shown=("s1",)), ()) == ()
    assert spoken(DialogueState(years=(1975, 1985), wants=wants), ())[0].text == "comedy"


def test_a_workspace_without_a_scorer_and_one_whose_scorer_is_damaged(tmp_path):
    missing = open_scoring(tmp_path / "none", FILMS, None, np.zeros((8, 2)))
    assert (missing.scorer, missing.fault) == (None, "")
    (tmp_path / "scorer").mkdir()
    (tmp_path / "scorer" / "tower.json").write_text("{")
    damaged = open_scoring(tmp_path / "scorer", FILMS, None, np.zeros((8, 2)))
    assert damaged.scorer is None
    assert "Train the scorer again" in damaged.fault


def ranker_with(scorer):
    class Fixed:
        name = "dense"

        def retrieve(self, query, eligible, n):
            scores = np.arange(8, 0, -1, dtype=float)
            return best("dense", FILMS, scores, eligible.mask, n)

    return Ranker(FILMS, [Fixed(), scorer], scorer)

"""The dialogue benchmark: what is a target, how ranks become figures, what each signal says. By hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.benchmarks.redial import ALL, NEW, Fused, Redial, Repeats, rank, rank_baselines, read_redial, tables
from eval.ranking import gains, measure_ranks, places
from finetune.config import ConfigError
from finetune.targets import cases, read_conversations
from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message, mentioned, whole_text
from retrieval.errors import CatalogueError
from retrieval.signals.comentions import Comentions, Mentions, Popularity
from retrieval.signals.linear import LinearMentions
from retrieval.signals.texts import Meaning, Words
from retrieval.types import Item

FILMS = Catalogue(
    Item(item_id, title, description=text)
    for item_id, title, text in (
        ("a", "Heat", "A thief and a detective."),
        ("b", "Ronin", "Mercenaries hunt a case."),
        ("c", "Big", "A boy wakes up as a man."),
        ("d", "Jaws", "A shark."),
    )
)


class LettersEncoder:
    """Stands in for the model: how often each letter occurs."""

    name = "letters"

    def encode(self, texts, progress=None):
        counts = [[text.lower().count(chr(97 + k)) + 0.01 for k in range(26)] for text in texts]
        vectors = np.array(counts, dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def seeker(text: str = "", *items: str) -> Message:
    return Message("seeker", text, items)


def recommender(text: str = "", *items: str) -> Message:
    return Message("recommender", text, items)


def turn(role: str, text: str, *items: str) -> dict[str, Any]:
    return {"role": role, "text": text, "items": list(items)}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def dialogue(identity: str, *turns: dict[str, Any]) -> dict[str, Any]:
    return {"conversation_id": identity, "turns": list(turns)}


def sequence(identity: str, *mentions: tuple[str, str]) -> dict[str, Any]:
    said = [{"by": by, "item_id": item, "liked": True} for by, item in mentions]
    return {"conversation_id": identity, "mentions": said}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"item_id": item.item_id, "title": item.title, "plot": item.description} for item in FILMS]
    write(tmp_path / "catalogue.jsonl", *rows)
    write(
        tmp_path / "train.jsonl",
        dialogue("1", turn("seeker", "I like Heat", "a"), turn("recommender", "See Ronin", "b")),
    )
    both = ("seeker", "a"), ("recommender", "b")
    write(tmp_path / "sequences.jsonl", sequence("1", *both), sequence("2", *both))
    write(
        tmp_path / "valid.jsonl",
        dialogue(
            "3",
            turn("recommender", "Jaws?", "d"),
            turn("seeker", "I like Heat", "a"),
            turn("recommender", "Heat is great. See Ronin or the unknown one", "a", "b"),
            turn("recommender", "Ronin!", "b", "x"),
        ),
    )
    return tmp_path


def test_turns_of_one_side_are_one_message_and_mentions_stay_apart(folder: Path) -> None:
    (messages,) = read_conversations(folder / "valid.jsonl").values()
    assert [message.role for message in messages] == ["recommender", "seeker", "recommender"]
    assert messages[2].items == ("a", "b", "b", "x")
    assert messages[2].text.endswith("unknown one Ronin!")
    one, two = read_conversations(folder / "sequences.jsonl").values()
    assert one == two == (seeker("", "a"), recommender("", "b"))


def test_an_opening_message_has_no_targets_and_a_target_counts_once(folder: Path) -> None:
    (case,) = cases(read_conversations(folder / "valid.jsonl"))
    assert case.targets == ("a", "b", "x")
    assert case.new == ("b", "x")
    assert mentioned(case.before) == ("d", "a")


@pytest.mark.parametrize(
    "row",
    [
        {"conversation_id": "9"},
        {"conversation_id": "9", "turns": [{"role": "robot", "text": "", "items": []}]},
        {"conversation_id": "9", "turns": [{"role": "seeker", "text": "", "items": None}]},
        {"conversation_id": "9", "mentions": [{"by": "seeker"}]},
    ],
)
def test_malformed_dialogues_are_refused_with_file_and_line(row: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path / "odd.jsonl", dialogue("8", turn("seeker", "hi")), row)
    with pytest.raises(ConfigError, match=r"odd\.jsonl:2: expected `turns`"):
        read_conversations(path)


def test_a_dialogue_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "twice.jsonl", *[dialogue("8", turn("seeker", "hi"))] * 2)
    with pytest.raises(ConfigError, match=r"twice\.jsonl:2: conversation_id '8'"):
        read_conversations(path)


def test_a_dialogue_to_judge_may_not_be_learned_from(folder: Path) -> None:
    write(folder / "sequences.jsonl", sequence("3", ("seeker", "a")))
    with pytest.raises(CatalogueError, match="dialogue '3'"):
        read_redial(folder)


def test_places_count_from_one_share_ties_and_pass_over_what_is_excluded() -> None:
    scores = np.array([0.9, 0.5, 0.5, 0.1], np.float32)
    assert places(scores, [0, 1, 3, None], np.array([], np.int64)) == [1, 2.5, 4, np.inf]
    assert places(scores, [1, 3], np.array([0])) == [1.5, 3]


def test_gains_by_hand() -> None:
    first, third, eleventh, missing = gains(np.array([1, 3, 11, np.inf]))
    assert first.tolist() == [1, 1, 1, 1, 1]
    assert third.tolist() == [0, 1, 1, pytest.approx(1 / 3), 0.5]
    assert eleventh.tolist() == [0, 0, 1, pytest.approx(1 / 11), 0]
    assert missing.tolist() == [0, 0, 0, 0, 0]


def test_figures_are_means_over_targets_with_intervals_over_dialogues() -> None:
    figures = measure_ranks("one", [1, 1, 1, 100], [0, 0, 0, 1], n_dialogues=2)
    assert figures.recall_1.value == 0.75  # three of four targets, though only one of two dialogues
    assert (figures.recall_1.low, figures.recall_1.high) == (0, 1)


def test_repeating_wins_where_all_targets_count_and_nothing_where_new_ones_do(folder: Path) -> None:
    data = read_redial(folder)
    (case,) = cases(data.held_out)
    found = rank("repeats", [Repeats(data.catalogue).scores(case.before)], data)
    assert found.ranks[ALL] == [1, 3.5, np.inf]  # Heat was named last; Ronin ties with Big
    assert found.ranks[NEW] == [1.5, np.inf]
    assert found.dialogues[NEW] == [0, 0]


def mentions(*dialogues: tuple[Message, ...]) -> Mentions:
    return Mentions.count(dialogues, FILMS)


PAIRS = mentions(
    (seeker("", "a"), recommender("", "b")),
    (seeker("", "a"), recommender("", "b", "unknown"), recommender("", "b")),
    (seeker("", "c"), recommender("", "d")),
    (recommender("", "d"),),
)


def test_popularity_is_the_share_of_dialogues_that_recommend_an_item() -> None:
    assert Popularity(PAIRS).scores(()).tolist() == [0, 0.5, 0, 0.5]


def test_comentions_are_shrunk_conditional_shares() -> None:
    signal = Comentions(PAIRS, FILMS)
    scores = signal.scores((seeker("", "a", "unknown"), seeker("", "a")))
    # P(i | a) = (together with a + 10 x share) / (2 + 10)
    assert scores.tolist() == pytest.approx([2 / 12, (2 + 5) / 12, 0, 5 / 12])
    assert signal.scores((seeker("hello"),)).tolist() == [0, 0, 0, 0]


def test_linear_mentions_are_ease_on_items_named_twice() -> None:
    signal = LinearMentions(PAIRS, FILMS)
    # Kept are a, b, d; X'X + 20 I has the block [[22, 2], [2, 22]] of a and b: B[a, b] = 2 / 22.
    assert signal.scores((seeker("", "a"),)).tolist() == pytest.approx([0, 2 / 22, 0, 0])
    assert signal.scores((seeker("", "c"),)).tolist() == [0, 0, 0, 0]


def test_words_and_meaning_read_the_end_of_the_dialogue() -> None:
    messages = (seeker("zzz " * 400), seeker("something with a shark"))
    assert whole_text(messages, 5) == "shark"
    assert np.argmax(Words(FILMS).scores(messages)) == 3
    assert Words(FILMS).scores((seeker("the"),)).tolist() == [0, 0, 0, 0]
    vectors = LettersEncoder().encode(["Jaws. A shark.", "something with a shark"])
    meaning = Meaning(FILMS, LettersEncoder()).scores((seeker("something with a shark"),))
    assert meaning[3] == pytest.approx(vectors[0] @ vectors[1])


def test_fusion_adds_reciprocal_ranks() -> None:
    fused = Fused([Popularity(PAIRS), Comentions(PAIRS, FILMS)])
    scores = fused.scores((seeker("", "a"),))
    # Popularity: b, d, a, c. Co-occurrence: b, d, a, c.
    assert scores.tolist() == pytest.approx([2 / 63, 2 / 61, 2 / 64, 2 / 62])


def test_the_tables_hold_both_protocols_every_baseline_and_how_far_down_targets_are(folder: Path) -> None:
    data: Redial = read_redial(folder)
    ranked = rank_baselines(data, LettersEncoder(), say=lambda text: None)
    new, every, depth = tables(ranked, data, seed=0)
    names = [row.system for row in new.rows]
    assert names[:3] == ["repeat what was named", "popularity", "BM25"]
    assert "GPT-4" in names[-2]
    assert new.title == "ReDial validation, 2 new targets"
    assert every.title == "ReDial validation, 3 all targets"
    found = {row.system: row.recall_1.value for row in new.rows[:-2]}
    assert found["co-occurrence"] == 0.5  # Ronin first, and the unknown film is a miss
    assert depth.rows[-1].recall_200 == 0.5

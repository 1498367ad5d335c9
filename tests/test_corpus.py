"""What a workspace's scorer learns from: dialogues in its own ids, and likes told as conversations."""

import json

import pytest

from finetune.config import ConfigError
from finetune.corpus import GIVEN, STRETCH, STRETCHES, corpus, from_likes, known_conversations
from finetune.splits import held_out_users
from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message
from retrieval.interactions import Interactions
from retrieval.types import Interaction, Item

FILMS = Catalogue(
    [
        Item("h", "Heat", 1995),
        Item("f", "Fargo", 1996),
        *(Item(f"x{k}", f"Film {k}", 2000) for k in range(60)),
    ]
)
THEIRS = [
    {"item_id": "1", "title": "Heat", "year": 1995},
    {"item_id": "2", "title": "Fargo", "year": 1996},
    {"item_id": "3", "title": "Nobody's", "year": 1999},
]
DIALOGUE = {
    "conversation_id": "c1",
    "turns": [
        {"role": "seeker", "text": "I liked Heat (1995) and Nobody's (1999) a lot", "items": ["1", "3"]},
        {"role": "recommender", "text": "Try Fargo (1996)!", "items": ["2"]},
    ],
}
LIKES = Interactions.from_rows(
    [Interaction(f"u{u}", f"x{k}", 5.0 if k % 2 else 1.0) for u in range(8) for k in range(60)], FILMS
)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "catalogue.jsonl", THEIRS)
    write(tmp_path / "train.jsonl", [DIALOGUE])
    return tmp_path


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_dialogues_come_in_the_ids_of_the_catalogue_and_without_the_names(folder):
    (messages,) = known_conversations(folder, "train", FILMS).values()
    assert messages == (
        Message("seeker", "I liked   and   a lot", ("h",)),
        Message("recommender", "Try  !", ("f",)),
    )
    assert known_conversations(folder, "sequences", FILMS) == {}


def test_ids_that_the_catalogue_has_itself_are_kept(folder):
    own = Catalogue([Item(row["item_id"], row["title"], row["year"]) for row in THEIRS])
    (messages,) = known_conversations(folder, "train", own).values()
    assert [message.items for message in messages] == [("1", "3"), ("2",)]


def test_likes_are_told_in_stretches_of_what_is_liked_and_not_of_users_kept_for_the_figures():
    told = from_likes(LIKES, FILMS, 0)
    held = held_out_users(LIKES.users)
    assert held
    assert {name.split(",")[0].removeprefix("likes of ") for name in told} == set(LIKES.users) - held
    for said, offered in told.values():
        assert (said.role, offered.role) == ("seeker", "recommender")
        assert 1 <= len(said.items) <= GIVEN
        assert 2 <= len(said.items + offered.items) <= STRETCH
        assert all(int(item[1:]) % 2 for item in said.items + offered.items)
    for user in set(LIKES.users) - held:
        parts = [m for name, m in told.items() if name.startswith(f"likes of {user},")]
        assert 0 < len(parts) <= STRETCHES
        items = [item for said, offered in parts for item in said.items + offered.items]
        assert len(items) == len(set(items))
    assert told == from_likes(LIKES, FILMS, 0) != from_likes(LIKES, FILMS, 1)


def test_without_dialogues_everything_is_learned_from_likes(folder):
    alone = corpus(FILMS, None, LIKES, 0)
    assert alone.texts == from_likes(LIKES, FILMS, 0)
    assert alone.sequences == {}
    both = corpus(FILMS, folder, LIKES, 0)
    assert "c1" in both.texts
    told = {name for name in both.texts if name != "c1"} | set(both.sequences)
    assert told == set(alone.texts)
    assert both.sequences


def test_nothing_to_learn_from_and_a_catalogue_without_any_of_the_films(folder):
    with pytest.raises(ConfigError, match="nothing to learn from"):
        corpus(FILMS, None, None, 0)
    with pytest.raises(ConfigError, match="none of its 3 items"):
        known_conversations(folder, "train", Catalogue([Item("z", "Zodiac", 2007)]))
    (folder / "train.jsonl").write_text('{"conversation_id": "c1"}\n')
    with pytest.raises(ConfigError, match=r"train\.jsonl:1"):
        known_conversations(folder, "train", FILMS)

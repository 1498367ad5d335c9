"""Labelled dialogues become messages with verdicts, where they are said and not elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small import context

from finetune.config import ConfigError
from finetune.dialogues import dialogue_messages, read_dialogues, read_titles, seeker_messages
from finetune.families import Said

TITLES = {"1": "Heat (1995)", "2": "Ronin (1998)", "3": "Big (1988)"}


def turn(role: str, text: str, *items: str) -> dict[str, Any]:
    return {"role": role, "text": text, "items": list(items)}


def label(liked: bool | None, seen: bool | None = None) -> dict[str, Any]:
    return {"liked": liked, "seen": seen, "suggested": False}


def said(turns: list[dict[str, Any]], **labels: dict[str, Any]) -> list[Said]:
    dialogue = {"conversation_id": "7", "turns": turns, "labels": {k[1:]: v for k, v in labels.items()}}
    return list(dialogue_messages(dialogue, TITLES, context()))


def test_a_film_that_the_seeker_names_has_its_label() -> None:
    found = said(
        [turn("seeker", "I love Heat (1995) but Big (1988) bored me", "1", "3")],
        _1=label(True),
        _3=label(False),
    )
    assert [one.frame for one in found] == [
        {"act": "inform", "like": ["Heat (1995)"], "dislike": ["Big (1988)"]}
    ]


def test_a_film_without_a_label_has_no_verdict() -> None:
    found = said([turn("seeker", "do you know Heat (1995), a crime film", "1")], _1=label(None))
    assert all("like" not in one.frame for one in found)


def test_films_of_the_recommender_are_on_show() -> None:
    turns = [
        turn("recommender", "Ronin (1998)? Or Big (1988)?", "2", "3"),
        turn("seeker", "I loved the first"),
    ]
    (_, scene, names), *_ = seeker_messages({"turns": turns}, TITLES)
    assert scene.shown == ("Ronin (1998)", "Big (1988)")
    assert scene.asked.startswith("Ronin")
    assert names == {"#1": "2", "#2": "3"}
    frames = said(turns, _2=label(True, seen=True), _3=label(None))
    assert [one.frame for one in frames] == [{"act": "inform", "like": ["#1"]}]


def test_an_unseen_film_that_is_taken_is_accepted() -> None:
    turns = [turn("recommender", "Ronin (1998).", "2"), turn("seeker", "Great, I will check it out")]
    assert [one.frame for one in said(turns, _2=label(True, seen=False))] == [
        {"act": "accept", "about": ["#1"]}
    ]


def test_who_still_asks_has_not_judged() -> None:
    turns = [turn("recommender", "Ronin (1998).", "2"), turn("seeker", "What is it about?")]
    assert said(turns, _2=label(False)) == []


def test_a_verdict_is_taught_once() -> None:
    turns = [turn("seeker", "Heat (1995) was great", "1"), turn("seeker", "Heat (1995) again", "1")]
    turns.insert(1, turn("recommender", "Yes."))
    assert [one.frame.get("like") for one in said(turns, _1=label(True))] == [["Heat (1995)"]]


@pytest.mark.parametrize(
    ("content", "problem"),
    [("{", "d.jsonl:1: not JSON"), ('{"turns": 3}', "d.jsonl:1: expected an object with")],
)
def test_a_damaged_file_names_its_line(content: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "d.jsonl"
    file.write_text(content)
    with pytest.raises(ConfigError, match=problem):
        list(read_dialogues(file))


def test_a_damaged_catalogue_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.jsonl"
    file.write_text('{"item_id": 1, "title": "Heat"}\n{"title": "Big"}')
    with pytest.raises(ConfigError, match=r"catalogue\.jsonl:2: expected an object with item_id and title"):
        read_titles(file)


def test_titles_are_written_as_dialogues_write_them(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.jsonl"
    rows = [{"item_id": 5, "title": "Heat", "year": 1995}, {"item_id": "6", "title": "Big"}]
    file.write_text("\n".join(map(json.dumps, rows)))
    assert read_titles(file) == {"5": "Heat (1995)", "6": "Big"}

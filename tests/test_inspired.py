"""INSPIRED as it is shared and as it is published: the same dialogues, the same targets, clear errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.benchmarks.inspired import HELD_OUT, InspiredError, read_inspired, read_published, tables
from eval.benchmarks.redial import ALL, NEW, Ranked, rank
from finetune.config import ConfigError
from finetune.splits import place
from finetune.targets import cases
from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message
from retrieval.errors import CatalogueError
from retrieval.types import Item

FILMS = (("1", "Joker", 2019), ("2", "Heat", 1995), ("3", "Knives Out", 2019))
CATALOGUE = Catalogue(Item(*film) for film in FILMS)
HEADER = "dialog_id\tutt_id\tspeaker\ttext\tmovies"


def write(folder: Path, name: str, *lines: str | dict[str, Any]) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("\n".join(texts) + "\n", "utf-8")
    return path


def catalogue(folder: Path) -> None:
    rows = ({"item_id": item_id, "title": title, "year": year} for item_id, title, year in FILMS)
    write(folder, "catalogue.jsonl", *rows)


def dialogue(identity: str, *items: str) -> dict[str, Any]:
    said = [{"role": "recommender", "text": "this one", "items": [item]} for item in items]
    turns = [{"role": "seeker", "text": "hi", "items": []}, *said]
    return {"conversation_id": identity, "turns": turns}


def test_published_rows_become_messages_whose_films_are_found_by_title_and_year(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "train.tsv",
        HEADER,
        "d1\t0\tSEEKER\thi\t",
        "d1\t1\tSEEKER\ti liked Joker\tJoker (2019)",
        "d1\t2\tRECOMMENDER\tthen these\tHeat (1995); Nothing We Have (2001); Knives Out (2020)",
        "d2\t0\tRECOMMENDER\thello\tHeat",
    )
    assert read_published(path, CATALOGUE) == {
        "d1": (
            Message("seeker", "hi i liked Joker", ("1",)),
            Message("recommender", "then these", ("2", "3")),
        ),
        "d2": (Message("recommender", "hello"),),
    }


def test_a_fixed_fifth_is_judged_and_never_learned_from(tmp_path: Path) -> None:
    catalogue(tmp_path / "redial")
    names = [f"d{number}" for number in range(60)]
    write(tmp_path / "inspired", "train.jsonl", *(dialogue(name, "1") for name in names))
    data = read_inspired(tmp_path / "inspired")
    assert set(data.held_out) == {name for name in names if place(f"inspired:{name}") < HELD_OUT}
    assert set(data.training) == set(names) - set(data.held_out)
    assert 0 < len(data.held_out) < 30


def test_a_validation_file_is_judged_where_there_is_one(tmp_path: Path) -> None:
    catalogue(tmp_path)
    write(tmp_path, "train.jsonl", dialogue("a", "1"), dialogue("b", "2"))
    write(tmp_path, "dev.tsv", HEADER, "c\t0\tSEEKER\thi\t", "c\t1\tRECOMMENDER\tHeat\tHeat (1995)")
    data = read_inspired(tmp_path)
    assert (set(data.training), set(data.held_out)) == ({"a", "b"}, {"c"})
    write(tmp_path, "valid.jsonl", dialogue("a", "1"))
    with pytest.raises(CatalogueError, match="'a' is both learned from and judged"):
        read_inspired(tmp_path)


def test_tables_by_hand(tmp_path: Path) -> None:
    catalogue(tmp_path)
    write(tmp_path, "train.jsonl", dialogue("a", "1"))
    write(tmp_path, "valid.jsonl", dialogue("b", "2", "3"), dialogue("c", "1"))
    data = read_inspired(tmp_path)
    # The recommender's messages follow each other, so they are one with two targets.
    scores = [np.array([3.0, 2.0, 1.0], dtype=np.float32) for _ in cases(data.held_out)]
    found = rank("the catalogue's order", scores, data)
    assert found.ranks == {ALL: [2.0, 3.0, 1.0], NEW: [2.0, 3.0, 1.0]}
    new, every, reached = tables([found], data, 0)
    assert new.title == "INSPIRED, 3 new targets of 2 dialogues"
    assert new.rows[0].recall_1.value == pytest.approx(1 / 3)
    assert every.rows[-1].system.startswith("MCCRS")
    assert reached.rows[0].recall_200 == 1.0


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InspiredError, match=r"There is no .*catalogue.jsonl, nor .*redial"):
        read_inspired(tmp_path / "inspired")
    catalogue(tmp_path)
    with pytest.raises(InspiredError, match=r"holds catalogue.jsonl. Expected train.jsonl, or train.tsv"):
        read_inspired(tmp_path)
    write(tmp_path, "train.tsv", "dialog_id\tspeaker", "a\tSEEKER")
    with pytest.raises(InspiredError, match="has no column text or movies"):
        read_inspired(tmp_path)
    write(tmp_path, "train.tsv", HEADER, "a\t0\tBOT\thi\t")
    with pytest.raises(InspiredError, match=r"train.tsv:2: the speaker is 'BOT'"):
        read_inspired(tmp_path)
    write(tmp_path, "train.jsonl", "{}")
    with pytest.raises(ConfigError, match=r"train.jsonl:1"):
        read_inspired(tmp_path)
    write(tmp_path, "train.jsonl", dialogue("a"))
    write(tmp_path, "valid.jsonl", dialogue("b"))
    with pytest.raises(InspiredError, match="No recommender of the 1 dialogues"):
        list(tables([Ranked("none", {ALL: [], NEW: []}, {ALL: [], NEW: []})], read_inspired(tmp_path), 0))

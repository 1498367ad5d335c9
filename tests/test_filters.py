"""Hard constraints: one definition, said three ways, and bent as little as possible."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.catalogue import Catalogue
from retrieval.errors import CatalogueError, QueryError
from retrieval.filters import describe, eligible, metadata, satisfies, where
from retrieval.relaxation import relaxations
from retrieval.types import Constraints, Facet, Item

VALUES = {
    "genres": ("comedy", "Horror", "sci-fi", "children's"),
    "moods": ("dark", "été"),
    "directors": ("Ana Lee", "ANA LEE", "Bo Straße"),
    "language": ("french", "japanese"),
    "audience": ("family",),
}
COMEDY, HORROR = Facet("genres", "comedy"), Facet("genres", "horror")
FRENCH, DARK, BO = Facet("language", "french"), Facet("moods", "dark"), Facet("directors", "Bo Straße")

facets = st.sampled_from([Facet(name, value) for name, values in VALUES.items() for value in values])
some_years = st.none() | st.integers(1990, 2010)
constraints = st.builds(
    Constraints,
    require=st.lists(st.lists(facets, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple),
    forbid=st.lists(facets, max_size=2).map(tuple),
    years=st.none() | st.tuples(some_years, some_years),
    max_minutes=st.none() | st.integers(80, 130),
)


def subset(name):
    return st.lists(st.sampled_from(VALUES[name]), max_size=2, unique=True).map(tuple)


items = st.builds(
    Item,
    item_id=st.just("?"),
    title=st.just("Film"),
    year=some_years,
    minutes=st.none() | st.integers(80, 130),
    genres=subset("genres"),
    moods=subset("moods"),
    directors=subset("directors"),
    language=st.none() | st.sampled_from(VALUES["language"]),
    audience=st.none() | st.just("family"),
)
catalogues = st.lists(items, min_size=1, max_size=12).map(
    lambda found: Catalogue(replace(item, item_id=str(row)) for row, item in enumerate(found))
)
exclusions = st.frozensets(st.sampled_from(["0", "1", "2", "nowhere"]))


@given(catalogues, constraints, exclusions)
def test_the_mask_is_the_definition(catalogue, wanted, exclude):
    found = eligible(catalogue, wanted, exclude)
    expected = [satisfies(item, wanted) and item.item_id not in exclude for item in catalogue]
    assert found.mask.tolist() == expected
    assert found.count == sum(expected)


@pytest.fixture(scope="module")
def chroma():
    import chromadb
    from chromadb.config import Settings

    return chromadb.EphemeralClient(Settings(anonymized_telemetry=False))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(catalogues, constraints, exclusions)
def test_chroma_agrees_with_the_mask(chroma, catalogue, wanted, exclude):
    collection = chroma.get_or_create_collection("filters", embedding_function=None)
    try:
        rows = range(len(catalogue))
        collection.add(
            ids=list(catalogue.ids),
            embeddings=[[1.0, float(row)] for row in rows],
            metadatas=[metadata(item) for item in catalogue],
        )
        found = eligible(catalogue, wanted, exclude)
        answer = collection.get(where=found.where, include=[])["ids"]
        assert set(answer) == {
            item_id for item_id, kept in zip(catalogue.ids, found.mask, strict=True) if kept
        }
    finally:
        chroma.delete_collection("filters")


def film(item_id, **fields):
    return Item(item_id, f"Film {item_id}", **fields)


def test_what_is_unknown_cannot_keep_a_promise_that_asks_for_it():
    blank = film("1")
    assert not satisfies(blank, Constraints(require=((COMEDY,),)))
    assert not satisfies(blank, Constraints(years=(None, 2000)))
    assert not satisfies(blank, Constraints(max_minutes=500))
    assert satisfies(blank, Constraints(years=(None, None)))
    assert satisfies(blank, Constraints(forbid=(HORROR,)))


def test_no_constraints_need_no_filter():
    assert where(Constraints()) is None
    assert where(Constraints(years=(None, None))) is None


def test_the_mask_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        eligible(Catalogue([film("1")]), Constraints(), ()).mask[0] = False


def test_nonsense_is_refused_and_quoted():
    catalogue = Catalogue([film("1")])
    with pytest.raises(CatalogueError, match="'shoe size'"):
        eligible(catalogue, Constraints(forbid=(Facet("shoe size", "42"),)), ())
    with pytest.raises(QueryError, match="empty group"):
        eligible(catalogue, Constraints(require=((),)), ())


def test_constraints_in_words():
    wanted = Constraints(
        require=((COMEDY, Facet("genres", "drama")), (FRENCH,), (BO, Facet("cast", "Bo Straße"))),
        forbid=(HORROR, DARK),
        years=(2015, None),
        max_minutes=100,
    )
    assert describe(wanted) == (
        "comedy or drama",
        "French language",
        "by or with Bo Straße",
        "no horror",
        "no dark mood",
        "from 2015 on",
        "up to 100 minutes",
    )
    assert describe(Constraints(years=(1990, 1999))) == ("from 1990 to 1999",)
    assert describe(Constraints(years=(1994, 1994))) == ("in 1994",)
    assert describe(Constraints()) == ()


class TestRelaxations:
    def test_nothing_is_given_up_while_something_fits(self):
        catalogue = Catalogue([film("1", genres=("comedy",))])
        wanted = Constraints(require=((COMEDY,),))
        assert relaxations(catalogue, wanted, ()) == (wanted, ())

    def test_a_few_minutes_go_before_a_genre(self):
        catalogue = Catalogue(
            [film("1", genres=("comedy",), minutes=108), film("2", genres=("horror",), minutes=90)]
        )
        wanted = Constraints(require=((COMEDY,),), max_minutes=100)
        assert relaxations(catalogue, wanted, ()) == (
            replace(wanted, max_minutes=108),
            ("running time up to 108 minutes instead of 100",),
        )

    def test_a_few_years(self):
        catalogue = Catalogue([film("1", year=2011, genres=("comedy",))])
        wanted = Constraints(require=((COMEDY,),), years=(2015, None))
        assert relaxations(catalogue, wanted, ()) == (
            replace(wanted, years=(2011, None)),
            ("release from 2011 on instead of from 2015 on",),
        )

    def test_a_mood_goes_before_a_person_before_a_genre(self):
        catalogue = Catalogue(
            [
                film("1", genres=("comedy",), directors=("Bo Straße",)),
                film("2", genres=("comedy",), moods=("dark",)),
                film("3", directors=("Bo Straße",), moods=("dark",)),
            ]
        )
        wanted = Constraints(require=((COMEDY,), (BO,), (DARK,)))
        assert relaxations(catalogue, wanted, ())[1] == ("dark mood",)
        assert relaxations(catalogue, wanted, {"1"})[1] == ("directed by Bo Straße",)
        assert relaxations(catalogue, wanted, {"1", "2"})[1] == ("comedy",)

    def test_what_the_catalogue_knows_nothing_of_is_said(self):
        catalogue = Catalogue([film("1", genres=("comedy",))])
        after, words = relaxations(catalogue, Constraints(require=((COMEDY,), (FRENCH,))), ())
        assert after == Constraints(require=((COMEDY,),))
        assert words == ("French language (no item in the catalogue is known to fit)",)

    def test_an_avoided_facet_is_the_last_resort(self):
        catalogue = Catalogue([film("1", genres=("horror", "comedy")), film("2")])
        wanted = Constraints(require=((COMEDY,), (DARK,)), forbid=(HORROR,))
        assert relaxations(catalogue, wanted, ())[0] == Constraints(forbid=(HORROR,))
        assert relaxations(catalogue, wanted, {"2"}) == (
            Constraints(require=((COMEDY,),)),
            ("dark mood (no item in the catalogue is known to fit)", "no horror"),
        )

    def test_excluded_items_never_come_back(self):
        catalogue = Catalogue([film("1")])
        wanted = Constraints(require=((COMEDY,),))
        assert relaxations(catalogue, wanted, {"1"}) == (wanted, ())

    @given(catalogues, constraints, exclusions)
    def test_it_helps_with_as_few_steps_as_possible_and_keeps_avoids(self, catalogue, wanted, exclude):
        after, words = relaxations(catalogue, wanted, exclude)
        assert relaxations(catalogue, wanted, exclude) == (after, words)
        assert set(after.require) <= set(wanted.require)
        left = [item for item in catalogue if item.item_id not in exclude]
        if not left:
            assert (after, words) == (wanted, ())
            return
        assert any(satisfies(item, after) for item in left)
        if any(satisfies(item, Constraints(forbid=wanted.forbid)) for item in left):
            assert after.forbid == wanted.forbid
            shorter = [bent for size in range(len(words)) for bent in dropped(wanted, size)]
            assert not any(satisfies(item, bent) for bent in shorter for item in left)


def dropped(wanted, size):
    """Every way to give up `size` promises altogether, avoids apart."""
    groups = list(dict.fromkeys(wanted.require))
    for gone in combinations([*groups, "years", "max_minutes"], size):
        bent = replace(wanted, require=tuple(group for group in groups if group not in gone))
        yield replace(bent, **{name: None for name in ("years", "max_minutes") if name in gone})


def test_relaxing_a_large_catalogue_with_many_constraints_is_quick():
    import time

    catalogue = Catalogue(film(str(row), genres=("horror",), year=1950) for row in range(5000))
    groups = tuple((Facet("themes", f"theme {number}"),) for number in range(40))
    started = time.perf_counter()
    after, words = relaxations(catalogue, Constraints(require=(*groups, (HORROR,)), years=(1952, None)), ())
    assert time.perf_counter() - started < 1.0
    assert (len(words), after) == (41, Constraints(require=((HORROR,),), years=(1950, None)))
    assert np.all(eligible(catalogue, after, ()).mask)

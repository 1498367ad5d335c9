"""What every retriever must do, whatever its method. A retriever's test class inherits this."""

import math

import numpy as np
import pytest

from retrieval.catalogue import Catalogue
from retrieval.filters import eligible
from retrieval.types import Constraints, Facet, Item, Query

FILMS = Catalogue(
    [
        Item("10", "Heat", 1995, ("crime", "thriller"), ("Michael Mann",), ("Al Pacino",), minutes=170),
        Item(
            "11", "Collateral", 2004, ("crime", "thriller"), ("Michael Mann",), ("Tom Cruise",), minutes=120
        ),
        Item(
            "12",
            "Toy Story",
            1995,
            ("animation", "comedy"),
            ("John Lasseter",),
            audience="family",
            minutes=81,
        ),
        Item("13", "Amelie", 2001, ("comedy", "romance"), language="french", minutes=122),
        Item("14", "Alien", 1979, ("horror", "sci-fi"), ("Ridley Scott",), themes=("space",), minutes=117),
        Item("15", "Gladiator", 2000, ("action", "drama"), ("Ridley Scott",), themes=("revenge",)),
        Item("16", "Space Jam", None, ("comedy", "animation"), audience="family", themes=("space",)),
        Item("17", "It", 1990, (), description="A clown scares the children of a small town."),
    ]
)
EVERYTHING = Constraints()


class RetrieverContract:
    """Needs a fixture `retriever` over FILMS and a query it has at least three candidates for."""

    query = Query(text="crime comedy space thriller", liked=("10", "12"))

    def retrieve(self, retriever, query, n, constraints=EVERYTHING, exclude=()):
        return retriever.retrieve(query, eligible(FILMS, constraints, exclude), n)

    def test_ranks_scores_and_evidence(self, retriever):
        found = self.retrieve(retriever, self.query, 8)
        assert len(found) >= 3
        assert [candidate.rank for candidate in found] == list(range(1, len(found) + 1))
        scores = [candidate.score for candidate in found]
        assert all(map(math.isfinite, scores))
        assert scores == sorted(scores, reverse=True)
        assert len({candidate.item_id for candidate in found}) == len(found)
        for candidate in found:
            (evidence,) = candidate.evidence
            assert (evidence.source, evidence.rank, evidence.score) == (
                retriever.name,
                candidate.rank,
                candidate.score,
            )

    def test_a_shorter_list_is_the_head_of_a_longer_one(self, retriever):
        everything = self.retrieve(retriever, self.query, 8)
        for n in range(1, 8):
            assert self.retrieve(retriever, self.query, n) == everything[:n]

    def test_n_above_the_catalogue_size(self, retriever):
        assert self.retrieve(retriever, self.query, 1000) == self.retrieve(retriever, self.query, 8)

    @pytest.mark.parametrize("n", [0, -1])
    @pytest.mark.parametrize("query", [Query(), query])
    def test_n_below_one_is_refused(self, retriever, n, query):
        with pytest.raises(ValueError, match=str(n)):
            self.retrieve(retriever, query, n)

    def test_excluded_items_never_come_and_the_others_keep_their_order(self, retriever):
        everything = [candidate.item_id for candidate in self.retrieve(retriever, self.query, 8)]
        without = self.retrieve(retriever, self.query, 8, exclude={everything[0], "no such item"})
        assert [candidate.item_id for candidate in without] == everything[1:]

    def test_only_eligible_items_come(self, retriever):
        wanted = Constraints(
            require=((Facet("genres", "comedy"), Facet("genres", "crime")),),
            forbid=(Facet("audience", "family"),),
        )
        found = {candidate.item_id for candidate in self.retrieve(retriever, self.query, 8, wanted)}
        assert found
        assert found <= {"10", "11", "13"}

    def test_nothing_eligible(self, retriever):
        assert self.retrieve(retriever, self.query, 8, exclude=FILMS.ids) == []

    def test_an_empty_query_is_no_error(self, retriever):
        assert len(self.retrieve(retriever, Query(), 3)) in (0, 3)

    def test_the_same_query_gives_the_same_answer(self, retriever):
        assert self.retrieve(retriever, self.query, 8) == self.retrieve(retriever, self.query, 8)

    def test_the_mask_is_left_alone(self, retriever):
        allowed = eligible(FILMS, EVERYTHING, {"13"})
        before = allowed.mask.copy()
        retriever.retrieve(self.query, allowed, 5)
        assert np.array_equal(allowed.mask, before)

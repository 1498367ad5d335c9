"""What every scorer must do, whatever its method. A scorer's test class inherits this."""

import math

from retriever_contract import FILMS

from retrieval.retriever import best
from retrieval.types import Query


def candidates(*scores):
    """The first films of FILMS with these fused scores, best first."""
    import numpy as np

    values = np.zeros(len(FILMS))
    values[: len(scores)] = scores
    return best("dense", FILMS, values, values > 0, len(scores))


class ScorerContract:
    """Needs a fixture `scorer` over FILMS and a query it has something to say to."""

    query = Query(text="crime", liked=("16",))
    given = candidates(0.05, 0.04, 0.03, 0.02)

    def test_it_keeps_exactly_the_items_and_their_evidence(self, scorer):
        found = scorer.score(self.query, self.given)
        assert {one.item_id: one.evidence for one in found} == {
            one.item_id: one.evidence for one in self.given
        }
        assert len(found) == len(self.given)

    def test_ranks_count_from_one_and_scores_fall(self, scorer):
        found = scorer.score(self.query, self.given)
        assert [one.rank for one in found] == [1, 2, 3, 4]
        scores = [one.score for one in found]
        assert all(map(math.isfinite, scores))
        assert scores == sorted(scores, reverse=True)

    def test_an_empty_list_and_a_single_item_are_no_error(self, scorer):
        assert scorer.score(self.query, []) == []
        (one,) = scorer.score(self.query, self.given[:1])
        assert (one.item_id, one.rank) == (self.given[0].item_id, 1)

    def test_an_empty_query_is_no_error(self, scorer):
        assert len(scorer.score(Query(), self.given)) == 4

    def test_two_items_keep_their_order_whatever_else_is_in_the_list(self, scorer):
        whole = [one.item_id for one in scorer.score(self.query, self.given)]
        for left_out in self.given:
            rest = [one for one in self.given if one != left_out]
            found = [one.item_id for one in scorer.score(self.query, rest)]
            assert found == [item for item in whole if item != left_out.item_id]

    def test_the_same_list_gives_the_same_answer(self, scorer):
        assert scorer.score(self.query, self.given) == scorer.score(self.query, self.given)

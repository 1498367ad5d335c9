"""The parts of the report: groups, lists for people never met, behaviour, and the modelled satisfaction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small

from agent.memory.store import Store
from agent.types import Frame, Reply, Trace
from eval.metrics import Estimate
from eval.satisfaction import overall
from eval.satisfaction.behaviour import (
    Session,
    approval,
    click_through,
    conversion,
    dwell,
    read_sessions,
    return_rate,
    simulated_sessions,
)
from eval.satisfaction.chapters.fairness import group_rows
from eval.satisfaction.chapters.wording import said_before
from eval.satisfaction.groups import GroupsError, belongings, read_groups
from eval.satisfaction.judged import Judged, genres_of, judge
from eval.satisfaction.kept import Measured, ReportFolderError
from eval.satisfaction.lists import OURS, POPULAR, RANDOM, SYSTEMS, Lists, Taster, listings, tasters
from eval.satisfaction.people import world_of
from eval.satisfaction.replies import Met, Said, Timed
from eval.simulate.runner import Exchange
from eval.simulate.unseen import without_users
from retrieval.interactions import Interactions
from retrieval.types import Interaction, Recommendation
from retrieval.workspace import Workspace

CATALOGUE, _, _ = small.parts()


class TestGroups:
    def test_a_file_of_users_as_grouplens_and_recbole_write_it(self, tmp_path: Path) -> None:
        expected = {
            "1": (("age", "under 25"), ("gender", "M"), ("occupation", "artist")),
            "2": (("age", "50 and over"), ("gender", "F"), ("occupation", "other")),
        }
        (tmp_path / "u.user").write_text("1|24|M|artist|85711\n2|53|F|other|94043\n", "utf-8")
        assert read_groups(tmp_path) == expected
        header = "user_id:token\tage:token\tgender:token\toccupation:token\n"
        (tmp_path / "ml-100k.user").write_text(f"{header}1\t24\tM\tartist\n2\t53\tF\tother\n", "utf-8")
        assert read_groups(tmp_path) == expected

    def test_what_is_not_known_is_left_out(self, tmp_path: Path) -> None:
        (tmp_path / "users.csv").write_text("user_id,gender,age\nana,F,\nbo,,30\n", "utf-8")
        assert read_groups(tmp_path) == {"ana": (("gender", "F"),), "bo": (("age", "25-34"),)}

    @pytest.mark.parametrize(
        ("name", "text", "told"),
        [
            ("users.csv", "name,age\nana,3\n", "has the columns name, age"),
            ("users.csv", "user_id,age\n", "0 rows"),
            ("users.csv", "user_id,age\nana,young\n", r"users.csv:2: the age is 'young'"),
            ("u.user", "1|24|M\n", r"u.user:1: .* has 3 cells"),
            ("other.txt", "", "holds other.txt. Expected one of ml-100k.user, u.user, users.csv"),
        ],
    )
    def test_what_cannot_be_read_names_file_row_and_what_is_expected(
        self, tmp_path: Path, name: str, text: str, told: str
    ) -> None:
        (tmp_path / name).write_text(text, "utf-8")
        with pytest.raises(GroupsError, match=told):
            read_groups(tmp_path)
        with pytest.raises(GroupsError, match="is no folder"):
            read_groups(tmp_path / "nowhere")

    def test_rare_occupations_are_put_together_and_activity_is_a_third(self) -> None:
        users = ["a", "b", "c", "d", "e", "f"]
        known = dict.fromkeys(users[:5], (("occupation", "artist"),)) | {"f": (("occupation", "farmer"),)}
        found = belongings(users, [1, 2, 3, 4, 5, 6], known)
        assert [dict(one)["occupation"] for one in found] == ["artist"] * 5 + ["few of a kind"]
        thirds = ["few likes"] * 2 + ["some likes"] * 2 + ["many likes"] * 2
        assert [dict(one)["activity"] for one in found] == thirds

    def test_a_group_is_held_against_those_of_whom_the_same_is_known(self) -> None:
        values = np.array([1.0, 1.0, 0.0, 0.0, 9.0])
        groups = ((("sex", "f"),),) * 2 + ((("sex", "m"),),) * 2 + ((),)
        (first, second) = group_rows(values, groups, 0)
        assert (first.group, first.people, first.others, first.verdict) == ("sex: f", 2, 0.0, "better")
        assert first.difference == Estimate(1.0, 1.0, 1.0)
        assert (second.difference.value, second.verdict) == (-1.0, "worse")


class TestMeasured:
    def test_what_was_measured_is_not_measured_again(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "measured.jsonl"
        Measured(path, {"seed": 0}).keep("one", Timed, lambda: Timed("rank", 0.5))
        with open(path, "a", encoding="utf-8") as file:
            file.write('{"name": "two", "reco')
        again = Measured(path, {"seed": 0})
        assert again.keep("one", Timed, lambda: Timed("other", 9.0)) == Timed("rank", 0.5)
        assert again.keep("two", Timed, lambda: Timed("new", 1.0)) == Timed("new", 1.0)
        assert len(path.read_text("utf-8").splitlines()) == 3

    def test_another_run_and_a_damaged_file_say_so(self, tmp_path: Path) -> None:
        path = tmp_path / "measured.jsonl"
        Measured(path, {"seed": 0})
        begun = Measured(path, {"seed": 1})  # nothing was measured yet, so nothing is lost
        begun.keep("one", Timed, lambda: Timed("rank", 0.5))
        with pytest.raises(ReportFolderError, match="seed 1, now 0"):
            Measured(path, {"seed": 0})
        path.write_text("{nonsense}\n", "utf-8")
        with pytest.raises(ReportFolderError, match="is damaged"):
            Measured(path, {"seed": 0})


def rated(likes: dict[str, str]) -> Interactions:
    """Users who like the items of a text in its order, and dislike one more."""
    rows = [
        Interaction(user, item_id, 5.0, float(time))
        for user, text in likes.items()
        for time, item_id in enumerate(text.split(), start=1)
    ]
    return Interactions.from_rows([*rows, Interaction("x", "big", 1.0, 1.0)], CATALOGUE)


class TestLists:
    def test_some_likes_may_be_given_and_the_others_are_to_be_found(self) -> None:
        known = rated({"ana": "thing alien heat fargo", "bo": "heat", "cy": "casino ronin"})
        found, left_out = tasters(known, ["ana", "bo", "cy"], CATALOGUE, 0)
        # One like may be given: two of the three have more than that, and only one has more than three.
        assert [(one.user, len(one.known), len(one.wanted)) for one in found] == [("ana", 1, 3), ("cy", 1, 1)]
        assert {*found[0].known, *found[0].wanted} == {"thing", "alien", "heat", "fargo"}
        assert tasters(known, ["ana"], CATALOGUE, 0)[0][0].known[0] == found[0].known[0]
        drawn = {tasters(known, ["ana"], CATALOGUE, seed)[0][0].known for seed in range(9)}
        assert len(drawn) > 1
        assert left_out == 1

    def test_lists_hold_nothing_that_is_known_and_popularity_is_the_same_for_all(
        self, unseen: Workspace, people: tuple[Taster, ...]
    ) -> None:
        found = list(listings(unseen, people, 0))
        steps = {one.given for one in found}
        assert {(one.system, one.given) for one in found} == {(s, g) for s in SYSTEMS for g in steps}
        for one in found:
            for taster, items in zip(people, one.lists, strict=True):
                assert len(set(items)) == len(items) <= 10
                assert not set(items) & set(taster.known)
        # With nothing given, every model of behaviour falls back on what is popular.
        nothing = {one.system: one.lists for one in found if one.given == 0}
        assert nothing["co-occurrence"] == nothing["EASE alone"] == nothing[POPULAR]
        assert nothing[RANDOM] != nothing[POPULAR]
        assert list(listings(unseen, people, 0)) == found

    def test_a_list_of_what_is_to_be_found_is_perfect(
        self, unseen: Workspace, people: tuple[Taster, ...]
    ) -> None:
        (ours, *_) = (one for one in listings(unseen, people, 0) if one.given == 1)
        perfect = replace(ours, lists=tuple(one.wanted[:10] for one in people))
        judged = judge(Lists(people, (perfect,), 0), OURS, 1, world_of(unseen))
        assert judged.each["ndcg"].tolist() == pytest.approx([1.0] * len(people))
        assert judged.each["mrr"].tolist() == [1.0] * len(people)
        assert judged.mean("hit", 0) == Estimate(1.0, 1.0, 1.0)

    def test_genres_are_columns(self) -> None:
        facets, names = genres_of(CATALOGUE)
        assert [names[g] for g in np.flatnonzero(facets[CATALOGUE.row("heat")])] == ["crime", "thriller"]


HELD_OUT = ("u0", "u4", "u9")


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return without_users(small.workspace(), frozenset(HELD_OUT), tmp_path_factory.mktemp("unseen"))


@pytest.fixture(scope="module")
def people() -> tuple[Taster, ...]:
    known = small.workspace().interactions
    assert known is not None
    return tasters(known, HELD_OUT, CATALOGUE, 0)[0]


def session(**changes: object) -> Session:
    return replace(Session("ana", 10, 2, 1, False, 3, (4.0, 8.0), 0.0), **changes)  # type: ignore[arg-type]


class TestBehaviour:
    def test_by_hand(self) -> None:
        found = [session(), session(cards=30, tapped=0, liked=0, began=1800.0, waits=(60.0,))]
        assert click_through(found).value == 2 / 40
        assert approval(found).value == 1 / 2
        assert conversion(found).value == 1 / 2
        assert conversion([session(liked=0, accepted=True)]).value == 1
        assert return_rate(found) == 1
        assert return_rate([session(), session(user="bo"), session(began=1799.0)]) == 0
        assert dwell(found) == 8

    def test_nothing_shown_is_nothing_known(self) -> None:
        alone = [session(cards=0, tapped=0, liked=0, waits=(), began=None)]
        assert np.isnan(click_through(alone).value)
        assert return_rate(alone) is None
        assert dwell(alone) is None

    def test_a_store_is_read_as_it_was_used(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = iter([100.0, 100.0, 107.0, 9000.0])
        path = tmp_path / "talk.db"
        cards = tuple(Recommendation(item, item, 0.0, rank) for rank, item in enumerate(("heat", "fargo"), 1))
        with Store(path) as store:
            talk = store.create("ana")
            for act in ("inform", "critique", "accept"):
                now = next(clock)
                with monkeypatch.context() as patch:
                    patch.setattr("agent.memory.store.time.time", lambda now=now: now)
                    place = store.begin_turn(talk, "hi", store.state(talk))
                    reply = Reply("…", cards, trace=Trace(frame=Frame(act=act), seconds=2.0))
                    store.finish_turn(talk, place, reply)
            store.record_feedback("ana", talk, "heat", "liked")
            store.record_feedback("ana", talk, "fargo", "disliked")
            store.record_feedback("ana", talk, "fargo", "cleared")
            store.record_feedback("ana", talk, "big", "liked")  # was never shown here
            store.create("bo")  # said nothing
        (found,) = read_sessions(path).found
        # Two seconds of each pause were the recommender's own; the first message was answered at once.
        assert found == Session("ana", 2, 1, 1, True, 3, (0.0, 5.0), 100.0)

    def test_no_store_is_no_session_and_is_not_made(self, tmp_path: Path) -> None:
        assert read_sessions(tmp_path / "none.db").found == ()
        assert not (tmp_path / "none.db").exists()


def exchange(shown: int, **changes: int) -> Exchange:
    counts = {"repeats": 0, "broken": 0} | changes
    items = tuple(map(str, range(shown)))
    return Exchange("hi", "open", False, "…", items, shown == 0, False, None, None, **counts)


def met(user: str, found: int | None, *exchanges: Exchange) -> Met:
    rank = None if found is None else 2
    return Met(f"{user}/t", found, rank, 0, exchanges, (), 0.1, 1, (Said("…", False, 3, (), 0.1, ()),))


class TestSatisfaction:
    def test_weights_are_shares_and_every_one_has_a_meaning(self) -> None:
        assert sum(overall.WEIGHTS.values()) == pytest.approx(1)
        assert overall.WEIGHTS.keys() == overall.MEANING.keys()

    def test_by_hand(self) -> None:
        tasters = [Taster("ana", (), ()), Taster("bo", (), ()), Taster("cy", (), ())]
        each = {
            "ndcg": np.array([0.5, 0.0, 1.0]),
            "simpson": np.array([0.8, 0.6, 1.0]),
            "miscalibration": np.array([0.0, np.log(2), 0.0]),
            "unexpected": np.array([0.4, 1.0, 1.0]),
        }
        judged = Judged(OURS, 5, each, {}, np.zeros(1), np.zeros(1))
        talks = [met("ana", 2, exchange(0), exchange(10, broken=1)), met("bo", None, exchange(10, repeats=5))]
        found = overall.satisfaction(tasters, judged, talks)
        assert found.users == ("ana", "bo")  # cy did not talk
        ana = 0.35 + 0.15 * 0.8 + 0.2 * 0.5 + 0.1 * 0.9 + 0.05 + 0.05 * 0.8 + 0.05 + 0.05 * 0.4
        bo = 0 + 0 + 0 + 0.1 + 0.05 * 0.5 + 0.05 * 0.6 + 0.05 * 0.5 + 0.05
        assert found.each.tolist() == pytest.approx([100 * ana, 100 * bo])

    def test_simulated_people_take_what_they_had_in_mind(self) -> None:
        first, second = simulated_sessions([met("ana", 2, exchange(10)), met("bo", None, exchange(4))]).found
        assert (first.user, first.cards, first.tapped, first.accepted) == ("ana", 10, 1, True)
        assert (second.cards, second.accepted, second.began) == (4, False, None)


def test_a_reply_in_the_same_words_about_another_film_was_said_before() -> None:
    texts = ("Try **Heat** (1995).", "Try  **Fargo** (1996).", "How about **Heat** (1995)?")
    replies = [Said(text, False, 1, (), 0.1, ()) for text in texts]
    assert list(said_before(replies)) == [False, True, False]

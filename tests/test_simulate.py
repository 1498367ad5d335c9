"""Simulated people: truthful, discreet, repeatable, and hard on recommenders that do not deserve better."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.language_models import FakeListChatModel

from agent.errors import ModelError
from agent.plan import to_query
from agent.prompting import spec
from agent.recommender import Recommender
from agent.types import DialogueState, Preference, Reply
from eval.grounding import FilmIndex, Known, check_reply
from eval.metrics import bootstrap
from eval.simulate.baselines import Filtered, Popular, shown_items
from eval.simulate.figures import statistics, success
from eval.simulate.insight import Insight
from eval.simulate.leak import LeakDetector
from eval.simulate.mind import Mind
from eval.simulate.person import (
    OPENINGS,
    Fact,
    Person,
    SimulationError,
    decade_fact,
    facts_of,
    held_out,
    people,
    promises,
    topic,
)
from eval.simulate.run import Cast, Plan, cast, run
from eval.simulate.runner import Outcome, Stage, converse
from eval.simulate.unseen import without_users
from eval.simulate.voice import ModelVoice, TemplateVoice, open_voice, spoken, templates
from retrieval.filters import satisfies
from retrieval.types import Constraints, Facet, Item, Query

CATALOGUE, LINKER, VOCABULARY = small.parts()
REPEATS, BROKEN = "repeats, share of items shown", "broken promises, share of items shown"


def somebody(target: Item, **changes: object) -> Person:
    """A patient, strict person without noise, who also likes Heat and Fargo and did not like Big."""
    others = [CATALOGUE[item_id] for item_id in ("heat", "fargo") if item_id != target.item_id]
    facts = facts_of(target, random.Random(0))
    person = Person(
        "ana", target, tuple(others), (CATALOGUE["big"],), facts, 5, 1.0, 0.0, "wish", (("target", "warm"),)
    )
    return replace(person, **changes)  # type: ignore[arg-type]


def mind(person: Person, seed: int = 0) -> Mind:
    return Mind(person, TemplateVoice(), VOCABULARY, random.Random(seed))


def asking(question: str, *options: str) -> Reply:
    return Reply(question, (), question, options)


class TestLeaks:
    @pytest.mark.parametrize(
        ("title", "text", "name"),
        [
            ("Toy Story", "is Toy Story any good?", "toy story"),
            ("Toy Story", "toystory!", "toy story"),
            ("Toy Story", "something like toy storey", "toy story"),
            ("The Matrix", "a film like Matrix", "matrix"),
            ("Alien", "I loved Aliens", "alien"),
            ("Terminator 2: Judgment Day", "more terminator please", "terminator"),
            ("Home Alone 3", "I liked Home Alone", "home alone"),
            ("Big", "a big adventure", "big"),
            ("Amélie", "AMELIE", "amelie"),
            ("1984", "a film set in 1984", "1984"),
        ],
    )
    def test_a_name_gives_it_away(self, title: str, text: str, name: str) -> None:
        assert LeakDetector(Item("x", title)).leaks(text) == name

    def test_another_title_of_it_does_too(self) -> None:
        detector = LeakDetector(Item("x", "Spirited Away", aliases=("Sen to Chihiro",)))
        assert detector.leaks("something like sen to chihiro") == "sen to chihiro"

    @pytest.mark.parametrize(
        ("title", "text"),
        [
            ("Toy Story", "a story about toys"),
            ("Terminator 2: Judgment Day", "no longer than 2 hours"),
            ("Heat", "I like heists"),
            ("Notting Hill", "something romantic in London"),
        ],
    )
    def test_a_description_does_not(self, title: str, text: str) -> None:
        assert LeakDetector(Item("x", title)).leaks(text) is None


class TestPeople:
    @pytest.mark.parametrize("item", small.ITEMS, ids=small.IDS)
    def test_every_fact_is_true(self, item: Item) -> None:
        for seed in range(5):
            facts = facts_of(item, random.Random(seed))
            assert {fact.kind for fact in facts} >= {"genres", "themes", "decade"}
            assert all(satisfies(item, promises((fact,))) for fact in facts)
            assert satisfies(item, promises(facts))

    def test_what_is_said_later_wins(self) -> None:
        comedy, no_comedy = (
            Fact(kind, "comedy", (Facet("genres", "comedy"),)) for kind in ("genres", "not_genres")
        )
        assert promises([comedy, no_comedy]) == Constraints(forbid=(Facet("genres", "comedy"),))
        assert promises([no_comedy, comedy]) == Constraints(require=((Facet("genres", "comedy"),),))
        assert promises([decade_fact(1985), decade_fact(1994)]).years == (1990, 1999)
        assert promises([decade_fact(1931)]).years == (None, 1959)

    def test_they_are_the_same_for_a_seed_and_like_what_they_name(self) -> None:
        known = held_out(small.workspace().interactions, CATALOGUE, 8)
        once, again = (people(known, CATALOGUE, frozenset(small.IDS[:16]), 3) for _ in range(2))
        assert once == again
        assert once != people(known, CATALOGUE, frozenset(), 4)
        for person, verdicts in zip(once, known, strict=True):
            named = {film.item_id for film in person.favourites}
            assert person.target.item_id not in named
            assert named | {person.target.item_id} == set(verdicts.liked)
            assert 3 <= person.patience <= 5
            warmth = "warm" if person.target.item_id in small.IDS[:16] else "cold"
            assert dict(person.slices)["target"] == warmth

    def test_more_than_are_held_out_is_an_error(self) -> None:
        with pytest.raises(SimulationError, match="Cannot simulate 9 people: 8 users"):
            held_out(small.workspace().interactions, CATALOGUE, 9)

    def test_without_interactions_there_is_nobody(self) -> None:
        with pytest.raises(SimulationError, match="--data"):
            held_out(None, CATALOGUE, 1)


class TestUnseen:
    def test_the_index_is_as_if_they_had_never_been(self, tmp_path: Path) -> None:
        full = small.workspace()
        assert full.interactions is not None
        gone = frozenset(full.interactions.users[:16])
        copy = without_users(full, gone, tmp_path)
        assert copy.interactions is not None
        assert not gone & set(copy.interactions.users)
        assert copy.interactions.matrix.nnz == full.interactions.matrix[16:].nnz
        liked = copy.interactions.positive.toarray().astype(np.float64)
        rows = np.flatnonzero(liked.sum(axis=0))
        gram = liked[:, rows].T @ liked[:, rows] + 500 * np.eye(len(rows))
        inverse = np.linalg.inv(gram)
        stored = np.load(
            tmp_path / "builds" / full.manifest.build / "collaborative" / "weights.npy", allow_pickle=False
        )
        expected = -inverse / np.diag(inverse)
        np.fill_diagonal(expected, 0)
        assert np.allclose(stored, expected, atol=1e-5)
        assert copy.ranker.rank(Query(liked=("heat",)), 3).candidates


class TestMind:
    def test_a_true_option_is_chosen(self) -> None:
        say = mind(somebody(CATALOGUE["notting"])).answer(asking("Which?", "horror", "romance", "war"), [])
        assert say.kind == "option"
        assert "romance" in say.text
        assert say.facts[0].value == "romance"

    def test_where_no_option_is_true_they_say_so_and_what_is(self) -> None:
        person = somebody(CATALOGUE["notting"])
        say = mind(person).answer(asking("Which?", "horror", "war", "surprise me"), [])
        assert say.kind == "none"
        assert say.facts[0] in person.facts

    def test_a_decade_is_told_truly(self) -> None:
        say = mind(somebody(CATALOGUE["notting"])).answer(asking("When?", "the 1980s", "the 1990s"), [])
        assert promises(say.facts).years == (1990, 1999)

    def test_noise_never_tells_the_truth(self) -> None:
        noisy = somebody(CATALOGUE["notting"], noise=1.0)
        kinds = set()
        for seed in range(20):
            say = mind(noisy, seed).answer(asking("Which?", "horror", "romance"), [])
            kinds.add(say.kind)
            assert "romance" not in say.text
        assert kinds == {"option", "no_matter"}

    def test_asked_for_favourites_they_name_one_that_is_not_the_target(self) -> None:
        say = mind(somebody(CATALOGUE["heat"])).answer(asking("Tell me a film you love."), [])
        assert (say.kind, say.films) == ("favourite", (CATALOGUE["fargo"],))

    def test_a_strict_person_says_what_tells_the_target_apart(self) -> None:
        shown = [CATALOGUE[item_id] for item_id in ("scream", "psycho", "thing")]
        person = somebody(CATALOGUE["alien"], facts=(Fact("genres", "horror", (Facet("genres", "horror"),)),))
        say = mind(person).answer(Reply("", shown_items(CATALOGUE, ["scream"])), shown)
        assert say.facts == (Fact("not_genres", "thriller", (Facet("genres", "thriller"),)),)

    def test_only_what_is_given_up_in_words_may_be_broken(self) -> None:
        romance = somebody(CATALOGUE["notting"], facts=(topic("genres", "romance"), decade_fact(1999)))
        one = mind(romance)
        one.open()
        years, genre = "release from 1979 to 1999 instead of from 1990 to 1999", "romance"
        for said, broken in (((), True), ((years,), True), ((genre,), True), ((years, genre), False)):
            assert one.broken(CATALOGUE["alien"], said) is broken
        assert not one.broken(CATALOGUE["sleepless"], ())

    def test_what_would_leak_is_counted_and_not_said(self) -> None:
        target = replace(CATALOGUE["heat"], genres=("heat",), themes=("heat",), moods=("tense",))
        facts = tuple(fact for fact in facts_of(target, random.Random(0)) if fact.value in ("heat", "tense"))
        quiet = mind(somebody(target, facts=facts, strictness=0.0))
        assert quiet.open().facts[0].value == "tense"
        silent = mind(somebody(target, facts=facts[:1], favourites=()))
        if facts[0].value == "heat":
            assert silent.open().kind == "open_vague"
            assert silent.leaks == 1

    @settings(deadline=None)
    @given(
        item=st.sampled_from(small.ITEMS),
        seed=st.integers(0, 10_000),
        opening=st.sampled_from(OPENINGS),
    )
    def test_nobody_ever_names_the_target(self, item: Item, seed: int, opening: str) -> None:
        rng = random.Random(seed)
        one = mind(somebody(item, opening=opening, strictness=rng.random(), noise=rng.random()), seed)
        said = [one.open()]
        for _ in range(8):
            shown = (
                [other for other in rng.sample(small.ITEMS, 3) if other != item] if rng.random() < 0.5 else []
            )
            said.append(one.answer(asking("Which?", "comedy", "horror", "surprise me"), shown))
        assert [LeakDetector(item).leaks(say.text) for say in said] == [None] * 9
        assert all(item not in say.films for say in said)

    def test_even_what_means_nothing_can_be_a_title(self) -> None:
        target = Item("x", "Anything Else", aliases=("What Else", "Show Me"))
        person = somebody(target, facts=(), favourites=())
        for seed in range(10):
            one = mind(person, seed)
            message = one.answer(Reply("No."), [])
            assert (message.text, one.leaks) == ("…", 4)

    def test_every_template_has_its_slots(self) -> None:
        for what, wordings in templates().items():
            for wording in wordings:
                assert wording.format(value="v", film="f", first="a", second="b"), what

    @pytest.mark.parametrize(
        ("kind", "value", "said"),
        [
            ("genres", "thriller", "a thriller"),
            ("genres", "horror", "horror"),
            ("moods", "tense", "tense"),
            ("themes", "heist", "something about a heist"),
            ("themes", "new york", "something set in New York"),
            ("themes", "black comedy", "a black comedy"),
            ("themes", "dialogue-driven", "something dialogue-driven"),
        ],
    )
    def test_values_are_said_as_people_do(self, kind: str, value: str, said: str) -> None:
        assert spoken(kind, value) == said

    def test_what_is_said_of_a_theme_holds_its_name(self) -> None:
        """So that no rewording may lose it."""
        texts = spec("spoken")
        for theme in {*texts["forms"], *texts["bare_forms"], *texts["tails"], *texts["names"]}:
            assert theme in spoken("themes", theme).casefold()


class Chatty(FakeListChatModel):
    """Answers from a list, round and round."""


class TestModelVoice:
    PLAIN, KEEP = "I loved Heat, and something tense please", ("Heat", "tense")

    def test_its_words_are_taken_when_nothing_is_lost(self) -> None:
        voice = ModelVoice(Chatty(responses=['"heat was amazing, got anything TENSE?"']))
        assert voice.reword(self.PLAIN, self.KEEP) == "heat was amazing, got anything TENSE?"

    @pytest.mark.parametrize(
        "answer", ["", "got anything tense?", "Heat\ntense", f"Heat, tense {'and so on ' * 30}"]
    )
    def test_else_the_template_stays(self, answer: str) -> None:
        assert ModelVoice(Chatty(responses=[answer])).reword(self.PLAIN, self.KEEP) == self.PLAIN

    def test_a_model_that_lets_the_title_slip_is_not_heard(self) -> None:
        person = somebody(CATALOGUE["heat"], opening="favourite")
        voice = ModelVoice(Chatty(responses=["I loved Fargo. Like Heat!"]))
        one = Mind(person, voice, VOCABULARY, random.Random(0))
        first = one.open()
        assert (first.reworded, one.leaks) == (False, 1)
        assert LeakDetector(person.target).leaks(first.text) is None

    def test_a_model_that_fails_says_so(self) -> None:
        with pytest.raises(ModelError, match="did not answer"):
            ModelVoice(Chatty(responses=[])).reword(self.PLAIN, self.KEEP)

    def test_none_is_no_voice(self) -> None:
        with pytest.raises(ModelError, match="no voice 'none'"):
            open_voice("none")


class TestInsight:
    def test_a_promise_halves_the_candidates_and_moves_the_target(self) -> None:
        ranker = small.workspace().ranker
        insight = Insight(ranker, VOCABULARY)
        before = DialogueState()
        after = DialogueState(wants=(Preference("genres", "western", None, 1),))
        narrowed, gained = insight(before, after, "tombstone")
        assert narrowed == pytest.approx(4.0)  # 32 films, 2 westerns
        ranks = [ranker.rank_of(to_query(state, VOCABULARY), "tombstone") for state in (before, after)]
        assert gained == pytest.approx(np.log2(ranks[0].rank / ranks[1].rank))  # type: ignore[union-attr]

    def test_an_answer_that_rules_the_target_out_costs(self) -> None:
        insight = Insight(small.workspace().ranker, VOCABULARY)
        after = DialogueState(wants=(Preference("genres", "western", None, 1),), shown=("heat",))
        narrowed, gained = insight(DialogueState(), after, "heat")
        assert narrowed == pytest.approx(4.0)
        assert gained < 0


class Repeater:
    """Broken: recommends what was mentioned, and then what it has recommended."""

    def conversation(self, user: str) -> Repeater:
        self._mentioned: list[str] = []
        return self

    def send(self, text: str, n: int) -> Reply:
        self._mentioned += [mention.item_id for mention in LINKER.mentions(text)]
        return Reply("Here.", shown_items(CATALOGUE, self._mentioned[-n:]))


def careless(*given: object) -> Query:
    """Broken: asks for what is wanted, but promises nothing."""
    return replace(to_query(*given), constraints=Constraints())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def players(tmp_path_factory: pytest.TempPathFactory) -> Cast:
    return cast(
        Plan(8, ("balanced",), "none", "templates", None, 0),
        small.workspace(),
        tmp_path_factory.mktemp("unseen"),
    )


def talk_to(talker: object, players: Cast) -> list[Outcome]:
    stage = Stage(talker, CATALOGUE, VOCABULARY, TemplateVoice())  # type: ignore[arg-type]
    choosy = [replace(person, noise=0.0) for person in players.people]
    return [converse(person, stage, 0) for person in choosy]


@pytest.fixture(scope="module")
def sound(players: Cast) -> list[Outcome]:
    recommender = Recommender(players.workspace, "none", "sqlite://")
    return talk_to(recommender, players)


def figure(outcomes: list[Outcome] | tuple[Outcome, ...], name: str) -> float:
    return statistics(outcomes)[name](np.ones(len(outcomes)))


class TestBrokenRecommenders:
    def test_the_product_is_neither(self, sound: list[Outcome]) -> None:
        assert figure(sound, "success@10 by turn 5") == 1.0
        assert figure(sound, REPEATS) == 0.0
        assert figure(sound, BROKEN) == 0.0

    def test_repeating_what_was_mentioned_finds_nothing(self, players: Cast) -> None:
        outcomes = talk_to(Repeater(), players)
        assert figure(outcomes, "success@10 by turn 5") == 0.0
        assert figure(outcomes, "turns") == 6.0
        assert figure(outcomes, REPEATS) == 1.0

    def test_ignoring_constraints_shows(
        self, players: Cast, sound: list[Outcome], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("agent.graph.to_query", careless)
        outcomes = talk_to(Recommender(players.workspace, "none", "sqlite://"), players)
        assert bootstrap(len(outcomes), statistics(outcomes)[BROKEN]).low > 0.2
        assert figure(outcomes, "turns") >= figure(sound, "turns")

    def test_the_independent_check_finds_both(self, players: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        """It shares no code with the product's own checks, nor with the simulated people's."""
        films, said = FilmIndex(CATALOGUE), "a western from the 1990s, no drama please"
        sound = Recommender(players.workspace, "none", "sqlite://")
        assert check_reply(sound.conversation("ana").send(said, 3), films, Known((said,))) == ()
        monkeypatch.setattr("agent.graph.to_query", careless)
        faults = check_reply(sound.conversation("ben").send(said, 10), films, Known((said,)))
        assert any("drama, which is avoided" in fault for fault in faults)
        assert any("none of what is wanted (western)" in fault for fault in faults)
        assert any("outside (1990, 1999)" in fault for fault in faults)
        repeated = Repeater().conversation("cleo").send("I loved Heat", 3)
        faults = check_reply(repeated, films, Known(("I loved Heat",), frozenset({"heat"})))
        assert any("Heat" in fault for fault in faults)

    def test_filters_alone_keep_promises_and_repeat_nothing(
        self, players: Cast, sound: list[Outcome]
    ) -> None:
        outcomes = talk_to(Filtered(players.workspace.ranker, VOCABULARY), players)
        assert (figure(outcomes, REPEATS), figure(outcomes, BROKEN)) == (0.0, 0.0)
        assert figure(outcomes, "success@10 by turn 5") == 1.0
        assert figure(outcomes, "success@1 by turn 5") <= figure(sound, "success@1 by turn 5")

    def test_popularity_reads_nothing_but_repeats_nothing(self, players: Cast) -> None:
        outcomes = talk_to(Popular(players.workspace.ranker), players)
        shown = [[item_id for exchange in o.exchanges for item_id in exchange.shown] for o in outcomes]
        assert all(len(set(items)) == len(items) for items in shown)
        assert figure(outcomes, BROKEN) > 0.2


class TestConversations:
    def test_a_miss_ends_when_patience_does(self, players: Cast) -> None:
        class Mute:
            def conversation(self, user: str) -> Mute:
                return self

            def send(self, text: str, n: int) -> Reply:
                return Reply("…")

        for person, outcome in zip(players.people, talk_to(Mute(), players), strict=True):
            assert len(outcome.exchanges) == person.patience
            assert (outcome.found, success(outcome, 10, 5)) == (None, 0.0)

    def test_the_same_seed_gives_the_same_conversations(self, players: Cast) -> None:
        plan = Plan(8, ("balanced", "ask-more", "recommend-early"), "none", "templates", None, 0)
        once, again = (timeless(run(plan, players)) for _ in range(2))
        assert once == again
        asked = {name: figure(outcomes, "questions") for name, outcomes in once.items()}
        assert asked["recommend-early"] < asked["balanced"] < asked["ask-more"]


def timeless(results: dict[str, tuple[Outcome, ...]]) -> dict[str, tuple[Outcome, ...]]:
    return {name: tuple(replace(o, seconds=0.0) for o in outcomes) for name, outcomes in results.items()}

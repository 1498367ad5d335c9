"""Scripts that name facets instead of films: what a catalogue fills in, and runs on two other catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.conversation import Conversation
from agent.recommender import Recommender
from agent.types import Reply
from eval.checks import satisfies
from eval.grounding import FilmIndex
from eval.parsing import fitted, load_all, parse
from eval.runner import ScriptResult, run_scripts
from eval.script import ANYWHERE, FAMILIES, Feedback, Film, Say, Script, ScriptError
from retrieval.catalogue import read_catalogue
from retrieval.types import Item, Recommendation
from tests import small

BOOKS = Path(__file__).parent.parent / "finetune" / "books" / "books.jsonl"
HEAD = "name: s\nfamily: why\ndescription: d\n"
ITEMS = (
    Item("1", "It", 1990, ("drama",), ("Ann",), themes=("school",), language="dutch", popularity=9),
    Item("2", "Two Words", 2000, ("drama", "war"), ("Bob",), themes=("school", "sea"), popularity=1),
    Item("3", "Three Words More", 2010, ("drama", "war"), ("Ann",), popularity=2),
    Item("4", "Dune Sea", 1984, ("war",), ("Ann",)),
    Item("5", "Dune Sea", 2021, ("comedy",), ("Cas",), audience="teen", moods=("dark",)),
)
FILMS = FilmIndex(ITEMS)


def script(given: str, turns: str = "- user: hi\n") -> Script:
    return parse(f"{HEAD}given:\n{given}turns:\n{turns}", Path("s.yaml"))


def filled(given: str, name: str) -> str:
    """What the catalogue of ITEMS gives for a name."""
    (done,), problems = fitted([script(given, f"- user: ${name}\n")], FILMS)
    assert problems == ()
    action = done.turns[0].action
    assert isinstance(action, Say)
    return action.text


class TestGiven:
    @pytest.mark.parametrize(
        ("given", "value"),
        [
            ("  x: {genre: any}\n", "drama"),  # as common as war; d comes first
            ("  a: {genre: any}\n  x: {genre: any}\n", "war"),
            (
                "  a: {genre: any}\n  x: {genre: {not_genres: [$a]}}\n",
                "comedy",
            ),  # one of each left; c comes first
            ("  x: {person: any}\n", "Ann"),
            ("  x: {person: {genres: [comedy]}}\n", "Cas"),
            ("  x: {theme: any}\n", "school"),
            ("  x: {mood: any}\n", "dark"),
            ("  x: {language: any}\n", "dutch"),
            ("  x: {audience: any}\n", "teen"),
            ("  x: {year: any}\n", "2000"),
            ("  x: {year: {person: Ann}}\n", "1990"),
            ("  a: {year: any}\n  x: {year: any}\n", "2000"),
            ("  x: {item: any}\n", "Three Words More"),  # better known than Two Words; It is one word
            ("  x: {item: {genres: [drama], years: [null, 1999]}}\n", "It"),
            ("  x: {item: {genres: [comedy]}}\n", "Dune Sea (2021)"),  # two share the title
            ("  y: {year: any}\n  x: {item: {genres: [drama], years: [null, $y]}}\n", "Two Words"),
            ("  a: {item: any}\n  b: {item: any}\n  x: {item: {genres: [war]}}\n", "Dune Sea (1984)"),
        ],
    )
    def test_what_is_given(self, given: str, value: str) -> None:
        assert filled(given, "x") == value

    def test_a_name_stands_wherever_there_is_text_or_a_year(self) -> None:
        (done,), problems = fitted(
            [
                script(
                    "  loved: {item: any}\n  kind: {genre: any}\n  year: {year: any}\n",
                    "- user: i loved $loved, not $kind. it cost $5 and $year\n  expect:\n"
                    "    captured: {liked: [$loved], avoids: [$kind], years: [$year, null]}\n"
                    "    every_item: {not_genres: [$kind], years: [$year, null]}\n"
                    "    text_contains: [$loved]\n"
                    "- feedback: {title: $loved, seen: true}\n",
                )
            ],
            FILMS,
        )
        assert problems == ()
        said, tapped = done.turns
        assert said.action == Say("i loved Three Words More, not drama. it cost $5 and 2000")
        liked, avoids, years = said.expect.captured
        assert liked.films == (Film("Three Words More", 11),)
        assert (avoids.words, years.value) == ((("drama",),), (2000, None))
        assert said.expect.every_item is not None
        assert said.expect.every_item.years == (2000, None)
        assert tapped.action == Feedback(film=Film("Three Words More", 14), seen=True)
        assert done.unfilled is None

    def test_until_then_the_names_stay(self) -> None:
        read = script("  loved: {item: any}\n", "- user: i loved $loved\n")
        assert read.turns[0].action == Say("i loved $loved")
        assert read.unfilled is not None

    def test_without_names_nothing_is_left_to_fill_in(self) -> None:
        read = parse(f"{HEAD}turns:\n- user: it cost $5, U$a\n", Path("s.yaml"))
        assert (read.unfilled, read.turns[0].action) == (None, Say("it cost $5, U$a"))

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ("  loved: any\n", "s.yaml:5: expected given: a mapping with item, genre"),
            ("  loved: {film: any}\n", "s.yaml:5: unknown key 'film' in given; given takes item, genre"),
            ("  loved: {item: any, genre: any}\n", "s.yaml:5: expected exactly one of item, genre"),
            ("  loved: {item: some}\n", "s.yaml:5: expected conditions: a mapping with genres"),
            ("  loved: {item: {theme: sea}}\n", "s.yaml:5: unknown key 'theme' in conditions"),
            ("  loved: {item: {}}\n", "s.yaml:5: expected at least one condition (genres"),
            ("  Loved: {item: any}\n", "s.yaml:5: expected a name of lower-case letters"),
            ("  a: {item: any}\n  a: {item: any}\n", "s.yaml:6: expected each name once, got 'a'"),
            (
                "  a: {item: {genres: [$b]}}\n  b: {genre: any}\n",
                "s.yaml:5: unknown name '$b'; what is given",
            ),
        ],
    )
    def test_a_mistake_is_told_with_its_line(self, given: str, message: str) -> None:
        with pytest.raises(ScriptError) as error:
            script(given)
        assert message in str(error.value)
        assert len(error.value.problems) == 1

    def test_a_name_that_nothing_is_given_for(self) -> None:
        with pytest.raises(ScriptError) as error:
            script("  loved: {item: any}\n", "- user: i love $lovd\n- usr: $loved\n")
        assert error.value.problems[0] == "s.yaml:7: unknown name '$lovd'; what is given here is $loved"
        assert error.value.problems[1].startswith("s.yaml:8: unknown key 'usr'")
        with pytest.raises(ScriptError, match=r"s\.yaml:5: unknown name '\$x'; .* has no `given`"):
            parse(f"{HEAD}turns:\n- user: i love $x\n", Path("s.yaml"))

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ("  x: {mood: {genres: [war]}}\n", "s.yaml:5: this catalogue has no mood among the items"),
            (
                "  a: {audience: any}\n  x: {audience: any}\n",
                "s.yaml:6: this catalogue has no more audience for $x",
            ),
            ("  x: {item: {genres: [horror]}}\n", "no item among the items that keep the conditions for $x"),
            (
                "  a: {item: {genres: [comedy]}}\n  x: {item: {genres: [comedy]}}\n",
                "s.yaml:6: this catalogue has no more item among",
            ),
        ],
    )
    def test_a_catalogue_that_has_nothing_to_give(self, given: str, message: str) -> None:
        fitting, (problem,) = fitted([script(given)], FILMS)
        assert fitting == ()
        assert message in problem

    def test_shared_and_endless_nodes_are_filled_once(self) -> None:
        with pytest.raises(ScriptError, match="a turn: a mapping"):
            parse(f"{HEAD}given: {{x: {{genre: any}}}}\nturns: &a [*a, $x]\n", Path("s.yaml"))


@pytest.fixture(scope="module")
def films() -> Iterator[Recommender]:
    recommender = small.recommender()
    yield recommender
    recommender.close()


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recommender]:
    read = read_catalogue(BOOKS)
    workspace = small.build(read.catalogue.items, tmp_path_factory.mktemp("books"))
    recommender = Recommender(workspace, "none", "sqlite://")
    yield recommender
    recommender.close()


BY_FACETS = """name: by-facets
family: people
description: d
given:
  loved: {item: {any_theme: [%s]}}
  maker: {person: any}
turns:
  - user: something like $loved, you choose
    expect: {captured: {liked: [$loved]}, recommended: true, must_not_recommend: [$loved]}
  - user: show me something by $maker
    expect: {captured: {people: [$maker]}, every_item: {person: $maker}}
"""


def passed(results: tuple[ScriptResult, ...]) -> set[str]:
    return {result.script.name for result in results if result.passed}


class TestOtherCatalogues:
    def test_on_films_a_name_is_what_the_facets_say(self, films: Recommender) -> None:
        (result,) = run_scripts([parse(BY_FACETS % "heist", Path("s.yaml"))], films)
        assert [turn.message for turn in result.turns] == [
            "something like Heat, you choose",
            "show me something by Chris Columbus",  # two films, like six others from D on
        ]
        assert result.passed

    def test_on_books_it_is_a_book_and_its_author(self, books: Recommender) -> None:
        (result,) = run_scripts([parse(BY_FACETS % "magic", Path("s.yaml"))], books)
        assert [turn.message for turn in result.turns] == [
            "something like Harry Potter and the Philosopher's Stone, you choose",
            "show me something by Agatha Christie",  # three books, and the first of four such by the alphabet
        ]
        assert result.turns[0].passed

    def test_packaged_scripts_fit_both_but_for_moods_that_one_does_not_have(
        self, films: Recommender, books: Recommender
    ) -> None:
        scripts = load_all([ANYWHERE])
        assert {script.family for script in scripts} >= set(FAMILIES) - {"describing"}
        assert all(script.unfilled is not None or script.name == "any-cold" for script in scripts)
        fitting, problems = fitted(scripts, FilmIndex(films.catalogue))
        assert {script.name for script in scripts} - {script.name for script in fitting} == {"any-mood"}
        assert all("any-mood.yaml" in problem and "no mood" in problem for problem in problems)
        assert fitted(scripts, FilmIndex(books.catalogue))[1] == ()

    @pytest.mark.parametrize("catalogue", ["films", "books"])
    def test_what_they_demand_can_be_met(self, catalogue: str, request: pytest.FixtureRequest) -> None:
        items = FilmIndex(request.getfixturevalue(catalogue).catalogue)
        turns = [turn for script in fitted(load_all([ANYWHERE]), items)[0] for turn in script.turns]
        for turn in turns:
            for wanted in (turn.expect.every_item, turn.expect.some_item):
                if wanted is not None:
                    assert any(satisfies(item, wanted) for item in items.items.values()), turn

    @pytest.mark.parametrize("catalogue", ["films", "books"])
    def test_they_run(self, catalogue: str, request: pytest.FixtureRequest) -> None:
        recommender = request.getfixturevalue(catalogue)
        fitting, _ = fitted(load_all([ANYWHERE]), FilmIndex(recommender.catalogue))
        results = run_scripts(fitting, recommender)
        assert [turn.error for result in results for turn in result.turns if turn.error] == []
        assert passed(results) >= {"any-eliciting", "any-critiquing", "any-why", "any-undo"}


class Broken(Recommender):
    """Recommends whatever stands first in the catalogue: known films again, and promises not looked at."""

    def conversation(self, user: str = "", conversation_id: str | None = None) -> Conversation:
        talk = super().conversation(user, conversation_id)
        send = talk.send

        def broken(text: str, n: int = 3) -> Reply:
            reply = send(text, n)
            items = [item for item in self.catalogue if self.keeps(item, reply)][:n] if reply.items else []
            entries = tuple(Recommendation(i.item_id, i.title, 1.0, at) for at, i in enumerate(items, 1))
            return replace(reply, items=entries)

        talk.send = broken  # type: ignore[method-assign]
        return talk

    def keeps(self, item: Item, reply: Reply) -> bool:
        raise NotImplementedError


class Repeats(Broken):
    def keeps(self, item: Item, reply: Reply) -> bool:
        return item.item_id in {p.item_id for p in reply.state.liked} | set(reply.state.shown)


class BreaksPromises(Broken):
    def keeps(self, item: Item, reply: Reply) -> bool:
        known = (*reply.state.liked, *reply.state.disliked, *reply.state.seen)
        return item.item_id not in {p.item_id for p in known}


class TestBrokenRecommenders:
    @pytest.mark.parametrize("broken", [Repeats, BreaksPromises])
    def test_what_is_broken_scores_badly(self, films: Recommender, broken: type[Broken]) -> None:
        scripts, _ = fitted(load_all([ANYWHERE]), FilmIndex(films.catalogue))
        recommender = broken(small.workspace(), "none", "sqlite://")
        good, bad = passed(run_scripts(scripts, films)), passed(run_scripts(scripts, recommender))
        recommender.close()
        assert len(good) >= 6
        assert len(bad) <= len(good) / 3

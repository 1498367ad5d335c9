"""Whole simulations: what they add up to, where people come from, stopping and going on, the command."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small
from typer.testing import CliRunner

from eval.cli import app
from eval.metrics import Estimate
from eval.simulate.figures import differences, estimates, person_row, plain, slice_rows
from eval.simulate.kept import Kept
from eval.simulate.person import SimulationError
from eval.simulate.run import Cast, Plan, cast, run
from eval.simulate.runner import Exchange, Outcome
from eval.simulate.seekers import Titles, seekers
from retrieval.catalogue import Catalogue
from retrieval.types import Item

CATALOGUE, _, _ = small.parts()
PLAN = Plan(3, ("balanced",), "none", "templates", None, 0)


def exchange(shown: int = 10, **changes: Any) -> Exchange:
    known: dict[str, Any] = {
        "reworded": False,
        "reply": "…",
        "asked": False,
        "bent": False,
        "narrowed": None,
        "gained": None,
    }
    known |= {"repeats": 0, "broken": 0}
    return Exchange("hi", "open", shown=tuple(map(str, range(shown))), **{**known, **changes})


HIT = Outcome(
    "a/x",
    2,
    3,
    1,
    (exchange(0, asked=True), exchange(10, narrowed=2.0, gained=4.0, broken=5)),
    {"target": "warm"},
    0.5,
)
MISS = Outcome(
    "b/y", None, None, 0, tuple(exchange(10, repeats=2) for _ in range(3)), {"target": "cold"}, 0.5
)


class TestFigures:
    def test_by_hand(self) -> None:
        of = {name: one.value for name, one in estimates([HIT, MISS]).items()}
        assert [of[f"success@10 by turn {turn}"] for turn in range(1, 6)] == [0, 0.5, 0.5, 0.5, 0.5]
        assert of["success@1 by turn 5"] == 0
        assert of["turns"] == (2 + 6) / 2
        assert of["questions"] == 0.5
        assert of["leaks kept back"] == 0.5
        assert of["bits a question: narrowed"] == 2
        assert of["bits a question: nearer to the target"] == 4
        assert of["repeats, share of items shown"] == 6 / 40
        assert of["broken promises, share of items shown"] == 5 / 40

    def test_where_nothing_was_asked_there_are_no_bits(self) -> None:
        of = estimates([MISS])
        assert plain(of["bits a question: narrowed"]) == {"value": None, "low": None, "high": None}

    def test_a_group_differs_from_itself_by_nothing(self) -> None:
        assert differences([HIT, MISS], [HIT, MISS])["turns"] == Estimate(0.0, 0.0, 0.0)
        assert differences([HIT, HIT], [MISS, MISS])["turns"] == Estimate(-4.0, -4.0, -4.0)

    def test_slices_are_groups_of_their_own(self) -> None:
        rows = slice_rows("r", [HIT, MISS, MISS])
        assert [(row.slice, row.people, row.turns.value) for row in rows] == [
            ("target: cold", 2, 6.0),
            ("target: warm", 1, 2.0),
        ]

    def test_a_person_for_comparing(self) -> None:
        assert person_row(HIT)["metrics"] == {
            "success@1": 0,
            "success@10": 1,
            "turns": 2,
            "questions": 1,
            "repeats": 0,
            "broken": 0.5,
        }


def dialogue(number: int, labels: dict[str, dict[str, bool]]) -> str:
    turns = [{"role": "seeker", "text": "hi", "items": []}]
    return json.dumps({"conversation_id": str(number), "turns": turns, "labels": labels})


class TestSeekers:
    def test_films_are_the_same_by_title_and_year(self) -> None:
        titles = Titles(
            Catalogue([Item("1", "The Thing", 1982), Item("2", "The Thing", 2011), Item("3", "Heat")])
        )
        assert titles.find(Item("x", "Thing, The", 1983)) == "1"
        assert titles.find(Item("x", "The Thing", 2011)) == "2"
        assert titles.find(Item("x", "The Thing", 1990)) is None
        assert titles.find(Item("x", "Heat", 1995)) is None
        assert titles.find(Item("x", "The Thing")) is None

    def test_a_target_was_suggested_and_liked(self, tmp_path: Path) -> None:
        rows = [
            {"item_id": "70", "title": "Heat", "year": 1995},
            {"item_id": "71", "title": "Fargo", "year": 1996},
            {"item_id": "72", "title": "Big", "year": 1988},
            {"item_id": "73", "title": "Zyxxor 9", "year": 1990},
        ]
        (tmp_path / "catalogue.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
        liked, said, bad = (
            {"suggested": s, "liked": v} for s, v in ((True, True), (False, True), (True, False))
        )
        lines = [
            dialogue(1, {"70": liked, "71": said, "72": bad, "73": liked}),
            dialogue(2, {"70": said, "71": said}),  # nothing was suggested
            dialogue(3, {"70": liked, "73": said}),  # nothing else of theirs is known
        ]
        (tmp_path / "valid.jsonl").write_text("\n".join(lines), "utf-8")
        (one,) = seekers(tmp_path, CATALOGUE, 1)
        assert (one.key, one.wanted, one.liked, one.disliked) == ("1", ("heat",), ("heat", "fargo"), ("big",))
        with pytest.raises(SimulationError, match="Cannot simulate 2 people: 1 seekers"):
            seekers(tmp_path, CATALOGUE, 2)


@pytest.fixture(scope="module")
def players(tmp_path_factory: pytest.TempPathFactory) -> Cast:
    return cast(PLAN, small.workspace(), tmp_path_factory.mktemp("unseen"))


class StoppedError(Exception):
    """Somebody pressed Ctrl-C."""


def stop_after(people: int) -> Callable[[str], None]:
    names: list[str] = []

    def told(name: str) -> None:
        names.append(name)
        if len(names) == people:
            raise StoppedError

    return told


class TestGoingOn:
    def test_a_stopped_run_goes_on_and_ends_the_same(self, players: Cast, tmp_path: Path) -> None:
        path, settings = tmp_path / "figures.part", {"seed": 0}
        with pytest.raises(StoppedError):
            run(PLAN, players, Kept(path, settings), stop_after(2))
        with open(path, "a", encoding="utf-8") as file:
            file.write('{"recommender": "balanced", "key": "cut sho')
        assert len(path.read_text("utf-8").splitlines()) == 1 + 2 + 1
        resumed = run(PLAN, players, Kept(path, settings))
        assert len(path.read_text("utf-8").splitlines()) == 1 + 3 * 3
        kept = Kept(path, settings)
        for name, outcomes in resumed.items():
            assert [kept.get(name, outcome.key) for outcome in outcomes] == list(outcomes)
        fresh = run(PLAN, players)
        assert [o.exchanges for o in resumed["balanced"]] == [o.exchanges for o in fresh["balanced"]]

    def test_other_settings_are_another_run(self, tmp_path: Path) -> None:
        Kept(tmp_path / "part", {"seed": 0, "users": 3})
        with pytest.raises(SimulationError, match="seed 0, now 1"):
            Kept(tmp_path / "part", {"seed": 1, "users": 3})

    def test_a_damaged_file_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "part").write_text("{nonsense}\n", "utf-8")
        with pytest.raises(SimulationError, match="is damaged"):
            Kept(tmp_path / "part", {})


class TestCommand:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("retrieval.workspace.open_starter", small.workspace)

    def test_it_prints_and_writes_the_same_figures_twice(self, tmp_path: Path) -> None:
        written = []
        for name in ("a.json", "b.json"):
            done = CliRunner().invoke(app, ["simulate", "--users", "3", "--json", str(tmp_path / name)])
            assert done.exit_code == 0, done.output
            written.append(json.loads((tmp_path / name).read_text("utf-8")))
        assert re.search(r"success@10", done.output)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]
        first, second = written
        assert first["figures"] == second["figures"]
        assert first["people"] == second["people"]
        assert set(first["figures"]) == {"balanced", "popular, filtered", "popular"}
        assert len(first["conversations"]) == 9

    def test_both_policies_stand_side_by_side(self, tmp_path: Path) -> None:
        path = tmp_path / "both.json"
        done = CliRunner().invoke(app, ["simulate", "--users", "2", "--policy", "both", "--json", str(path)])
        assert done.exit_code == 0, done.output
        figures = json.loads(path.read_text("utf-8"))["figures"]
        gap = figures["ask-more less recommend-early"]["turns"]["value"]
        assert gap == figures["ask-more"]["turns"]["value"] - figures["recommend-early"]["turns"]["value"]

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--users", "9"], "Give --users 8 or less"),
            (["--users", "2", "--data", "/nowhere"], "There is no"),
            (["--users", "2", "--json", "/nowhere/f.json"], "Cannot write"),
        ],
    )
    def test_what_cannot_be_done_is_said_in_one_line(self, arguments: list[str], told: str) -> None:
        done = CliRunner().invoke(app, ["simulate", *arguments])
        assert done.exit_code == 2
        assert told in done.stderr

"""The figures of the skills: every metric on examples that can be worked out by hand, and clear errors."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from agent.judge import Verdict
from agent.reading.scene import Scene
from agent.types import Frame, Reply, Step, Trace
from eval.benchmarks import judging, polarity, tables
from eval.benchmarks import understanding as reading
from eval.benchmarks.adapter_speed import after_ranking, step_seconds
from eval.benchmarks.latency import TurnTimes
from eval.cli import app
from eval.metrics import (
    Estimate,
    RankedScores,
    bootstrap,
    class_counts,
    f1,
    log_loss,
    macro_f1,
    precision,
    recall,
    share,
    totals,
)
from finetune.families import Family, Said
from finetune.splits import is_held_out
from retrieval.catalogue import Catalogue
from retrieval.interactions import Interactions
from retrieval.types import Interaction, Item

FILMS = Catalogue(
    [
        Item("1", "The Matrix", 1999, genres=("action", "sci-fi")),
        Item("2", "Heat", 1995, genres=("crime",)),
        Item("3", "Amélie", 2001, genres=("comedy",)),
        Item("4", "Jumanji", 1995, genres=("adventure",)),
        Item("5", "Jumanji", 2017, genres=("adventure",)),
    ]
)


# Metrics


@pytest.mark.parametrize(
    ("right", "wrong", "missed", "expected"),
    [
        (4, 0, 0, (1, 1, 1)),
        (0, 3, 2, (0, 0, 0)),
        (2, 2, 2, (0.5, 0.5, 0.5)),
        (1, 0, 3, (1, 0.25, 0.4)),
        (0, 0, 2, (0, 0, 0)),
    ],
)
def test_precision_recall_and_f1(
    right: int, wrong: int, missed: int, expected: tuple[float, float, float]
) -> None:
    counted = np.array([right, wrong, missed], float)
    assert (precision(counted), recall(counted), f1(counted)) == pytest.approx(expected)


def test_nothing_to_find_and_nothing_claimed_has_no_f1() -> None:
    assert np.isnan(f1(np.zeros(3)))
    assert np.isnan(macro_f1(np.zeros((3, 3))))


def test_macro_f1_is_the_mean_over_the_classes_there_are() -> None:
    truth, said = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    # class 0: TP 2, FN 1 -> 4/5; class 1: TP 1, FP 1 -> 2/3; class 2 never comes up
    assert class_counts(truth, said, 3).tolist() == [[2, 0, 1], [1, 1, 0], [0, 0, 0]]
    assert macro_f1(class_counts(truth, said, 3)) == pytest.approx((4 / 5 + 2 / 3) / 2)


def test_weights_count_units_again() -> None:
    counted = np.array([[[1, 0, 0]], [[0, 1, 1]]], float)
    assert totals(counted).tolist() == [[1, 1, 1]]
    assert totals(counted, np.array([3.0, 0.0])).tolist() == [[3, 0, 0]]
    assert share(np.array([1.0, 0.0]), np.array([1.0, 3.0])) == 0.25


@pytest.mark.parametrize(
    ("scores", "positive", "area"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 1.0),
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 0.0),
        ([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1], 0.5),
        ([0.1, 0.5, 0.5, 0.9], [0, 0, 1, 1], 0.875),  # of four pairs three are right, one is a tie
        ([0.3, 0.7], [1, 1], None),
    ],
)
def test_area_under_the_curve(scores: list[float], positive: list[int], area: float | None) -> None:
    found = RankedScores(np.array(scores), np.array(positive, bool)).area()
    assert np.isnan(found) if area is None else found == pytest.approx(area)


def test_area_agrees_with_scikit_learn_on_weighted_ties() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(3)
    scores, positive = rng.integers(0, 9, 200) / 9, rng.random(200) < 0.4
    weights = rng.integers(0, 4, 200).astype(float)
    expected = roc_auc_score(positive, scores, sample_weight=weights)
    assert RankedScores(scores, positive).area(weights) == pytest.approx(expected)


def test_log_loss() -> None:
    assert log_loss(np.array([0.5, 0.5]), np.array([True, False])) == pytest.approx(np.log(2))
    assert log_loss(np.array([1.0, 0.0]), np.array([True, False])) == pytest.approx(0, abs=1e-5)
    assert np.isfinite(log_loss(np.array([0.0]), np.array([True])))


def test_an_interval_holds_its_estimate_and_is_the_same_every_time() -> None:
    hits = np.array([1.0] * 30 + [0.0] * 10)
    found = bootstrap(40, lambda weights: share(hits, weights))
    assert found.low < found.value == 0.75 < found.high
    assert found == bootstrap(40, lambda weights: share(hits, weights))
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(0.75 * 0.25 / 40), rel=0.2)


def test_an_interval_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no unit"):
        bootstrap(0, lambda weights: 0.0)


# Understanding


def said(message: str, scene: Scene = Scene(), **frame: Any) -> Said:  # noqa: B008 (it is frozen)
    return Said("family", message, scene, {"act": "inform", **frame})


MESSAGES = [
    said("loved the Matrix, no horror", like=["the Matrix"], avoid=["horror"]),
    said("a crime film", want=["crime film"]),
]
INFORMED = {"act": "inform", "want": ["Crime"]}


@pytest.mark.parametrize(
    ("frames", "score", "act"),
    [
        ([{"act": "inform", "like": ["Matrix"], "avoid": ["horror films"]}, INFORMED], 1, 1),
        ([{"act": "chat", "like": ["horror"]}, {"act": "more"}], 0, 0),
        ([{"act": "inform", "like": ["Matrix"]}, {"act": "chat", "want": ["comedy"]}], 0.4, 0.5),
        ([None, {**INFORMED, "mood": ["dark"]}], 0, 0),
    ],
)
def test_understanding_perfect_wrong_half_and_invalid(
    frames: list[dict[str, Any] | None], score: float, act: float
) -> None:
    answers = iter(frames)
    found = reading.measure_understanding("x", lambda message, scene: next(answers), MESSAGES, 2020)
    assert (found.f1.value, found.act.value) == pytest.approx((score, act))
    assert found.f1.low <= found.f1.value <= found.f1.high
    assert found.valid == (0 if frames[0] is None else 1)
    assert found.messages == 2
    assert found.seconds >= 0


def test_slots_have_figures_of_their_own() -> None:
    answers = iter([{"act": "inform", "like": ["Matrix"]}, {"act": "inform", "want": ["comedy"]}])
    found = reading.measure_understanding("x", lambda message, scene: next(answers), MESSAGES, 2020)
    assert {row.slot: (row.pairs, row.f1.value) for row in found.slots} == {
        "like": (1, 1.0),
        "want": (1, 0.0),
        "avoid": (1, 0.0),
    }
    assert [row.slot for row in reading.by_slot([found])] == ["like", "want", "avoid"]


@pytest.mark.parametrize(
    ("one", "other", "title"),
    [
        ("The Matrix", "matrix", True),
        ("Heat (1995)", "heat", True),
        ("Heat 1995", "Heat", True),
        ("horror movies", "horror", False),
        ("a thriller", "thrillers", False),
        ("Amélie", "amelie", True),
        ("Rocky II", "rocky two", True),
    ],
)
def test_what_counts_as_the_same_value(one: str, other: str, title: bool) -> None:
    assert reading.normal(one, title) == reading.normal(other, title)


@pytest.mark.parametrize(
    ("one", "other", "title"),
    [("Alien", "Alienist", True), ("film", "", False), ("glass", "glas", False), ("1917", "", True)],
)
def test_what_does_not(one: str, other: str, title: bool) -> None:
    assert reading.normal(one, title) != reading.normal(other, title)


def test_places_years_and_alternatives_are_written_out() -> None:
    scene = Scene(("Heat (1995)", "Ronin (1998)"), "Which mood?", ("tense", "funny"))
    frame = {"act": "inform", "like": ["#2"], "want": ["#1", "western or war"], "years": "recent"}
    assert reading.pairs(frame, scene, 2020) == {
        ("like", "ronin"),
        ("want", "tense"),
        ("want", "western"),
        ("want", "war"),
        ("years", (2016, None)),
    }
    assert reading.pairs({"like": ["#9"], "years": [1980, None]}, scene, 2020) == {
        ("like", "9"),
        ("years", (1980, None)),
    }


def test_a_frame_of_the_rules_is_written_as_the_model_writes_its() -> None:
    frame = Frame("ask_why", like=("Heat",), about=("2", "Ronin"), years=(1990, None))
    assert reading.written(frame) == {
        "act": "ask_why",
        "like": ["Heat"],
        "about": ["#2", "Ronin"],
        "years": [1990, None],
    }


def test_every_held_out_text_comes_before_any_comes_twice() -> None:
    names = [f"family-{i}" for i in range(40)]
    bank = [Family(name, "inform", "start", (f"a {name} text", f"b {name} text")) for name in names]
    kept = {name for name in names if is_held_out("family", name)}
    catalogue = Catalogue(Item(str(i), f"Film {i}", genres=("crime",)) for i in range(60))
    found = reading.held_out_messages(catalogue, None, bank=bank)
    assert {one.family for one in found} == kept
    assert len(found) == len({one.message for one in found}) == 2 * len(kept)
    more = reading.held_out_messages(catalogue, 2 * len(kept) + 1, bank=bank)
    assert len({one.message for one in more}) == 2 * len(kept)
    assert more[: len(found)] == found


def test_rules_answer_a_pending_question_and_read_what_is_shown() -> None:
    read = reading.rules_reader(FILMS)
    asked = Scene((), "What should it be about: space or war?", ("space", "war"))
    frame = read("the second", asked)
    assert frame is not None
    assert reading.pairs(frame, asked, 2017) == {("want", "war")}
    shown = Scene(("Heat (1995)", "The Matrix (1999)"))
    frame = read("loved the second one", shown)
    assert frame is not None
    assert reading.pairs(frame, shown, 2017) == {("like", "matrix")}


# Polarity


def dialogue(*turns: tuple[str, str, list[str]], **liked: bool | None) -> dict[str, Any]:
    rows = [{"role": role, "text": text, "items": items} for role, text, items in turns]
    labels = {item[1:]: {"suggested": False, "seen": None, "liked": value} for item, value in liked.items()}
    return {"conversation_id": "c", "turns": rows, "labels": labels}


TALK = dialogue(
    ("seeker", "I loved The Matrix (1999)", ["1"]),
    ("recommender", "Did you see Heat (1995) or Amélie (2001)?", ["2", "3"]),
    ("seeker", "the first was dull", []),
    _1=True,
    _2=False,
    _3=None,
)


def test_polarity_perfect_half_and_everything_liked() -> None:
    talks = polarity.Dialogues((TALK,), FILMS)
    frames = {"I loved The Matrix (1999)": {"act": "inform", "like": ["The Matrix"]}}
    half = polarity.measure_polarity("half", polarity.as_read(lambda m, s: frames.get(m)), talks)
    # liked 1; disliked 0; unstated: TP 1, FP 1 -> 2/3
    assert half.macro.value == pytest.approx((1 + 0 + 2 / 3) / 3)
    frames["the first was dull"] = {"act": "critique", "dislike": ["#1"]}
    perfect = polarity.measure_polarity("perfect", polarity.as_read(lambda m, s: frames.get(m)), talks)
    assert (perfect.macro.value, perfect.own.value, perfect.films) == (1, 1, 3)
    everything = polarity.measure_polarity("everything", polarity.everything_liked, talks)
    assert everything.macro.value == pytest.approx((0.5 + 0 + 0) / 3)  # liked: TP 1, FP 2 -> 1/2


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"act": "accept", "about": ["#2"]}, {"3": polarity.LIKED}),
        ({"act": "accept"}, {"2": polarity.LIKED, "3": polarity.LIKED}),
        ({"act": "reject"}, {"2": polarity.DISLIKED, "3": polarity.DISLIKED}),
        ({"act": "reject", "dislike": ["amelie"]}, {"3": polarity.DISLIKED}),
        ({"act": "inform", "dislike": ["matrix"]}, {"1": polarity.DISLIKED}),
        ({"act": "inform", "like": ["#7", "Alien", "#x"], "seen": ["Heat"]}, {}),
    ],
)
def test_verdicts_of_a_frame(frame: dict[str, Any], expected: dict[str, int]) -> None:
    titles = {item.item_id: item.label for item in FILMS}
    read = polarity.as_read(lambda message, scene: frame if scene.shown else None)
    assert read(TALK, titles) == expected


def test_later_verdicts_win_and_years_tell_namesakes_apart() -> None:
    talk = dialogue(
        ("seeker", "Jumanji (2017) was fun", ["5"]),
        ("recommender", "More than Jumanji (1995)?", ["4"]),
        ("seeker", "no, changed my mind about the 2017 one", []),
        _5=False,
    )
    frames = iter([{"act": "inform", "like": ["Jumanji"]}, {"act": "inform", "dislike": ["Jumanji (2017)"]}])
    titles = {item.item_id: item.label for item in FILMS}
    assert polarity.as_read(lambda m, s: next(frames))(talk, titles) == {"5": polarity.DISLIKED}


def folder(tmp_path: Path, *lines: str) -> Path:
    films = [{"item_id": item.item_id, "title": item.title, "year": item.year} for item in FILMS]
    (tmp_path / "catalogue.jsonl").write_text("\n".join(map(json.dumps, films)), "utf-8")
    (tmp_path / "valid.jsonl").write_text("\n".join(lines), "utf-8")
    return tmp_path


def test_dialogues_are_read_and_sampled_the_same_every_time(tmp_path: Path) -> None:
    rows = [json.dumps({**TALK, "conversation_id": str(i)}) for i in range(6)]
    read = polarity.read_labelled(folder(tmp_path, *rows))
    assert len(read.rows) == 6
    assert read.titles["1"] == "The Matrix (1999)"
    assert polarity.sample(read, 3) == polarity.sample(read, 3)
    assert len(polarity.sample(read, 99).rows) == 6


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", r"valid\.jsonl:2: not JSON"),
        ('{"turns": []}', r"valid\.jsonl:2: `labels`"),
        ('{"turns": [{"role": "bot", "text": "hi"}], "labels": {}}', r"valid\.jsonl:2: .*`role`"),
        ('{"turns": [{"role": "seeker"}], "labels": {}}', r"valid\.jsonl:2: .*`text`"),
        ('{"labels": {}}', r"valid\.jsonl:2: .*`turns`"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(polarity.DialogueError, match=said):
        polarity.read_labelled(folder(tmp_path, json.dumps(TALK), line))


def test_missing_dialogues_are_named(tmp_path: Path) -> None:
    with pytest.raises(polarity.DialogueError, match=r"no '.*valid\.jsonl'.*--data"):
        polarity.read_labelled(tmp_path)


# Judging


def people(count: int, seed: int = 0) -> list[judging.Person]:
    """Half of them like even films, half odd ones; one verdict in ten is the other way."""
    rng = np.random.default_rng(seed)
    items = [Item(str(i), f"Film {i}", genres=("drama",)) for i in range(40)]
    made = []
    for number in range(count):
        order = rng.permutation(40)[:25]
        liked = ((order % 2 == number % 2) ^ (rng.random(25) < 0.1)).tolist()
        made.append((f"u{number}", [Verdict(items[i], yes) for i, yes in zip(order, liked, strict=True)]))
    return made


SHELF = Catalogue(Item(str(i), f"Film {i}", genres=("drama",)) for i in range(40))


def test_instances_are_verdicts_with_ten_before() -> None:
    (name, verdicts), *_ = people(1)
    found = judging.instances([(name, verdicts)], SHELF)
    assert len(found) == 15
    assert found.item[0] == int(verdicts[10].item.item_id)
    assert found.history[0].tolist() == [int(v.item.item_id) for v in verdicts[:10]]
    assert found.liked[-1].tolist() == [float(v.liked) for v in verdicts[14:24]]
    prompt = judging.prompts(found, SHELF)[0]
    assert prompt.endswith(f"Film {found.item[0]}, drama:")
    assert prompt.count(" yes\n") + prompt.count(" no\n") == 10


def test_neighbours_tell_what_means_cannot() -> None:
    training, given = people(60), judging.instances(people(20, seed=1), SHELF)
    areas = {
        name: judging.judged(name, given, scores).area.value
        for name, scores in judging.baselines(training, given, SHELF).items()
    }
    assert areas["item mean"] < 0.65
    assert areas["item-item over the ten"] > 0.85
    assert areas["logistic regression of the three"] > 0.85


def test_logistic_regression_finds_the_weights_it_was_made_with() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(20000, 2))
    chance = 1 / (1 + np.exp(-(features @ [1.5, -1.0] + 0.5)))
    weights = judging.fit_logistic(features, rng.random(20000) < chance)
    assert weights == pytest.approx([1.5, -1.0, 0.5], abs=0.1)


def test_judging_puts_models_and_baselines_on_the_same_rows() -> None:
    rows = [
        Interaction(user, verdict.item.item_id, 5.0 if verdict.liked else 2.0, float(time))
        for user, verdicts in people(40)
        for time, verdict in enumerate(verdicts)
    ]
    asked: list[str] = []

    def no_idea(prompts: Sequence[str]) -> list[float]:
        asked.extend(prompts)
        return [0.5] * len(prompts)

    table = judging.measure_judging(Interactions.from_rows(rows, SHELF), SHELF, {"no idea": no_idea}, n=50)
    assert [row.judgements for row in table] == [150] * 4 + [50] * 5  # ten of forty people are held out
    assert len(asked) == 50
    assert table[-1].area == Estimate(0.5, 0.5, 0.5)
    assert table[-1].loss == pytest.approx(np.log(2))


def test_what_is_no_rating_cannot_be_judged() -> None:
    clicks = Interactions.from_rows([Interaction("a", "1"), Interaction("b", "2")], SHELF)
    with pytest.raises(judging.JudgingError, match="no ratings"):
        judging.measure_judging(clicks, SHELF, {})
    with pytest.raises(judging.JudgingError, match="more than 10"):
        judging.instances([("a", [])], SHELF)


# Speed, tables, command


def test_times_are_taken_from_the_trace() -> None:
    steps = (
        Step("understand", 0.3, "model"),
        Step("expand", 0.2, "rules"),
        Step("rank", 0.1, "code"),
        Step("respond", 0.5, "model"),
    )
    turn = TurnTimes(0.8, 1.2, Reply("", trace=Trace(steps, first_token=0.75)).trace)
    assert step_seconds(turn, "understand") == 0.3
    assert step_seconds(turn, "expand") is None  # the rules did it
    assert after_ranking(turn) == pytest.approx(0.15)
    assert after_ranking(TurnTimes(1, 1, Trace((Step("understand", 0.3, "model"),)))) is None


def test_tables_show_intervals_and_leave_nested_rows_out() -> None:
    from rich.console import Console

    answers = iter([{"act": "inform", "like": ["Matrix"], "avoid": ["horror"]}, {"act": "chat"}])
    found = reading.measure_understanding("one [of]", lambda m, s: next(answers), MESSAGES, 2020)
    section = tables.Section("title", (found,))
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(tables.as_table(section))
    text = console.export_text()
    assert "0.800 [" in text
    assert "one [of]" in text
    assert "slots" not in text
    (plain,) = tables.to_json([section], "folder", 0)["tables"]
    assert plain["rows"][0]["f1"]["value"] == pytest.approx(0.8)
    assert len(plain["rows"][0]["slots"]) == 3
    nothing = tables.Section("", (Estimate(float("nan"), 0, 0),))
    written = json.loads(json.dumps(tables.to_json([nothing], "folder", 0), allow_nan=False))
    assert written["tables"][0]["rows"][0]["value"] is None
    assert written["machine"]["cores"] > 0


def test_widening_becomes_rows_with_intervals() -> None:
    from eval.benchmarks.adapter import widened
    from eval.benchmarks.widening import Results, Widening

    ways = {
        "none": Results((0.1, 0.3), (2.0, 2.0)),
        "rules": Results((0.2, 0.2), (3.0, 3.0)),
        "model": Results((0.2, 0.4), (2.5, 3.5)),
    }
    found = Widening({"rated": ways}, (0.1, 0.3, 0.2))
    none, _, model = widened(found, "adapter", with_rules=True)
    assert (none.system, none.recall_at_50.value, none.gain, none.seconds) == ("none", 0.2, None, None)
    assert (model.system, model.recall_at_50.value) == ("adapter", pytest.approx(0.3))
    assert (model.theme_entropy, model.seconds) == (3.0, 0.2)
    assert model.gain is not None
    assert model.gain.value == pytest.approx(0.5)
    assert [row.system for row in widened(found, "base", with_rules=False)] == ["base"]


def test_a_folder_without_an_adapter_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["adapter", "--adapter", str(tmp_path)])
    assert result.exit_code != 0
    assert "no adapter_model.safetensors" in result.output


def test_no_adapter_at_all_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.model.assets.packaged_adapter", lambda: None)
    result = CliRunner().invoke(app, ["adapter"])
    assert result.exit_code != 0
    assert "--adapter" in result.output


def test_missing_dialogues_are_told_before_anything_is_loaded(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["adapter", "--data", str(tmp_path / "nowhere")])
    assert result.exit_code != 0
    assert "--data wants" in result.output

"""The arithmetic and the timing of the latency benchmark, on things whose speed is known."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.types import Done, Event, Items, Reply, StepStarted, Token
from eval.benchmarks import latency
from eval.benchmarks.latency import (
    BenchmarkError,
    Figure,
    LatencyReport,
    Target,
    figure,
    markdown,
    queries,
    rates,
    time_calls,
    time_turn,
    to_json,
)
from eval.cli import app
from eval.machine import Machine, machine, memory
from retrieval.types import Item


class SlowTalk:
    """Streams a step, a pause, two tokens with a pause between them, and the reply."""

    def __init__(self, *, finish: bool = True) -> None:
        self.finish = finish

    def stream(self, text: str) -> Iterator[Event]:
        yield StepStarted("understand", "reading your message")
        time.sleep(0.03)
        yield Items(())
        yield Token("Hello")
        time.sleep(0.05)
        yield Token(" there")
        if self.finish:
            yield Done(Reply("Hello there"))


class FakeCatalogue:
    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def values(self, field: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(genre for item in self.items for genre in item.genres))


def test_first_token_and_whole_turn_are_told_apart() -> None:
    times = time_turn(SlowTalk(), "hi")
    assert 0.03 <= times.first_token < times.whole
    assert times.whole - times.first_token >= 0.05


def test_a_stream_without_its_reply_is_an_error_that_quotes_the_message() -> None:
    with pytest.raises(BenchmarkError, match=r"'hello\?'"):
        time_turn(SlowTalk(finish=False), "hello?")


def test_median_and_worst_tenth() -> None:
    lower = figure("turn", "s", [float(n) for n in range(1, 11)], Target(6))
    assert (lower.median, lower.worst_tenth, lower.runs, lower.met) == (5.5, 9.0, 10, True)
    higher = figure("rate", "items/s", [100.0, 200.0, 300.0], Target(150, "higher"))
    assert (higher.median, higher.worst_tenth, higher.met) == (200.0, 100.0, True)
    assert figure("turn", "s", [7.0], Target(6)).met is False
    assert figure("turn", "s", [7.0]).met is None


def test_a_figure_of_nothing_is_an_error() -> None:
    with pytest.raises(BenchmarkError, match="turn: nothing was measured"):
        figure("turn", "s", [])


@pytest.mark.parametrize(("target", "value", "met"), [(Target(2), 2.0, True), (Target(2), 2.1, False)])
def test_a_limit_is_inclusive(target: Target, value: float, met: bool) -> None:
    assert target.met(value) is met


def test_queries_are_distinct_and_never_ask_for_what_they_exclude() -> None:
    genres = ("crime", "comedy", "drama")
    catalogue = FakeCatalogue(
        [Item(str(n), f"Film {n}", genres=(genres[n % 3],), popularity=n) for n in range(300)]
    )
    made = queries(catalogue, 200)  # type: ignore[arg-type]
    assert len({query.text for query in made}) == 200
    assert all(query.exclude == frozenset(query.liked) for query in made)
    assert {len(query.liked) for query in made} == {0, 1, 2, 3}
    assert any(query.constraints for query in made)
    assert made == queries(catalogue, 200)  # type: ignore[arg-type]


def test_queries_of_a_bare_catalogue() -> None:
    assert len(queries(FakeCatalogue([Item("1", "Film")]), 3)) == 3  # type: ignore[arg-type]


def test_calls_are_timed_one_by_one() -> None:
    assert [round(seconds, 1) for seconds in time_calls(time.sleep, [0.1, 0.0])] == [0.1, 0.0]


def test_encoding_rate_counts_texts_per_second() -> None:
    measured = rates(lambda texts: time.sleep(len(texts) * 0.001), ["text"] * 100, 2)
    assert len(measured) == 2
    assert all(500 < rate <= 1000 for rate in measured)


@pytest.mark.parametrize(("llm", "models"), [("both", ("none", "packaged")), ("none", ("none",))])
def test_the_command_prints_the_table_and_writes_json(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, llm: str, models: tuple[str, ...]
) -> None:
    asked: list[object] = []

    def run(workspace: object, models: object, repeats: int, say: object) -> LatencyReport:
        asked.extend((workspace, models, repeats))
        return LatencyReport(machine(), (Figure("whole turn", "s", 4.0, 5.0, 60, Target(6)),))

    monkeypatch.setattr(latency, "run", run)
    arguments = ["latency", "--llm", llm, "--repeats", "2", "--json", str(tmp_path / "out.json")]
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, asked) == (0, [None, models, 2])
    assert "| whole turn | 4 s | 5 s | 60 | ≤ 6 s | yes |" in result.stdout
    assert json.loads((tmp_path / "out.json").read_text())["figures"][0]["met"] is True


def test_a_measurement_that_fails_ends_the_command_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> LatencyReport:
        raise BenchmarkError("Start-up failed: no memory.")

    monkeypatch.setattr(latency, "run", run)
    result = CliRunner().invoke(app, ["latency"])
    assert (result.exit_code, result.output) == (2, "Error: Start-up failed: no memory.\n")


def test_start_up_reads_what_the_fresh_process_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency.sys, "executable", "/bin/echo")
    with pytest.raises(BenchmarkError, match="reported no figures"):
        latency.start_up(None, "none")
    monkeypatch.setattr(latency.sys, "executable", "/bin/false")
    with pytest.raises(BenchmarkError, match="llm='none' failed: no message"):
        latency.start_up(None, "none")


def test_the_table_names_the_machine_and_judges_each_target() -> None:
    here = Machine("Some CPU", 2, None, 16.0, "Linux 6", "3.11.7")
    figures = (
        Figure("whole turn", "s", 4.0, 5.0, 60, Target(6)),
        Figure("first token", "s", 3.0, 3.5, 60, Target(2.5)),
        Figure("resident memory", "GB", 1.25, 1.25, 3),
        Figure("indexing", "items/s", 1340.4, 99.96, 3),
    )
    text = markdown(LatencyReport(here, figures))
    assert "Some CPU, 2 cores" in text
    assert "| whole turn | 4 s | 5 s | 60 | ≤ 6 s | yes |" in text
    assert "| first token | 3 s | 3.5 s | 60 | ≤ 2.5 s | **no** |" in text
    assert "| indexing | 1,340 items/s | 100 items/s | 3 | - | - |" in text
    assert "| resident memory | 1.25 GB | 1.25 GB | 3 | - | - |" in text
    data = json.loads(json.dumps(to_json(LatencyReport(here, figures))))
    assert [row["met"] for row in data["figures"]] == [True, False, None, None]
    assert data["machine"]["cores"] == 2


def test_this_machine_is_described() -> None:
    here = machine()
    assert here.cpu
    assert here.cores >= 1
    used = memory()
    if used.now_gb is not None and used.peak_gb is not None:
        assert 0.01 < used.now_gb <= used.peak_gb < 100

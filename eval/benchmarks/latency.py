"""Speed and memory, with medians of repeated runs beside the targets (`make bench`).

Turns are timed from the outside, over the stream a browser reads. Start-up and memory are those of a
fresh process, because this one has already loaded everything.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from agent.types import Done, Event, Trace
from eval.machine import Machine, machine, memory
from retrieval.dialogue import Message
from retrieval.errors import TastebudError
from retrieval.types import Constraints, Facet, Query

if TYPE_CHECKING:
    from agent.recommender import Recommender
    from retrieval.catalogue import Catalogue
    from retrieval.workspace import Workspace

CONVERSATIONS = (
    ("something like Heat", "newer, and nothing too violent", "more"),
    ("a funny film for the whole family from the 90s", "not animated", "why the first one?"),
    ("I loved Fargo and Pulp Fiction, what next?", "no, not horror", "more"),
    ("hi", "surprise me", "something older"),
)
"""What is said while turns are timed; a repeat is one pass over all of them in new conversations."""

_MOODS = ("tense", "funny", "quiet", "epic", "dark", "warm", "strange", "sad", "clever", "fast")
_PLACES = ("in space", "at sea", "in the city", "in the desert", "at school", "on the road", "in the war")
PROBE_TIMEOUT = 600.0


class BenchmarkError(TastebudError):
    """A measurement that could not be taken."""


class Streams(Protocol):
    """What timing a turn needs of `agent.Conversation`."""

    def stream(self, text: str) -> Iterable[Event]: ...


@dataclass(frozen=True, slots=True)
class Target:
    """What issue 2 asks for: at most, or at least, that much."""

    limit: float
    better: Literal["lower", "higher"] = "lower"

    def met(self, value: float) -> bool:
        return value <= self.limit if self.better == "lower" else value >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.better == 'lower' else '≥'} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity. `worst_tenth` is the value that nine runs in ten stay on the good side of."""

    name: str
    unit: str
    median: float
    worst_tenth: float
    runs: int
    target: Target | None = None

    @property
    def met(self) -> bool | None:
        """Whether the median meets the target; None without one."""
        return None if self.target is None else self.target.met(self.median)


@dataclass(frozen=True, slots=True)
class LatencyReport:
    """All figures of one run and the machine they are from."""

    machine: Machine
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """Seconds from sending a message to the first token of the reply, and to its end; `trace`: its own."""

    first_token: float
    whole: float
    trace: Trace


def figure(name: str, unit: str, values: Sequence[float], target: Target | None = None) -> Figure:
    """Median and worst tenth (nearest rank) of the values."""
    if not values:
        raise BenchmarkError(f"{name}: nothing was measured; run with --repeats 1 or more.")
    worst_first = sorted(values, reverse=target is not None and target.better == "higher")
    tenth = worst_first[max(0, -(-len(values) * 9 // 10) - 1)]
    return Figure(name, unit, statistics.median(values), tenth, len(values), target)


def time_turn(conversation: Streams, message: str) -> TurnTimes:
    """One turn over the stream. Raises BenchmarkError when the stream ends without a reply."""
    began = time.perf_counter()
    first: float | None = None
    last: Event | None = None
    for last in conversation.stream(message):
        if last.type == "token" and first is None:
            first = time.perf_counter() - began
    whole = time.perf_counter() - began
    if not isinstance(last, Done) or first is None:
        raise BenchmarkError(
            f"The turn {message!r} streamed no reply; the last event was {last.type if last else 'none'!r}."
        )
    return TurnTimes(first, whole, last.reply.trace)


def time_turns(recommender: Recommender, repeats: int) -> list[TurnTimes]:
    """Every turn of CONVERSATIONS, `repeats` times, after one that warms up."""
    time_turn(recommender.conversation(user="bench-warm-up"), CONVERSATIONS[0][0])
    times = []
    for repeat in range(repeats):
        for number, messages in enumerate(CONVERSATIONS):
            conversation = recommender.conversation(user=f"bench-{repeat}-{number}")
            times += [time_turn(conversation, message) for message in messages]
    return times


def queries(catalogue: Catalogue, n: int) -> list[Query]:
    """`n` queries with distinct texts, so that nothing remembered helps; likes and limits vary. Each is a
    message too, for a scorer that reads dialogues.
    """
    genres = catalogue.values("genres") or ("film",)
    popular = [item.item_id for item in sorted(catalogue, key=lambda item: -item.popularity)[:200]]
    made = []
    for i in range(n):
        text = f"{_MOODS[i % len(_MOODS)]} {genres[i % len(genres)]} {_PLACES[i % len(_PLACES)]}, number {i}"
        liked = tuple(popular[(i * 7 + j * 31) % len(popular)] for j in range(i % 4)) if popular else ()
        limits = Constraints(forbid=(Facet("genres", genres[-1]),)) if i % 2 else Constraints()
        said = (Message("seeker", text, liked),)
        made.append(
            Query(text=text, liked=liked, exclude=frozenset(liked), constraints=limits, messages=said)
        )
    return made


def time_calls(call: Callable[[Any], object], arguments: Iterable[Any]) -> list[float]:
    """Seconds of one call for each argument, one after the other."""
    times = []
    for argument in arguments:
        began = time.perf_counter()
        call(argument)
        times.append(time.perf_counter() - began)
    return times


def rates(encode: Callable[[Sequence[str]], object], texts: Sequence[str], repeats: int) -> list[float]:
    """Texts encoded per second, in each of `repeats` runs over all texts, after a few that warm up."""
    encode(texts[:32])
    return [len(texts) / seconds for seconds in time_calls(encode, [texts] * repeats)]


def probe(workspace: str | None, llm: str, database: str, began: float) -> None:
    """What a fresh process reports: seconds since `began` (epoch) until ready, and memory after turns."""
    from agent.recommender import Recommender

    recommender = Recommender.open(workspace, llm=llm, database=Path(database))
    conversation = recommender.conversation(user="bench-probe")
    ready = time.time() - began
    for message in CONVERSATIONS[0]:
        time_turn(conversation, message)
    sys.stdout.write("\n" + json.dumps({"ready": ready, **asdict(memory())}) + "\n")


def start_up(workspace: Path | None, llm: str) -> dict[str, float | None]:
    """`ready` seconds, `now_gb` and `peak_gb` of a fresh process. Raises BenchmarkError when it fails."""
    with tempfile.TemporaryDirectory(prefix="tastebud-bench-") as folder:
        arguments = (str(workspace) if workspace else None, llm, str(Path(folder) / "bench.db"), time.time())
        code = f"from eval.benchmarks.latency import probe; probe(*{arguments!r})"
        try:
            done = subprocess.run(
                [sys.executable, "-c", code],
                capture_output=True,
                text=True,
                timeout=PROBE_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BenchmarkError(f"Start-up with llm={llm!r} took over {PROBE_TIMEOUT:g} s.") from None
    if done.returncode != 0:
        cause = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BenchmarkError(f"Start-up with llm={llm!r} failed: {cause}")
    try:
        result: dict[str, float | None] = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise BenchmarkError(f"Start-up with llm={llm!r} reported no figures.") from None
    return result


def run(
    workspace: Path | None, models: Sequence[str], repeats: int, say: Callable[[str], None]
) -> LatencyReport:
    """All figures, for each language model in `models`; `say` hears what is being measured."""
    opened = _open(workspace)  # builds the starter if it is missing: no part of any figure
    figures: list[Figure] = []
    for llm in models:
        say(f"start-up and memory, llm={llm}")
        figures += _start_up_figures(workspace, llm, repeats)
        say(f"turns, llm={llm}")
        figures += _turn_figures(workspace, llm, repeats)
    say("retrieval and indexing")
    figures += _workspace_figures(opened, repeats)
    return LatencyReport(machine(), tuple(figures))


def _open(workspace: Path | None) -> Workspace:
    from retrieval.workspace import Workspace, open_starter

    return Workspace.open(workspace) if workspace else open_starter()


def _start_up_figures(workspace: Path | None, llm: str, repeats: int) -> list[Figure]:
    runs = [start_up(workspace, llm) for _ in range(min(repeats, 3))]
    limit = Target(2.0) if llm == "packaged" else None
    rows = (
        ("start-up to ready", "ready", "s", Target(15)),
        ("resident memory", "now_gb", "GB", limit),
        ("resident memory, peak", "peak_gb", "GB", limit),
    )
    figures = []
    for name, key, unit, target in rows:
        values = [value for run in runs if (value := run[key]) is not None]
        if values:
            figures.append(figure(f"{name}, llm={llm}", unit, values, target))
    return figures


def _turn_figures(workspace: Path | None, llm: str, repeats: int) -> list[Figure]:
    from agent.recommender import Recommender

    with tempfile.TemporaryDirectory(prefix="tastebud-bench-") as folder:
        recommender = Recommender.open(workspace, llm=llm, database=Path(folder) / "bench.db")
        try:
            times = time_turns(recommender, repeats)
        finally:
            recommender.close()
    first, whole = [t.first_token for t in times], [t.whole for t in times]
    if llm == "none":
        return [figure("whole turn, llm=none", "ms", [1000 * seconds for seconds in whole], Target(100))]
    return [
        figure(f"first token, llm={llm}", "s", first, Target(2.5)),
        figure(f"whole turn, llm={llm}", "s", whole, Target(6.0)),
    ]


def _workspace_figures(workspace: Workspace, repeats: int) -> list[Figure]:
    from retrieval.text import meaning_text

    warm, *distinct = queries(workspace.catalogue, 20 * repeats + 1)
    workspace.ranker.rank(warm)
    seconds = time_calls(workspace.ranker.rank, distinct)
    texts = [meaning_text(item) for item in workspace.catalogue]
    speeds = rates(lambda texts: workspace.encoder.encode(texts, _quietly), texts, min(repeats, 3))
    return [
        figure("retrieval, fusion and scorer, one query", "ms", [1000 * s for s in seconds], Target(40)),
        figure(f"indexing, {len(texts):,} item texts", "items/s", speeds, Target(150, "higher")),
    ]


def _quietly(done: int, of: int) -> None:
    """Progress that nobody hears: with it texts are encoded as for an index, and none is remembered."""


def markdown(report: LatencyReport) -> str:
    """The figures as a Markdown table under a line that names the machine."""
    lines = [
        f"Measured on {report.machine}.",
        "",
        "| figure | median | worst tenth | runs | target | met |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for row in report.figures:
        target = f"{row.target} {row.unit}" if row.target else "-"
        verdict = {True: "yes", False: "**no**", None: "-"}[row.met]
        values = f"{_number(row.median)} {row.unit} | {_number(row.worst_tenth)} {row.unit}"
        lines.append(f"| {row.name} | {values} | {row.runs} | {target} | {verdict} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    """Three figures, and never in powers of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def to_json(report: LatencyReport) -> dict[str, Any]:
    """The same as plain data."""
    return {
        "machine": asdict(report.machine),
        "figures": [{**asdict(row), "met": row.met} for row in report.figures],
    }

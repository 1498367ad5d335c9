"""Results of scripted dialogues: a table for people, JSON for machines."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from scipy.stats import binomtest

from agent.types import Reply
from eval.machine import Machine
from eval.metrics import Estimate
from eval.runner import ScriptResult, TurnResult
from eval.script import FAMILIES
from retrieval.errors import TastebudError


class ReportError(TastebudError):
    """A report that cannot be written where it was asked for."""


def median(values: Iterable[float]) -> float | None:
    """The middle value; None of nothing."""
    known = list(values)
    return statistics.median(known) if known else None


def reply_seconds(results: Iterable[ScriptResult]) -> list[float]:
    """Wall seconds of every step that was answered."""
    return [turn.seconds for result in results for turn in result.turns if turn.reply is not None]


def first_tokens(results: Iterable[ScriptResult]) -> list[float]:
    """Seconds to the first token of every answer, as its trace has them."""
    return [
        turn.reply.trace.first_token for result in results for turn in result.turns if turn.reply is not None
    ]


@dataclass(frozen=True, slots=True)
class FamilyResult:
    """The scripts of one family together: how many there are of each, and how many passed (or held)."""

    family: str
    scripts: int
    scripts_passed: int
    turns: int
    turns_passed: int
    checks: int
    checks_held: int


def by_family(results: Sequence[ScriptResult]) -> tuple[FamilyResult, ...]:
    """One FamilyResult for each family that was run, in the order of FAMILIES."""
    return tuple(
        _together(family, mine)
        for family in FAMILIES
        if (mine := [result for result in results if result.script.family == family])
    )


def _together(family: str, results: Sequence[ScriptResult]) -> FamilyResult:
    turns = [turn for result in results for turn in result.turns]
    checks = [check for turn in turns for check in turn.checks]
    return FamilyResult(
        family,
        len(results),
        sum(result.passed for result in results),
        len(turns),
        sum(turn.passed for turn in turns),
        len(checks),
        sum(check.passed for check in checks),
    )


def pass_rate(passed: int, of: int) -> Estimate:
    """Share that passed, with its 95 % interval (Wilson, JASA 1927).

    A bootstrap of four scripts that all passed would claim certainty; this one says 51 to 100 %.
    Raises ValueError when nothing was run.
    """
    interval = binomtest(passed, of).proportion_ci(method="wilson")
    return Estimate(passed / of, float(interval.low), float(interval.high))


def print_report(
    results: Sequence[ScriptResult], console: Console, title: str, verbose: bool = False
) -> None:
    """A line per script, a line per family, then what failed; `verbose`: the whole transcripts too."""
    console.print(_script_table(results, title))
    console.print(_family_table(results))
    for result in results:
        if verbose or not result.passed:
            _print_script(result, console, verbose)
    passed = sum(result.passed for result in results)
    console.print(
        f"{passed} of {len(results)} scripts passed · median turn {_time(median(reply_seconds(results)))}"
        f" · median first token {_time(median(first_tokens(results)))}",
        highlight=False,
    )


def _table(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, collapse_padding=True, pad_edge=False)
    for heading in words:
        table.add_column(heading, no_wrap=True)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _script_table(results: Sequence[ScriptResult], title: str) -> Table:
    table = _table(escape(title), ("script", "family"), ("turns", "checks", "asked", "a turn"))
    table.add_column("result", no_wrap=True)
    for result in results:
        checks = [check for turn in result.turns for check in turn.checks]
        held = sum(check.passed for check in checks)
        row = (
            len(result.turns),
            f"{held}/{len(checks)}",
            result.questions,
            _time(median(reply_seconds([result]))),
        )
        verdict = "[green]passed[/]" if result.passed else "[red]failed[/]"
        table.add_row(escape(result.script.name), result.script.family, *map(str, row), verdict)
    return table


def _family_table(results: Sequence[ScriptResult]) -> Table:
    table = _table("By family", ("family",), ("scripts", "passed", "95 %", "turns", "checks"))
    for row in by_family(results):
        rate = pass_rate(row.scripts_passed, row.scripts)
        table.add_row(
            row.family,
            f"{row.scripts_passed}/{row.scripts}",
            f"{rate.value:.0%}",
            f"{rate.low:.0%} to {rate.high:.0%}",
            f"{row.turns_passed}/{row.turns}",
            f"{row.checks_held}/{row.checks}",
        )
    return table


def _print_script(result: ScriptResult, console: Console, verbose: bool) -> None:
    console.print(f"\n{result.script.name}: {result.script.description}", style="bold", markup=False)
    for turn in result.turns:
        if not (verbose or not turn.passed):
            continue
        place = f"{result.script.path.name}:{turn.line}"
        console.print(f"  {place}  user: {turn.message[:200]!r}", markup=False, highlight=False)
        if turn.reply is not None:
            spoke = ", ".join(f"{step.name}={step.speaker}" for step in turn.reply.trace.steps)
            console.print(f"    reply: {_printable(turn.reply.text)}", markup=False, highlight=False)
            console.print(f"    {_time(turn.seconds)}  {spoke}", style="dim", markup=False, highlight=False)
        for check in turn.checks:
            if not check.passed:
                told = f"    FAILED {check.name}: expected {check.expected}; got {_printable(check.got)}"
                console.print(told, style="red", markup=False, highlight=False)


def _printable(text: str) -> str:
    """Cut to what a terminal can bear; a lone surrogate of a message would stop it from printing at all."""
    return text[:600].encode("utf-8", "replace").decode("utf-8")


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def to_json(results: Sequence[ScriptResult], machine: Machine, llm: str) -> dict[str, Any]:
    """The whole run as plain data: verdicts, by family too, transcripts, who spoke, medians, the machine."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "llm": llm,
        "machine": asdict(machine),
        "passed": sum(result.passed for result in results),
        "scripts": len(results),
        "median_turn_seconds": median(reply_seconds(results)),
        "median_first_token_seconds": median(first_tokens(results)),
        "families": {row.family: _family(row) for row in by_family(results)},
        "results": [_script(result) for result in results],
    }


def _family(row: FamilyResult) -> dict[str, Any]:
    rate = pass_rate(row.scripts_passed, row.scripts)
    figures = {name: count for name, count in asdict(row).items() if name != "family"}
    return {**figures, "pass_rate": rate.value, "interval": [rate.low, rate.high]}


def _script(result: ScriptResult) -> dict[str, Any]:
    script = result.script
    return {
        "name": script.name,
        "family": script.family,
        "description": script.description,
        "file": str(script.path),
        "passed": result.passed,
        "questions": result.questions,
        "median_turn_seconds": median(reply_seconds([result])),
        "turns": [_turn(turn) for turn in result.turns],
    }


def _turn(turn: TurnResult) -> dict[str, Any]:
    return {
        "line": turn.line,
        "message": turn.message,
        "passed": turn.passed,
        "seconds": turn.seconds,
        "error": turn.error,
        "reply": _reply(turn.reply) if turn.reply is not None else None,
        "checks": [asdict(check) for check in turn.checks],
    }


def _reply(reply: Reply) -> dict[str, Any]:
    return {
        "text": reply.text,
        "items": [{"item_id": item.item_id, "title": item.title, "rank": item.rank} for item in reply.items],
        "question": reply.question,
        "options": list(reply.options),
        "relaxed": list(reply.relaxed),
        "act": reply.trace.frame.act,
        "first_token_seconds": reply.trace.first_token,
        "steps": [asdict(step) for step in reply.trace.steps],
    }


def write_json(data: dict[str, Any], path: Path) -> None:
    """Raises ReportError when the file cannot be written."""
    try:
        # Lone surrogates of a message cannot be UTF-8; escaped they can.
        path.write_text(json.dumps(data, indent=2), encoding="utf-8")
    except OSError as error:
        raise ReportError(
            f"Cannot write {str(path)!r} ({error.strerror}): give --json a writable file."
        ) from None

"""Results of scripted dialogues: a table for people, JSON for machines."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.types import Reply
from eval.machine import Machine
from eval.runner import ScriptResult, TurnResult
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


def print_report(
    results: Sequence[ScriptResult], console: Console, title: str, verbose: bool = False
) -> None:
    """A line per script, then what failed; `verbose`: the whole transcripts too."""
    table = Table(
        title=escape(title), title_justify="left", box=box.SIMPLE, collapse_padding=True, pad_edge=False
    )
    for heading in ("script", "family"):
        table.add_column(heading, no_wrap=True)
    for heading in ("turns", "checks", "asked", "a turn"):
        table.add_column(heading, justify="right", no_wrap=True)
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
    console.print(table)
    for result in results:
        if verbose or not result.passed:
            _print_script(result, console, verbose)
    passed = sum(result.passed for result in results)
    console.print(
        f"{passed} of {len(results)} scripts passed · median turn {_time(median(reply_seconds(results)))}"
        f" · median first token {_time(median(first_tokens(results)))}",
        highlight=False,
    )


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
    """The whole run as plain data: verdicts, transcripts, who spoke in each step, medians, the machine."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "llm": llm,
        "machine": asdict(machine),
        "passed": sum(result.passed for result in results),
        "scripts": len(results),
        "median_turn_seconds": median(reply_seconds(results)),
        "median_first_token_seconds": median(first_tokens(results)),
        "results": [_script(result) for result in results],
    }


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

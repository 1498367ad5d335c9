"""How fast the model with its adapter serves, beside what issue 4 asks for on two cores."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from agent.model.decode import Engine
from agent.model.language import Language
from agent.model.llm import LocalChatModel
from eval.benchmarks.judging import time_twenty
from eval.benchmarks.latency import Figure, Target, TurnTimes, figure, time_turns

if TYPE_CHECKING:
    from agent.recommender import Recommender

DECODED = 96
_LONG_ANSWER = [{"role": "user", "content": "Tell a long story about an old lighthouse by the sea."}]


def measure_speed(recommender: Recommender, language: Language, repeats: int) -> tuple[Figure, ...]:
    """Steps and turns of `recommender`, and its local model `language` by itself."""
    times = time_turns(recommender, repeats)
    judging = time_twenty(language.judge, recommender.catalogue)
    assert isinstance(language.model, LocalChatModel)
    return (
        *_step_figures(times),
        figure("judging 20 candidates", "ms", _milliseconds(judging), Target(1200)),
        figure("whole turn, first token", "s", [turn.first_token for turn in times], Target(1.5)),
        figure("whole turn, end", "s", [turn.whole for turn in times], Target(3.5)),
        *_decode_figures(language.model.engine, repeats),
    )


def _step_figures(times: Iterable[TurnTimes]) -> list[Figure]:
    """The model's own steps, as the traces have them; a step that the model never did has no figure."""
    turns = list(times)
    rows = (
        ("understand, grammar included", [step_seconds(turn, "understand") for turn in turns], Target(500)),
        ("expand", [step_seconds(turn, "expand") for turn in turns], Target(400)),
        ("first token after ranking", [after_ranking(turn) for turn in turns], Target(200)),
    )
    figures = []
    for name, values, target in rows:
        known = [value for value in values if value is not None]
        if known:
            figures.append(figure(name, "ms", _milliseconds(known), target))
    return figures


def step_seconds(turn: TurnTimes, name: str) -> float | None:
    """Seconds of a step of a turn; None unless the model did it."""
    return next((s.seconds for s in turn.trace.steps if s.name == name and s.speaker == "model"), None)


def after_ranking(turn: TurnTimes) -> float | None:
    """Seconds from the end of ranking to the first token; None for a turn without ranking."""
    names = [step.name for step in turn.trace.steps]
    if "rank" not in names:
        return None
    ranked = sum(step.seconds for step in turn.trace.steps[: names.index("rank") + 1])
    return max(0.0, turn.trace.first_token - ranked)


def _decode_figures(engine: Engine, repeats: int) -> list[Figure]:
    """Tokens a second of `engine`, and of openvino_genai on the packaged GGUF as it is, turn about."""
    theirs_rate = _genai_rate()
    if theirs_rate is None:
        return []
    ours, theirs = [], []
    for number in range(repeats + 1):
        pair = engine_rate(engine), theirs_rate()
        if number:  # the first of each warms up
            ours.append(pair[0])
            theirs.append(pair[1])
    ratios = [mine / its for mine, its in zip(ours, theirs, strict=True)]
    return [
        figure("decoding a token", "ms", [1000 / rate for rate in ours]),
        figure("decoding a token, openvino_genai, packaged GGUF", "ms", [1000 / rate for rate in theirs]),
        figure("decode rate against it, run by run", "x", ratios, Target(0.9, "higher")),
    ]


def engine_rate(engine: Engine) -> float:
    """Tokens a second after the first, of one long answer that no grammar holds back."""
    times = [time.perf_counter() for _ in engine.generate(_LONG_ANSWER, max_tokens=DECODED)]
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else float("nan")


def _genai_rate() -> Callable[[], float] | None:
    """The same for openvino_genai's own loop on the packaged file; None where it is not installed."""
    from agent.model import assets

    if not assets.has_openvino():
        return None
    from agent.model.openvino import quiet_import

    openvino_genai = quiet_import("openvino_genai")
    pipeline = openvino_genai.LLMPipeline(str(assets.packaged_gguf()), "CPU")
    options = openvino_genai.GenerationConfig()
    options.max_new_tokens, options.ignore_eos = DECODED, True

    def rate() -> float:
        prompt = pipeline.get_tokenizer().apply_chat_template(_LONG_ANSWER, add_generation_prompt=True)
        done = pipeline.generate([prompt], options)
        return 1000 / done.perf_metrics.get_tpot().mean

    return rate


def _milliseconds(seconds: Iterable[float]) -> list[float]:
    return [1000 * value for value in seconds]

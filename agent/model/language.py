"""The language role: one small interface over a local model or a server, both LangChain chat models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agent.errors import ModelError
from agent.model.decode import Engine
from agent.model.grammar import Grammar, choice_grammar, frame_grammar, phrasing_grammar
from agent.prompting import spec

_ROLES = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}


class Language:
    """What the agent asks of a language model. `constrained`: it decodes under any grammar (local models).

    A server takes JSON schemas only, so it reads messages and widens interests, and replies are
    worded by the templates. `tuned`: it carries an adapter trained on these prompts, so it needs no
    worked examples in them, and can judge.
    """

    def __init__(self, model: BaseChatModel, name: str, constrained: bool, tuned: bool = False) -> None:
        self.model = model
        self.name = name
        self.constrained = constrained
        self.tuned = tuned

    def frame(self, messages: Sequence[dict[str, str]], message: str) -> dict[str, Any]:
        """A frame for `message` as JSON. Raises ModelError when the model fails or writes no JSON object."""
        grammar = frame_grammar(message)
        text = self._complete(messages, grammar, 96)
        try:
            frame = json.loads(text)
        except json.JSONDecodeError as error:
            raise ModelError(f"The model {self.name!r} wrote no JSON but {text[:80]!r}.") from error
        if not isinstance(frame, dict):
            raise ModelError(f"The model {self.name!r} wrote {text[:80]!r}, not a JSON object.")
        return frame

    def judge(self, history: str, candidates: Sequence[str]) -> list[float]:
        """The probability in [0, 1] that each candidate is liked after `history`; agent/judge.py writes both.

        Only for local models. Raises ModelError for others, and when it fails.
        """
        engine = getattr(self.model, "engine", None)
        if engine is None:
            raise ModelError(f"The model {self.name!r} shows no probabilities: a judge has to run here.")
        words = spec("judge")
        try:
            return engine.yes_probabilities(history, candidates, words["liked"], words["disliked"])
        except Exception as error:
            raise self._failure(error) from error

    def choose(self, messages: Sequence[dict[str, str]], values: Sequence[str], most: int) -> list[str]:
        """Up to `most` of `values`, distinct, in the model's order. Others that it names are left out."""
        text = self._complete(messages, choice_grammar(values, most), 48)
        known = {value.lower(): value for value in values}
        named = dict.fromkeys(part.strip().lower() for part in text.split(","))
        return [known[name] for name in named if name in known][:most]

    def phrase(
        self, messages: Sequence[dict[str, str]], parts: Sequence[Sequence[str]], seed: int
    ) -> Iterator[str]:
        """Stream one wording of each part. Only for constrained models. Raises ModelError when it fails."""
        options: dict[str, Any] = {"max_tokens": 700, "temperature": 1.2, "seed": seed}
        try:
            for chunk in self.model.stream(_messages(messages), lark=phrasing_grammar(parts).lark, **options):
                yield str(chunk.content)
        except Exception as error:
            raise self._failure(error) from error

    def _complete(self, messages: Sequence[dict[str, str]], grammar: Grammar, max_tokens: int) -> str:
        options: dict[str, Any] = {"max_tokens": max_tokens}
        if self.constrained:
            options["lark"] = grammar.lark
        elif grammar.schema is not None:
            schema = {"name": "answer", "schema": json.loads(grammar.schema)}
            options["response_format"] = {"type": "json_schema", "json_schema": schema}
        try:
            return str(self.model.invoke(_messages(messages), **options).content)
        except Exception as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> ModelError:
        if isinstance(error, ModelError):
            return error
        return ModelError(f"The model {self.name!r} did not answer: {type(error).__name__}: {error}")


def open_language(llm: str, adapter: str | Path | None = None) -> Language | None:
    """The language model that `llm` names; None for "none".

    "packaged" | "none" | a Hugging Face id or folder | "http(s)://host:port/v1#model-name".
    `adapter`: a PEFT folder to use instead of the adapter that comes with the agent.
    Raises ModelError if it cannot be loaded. A server is contacted only when it is first asked.
    """
    if llm == "none":
        return None
    if llm.startswith(("http://", "https://")):
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        url, _, name = llm.partition("#")
        if not name:
            raise ModelError(f"Which model at {url!r}? Add its name: {url}#model-name")
        server = ChatOpenAI(
            base_url=url, model=name, api_key=SecretStr("local"), temperature=0, timeout=60, max_retries=1
        )
        return Language(server, name, constrained=False)
    from agent.model.assets import packaged_adapter
    from agent.model.llm import LocalChatModel

    if llm == "packaged":
        chosen = adapter or packaged_adapter()
        engine = _packaged(chosen)
    else:
        chosen = adapter
        engine = _hugging_face(llm, chosen)
    return Language(LocalChatModel(engine=engine), engine.name, constrained=True, tuned=chosen is not None)


def _packaged(adapter: str | Path | None) -> Engine:
    """The packaged model with `adapter` merged into it; on OpenVINO where that is installed."""
    from agent.model import assets

    if assets.has_openvino():
        from agent.model.openvino import OpenVinoEngine

        return OpenVinoEngine(assets.openvino_folder(adapter))
    return _hugging_face(str(assets.model_folder(adapter)))


def _hugging_face(folder: str, adapter: str | Path | None = None) -> Engine:
    from agent.model.engine import TransformersEngine

    return TransformersEngine(folder, adapter)


def _messages(messages: Sequence[dict[str, str]]) -> list[BaseMessage]:
    return [_ROLES[message["role"]](content=message["content"]) for message in messages]

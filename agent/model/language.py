"""The language role: one small interface over a local model or a server, both LangChain chat models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agent.errors import ModelError
from agent.model.grammar import Grammar, choice_grammar, frame_grammar, phrasing_grammar

_ROLES = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}


class Language:
    """What the agent asks of a language model. `constrained`: it decodes under any grammar (local models).

    A server takes JSON schemas only, so it reads messages and widens interests, and replies are
    worded by the templates.
    """

    def __init__(self, model: BaseChatModel, name: str, constrained: bool) -> None:
        self.model = model
        self.name = name
        self.constrained = constrained

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

    def choose(self, messages: Sequence[dict[str, str]], values: Sequence[str], most: int) -> list[str]:
        """Up to `most` of `values`, distinct, in the model's order. Others that it names are left out."""
        text = self._complete(messages, choice_grammar(values, most), 48)
        named = [part.strip().lower() for part in text.split(",")]
        return [value for value in dict.fromkeys(named) if value in values][:most]

    def phrase(
        self, messages: Sequence[dict[str, str]], parts: Sequence[Sequence[str]], seed: int
    ) -> Iterator[str]:
        """Stream one wording of each part. Only for constrained models. Raises ModelError when it fails."""
        options: dict[str, Any] = {"max_tokens": 700, "temperature": 0.7, "seed": seed}
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


def open_language(llm: str, workspace_adapter: str | None = None) -> Language | None:
    """The language model that `llm` names; None for "none".

    "packaged" | "none" | a Hugging Face id or folder | "http(s)://host:port/v1#model-name".
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
    from agent.model.assets import model_folder
    from agent.model.engine import TransformersEngine
    from agent.model.llm import LocalChatModel

    folder = model_folder() if llm == "packaged" else llm
    engine = TransformersEngine(folder, workspace_adapter)
    return Language(LocalChatModel(engine=engine), engine.name, constrained=True)


def _messages(messages: Sequence[dict[str, str]]) -> list[BaseMessage]:
    return [_ROLES[message["role"]](content=message["content"]) for message in messages]

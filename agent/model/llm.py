"""The local model as a LangChain chat model of our own.

`ChatHuggingFace` cannot decode under a grammar or keep a prompt's prefix; this subclass passes both on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict

from agent.errors import ModelError
from agent.model.decode import Engine

_ROLES: dict[type[BaseMessage], str] = {SystemMessage: "system", HumanMessage: "user", AIMessage: "assistant"}


class LocalChatModel(BaseChatModel):
    """Chat model over an Engine. Call options: lark, max_tokens, temperature, seed."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    engine: Engine

    @property
    def _llm_type(self) -> str:
        return "tastebud-local"

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        if stop:
            raise ModelError(f"Stop words {stop!r} are not supported: use a grammar.")
        for text in self.engine.generate([_as_dict(message) for message in messages], **kwargs):
            if run_manager:
                run_manager.on_llm_new_token(text)
            yield ChatGenerationChunk(message=AIMessageChunk(content=text))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = "".join(str(c.message.content) for c in self._stream(messages, stop, None, **kwargs))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])


def _as_dict(message: BaseMessage) -> dict[str, str]:
    for kind, role in _ROLES.items():
        if isinstance(message, kind):
            return {"role": role, "content": str(message.content)}
    raise ModelError(f"A {type(message).__name__} cannot be sent to a local model.")

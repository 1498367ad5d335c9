"""The REST API of `tastebud serve`: conversations, feedback, recommendations and items as JSON.

Every error a caller can cause is `{"error": text}` with a 4xx status; the text says what to do.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Header, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from agent.memory.store import ConversationError
from retrieval.errors import TastebudError, UnknownItemError
from ui.stream import to_the_end

if TYPE_CHECKING:
    from agent import Recommender
    from agent.types import Event

log = logging.getLogger("tastebud.api")

_MESSAGE_LIMIT = 1_000_000
User = Annotated[
    str, Field(min_length=1, max_length=200, description="Any name; conversations are kept under it.")
]
Text = Annotated[str, Field(max_length=_MESSAGE_LIMIT)]
ItemId = Annotated[str, Field(min_length=1, max_length=500)]
Share = Annotated[
    float,
    Field(ge=0, le=1, allow_inf_nan=False, description="0: the best whatever their fame; 1: hidden gems."),
]
ConversationId = Annotated[str, Path(max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewConversation(_Body):
    user: User
    long_tail: Share = 0.0


class NewMessage(_Body):
    """`long_tail`: from this message on; None leaves it as it is."""

    user: User
    text: Text
    long_tail: Share | None = None


class Feedback(_Body):
    """`liked` None with `seen` false is refused: it says nothing."""

    user: User
    item_id: ItemId
    liked: bool | None = None
    seen: bool = False


class PastMessage(_Body):
    role: Literal["user", "assistant", "system"]
    content: Text


class RecommendRequest(_Body):
    messages: list[PastMessage] = Field(max_length=500)
    n: int = Field(default=10, ge=1, le=1000)
    exclude: list[ItemId] = Field(default_factory=list, max_length=100_000)
    long_tail: Share = 0.0
    diversity: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)


class RequestError(TastebudError):
    """A request that asks for nothing."""


def add_api(app: FastAPI, rec: Recommender) -> None:
    """Adds the routes under `/v1` and turns errors into JSON."""
    app.add_exception_handler(TastebudError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _crashed)
    app.include_router(_conversations(rec), prefix="/v1")
    app.include_router(_others(rec), prefix="/v1")


def _conversations(rec: Recommender) -> APIRouter:
    router = APIRouter()

    @router.post("/conversations", status_code=201)
    def begin(body: NewConversation) -> dict[str, str]:
        chat = rec.conversation(user=body.user, long_tail=body.long_tail)
        return {"conversation_id": chat.conversation_id, "user": chat.user}

    @router.post("/conversations/{conversation_id}/messages", response_model=None)
    def send(
        conversation_id: ConversationId, body: NewMessage, accept: Annotated[str, Header()] = ""
    ) -> dict[str, Any] | StreamingResponse:
        chat = rec.conversation(body.user, conversation_id, body.long_tail)
        if "text/event-stream" in accept:
            return StreamingResponse(_sse(to_the_end(chat.stream(body.text))), media_type="text/event-stream")
        return asdict(chat.send(body.text))

    @router.get("/conversations/{conversation_id}")
    def read(conversation_id: ConversationId, user: Annotated[str, Query(max_length=200)]) -> dict[str, Any]:
        chat = rec.conversation(user=user, conversation_id=conversation_id)
        return {
            "conversation_id": chat.conversation_id,
            "user": chat.user,
            "turns": [asdict(turn) for turn in chat.turns],
            "state": asdict(chat.state),
            "profile": [asdict(entry) for entry in chat.profile],
        }

    @router.post("/conversations/{conversation_id}/feedback")
    def react(conversation_id: ConversationId, body: Feedback) -> dict[str, Any]:
        if body.liked is None and not body.seen:
            raise RequestError('Say "liked": true, "liked": false or "seen": true.')
        chat = rec.conversation(user=body.user, conversation_id=conversation_id)
        return asdict(chat.feedback(body.item_id, liked=body.liked, seen=body.seen))

    return router


def _others(rec: Recommender) -> APIRouter:
    router = APIRouter()

    @router.post("/recommend")
    def recommend(body: RecommendRequest) -> dict[str, Any]:
        messages = [{"role": message.role, "content": message.content} for message in body.messages]
        found = rec.recommend(messages, body.n, tuple(body.exclude), body.long_tail, body.diversity)
        return asdict(found)

    @router.get("/items/{item_id:path}")
    def item(item_id: str) -> dict[str, Any]:
        return asdict(rec.item(item_id))

    @router.delete("/users/{user}", status_code=204)
    def forget(user: Annotated[str, Path(max_length=200)]) -> Response:
        rec.forget_user(user)
        return Response(status_code=204)

    return router


def _sse(events: Iterator[Event]) -> Iterator[str]:
    """Server-sent events, one per stream event: `event:` is its type, `data:` its JSON, errors included."""
    try:
        for event in events:
            yield _event(event.type, asdict(event))
    except TastebudError as error:
        yield _event("error", {"error": str(error)})
    except Exception as error:  # noqa: BLE001 - the status line is sent already; the stream must say it
        yield _event("error", {"error": _apology(error)})


def _event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=True)}\n\n"


def _apology(error: Exception) -> str:
    mark = secrets.token_hex(3)
    log.error("error %s in the API", mark, exc_info=error)
    return f"Something went wrong here (error {mark} in the log)."


async def _refused(request: Request, error: Exception) -> JSONResponse:
    missing = isinstance(error, UnknownItemError | ConversationError)
    return JSONResponse({"error": str(error)}, status_code=404 if missing else 400)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
    value = repr(first.get("input"))
    got = value if len(value) <= 80 else value[:79] + "…"
    return JSONResponse({"error": f"{where}: {first['msg']} (got {got})"}, status_code=422)


async def _crashed(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": _apology(error)}, status_code=500)

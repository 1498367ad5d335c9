"""The page: Gradio layout and wiring. What a click does is in `session`, how things look in `render`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Response

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported

import gradio as gr

from retrieval.errors import UnknownItemError
from ui.api import add_api
from ui.covers import cover_of
from ui.render import BAR
from ui.session import Session, View, Who

if TYPE_CHECKING:
    from agent import Recommender

_HERE = Path(__file__).parent
_STORAGE_KEY = "tastebud"
# Gradio encrypts what it keeps in the browser; a fixed key lets a restarted server read it again. What is
# kept is a random id that never leaves this browser and this server, so the key protects nothing else.
_STORAGE_SECRET = "tastebud-on-this-machine"


def build_app(rec: Recommender, folder: Path | None = None, rest: bool = False) -> FastAPI:
    """An application with the page at `/`, covers at `/cover/ITEM_ID` and `/healthz`; `rest` adds `/v1`.

    `folder` is the workspace: images that its catalogue names by file are served from inside it only.
    """
    app = FastAPI(title="Tastebud", docs_url=None, redoc_url=None, openapi_url=None)
    _add_files(app, rec, folder)
    if rest:
        add_api(app, rec)
    return mount_page(app, rec)


def _add_files(app: FastAPI, rec: Recommender, folder: Path | None) -> None:
    @app.get("/healthz")
    def health() -> dict[str, Any]:
        return {"status": "ok", "model": rec.model_name, "items": len(rec.catalogue)}

    @app.get("/cover/{item_id:path}")
    def cover(item_id: str) -> Response:
        try:
            found = cover_of(rec.item(item_id), folder)
        except UnknownItemError as error:
            return Response(str(error), status_code=404, media_type="text/plain")
        headers = {
            "Cache-Control": "private, max-age=600",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(found.content, media_type=found.media_type, headers=headers)


def mount_page(app: FastAPI, rec: Recommender) -> FastAPI:
    """Mounts the page at `/`; routes that `app` already has keep precedence."""
    fonts = ["ui-sans-serif", "system-ui", "sans-serif"]
    return gr.mount_gradio_app(
        app,
        page(rec),
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        theme=gr.themes.Base(font=fonts, font_mono=["ui-monospace", "monospace"]),
        head=_head(),
    )


def _head() -> str:
    # As a <style> of our own: what is passed as `css` is rewritten by Gradio, which breaks `:is(a, b)`.
    css = (_HERE / "theme.css").read_text(encoding="utf-8")
    return (
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<style>{css}</style>"
    )


def page(rec: Recommender) -> gr.Blocks:
    """The Blocks of the page."""
    session = Session(rec)
    with gr.Blocks(title="Tastebud", analytics_enabled=False, fill_height=True) as blocks:
        parts = _layout()
        _wire(blocks, session, parts)
    blocks.queue(default_concurrency_limit=8, api_open=False)
    return blocks


def _layout() -> dict[str, Any]:
    """Three columns: conversations, the talk, the taste profile."""
    parts: dict[str, Any] = {}
    parts["who"] = gr.BrowserState(None, storage_key=_STORAGE_KEY, secret=_STORAGE_SECRET)
    parts["why"] = gr.State({})
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    parts["bridge"] = gr.HTML(BAR, elem_id="tb-top", js_on_load=script, apply_default_css=False)
    with gr.Row(elem_id="tb-main"):
        with gr.Column(elem_id="tb-left"):
            parts["conversations"] = _html("tb-conversations")
        with gr.Column(elem_id="tb-middle"):
            parts["messages"] = _chatbot()
            parts["chips"] = _html("tb-options")
            parts["box"] = gr.Textbox(
                label="Your message",
                placeholder="What are you in the mood for?",
                show_label=False,
                container=False,
                lines=1,
                max_lines=6,
                autofocus=True,
                submit_btn=True,
                elem_id="tb-box",
                html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
            )
            parts["status"] = _html("tb-line")
        with gr.Column(elem_id="tb-right"):
            parts["profile"] = _html("tb-taste")
    return parts


def _html(elem_id: str) -> gr.HTML:
    return gr.HTML("", elem_id=elem_id, js_on_load=None, apply_default_css=False)


def _chatbot() -> gr.Chatbot:
    # `ui.render` escapes every word it is given, and the sanitizer would take the buttons out of the cards.
    return gr.Chatbot(
        elem_id="tb-chat",
        show_label=False,
        container=False,
        height=None,
        layout="panel",
        sanitize_html=False,
        latex_delimiters=[],
        buttons=[],
        feedback_options=None,
        autoscroll=False,
        placeholder="",
    )


_SHOWN = ("messages", "chips", "status", "profile", "conversations", "who", "box", "why")


def _wire(blocks: gr.Blocks, session: Session, parts: dict[str, Any]) -> None:
    """Connects what `page.js` and the message box report with the handlers of the session."""
    bridge, who, why, box = parts["bridge"], parts["who"], parts["why"], parts["box"]
    outputs = [parts[name] for name in _SHOWN]

    def submit(saved: object, text: str, opened: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        yield from map(_update, session.send(saved, text, opened))

    def say(saved: object, opened: dict[str, Any], event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        yield from map(_update, session.send(saved, str(event.value), opened))

    def rate(saved: object, opened: dict[str, Any], event: gr.EventData) -> tuple[Any, ...]:
        return _update(session.rate(saved, str(event.item), str(event.value), opened))

    def explain(saved: object, opened: dict[str, Any], event: gr.EventData) -> tuple[Any, ...]:
        return _update(session.explain(saved, str(event.item), opened))

    def drop(saved: object, opened: dict[str, Any], event: gr.EventData) -> tuple[Any, ...]:
        return _update(session.drop(saved, str(event.slot), str(event.value), opened))

    def reach(saved: object, opened: dict[str, Any], event: gr.EventData) -> tuple[Any, ...]:
        return _update(session.reach(saved, str(event.value), opened))

    def open_one(saved: object, event: gr.EventData) -> tuple[Any, ...]:
        return _update(session.open(saved, str(event.value)))

    shared: dict[str, Any] = {"outputs": outputs, "show_progress": "hidden", "api_visibility": "private"}
    blocks.load(lambda saved: _update(session.arrive(saved)), [who], **shared)
    box.submit(submit, [who, box, why], trigger_mode="once", **shared)
    bridge.say(say, [who, why], trigger_mode="once", **shared)
    bridge.rate(rate, [who, why], trigger_mode="multiple", **shared)
    bridge.why(explain, [who, why], trigger_mode="multiple", **shared)
    bridge.drop(drop, [who, why], trigger_mode="multiple", **shared)
    bridge.reach(reach, [who, why], trigger_mode="multiple", **shared)
    bridge.open(open_one, [who], **shared)
    bridge.fresh(lambda saved: _update(session.fresh(saved)), [who], **shared)
    bridge.wipe(lambda saved: _update(session.wipe(saved)), [who], **shared)


def _update(view: View) -> tuple[Any, ...]:
    """A view as the values of the outputs, in their order; what did not change is skipped."""
    return tuple(_value(getattr(view, name)) for name in _SHOWN)


def _value(value: object) -> Any:
    if value is None:
        return gr.skip()
    return asdict(value) if isinstance(value, Who) else value

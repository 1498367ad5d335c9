"""The REST API and the handlers of the page, over a small stand-in for the recommender."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from ui_fake import FakeRecommender

from ui.app import build_app
from ui.session import Session, View, Who
from ui.stream import to_the_end


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(build_app(FakeRecommender(), rest=True), raise_server_exceptions=False) as client:
        yield client


def begin(client: TestClient, user: str = "ana") -> str:
    answer = client.post("/v1/conversations", json={"user": user})
    assert answer.status_code == 201
    return answer.json()["conversation_id"]


def test_a_conversation_over_http(client: TestClient) -> None:
    there = f"/v1/conversations/{begin(client)}"
    reply = client.post(f"{there}/messages", json={"user": "ana", "text": "something like Heat"}).json()
    assert [item["title"] for item in reply["items"]] == ["Heat", "The Fugitive", "In the Line of Fire"]
    state = client.post(f"{there}/feedback", json={"user": "ana", "item_id": "1", "liked": True}).json()
    assert [liked["item_id"] for liked in state["liked"]] == ["1"]
    whole = client.get(there, params={"user": "ana"}).json()
    assert whole["turns"][0]["message"] == "something like Heat"
    assert {"slot": "liked", "value": "Heat"}.items() <= whole["profile"][0].items()


def test_a_reply_is_streamed_as_events(client: TestClient) -> None:
    url = f"/v1/conversations/{begin(client)}/messages"
    answer = client.post(url, json={"user": "ana", "text": "Heat"}, headers={"Accept": "text/event-stream"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [dict(line.split(": ", 1) for line in e.split("\n")) for e in answer.text.strip().split("\n\n")]
    kinds = [event["event"] for event in events]
    assert kinds[0] == "step"
    assert kinds.index("items") < kinds.index("token")
    assert kinds[-1] == "reply"
    spoken = "".join(json.loads(e["data"])["text"] for e in events if e["event"] == "token")
    assert spoken.strip() == json.loads(events[-1]["data"])["reply"]["text"]


def test_the_long_tail_is_set_with_a_conversation_or_with_a_message_and_stays(client: TestClient) -> None:
    made = client.post("/v1/conversations", json={"user": "ana", "long_tail": 0.5}).json()
    there = f"/v1/conversations/{made['conversation_id']}"

    def now() -> float:
        return client.get(there, params={"user": "ana"}).json()["state"]["long_tail"]

    assert now() == 0.5
    reply = client.post(f"{there}/messages", json={"user": "ana", "text": "Heat", "long_tail": 1})
    assert reply.json()["state"]["long_tail"] == 1
    client.post(f"{there}/messages", json={"user": "ana", "text": "more"})
    assert now() == 1


def test_an_error_in_a_stream_is_an_event(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    url = f"/v1/conversations/{begin(client)}/messages"
    stream = {"Accept": "text/event-stream"}
    long = client.post(url, json={"user": "ana", "text": "x" * 2000}, headers=stream)
    assert "event: error" in long.text
    assert "too long" in long.text
    with caplog.at_level(logging.CRITICAL, "tastebud.api"):
        crash = client.post(url, json={"user": "ana", "text": "crash"}, headers=stream)
    assert "Something went wrong" in crash.text
    assert "boom" not in crash.text


def test_recommend_item_health_and_forget(client: TestClient) -> None:
    body = {"messages": [{"role": "user", "content": "Heat"}], "n": 2, "exclude": ["1"]}
    items = client.post("/v1/recommend", json=body).json()["items"]
    assert [item["item_id"] for item in items] == ["2", "3"]
    assert client.get("/v1/items/4").json()["title"] == "Fargo"
    assert client.get("/healthz").json() == {"status": "ok", "model": "none", "items": 6}
    conversation = begin(client, "bob")
    assert client.delete("/v1/users/bob").status_code == 204
    assert client.get(f"/v1/conversations/{conversation}", params={"user": "bob"}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", "/v1/conversations", {"user": ""}, 422, "user"),
        ("POST", "/v1/conversations", {"user": "ana", "extra": 1}, 422, "extra"),
        ("POST", "/v1/conversations/nope/messages", {"user": "ana", "text": "hi"}, 400, "'nope'"),
        ("POST", "/v1/recommend", {"messages": [], "n": 0}, 422, "n: "),
        ("POST", "/v1/recommend", {"messages": [{"role": "robot", "content": ""}]}, 422, "'robot'"),
        ("GET", "/v1/items/999", None, 404, "'999'"),
        ("POST", "/v1/conversations", {"user": "ana", "long_tail": 1.5}, 422, "1.5"),
        ("POST", "/v1/conversations/x/messages", {"user": "a", "text": "b", "long_tail": -1}, 422, "-1"),
        ("POST", "/v1/recommend", {"messages": [], "long_tail": "much"}, 422, "'much'"),
        ("POST", "/v1/recommend", {"messages": [], "diversity": 2}, 422, "diversity"),
        ("POST", "/v1/conversations/x/feedback", {"user": "ana", "item_id": "1"}, 400, "liked"),
    ],
)
def test_bad_requests_say_what_was_wrong(
    client: TestClient, method: str, path: str, body: object, status: int, said: str
) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code == status
    assert said in answer.json()["error"]


def test_a_bug_is_an_apology_with_an_id(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    url = f"/v1/conversations/{begin(client)}/messages"
    with caplog.at_level(logging.CRITICAL, "tastebud.api"):
        answer = client.post(url, json={"user": "ana", "text": "crash"})
    assert answer.status_code == 500
    assert "boom" not in answer.text
    assert "in the log" in answer.json()["error"]


def test_the_page_alone_has_no_rest_routes_but_covers() -> None:
    with TestClient(build_app(FakeRecommender())) as page:
        assert page.post("/v1/conversations", json={"user": "ana"}).status_code >= 400
        cover = page.get("/cover/1")
        assert cover.headers["content-type"] == "image/svg+xml"
        assert "sandbox" in cover.headers["content-security-policy"]
        assert page.get("/cover/none").status_code == 404
        html = page.get("/").text
        assert "Tastebud" in html
        for host in ("googleapis", "gstatic", "cdn.jsdelivr", "unpkg"):
            assert host not in html


def test_a_stream_runs_in_one_thread_whoever_reads_it_and_to_its_end() -> None:
    threads, finished = set(), threading.Event()

    def events() -> Iterator[int]:
        for number in range(3):
            threads.add(threading.get_ident())
            yield number
        finished.set()

    stream = to_the_end(events())
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        assert one.submit(next, stream).result() == 0
        assert other.submit(next, stream).result() == 1
    stream.close()  # the visitor leaves
    assert finished.wait(5)
    assert len(threads) == 1
    with pytest.raises(ZeroDivisionError):
        list(to_the_end(1 // number for number in (1, 0)))


# The handlers behind the page ---------------------------------------------------------------------------


def last(views: Iterator[View]) -> View:
    return list(views)[-1]


def saved(view: View) -> dict[str, str | None]:
    assert view.who is not None
    return {"user": view.who.user, "conversation_id": view.who.conversation_id}


def spoken(view: View) -> str:
    return " ".join(message["content"] for message in view.messages or [])


def test_a_visit_from_first_message_to_reload() -> None:
    session = Session(FakeRecommender())
    here = saved(session.arrive(None))
    views = list(session.send(here, "something like Heat", {}))
    assert views[0].box == ""
    assert "tb-busy" in (views[0].status or "")
    assert "tb-thinking" in spoken(views[0])
    done = views[-1]
    assert spoken(done).count("<article") == 3
    assert "more" in (done.chips or "")
    liked = session.rate(here, "1", "like", {})
    assert "Remove Heat from your taste" in (liked.profile or "")
    again = session.arrive(here)
    assert again.messages == liked.messages
    assert "tb-past" in (again.conversations or "")


def test_pressing_a_lit_button_takes_the_reaction_back() -> None:
    session = Session(FakeRecommender())
    here = saved(session.arrive(None))
    last(session.send(here, "Heat", {}))
    assert 'data-feedback="seen"' in spoken(session.rate(here, "2", "seen", {}))
    assert 'data-feedback="seen"' not in spoken(session.rate(here, "2", "seen", {}))


def test_the_slider_is_kept_with_the_conversation_and_drawn_where_it_was_left() -> None:
    session = Session(FakeRecommender())
    here = saved(session.arrive(None))
    assert 'value="0"' in (session.arrive(here).profile or "")
    moved = session.reach(here, "0.7", {})
    assert 'value="0.7"' in (moved.profile or "")
    assert "next picks" in (moved.status or "")
    assert 'value="0.7"' in (session.arrive(here).profile or "")
    assert 'value="0.7"' in (last(session.send(here, "Heat", {})).profile or "")


def test_why_opens_and_closes() -> None:
    session = Session(FakeRecommender())
    here = saved(session.arrive(None))
    last(session.send(here, "Heat", {}))
    opened = session.explain(here, "1", {})
    assert "shares its mood" in spoken(opened)
    assert opened.why is not None
    closed = session.explain(here, "1", opened.why)
    assert "shares its mood" not in spoken(closed)


def test_a_new_conversation_does_not_pile_up_and_the_old_one_can_be_opened() -> None:
    session = Session(FakeRecommender())
    first = saved(session.arrive(None))
    assert saved(session.fresh(first)) == first
    last(session.send(first, "Heat", {}))
    second = saved(session.fresh(first))
    assert second != first
    assert "Heat" in spoken(session.open(second, str(first["conversation_id"])))


def test_forget_me_deletes_everything_and_says_so() -> None:
    rec = FakeRecommender()
    session = Session(rec)
    here = saved(session.arrive(None))
    last(session.send(here, "Heat", {}))
    wiped = session.wipe(here)
    assert "Everything is deleted" in spoken(wiped)
    assert saved(wiped)["user"] != here["user"]
    assert rec.conversations(str(here["user"])) == []
    assert "Everything is deleted" not in spoken(session.arrive(here))


def test_errors_become_notices_and_the_message_is_given_back(caplog: pytest.LogCaptureFixture) -> None:
    session = Session(FakeRecommender())
    here = saved(session.arrive(None))
    last(session.send(here, "Heat", {}))
    refused = last(session.send(here, "<b>" * 500, {}))
    assert "too long" in spoken(refused)
    assert (refused.box or "").startswith("<b>")
    assert "tb-idle" in (refused.status or "")
    with caplog.at_level(logging.CRITICAL, "tastebud.ui"):
        crashed = last(session.send(here, "crash", {}))
    assert "Sorry" in spoken(crashed)
    assert "boom" not in spoken(crashed)
    assert spoken(last(session.send(here, "again", {}))).count("<article") == 6
    assert "Unknown item_id" in spoken(session.rate(here, "999", "like", {}))
    assert "Unknown conversation" in spoken(session.open(here, "nope"))


@pytest.mark.parametrize("kept", [None, 5, {}, {"user": "ana"}, {"user": "../" * 20}, {"user": None}])
def test_what_the_browser_kept_is_not_trusted(kept: object) -> None:
    assert len(Who.read(kept).user) == 32


def test_an_empty_message_does_nothing() -> None:
    session = Session(FakeRecommender())
    assert list(session.send(saved(session.arrive(None)), "  \n", {})) == []

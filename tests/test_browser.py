"""A visit in a real browser to the real program: `tastebud chat`, started as a user starts it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import Browser, Page, expect  # noqa: E402

pytestmark = pytest.mark.browser

START_SECONDS = 180  # the first start builds the starter workspace and converts the model
REPLY_MS = 60_000


@dataclass
class Visit:
    """A page, and what must stay empty: errors in its console, and requests that leave this machine."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self._check(request.url))

    def _check(self, url: str) -> None:
        if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).hostname != "127.0.0.1":
            self.strangers.append(url)

    def arrive(self) -> None:
        self.page.goto(self.url)
        expect(self.page.locator(".tb-welcome")).to_be_visible(timeout=30_000)

    def say(self, text: str) -> None:
        """Types a message, sends it with Enter and waits for the whole reply."""
        said = self.page.locator(".tb-said").count()
        self.page.fill("#tb-box textarea", text)
        self.page.press("#tb-box textarea", "Enter")
        expect(self.page.locator(".tb-said")).to_have_count(said + 1, timeout=REPLY_MS)
        self.settled()

    def settled(self) -> None:
        expect(self.page.locator("#tb-line .tb-idle")).to_be_visible(timeout=REPLY_MS)
        expect(self.page.locator(".tb-thinking")).to_have_count(0)

    def shoot(self, name: str) -> None:
        """Saves a screenshot into the folder that TASTEBUD_SCREENSHOTS names, if it is set."""
        folder = os.environ.get("TASTEBUD_SCREENSHOTS")
        if folder:
            self.page.wait_for_timeout(600)  # smooth scrolling
            self.page.screenshot(path=Path(folder) / f"{name}.png")

    def clean(self) -> None:
        assert "Sorry, something went wrong" not in self.page.locator("#tb-chat").inner_text()
        assert self.errors == []
        assert self.strangers == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    with playwright.sync_playwright() as driver:
        try:
            started = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no Chromium could be started: {str(error).splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture(scope="module", params=["none", pytest.param("packaged", marks=pytest.mark.model)])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `tastebud chat` with conversations of its own."""
    folder = tmp_path_factory.mktemp(f"browser-{request.param}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [sys.executable, "-c", "from ui.cli import main; main()", "chat"]
    options = ["--llm", request.param, "--port", str(port), "--database", str(folder / "visits.db")]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen([*program, *options], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while "is ready" not in (said := (folder / "log.txt").read_text()):
            assert process.poll() is None, f"tastebud chat ended: {said}"
            assert time.monotonic() < deadline, f"tastebud chat is not ready: {said}"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert (folder / "log.txt").read_text() == said  # nothing went wrong, and Ctrl-C is quiet
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    there = Visit(context.new_page(), server)
    there.arrive()
    yield there
    there.clean()
    context.close()


WATCH = """() => {
  window.seen = [];
  const look = () => {
    const text = [...document.querySelectorAll("#tb-chat .tb-say:not(.tb-thinking)")].pop()?.innerText ?? "";
    if (text && text !== window.seen.at(-1)) window.seen.push(text);
  };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def test_a_visit(visit: Visit) -> None:
    page = visit.page
    visit.shoot("welcome")
    page.evaluate(WATCH)
    visit.say("something like Heat, a thriller please")
    seen = page.evaluate("window.seen")
    assert any(seen[-1].startswith(early) and early != seen[-1] for early in seen), seen  # it streamed
    page.click(".tb-chip >> nth=0")
    expect(page.locator(".tb-said")).to_have_count(2, timeout=REPLY_MS)
    visit.settled()
    if not page.locator(".tb-card").count():
        visit.say("surprise me")  # by the third turn at the latest it recommends
    assert page.locator(".tb-card").count() >= 1
    visit.shoot("cards")

    card = page.locator(".tb-card").last
    title = card.locator("h3").inner_text()
    card.locator(".tb-like").click()
    expect(page.locator(".tb-card").last.locator(".tb-like")).to_have_attribute("aria-pressed", "true")
    liked = page.locator('#tb-right li[data-slot="liked"]', has_text=title)
    expect(liked).to_have_count(1)
    page.locator(".tb-card").last.locator(".tb-ask").click()
    expect(page.locator(".tb-explained")).to_be_visible()
    expect(page.locator(".tb-card").last.locator(".tb-ask")).to_be_focused()  # drawn anew, focus kept
    visit.shoot("why")

    talk = page.locator(".tb-said").all_inner_texts()
    page.reload()
    expect(page.locator(".tb-said")).to_have_count(len(talk), timeout=30_000)
    assert page.locator(".tb-said").all_inner_texts() == talk
    expect(liked).to_have_count(1)
    liked.locator(".tb-cross").click()
    expect(liked).to_have_count(0)
    expect(page.locator(".tb-card").last.locator(".tb-like")).to_have_attribute("aria-pressed", "false")


def test_conversations_and_forgetting(visit: Visit) -> None:
    page = visit.page
    visit.say("I loved Fargo")
    page.click(".tb-new")
    expect(page.locator(".tb-welcome")).to_be_visible()
    page.click(".tb-past")
    expect(page.locator(".tb-said")).to_have_text(["I loved Fargo"])
    page.click("[data-reveal=tb-confirm] >> nth=0")
    page.click(".tb-danger")
    expect(page.locator(".tb-notice")).to_contain_text("Everything is deleted")
    expect(page.locator(".tb-past")).to_have_count(0)
    page.reload()
    expect(page.locator(".tb-welcome")).to_be_visible(timeout=30_000)
    expect(page.locator("#tb-right li[data-slot]")).to_have_count(0)


def test_hostile_text_stays_text(visit: Visit) -> None:
    page = visit.page
    hostile = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">'
    hostile += " ${window.hacked=1} {{x}} *a* שלום"
    visit.say(hostile)
    expect(page.locator(".tb-said")).to_have_text([hostile])
    assert page.evaluate("window.hacked") is None
    visit.say("😀 \u202etxet \u0007 a comedy")
    visit.say("x" * 5_000)
    visit.say("a comedy")
    assert page.locator(".tb-said").count() >= 3


def test_two_tabs_keep_their_own_conversation(visit: Visit) -> None:
    visit.say("a comedy")
    second = Visit(visit.page.context.new_page(), visit.url)
    second.page.goto(visit.url)
    expect(second.page.locator(".tb-said")).to_have_text(["a comedy"], timeout=30_000)
    second.page.click(".tb-new")
    expect(second.page.locator(".tb-welcome")).to_be_visible()
    second.say("a western")
    visit.say("funnier")
    expect(visit.page.locator(".tb-said")).to_have_text(["a comedy", "funnier"])
    expect(second.page.locator(".tb-said")).to_have_text(["a western"])
    second.clean()


def test_by_keyboard_alone(visit: Visit) -> None:
    page = visit.page
    expect(page.locator("#tb-box textarea")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('tb-chip')"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator(".tb-said")).to_have_count(1, timeout=REPLY_MS)
    visit.settled()


def test_the_slider_counts_from_the_next_reply_on_and_survives_a_reload(visit: Visit) -> None:
    page = visit.page
    visit.say("I loved Heat and Alien")
    page.locator("#tb-reach").focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#tb-taste")).to_contain_text("hidden gems, 80%", timeout=REPLY_MS)
    expect(page.locator("#tb-reach")).to_be_focused()
    visit.say("more like these")
    expect(page.locator(".tb-card")).to_have_count(6)
    page.reload()
    expect(page.locator("#tb-reach")).to_have_value("0.8", timeout=REPLY_MS)


def test_dark(browser: Browser, server: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    visit = Visit(context.new_page(), server)
    visit.arrive()
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = visit.page.evaluate(ground)
    visit.page.click("[data-theme-switch]")
    light = visit.page.evaluate(ground)
    assert sum(map(int, dark[4:-1].split(", "))) < 150 < 600 < sum(map(int, light[4:-1].split(", ")))
    visit.page.reload()
    expect(visit.page.locator(".tb-welcome")).to_be_visible(timeout=30_000)
    assert visit.page.evaluate(ground) == light
    visit.page.click("[data-theme-switch]")
    visit.say("something like Fargo")
    visit.say("surprise me")
    visit.shoot("dark")
    visit.clean()
    context.close()


def test_phone(browser: Browser, server: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    visit = Visit(context.new_page(), server)
    visit.arrive()
    page = visit.page
    visit.say("something like Heat")
    visit.say("surprise me")
    expect(page.locator(".tb-card").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.querySelectorAll('#tb-middle *')].every(e => e.scrollLeft === 0)")
    visit.shoot("phone")
    page.click("[data-drawer=right]")
    expect(page.locator("#tb-right")).to_have_class(re.compile("tb-open"))
    expect(page.locator(".tb-profile")).to_be_in_viewport()
    visit.shoot("phone-taste")
    page.keyboard.press("Escape")
    expect(page.locator("[data-drawer=right]")).to_be_focused()
    expect(page.locator("[data-drawer=right]")).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#tb-right")).not_to_be_in_viewport()
    visit.clean()
    context.close()

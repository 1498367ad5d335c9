"""The page's fragments: everything is escaped, titles are in italics, and covers are always well-formed."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ui_fake import FakeRecommender

from agent.types import Contribution, ConversationInfo, Explanation, ProfileEntry, Reply, Turn
from retrieval.types import Item, Reason, Recommendation
from ui import render
from ui.covers import cover_of, cover_svg, fit_title
from ui.examples import example_prompts
from ui.marks import one_line, prose, split_titles, words

NASTY = "</div><script>alert(1)</script> \"'` *x* ${1} {{y}} \u202e\x00\ud800\n\nnew"
VOID = {"img", "br", "input", "meta", "link"}


class Tags(HTMLParser):
    """Collects tags and text, and checks that every opened tag is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def shelf(item: Item, why: dict[str, Explanation] | None = None, feedback: str | None = None) -> render.Shelf:
    return render.Shelf(lambda _: item, lambda item_id: f"cover/{item_id}", lambda _: feedback, why or {})


def recommendation(item: Item) -> Recommendation:
    return Recommendation(item.item_id, item.title, 1.0, 1, (Reason("genre", "a duel, like *Heat*", 0.5),))


def test_title_is_set_in_italics_and_nothing_else_is_markup() -> None:
    assert prose("Try *Heat* (1995).") == "Try <em>Heat</em> (1995)."
    assert prose("*M*A*S*H* (1970) and *Heat*") == "<em>M*A*S*H</em> (1970) and <em>Heat</em>"
    assert prose("2 * 3 * 4 and **bold** <b>x</b>") == "2 * 3 * 4 and **bold** &lt;b&gt;x&lt;/b&gt;"
    assert prose("*<script>* one\ntwo") == "<em>&lt;script&gt;</em> one<br>two"


@pytest.mark.parametrize(
    ("so_far", "shown"),
    [("Try *The Fu", "Try <em>The Fu</em>"), ("Try *", "Try "), ("Try *Heat* and", "Try <em>Heat</em> and")],
)
def test_a_title_that_is_still_streaming_is_in_italics_already(so_far: str, shown: str) -> None:
    assert prose(so_far, unfinished=True) == shown


@given(st.text(max_size=80))
def test_prose_of_any_text_has_only_em_and_br_and_keeps_its_words(text: str) -> None:
    for unfinished in (False, True):
        html = prose(text, unfinished)
        page = Tags(html)
        assert set(page.tags) <= {"em", "br"}
        assert "\n" not in html
        html.encode("utf-8")
    letters = [c for c in text if c.isalnum()]
    assert [c for c in Tags(prose(text)).text if c.isalnum()] == letters


@given(st.text(max_size=60))
def test_splitting_titles_loses_only_asterisks_and_control_characters(text: str) -> None:
    joined = "".join(part for part, _ in split_titles(text))
    assert [c for c in joined if c.isalnum()] == [c for c in text if c.isalnum()]


def test_one_line_clips_and_escapes() -> None:
    assert one_line("a\n\n<b>", 20) == "a &lt;b&gt;"
    assert one_line("abcdefghij", 5) == "abcd…"
    assert words(NASTY).count("<") == words(NASTY).count("<br>") == 2


def test_a_card_shows_title_year_genres_reason_and_its_buttons() -> None:
    item = Item("7", "Heat", 1995, ("crime", "thriller"), minutes=170)
    html = render.card(recommendation(item), shelf(item, feedback="liked"))
    page = Tags(html)
    assert "Heat" in page.text
    assert "1995 · crime · thriller · 170 min" in page.text
    assert "A duel, like Heat" in page.text
    assert "<em>Heat</em>" in html
    assert page.tags.count("button") == 4
    pressed = re.findall(r'data-value="(\w+)"[^>]*aria-pressed="true"', html)
    assert pressed == ["like"]
    assert ("src", "cover/7") in page.attributes


def test_item_text_is_escaped_everywhere_on_a_card() -> None:
    item = Item('"><b>', NASTY, 1990, (NASTY,))
    why = {'"><b>': Explanation('"><b>', NASTY, (Contribution(NASTY, -0.5),), (NASTY,))}
    html = render.cards((recommendation(item),), shelf(item, why))
    page = Tags(html)
    assert set(page.tags) <= {
        *("ul", "li", "article", "img", "div", "h3", "p", "em", "br", "button", "svg", "path", "span", "i"),
    }
    assert "<script" not in html
    assert "\n" not in html
    assert "\x00" not in html
    html.encode("utf-8")


def test_explanation_bars_are_in_proportion_to_the_strongest() -> None:
    item = Item("7", "Heat")
    why = {"7": Explanation("7", "Because.", (Contribution("a", 0.8), Contribution("b", -0.2)))}
    html = render.card(recommendation(item), shelf(item, why))
    assert re.findall(r"inline-size:(\d+)%", html) == ["100", "25"]
    assert 'class="tb-against"' in html
    assert 'aria-expanded="true"' in html


def test_transcript_has_a_message_each_way_and_says_when_an_answer_never_came() -> None:
    item = Item("7", "Heat", 1995)
    reply = Reply("Try *Heat*.", (recommendation(item),))
    turns = (Turn(1, "<b>hi</b>", reply, 0.0), Turn(2, "lost", None, 1.0))
    messages = render.transcript(turns, shelf(item))
    assert [m["role"] for m in messages] == ["user", "assistant", "user", "assistant"]
    assert "&lt;b&gt;hi&lt;/b&gt;" in messages[0]["content"]
    assert messages[1]["content"].count("tb-card") >= 1
    assert "got no answer" in messages[3]["content"]
    assert all("\n" not in m["content"] for m in messages)


def test_profile_groups_entries_and_each_can_be_removed() -> None:
    entries = (
        ProfileEntry("liked", "Heat", "Heat (1995)", 1, 'something like "Heat"', "7"),
        ProfileEntry("avoids", "horror", "horror", 2, "no horror"),
        ProfileEntry("liked", NASTY, NASTY),
    )
    html = render.profile(entries)
    page = Tags(html)
    assert page.text.index("You like") < page.text.index("Heat (1995)") < page.text.index("Rather not")
    assert 'something like "Heat"' in page.text
    assert "from an earlier conversation" in page.text
    assert ("data-slot", "avoids") in page.attributes
    assert ("aria-label", "Remove horror from your taste") in page.attributes
    assert html.count('data-act="drop"') == 3
    assert "script" not in page.tags


def test_an_empty_profile_says_what_will_be_here_and_can_still_be_forgotten() -> None:
    html = render.profile(())
    assert "you can take it back" in html
    assert 'data-act="wipe"' in html


def test_the_slider_stands_where_it_was_left_and_the_profile_says_so() -> None:
    html = render.profile((ProfileEntry("long_tail", "long_tail", "hidden gems, 70%"),), 0.7)
    page = Tags(html)
    assert {("type", "range"), ("value", "0.7"), ("aria-valuetext", "70%")} <= set(page.attributes)
    assert page.text.index("Well known") < page.text.index("Hidden gems") < page.text.index("Looking for")
    assert "set with the slider" in page.text
    assert ("data-slot", "long_tail") in page.attributes


def test_the_open_conversation_is_marked() -> None:
    infos = (ConversationInfo("a", NASTY, 2.0), ConversationInfo("b", "older", 1.0))
    html = render.conversations(infos, "b")
    assert re.findall(r'data-value="(\w)"[^>]*aria-current="true"', html) == ["b"]
    assert "script" not in Tags(html).tags


def test_chips_send_their_own_text() -> None:
    page = Tags(render.chips(("the duel", '"quoted" <b>')))
    values = [value for name, value in page.attributes if name == "data-value"]
    assert values == ["the duel", '"quoted" <b>']
    assert render.chips(()) == ""


def test_examples_come_from_the_catalogue() -> None:
    prompts = example_prompts(FakeRecommender().catalogue)
    assert prompts[0] == "Something like *Heat*"
    assert 3 <= len(prompts) <= 4
    assert example_prompts(()) == ()


@given(
    st.text(max_size=300), st.none() | st.integers(-9999, 9999), st.lists(st.text(max_size=30), max_size=4)
)
def test_a_cover_is_well_formed_for_any_text(title: str, year: int | None, genres: list[str]) -> None:
    svg = cover_svg(title, year, tuple(genres), seed="1")
    root = ElementTree.fromstring(svg.encode("utf-8"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not re.search(r"(?:href|url\(|<script|<image)", re.sub(r"<text.*?</text>", "", svg))


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=400))
def test_a_title_always_fits_its_box(title: str) -> None:
    size, lines = fit_title(title)
    assert len(lines) * size * 1.08 <= 216
    assert lines


def test_covers_are_deterministic_and_differ_between_items() -> None:
    heat = cover_svg("Heat", 1995, ("crime",), "1")
    assert heat == cover_svg("Heat", 1995, ("crime",), "1")
    assert heat != cover_svg("Fargo", 1996, ("crime",), "2")
    assert "Heat" in heat
    assert "1995" in heat
    assert 'direction="rtl"' in cover_svg("الرسالة", 1976)


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_own_image_only_from_inside_the_workspace(tmp_path: Path) -> None:
    inside = tmp_path / "workspace"
    inside.mkdir()
    (inside / "a.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(PNG)
    (inside / "notes.txt").write_text("secret")
    (inside / "link.png").symlink_to(tmp_path / "secret.png")

    def kind(image: str) -> str:
        return cover_of(Item("1", "Heat", image=image), inside).media_type

    assert cover_of(Item("1", "Heat", image="a.png"), inside).content == PNG
    assert kind(str(inside / "a.png")) == "image/png"
    for refused in (
        *("../secret.png", str(tmp_path / "secret.png"), "link.png", "notes.txt", "missing.png", "\0.png"),
        *(
            "https://example.org/a.png",
            "file:///etc/passwd",
            "data:text/html;base64,PGI+",
            "data:image/png;base64,x",
        ),
    ):
        assert kind(refused) == "image/svg+xml", refused


def test_own_image_as_data_uri() -> None:
    uri = "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert cover_of(Item("1", "Heat", image=uri)).content == PNG

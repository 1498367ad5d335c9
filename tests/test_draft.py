"""The rules' reading as the model is shown it."""

from __future__ import annotations

import json

import pytest
from small import parts

from agent.model.grammar import MOST_NAMES
from agent.reading.draft import Drafter, draft_of, latest_year, written
from agent.reading.frames import frame_of
from agent.reading.scene import Scene, understand_prompt
from agent.types import Frame
from retrieval.catalogue import Catalogue

SHOWN = Scene(("Heat (1995)", "Ronin (1998)"), "Which mood?", ("tense", "funny"))


@pytest.mark.parametrize(
    ("frame", "message", "draft"),
    [
        (Frame("chat"), "hello", {"act": "chat"}),
        (Frame(like=("Heat",)), "loved Heat", {"act": "inform", "like": ["Heat"]}),
        (Frame(like=("Ronin (1998)",)), "the second, yes", {"act": "inform", "like": ["#2"]}),
        (Frame(like=("Heat (1995)",)), "Heat (1995)!", {"act": "inform", "like": ["Heat (1995)"]}),
        (Frame(want=("funny",)), "the second", {"act": "inform", "want": ["#2"]}),
        (Frame(want=("funny",)), "Funny, please", {"act": "inform", "want": ["funny"]}),
        (Frame("ask_why", about=("2",)), "why that?", {"act": "ask_why", "about": ["#2"]}),
        (Frame(years=(2016, None)), "new ones", {"act": "inform", "years": "recent"}),
        (Frame(years=(1980, 1989)), "80s", {"act": "inform", "years": [1980, 1989]}),
        (Frame(avoid=('a "b"',)), 'no a "b"', {"act": "inform", "avoid": ["a b"]}),
    ],
)
def test_a_reading_becomes_the_json_that_the_model_writes(
    frame: Frame, message: str, draft: dict[str, object]
) -> None:
    assert json.loads(draft_of(frame, message, SHOWN, 2020)) == draft


def test_a_draft_means_what_it_was_made_of() -> None:
    frame = Frame("critique", ("Ronin (1998)",), (), (), ("tense",), ("gore",), ("Al Pacino",), (2016, None))
    text = draft_of(frame, "the second, with Al Pacino, no gore", SHOWN, 2020)
    assert frame_of(json.loads(text), SHOWN, 2020) == frame


def test_a_draft_is_never_longer_than_what_the_model_may_write() -> None:
    titles = tuple(f"Film {i}" for i in range(MOST_NAMES + 3))
    row = json.loads(draft_of(Frame(like=titles), ", ".join(titles), Scene(), None))
    assert row["like"] == list(titles[:MOST_NAMES])


def test_only_a_model_that_was_not_trained_sees_examples() -> None:
    trained = understand_prompt("hello", Scene(), '{"act": "chat"}')
    assert [message["role"] for message in trained] == ["system", "user"]
    assert trained[-1]["content"] == 'Message: hello\nDraft: {"act": "chat"}'
    untrained = understand_prompt("hello", Scene())
    assert len(untrained) > 4
    assert "Draft" not in "".join(message["content"] for message in untrained)


def test_a_drafter_reads_answers_and_messages() -> None:
    drafter = Drafter(parts()[0])
    question = Scene((), "What should it be about: space or war?", ("space", "war"))
    assert drafter.read("the second", question).want == ("war",)
    assert written(drafter.read("no gore", Scene())) == {"act": "inform", "avoid": ["gore"]}
    assert latest_year(Catalogue(())) is None

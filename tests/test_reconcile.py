"""The model's frame and the rules' become one: whose word counts for what."""

from __future__ import annotations

import pytest
from small import parts

from agent.reading.frames import frame_of
from agent.reading.reconcile import Checks, objection, reconcile
from agent.reading.scene import Scene
from agent.types import Frame

CATALOGUE, LINKER, VOCABULARY = parts()


def item(name: str) -> str | None:
    link = LINKER.link(name)
    return link.item_id if link and link.exact else None


CHECKS = Checks(VOCABULARY, item, lambda name: name[:1].isupper())


@pytest.mark.parametrize(
    ("model", "rules", "message", "expected"),
    [
        # the model's verdicts count; a title that it missed keeps the rules' verdict
        (Frame(like=("Heat",)), Frame(dislike=("Heat",)), "Heat", Frame(like=("Heat",))),
        (Frame(like=("Heat",)), Frame(seen=("Big",)), "Heat, Big", Frame(like=("Heat",), seen=("Big",))),
        # a refusal that the rules found is kept, unless the model says that it is wanted
        (Frame(want=("crime",)), Frame(avoid=("horror",)), "", Frame(want=("crime",), avoid=("horror",))),
        (Frame(want=("horror",)), Frame(avoid=("horror",)), "", Frame(want=("horror",))),
        # numbers are the rules'; without them the model's need a number in the message
        (Frame(years=(1990, None)), Frame(years=(1991, None)), "after 1990", Frame(years=(1991, None))),
        (Frame(years=(1980, 1989)), Frame(), "from my youth", Frame()),
        (Frame(years=(1980, 1989)), Frame(), "the eighties", Frame(years=(1980, 1989))),
        # a word that is no title is nothing to like
        (Frame(like=("comedy", "Heat")), Frame(), "comedy Heat", Frame(like=("Heat",))),
    ],
)
def test_what_each_is_believed(model: Frame, rules: Frame, message: str, expected: Frame) -> None:
    assert reconcile(model, rules, message, CHECKS) == expected


@pytest.mark.parametrize(
    ("model", "rules", "problem"),
    [
        (Frame(like=("Heat",), dislike=("heat",)), Frame(), "the same is said twice"),
        (Frame(like=("Fargo",)), Frame(), "'fargo' does not stand in the message"),
        (Frame(act="inform"), Frame(act="undo"), "inform, where the wording says undo"),
        (Frame(like=("Heat",)), Frame(), None),
    ],
)
def test_objections(model: Frame, rules: Frame, problem: str | None) -> None:
    assert objection(model, rules, "loved Heat", Scene()) == problem


def test_places_mean_what_is_on_show_or_offered() -> None:
    scene = Scene(("Heat (1995)", "Big (1988)"), "Which?", ("crime", "comedy"))
    proposed = {
        "act": "critique",
        "like": ["#2"],
        "want": ["#1", "tense"],
        "about": ["#1", "#7"],
        "seen": ["#9"],
    }
    frame = frame_of(proposed, scene, 1999)
    assert frame == Frame("critique", like=("Big (1988)",), want=("crime", "tense"), about=("1",))


@pytest.mark.parametrize(
    ("given", "years"),
    [
        ([1990, None], (1990, None)),
        ([None, None], None),
        ([1999, 1990], None),
        ("recent", (1995, None)),
        ("classic", (None, 1979)),
        ("soon", None),
        (1990, None),
    ],
)
def test_years(given: object, years: object) -> None:
    assert frame_of({"act": "inform", "years": given}, Scene(), 1999).years == years


def test_what_has_the_wrong_shape_is_left_out() -> None:
    proposed = {
        "act": "sing",
        "like": "Heat",
        "want": [1, " war "],
        "max_minutes": "90",
        "language": "elvish",
    }
    assert frame_of(proposed, Scene(), None) == Frame(want=("war",))

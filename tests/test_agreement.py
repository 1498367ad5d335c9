"""When a model's frame is believed, and what its JSON means."""

from __future__ import annotations

import re

import pytest
from small import parts

from agent.reading.agreement import Checks, completed, disagreement, objection
from agent.reading.frames import frame_of
from agent.reading.scene import Scene
from agent.types import Frame

CATALOGUE, LINKER, VOCABULARY = parts()


def item(name: str) -> str | None:
    link = LINKER.link(name)
    return link.item_id if link and link.exact else None


CHECKS = Checks(VOCABULARY, item, lambda name: name[:1].isupper() or LINKER.link(name) is not None)


@pytest.mark.parametrize(
    ("model", "rules", "whole"),
    [
        (Frame(dislike=("Heat",)), Frame(like=("Heat",)), Frame(dislike=("Heat",))),  # the model leads
        (Frame(like=("dat",)), Frame(like=("goodfelas",)), Frame(like=("goodfelas",))),  # no title at all
        (Frame(like=("Terminator",)), Frame(like=("Terminator 2",)), Frame(like=("Terminator 2",))),
        (Frame(want=("war",)), Frame(want=("war", "crime", "zyx")), Frame(want=("war", "crime"))),
        (Frame(avoid=("crime",)), Frame(want=("crime",)), Frame(avoid=("crime",))),
        (Frame(years=(2021, None)), Frame(drop=("years",)), Frame(drop=("years",))),
        (Frame(like=("Oslo August",)), Frame(), Frame(like=("Oslo August",))),  # a title nobody knows
        (Frame(people=("Heat",)), Frame(like=("Heat",)), Frame(like=("Heat",))),  # no person is called so
        (Frame(), Frame(seen=("Heat",)), Frame(seen=("Heat",))),  # it read nothing
        (Frame(want=("war",)), Frame(seen=("Heat",)), Frame(want=("war",))),
    ],
)
def test_the_rules_complete_what_a_trained_model_reads(model: Frame, rules: Frame, whole: Frame) -> None:
    assert completed(model, rules, CHECKS) == whole


@pytest.mark.parametrize(
    ("model", "rules", "problem"),
    [
        (Frame(like=("Heat",)), Frame(like=("Heat",)), None),
        (Frame(like=("heat",), want=("war",)), Frame(like=("Heat",)), None),  # more, in words that are known
        (Frame(dislike=("Heat",)), Frame(like=("Heat",)), "'heat' is liked, not disliked"),
        (Frame(), Frame(avoid=("horror",)), "'horror' is avoided, not missing"),
        (Frame(like=("Heat", "zyx")), Frame(like=("Heat",)), "'zyx' is liked by the model alone"),
        (Frame(want=("big",)), Frame(want=()), "'big' is wanted by the model alone"),  # no title is a wish
        (Frame(years=(1980, 1989)), Frame(years=(1990, 1999)), r"years \(1980, 1989\), not \(1990, 1999\)"),
        (Frame(want=("war",)), Frame(act="chat"), "nothing of it stands in the message"),
    ],
)
def test_where_a_frame_is_at_odds_with_the_rules(model: Frame, rules: Frame, problem: str | None) -> None:
    found = disagreement(model, rules, CHECKS)
    assert found is None if problem is None else found is not None and re.search(problem, found)


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

"""Messages put together from clauses mean what their clauses mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from small import parts

from agent.types import ACTS
from finetune import clauses
from finetune.config import ConfigError
from finetune.families import ORDER
from finetune.fillings import Fillings

FILLINGS = Fillings(parts()[0], held_out=False)


def bank(**texts: str) -> clauses.Clauses:
    """One clause of each kind; those given are theirs."""
    return clauses.Clauses({kind: (texts.get(kind, f"nothing but {kind}"),) for kind in clauses.EVERY})


def test_the_packaged_clauses_make_distinct_messages_with_frames() -> None:
    said = list(clauses.read_clauses().messages(FILLINGS, 400, seed=1, augment=0.2))
    assert len({one.message for one in said}) == 400
    assert {one.frame["act"] for one in said} == {*ACTS}
    for one in said:
        assert not set("{}<>") & set(one.message), one.message
        assert list(one.frame) == [key for key in ORDER if key in one.frame]
        for place in (v for key in ("like", "dislike", "seen", "about") for v in one.frame.get(key, ())):
            if place.startswith("#"):
                assert 1 <= int(place[1:]) <= len(one.scene.shown), one.message


def test_the_same_seed_gives_the_same_messages() -> None:
    packaged = clauses.read_clauses()
    one, same, other = (list(packaged.messages(FILLINGS, 20, seed)) for seed in (3, 3, 4))
    assert one == same
    assert one != other


def test_every_packaged_clause_can_be_said() -> None:
    from random import Random

    from finetune.families import Family, say

    for kind, texts in clauses.read_clauses().kinds.items():
        for text in texts:
            plain = text.replace("<nth>", "the first")
            said = say(Family("c", "inform", "shown", (plain,)), plain, FILLINGS, Random(text))
            assert kind in clauses.ANSWERS or said.message, text


def test_what_was_meant_is_written_down() -> None:
    kinds = bank(like="adored {like}", dislike="hated {dislike}")
    for said in kinds.messages(FILLINGS, 200, seed=0):
        assert ("adored" in said.message.lower()) == ("like" in said.frame), said.message
        assert ("hated" in said.message.lower()) == ("dislike" in said.frame), said.message


def test_an_answer_points_at_an_option() -> None:
    answers = [
        one
        for one in bank(answer="<nth> please", answer_both="all", answer_none="none").messages(
            FILLINGS, 200, 5
        )
        if one.message.lower().endswith("please")
    ]
    assert answers
    for one in answers:
        (place,) = one.frame["want"]
        assert 1 <= int(place[1:]) <= len(one.scene.options)


def test_a_slot_that_holds_one_value_is_set_once() -> None:
    for said in clauses.read_clauses().messages(FILLINGS, 300, seed=9):
        assert all(
            not isinstance(said.frame.get(key), list) for key in ("language", "max_minutes", "audience")
        )


def test_what_is_missing_or_unknown_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="kinds like"):
        clauses.Clauses({kind: ("x",) for kind in clauses.EVERY if kind != "like"})
    (tmp_path / "a.yaml").write_text("shout: [hey]")
    with pytest.raises(ConfigError, match=r"a\.yaml: 'shout' is none of"):
        clauses.read_clauses(tmp_path)

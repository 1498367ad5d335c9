"""The bank of ways people talk: every text fills, every frame says what stands in its message."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from small import parts

from agent.model.grammar import frame_grammar, quotable
from agent.reading.draft import Drafter
from agent.reading.scene import Scene
from agent.types import ACTS
from finetune.config import ConfigError
from finetune.families import LISTS, Family, Said, ordered, packaged_banks, read_bank, say
from finetune.fillings import Fillings
from finetune.noise import hurried
from finetune.splits import is_held_out
from finetune.understanding import messages, understand_example, write
from retrieval.catalogue import Catalogue
from retrieval.types import Item

FAMILIES = packaged_banks()
CATALOGUE, _, _ = parts()
FILLINGS = Fillings(CATALOGUE, held_out=False)


def filled(text: str, act: str = "inform", context: str = "start", seed: int = 0) -> Said:
    return say(Family("f", act, context, (text,)), text, FILLINGS, random.Random(seed))


def stands_in(said: Said) -> bool:
    """Whether every name of the frame is quoted from the message or points at something on show."""
    places = max(len(said.scene.shown), len(said.scene.options))
    for key in LISTS:
        for value in said.frame.get(key, ()):
            if value.startswith("#"):
                if int(value[1:]) > places:
                    return False
            elif value not in said.message and key != "drop":
                return False
    return True


def test_several_hundred_families_of_every_act() -> None:
    acts = Counter(family.act for family in FAMILIES)
    assert len(FAMILIES) >= 400
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert set(acts) == set(ACTS)
    assert min(acts.values()) >= 5
    held = sum(is_held_out("family", family.name) for family in FAMILIES)
    assert 0.10 < held / len(FAMILIES) < 0.20


@pytest.mark.parametrize("seed", [1, 2])
def test_every_text_fills_and_its_frame_stands_in_it(seed: int) -> None:
    rng = random.Random(seed)
    for family in FAMILIES:
        for text in family.texts:
            said = say(family, text, FILLINGS, rng)
            assert "{" not in said.message
            assert stands_in(said), (family.name, said)


def test_slots_become_the_frame() -> None:
    said = filled("loved {like}, hated {dislike}, no {avoid|gore}, {year>} or newer {=audience family}")
    assert said.frame["audience"] == "family"
    assert said.frame["avoid"] == ["gore"]
    assert said.frame["like"][0] in said.message
    assert said.frame["dislike"][0] != said.frame["like"][0]
    low, high = said.frame["years"]
    assert str(low - 1) in said.message
    assert high is None


def test_a_year_range_is_in_order() -> None:
    for seed in range(50):
        low, high = filled("from {year>=} to {year<=}", seed=seed).frame["years"]
        assert low < high


def test_places_point_at_what_is_on_show() -> None:
    said = filled("the {like.nth} and {dislike.nth}".replace("the ", ""), context="shown", seed=3)
    assert len({*said.frame["like"], *said.frame["dislike"]}) == 2
    assert stands_in(said)


def test_articles_follow_the_word() -> None:
    assert filled("a {want|eerie} one, an {want|quiet} one").message == "an eerie one, a quiet one"


def test_a_catalogue_that_nothing_can_be_said_of_is_refused() -> None:
    with pytest.raises(ConfigError, match="0 genres, themes and moods be asked for"):
        Fillings(Catalogue([Item(str(i), f"Film {i}") for i in range(40)]), held_out=False)


def test_an_unknown_slot_is_named() -> None:
    with pytest.raises(ConfigError, match=r"there is no slot '\{wnat\.genre\}'"):
        filled("a {wnat.genre}")


def test_a_bank_without_acts_names_the_family(tmp_path: Path) -> None:
    file = tmp_path / "bank.yaml"
    file.write_text("- family: x-one\n  act: shout\n  texts: [hello]\n")
    with pytest.raises(ConfigError, match=r"bank.yaml: family 'x-one' needs a known act"):
        read_bank(file)


def test_hurried_messages_still_quote_themselves() -> None:
    rng = random.Random(5)
    changed = 0
    for said in messages(FAMILIES, FILLINGS, 300, seed=3):
        noisy = hurried(said, rng)
        changed += noisy.message != said.message
        assert stands_in(noisy), (said, noisy)
        assert noisy.frame.keys() == said.frame.keys()
    assert changed > 200


def test_messages_are_seeded_and_distinct() -> None:
    first = [said.message for said in messages(FAMILIES, FILLINGS, 200, seed=4, augment=0.3)]
    assert first == [said.message for said in messages(FAMILIES, FILLINGS, 200, seed=4, augment=0.3)]
    assert len(set(first)) > 190
    assert first != [said.message for said in messages(FAMILIES, FILLINGS, 200, seed=5, augment=0.3)]


def test_what_is_taught_is_what_the_grammar_allows() -> None:
    from llguidance import LLMatcher, LLTokenizer

    tokenizer = LLTokenizer("byte")
    for said in messages(FAMILIES, FILLINGS, 150, seed=6, augment=0.3):
        matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_lark(frame_grammar(said.message).lark))
        text = write(said)
        assert matcher.validate_tokens(tokenizer.tokenize_str(text)) == len(text.encode()), (
            said.message,
            text,
        )


def test_an_example_is_the_prompt_that_serving_sends() -> None:
    said = Said("f", 'say "no" to gore', Scene(("Heat (1995)",)), {"act": "inform", "avoid": ["gore"]})
    example = understand_example(said, Drafter(parts()[0]))
    draft = '{"act": "critique", "avoid": ["gore"]}'
    assert f"Shown: 1 Heat (1995)\nMessage: say no to gore\nDraft: {draft}<|im_end|>" in example.given
    assert example.learned == '{"act": "inform", "avoid": ["gore"]}<|im_end|>'
    assert quotable(said.message) in example.given


def test_frames_are_written_in_one_order() -> None:
    frame = ordered({"years": [1990, None], "want": ["war", "war"], "act": "inform", "like": []})
    assert json.dumps(frame) == '{"act": "inform", "want": ["war"], "years": [1990, null]}'

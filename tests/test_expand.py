"""Widening interests: which template is asked, what may be answered, who answers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agent.errors import ModelError
from agent.expand import (
    FEW,
    MOST,
    WAYS,
    Ask,
    Way,
    answers,
    expand,
    expand_prompt,
    find_bridge,
    said,
    what_to_ask,
)
from agent.model.grammar import choice_grammar
from agent.types import DialogueState, Preference
from retrieval.types import Facet
from tests import small
from tests.small import ScriptedLanguage

CATALOGUE, _, VOCABULARY = small.parts()


def likes(*item_ids: str) -> tuple[Preference, ...]:
    return tuple(Preference("item", CATALOGUE[i].label, i, turn=1) for i in item_ids)


def wants(kind: str, value: str) -> tuple[Preference, ...]:
    return (Preference(kind, value, turn=1),)


class Tuned(ScriptedLanguage):
    def __init__(self, facets: list[str] | Exception) -> None:
        super().__init__(facets=facets)
        self.tuned = True

    def choose(self, messages: Sequence[dict[str, str]], values: Sequence[str], most: int) -> list[str]:
        self.offered = values
        return super().choose(messages, values, most)


@pytest.mark.parametrize(
    ("state", "way"),
    [
        (DialogueState(liked=likes("heat")), "theme"),
        (DialogueState(liked=likes("heat", "ronin")), "path"),
        (DialogueState(liked=likes("heat", "toystory")), "theme"),
        (DialogueState(liked=likes("heat"), wants=wants("moods", "tense")), "mood"),
        (DialogueState(liked=likes("heat"), disliked=likes("babe")), "contrast"),
        (DialogueState(liked=likes("heat"), avoids=wants("genres", "war")), "contrast"),
        (DialogueState(wants=wants("genres", "war"), people=wants("person", "Tom Hanks")), "person"),
    ],
)
def test_the_template_follows_from_what_is_known(state: DialogueState, way: Way) -> None:
    # In the small catalogue Robert De Niro has four films, one short of a bridge.
    expected = "theme" if way == "path" else way
    assert what_to_ask(state, CATALOGUE).way == expected


def test_a_bridge_is_shared_and_leads_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [CATALOGUE["heat"], CATALOGUE["casino"], CATALOGUE["babe"]]
    assert find_bridge(items, CATALOGUE) is None
    monkeypatch.setattr("agent.expand.ITEMS_OF_A_BRIDGE", 4)
    assert find_bridge(items, CATALOGUE) == Facet("cast", "Robert De Niro")
    ask = what_to_ask(DialogueState(liked=likes("heat", "casino")), CATALOGUE)
    assert (ask.way, ask.bridge) == ("path", Facet("cast", "Robert De Niro"))
    assert "Robert De Niro" in expand_prompt(ask, examples=False)[-1]["content"]
    assert "Robert De Niro" in said(ask)


@pytest.mark.parametrize("way", WAYS)
def test_every_template_is_short_and_says_what_is_known(way: Way) -> None:
    ask = Ask(way, (CATALOGUE["heat"], CATALOGUE["babe"]), ("tense",), Facet("themes", "heist"))
    messages = expand_prompt(ask, examples=False)
    assert [message["role"] for message in messages] == ["system", "user"]
    text = messages[-1]["content"]
    assert text.startswith("Likes: Heat (crime, heist); Babe (children's, animals). Wants: tense. ")
    assert "$" not in text
    assert len(" ".join(message["content"] for message in messages).split()) < 60
    assert len(expand_prompt(ask, examples=True)) > 2


def test_a_contrast_is_nothing_that_the_likes_are() -> None:
    heat = CATALOGUE["heat"]
    assert {*heat.genres, *heat.themes} <= said(Ask("contrast", (heat,), ()))


@pytest.mark.parametrize("way", WAYS)
def test_answers_are_catalogue_values_that_a_list_can_hold(way: Way) -> None:
    values = answers(CATALOGUE, way)
    assert len(set(values)) == len(values)
    assert not any("," in value for value in values)
    assert all(f'"{value}"' in choice_grammar(values, MOST).lark for value in values)


class TestWhoAnswers:
    state = DialogueState(liked=likes("heat"), turn=1)

    def ask(self, language: ScriptedLanguage | None, state: DialogueState = state):  # type: ignore[no-untyped-def]
        return expand(state, CATALOGUE, small.workspace().ranker, VOCABULARY, language)

    def test_nothing_known_nothing_widened(self) -> None:
        assert self.ask(None, DialogueState()).texts == ()

    def test_a_tuned_model_chooses_from_the_whole_vocabulary_without_examples(self) -> None:
        model = Tuned(facets=["holocaust", "space", "robot", "fame", "christmas"])
        found = self.ask(model)
        assert (found.texts, found.speaker) == (("holocaust", "space", "robot", "fame"), "model")
        assert len(model.prompts[0]) == 2
        assert "heist" not in model.offered  # stands in the prompt
        assert set(model.offered) == set(CATALOGUE.values("themes")) - {"heist"}

    def test_an_untuned_model_chooses_among_facets_of_near_items(self) -> None:
        model = ScriptedLanguage(facets=["holocaust", "thriller"])
        found = self.ask(model)
        assert (found.texts, found.speaker) == (("thriller",), "model")
        assert len(model.prompts[0]) > 2

    def test_refused_facets_are_not_offered(self) -> None:
        model = Tuned(facets=["space"])
        state = DialogueState(liked=likes("heat"), avoids=wants("themes", "space"), turn=1)
        assert "space" not in self.ask(model, state).texts

    @pytest.mark.parametrize(
        "language", [None, Tuned(facets=ModelError("out of memory")), Tuned(facets=["zzz"])]
    )
    def test_the_rules_stand_in(self, language: ScriptedLanguage | None) -> None:
        found = self.ask(language)
        assert found.speaker == "rules"
        assert 0 < len(found.texts) <= FEW
        assert set(found.texts) <= set(answers(CATALOGUE, "path")) - {"crime", "heist"}

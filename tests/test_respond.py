"""Replies are made of parts filled from the catalogue; the last check lets nothing else through."""

from __future__ import annotations

import ast
import string
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import small
import yaml
from hypothesis import given
from hypothesis import strategies as st

import agent
from agent.grounding import problems
from agent.model.grammar import phrasing_grammar, quotable
from agent.notes import notes
from agent.plan import to_query
from agent.prompting import phrase, phrasings, prompt
from agent.reasons import Grounds, best_loved, varied
from agent.respond import (
    Draft,
    Parts,
    asking,
    by_seed,
    chosen,
    joined,
    patterns,
    prompt_facts,
    recommending,
    texts_of,
    word,
)
from agent.state import Linked, Reading
from agent.types import DialogueState, Frame, Preference, Question
from agent.wanted import wanted_phrase
from agent.writing import italic, with_italics
from retrieval.catalogue import Catalogue
from retrieval.types import Item, Ranking, Reason, Recommendation

CATALOGUE, _, VOCABULARY = small.parts()
EMPTY = DialogueState()


def want(value: str, kind: str = "genres") -> Preference:
    return Preference(kind, value, None, 1)


def item(item_id: str) -> Preference:
    return Preference("item", CATALOGUE[item_id].title, item_id, 1)


STATES = {
    "nothing": EMPTY,
    "a like": DialogueState(liked=(item("heat"),), turn=1),
    "two likes and a wish": DialogueState(liked=(item("heat"), item("alien")), wants=(want("thriller"),)),
    "limits": DialogueState(wants=(want("comedy"), want("romance")), years=(1990, 1999), max_minutes=110),
    "a person": DialogueState(people=(want("Tom Hanks", "person"),), audience="family", turn=1),
    "a free wish": DialogueState(wants=(want("lonely robots", "text"),), language="english"),
    "promises that must bend": DialogueState(wants=(want("western"), want("horror"))),
    "refusals": DialogueState(avoids=(want("horror"), want("opera", "text")), disliked=(item("big"),)),
}
READINGS = {
    "plain": Reading(Frame()),
    "more": Reading(Frame(act="more")),
    "surprise": Reading(Frame(act="more"), surprise=True),
    "foreign and unknown": Reading(Frame(), (Linked("Zyx*\nxor", None, "Zyxxor", False),), foreign=True),
    "guessed": Reading(Frame(), (Linked("Heet", "heat", "Heat", False),)),
    "rejected": Reading(Frame(act="reject")),
}


def draft(state: DialogueState, reading: Reading, n: int, question: Question | None = None) -> Draft:
    ranker = small.workspace().ranker
    grounds = Grounds(CATALOGUE, ranker, VOCABULARY, best_loved(ranker, CATALOGUE))
    query = to_query(state, VOCABULARY)
    ranking = ranker.rank(query, n)
    items = tuple(grounds.recommendation(candidate, state, query) for candidate in ranking.candidates)
    before = replace(EMPTY, shown=("ronin",))
    return Draft(items, ranking, before, state, reading, question)


def first_of(parts: Parts) -> str:
    return joined([part[0] for part in parts])


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_every_wording_of_every_part_passes_and_other_words_do_not(
    state: DialogueState, reading: Reading, n: int
) -> None:
    plan = draft(state, reading, n, Question("Is that all right?", "relax"))
    assert 1 <= len(plan.items) <= n
    parts = recommending(plan, CATALOGUE)
    texts = texts_of(parts)
    for choice in range(max(map(len, parts))):
        used = [part[choice % len(part)] for part in parts]
        text = joined(used)
        assert problems(text, texts) is None
        assert [w.text for w in chosen(text, parts)] == [w.text for w in used]
        assert text.endswith("?")
        assert text.count("*") % 2 == 0
        assert not any(bad in text for bad in ("  ", " ,", " .", "..", ",,", "{", "}", ",."))
        for named in plan.items[:3]:
            assert italic(CATALOGUE[named.item_id]) in text
        for wrong in (text + " It won an Oscar.", text.replace("*", "", 1), text[:-20], text[3:], ""):
            assert problems(wrong, texts) is not None
            assert chosen(wrong, parts) == []


@given(data=st.data())
def test_any_choice_of_wordings_is_a_wording(data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.lists(st.text(min_size=1), min_size=1, max_size=3), max_size=4))
    parts = [[w for w in wordings if w.strip()] or ["x"] for wordings in parts]
    parts = [[f"{i}: {w} #{i}." for w in wordings] for i, wordings in enumerate(parts)]
    text = " ".join(data.draw(st.sampled_from(wordings)) for wordings in parts)
    assert problems(text, parts) is None
    assert problems(text + " and more", parts) is not None


def test_a_swapped_title_is_found() -> None:
    plan = draft(STATES["a like"], READINGS["plain"], 3)
    parts = recommending(plan, CATALOGUE)
    text = first_of(parts)
    first, second = (italic(CATALOGUE[r.item_id]) for r in plan.items[:2])
    swapped = text.replace(first, "\0").replace(second, first).replace("\0", second)
    assert problems(swapped, texts_of(parts)) is not None
    assert problems(text.replace("1995", "1996"), texts_of(parts)) is not None


@pytest.mark.parametrize("seed", range(4))
def test_templates_speak_in_wordings_and_the_seed_chooses_them(seed: int) -> None:
    parts = recommending(draft(STATES["limits"], READINGS["plain"], 3), CATALOGUE)
    heard: list[str] = []
    used, speaker, wrong = word(parts, None, {}, seed, heard.append)
    assert (speaker, wrong) == ("template", "")
    assert "".join(heard) == joined(used)
    assert problems(joined(used), texts_of(parts)) is None
    assert used == by_seed(parts, seed) != by_seed(parts, seed + 1)


class TestWhatTheModelChooses:
    def test_the_first_item_offers_two_things_to_say_and_many_ways(self) -> None:
        plan = draft(STATES["a like"], READINGS["plain"], 3)
        parts = recommending(plan, CATALOGUE)
        kinds = [{w.claim.kind for w in part if w.claim} for part in parts]
        assert [len(k) for k in kinds] == [0, 2, 1, 1]
        assert min(map(len, parts)) >= 8

    def test_a_reason_does_not_name_what_the_lead_named(self) -> None:
        parts = recommending(draft(STATES["a like"], READINGS["plain"], 3), CATALOGUE)
        assert all("*Heat* (1995)" in wording.text for wording in parts[0])
        assert not any("*Heat*" in wording.text for part in parts[1:] for wording in part)

    def test_a_question_has_wordings_and_all_offer_its_options(self) -> None:
        for attribute, anchor in (("genres", None), ("themes", "*Heat* (1995)"), ("moods", None)):
            question = Question("", attribute, ("a", "b", "surprise me"))
            found = asking(question, anchor)
            assert len({wording.pattern for wording in found}) == len(found) >= 3
            assert all("a or b" in wording.text and wording.text.endswith("?") for wording in found)
            assert all((anchor or "") in wording.text for wording in found)

    def test_a_prompt_tells_how_the_reply_before_was_worded(self) -> None:
        plan = draft(STATES["a like"], READINGS["plain"], 3)
        used = by_seed(recommending(plan, CATALOGUE), 0)
        assert patterns(used)[0] == "Since you liked …, start with"
        after = replace(plan, before=replace(plan.before, said=patterns(used)))
        assert "Since you liked …, start with" in prompt_facts(after, CATALOGUE)["said"]
        assert prompt_facts(plan, CATALOGUE)["said"] == "nothing"


class TestTitles:
    @pytest.mark.parametrize(
        ("title", "written"),
        [
            ("Heat", "*Heat* (1995)"),
            ("M*A*S*H", "*M∗A∗S∗H* (1995)"),
            ("**bold**", "*∗∗bold∗∗* (1995)"),
            ("<script>alert(1)</script>", "*<script>alert(1)</script>* (1995)"),
        ],
    )
    def test_a_title_cannot_end_its_own_italics(self, title: str, written: str) -> None:
        assert italic(Item("x", title, 1995)) == written

    def test_without_a_year(self) -> None:
        assert italic(Item("x", "Heat")) == "*Heat*"

    def test_only_the_title_at_the_end_of_a_reason_is_set_in_italics(self) -> None:
        assert with_italics("crime, like Heat", CATALOGUE["heat"]) == "crime, like *Heat*"
        assert with_italics("a big one, like Big", CATALOGUE["big"]) == "a big one, like *Big*"

    @pytest.mark.parametrize(
        "title", ["Two\nLines", "{first} {0} %s $x", 'Say "hi" \\ now', "🎬 عنوان", "  x  "]
    )
    def test_odd_titles_stay_in_their_parts(self, title: str) -> None:
        catalogue = Catalogue([Item("odd", title, 2000, genres=("drama",))])
        reasons = (Reason("genres", "drama through and through", 0.1),)
        recommendation = Recommendation("odd", title, 1.0, 1, reasons)
        ranking = Ranking((), 1, to_query(EMPTY, VOCABULARY).constraints)
        parts = recommending(Draft((recommendation,), ranking, EMPTY, EMPTY, Reading(Frame())), catalogue)
        text = first_of(parts)
        assert problems(text, texts_of(parts)) is None
        assert " ".join(title.split()) in " ".join(text.split())
        assert phrasing_grammar(texts_of(parts)).lark.count("\n") == len(parts) + 1


class TestWhatChanged:
    def test_a_turn_says_what_it_noted(self) -> None:
        state = replace(STATES["refusals"], turn=1)
        assert notes(EMPTY, state, READINGS["plain"], CATALOGUE) == [
            "Noted: no horror, nothing opera. ",
            "Fair, *Big* (1988) is out. ",
        ]
        assert notes(state, state, READINGS["plain"], CATALOGUE) == []

    def test_an_unknown_name_loses_its_markup(self) -> None:
        found = notes(EMPTY, EMPTY, READINGS["foreign and unknown"], CATALOGUE)
        assert found == [
            "I answer in English, but I understood you. ",
            "I don't have *Zyx xor* in my catalogue. ",
        ]

    def test_a_guess_is_said(self) -> None:
        assert notes(EMPTY, EMPTY, READINGS["guessed"], CATALOGUE) == ["*Heat* (1995), right? "]

    def test_people_nobody_knows_are_said_only_where_no_people_are_known(self) -> None:
        bare = Catalogue([Item("1", "Heat", 1995)])
        state = STATES["a person"]
        assert notes(EMPTY, state, READINGS["plain"], CATALOGUE) == []
        assert "can't promise Tom Hanks" in notes(EMPTY, state, READINGS["plain"], bare)[0]

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("nothing", ""),
            ("limits", "comedy and romance from 1990 to 1999 up to 110 minutes"),
            ("a person", "something with Tom Hanks for the family"),
            ("a free wish", '"lonely robots" in English'),
        ],
    )
    def test_what_was_asked_for_in_words(self, name: str, words: str) -> None:
        assert wanted_phrase(STATES[name]) == words

    @pytest.mark.parametrize(
        ("wants", "words"),
        [
            ({"moods": ["tense"]}, "something tense"),
            ({"moods": ["absurd"], "genres": ["comedy"]}, "an absurd comedy"),
            ({"moods": ["tense"], "genres": ["horror"]}, "tense horror"),
            ({"genres": ["thriller"], "themes": ["heist"]}, "a thriller about a heist"),
            ({"themes": ["paris", "revenge"]}, "something about revenge, set in Paris"),
            ({"themes": ["black comedy"]}, "a black comedy"),
            ({"genres": ["comedy or thriller"]}, "comedy or thriller"),
        ],
    )
    def test_wishes_become_one_phrase(self, wants: dict[str, list[str]], words: str) -> None:
        state = DialogueState(wants=tuple(want(v, kind) for kind, values in wants.items() for v in values))
        assert wanted_phrase(state) == words

    def test_relaxing_is_said(self) -> None:
        plan = draft(STATES["promises that must bend"], READINGS["plain"], 1)
        assert plan.ranking.relaxed
        text = first_of(recommending(plan, CATALOGUE))
        assert all(what in text for what in plan.ranking.relaxed)


class TestReasons:
    def test_each_is_true_of_the_item(self) -> None:
        for name, state in STATES.items():
            for recommendation in draft(state, READINGS["plain"], 5).items:
                film = CATALOGUE[recommendation.item_id]
                assert recommendation.reasons, name
                for reason in recommendation.reasons:
                    if reason.item_id is not None:
                        assert reason.text.endswith(CATALOGUE[reason.item_id].title)
                    if reason.kind in ("genres", "wanted"):
                        assert any(genre in reason.text for genre in film.genres)
                    if reason.kind == "years":
                        assert str(film.year) in reason.text

    def test_varied_items_share_as_few_genres_as_possible(self) -> None:
        genres = [("a",), ("a",), ("b",), ("a", "c")]
        items = [Item(str(i), str(i), genres=g) for i, g in enumerate(genres)]
        assert varied(items, 3) == [0, 2, 1]
        assert varied(items, 9) == [0, 2, 1, 3]


PHRASES = yaml.safe_load((Path(agent.__file__).parent / "prompts" / "phrases.yaml").read_text("utf-8"))


_WORDED = ("phrase", "phrasings", "wordings")


def slots(text: str) -> set[str]:
    names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    return {name.removesuffix("_capital") for name in names}


def sources() -> Sequence[ast.Module]:
    return [ast.parse(path.read_text("utf-8")) for path in Path(agent.__file__).parent.glob("*.py")]


class TestPhrases:
    @pytest.mark.parametrize("name", [name for name, texts in PHRASES.items() if isinstance(texts, list)])
    def test_all_wordings_of_a_phrase_take_the_same_slots(self, name: str) -> None:
        texts = PHRASES[name]
        assert len({frozenset(slots(text)) for text in texts}) == 1
        assert len(set(texts)) == len(texts)

    def test_every_phrase_the_code_names_exists_and_every_phrase_is_named(self) -> None:
        named, texts = set(), set()
        for tree in sources():
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.add(node.value)
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _WORDED:
                    parts = node.args[0]
                    options = [parts.body, parts.orelse] if isinstance(parts, ast.IfExp) else [parts]
                    named |= {o.value for o in options if isinstance(o, ast.Constant)}
        assert len(named) > 30
        assert named <= set(PHRASES)
        claimed = {f"{start}_{kind}" for start in ("clause", "why") for kind in texts}
        assert set(PHRASES) <= texts | claimed

    @pytest.mark.parametrize("name", [name for name in PHRASES if name.startswith("clause_")])
    def test_a_claim_is_a_clause_or_ends_the_sentence(self, name: str) -> None:
        why = PHRASES[name.replace("clause", "why")]
        assert {frozenset(slots(text)) for text in why} == {frozenset(slots(text)) for text in PHRASES[name]}
        assert all(text.startswith((", ", ". ")) and text.endswith(".") for text in why)
        assert not any(text.endswith(".") for text in PHRASES[name])

    @pytest.mark.parametrize("name", [name for name in PHRASES if name.startswith("lead_")])
    def test_a_lead_ends_on_the_first_title(self, name: str) -> None:
        assert all(text.endswith("{first}") for text in PHRASES[name])

    def test_a_missing_slot_and_an_unknown_phrase_fail_loudly(self) -> None:
        assert phrase("enjoy", title="*Heat*").startswith("Enjoy *Heat*!")
        with pytest.raises(KeyError, match="title"):
            phrase("enjoy")
        with pytest.raises(KeyError, match="no_such_phrase"):
            phrasings("no_such_phrase")

    def test_picks_go_round(self) -> None:
        texts = phrasings("lead_plain", first="F")
        assert [phrase("lead_plain", pick, first="F") for pick in range(len(texts) + 1)] == [*texts, texts[0]]


class TestPrompts:
    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("understand", {"before": "Shown: 1 Heat\n", "message": "hi"}),
            ("expand", {"liked": "a", "wants": "b", "question": "c"}),
            ("respond", {"liked": "a", "wants": "b", "said": "d", "facts": "c"}),
        ],
    )
    def test_a_prompt_is_a_chat_that_ends_with_the_user_and_wants_every_variable(
        self, name: str, values: dict[str, str]
    ) -> None:
        messages = prompt(name, **values)
        assert [m["role"] for m in messages[:1] + messages[-1:]] == ["system", "user"]
        assert all(value in messages[-1]["content"] for value in values.values())
        for missing in values:
            with pytest.raises(KeyError, match=missing):
                prompt(name, **{k: v for k, v in values.items() if k != missing})

    def test_a_message_is_not_read_as_a_template(self) -> None:
        assert prompt("understand", before="", message="$liked ${x} $$")[-1]["content"] == "$liked ${x} $$"

    def test_facts_name_the_items_and_nothing_else(self) -> None:
        facts = prompt_facts(draft(STATES["nothing"], READINGS["plain"], 2), CATALOGUE)
        assert facts["liked"] == facts["wants"] == "not said"
        assert len(facts["facts"].splitlines()) == 2


@given(message=st.text())
def test_a_quoted_message_fits_into_json_and_one_line(message: str) -> None:
    text = quotable(message)
    assert len(text) <= 400
    assert not set('"\\\n\r') & set(text)
    assert text == " ".join(text.split(" "))

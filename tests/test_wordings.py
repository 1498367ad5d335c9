"""Training examples of wording, the rule behind them, and the figures of replies."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
import small

from agent.claims import Claim, claims, story
from agent.errors import ModelError
from agent.model.language import Language
from agent.prompting import prompt, spec
from agent.respond import Wording, joined, texts_of, word
from agent.types import DialogueState, Preference
from eval.benchmarks.responding import (
    claimable,
    claims_found,
    distinct_2,
    items_given,
    measure_responding,
    measure_wording,
    reply_drafts,
    said_values,
)
from eval.grounding import FilmIndex
from finetune.example import chat
from finetune.splits import is_held_out
from finetune.wordings import Rule, Worded, choose, content_words, respond_examples, worded_replies
from retrieval.types import Reason, Recommendation

SAID = (
    "I loved Heat, something tense",
    "a comedy from the 90s",
    "something with Harrison Ford",
    "films about a heist",
    "hello, I like Alien and The Thing",
    "a western for the family",
    "surprise me",
    "no horror please, something like Big",
)
RULE = Rule({"heist": 5.0, "crime": 2.0, "rare": 12.0})


def drafts(count: int = 24) -> list[Worded]:
    return reply_drafts(small.recommender(), SAID * 6, count, 1)


class TestRule:
    def told(self, *claims: Claim) -> list[Wording]:
        return [Wording(f", reason {place}.", "", claim) for place, claim in enumerate(claims)]

    def test_the_rarest_facet_is_said(self) -> None:
        part = self.told(
            Claim("story", values=("crime",)), Claim("story", values=("crime", "heist")), Claim("loved_by")
        )
        assert RULE.best(part, "", "nothing") == (1,)
        assert RULE.best(part[::2], "", "nothing") == (1,)

    def test_a_very_rare_one_counts_no_more_than_ten_bits(self) -> None:
        assert RULE.score(self.told(Claim("story", values=("rare",)))[0], frozenset(), "nothing") == 10

    def test_words_are_not_echoed_but_titles_may_be(self) -> None:
        part = [Wording("start with *Big* (1988)"), Wording("begin with *Big* (1988)")]
        assert RULE.best(part, "Start over", "nothing") == (1,)
        assert RULE.best(part, "*Start* (1990)", "nothing") == (0, 1)
        assert content_words("Like *Start Again* (1990), with a heist") == {"heist"}

    def test_the_wording_of_the_reply_before_is_not_used_again(self) -> None:
        part = [Wording("Try it", "Try"), Wording("Take it", "Take")]
        assert RULE.best(part, "", "Take; is next") == (0,)
        assert RULE.best(part, "", "Taken; is next") == (0, 1)

    @pytest.mark.parametrize(
        "clumsy", [" a: *B: C* (1990)", "a, b, c, d", "one two three four five six seven eight nine " * 2]
    )
    def test_clumsy_ones_are_avoided(self, clumsy: str) -> None:
        assert RULE.best([Wording(clumsy), Wording("plain")], "", "nothing") == (1,)

    def test_equals_are_chosen_by_the_seed(self) -> None:
        part = [Wording(text) for text in "abcdefgh"]
        texts = {joined(choose([part], "nothing", RULE, random.Random(seed))[0]) for seed in range(40)}
        assert len(texts) > 4


class TestClaims:
    @pytest.mark.parametrize(
        ("name", "values", "text"),
        [
            ("themes", ["heist"], "about a heist"),
            ("themes", ["black comedy", "revenge", "paris"], "a black comedy about revenge, set in Paris"),
            ("themes", ["space"], "set in space"),
            ("moods", ["tense", "gritty"], "tense and gritty"),
            ("genres", ["thriller"], "a thriller"),
            ("genres", ["crime", "comedy"], "crime and comedy in one"),
        ],
    )
    def test_facets_as_people_say_them(self, name: str, values: list[str], text: str) -> None:
        assert story(name, values) == (text, tuple(values))

    def test_a_second_place_is_not_claimed(self) -> None:
        assert story("themes", ["paris", "space"]) == ("set in Paris", ("paris",))

    def test_every_spoken_form_holds_its_value(self) -> None:
        texts = spec("spoken")
        listed = [*texts["tails"], *texts["names"], *texts["forms"], *texts["bare_forms"], *texts["articles"]]
        assert len(set(listed)) == len(listed)
        for value in listed:
            assert value in story("themes", [value])[0].lower() or value in ("medieval",)

    def test_what_was_asked_for_is_not_said_again(self) -> None:
        catalogue, _, _ = small.parts()
        given = Recommendation("ronin", "Ronin", 1.0, 1, (Reason("themes", "about heist", 0.1),))
        state = DialogueState(wants=(Preference("themes", "heist", None, 1),))
        assert [c.values for c in claims(given, catalogue, state, ())] == [("action", "thriller")]
        both = (Preference("genres", "action"), Preference("genres", "thriller"), *state.wants)
        assert [c.kind for c in claims(given, catalogue, replace(state, wants=both), ())] == ["plain"]


class TestExamples:
    def test_they_are_what_serving_would_send_and_may_say(self) -> None:
        for one in drafts():
            assert joined(one.used) == one.reply.text
            assert "  " not in one.reply.text
            assert all(used in part for used, part in zip(one.used, one.parts, strict=True))
            for used, part, best in zip(one.used, one.parts, one.best, strict=True):
                assert part.index(used) in best

    def test_many_kinds_of_turn_occur(self) -> None:
        kept = drafts(60)
        assert {bool(one.reply.items) for one in kept} == {True, False}
        assert any(one.reply.relaxed for one in kept)
        assert any(one.facts["said"] != "nothing" for one in kept)
        assert len({one.used[0].pattern for one in kept}) > 8

    def test_held_out_items_are_not_recommended(self) -> None:
        found = list(worded_replies(small.workspace(), SAID, 3))
        assert found
        for one in found:
            assert not any(is_held_out("item", item.item_id) for item in one.reply.items)

    def test_the_seed_decides(self) -> None:
        one, same, other = (respond_examples(small.workspace(), SAID * 3, 9, seed) for seed in (1, 1, 2))
        assert one == same != other
        assert len(one) == 9
        assert {example.skill for example in one} == {"respond"}
        first = next(worded_replies(small.workspace(), SAID * 3, 1))
        messages = prompt("respond", examples=False, **first.facts)
        assert one[0] == chat("respond", one[0].family, messages, joined(first.used))


class TestFigures:
    def test_templates_are_grounded_and_no_better_than_chance(self) -> None:
        found = measure_responding(small.recommender(), SAID * 4, 30, 1)
        assert (found.system, found.replies, found.fallback) == ("templates", 30, 0.0)
        assert found.named_given == found.claims_found == found.grounded == 1.0
        assert found.claims > 50
        assert 0 < found.best_at_random < 1
        assert dict(found.rows())["system"] == "templates"

    def test_the_rule_agrees_with_itself(self) -> None:
        kept = drafts()
        best = {id(one.parts): list(one.used) for one in kept}
        catalogue = small.workspace().catalogue
        found = measure_wording("rule", lambda parts, *_: (best[id(parts)], "model", ""), kept, catalogue)
        assert found.best == 1.0

    def test_a_model_that_fails_falls_back(self) -> None:
        language: Language = small.ScriptedLanguage(words=ModelError("broken"))
        found = measure_wording(
            "broken",
            lambda parts, facts, seed, hear: word(parts, language, facts, seed, hear),
            drafts(6),
            small.workspace().catalogue,
        )
        assert found.fallback == 1.0
        assert found.grounded == 1.0

    def test_what_is_not_in_the_fields_is_found_out(self) -> None:
        catalogue = small.workspace().catalogue
        films, values = FilmIndex(catalogue), claimable(catalogue)
        one = next(d for d in drafts() if d.reply.items and not d.reply.question)
        item = catalogue[one.reply.items[0].item_id]
        true = f"*{item.title}* ({item.year}), {item.genres[0]} by {item.directors[0]}."
        assert list(claims_found(replace(one.reply, text=true), films, values)) == [True, True, True]
        wrong = "loneliness" if "loneliness" not in item.themes else "revenge"
        false = f"*{item.title}* (1901), about {wrong}, like *Nothing* (1902)."
        assert not any(claims_found(replace(one.reply, text=false), films, values))
        other = next(i for i in catalogue if i.item_id not in {r.item_id for r in one.reply.items})
        named = f"*{item.title}* ({item.year}) or *{other.title}* ({other.year})"
        stranger = replace(one.reply, text=named, state=DialogueState())
        assert list(items_given(stranger, films)) == [True, False]

    def test_the_longest_value_counts(self) -> None:
        values = {("black", "comedy"): "black comedy", ("comedy",): "comedy"}
        assert list(said_values("A Black comedy, a comedy.", values)) == ["black comedy", "comedy"]

    @pytest.mark.parametrize(
        ("texts", "share"), [([], 0.0), (["a b c"], 1.0), (["a b", "a b"], 0.5), (["a b a b"], 2 / 3)]
    )
    def test_distinct_bigrams(self, texts: Sequence[str], share: float) -> None:
        assert distinct_2(texts) == pytest.approx(share)

    def test_nothing_to_word_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="nothing to word"):
            measure_responding(small.recommender(), (), 5)


def test_texts_of_parts_are_what_a_grammar_takes() -> None:
    assert texts_of([[Wording("a", "p"), Wording("b")], [Wording("c")]]) == [["a", "b"], ["c"]]

"""Examples of the expand skill, the source of candidates that its answers speak to, and its measurement."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from agent.expand import MOST, answers
from eval.benchmarks.widening import markdown, measure_widening, theme_entropy
from finetune.config import ConfigError
from finetune.splits import held_out_users
from finetune.widening import Likes, expand_examples
from retrieval.errors import InteractionsError
from retrieval.interactions import Interactions
from retrieval.interests import InterestRetriever
from retrieval.types import Interaction, Query
from tests import small
from tests.retriever_contract import FILMS, RetrieverContract

WORKSPACE = small.workspace()
USERS = WORKSPACE.interactions.users  # type: ignore[union-attr]


class TestExamples:
    def test_they_are_distinct_seeded_and_answered_from_the_catalogue(self) -> None:
        found = expand_examples(WORKSPACE, 40, 3, frozenset())
        assert found == expand_examples(WORKSPACE, 40, 3, frozenset())
        assert found != expand_examples(WORKSPACE, 40, 4, frozenset())
        assert len({example.given for example in found}) == len(found) == 40
        known = {value for way in ("path", "person", "mood") for value in answers(WORKSPACE.catalogue, way)}
        for example in found:
            named = example.learned.removesuffix("<|im_end|>").split(", ")
            assert len(set(named)) == len(named) <= MOST
            assert known.issuperset(named)
            assert not any(f"{value})" in example.given for value in named)

    def test_no_held_out_user_is_drawn_or_counted(self) -> None:
        held = held_out_users(USERS)
        assert held
        assert not held & {example.family for example in expand_examples(WORKSPACE, 200, 0, held)}

    def test_dialogues_are_further_people(self, tmp_path: Path) -> None:
        films = [
            {"item_id": "7", "title": "Heat", "year": 1995},
            {"item_id": "8", "title": "Casino", "year": 1995},
        ]
        films += [{"item_id": "9", "title": "Matrix, The", "year": 1999}]
        mentions = [{"item_id": i, "by": "seeker", "liked": True} for i in ("7", "8", "9", "unknown")]
        (tmp_path / "catalogue.jsonl").write_text("\n".join(map(json.dumps, films)), "utf-8")
        dialogue = {"conversation_id": "1", "mentions": mentions}
        (tmp_path / "sequences.jsonl").write_text(json.dumps(dialogue) + "\n", "utf-8")
        found = expand_examples(WORKSPACE, 60, 0, frozenset(), tmp_path / "sequences.jsonl")
        spoken = [example for example in found if example.family == "dialogue 1"]
        assert spoken
        assert any("The Matrix" in example.given for example in spoken)

    def test_labels_tell_likes_where_no_mentions_do(self, tmp_path: Path) -> None:
        films = [
            {"item_id": i, "title": t, "year": 1995}
            for i, t in (("7", "Heat"), ("8", "Casino"), ("9", "Babe"))
        ]
        (tmp_path / "catalogue.jsonl").write_text("\n".join(map(json.dumps, films)), "utf-8")
        labels = {"7": {"liked": True}, "8": {"liked": True}, "9": {"liked": False}}
        (tmp_path / "train.jsonl").write_text(json.dumps({"conversation_id": "1", "labels": labels}), "utf-8")
        found = expand_examples(WORKSPACE, 60, 0, frozenset(), tmp_path / "train.jsonl")
        spoken = [example.given for example in found if example.family == "dialogue 1"]
        assert spoken
        assert not any("Babe" in given for given in spoken)

    def test_a_dialogue_that_tells_no_likes_names_its_line(self, tmp_path: Path) -> None:
        (tmp_path / "catalogue.jsonl").write_text('{"item_id": "7", "title": "Heat"}', "utf-8")
        (tmp_path / "train.jsonl").write_text('{"conversation_id": "1"}', "utf-8")
        with pytest.raises(ConfigError, match=r"train\.jsonl:1: expected `mentions` or `labels`"):
            expand_examples(WORKSPACE, 5, 0, frozenset(), tmp_path / "train.jsonl")

    def test_answers_are_what_people_of_the_same_likes_like(self) -> None:
        catalogue = WORKSPACE.catalogue
        row = {item_id: catalogue.row(item_id) for item_id in small.IDS}
        space = [row[i] for i in ("heat", "alien", "aliens", "starwars")]
        rest = [row[i] for i in ("babe", "casino", "pulp", "goodfellas")]
        likes = Likes(catalogue, [(f"s{i}", space) for i in range(5)] + [(f"r{i}", rest) for i in range(5)])
        weights = likes.beside([row["heat"]])
        assert weights[row["heat"]] == weights[row["babe"]] == 0 < weights[row["alien"]]
        assert likes.telling("theme", weights, ()) == ["space"]
        assert likes.telling("theme", weights, ("space",)) == []


class TestInterests(RetrieverContract):
    query = Query(text="crime", liked=("10",), expansions=("comedy", "thriller"))

    @pytest.fixture(scope="class")
    def retriever(self) -> InterestRetriever:
        return InterestRetriever(FILMS, None)

    def test_people_who_are_keen_on_it_decide(self) -> None:
        rows = [Interaction(f"a{i}", item, 5.0) for i in range(4) for item in ("12", "16", "15")]
        rows += [Interaction(f"b{i}", item, 5.0) for i in range(9) for item in ("10", "11")]
        rows += [Interaction("c", "14", 1.0)]
        source = InterestRetriever(FILMS, Interactions.from_rows(rows, FILMS))
        found = [c.item_id for c in self.retrieve(source, Query(liked=("12",), expansions=("animation",)), 8)]
        assert found[:3] == ["12", "15", "16"]  # 15 is no animation, but its people like it
        unmet = [c.item_id for c in self.retrieve(source, Query(liked=("13",), expansions=("horror",)), 8)]
        assert unmet[0] == "14"  # nobody liked it, and the query's own like is as unknown

    def test_other_texts_say_nothing(self, retriever: InterestRetriever) -> None:
        assert self.retrieve(retriever, Query(text="comedy", expansions=("a clown",)), 5) == []


class TestMeasuring:
    @pytest.fixture(scope="class")
    def measured(self) -> Any:
        model = small.ScriptedLanguage(facets=["mafia", "space"])
        return measure_widening(WORKSPACE, model, held_out_users(USERS), 0)

    def test_both_catalogues_and_all_ways(self, measured: Any) -> None:
        assert list(measured.results) == ["rated", "cold"]
        for ways in measured.results.values():
            assert list(ways) == ["none", "chance", "rules", "model"]
            assert all(0 <= results.recall <= 1 and results.entropy > 0 for results in ways.values())
        assert len(measured.seconds) == len(measured.results["rated"]["none"].recalls)
        low, high = measured.interval("rated", "model")
        assert low <= measured.gain("rated", "model") <= high
        assert len(markdown(measured).splitlines()) == 2 + 8

    def test_gain_is_relative(self, measured: Any) -> None:
        rows = measured.results["rated"]
        doubled = replace(rows["none"], recalls=tuple(2 * r for r in rows["none"].recalls))
        widening = replace(measured, results={"rated": {"none": rows["none"], "model": doubled}})
        assert widening.gain("rated", "model") == pytest.approx(1.0)

    def test_nothing_to_measure(self) -> None:
        with pytest.raises(InteractionsError, match="None of these"):
            measure_widening(WORKSPACE, None, {"nobody"}, 0)
        with pytest.raises(InteractionsError, match="no interactions"):
            measure_widening(SimpleNamespace(interactions=None), None, USERS, 0)  # type: ignore[arg-type]

    def test_entropy_in_bits(self) -> None:
        items = [replace(item, themes=(theme,)) for item, theme in zip(small.ITEMS[:4], "abcd", strict=True)]
        assert theme_entropy(items) == pytest.approx(np.log2(4))
        assert theme_entropy(items[:1]) == theme_entropy([]) == 0.0

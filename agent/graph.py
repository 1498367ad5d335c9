"""One turn as a LangGraph: the picture in the README, in code.

message -> understand -> answer                                         -> reply
                      -> decide -> ask                                  -> reply
                                -> expand -> retrieve -> rank -> respond -> reply
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from langchain_core.runnables import RunnableLambda
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph

from agent import policy, respond
from agent.answers import Undo, answer, needs_answer
from agent.expand import expand
from agent.model.language import Language
from agent.notes import notes as said_first
from agent.plan import to_query
from agent.prompting import phrase
from agent.reading.understand import Reader
from agent.reasons import Grounds, varied
from agent.state import Reading, afresh, apply_reading
from agent.types import DialogueState, Event, Items, Question, Reply, Speaker, Step, StepStarted, Token, Trace
from agent.writing import italic, plain_name
from retrieval.types import Query, Ranking, Recommendation

POOL = 60
"""Candidates that questions, quick replies and the final choice are drawn from."""

STEPS_AT_MOST = 12
"""LangGraph's own limit is in the thousands; a turn has at most six nodes."""


class TurnState(TypedDict, total=False):
    """What the nodes of one turn hand on."""

    message: str
    n: int
    may_ask: bool
    seed: int
    undo: Undo
    before: DialogueState
    state: DialogueState
    reading: Reading
    question: Question | None
    asking: list[respond.Wording]
    expansions: tuple[str, ...]
    query: Query
    ranking: Ranking
    items: tuple[Recommendation, ...]
    reply: Reply
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Skills:
    """What the nodes work with."""

    reader: Reader
    grounds: Grounds
    language: Language | None
    asking: policy.Asking = policy.BALANCED


def _emit(event: Event) -> None:
    get_stream_writer()(event)


def _hear(piece: str) -> None:
    _emit(Token(piece))


class Turns:
    """Runs turns. One instance serves every conversation; it keeps nothing between turns."""

    def __init__(self, skills: Skills) -> None:
        self._skills = skills
        graph = StateGraph(TurnState)
        nodes: Sequence[tuple[str, str, Callable[[TurnState], tuple[dict[str, Any], Speaker, str]]]] = (
            ("understand", "reading your message", self._understand),
            ("answer", "answering", self._answer),
            ("decide", "deciding what to do", self._decide),
            ("ask", "asking", self._ask),
            ("expand", "widening your interests", self._expand),
            ("retrieve", "looking through the catalogue", self._retrieve),
            ("rank", "ranking", self._rank),
            ("respond", "putting it into words", self._respond),
        )
        for name, words, node in nodes:
            graph.add_node(name, RunnableLambda(_timed(name, words, node)))
        graph.add_edge(START, "understand")
        graph.add_conditional_edges("understand", self._after_understanding, ["answer", "decide"])
        graph.add_conditional_edges("decide", self._after_deciding, ["ask", "expand"])
        for first, second in (("expand", "retrieve"), ("retrieve", "rank"), ("rank", "respond")):
            graph.add_edge(first, second)
        for last in ("answer", "ask", "respond"):
            graph.add_edge(last, END)
        self._graph = graph.compile()

    def run(self, turn: TurnState) -> Iterator[Event | Reply]:
        """Stream the events of one turn; the last thing that comes is its Reply, with its trace."""
        started = time.perf_counter()
        first: float | None = None
        final: TurnState = turn
        stream: Iterator[Any] = self._graph.stream(
            turn, {"recursion_limit": STEPS_AT_MOST}, stream_mode=["custom", "values"]
        )
        for mode, value in stream:
            if mode == "values":
                final = value
                continue
            if first is None and isinstance(value, Token):
                first = time.perf_counter() - started
            yield value
        seconds = time.perf_counter() - started
        trace = Trace(final["steps"], final["reading"].frame, first or seconds, seconds)
        yield replace(final["reply"], trace=trace)

    # Nodes: each answers (what it adds to the state, who did it, what came of it)

    def _understand(self, turn: TurnState) -> tuple[dict[str, Any], Speaker, str]:
        before = turn["before"]
        understood = self._skills.reader.read(turn["message"], before)
        start = afresh(before) if understood.reading.frame.act == "reset" else before
        state = apply_reading(start, understood.reading, self._skills.grounds.vocabulary, before.turn + 1)
        changes = {"reading": understood.reading, "state": state}
        return changes, understood.speaker, understood.detail

    def _after_understanding(self, turn: TurnState) -> str:
        return "answer" if needs_answer(turn["reading"], turn["before"]) else "decide"

    def _answer(self, turn: TurnState) -> tuple[dict[str, Any], Speaker, str]:
        given = answer(
            turn["message"],
            turn["reading"],
            turn["before"],
            turn["state"],
            self._skills.grounds,
            turn["undo"],
        )
        _say(given.text)
        question = given.question.text if given.question else None
        reply = Reply(given.text, (), question, given.options, given.state)
        return {"reply": reply, "state": given.state}, "template", turn["reading"].frame.act

    def _decide(self, turn: TurnState) -> tuple[dict[str, Any], Speaker, str]:
        state, reading = replace(turn["state"], pending=None), turn["reading"]
        unplaced = bool(reading.unknown) and policy.information(state) == 0
        if not turn["may_ask"] or not (
            policy.should_ask(state, reading, self._skills.asking) or (unplaced and not state.shown)
        ):
            return {"question": None, "state": state}, "code", "recommend"
        anchor = self._anchor(state)
        question = self._question(state, anchor)
        asking = respond.asking(question, anchor.written if anchor else None) if question else []
        if unplaced and question is not None:
            asking = respond.wordings("unknown", name=plain_name(reading.unknown[0]))
            reading = replace(reading, links=tuple(link for link in reading.links if link.item_id))
        done = f"ask about {question.attribute}" if question else "recommend"
        return {"question": question, "asking": asking, "state": state, "reading": reading}, "code", done

    def _anchor(self, state: DialogueState) -> policy.Anchor | None:
        catalogue = self._skills.grounds.catalogue
        likes = [catalogue[p.item_id] for p in state.liked if p.item_id and p.turn == state.turn]
        return policy.Anchor(likes[-1], italic(likes[-1])) if likes else None

    def _question(self, state: DialogueState, anchor: policy.Anchor | None) -> Question | None:
        grounds = self._skills.grounds
        ranking = grounds.ranker.rank(to_query(state, grounds.vocabulary), POOL)
        items = [grounds.catalogue[candidate.item_id] for candidate in ranking.candidates]
        return policy.choose_question(state, items, grounds.vocabulary, anchor)

    def _after_deciding(self, turn: TurnState) -> str:
        return "ask" if turn["question"] is not None else "expand"

    def _ask(self, turn: TurnState) -> tuple[dict[str, Any], Speaker, str]:
        question, before, state = turn["question"], turn["before"], turn["state"]
        assert question is not None
        notes = said_first(before, state, turn["reading"], self._skills.grounds.catalogue)
        parts = respond.fresh([*respond.plain_parts(notes), turn["asking"]], before.said)
        facts = respond.question_facts(question, before, state)
        used, speaker, detail = self.word(parts, facts, turn["seed"])
        question = replace(question, text=used[-1].text.strip())
        state = replace(
            state,
            pending=question,
            asked=(*state.asked, question.attribute),
            said=respond.patterns(used, before.said),
        )
        reply = Reply(respond.joined(used), (), question.text, question.options, state)
        return {"reply": reply, "state": state}, speaker, detail or question.attribute

    def _expand(self, turn: TurnState) -> tuple[dict[str, Any], Speaker, str]:
        grounds = self._skills.grounds
        found = expand(
            turn["state"], grounds.catalogue, grounds.ranker, grounds.vocabulary, self._skills.language
        )
        return {"expansions": found.texts}, found.speaker, found.detail

    def _retrieve(self, turn: TurnState) -> tuple[dict[str, Any], Speaker, str]:
        grounds = self._skills.grounds
        query = to_query(turn["state"], grounds.vocabulary, turn["expansions"])
        query = replace(query, page=max(1, turn["n"]))
        ranking = grounds.ranker.rank(query, max(POOL, turn["n"]))
        return {"query": query, "ranking": ranking}, "code", f"{ranking.eligible:,} items keep every promise"

    def _rank(self, turn: TurnState) -> tuple[dict[str, Any], Speaker, str]:
        grounds, state, query = self._skills.grounds, turn["state"], turn["query"]
        pool = turn["ranking"].candidates
        chosen = list(pool[: turn["n"]])
        if turn["reading"].surprise and not (query.liked or query.text):
            items = [grounds.catalogue[candidate.item_id] for candidate in pool]
            chosen = [replace(pool[i], rank=k) for k, i in enumerate(varied(items, turn["n"]), 1)]
        recommendations = tuple(grounds.recommendation(candidate, state, query) for candidate in chosen)
        _emit(Items(recommendations))
        return {"items": recommendations}, "code", f"{len(pool)} candidates"

    def _respond(self, turn: TurnState) -> tuple[dict[str, Any], Speaker, str]:
        state, items, ranking = turn["state"], turn["items"], turn["ranking"]
        if not items:
            return self._nothing_left(state)
        question = self._relax_question(state, ranking)
        draft = respond.Draft(items, ranking, turn["before"], state, turn["reading"], question)
        catalogue, ids = self._skills.grounds.catalogue, tuple(item.item_id for item in items)
        parts = respond.fresh(respond.recommending(draft, catalogue), turn["before"].said)
        used, speaker, detail = self.word(parts, respond.prompt_facts(draft, catalogue), turn["seed"])
        if question is not None:
            question = replace(question, text=used[-1].text.strip())
        state = replace(
            state,
            shown=(*state.shown, *ids),
            last_shown=ids,
            pending=question,
            asked=(*state.asked, "relax") if question else state.asked,
            said=respond.patterns(used, turn["before"].said),
            relaxed=ranking.relaxed,
        )
        options = question.options if question else self._options(turn)
        asked = question.text if question else None
        reply = Reply(respond.joined(used), items, asked, options, state, relaxed=ranking.relaxed)
        return {"reply": reply, "state": state}, speaker, detail or f"{len(items)} items"

    def word(
        self, parts: respond.Parts, facts: dict[str, str], seed: int, hear: Callable[[str], None] = _hear
    ) -> tuple[list[respond.Wording], Speaker, str]:
        """Choose a wording of each part; `hear` gets the text as it comes. Like `respond.word`."""
        return respond.word(parts, self._skills.language, facts, seed, hear)

    def _relax_question(self, state: DialogueState, ranking: Ranking) -> Question | None:
        if not ranking.relaxed or "relax" in state.asked:
            return None
        return Question(phrase("relax_question"), "relax", ("fine by me", "no, keep to it"))

    def _nothing_left(self, state: DialogueState) -> tuple[dict[str, Any], Speaker, str]:
        text = phrase("empty")
        _say(text)
        reply = Reply(text, (), text, ("start over", "surprise me"), replace(state, last_shown=()))
        return {"reply": reply, "state": reply.state}, "template", "nothing is left"

    def _options(self, turn: TurnState) -> tuple[str, ...]:
        """Quick replies after a recommendation: more, and what splits the remaining candidates best."""
        grounds, state = self._skills.grounds, turn["state"]
        rest = turn["ranking"].candidates[len(turn["items"]) :]
        items = [grounds.catalogue[candidate.item_id] for candidate in rest]
        if not items:
            return ("start over",)
        return ("more like these", *policy.critiques(state, items, grounds.vocabulary))


def _say(text: str) -> None:
    for i, word in enumerate(text.split(" ")):
        _emit(Token(word if i == 0 else f" {word}"))


def _timed(
    name: str, words: str, node: Callable[[TurnState], tuple[dict[str, Any], Speaker, str]]
) -> Callable[[TurnState], dict[str, Any]]:
    """A node that announces itself, measures itself, and leaves a Step in the trace."""

    def run(turn: TurnState) -> dict[str, Any]:
        _emit(StepStarted(name, words))
        started = time.perf_counter()
        changes, speaker, detail = node(turn)
        step = Step(name, time.perf_counter() - started, speaker, detail)
        return {**changes, "steps": (*turn.get("steps", ()), step)}

    return run

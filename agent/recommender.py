"""The public API: open a workspace, recommend, hold conversations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent import explain
from agent.conversation import Conversation, Desk
from agent.errors import ModelError
from agent.graph import Skills, Turns, TurnState
from agent.hearing import Hearing
from agent.judge import Verdict, candidate_line, history_text
from agent.memory.store import Store
from agent.messages import readable
from agent.model.language import open_language
from agent.plan import to_query
from agent.policy import BALANCED, MOOD_CHIPS, Asking
from agent.prompting import phrase
from agent.reading.link import Linker
from agent.reading.understand import Reader
from agent.reading.vocabulary import Vocabulary
from agent.reasons import Grounds, best_loved
from agent.types import ConversationInfo, DialogueState, Explanation, Preference, Reply, Result
from retrieval.catalogue import Catalogue
from retrieval.dialogue import mentioned
from retrieval.retriever import AHEAD, check_share
from retrieval.types import Item, Query
from retrieval.workspace import Workspace, open_starter


class Recommender:
    """A workspace and a language model, ready to talk. Safe to use from several threads."""

    def __init__(
        self,
        workspace: Workspace,
        llm: str = "packaged",
        database: Path | str | None = None,
        seed: int = 0,
        adapter: Path | str | None = None,
        asking: Asking = BALANCED,
    ) -> None:
        """`llm`: "packaged" | "none" (rules and templates only) | a Hugging Face id or folder | the http(s)
        URL of an OpenAI-compatible server ("http://host:port/v1#model-name"). `database`: where
        conversations are kept, a path or any SQLAlchemy URL; None: in the workspace's folder.
        `seed` makes the choice of wordings repeatable. `adapter`: folder of an adapter trained on `llm`;
        None: the workspace's own (its folder `adapter`), else the one that ships with the packaged model.
        `asking`: how much is asked before something is recommended.
        Raises ModelError, StoreError.
        """
        self.workspace = workspace
        self.catalogue: Catalogue = workspace.catalogue
        language = self._language = open_language(
            llm, adapter or (_adapter(workspace) if llm == "packaged" else None)
        )
        self.model_name = language.name if language else "none"
        vocabulary, linker = Vocabulary(self.catalogue), Linker(self.catalogue)
        ranker = workspace.ranker
        ranker.rank(Query(text="warm up"), 1)  # loads the text encoder now, not in somebody's first turn
        self._grounds = Grounds(self.catalogue, ranker, vocabulary, best_loved(ranker, self.catalogue))
        reader = Reader(self.catalogue, linker, vocabulary, language, ranker.likeness)
        self._hearing = Hearing(reader, linker, vocabulary, steady=language is None)
        self.turns = Turns(Skills(reader, self._grounds, language, asking))
        self.store = Store(_database(workspace, database))
        self.seed = seed
        self._desk = Desk(self.store, self.turns, self.catalogue, seed)

    @classmethod
    def open(
        cls,
        workspace: str | Path | None = None,
        llm: str = "packaged",
        database: Path | str | None = None,
        seed: int = 0,
        adapter: Path | str | None = None,
        without: Iterable[str] = (),
    ) -> Recommender:
        """Open a workspace folder; None is the starter workspace, built on first use.

        `without`: names of sources to switch off, such as "collaborative" (`retrieval.sources.NAMES`). Raises
        WorkspaceError (missing or damaged folder, no such source), ModelError, StoreError.
        """
        if workspace is None:
            opened = open_starter(without=without)
        else:
            opened = Workspace.open(Path(workspace), without=without)
        return cls(opened, llm, database, seed, adapter)

    def recommend(
        self,
        messages: Sequence[Mapping[str, str]],
        n: int = 10,
        exclude: Sequence[str] = (),
        long_tail: float = 0.0,
        diversity: float = 0.0,
    ) -> Result:
        """The `n` best items after a dialogue, without keeping anything of it.

        `messages`: [{"role": "user" | "assistant", "content": text}, ...], oldest first ("seeker" and
        "recommender" are understood too). Items that either side named are not recommended again, nor
        are the item_ids in `exclude`. `long_tail` in [0, 1]: 0 asks for the best whatever their fame, 1 for
        lesser-known items; "less famous ones" in the dialogue asks for that. `diversity` in [0, 1]:
        how much an item loses that is like those before it.
        Raises MessageError for a malformed message, UnknownItemError for an unknown id in `exclude`,
        QueryError (a ValueError) for `n` below 1 or a control out of range.
        """
        check_share("long_tail", long_tail)
        state, query = self.heard(messages, exclude)
        query = replace(query, long_tail=max(long_tail, query.long_tail), diversity=diversity)
        return self._answer(state, query, n)

    def recommend_many(self, dialogues: Sequence[Sequence[Mapping[str, str]]], n: int = 50) -> list[Result]:
        """`recommend` for several dialogues, for evaluation; the same answers in the same order, sooner."""
        found: list[Result] = []
        for start in range(0, len(dialogues), AHEAD):
            heard = [self.heard(messages) for messages in dialogues[start : start + AHEAD]]
            self._grounds.ranker.read_ahead([query for _, query in heard])
            found += [self._answer(state, query, n) for state, query in heard]
        return found

    def heard(
        self, messages: Sequence[Mapping[str, str]], exclude: Sequence[str] = ()
    ) -> tuple[DialogueState, Query]:
        """What `recommend` makes of a dialogue: the state after it, and the query it ranks by.

        Raises as `recommend` does.
        """
        for item_id in exclude:
            self.catalogue.row(item_id)
        state, said = self._hearing.heard(messages)
        query = self.query(state)
        return state, replace(query, exclude=query.exclude.union(exclude, mentioned(said)), messages=said)

    def query(self, state: DialogueState) -> Query:
        """What a conversation in this state asks of the catalogue."""
        return to_query(state, self._grounds.vocabulary)

    def judge(
        self, item_ids: Sequence[str], liked: Sequence[str], disliked: Sequence[str] = ()
    ) -> list[float]:
        """The language model's probability in [0, 1] that somebody with these verdicts likes each item.

        Verdicts are given oldest first; the model reads the latest ten, likes after dislikes. Raises
        UnknownItemError, and ModelError where the language model was not trained to judge.
        """
        if self._language is None or not self._language.tuned:
            raise ModelError(f"The model {self.model_name!r} was not trained to judge: open with an adapter.")
        verdicts = [Verdict(self.catalogue[item_id], False) for item_id in disliked]
        verdicts += [Verdict(self.catalogue[item_id], True) for item_id in liked]
        lines = [candidate_line(self.catalogue[item_id]) for item_id in item_ids]
        return self._language.judge(history_text(verdicts), lines)

    def ask(self, text: str, n: int = 3, long_tail: float = 0.0) -> Reply:
        """One question, one answer: recommends at once, asks nothing, keeps nothing.

        `long_tail` as in `recommend`. Raises MessageError, QueryError.
        """
        turn: TurnState = {"message": text, "n": n, "may_ask": False}
        return self.reply_to(turn, DialogueState(long_tail=long_tail))

    def reply_to(self, turn: TurnState, before: DialogueState) -> Reply:
        """Run one turn to its end and answer its reply."""
        text = readable(turn["message"])
        full: TurnState = {
            "seed": self.seed,
            "undo": lambda: None,
            **turn,
            "message": text,
            "before": before,
            "steps": (),
        }
        last: Any = None
        for event in self.turns.run(full):
            last = event
        assert isinstance(last, Reply)
        return last

    def conversation(
        self, user: str = "me", conversation_id: str | None = None, long_tail: float | None = None
    ) -> Conversation:
        """A new conversation of `user`, or with `conversation_id` an earlier one to go on with.

        `long_tail` in [0, 1]: how far it reaches for lesser-known items; None: as it was, 0 in a new one.
        Raises ConversationError for an id that is unknown or another user's, UserError for a bad name,
        QueryError for a `long_tail` out of range.
        """
        if long_tail is not None:
            check_share("long_tail", long_tail)
        if conversation_id is not None:
            self.store.load(user, conversation_id)
            chat = Conversation(self._desk, user, conversation_id)
            if long_tail is not None:
                chat.set_long_tail(long_tail)
            return chat
        known = [row for row in self.store.profile(user) if row.preference.item_id in self.catalogue]

        def kept(slot: str) -> tuple[Preference, ...]:
            return tuple(row.preference for row in known if row.slot == slot)

        state = DialogueState(
            kept("liked"), kept("disliked"), kept("seen"), long_tail=float(long_tail or 0.0)
        )
        return Conversation(self._desk, user, self.store.create(user, state=state))

    def conversations(self, user: str) -> list[ConversationInfo]:
        """The user's conversations, most recent first."""
        return self.store.conversations(user)

    def forget_user(self, user: str) -> None:
        """Delete everything kept about `user`: conversations, profile and feedback."""
        self.store.delete_user(user)

    def item(self, item_id: str) -> Item:
        """The catalogue's record. Raises UnknownItemError."""
        return self.catalogue[item_id]

    def why(self, chat: Conversation, item_id: str) -> Explanation:
        """Why `item_id` fits this conversation. Raises UnknownItemError."""
        return explain.why(self.catalogue[item_id], chat.state, self._grounds)

    def why_not(self, chat: Conversation, item_id: str) -> Explanation:
        """What keeps `item_id` out of this conversation's recommendations. Raises UnknownItemError."""
        return explain.why_not(self.catalogue[item_id], chat.state, self._grounds)

    @property
    def welcome(self) -> Reply:
        """The greeting of an empty conversation, with moods to pick from."""
        text = phrase("welcome")
        return Reply(text, (), text, MOOD_CHIPS)

    def __enter__(self) -> Recommender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def _answer(self, state: DialogueState, query: Query, n: int) -> Result:
        query = replace(query, page=max(1, min(n, query.page)))
        ranking = self._grounds.ranker.rank(query, n)
        items = tuple(self._grounds.recommendation(c, state, query) for c in ranking.candidates)
        return Result(items, state, ranking.relaxed)


def _adapter(workspace: Workspace) -> Path | None:
    """The adapter that was trained for this workspace, if it has one."""
    folder = workspace.folder / "adapter"
    return folder if folder.is_dir() else None


def _database(workspace: Workspace, given: Path | str | None) -> Path | str:
    """A database URL stays one; any other text is a path."""
    if given is None:
        return workspace.database
    return given if isinstance(given, str) and "://" in given else Path(given)

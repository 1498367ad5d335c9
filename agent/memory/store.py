"""Conversations, taste profile and feedback, kept in a database: SQLite by default, any SQLAlchemy URL.

Every method is one transaction that is on disk when it returns, may be called from several threads, and
may race with another process on the same file without losing a write. Methods that take only a
`conversation_id` trust it; `load` is the door that checks whose conversation it is.

Raises, from every method: StoreError (the database failed), ConversationError (no such conversation),
UserError (not usable as a user's name).
"""

from __future__ import annotations

import re
import secrets
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from agent.memory import taste
from agent.memory.codec import dumps, loads, storable
from agent.memory.database import StoreError, clear_log, open_database, transaction
from agent.memory.tables import conversations, earlier, feedback, profile, turns
from agent.memory.taste import Feedback, FeedbackValue, ProfileRow, ProfileSlot, UserError, checked_user
from agent.types import ConversationInfo, DialogueState, Preference, Reply, Turn
from retrieval.errors import TastebudError

__all__ = ["ConversationError", "Feedback", "ProfileRow", "Store", "StoreError", "UserError", "checked_user"]

MESSAGE_LIMIT = 1_048_576
"""Characters of one message."""
TITLE_LIMIT = 48


class ConversationError(TastebudError):
    """A conversation, or a turn of it, that is not there for whoever asks."""


class Store:
    """The database, opened. Close it when done, or use it in a `with` statement."""

    def __init__(self, url: str | Path) -> None:
        """A Path is a SQLite file, made with its folders when it is missing. Raises StoreError."""
        self._engine = open_database(url)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # Conversations

    def create(
        self, user: str, conversation_id: str | None = None, state: DialogueState | None = None
    ) -> str:
        """Start a conversation; its id is random unless one is given (1-64 of A-Z a-z 0-9 - _).

        `state`: what it knows from the start; None: nothing.
        """
        user = checked_user(user)
        wanted = conversation_id if conversation_id is not None else secrets.token_urlsafe(16)
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", wanted):
            raise ConversationError(
                f"{wanted[:80]!r} cannot be a conversation id: use 1 to 64 letters, digits, - or _."
            )
        row = {"conversation_id": wanted, "user": user, "state": dumps(state or DialogueState())}
        with self._transaction() as connection:
            taken = select(conversations.c.user).where(conversations.c.conversation_id == wanted)
            if connection.scalar(taken) is not None:
                raise ConversationError(f"Conversation id {wanted!r} is taken: choose another, or give none.")
            connection.execute(insert(conversations).values(row | {"updated": time.time()}))
        return wanted

    def load(self, user: str, conversation_id: str) -> DialogueState:
        """The current state, for its owner. An unknown id and another user's give the same error."""
        with self._transaction(write=False) as connection:
            row = _conversation(connection, conversation_id, checked_user(user))
            return loads(DialogueState, row["state"])

    def conversations(self, user: str) -> list[ConversationInfo]:
        """The user's conversations that have a message, most recent first, titled by their first message."""
        table = conversations.c
        query = (
            select(table.conversation_id, table.title, table.updated)
            .where(table.user == checked_user(user), table.title.is_not(None))
            .order_by(table.updated.desc(), table.conversation_id)
        )
        with self._transaction(write=False) as connection:
            return [ConversationInfo(*row) for row in connection.execute(query)]

    def states(self) -> list[tuple[str, DialogueState]]:
        """Every conversation of everybody with its current state, by id: what a scorer can learn from."""
        with self._transaction(write=False) as connection:
            return taste.read_states(connection)

    def turns(self, conversation_id: str) -> tuple[Turn, ...]:
        """All turns in order; the reply of an interrupted one is None."""
        table = turns.c
        query = (
            select(table.index, table.message, table.reply, table.created)
            .where(table.conversation_id == storable(conversation_id))
            .order_by(table.index)
        )
        with self._transaction(write=False) as connection:
            _conversation(connection, conversation_id)
            return tuple(
                Turn(index, message, None if reply is None else loads(Reply, reply), created)
                for index, message, reply, created in connection.execute(query)
            )

    # Turns

    def begin_turn(self, conversation_id: str, message: str, state: DialogueState) -> int:
        """Keep the message before any work is done on it; the answer is the turn's index, from 1.

        `state` is what the turn starts from. It becomes the current state in the same transaction and
        is no step of its own for undo, so a caller may count the turn in it.
        """
        if len(message) > MESSAGE_LIMIT:
            raise ConversationError(
                f"The message {message[:40]!r}... has {len(message):,} characters: "
                f"shorten it to {MESSAGE_LIMIT:,}."
            )
        message = storable(message)
        with self._transaction() as connection:
            row = _conversation(connection, conversation_id)
            last = select(func.max(turns.c.index)).where(turns.c.conversation_id == conversation_id)
            index = (connection.scalar(last) or 0) + 1
            now = time.time()
            new = {"conversation_id": conversation_id, "index": index, "message": message, "created": now}
            connection.execute(insert(turns).values(new))
            title = row["title"] or _title(message)
            _update(connection, conversation_id, state=dumps(state), title=title, updated=now)
        return index

    def finish_turn(self, conversation_id: str, index: int, reply: Reply) -> None:
        """Keep the reply and make its state the current one. Raises ConversationError if it has a reply."""
        open_turn = (
            update(turns)
            .where(
                turns.c.conversation_id == conversation_id, turns.c.index == index, turns.c.reply.is_(None)
            )
            .values(reply=dumps(reply))
        )
        with self._transaction() as connection:
            row = _conversation(connection, conversation_id)
            if connection.execute(open_turn).rowcount != 1:
                raise ConversationError(f"Turn {index} of {conversation_id!r} is not waiting for a reply.")
            _change_state(connection, row, reply.state)

    # State and undo

    def state(self, conversation_id: str) -> DialogueState:
        """What the conversation knows now."""
        with self._transaction(write=False) as connection:
            return loads(DialogueState, _conversation(connection, conversation_id)["state"])

    def set_state(self, conversation_id: str, state: DialogueState) -> None:
        """Replace the state outside a turn (feedback, forget); undo takes it back like a turn."""
        with self._transaction() as connection:
            _change_state(connection, _conversation(connection, conversation_id), state)

    def history(self, conversation_id: str) -> tuple[DialogueState, ...]:
        """The states undo can go back to, oldest first: one for each change of what the user said."""
        query = (
            select(earlier.c.state)
            .where(earlier.c.conversation_id == storable(conversation_id))
            .order_by(earlier.c.id)
        )
        with self._transaction(write=False) as connection:
            _conversation(connection, conversation_id)
            return tuple(loads(DialogueState, text) for text in connection.scalars(query))

    def pop_state(self, conversation_id: str) -> DialogueState | None:
        """Undo the latest change and return the state that is current now; None when there is none.

        It takes back what the user said, not what happened: the turn count goes on, and items once
        shown and attributes once asked about stay so.
        """
        query = (
            select(earlier.c.id, earlier.c.state)
            .where(earlier.c.conversation_id == storable(conversation_id))
            .order_by(earlier.c.id.desc())
            .limit(1)
        )
        with self._transaction() as connection:
            row = _conversation(connection, conversation_id)
            found = connection.execute(query).first()
            if found is None:
                return None
            current = loads(DialogueState, row["state"])
            before = _kept_facts(loads(DialogueState, found.state), current)
            connection.execute(delete(earlier).where(earlier.c.id == found.id))
            _update(connection, conversation_id, state=dumps(before), updated=time.time())
        return before

    # Feedback and profile

    def record_feedback(self, user: str, conversation_id: str, item_id: str, value: FeedbackValue) -> None:
        """Append to the log of taps. Raises ConversationError for another user's conversation."""
        with self._transaction() as connection:
            _conversation(connection, conversation_id, checked_user(user))
            taste.log_feedback(connection, user, conversation_id, item_id, value)

    def feedback(self, user: str) -> list[Feedback]:
        """The user's taps in all conversations, oldest first."""
        with self._transaction(write=False) as connection:
            return taste.read_feedback(connection, checked_user(user))

    def profile(self, user: str) -> tuple[ProfileRow, ...]:
        """What is kept of the user across conversations, newest last."""
        with self._transaction(write=False) as connection:
            return taste.read_profile(connection, checked_user(user))

    def remember(self, user: str, slot: ProfileSlot, preference: Preference) -> None:
        """Keep a preference as the newest of its slot; liking takes back disliking, and the reverse."""
        with self._transaction() as connection:
            taste.remember(connection, checked_user(user), slot, preference)

    def forget(self, user: str, value: str, slot: ProfileSlot | None = None) -> int:
        """Remove what has this value (in any case) or item_id, from one slot or all; how many rows went."""
        with self._transaction() as connection:
            return taste.forget(connection, checked_user(user), value, slot)

    def delete_user(self, user: str) -> int:
        """Remove everything of this user; how many rows went.

        With SQLite the text also leaves the files. Raises StoreError when another process keeps the
        write-ahead log in use: the rows are gone, but call again to clear the log.
        """
        user = checked_user(user)
        own = select(conversations.c.conversation_id).where(conversations.c.user == user)
        removals = (
            delete(feedback).where(feedback.c.user == user),
            delete(profile).where(profile.c.user == user),
            delete(earlier).where(earlier.c.conversation_id.in_(own)),
            delete(turns).where(turns.c.conversation_id.in_(own)),
            delete(conversations).where(conversations.c.user == user),
        )
        with self._transaction() as connection:
            removed = sum(connection.execute(statement).rowcount for statement in removals)
        clear_log(self._engine)
        return removed

    def _transaction(self, *, write: bool = True) -> AbstractContextManager[Connection]:
        return transaction(self._engine, write=write)


def _conversation(connection: Connection, conversation_id: str, user: str | None = None) -> RowMapping:
    """The row, locked where the database locks rows; `user` None skips the check of ownership."""
    query = select(conversations).where(conversations.c.conversation_id == storable(conversation_id))
    row = connection.execute(query.with_for_update()).mappings().first()
    if row is None or user not in (None, row["user"]):
        raise ConversationError(
            f"There is no conversation {conversation_id[:80]!r} here: check the id, or start a new one."
        )
    return row


def _update(connection: Connection, conversation_id: str, **values: object) -> None:
    statement = update(conversations).where(conversations.c.conversation_id == conversation_id)
    connection.execute(statement.values(**values))


def _change_state(connection: Connection, row: RowMapping, state: DialogueState) -> None:
    conversation_id = row["conversation_id"]
    current = loads(DialogueState, row["state"])
    if _said(state) != _said(current):
        connection.execute(insert(earlier).values(conversation_id=conversation_id, state=row["state"]))
    _update(connection, conversation_id, state=dumps(state), updated=time.time())


def _said(state: DialogueState) -> DialogueState:
    """The state without what merely happened: only a difference here is something to undo. The slider is no
    such thing, but what was said of it is.
    """
    asked = replace(state, asked=(), pending=None, turn=0, long_tail=state.long_tail if _spoken(state) else 0)
    return replace(asked, shown=(), last_shown=(), said=(), relaxed=())


def _kept_facts(said: DialogueState, happened: DialogueState) -> DialogueState:
    """What the user said in one state with what happened by the other."""
    return replace(
        said,
        shown=tuple(dict.fromkeys(said.shown + happened.shown)),
        asked=tuple(dict.fromkeys(said.asked + happened.asked)),
        last_shown=happened.last_shown,
        said=happened.said,
        relaxed=happened.relaxed,
        pending=happened.pending,
        turn=happened.turn,
        long_tail=said.long_tail if _spoken(happened) else happened.long_tail,
    )


def _spoken(state: DialogueState) -> bool:
    """Whether the reach into the long tail was last set by words."""
    return any(slot == "long_tail" for slot, _ in state.set_on)


def _title(message: str) -> str:
    """The message's first words, at most 48 characters."""
    words = " ".join(message[:1000].split())
    if len(words) <= TITLE_LIMIT:
        return words or "(no words)"
    cut = words[:TITLE_LIMIT]
    return (cut.rsplit(" ", 1)[0].rstrip(",;:.-") if " " in cut else cut[:-1]) + "…"

"""The taste profile kept across conversations and the log of taps: their rows, on an open connection."""

from __future__ import annotations

import time
import unicodedata
from dataclasses import dataclass, replace
from typing import Literal, get_args

from sqlalchemy import Connection, delete, insert, select

from agent.memory.codec import dumps, loads, storable
from agent.memory.database import StoreError
from agent.memory.tables import conversations, feedback, profile
from agent.types import DialogueState, Preference
from retrieval.errors import TastebudError

ProfileSlot = Literal["liked", "disliked", "seen"]
FeedbackValue = Literal["liked", "disliked", "seen", "cleared"]

USER_LIMIT = 200
_OPPOSITE = {"liked": "disliked", "disliked": "liked"}


class UserError(TastebudError):
    """A user's name that cannot be one."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One tap on a card; `time` in epoch seconds. "cleared" takes the earlier ones back."""

    conversation_id: str
    item_id: str
    value: FeedbackValue
    time: float


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One thing kept across conversations; the preference's `turn` is always None."""

    slot: ProfileSlot
    preference: Preference


def checked_user(user: str) -> str:
    """The name as it is; raises UserError unless it is 1 to 200 printable characters."""
    bad = next((c for c in user if unicodedata.category(c) in ("Cc", "Cs")), None)
    if bad is not None:
        raise UserError(f"User name {user[:80]!r} holds the control character {bad!r}: leave it out.")
    if not user.strip() or len(user) > USER_LIMIT:
        raise UserError(f"User name {user[:80]!r} has to be 1 to {USER_LIMIT} characters, not all blank.")
    return user


def read_states(connection: Connection) -> list[tuple[str, DialogueState]]:
    """(conversation_id, its current state), by id."""
    rows = select(conversations.c.conversation_id, conversations.c.state).order_by(
        conversations.c.conversation_id
    )
    return [(row.conversation_id, loads(DialogueState, row.state)) for row in connection.execute(rows)]


def log_feedback(
    connection: Connection, user: str, conversation_id: str, item_id: str, value: FeedbackValue
) -> None:
    """Append one tap. Raises StoreError for an unknown value."""
    if value not in get_args(FeedbackValue):
        raise StoreError(f"Unknown feedback {value!r}: use one of {', '.join(get_args(FeedbackValue))}.")
    row = {"user": user, "conversation_id": conversation_id, "item_id": storable(item_id)}
    connection.execute(insert(feedback).values(row | {"value": value, "time": time.time()}))


def read_feedback(connection: Connection, user: str) -> list[Feedback]:
    """The user's taps, oldest first."""
    table = feedback.c
    columns = (table.conversation_id, table.item_id, table.value, table.time)
    query = select(*columns).where(table.user == user).order_by(table.id)
    return [Feedback(*row) for row in connection.execute(query)]


def read_profile(connection: Connection, user: str) -> tuple[ProfileRow, ...]:
    """The user's profile, newest last."""
    return tuple(row for _, row in _rows(connection, user))


def remember(connection: Connection, user: str, slot: ProfileSlot, preference: Preference) -> None:
    """Make the preference the newest of its slot and take it out of the opposite slot."""
    if slot not in get_args(ProfileSlot):
        raise StoreError(f"Unknown profile slot {slot!r}: use one of {', '.join(get_args(ProfileSlot))}.")
    same = [
        key
        for key, row in _rows(connection, user)
        if row.slot in (slot, _OPPOSITE.get(slot)) and _same(row.preference, preference)
    ]
    connection.execute(delete(profile).where(profile.c.id.in_(same)))
    row = {"user": user, "slot": slot, "preference": dumps(replace(preference, turn=None))}
    connection.execute(insert(profile).values(row))


def forget(connection: Connection, user: str, value: str, slot: ProfileSlot | None) -> int:
    """Remove what has this value (in any case) or item_id; how many rows went."""
    wanted = storable(value)
    gone = [
        key
        for key, row in _rows(connection, user)
        if slot in (None, row.slot)
        and (row.preference.item_id == wanted or row.preference.value.casefold() == wanted.casefold())
    ]
    connection.execute(delete(profile).where(profile.c.id.in_(gone)))
    return len(gone)


def _rows(connection: Connection, user: str) -> list[tuple[int, ProfileRow]]:
    query = select(profile).where(profile.c.user == user).order_by(profile.c.id)
    return [(r.id, ProfileRow(r.slot, loads(Preference, r.preference))) for r in connection.execute(query)]


def _same(one: Preference, other: Preference) -> bool:
    if one.item_id is not None or other.item_id is not None:
        return one.item_id == other.item_id
    return (one.kind, one.value.casefold()) == (other.kind, other.value.casefold())

"""The tables of the conversation store.

`state`, `reply` and `preference` are columns of JSON text, read and written through `agent.memory.codec`.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

SCHEMA = 1
"""Raised by one whenever an older program could no longer use the tables."""

metadata = MetaData()
_parent = "conversations.conversation_id"

schema = Table("schema_version", metadata, Column("version", Integer, primary_key=True, autoincrement=False))
conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("user", String(200), nullable=False),
    Column("title", String(64)),
    Column("state", Text, nullable=False),
    Column("updated", Float, nullable=False),
    Index("conversations_by_user", "user", "updated"),
)
turns = Table(
    "turns",
    metadata,
    Column("conversation_id", ForeignKey(_parent, ondelete="CASCADE"), primary_key=True),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("message", Text, nullable=False),
    Column("reply", Text),
    Column("created", Float, nullable=False),
)
earlier = Table(
    "earlier_states",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", ForeignKey(_parent, ondelete="CASCADE"), nullable=False, index=True),
    Column("state", Text, nullable=False),
)
feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user", String(200), nullable=False, index=True),
    Column("conversation_id", ForeignKey(_parent, ondelete="CASCADE"), nullable=False, index=True),
    Column("item_id", Text, nullable=False),
    Column("value", String(16), nullable=False),
    Column("time", Float, nullable=False),
)
profile = Table(
    "profile",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user", String(200), nullable=False, index=True),
    Column("slot", String(16), nullable=False),
    Column("preference", Text, nullable=False),
)

"""Open the store's database and run transactions on it: SQLite by default, any SQLAlchemy URL."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, make_url, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from agent.memory.tables import SCHEMA, metadata, schema
from retrieval.errors import TastebudError

BUSY_SECONDS = 30.0


class StoreError(TastebudError):
    """The database cannot be opened, read or written; the text says what to do."""


def open_database(url: str | Path) -> Engine:
    """An engine on an existing or new database, its tables created. Raises StoreError."""
    address = _address(url)
    shown = address.render_as_string(hide_password=True)
    try:
        engine = _engine(address)
        with engine.begin() as connection:
            _prepare(connection, shown)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"{shown!r} needs the package {error.name!r}: install it, or use a SQLite file."
        ) from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        reason = getattr(error, "orig", None) or error
        raise StoreError(
            f"Cannot open {shown!r}: {reason}. Give the path of a writable file that Tastebud made "
            "(or that does not exist yet), or the URL of a database that accepts you."
        ) from error
    return engine


@contextmanager
def transaction(engine: Engine, *, write: bool = True) -> Iterator[Connection]:
    """One transaction, committed at the end of the block, rolled back on any error. Raises StoreError."""
    try:
        with engine.connect().execution_options(write=write) as connection, connection.begin():
            yield connection
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        raise StoreError(
            f"The database {engine.url.render_as_string(hide_password=True)!r} failed: {reason}. "
            "Nothing of this step was stored; free some disk space or close other programs and try again."
        ) from error


def clear_log(engine: Engine) -> None:
    """Make deleted text leave SQLite's files; other databases keep their own house.

    Deleted pages are overwritten at once (secure_delete), but the write-ahead log still holds the old
    ones. Raises StoreError when another connection keeps the log in use.
    """
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    try:
        busy = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:
        busy = True
    finally:
        raw.close()
    if busy:
        raise StoreError(
            "Everything was deleted, but another process is still reading the database's log: "
            "close it and delete again, so that the text leaves the disk too."
        )


def _address(url: str | Path) -> URL:
    try:
        return URL.create("sqlite", database=str(url)) if isinstance(url, Path) else make_url(url)
    except ArgumentError as error:
        raise StoreError(
            f"{str(url)[:120]!r} is not a database URL: give a pathlib.Path, or a URL such as sqlite:///chat.db."
        ) from error


def _engine(address: URL) -> Engine:
    try:
        sqlite = address.get_backend_name() == "sqlite"
        if not sqlite:
            return create_engine(address)
    except NoSuchModuleError as error:
        raise StoreError(
            f"Unknown kind of database {address.drivername!r}: use sqlite, or install its driver."
        ) from error
    in_memory = address.database in (None, "", ":memory:")
    if not in_memory:
        _make_private_file(Path(str(address.database)))
    # An in-memory database lives in its connection, so all threads take turns on a single one.
    size: dict[str, Any] = {"pool_size": 1, "max_overflow": 0} if in_memory else {}
    engine = create_engine(
        address,
        poolclass=QueuePool,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
        **size,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _make_private_file(path: Path) -> None:
    """Conversations are personal: the file is for its owner only; SQLite's side files inherit that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    # sqlite3's own implicit BEGIN would start transactions late and deferred; `_begin` does it instead.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    _use_wal(connection)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switching needs the file for itself for a moment, and SQLite does not wait for that by itself."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin(connection: Connection) -> None:
    # Taking the write lock at the start means that a read-then-write never finds its snapshot outdated.
    write = connection.get_execution_options().get("write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _prepare(connection: Connection, shown: str) -> None:
    metadata.create_all(connection, tables=[schema])
    version = connection.scalar(select(schema.c.version))
    if version is not None and version > SCHEMA:
        raise StoreError(
            f"{shown!r} was written by a newer Tastebud (schema {version}, this one knows {SCHEMA}): "
            "update Tastebud, or choose another file."
        )
    metadata.create_all(connection)
    if version is None:
        connection.execute(insert(schema).values(version=SCHEMA))

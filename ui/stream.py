"""Runs a stream to its end in one thread of its own."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def to_the_end(events: Iterable[T]) -> Generator[T, None, None]:
    """The same events, and the same error, as they happen.

    Web servers take each event in another thread of a pool and drop a generator when the visitor leaves. A
    turn holds a lock while it runs, and a lock must be let go by its own thread; and a reply that has begun
    should be kept. So one thread runs `events` to the end, whether or not anybody still listens.
    """
    queue: SimpleQueue[tuple[T] | BaseException | None] = SimpleQueue()

    def run() -> None:
        try:
            for event in events:
                queue.put((event,))
            queue.put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised where the events are read
            queue.put(error)

    Thread(target=run, name="tastebud-turn", daemon=True).start()
    while (got := queue.get()) is not None:
        if isinstance(got, BaseException):
            raise got
        yield got[0]

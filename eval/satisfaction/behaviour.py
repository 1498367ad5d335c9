"""What people did, as far as a store of conversations shows it: proxies for clicks, return and the like.

Nobody is tracked: a tap is a card marked as liked, disliked or seen, and time is that between messages. Where
nobody has talked yet, simulated people stand in, who tap what they really like and never wait or return.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from sqlalchemy import select

from agent.memory.codec import loads
from agent.memory.database import open_database, transaction
from agent.memory.tables import conversations, feedback, turns
from agent.types import Reply
from eval.metrics import Estimate, bootstrap
from eval.satisfaction.replies import Met

PAUSE = 1800.0
"""Seconds without a word after which a visit is over, half an hour (Catledge & Pitkow, 1995, and after them
web analytics)."""


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation. `cards`: different items shown; `tapped`, `liked`: how many of them were.

    `accepted`: the person said that they take one. `waits`: seconds from a reply to the next message, those
    of one visit. `began`: epoch seconds, None where nobody was there.
    """

    user: str
    cards: int
    tapped: int
    liked: int
    accepted: bool
    messages: int
    waits: tuple[float, ...]
    began: float | None


@dataclass(frozen=True, slots=True)
class Sessions:
    """All of them."""

    found: tuple[Session, ...]


def read_sessions(database: Path) -> Sessions:
    """The conversations of a store in which anything was said. Raises StoreError. No file: none."""
    if not database.exists():
        return Sessions(())
    engine = open_database(database)
    try:
        with transaction(engine, write=False) as connection:
            users = dict(
                connection.execute(select(conversations.c.conversation_id, conversations.c.user)).all()
            )
            columns = (turns.c.conversation_id, turns.c.reply, turns.c.created)
            said = connection.execute(select(*columns).order_by(turns.c.conversation_id, turns.c.index)).all()
            taps = connection.execute(
                select(feedback.c.conversation_id, feedback.c.item_id, feedback.c.value).order_by(
                    feedback.c.id
                )
            ).all()
    finally:
        engine.dispose()
    exchanges: dict[str, list[tuple[Reply | None, float]]] = defaultdict(list)
    for identity, reply, created in said:
        exchanges[identity].append((None if reply is None else loads(Reply, reply), created))
    verdicts: dict[str, dict[str, str]] = defaultdict(dict)
    for identity, item_id, value in taps:
        verdicts[identity][item_id] = value
    return Sessions(tuple(_session(users[one], exchanges[one], verdicts[one]) for one in exchanges))


def _session(user: str, said: Sequence[tuple[Reply | None, float]], verdicts: dict[str, str]) -> Session:
    cards = {item.item_id for reply, _ in said if reply is not None for item in reply.items}
    tapped = {item_id for item_id, value in verdicts.items() if value != "cleared"} & cards
    waits = []
    for (reply, created), (_, after) in pairwise(said):
        wait = after - created - (reply.trace.seconds if reply is not None else 0.0)
        waits += [max(wait, 0.0)] if wait <= PAUSE else []
    accepted = any(reply is not None and reply.trace.frame.act == "accept" for reply, _ in said)
    liked = sum(verdicts[item_id] == "liked" for item_id in tapped)
    return Session(user, len(cards), len(tapped), liked, accepted, len(said), tuple(waits), said[0][1])


def simulated_sessions(met: Sequence[Met]) -> Sessions:
    """The same of simulated people. To find what they had in mind is to accept it."""
    return Sessions(
        tuple(
            Session(
                one.user,
                len({item_id for exchange in one.exchanges for item_id in exchange.shown}),
                one.loved,
                one.loved,
                one.found is not None,
                len(one.exchanges),
                (),
                None,
            )
            for one in met
        )
    )


def click_through(sessions: Sequence[Session], seed: int = 0) -> Estimate:
    """Cards tapped / cards shown; nan where none was shown. The interval is over conversations."""
    return _ratio(sessions, lambda one: one.tapped, lambda one: one.cards, seed)


def approval(sessions: Sequence[Session], seed: int = 0) -> Estimate:
    """Cards tapped as liked / cards tapped; nan where none was."""
    return _ratio(sessions, lambda one: one.liked, lambda one: one.tapped, seed)


def conversion(sessions: Sequence[Session], seed: int = 0) -> Estimate:
    """Share of the conversations in which a card was liked or one was accepted."""
    return _ratio(sessions, lambda one: one.liked > 0 or one.accepted, lambda one: 1, seed)


def _ratio(
    sessions: Sequence[Session],
    part: Callable[[Session], float],
    whole: Callable[[Session], float],
    seed: int,
) -> Estimate:
    parts = np.array([part(one) for one in sessions], dtype=float)
    wholes = np.array([whole(one) for one in sessions], dtype=float)

    def statistic(weights: np.ndarray) -> float:
        total = float(weights @ wholes)
        return float(weights @ parts) / total if total else float("nan")

    return bootstrap(len(sessions), statistic, seed)


def return_rate(sessions: Sequence[Session]) -> float | None:
    """Share of the people who came back: who began a conversation `PAUSE` or more after their first one.

    None where it is not known when anybody came.
    """
    began: dict[str, list[float]] = defaultdict(list)
    for one in sessions:
        if one.began is not None:
            began[one.user].append(one.began)
    if not began:
        return None
    return sum(max(times) - min(times) >= PAUSE for times in began.values()) / len(began)


def dwell(sessions: Sequence[Session]) -> float | None:
    """Median seconds from a reply to the next message; None where nobody wrote twice in a visit.

    Time spent with what was shown says more of interest than a click does (Yi et al., RecSys 2014).
    """
    waits = [wait for one in sessions for wait in one.waits]
    return statistics.median(waits) if waits else None

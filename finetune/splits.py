"""What is held out: decided by a hash of the name, so that it is the same everywhere and for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

HELD_OUT_USERS = 190
"""Users of MovieLens 100K whose ratings no adapter ever sees."""

HELD_OUT_SHARE = 0.15
"""Share of the paraphrase families, and of the items, that are kept for the figures."""


def place(name: str) -> float:
    """A number in [0, 1) that depends on nothing but `name`."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


def is_held_out(kind: str, name: str) -> bool:
    """Whether a family or an item is kept for the figures. `kind` keeps the two decisions apart."""
    return place(f"{kind}:{name}") < HELD_OUT_SHARE


def held_out_users(users: Iterable[str], count: int = HELD_OUT_USERS) -> frozenset[str]:
    """The `count` users kept for the figures; a quarter of all where they are fewer."""
    ordered = sorted(users, key=lambda user: place(f"user:{user}"))
    return frozenset(ordered[: min(count, len(ordered) // 4)])

"""What a report is asked to measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.workspace import Workspace

QUICK_USERS = 40

Tell = Callable[[str, int, int], None]
"""Hears what is being measured, how much of it is done, and how much there is (0: not known)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`starter`: the workspace is the one that ships. `data`: folder with a file of users; None: the one
    beside the starter's ratings, or nothing. `quick`: at most `QUICK_USERS` people,
    and a script of each family.
    """

    starter: bool
    data: Path | None
    users: int
    quick: bool
    llm: str
    seed: int

    @property
    def most(self) -> int:
        """How many people are measured at most."""
        return min(self.users, QUICK_USERS) if self.quick else self.users

    def settings(self, workspace: Workspace) -> dict[str, Any]:
        """All that decides the figures, as plain data."""
        return {
            "users": self.users,
            "quick": self.quick,
            "llm": self.llm,
            "data": None if self.data is None else str(self.data),
            "seed": self.seed,
            "fingerprints": dict(workspace.manifest.fingerprints),
        }

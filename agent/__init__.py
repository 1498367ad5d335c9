"""Tastebud's agent. `from agent import Recommender` is the whole public API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.conversation import Conversation
    from agent.recommender import Recommender

__all__ = ["Conversation", "Recommender"]


def __getattr__(name: str) -> Any:
    """Load the API on first use, so that `import agent.types` stays instant."""
    if name == "Recommender":
        from agent.recommender import Recommender

        return Recommender
    if name == "Conversation":
        from agent.conversation import Conversation

        return Conversation
    raise AttributeError(f"module 'agent' has no attribute {name!r}")

"""Errors of the agent that a user can cause; each says what to do."""

from retrieval.errors import TastebudError


class ModelError(TastebudError):
    """The language model cannot be loaded, reached or used as asked."""


class MessageError(TastebudError):
    """A message that cannot be taken: empty, too long, or not text."""

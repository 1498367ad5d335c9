"""What can go wrong at the boundary, each error saying what to do about it."""


class TastebudError(Exception):
    """Base of every error a user can cause. Its text is fit to be shown as it is."""


class CatalogueError(TastebudError):
    """A catalogue file is missing, unreadable, or holds no usable row."""


class InteractionsError(TastebudError):
    """An interactions file is missing, unreadable, or holds no usable row."""


class WorkspaceError(TastebudError):
    """A workspace folder is missing, damaged, or belongs to another catalogue."""


class UnknownItemError(TastebudError, KeyError):
    """An `item_id` that the catalogue does not hold."""

    def __init__(self, item_id: object) -> None:
        super().__init__(item_id)
        self.item_id = item_id

    def __str__(self) -> str:
        return (
            f"Unknown item_id {str(self.item_id)[:120]!r}: it is not in this catalogue. "
            "Ids are the catalogue's own, as strings."
        )


class QueryError(TastebudError, ValueError):
    """A query that no catalogue could answer, such as an unknown facet field or `n` below 1."""

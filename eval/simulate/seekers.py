"""People out of labelled dialogues: who asked for films, and which ones they said they liked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.reading.titles import ALIAS, names_of
from eval.benchmarks.polarity import read_labelled
from eval.simulate.person import SimulationError, Verdicts
from finetune.splits import place
from retrieval.catalogue import Catalogue
from retrieval.types import Item


def seekers(folder: Path, catalogue: Catalogue, count: int) -> list[Verdicts]:
    """`count` seekers of `folder`/valid.jsonl, in a fixed order.

    Their films are found in `catalogue` by title and year (see `Titles`); the others count as never said.
    A target is a film that was suggested to them and that they liked; at least one more film of theirs has
    to be known, or they could not say what they like. No model or weight of the product was fitted to these
    dialogues. Raises DialogueError where the files cannot be read, SimulationError where there are fewer.
    """
    labelled = read_labelled(folder)
    titles = Titles(catalogue)
    known = {item.item_id: found for item in labelled.catalogue if (found := titles.find(item))}
    able = [one for row in labelled.rows if (one := _verdicts(row, known)) is not None]
    if len(able) < count:
        raise SimulationError(
            f"Cannot simulate {count} people: {len(able)} seekers of {folder / 'valid.jsonl'} liked a "
            f"suggested film of this catalogue and one more. Give --users {len(able)} or less."
        )
    return sorted(able, key=lambda one: place(f"seeker:{one.key}"))[:count]


class Titles:
    """Finds the items of one catalogue that another catalogue lists under its own ids."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._named: dict[str, list[Item]] = defaultdict(list)
        for item in catalogue:
            for name, level in names_of(item.title, item.aliases).items():
                if level <= ALIAS:
                    self._named[name].append(item)

    def find(self, item: Item) -> str | None:
        """The item_id of the same title whose year is nearest, at most one off; None when there is none.

        An item without a year is nobody's.
        """
        if item.year is None:
            return None
        found = [
            (abs(other.year - item.year), other.item_id)
            for name, level in names_of(item.title).items()
            if level <= ALIAS
            for other in self._named.get(name, ())
            if other.year is not None and abs(other.year - item.year) <= 1
        ]
        return min(found)[1] if found else None


def _verdicts(row: Mapping[str, Any], known: Mapping[str, str]) -> Verdicts | None:
    labels = {known[item_id]: label for item_id, label in row["labels"].items() if item_id in known}
    liked = tuple(item_id for item_id, label in labels.items() if label.get("liked") is True)
    disliked = tuple(item_id for item_id, label in labels.items() if label.get("liked") is False)
    wanted = tuple(item_id for item_id in liked if labels[item_id].get("suggested") is True)
    able = wanted and len(liked) >= 2
    return Verdicts(str(row["conversation_id"]), liked, disliked, wanted) if able else None

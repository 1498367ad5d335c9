"""What a workspace's scorer learns from: dialogues whose items it knows, and what its users like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from finetune.config import ConfigError
from finetune.dialogues import matched, read_titles
from finetune.splits import held_out_users
from finetune.targets import Conversations, read_conversations
from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message
from retrieval.interactions import Interactions

STRETCH = 8
"""Likes of one user that are told as one conversation."""
STRETCHES = 6
"""Conversations made of one user at most, so that who likes everything does not lead."""
GIVEN = 4
"""Of a stretch, at most so many are what the user says; the others are what is recommended then."""
LISTED = 0.25
"""Share of the told likes that the last models learn from too, beside the towers and the counts."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """`texts`: conversations that every part learns from. `sequences`: for the towers and the counts only."""

    texts: Conversations
    sequences: Conversations


def corpus(
    catalogue: Catalogue,
    dialogues: Path | None,
    interactions: Interactions | None,
    seed: int,
    feedback: Conversations | None = None,
) -> Corpus:
    """All sources together; without dialogues, everything is learned from what users like.

    `feedback`: conversations with the recommender itself, which count like recorded ones.

    Raises ConfigError where a file of `dialogues` is malformed, and where there is nothing to learn from.
    """
    spoken = from_dialogues(dialogues, catalogue) if dialogues is not None else Corpus({}, {})
    told = from_likes(interactions, catalogue, seed) if interactions is not None else {}
    rng = np.random.default_rng(seed)
    share = LISTED if spoken.texts else 1.0
    listed = {name: one for name, one in told.items() if rng.random() < share}
    texts = {**spoken.texts, **listed, **(feedback or {})}
    if not texts:
        raise ConfigError(
            "There is nothing to learn from: give --dialogues DIR, or index the workspace with "
            "--interactions FILE."
        )
    rest = {name: one for name, one in told.items() if name not in listed}
    return Corpus(texts, {**spoken.sequences, **rest})


def from_dialogues(folder: Path, catalogue: Catalogue) -> Corpus:
    """train.jsonl and, if it is there, sequences.jsonl, in the item_ids of `catalogue`.

    Ids are the catalogue's own where it holds all those of catalogue.jsonl; otherwise items are found by
    title and year, and those that it lacks are left out, their names too. Raises ConfigError naming file
    and line.
    """
    return Corpus(
        known_conversations(folder, "train", catalogue), known_conversations(folder, "sequences", catalogue)
    )


def known_conversations(folder: Path, name: str, catalogue: Catalogue) -> Conversations:
    """NAME.jsonl of a folder of dialogues in the item_ids of `catalogue`; none where it is not there.

    Raises ConfigError naming file and line.
    """
    file, path = folder / f"{name}.jsonl", folder / "catalogue.jsonl"
    titles = read_titles(path)
    own = {item: item for item in titles} if all(item in catalogue for item in titles) else {}
    known = own or matched(path, catalogue)
    if not known:
        raise ConfigError(f"{path}: the workspace has none of its {len(titles):,} items by title and year.")
    return _known(read_conversations(file), known, titles) if file.is_file() or name == "train" else {}


def from_likes(
    interactions: Interactions, catalogue: Catalogue, seed: int, kept: bool = False
) -> Conversations:
    """Stretches of what each user likes, drawn without order: some are said, the others recommended then.

    Users who are kept for the figures are left out, or with `kept` they are the only ones.
    """
    held = held_out_users(interactions.users)
    rng, liked = np.random.default_rng(seed), interactions.positive
    found: dict[str, tuple[Message, ...]] = {}
    for number, user in enumerate(interactions.users):
        rows = rng.permutation(liked.indices[liked.indptr[number] : liked.indptr[number + 1]])
        for part in range(0 if (user in held) != kept else min(STRETCHES, len(rows) // 2)):
            ids = tuple(catalogue.ids[row] for row in rows[part * STRETCH : (part + 1) * STRETCH])
            if len(ids) > 1:
                given = min(int(rng.integers(1, GIVEN + 1)), len(ids) - 1)
                said, offered = Message("seeker", "", ids[:given]), Message("recommender", "", ids[given:])
                found[f"likes of {user}, {part}"] = (said, offered)
    return found


def _known(
    conversations: Conversations, known: Mapping[str, str], titles: Mapping[str, str]
) -> dict[str, tuple[Message, ...]]:
    found = {}
    for name, messages in conversations.items():
        told = tuple(_in_own_ids(message, known, titles) for message in messages)
        if any(message.items for message in told):
            found[name] = told
    return found


def _in_own_ids(message: Message, known: Mapping[str, str], titles: Mapping[str, str]) -> Message:
    text = message.text
    for item in message.items:
        text = text.replace(titles.get(item, ""), " ") if titles.get(item) else text
    return Message(message.role, text, tuple(known[item] for item in message.items if item in known))

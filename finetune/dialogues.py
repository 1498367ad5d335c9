"""Labelled dialogues -> messages with frames: how real people talk, and who liked what.

A film's verdict is the label of the whole dialogue; wishes are not labelled, so they are what the rules read.
A verdict is taught where it is said: at the message that names the film, or at the first answer to
the recommender's naming it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.reading.rules import Context, is_empty, read_message
from agent.reading.scene import Scene
from finetune.config import ConfigError
from finetune.families import Said, ordered
from retrieval.catalogue import Catalogue
from retrieval.starter.films import title_key

_LONGEST = 320
_SMALL_TALK = 9
_TAKES = re.compile(
    r"\b(?:watch|check|look|sounds?|try|good|great|nice|cool|thanks?|interest\w*|add)\b", re.I
)


def read_lines(path: Path, keys: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file with the numbers of their lines, each with all of `keys`.

    Raises ConfigError naming file and line.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"Cannot read {str(path)!r}: {error.strerror}.") from error
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ConfigError(f"{path}:{number}: not JSON ({error.msg}).") from error
        if not isinstance(row, dict) or any(key not in row for key in keys):
            raise ConfigError(f"{path}:{number}: expected an object with {' and '.join(keys)}.")
        yield number, row


def read_dialogues(path: Path) -> Iterator[dict[str, Any]]:
    """The dialogues of a file, one JSON object a line. Raises ConfigError naming file and line."""
    for number, row in read_lines(path, ()):
        if not isinstance(row.get("turns"), list):
            raise ConfigError(f"{path}:{number}: expected an object with `conversation_id` and `turns`.")
        yield row


def read_titles(path: Path) -> dict[str, str]:
    """item_id -> "Title (year)" as dialogue texts write it, from the catalogue beside the dialogues.

    Raises ConfigError naming file and line.
    """
    return {
        str(row["item_id"]): f"{row['title']} ({row['year']})" if row.get("year") else str(row["title"])
        for _, row in read_lines(path, ("item_id", "title"))
    }


def matched(path: Path, catalogue: Catalogue) -> dict[str, str]:
    """item_id of the catalogue beside the dialogues -> item_id of `catalogue`, found by title and year.

    Raises ConfigError naming file and line.
    """
    own = {
        (title_key(name), item.year): item.item_id
        for item in catalogue
        for name in (*item.aliases, item.title)
    }
    return {
        str(row["item_id"]): own[key]
        for _, row in read_lines(path, ("item_id", "title"))
        if (key := (title_key(row["title"]), row.get("year"))) in own
    }


def seeker_messages(
    dialogue: Mapping[str, Any], titles: Mapping[str, str]
) -> Iterator[tuple[str, Scene, dict[str, str]]]:
    """Every message of the seeker: (text, scene, item_id by the name it has in the frame).

    Messages of one side that follow each other are one. The scene shows what the recommender named since
    the seeker's last message, as "#1", "#2".
    """
    said: list[tuple[str, str, list[str]]] = []
    for turn in dialogue["turns"]:
        items = [str(item) for item in turn.get("items") or ()]
        if said and said[-1][0] == turn["role"]:
            said[-1] = (turn["role"], f"{said[-1][1]} {turn['text']}", [*said[-1][2], *items])
        else:
            said.append((turn["role"], str(turn["text"]), items))
    before: tuple[str, list[str]] = ("", [])
    for role, text, items in said:
        if role != "seeker":
            before = (text, items)
            continue
        shown = [item for item in dict.fromkeys(before[1]) if item in titles and item not in items][:6]
        names = {f"#{i}": item for i, item in enumerate(shown, start=1)}
        names |= {titles[item]: item for item in items if titles.get(item) and titles[item] in text}
        asked = before[0][:160] if "?" in before[0] else ""
        yield text[:_LONGEST], Scene(tuple(titles[item] for item in shown), asked), names


def dialogue_messages(
    dialogue: Mapping[str, Any], titles: Mapping[str, str], context: Context
) -> Iterator[Said]:
    """The seeker's messages that name or answer films, with the verdicts of the labels, and short small talk.

    Wishes are not labelled, and what the rules read in idle talk is often wrong: a message in which they find
    more than genres beside its films is left out.
    """
    labels = dialogue.get("labels") or {}
    told: set[str] = set()
    for text, scene, names in seeker_messages(dialogue, titles):
        bare = text
        for name in names:
            bare = bare.replace(name, " ")
        rules = read_message(bare, context)
        frame: dict[str, Any] = {}
        for name, key in _verdicts(names, labels, told, bool(_TAKES.search(bare))):
            if not (name.startswith("#") and "?" in bare):  # who still asks has not judged
                frame.setdefault(key, []).append(name)
        told.update(names.values())
        genres = [phrase for phrase in rules.want if _is_genre(phrase, context) and phrase in text]
        idle = not names and rules.act == "chat" and is_empty(rules) and len(text.split()) <= _SMALL_TALK
        if len(genres) < len(rules.want) or not is_empty(replace(rules, want=())) or not (frame or idle):
            continue
        act = "accept" if frame.get("about") else "chat" if idle else "inform"
        yield Said(
            str(dialogue["conversation_id"]), text, scene, ordered({"act": act, "want": genres, **frame})
        )


def _is_genre(phrase: str, context: Context) -> bool:
    term = context.vocabulary.answer(phrase)
    return term is not None and all(facet.field == "genres" for facet in term.facets) and bool(term.facets)


def _verdicts(
    names: Mapping[str, str], labels: Mapping[str, Mapping[str, Any]], told: set[str], takes: bool
) -> Iterator[tuple[str, str]]:
    """(name, key of the frame) of what is labelled. A film on show that is liked but was not seen is taken,
    where the message `takes` something; else its label came from elsewhere and is not taught here.
    """
    for name, item in names.items():
        label = labels.get(item, {})
        if label.get("liked") is None or item in told:
            continue
        unseen = name.startswith("#") and label["liked"] and label.get("seen") is not True
        if not unseen or takes:
            yield name, "about" if unseen else "like" if label["liked"] else "dislike"

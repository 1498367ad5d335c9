"""INSPIRED: which film does the recommender name next, in dialogues of people who try to persuade?

Hayati et al., EMNLP 2020. Cases, targets and both protocols are those of `eval.benchmarks.redial`. Films
are the tags of the dialogues as far as a catalogue has them: tags are noisy, and films outside it are no
targets. The set is small, so read the intervals.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from eval.benchmarks.redial import ALL, NEW, Ranked, Redial, figures, reach
from eval.benchmarks.tables import Section
from eval.ranking import Figures
from eval.simulate.seekers import Titles
from finetune.splits import place
from finetune.targets import Conversations, read_conversations
from retrieval.catalogue import Catalogue, read_catalogue
from retrieval.dialogue import Message, Role
from retrieval.errors import CatalogueError, TastebudError
from retrieval.types import Item

HELD_OUT = 0.2
"""Share of the training dialogues that is judged where there is no validation file."""

PUBLISHED = (Figures("MCCRS and others (best per column), INSPIRED test", 0.104, 0.283, 0.509),)
"""Others' figures for all targets. Theirs are of the 100 test dialogues, ours of others."""

CATALOGUE = "catalogue.jsonl"
COLUMNS = ("dialog_id", "speaker", "text", "movies")

_FILM = re.compile(r"(.+?)\s*\((\d{4})\)\s*$")
_ROLES: dict[str, Role] = {"SEEKER": "seeker", "RECOMMENDER": "recommender"}


class InspiredError(TastebudError):
    """A folder that holds no INSPIRED dialogues, or a row of them that cannot be read."""


def read_inspired(folder: Path) -> Redial:
    """Read train and, where there is one, valid.jsonl or dev.tsv; a fixed fifth of train is judged otherwise.

    Both forms are read: JSONL with `turns`, whose items are those of the catalogue, and the published TSV
    files, whose films are found by title and year. The catalogue is catalogue.jsonl in `folder` or in
    `redial` beside it. Raises InspiredError, ConfigError or CatalogueError: which file, and what is expected.
    """
    catalogue = _catalogue(folder)
    train = _first(folder, ("train.jsonl", "train.tsv"), catalogue)
    if train is None:
        there = ", ".join(sorted(path.name for path in folder.iterdir())[:20]) if folder.is_dir() else ""
        raise InspiredError(
            f"{folder} holds {there or 'nothing'}. Expected train.jsonl, or train.tsv as it is published."
        )
    judged = _first(folder, ("valid.jsonl", "dev.tsv"), catalogue)
    if judged is None:
        judged = {one: said for one, said in train.items() if place(f"inspired:{one}") < HELD_OUT}
        train = {one: said for one, said in train.items() if one not in judged}
    leaked = train.keys() & judged.keys()
    if leaked:
        raise CatalogueError(
            f"{folder}: dialogue {min(leaked)!r} is both learned from and judged: take it out."
        )
    return Redial(catalogue, train, {}, judged)


def _catalogue(folder: Path) -> Catalogue:
    for path in (folder / CATALOGUE, folder.parent / "redial" / CATALOGUE):
        if path.is_file():
            return read_catalogue(path).catalogue
    raise InspiredError(
        f"There is no {folder / CATALOGUE}, nor {folder.parent / 'redial' / CATALOGUE}: "
        "give a catalogue of the films (item_id, title, year, ...), one JSON object a line."
    )


def _first(folder: Path, names: Sequence[str], catalogue: Catalogue) -> Conversations | None:
    """The dialogues of the first of these files that is there; None without any."""
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        return None
    return read_conversations(path) if path.suffix == ".jsonl" else read_published(path, catalogue)


def read_published(path: Path, catalogue: Catalogue) -> Conversations:
    """The dialogues of a published TSV file. Utterances of one side that follow each other are one message.

    Raises InspiredError naming file and line.
    """
    titles = Titles(catalogue)
    found: dict[str, list[Message]] = {}
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            expected = f"Expected {', '.join(COLUMNS)}, with tabs between them."
            raise InspiredError(f"{path} has no column {' or '.join(missing)}. {expected}")
        for row in rows:
            role = _ROLES.get(str(row["speaker"]).strip().upper())
            if role is None or not row["dialog_id"]:
                raise InspiredError(
                    f"{path}:{rows.line_num}: the speaker is {str(row['speaker'])[:40]!r}. "
                    "Expected a dialog_id, and SEEKER or RECOMMENDER."
                )
            message = Message(role, str(row["text"] or ""), tuple(_named(str(row["movies"] or ""), titles)))
            said = found.setdefault(row["dialog_id"], [])
            if said and said[-1].role == role:
                last = said.pop()
                message = Message(role, f"{last.text} {message.text}", last.items + message.items)
            said.append(message)
    return {identity: tuple(said) for identity, said in found.items()}


def _named(movies: str, titles: Titles) -> Iterator[str]:
    """The item_ids of a cell such as "Joker (2019); Heat (1995)", as far as the catalogue has them."""
    for name in movies.split(";"):
        parsed = _FILM.match(name.strip())
        item_id = titles.find(Item("", parsed[1], int(parsed[2]))) if parsed else None
        if item_id is not None:
            yield item_id


def tables(found: Sequence[Ranked], data: Redial, seed: int) -> Iterator[Section]:
    """Both protocols with intervals, and how far down the targets are. Raises InspiredError without any."""
    dialogues = f"{len(data.held_out):,} dialogues"
    for protocol, others in ((NEW, ()), (ALL, PUBLISHED)):
        targets = len(found[0].ranks[protocol])
        if not targets:
            raise InspiredError(
                f"No recommender of the {dialogues} that are judged names a film of the catalogue."
            )
        title = f"INSPIRED, {targets:,} {protocol} of {dialogues}"
        yield Section(title, (*figures(found, data, protocol, seed), *others))
    yield Section("New targets among the first films of each source", tuple(reach(found)))

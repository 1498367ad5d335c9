"""Which groups people belong to: what a file of users says of them, and how much they have rated."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from retrieval.errors import TastebudError

Groups = tuple[tuple[str, str], ...]
"""What one person belongs to, as (kind, name) pairs: (("age", "25-34"), ("gender", "F"), ...)."""

FILES = ("ml-100k.user", "u.user", "users.csv")
"""Files of users, as RecBole and GroupLens name them, or with a header of one's own."""

EXPECTED = "the columns user_id, age, gender and occupation (the last three where they are known)"
U_USER = ("user_id", "age", "gender", "occupation", "zip_code")
AGES = ((25, "under 25"), (35, "25-34"), (50, "35-49"), (200, "50 and over"))
THIRDS = ("few likes", "some likes", "many likes")
FEWEST = 5
"""Occupations of fewer of the measured people are one group: an interval over four people says nothing."""


class GroupsError(TastebudError):
    """A folder without a file of users, or a row of one that cannot be read."""


def read_groups(folder: Path) -> dict[str, Groups]:
    """Groups by user_id, from the first of `FILES` in `folder`. Raises GroupsError: which file, which row."""
    for name in FILES:
        if (folder / name).is_file():
            return _read(folder / name)
    there = sorted(path.name for path in folder.iterdir())[:20] if folder.is_dir() else []
    found = f"holds {', '.join(there) or 'nothing'}" if folder.is_dir() else "is no folder"
    raise GroupsError(f"{folder} {found}. Expected one of {', '.join(FILES)}, with {EXPECTED}.")


def _read(path: Path) -> dict[str, Groups]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise GroupsError(f"Cannot read {path} ({problem}). Expected UTF-8 text with {EXPECTED}.") from None
    delimiter = {".user": "\t", ".csv": ","}[path.suffix] if path.name != "u.user" else "|"
    rows = list(csv.reader(lines, delimiter=delimiter))
    header = (
        list(U_USER) if path.name == "u.user" else [name.split(":")[0] for name in rows[0]] if rows else []
    )
    body = rows if path.name == "u.user" else rows[1:]
    if "user_id" not in header or not body:
        raise GroupsError(f"{path} has the columns {', '.join(header) or 'none'} and {len(body)} rows. "
                          f"Expected {EXPECTED}.")  # fmt: skip
    first = 1 if path.name == "u.user" else 2
    return dict(_person(path, line, header, row) for line, row in enumerate(body, start=first) if row)


def _person(path: Path, line: int, header: Sequence[str], row: Sequence[str]) -> tuple[str, Groups]:
    cells = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
    if len(row) != len(header) or not cells["user_id"]:
        raise GroupsError(f"{path}:{line}: {'|'.join(row)[:80]!r} has {len(row)} cells. Expected {EXPECTED}.")
    found = []
    if cells.get("age"):
        if not cells["age"].isdecimal():
            raise GroupsError(f"{path}:{line}: the age is {cells['age'][:40]!r}. Expected whole years.")
        age = int(cells["age"])
        found.append(("age", next((name for limit, name in AGES if age < limit), AGES[-1][1])))
    found += [(kind, cells[kind]) for kind in ("gender", "occupation") if cells.get(kind)]
    return cells["user_id"], tuple(found)


def belongings(users: Sequence[str], likes: Sequence[int], known: Mapping[str, Groups]) -> tuple[Groups, ...]:
    """The groups of each of `users`: what is `known`, and the third that their number of likes falls in.

    Occupations of fewer than `FEWEST` of them are put together.
    """
    ordered = sorted(likes)
    thirds = (ordered[len(ordered) // 3], ordered[2 * len(ordered) // 3]) if ordered else (0, 0)
    jobs = Counter(name for user in users for kind, name in known.get(user, ()) if kind == "occupation")
    found = []
    for user, count in zip(users, likes, strict=True):
        told = [
            (kind, "few of a kind" if kind == "occupation" and jobs[name] < FEWEST else name)
            for kind, name in known.get(user, ())
        ]
        third = sum(count >= limit for limit in thirds)
        found.append((*told, ("activity", THIRDS[third])))
    return tuple(found)

"""Workspaces: what is built is what is opened, damage is found, and a kill at any moment costs nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from retrieval import builds, workspace
from retrieval.catalogue import Catalogue, CatalogueRead, Rejected, read_catalogue
from retrieval.errors import CatalogueError, InteractionsError, WorkspaceError
from retrieval.indexing import index
from retrieval.interactions import Interactions, InteractionsRead
from retrieval.knowledge import Link
from retrieval.types import Interaction, Item, Query
from retrieval.workspace import Workspace, open_starter

GENRES = ("crime", "drama", "comedy", "war")


class WordLengthEncoder:
    """Stands in for the text model: counts the words of each length up to 15, plus one."""

    name = "word-length"

    def encode(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        vectors = np.ones((len(texts), 16), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.split():
                vectors[row, min(len(word), 15)] += 1
            if progress is not None:
                progress(row + 1, len(texts))
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


ENCODER = WordLengthEncoder()


def films(version: str, n: int = 12) -> CatalogueRead:
    """`n` films whose titles tell the versions of a catalogue apart, and one rejected row."""
    items = [
        Item(str(number), f"Film {number} {version}", year=1990 + number, genres=(GENRES[number % 4],))
        for number in range(n)
    ]
    return CatalogueRead(Catalogue(items), (Rejected("films.csv", n + 1, "missing title", version),), n + 1)


def ratings(read: CatalogueRead) -> InteractionsRead:
    rows = [
        Interaction(f"u{user}", item_id, float(1 + (user + int(item_id)) % 5), 100.0 + user)
        for user in range(8)
        for item_id in read.catalogue.ids
        if (user + int(item_id)) % 3
    ]
    return InteractionsRead(Interactions.from_rows(rows, read.catalogue), (), len(rows), 0)


def build(folder: Path, version: str = "one") -> Workspace:
    read = films(version)
    return Workspace.build(folder, read, ratings(read), [Link("1", "made by", "x")], ENCODER)


def titles(opened: Workspace) -> set[str]:
    return {item.title.split()[-1] for item in opened.catalogue}


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "builds").iterdir())


def test_what_is_opened_is_what_was_built(tmp_path: Path) -> None:
    built = build(tmp_path)
    opened = Workspace.open(tmp_path, ENCODER)
    assert opened.catalogue.fingerprint == built.catalogue.fingerprint
    assert opened.interactions is not None
    assert built.interactions is not None
    assert opened.interactions.fingerprint == built.interactions.fingerprint
    assert opened.catalogue["1"].popularity == opened.interactions.counts[1] > 0
    assert {retriever.name for retriever in opened.retrievers} == {
        *("dense", "lexical", "collaborative", "knowledge", "popularity", "interests")
    }
    query = Query(text="Film drama", liked=("1",))
    assert opened.ranker.rank(query, 5) == built.ranker.rank(query, 5)
    assert len(opened.ranker.rank(query, 5).candidates) == 5
    assert opened.database == tmp_path / "tastebud.db"
    assert not opened.database.exists()
    counts = opened.manifest.counts
    assert counts["items_read"] == counts["items"] + counts["rejected"] == 13
    assert json.loads((tmp_path / "rejected.jsonl").read_text())["value"] == "one"


def test_without_interactions_there_is_no_collaborative_source(tmp_path: Path) -> None:
    Workspace.build(tmp_path, films("one"), encoder=ENCODER)
    opened = Workspace.open(tmp_path, ENCODER)
    assert opened.interactions is None
    assert opened.collaborative is None
    assert len(opened.ranker.rank(Query(text="drama"), 3).candidates) == 3


@pytest.mark.parametrize("title", ["Heat", "\U0001f600 Ran", "<b>Alien</b>"])
def test_one_item_is_a_workspace_too(tmp_path: Path, title: str) -> None:
    read = CatalogueRead(Catalogue([Item("only", title)]), (), 1)
    Workspace.build(tmp_path, read, encoder=ENCODER)
    ranking = Workspace.open(tmp_path, ENCODER).ranker.rank(Query(text="anything"), 5)
    assert [candidate.item_id for candidate in ranking.candidates] == ["only"]


def test_a_new_build_replaces_the_old_and_keeps_one_before_and_the_conversations(tmp_path: Path) -> None:
    (tmp_path / "tastebud.db").write_text("conversations")
    made = [build(tmp_path, version).manifest.build for version in ("one", "two", "three")]
    assert titles(Workspace.open(tmp_path, ENCODER)) == {"three"}
    assert entries(tmp_path) == sorted(made[1:])
    assert (tmp_path / "tastebud.db").read_text() == "conversations"


def test_a_workspace_that_is_open_goes_on_while_it_is_built_again(tmp_path: Path) -> None:
    build(tmp_path)
    old = Workspace.open(tmp_path, ENCODER)
    build(tmp_path, "two")
    assert len(old.ranker.rank(Query(liked=("1",)), 3).candidates) == 3
    assert titles(old) == {"one"}


def test_folders_that_are_not_ours_are_left_alone(tmp_path: Path) -> None:
    for name in ("mine", "notes.tmp"):
        (tmp_path / "builds" / name).mkdir(parents=True)
    build(tmp_path)
    build(tmp_path, "two")
    assert {"mine", "notes.tmp"} <= set(entries(tmp_path))


class FailingEncoder(WordLengthEncoder):
    def encode(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        raise OSError(28, "No space left on device")


def test_a_build_that_fails_leaves_the_old_one_and_no_rubbish(tmp_path: Path) -> None:
    made = build(tmp_path).manifest.build
    with pytest.raises(WorkspaceError, match="No space left on device"):
        Workspace.build(tmp_path, films("two"), encoder=FailingEncoder())
    assert titles(Workspace.open(tmp_path, ENCODER)) == {"one"}
    assert entries(tmp_path) == [made]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        build(tmp_path / "file")


# Damage


def current(folder: Path) -> Path:
    return folder / "builds" / builds.read_manifest(folder).build


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["catalogue.jsonl", "interactions.npz", "links.jsonl"])
@pytest.mark.parametrize("damage", [flip, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_snapshot_is_named_with_what_to_do(
    tmp_path: Path, name: str, damage: Callable[[Path], object]
) -> None:
    build(tmp_path)
    damage(current(tmp_path) / name)
    with pytest.raises(
        WorkspaceError, match=rf"{name} is missing or damaged\. Build it again: tastebud index"
    ):
        Workspace.open(tmp_path, ENCODER)


@pytest.mark.parametrize(
    "name", ["dense/vectors.npy", "collaborative/weights.npy", "knowledge/links.json", "lexical"]
)
@pytest.mark.parametrize("damage", [flip, lambda path: shutil.rmtree(path.parent)])
def test_a_damaged_index_is_built_again(tmp_path: Path, name: str, damage: Callable[[Path], object]) -> None:
    before, query = build(tmp_path), Query(text="Film drama", liked=("1",))
    expected = before.ranker.rank(query, 5)
    path = current(tmp_path) / name
    damage(path if path.is_file() else next(path.glob("*.npy")))
    opened = Workspace.open(tmp_path, ENCODER)
    assert opened.ranker.rank(query, 5) == expected
    assert opened.manifest.build != before.manifest.build
    assert opened.manifest.counts == before.manifest.counts
    assert Workspace.open(tmp_path, ENCODER).manifest == opened.manifest


def test_a_damaged_vector_store_repairs_itself(tmp_path: Path) -> None:
    query = Query(text="Film drama")
    expected = build(tmp_path).ranker.rank(query, 5).candidates
    shutil.rmtree(current(tmp_path) / "dense" / "chroma")
    assert Workspace.open(tmp_path, ENCODER).ranker.rank(query, 5).candidates == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "has format None"),
        ('{"format": 99}', "has format 99"),
        ('{"format": 2, "files": {}}', "is damaged"),
    ],
)
def test_a_damaged_manifest_is_an_error(tmp_path: Path, content: str, message: str) -> None:
    build(tmp_path)
    (tmp_path / "current.json").write_text(content)
    with pytest.raises(WorkspaceError, match=message) as caught:
        Workspace.open(tmp_path, ENCODER)
    assert "Build it again: tastebud index" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"), [("build", "../../etc"), ("files", {"../x": {"size": 0, "sha256": ""}})]
)
def test_a_manifest_cannot_point_outside(tmp_path: Path, key: str, value: object) -> None:
    build(tmp_path)
    stored = json.loads((tmp_path / "current.json").read_text())
    (tmp_path / "current.json").write_text(json.dumps({**stored, key: value}))
    with pytest.raises(WorkspaceError, match="outside the workspace"):
        Workspace.open(tmp_path, ENCODER)


def test_no_workspace_and_another_encoder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"is not a workspace.*Build it again: tastebud index"):
        Workspace.open(tmp_path / "none", ENCODER)
    assert not (tmp_path / "none").exists()
    build(tmp_path)
    other = WordLengthEncoder()
    other.name = "other"
    with pytest.raises(WorkspaceError, match="built with the text encoder 'word-length', not with 'other'"):
        Workspace.open(tmp_path, other)


# Killed, and at the same time

BUILDER = """
import os, sys, time
from pathlib import Path
from tests.test_workspace import ENCODER, Workspace, films, ratings

folder, moment = Path(sys.argv[1]), sys.argv[2]

def wait(*reached):
    if moment in (reached[0], ":".join(map(str, reached[:2]))):
        print("reached", flush=True)
        time.sleep(120)

real = os.replace
def replace(old, new):
    wait("before " + Path(new).name if "builds" not in Path(new).parts else "before rename")
    real(old, new)
    wait("after " + Path(new).name if "builds" not in Path(new).parts else "after rename")
os.replace = replace

read = films("new")
Workspace.build(folder, read, ratings(read), (), ENCODER, wait)
"""

MOMENTS = [
    ("dense:0", "one"),
    ("dense:7", "one"),
    ("collaborative", "one"),
    ("before rename", "one"),
    ("after rename", "one"),
    ("before current.json", "one"),
    ("after current.json", "new"),
]


@pytest.mark.parametrize(("moment", "served"), MOMENTS)
def test_a_build_killed_at_any_moment_costs_nothing(tmp_path: Path, moment: str, served: str) -> None:
    build(tmp_path)
    builder = subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(tmp_path), moment],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert builder.stdout is not None
    assert builder.stdout.readline() == "reached\n"
    os.kill(builder.pid, signal.SIGKILL)
    builder.wait()
    opened = Workspace.open(tmp_path, ENCODER)
    assert titles(opened) == {served}
    assert len(opened.ranker.rank(Query(liked=("1",)), 3).candidates) == 3
    build(tmp_path, "next")
    assert titles(Workspace.open(tmp_path, ENCODER)) == {"next"}
    assert not [name for name in entries(tmp_path) if name.endswith(".tmp")]
    assert len(entries(tmp_path)) == 2


def test_builders_at_the_same_time_take_turns(tmp_path: Path) -> None:
    versions = ["a", "b", "c", "d"]
    threads = [threading.Thread(target=build, args=(tmp_path, version)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    opened = Workspace.open(tmp_path, ENCODER)
    assert len(titles(opened)) == 1
    assert len(opened.ranker.rank(Query(liked=("1",)), 3).candidates) == 3
    assert len(entries(tmp_path)) == 2


# The user's own files


def test_index_reports_what_it_kept_and_rejected(tmp_path: Path) -> None:
    catalogue = tmp_path / "my films.csv"
    catalogue.write_text("id,title,genres\n1,Heat,crime\n2,Ran,war\n2,Again,war\n3,,\n4,Fargo,crime\n")
    interactions = tmp_path / "r.csv"
    interactions.write_text("user,item_id,rating\nu,1,5\nu,1,4\nv,2,3\nv,9,3\nw,4,1\n")
    folder, seen = tmp_path / "ws", []
    report = index(catalogue, interactions, folder, progress=lambda *step: seen.append(step), encoder=ENCODER)
    assert (report.items.total, report.items.kept, report.items.rejected) == (5, 3, 2)
    tally = report.interactions
    assert tally is not None
    assert (tally.total, tally.kept, tally.rejected, tally.repeated) == (5, 3, 1, 1)
    rejected = [json.loads(line) for line in report.rejected_file.read_text().splitlines()]
    assert [(row["file"], row["row"], row["reason"]) for row in rejected] == [
        ("my films.csv", 3, "duplicate item_id"),
        ("my films.csv", 4, "missing title"),
        ("r.csv", 4, "unknown item_id"),
    ]
    assert ("dense", 3, 3) in seen
    assert {stage for stage, _, _ in seen} == {"dense", "lexical", "collaborative", "knowledge"}
    opened = Workspace.open(folder, ENCODER)
    assert opened.manifest.build == report.build
    assert opened.manifest.source.startswith(f"tastebud index --catalogue '{catalogue}'")


def test_index_with_nothing_usable_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    build(folder)
    (tmp_path / "films.csv").write_text("id,title\n1,Heat\n")
    (tmp_path / "bad.csv").write_text("id,title\n1,\n")
    with pytest.raises(CatalogueError, match="no usable row"):
        index(tmp_path / "bad.csv", None, folder, encoder=ENCODER)
    with pytest.raises(InteractionsError, match="does not exist"):
        index(tmp_path / "films.csv", tmp_path / "none.csv", folder, encoder=ENCODER)
    assert titles(Workspace.open(folder, ENCODER)) == {"one"}


# The starter


def test_the_starter_is_built_once_and_again_when_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASTEBUD_HOME", str(tmp_path))
    first = open_starter(encoder=ENCODER)
    assert first.folder == tmp_path / "workspaces" / "starter"
    assert len(first.catalogue) >= 3000
    assert first.interactions is not None
    assert first.interactions.counts.max() == 583
    assert open_starter(encoder=ENCODER).manifest == first.manifest
    flip(current(first.folder) / "catalogue.jsonl")
    rebuilt = open_starter(encoder=ENCODER)
    assert rebuilt.manifest.build != first.manifest.build
    assert rebuilt.catalogue.fingerprint == first.catalogue.fingerprint


def test_home_is_the_environments_or_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEBUD_HOME", "~/taste")
    assert workspace.home() == Path.home() / "taste"
    monkeypatch.delenv("TASTEBUD_HOME")
    assert workspace.home().name == "tastebud"


def test_the_packaged_encoder_finds_the_meaning(tmp_path: Path) -> None:
    path = tmp_path / "films.jsonl"
    plots = ["Soldiers fight in the trenches", "A chef opens a pasta restaurant", "A rocket flies to Mars"]
    path.write_text(
        "\n".join(json.dumps({"id": n, "title": f"Film {n}", "plot": plot}) for n, plot in enumerate(plots))
    )
    Workspace.build(tmp_path / "ws", read_catalogue(path))
    opened = Workspace.open(tmp_path / "ws")
    assert opened.manifest.encoder == opened.encoder.name
    for wish, item_id in (("cooking italian food", "1"), ("astronauts in space", "2")):
        found = opened.dense.retrieve(Query(text=wish), opened.ranker.eligible(Query(text=wish)), 1)
        assert found[0].item_id == item_id

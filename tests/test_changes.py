"""Items added, changed and removed: every source answers as if it had been built of them afresh."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import ui.cli as cli
from agent import Recommender
from retrieval import chroma, collaborative, indexing
from retrieval.catalogue import CatalogueRead
from retrieval.changes import Changes
from retrieval.errors import CatalogueError, UnknownItemError, WorkspaceError
from retrieval.filters import eligible
from retrieval.interactions import InteractionsRead
from retrieval.knowledge import Link
from retrieval.snapshot import read_snapshot_links
from retrieval.types import Constraints, Facet, Item, Query
from retrieval.workspace import Workspace

ENCODER = small.WordEncoder()
SOURCES = ("dense", "lexical", "knowledge", "popularity", "interests", "collaborative")
QUERIES = (
    Query(text="a heist with a detective in space"),
    Query(text="comedy", liked=("heat", "alien"), disliked=("babe",)),
    Query(liked=("fargo",), expansions=("mafia", "robot", "friendship")),
    Query(facets=(Facet("genres", "comedy"), Facet("directors", "Ridley Scott"))),
    Query(text="war or crime", liked=("new",)),
    Query(text="1990s", constraints=Constraints(years=(1990, 1999), forbid=(Facet("genres", "drama"),))),
)
NEW = Item("new", "Thief", 1981, ("crime", "thriller"), ("Michael Mann",), ("James Caan",), ("heist",))
OTHER = Item("other", "Moon", 2009, ("sci-fi",), ("Duncan Jones",), themes=("space", "isolation"))
AGAIN = replace(small.ITEMS[3], genres=("comedy",), year=None, description="Now a comedy about a detective.")


class Counting(small.WordEncoder):
    """Remembers what it was asked to encode."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        self.asked += texts
        return super().encode(texts, progress)


@pytest.fixture
def built(tmp_path: Path) -> Workspace:
    return small.build(small.ITEMS, tmp_path / "w")


def afresh(changed: Workspace, folder: Path) -> Workspace:
    """A workspace built of the same items, interactions and links in one go."""
    catalogue, found = changed.catalogue, changed.interactions
    links = read_snapshot_links(changed.folder / "builds" / changed.manifest.build)
    ratings = InteractionsRead(found, (), found.matrix.nnz, 0) if found is not None else None
    return Workspace.build(folder, CatalogueRead(catalogue, (), len(catalogue)), ratings, links, ENCODER)


def answers(opened: Workspace, source: str) -> list[list[tuple[str, float]]]:
    """What a source answers to each query, as (item_id, score)."""
    found = []
    for query in QUERIES:
        known = [item_id for item_id in query.liked if item_id in opened.catalogue]
        asked = replace(query, liked=tuple(known), disliked=tuple(i for i in query.disliked if i in known))
        allowed = eligible(opened.catalogue, query.constraints, known)
        candidates = (
            opened.ranker.sources[source].retrieve(asked, allowed, 50) if source in names(opened) else []
        )
        found.append([(candidate.item_id, candidate.score) for candidate in candidates])
    return found


def names(opened: Workspace) -> set[str]:
    return set(opened.ranker.sources)


def agree(changed: Workspace, fresh: Workspace) -> None:
    assert names(changed) == names(fresh)
    for source in SOURCES:
        mine, theirs = answers(changed, source), answers(fresh, source)
        assert [[i for i, _ in one] for one in mine] == [[i for i, _ in one] for one in theirs], source
        for one, other in zip(mine, theirs, strict=True):
            assert [score for _, score in one] == pytest.approx([score for _, score in other], abs=1e-5)


CHANGES = {
    "add": Changes((NEW, OTHER)),
    "change": Changes((AGAIN,)),
    "change what no text says": Changes((replace(small.ITEMS[0], minutes=90, audience="family"),)),
    "remove": Changes((), ("alien", "casino")),
    "all at once": Changes((NEW, AGAIN, replace(small.ITEMS[5], title="The Dude")), ("heat", "big")),
    "nearly everything": Changes((OTHER,), small.IDS[2:]),
    "everything": Changes((NEW, OTHER), small.IDS),
}


@pytest.mark.parametrize("different", [0.0, 10.0], ids=["new collection", "same collection"])
@pytest.mark.parametrize("name", CHANGES)
def test_every_source_answers_as_if_built_afresh(
    built: Workspace, tmp_path: Path, name: str, different: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chroma, "DIFFERENT", different)
    changed = built.change(CHANGES[name])
    agree(Workspace.open(built.folder, ENCODER), afresh(changed, tmp_path / "fresh"))
    assert changed.manifest.counts["items"] == len(changed.catalogue)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_done_one_after_the_other(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("many")
    opened = small.build(small.ITEMS, folder / "w")
    for _ in range(3):
        ids = opened.catalogue.ids
        gone = data.draw(st.lists(st.sampled_from(ids), unique=True, max_size=4))
        kept = [item for item in opened.catalogue if item.item_id not in gone]
        put = data.draw(
            st.lists(st.sampled_from([*kept, NEW, OTHER]), unique_by=lambda i: i.item_id, max_size=3)
        )
        themes = data.draw(st.sampled_from([("heist",), ("space", "robot"), ()]))
        put = [replace(item, themes=themes) for item in put if item.item_id not in gone]
        opened = opened.change(Changes(tuple(put), tuple(gone)))
    agree(opened, afresh(opened, folder / "fresh"))


def test_the_order_is_that_of_the_file_with_new_ones_last(built: Workspace) -> None:
    changed = built.change(Changes((NEW, AGAIN), ("casino",)))
    assert changed.catalogue.ids == (*(i for i in small.IDS if i != "casino"), "new")
    assert changed.catalogue["ronin"].year is None


def test_only_new_texts_are_encoded_and_known_likes_are_not_solved_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.build(small.ITEMS, tmp_path)
    encoder = Counting()
    solved: list[int] = []
    solve = collaborative.item_weights

    def counted(gram: np.ndarray, penalty: float) -> np.ndarray:
        solved.append(len(gram))
        return solve(gram, penalty)

    monkeypatch.setattr(collaborative, "item_weights", counted)
    opened = Workspace.open(tmp_path, encoder)
    opened = opened.add([NEW, AGAIN, replace(small.ITEMS[0], minutes=90)])
    assert encoder.asked == [
        "Ronin. Now a comedy about a detective. Heist, comedy.",
        "Thief. Heist, crime, thriller.",
    ]
    assert solved == []
    opened.remove(["heat"])
    assert len(encoder.asked) == 2
    assert solved == [len(small.ITEMS) - 1]


def test_what_people_did_with_a_removed_item_goes_with_it(built: Workspace) -> None:
    assert built.interactions is not None
    changed = built.remove(["heat"])
    assert changed.interactions is not None
    lost = int(built.interactions.counts[0])
    assert lost > 0
    assert changed.interactions.matrix.nnz == built.interactions.matrix.nnz - lost
    counts, before = changed.manifest.counts, built.manifest.counts
    assert counts["interactions"] == before["interactions"] - lost == changed.interactions.matrix.nnz
    assert counts["items_read"] == counts["items"] + counts["rejected"] == 31
    again = changed.add([small.ITEMS[0]])
    assert again.catalogue["heat"].popularity == 0
    assert not again.ranker.rated("heat")


def test_a_counted_popularity_is_kept_and_a_given_one_is_taken(built: Workspace) -> None:
    count = built.catalogue["ronin"].popularity
    assert count > 0
    assert built.add([AGAIN]).catalogue["ronin"].popularity == count
    assert built.add([replace(NEW, popularity=7.0)]).catalogue["new"].popularity == 7.0


def test_links_of_kept_items_stay(tmp_path: Path) -> None:
    read = CatalogueRead(built_catalogue := small.parts()[0], (), len(small.ITEMS))
    links = [Link("babe", "award", "x"), Link("heat", "award", "x"), Link("big", "award", "x")]
    changed = Workspace.build(tmp_path, read, None, links, ENCODER).remove(["heat"])
    assert len(changed.catalogue) == len(built_catalogue) - 1
    assert read_snapshot_links(tmp_path / "builds" / changed.manifest.build) == (links[0], links[2])
    assert changed.manifest.counts["links"] == 2


def test_the_opened_one_goes_on_and_knows_that_it_is_outdated(built: Workspace) -> None:
    before = built.ranker.rank(Query(liked=("heat",)), 5)
    assert not built.outdated
    changed = built.remove(["ronin"])
    assert built.outdated
    assert not changed.outdated
    assert built.ranker.rank(Query(liked=("heat",)), 5) == before
    assert "ronin" in built.catalogue
    assert "ronin" not in changed.catalogue


def test_no_difference_is_no_new_build(built: Workspace) -> None:
    assert built.add(small.ITEMS[:2]).manifest == built.manifest
    assert built.change(Changes()).manifest == built.manifest


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        (Changes((), ("nope",)), UnknownItemError, "'nope'"),
        (Changes((NEW,), ("heat", "nope")), UnknownItemError, "'nope'"),
        (Changes((NEW, replace(NEW, title="Thief II"))), CatalogueError, "'new' is to be added twice"),
        (Changes((AGAIN,), ("ronin",)), CatalogueError, "'ronin' is both to be added and removed"),
        (Changes((replace(NEW, title=" "),)), CatalogueError, "needs a title"),
        (
            Changes((replace(NEW, item_id=""),)),
            CatalogueError,
            "'Thief': an item needs a title and an item_id",
        ),
        (Changes((), small.IDS), CatalogueError, "at least one item"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    built: Workspace, changes: Changes, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        built.change(changes)
    assert "\n" not in str(caught.value)
    assert Workspace.open(built.folder, ENCODER).manifest == built.manifest
    assert [path.name for path in (built.folder / "builds").iterdir()] == [built.manifest.build]


def test_damage_is_repaired_before_and_named_after(built: Workspace) -> None:
    (built.folder / "builds" / built.manifest.build / "dense" / "vectors.npy").write_bytes(b"")
    changed = built.add([NEW])
    assert changed.ranker.rank(Query(text="Thief"), 40).eligible == len(small.ITEMS) + 1
    (built.folder / "builds" / changed.manifest.build / "links.jsonl").unlink()
    with pytest.raises(WorkspaceError, match="add and remove again what was since"):
        changed.remove(["heat"])


def test_a_conversation_goes_on_when_what_it_speaks_of_is_removed(built: Workspace) -> None:
    first = Recommender(built, "none")
    chat = first.conversation("ana")
    chat.send("I loved Heat and Alien")
    chat.feedback("babe", liked=False)
    shown = [item.item_id for item in first.conversation("ana", chat.conversation_id).send("more").items]
    assert shown
    first.close()
    again = Recommender(built.remove(["heat", "babe", shown[0]]), "none")
    chat = again.conversation("ana", chat.conversation_id)
    assert [p.item_id for p in chat.state.liked] == ["alien"]
    assert not chat.state.disliked
    assert [item.item_id for item in chat.turns[-1].reply.items] == shown[1:]  # type: ignore[union-attr]
    assert "heat" not in {entry.item_id for entry in chat.profile}
    assert chat.send("more").items
    chat.undo()
    assert [p.item_id for p in chat.state.liked] == ["alien"]
    again.close()


def test_nobody_is_said_to_have_liked_a_new_item(built: Workspace) -> None:
    opened = built.add([NEW])
    rec = Recommender(opened, "none", "sqlite://")
    found = rec.recommend([{"role": "user", "content": "I loved Heat and Casino"}], n=32)
    (thief,) = (item for item in found.items if item.item_id == "new")
    query = Query(liked=("heat", "casino"))
    asked = opened.ranker.sources["collaborative"].retrieve(query, opened.ranker.eligible(query), 32)
    assert "new" in [candidate.item_id for candidate in asked]
    assert not opened.ranker.rated("new")
    assert {reason.kind for reason in thief.reasons}.isdisjoint({"loved_by", "popular"})
    (candidate,) = (c for c in opened.ranker.rank(query, 32).candidates if c.item_id == "new")
    bars = [bar.label for bar in rec._grounds.contributions(candidate, query)]
    assert any(label == "people who like what resembles Heat" for label in bars)
    assert not any(label == "people who like Heat" for label in bars)
    rec.close()


# Killed

CHANGER = """
import os, sys, time
from pathlib import Path
import small
from retrieval import indexes, snapshot
from retrieval.workspace import Workspace
from test_changes import AGAIN, NEW, Changes

folder, moment = Path(sys.argv[1]), sys.argv[2]

def wait(stage, *_):
    if stage == moment:
        print("reached", flush=True)
        time.sleep(120)

real = os.replace
def put(old, new):
    name = Path(new).name if "builds" not in Path(new).parts else "rename"
    wait("before " + name)
    real(old, new)
    wait("after " + name)
os.replace = put
Workspace.open(folder, small.WordEncoder()).change(Changes((NEW, AGAIN), ("heat",)), wait)
"""


@pytest.mark.parametrize(
    ("moment", "changed"),
    [
        *(("dense", False), ("lexical", False), ("collaborative", False), ("before rename", False)),
        *(("after rename", False), ("before current.json", False), ("after current.json", True)),
    ],
)
def test_a_change_killed_at_any_moment_is_done_or_not(tmp_path: Path, moment: str, changed: bool) -> None:
    folder = tmp_path / "w"
    small.build(small.ITEMS, folder)
    paths = [str(Path(__file__).parent), *sys.path]
    process = subprocess.Popen(
        [sys.executable, "-c", CHANGER, str(folder), moment],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert process.stdout is not None
    with process.stdout as lines:
        assert lines.readline() == "reached\n"
        process.send_signal(signal.SIGKILL)
    process.wait(30)
    opened = Workspace.open(folder, ENCODER)
    assert ("heat" in opened.catalogue) is not changed
    assert ("new" in opened.catalogue) is changed
    opened = opened.change(Changes((NEW, OTHER, AGAIN), ("casino",)))
    agree(opened, afresh(opened, tmp_path / "fresh"))
    assert not [path.name for path in (folder / "builds").iterdir() if path.suffix == ".tmp"]


# The command


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, built: Workspace) -> Callable[..., tuple[int, str]]:
    """Runs `tastebud index --workspace W` with more arguments; the exit code and all that was printed."""
    monkeypatch.setattr("retrieval.workspace._packaged_encoder", lambda: ENCODER)

    def run(*arguments: object) -> tuple[int, str]:
        words = ["index", "--workspace", str(built.folder), *map(str, arguments)]
        done = CliRunner().invoke(cli.app, words)
        return done.exit_code, done.stdout + done.stderr

    return run


def test_the_command_adds_changes_and_removes(
    command: Callable[..., tuple[int, str]], built: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "more.csv"
    file.write_text("id,title,year,genres\nnew,Thief,1981,crime\nronin,Ronin,1998,comedy\n")
    code, said = command("--add", file, "--remove", "heat", "--remove", "babe")
    assert code == 0, said
    assert "1 added, 1 changed, 2 removed; 31 items now" in said
    opened = Workspace.open(built.folder, ENCODER)
    assert opened.catalogue["new"].title == "Thief"
    assert opened.catalogue["ronin"].genres == ("comedy",)
    assert "heat" not in opened.catalogue


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        ("id,title\nx,\n", (), "1 rejected rows: missing title: 'x'"),
        ("id,title\nx,A\nx,B\ny,\n", (), "row 2: duplicate item_id: 'x', and 1 more. Nothing was changed"),
        ("id,title\nx,A\n", ("--remove", "nope"), "Unknown item_id 'nope'"),
        ("id,title\nheat,A\n", ("--remove", "heat"), "'heat' is both"),
        ("name\nA\n", (), "no column for item_id"),
        ("", (), "is empty"),
    ],
)
def test_the_command_names_what_is_wrong_in_one_line(
    command: Callable[..., tuple[int, str]],
    built: Workspace,
    tmp_path: Path,
    content: str,
    arguments: Sequence[str],
    said: str,
) -> None:
    file = tmp_path / "more.csv"
    file.write_text(content)
    code, printed = command("--add", file, *arguments)
    assert code == 2
    assert said in printed
    assert "Traceback" not in printed
    assert Workspace.open(built.folder, ENCODER).manifest == built.manifest


def test_building_and_changing_are_not_done_at_once(command: Callable[..., tuple[int, str]]) -> None:
    assert command()[0] == 2
    assert command("--catalogue", "c.csv", "--remove", "heat")[0] == 2
    code, said = command("--remove", "heat", "--interactions", "r.csv")
    assert code == 2
    assert "need --catalogue" in said


def test_a_title_that_another_item_has_keeps_its_parentheses(built: Workspace, tmp_path: Path) -> None:
    built.add([Item("s", "Shirt", aliases=("S",))])
    file = tmp_path / "more.csv"
    file.write_text("id,title\nm,Shirt (M)\nk,Coat (M)\n")
    indexing.change(built.folder, file, encoder=ENCODER)
    catalogue = Workspace.open(built.folder, ENCODER).catalogue
    assert (catalogue["m"].title, catalogue["k"].title) == ("Shirt (M)", "Coat")

"""The store keeps what it acknowledged: across restarts, threads, processes and kill -9."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.memory.store import (
    ConversationError,
    Feedback,
    ProfileRow,
    Store,
    StoreError,
    UserError,
    checked_user,
)
from agent.types import DialogueState, Preference, Question, Reply
from retrieval.types import Recommendation

HEAT = Preference("item", "Heat", "273", 1)
LIKES_HEAT = DialogueState(liked=(HEAT,), turn=1)
ROOT = Path(__file__).parents[1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "chat.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as opened:
        yield opened


def say(store: Store, conversation_id: str, message: str, state: DialogueState) -> None:
    index = store.begin_turn(conversation_id, message, store.state(conversation_id))
    store.finish_turn(conversation_id, index, Reply(f"answer to {message}", state=state))


def test_a_conversation_is_there_after_a_restart(store: Store, path: Path) -> None:
    conversation = store.create("ana")
    reply = Reply("Try Ronin.", items=(Recommendation("5", "Ronin", 0.5, 1),), state=LIKES_HEAT)
    assert store.begin_turn(conversation, "I loved Heat", DialogueState()) == 1
    store.finish_turn(conversation, 1, reply)
    assert store.begin_turn(conversation, "more", LIKES_HEAT) == 2
    store.close()
    with Store(path) as again:
        first, second = again.turns(conversation)
        assert (first.index, first.message, first.reply) == (1, "I loved Heat", reply)
        assert (second.index, second.message, second.reply) == (2, "more", None)
        assert again.load("ana", conversation) == LIKES_HEAT


def test_ids_are_random_and_only_for_their_owner(store: Store) -> None:
    conversation = store.create("ana")
    assert conversation != store.create("ana")
    errors = []
    for user, wanted in (("bob", conversation), ("ana", "a" * len(conversation))):
        with pytest.raises(ConversationError) as error:
            store.load(user, wanted)
        errors.append(str(error.value).replace(wanted, "ID"))
    assert errors[0] == errors[1]


def test_an_id_can_be_chosen_once(store: Store) -> None:
    assert store.create("ana", "demo-1") == "demo-1"
    with pytest.raises(ConversationError, match="'demo-1' is taken"):
        store.create("bob", "demo-1")
    with pytest.raises(ConversationError, match="'no spaces' cannot be"):
        store.create("ana", "no spaces")


def test_a_conversation_may_start_from_what_is_known(store: Store) -> None:
    conversation = store.create("ana", state=LIKES_HEAT)
    assert store.load("ana", conversation) == LIKES_HEAT
    assert store.pop_state(conversation) is None


@pytest.mark.parametrize("call", ["state", "turns", "history", "pop_state"])
def test_unknown_conversations_are_refused_with_their_id(store: Store, call: str) -> None:
    with pytest.raises(ConversationError, match="'nope'"):
        getattr(store, call)("nope")
    with pytest.raises(ConversationError):
        getattr(store, call)("\ud800")


def test_a_turn_is_answered_once(store: Store) -> None:
    conversation = store.create("ana")
    say(store, conversation, "hi", DialogueState(turn=1))
    for index in (1, 2):
        with pytest.raises(ConversationError, match=f"Turn {index} "):
            store.finish_turn(conversation, index, Reply("twice"))
    assert [turn.reply and turn.reply.text for turn in store.turns(conversation)] == ["answer to hi"]


@pytest.mark.parametrize(
    ("message", "stored"),
    [
        ("😀 שלום <b>*x*</b>\n\t", "😀 שלום <b>*x*</b>\n\t"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("nul \0 char", "nul \ufffd char"),
        ("", ""),
        ("x" * 1_000_000, "x" * 1_000_000),
    ],
    ids=["emoji", "surrogate", "nul", "empty", "1MB"],
)
def test_any_message_is_kept(store: Store, message: str, stored: str) -> None:
    conversation = store.create("ana")
    store.begin_turn(conversation, message, DialogueState())
    assert store.turns(conversation)[0].message == stored


def test_a_longer_message_is_refused_with_its_length(store: Store) -> None:
    conversation = store.create("ana")
    with pytest.raises(ConversationError, match="2,000,000 characters"):
        store.begin_turn(conversation, "y" * 2_000_000, DialogueState())
    assert store.turns(conversation) == ()


def test_undo_goes_back_one_change_at_a_time(store: Store) -> None:
    conversation = store.create("ana")
    say(store, conversation, "Heat", LIKES_HEAT)
    two = replace(LIKES_HEAT, avoids=(Preference("genres", "comedy", turn=2),), turn=2)
    say(store, conversation, "no comedy", two)
    assert [state.turn for state in store.history(conversation)] == [0, 1]
    undone = store.pop_state(conversation)
    assert undone is not None
    assert (undone.liked, undone.avoids, undone.turn) == ((HEAT,), (), 2)
    assert store.state(conversation) == undone
    undone = store.pop_state(conversation)
    assert undone is not None
    assert undone.liked == ()
    assert store.pop_state(conversation) is None


def test_a_spoken_undo_can_be_spoken_twice(store: Store) -> None:
    conversation = store.create("ana")
    say(store, conversation, "Heat", LIKES_HEAT)
    say(store, conversation, "after 2000", replace(LIKES_HEAT, years=(2000, None), turn=2))
    for turn, liked in ((3, (HEAT,)), (4, ())):
        state = replace(store.state(conversation), turn=turn)
        index = store.begin_turn(conversation, "undo that", state)
        before = store.pop_state(conversation)
        assert before is not None
        store.finish_turn(conversation, index, Reply("Done.", state=replace(before, turn=turn)))
        assert (store.state(conversation).liked, store.state(conversation).years) == (liked, None)


def test_feedback_is_undone_but_what_was_shown_stays_shown(store: Store) -> None:
    conversation = store.create("ana")
    store.set_state(conversation, LIKES_HEAT)
    shown = replace(LIKES_HEAT, shown=("5", "7"), last_shown=("7",), asked=("genres",), turn=2)
    pending = replace(shown, pending=Question("Old or new?", "years"))
    say(store, conversation, "more", pending)
    assert len(store.history(conversation)) == 1
    assert store.pop_state(conversation) == replace(pending, liked=())


def test_conversations_are_listed_newest_first_by_their_first_message(store: Store) -> None:
    ids = [store.create("ana") for _ in range(3)]
    store.create("ana")
    say(
        store,
        ids[0],
        "something   funny\nfor the family, under a hundred minutes and nothing animated",
        LIKES_HEAT,
    )
    say(store, ids[1], "x" * 100, LIKES_HEAT)
    say(store, ids[2], " ", LIKES_HEAT)
    say(store, ids[0], "more", LIKES_HEAT)
    listed = store.conversations("ana")
    assert [info.conversation_id for info in listed] == [ids[0], ids[2], ids[1]]
    assert [info.title for info in listed] == [
        "something funny for the family, under a hundred…",
        "(no words)",
        "x" * 47 + "…",
    ]
    assert store.conversations("bob") == []


def test_the_profile_keeps_the_newest_word_on_an_item(store: Store) -> None:
    ronin = Preference("item", "Ronin", "5")
    store.remember("ana", "liked", HEAT)
    store.remember("ana", "disliked", ronin)
    store.remember("ana", "seen", HEAT)
    store.remember("ana", "disliked", HEAT)
    heat = replace(HEAT, turn=None)
    assert store.profile("ana") == (
        ProfileRow("disliked", ronin),
        ProfileRow("seen", heat),
        ProfileRow("disliked", heat),
    )
    assert store.profile("bob") == ()
    assert store.forget("ana", "273", "seen") == 1
    assert store.forget("ana", "HEAT") == 1
    assert store.forget("ana", "Heat") == 0
    assert store.profile("ana") == (ProfileRow("disliked", ronin),)


def test_feedback_is_a_log(store: Store) -> None:
    conversation = store.create("ana")
    store.record_feedback("ana", conversation, "273", "liked")
    store.record_feedback("ana", conversation, "273", "cleared")
    log = store.feedback("ana")
    assert [(f.conversation_id, f.item_id, f.value) for f in log] == [
        (conversation, "273", "liked"),
        (conversation, "273", "cleared"),
    ]
    assert isinstance(log[0], Feedback)
    assert 0 < log[0].time <= log[1].time
    with pytest.raises(ConversationError):
        store.record_feedback("bob", conversation, "273", "liked")
    assert store.feedback("bob") == []


def test_unknown_words_are_quoted(store: Store) -> None:
    conversation = store.create("ana")
    with pytest.raises(StoreError, match="'meh'"):
        store.record_feedback("ana", conversation, "273", "meh")  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="'wants'"):
        store.remember("ana", "wants", HEAT)  # type: ignore[arg-type]


def test_a_deleted_user_leaves_no_text_on_disk(store: Store, path: Path) -> None:
    conversation, other = store.create("ana"), store.create("bob")
    secret = "my secret taste " + "word " * 2000
    say(store, conversation, secret, DialogueState(wants=(Preference("text", secret),)))
    store.remember("ana", "liked", Preference("text", secret))
    store.record_feedback("ana", conversation, "273", "liked")
    say(store, other, "bob stays", LIKES_HEAT)
    assert b"my secret taste" in _all_bytes(path)
    # one conversation, one turn, one earlier state, one feedback, one profile row
    assert store.delete_user("ana") == 5
    everything = _all_bytes(path)
    assert b"my secret taste" not in everything
    assert b"ana" not in everything
    assert store.conversations("ana") == []
    assert [turn.message for turn in store.turns(other)] == ["bob stays"]
    assert store.delete_user("ana") == 0


def _all_bytes(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))


def test_delete_says_so_when_a_reader_keeps_the_log(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.memory.database.BUSY_SECONDS", 0.2)
    with Store(path) as impatient:
        say(impatient, impatient.create("ana"), "hello", LIKES_HEAT)
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM turns").fetchone()
        with pytest.raises(StoreError, match="another process"):
            impatient.delete_user("ana")
        reader.close()
        assert impatient.conversations("ana") == []


def test_the_file_is_private(store: Store, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_files_that_cannot_be_a_store_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("these are my notes, not a database\n" * 50)
    with pytest.raises(StoreError, match=r"notes\.txt.*not a database"):
        Store(text)
    assert text.read_text().startswith("these are my notes")
    with pytest.raises(StoreError, match="Cannot open"):
        Store(tmp_path)
    with pytest.raises(StoreError, match="Cannot open"):
        Store(text / "below" / "chat.db")


def test_a_newer_schema_is_left_alone(store: Store, path: Path) -> None:
    store.close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE schema_version SET version = 99")
    raw.close()
    with pytest.raises(StoreError, match="newer Tastebud"):
        Store(path)


@pytest.mark.parametrize("url", ["not a url", "nosuchdb://host/x", "postgresql+nodriver://ana:pw@host/x"])
def test_bad_urls_are_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises(StoreError) as error:
        Store(url)
    assert "pw" not in str(error.value)


def test_a_url_and_a_path_mean_the_same_file(store: Store, path: Path) -> None:
    conversation = store.create("ana")
    with Store(f"sqlite:///{path}") as again:
        assert again.load("ana", conversation) == DialogueState()


def test_a_failing_database_is_reported_without_a_traceback(store: Store, path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE profile")
    raw.close()
    with pytest.raises(StoreError, match="no such table: profile"):
        store.profile("ana")


@pytest.mark.parametrize("url", ["memory", "file"])
def test_threads_share_one_store(url: str, path: Path) -> None:
    with Store("sqlite://" if url == "memory" else path) as store:
        conversation = store.create("ana")

        def talk(number: int) -> int:
            index = store.begin_turn(conversation, f"message {number}", DialogueState())
            store.finish_turn(conversation, index, Reply(f"reply {number}"))
            return index

        with ThreadPoolExecutor(8) as pool:
            indices = list(pool.map(talk, range(40)))
        turns = store.turns(conversation)
    assert sorted(indices) == list(range(1, 41))
    assert [turn.index for turn in turns] == list(range(1, 41))
    assert all(t.reply and t.reply.text.split()[1] == t.message.split()[1] for t in turns)


def _run(code: str, *arguments: str) -> subprocess.Popen[str]:
    script = "import os, signal, sys\nfrom pathlib import Path\nfrom agent.memory.store import Store\n"
    script += "from agent.types import DialogueState, Reply\nstore = Store(Path(sys.argv[1]))\n"
    command = [sys.executable, "-c", script + textwrap.dedent(code), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_processes_do_not_lose_each_others_writes(path: Path) -> None:
    code = """
        for number in range(25):
            index = store.begin_turn("shared", f"{sys.argv[2]}-{number}", DialogueState())
            store.finish_turn("shared", index, Reply("ok"))
    """
    with Store(path) as store:
        store.create("ana", "shared")
        workers = [_run(code, str(path), name) for name in ("a", "b")]
        assert [worker.wait(60) for worker in workers] == [0, 0]
        turns = store.turns("shared")
    assert [turn.index for turn in turns] == list(range(1, 51))
    assert sorted(turn.message for turn in turns) == sorted(f"{n}-{i}" for n in "ab" for i in range(25))


def test_two_processes_may_create_the_file_together(path: Path) -> None:
    workers = [_run("store.create('ana')", str(path)) for _ in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]


def test_a_turn_cut_by_kill_9_keeps_its_message_and_all_before(path: Path) -> None:
    code = """
        store.create("ana", "cut")
        index = store.begin_turn("cut", "I loved Heat", DialogueState())
        store.finish_turn("cut", index, Reply("Noted.", state=DialogueState(turn=1)))
        store.begin_turn("cut", "something like it", DialogueState(turn=2))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert _run(code, str(path)).wait(60) == -9
    with Store(path) as store:
        first, second = store.turns("cut")
        assert first.reply == Reply("Noted.", state=DialogueState(turn=1))
        assert (second.message, second.reply) == ("something like it", None)
        assert store.load("ana", "cut") == DialogueState(turn=2)
        assert store.begin_turn("cut", "still there?", DialogueState(turn=3)) == 3


def test_kill_9_in_a_write_loop_loses_nothing_acknowledged(path: Path) -> None:
    code = """
        store.create("ana", "loop")
        while True:
            index = store.begin_turn("loop", "x" * 5000, DialogueState())
            store.finish_turn("loop", index, Reply("y" * 5000))
            print(index, flush=True)
    """
    worker = _run(code, str(path))
    assert worker.stdout is not None
    acknowledged = [int(worker.stdout.readline()) for _ in range(15)]
    worker.kill()
    acknowledged += [int(line) for line in worker.stdout.read().splitlines() if line]
    worker.wait(60)
    with Store(path) as store:
        answered = [turn.index for turn in store.turns("loop") if turn.reply is not None]
    assert answered[: len(acknowledged)] == acknowledged == list(range(1, len(acknowledged) + 1))


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a\x00", "\ud800", "x" * 201])
def test_impossible_user_names_are_quoted(store: Store, name: str) -> None:
    with pytest.raises(UserError) as error:
        store.create(name)
    assert repr(name[:80]) in str(error.value)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=200))
def test_every_printable_name_is_a_user(name: str) -> None:
    if name.strip():
        assert checked_user(name) == name
    else:
        with pytest.raises(UserError):
            checked_user(name)

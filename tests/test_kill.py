"""kill -9 in the middle of a turn: what was acknowledged is there, and the conversation goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import small

from agent import Recommender
from agent.conversation import Conversation
from agent.types import Reply
from retrieval.workspace import Workspace

TALKER = """
import sys, time
from pathlib import Path
import agent.graph, agent.reading.understand
from agent import Recommender
from small import WordEncoder
from retrieval.workspace import Workspace

folder, step = Path(sys.argv[1]), sys.argv[2]
chat = Recommender(Workspace.open(folder, WordEncoder()), "none").conversation("ana")
print(chat.conversation_id, flush=True)
chat.send("I loved Heat")
chat.feedback("scream", liked=False)
chat.send("a thriller from the 90s")
for event in chat.stream("no war, under two hours"):
    if getattr(event, "step", None) == step or event.type == step:
        print("in the middle", flush=True)
        time.sleep(60)
print("too late", flush=True)
"""


def killed_while(step: str, folder: Path) -> str:
    """Talk in another process, kill it when the third turn reaches `step`; the conversation's id."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, "-c", TALKER, str(folder), step], stdout=subprocess.PIPE, text=True, env=env
    )
    assert process.stdout is not None
    with process.stdout as lines:
        conversation_id = lines.readline().strip()
        assert lines.readline().strip() == "in the middle"
        process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    return conversation_id


@pytest.mark.parametrize("step", ["understand", "rank", "token"])
def test_a_killed_turn_costs_only_its_own_reply(step: str, tmp_path: Path) -> None:
    small.build(small.ITEMS, tmp_path)
    conversation_id = killed_while(step, tmp_path)
    recommender = Recommender(Workspace.open(tmp_path, small.WordEncoder()), "none")
    chat = recommender.conversation("ana", conversation_id)

    assert [turn.message for turn in chat.turns] == [
        *("I loved Heat", "a thriller from the 90s", "no war, under two hours")
    ]
    replies = [turn.reply for turn in chat.turns]
    assert [reply is None for reply in replies] == [False, False, True]
    _is_as_before_the_killed_turn(chat, replies[1])
    assert [info.conversation_id for info in recommender.conversations("ana")] == [conversation_id]

    reply = chat.send("more")
    assert reply.items
    assert reply.state.turn == 4
    assert [turn.index for turn in chat.turns] == [1, 2, 3, 4]
    shown_before = replies[1].state.shown if replies[1] else ()
    assert not set(shown_before) & {item.item_id for item in reply.items}
    assert "scream" not in {item.item_id for item in reply.items}
    assert chat.undo().wants == ()
    recommender.close()


def _is_as_before_the_killed_turn(chat: Conversation, last: Reply | None) -> None:
    assert last is not None
    state = chat.state
    assert [p.item_id for p in state.liked] == ["heat"]
    assert [p.item_id for p in state.disliked] == ["scream"]
    assert (state.years, state.max_minutes, state.avoids) == ((1990, 1999), None, ())
    assert state.shown == last.state.shown
    assert {(e.slot, e.turn, e.quote) for e in chat.profile if e.slot == "wants"} == {
        ("wants", 2, "a thriller from the 90s")
    }


def test_the_same_conversation_from_two_processes_loses_nothing(tmp_path: Path) -> None:
    small.build(small.ITEMS, tmp_path)
    here = Recommender(Workspace.open(tmp_path, small.WordEncoder()), "none")
    chat = here.conversation("ana")
    chat.send("hello")
    talk = (
        "import sys; from agent import Recommender; from small import WordEncoder;"
        "from retrieval.workspace import Workspace; from pathlib import Path;"
        "chat = Recommender(Workspace.open(Path(sys.argv[1]), WordEncoder()), 'none')"
        ".conversation('ana', sys.argv[2]);"
        "[chat.send('more') for _ in range(4)]"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    other = subprocess.Popen([sys.executable, "-c", talk, str(tmp_path), chat.conversation_id], env=env)
    while other.poll() is None:
        chat.send("a comedy")
    assert other.returncode == 0
    indexes = [turn.index for turn in chat.turns]
    assert indexes == list(range(1, len(indexes) + 1))
    assert [turn.message for turn in chat.turns].count("more") == 4
    assert all(turn.reply is not None for turn in chat.turns)
    here.close()

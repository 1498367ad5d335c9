"""Learning from live conversations: what they teach, what is kept back, and that serving picks it up."""

import numpy as np
import pytest
from listener_layers import tiny_layers
from small import ITEMS, build

from agent import Recommender
from agent.memory.store import Store
from agent.types import DialogueState, Preference
from finetune.config import ConfigError
from finetune.feedback import from_states, remembered
from finetune.refit import train_for
from retrieval.conversational import Conversational
from retrieval.dialogue import Message
from retrieval.scoring import SCORER
from retrieval.signals.listener import Layers
from retrieval.types import Query
from retrieval.workspace import Workspace


def liking(*items, shown=()):
    return DialogueState(liked=tuple(Preference("item", i, i, 1) for i in items), shown=tuple(shown))


def only(feedback):
    (messages,) = {**feedback.learned, **feedback.kept}.values()
    return messages


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return build(ITEMS, tmp_path_factory.mktemp("feedback"))


def test_what_was_liked_of_what_was_shown_is_what_was_recommended(workspace):
    state = liking("heat", "casino", "ronin", shown=("ronin", "fargo"))
    assert only(from_states([("c", state)], workspace.catalogue)) == (
        Message("seeker", "", ("heat", "casino")),
        Message("recommender", "", ("ronin",)),
    )


def test_where_nothing_shown_was_liked_the_last_like_is_told_as_recommended(workspace):
    state = liking("heat", "no longer in the catalogue", "casino", shown=("fargo",))
    assert [m.items for m in only(from_states([("c", state)], workspace.catalogue))] == [
        ("heat",),
        ("casino",),
    ]


def test_a_single_like_teaches_nothing(workspace):
    states = [("a", liking("heat")), ("b", liking("heat", shown=("heat",))), ("c", DialogueState())]
    found = from_states(states, workspace.catalogue)
    assert not found.learned
    assert not found.kept


class Ordered:
    """A scorer that always prefers these items."""

    def __init__(self, catalogue, *items):
        self.order = np.zeros(len(catalogue))
        for place, item in enumerate(items):
            self.order[catalogue.row(item)] = 100 - place

    def scores(self, messages):
        return self.order


def test_recall_by_hand(workspace):
    catalogue = workspace.catalogue
    old = {"o": (Message("seeker", "", ("heat",)), Message("recommender", "", ("ronin", "big")))}
    scorer = Ordered(catalogue, "ronin", *[i for i in catalogue.ids if i not in ("ronin", "big")])
    (row,) = remembered({"before": scorer}, old, {}, catalogue)
    assert (row.scorer, row.old, row.new) == ("before", 0.5, None)


def many_is_one_by_one(workspace):
    """Whether a trained scorer answers several dialogues as it does each of them."""
    heat, babe = {"role": "user", "content": "I loved Heat"}, {"role": "user", "content": "a film like Babe"}
    ronin = {"role": "assistant", "content": "Have you seen Ronin?"}
    dialogues = [[heat], [heat, ronin, babe], [], [babe], [heat, ronin], [heat]]
    fresh = (Workspace.open(workspace.folder, workspace.encoder) for _ in range(2))
    one, together = (Recommender(place, "none", "sqlite://") for place in fresh)
    with one, together:
        alone = [one.recommend(messages, 9) for messages in reversed(dialogues)]
        return together.recommend_many(dialogues, 9) == alone[::-1]


def test_feedback_is_learned_published_and_served(tmp_path, monkeypatch):
    monkeypatch.setattr(Layers, "packaged", tiny_layers)
    workspace, said = build(ITEMS, tmp_path), []
    with pytest.raises(ConfigError, match="nobody has talked"):
        train_for(workspace, None, True, None, 1, 0, said.append)
    with Store(workspace.database) as store:
        with pytest.raises(ConfigError, match="two likes"):
            train_for(workspace, None, True, None, 1, 0, said.append)
        for _ in range(40):  # everybody who likes Babe takes to Samurai, which no rating says
            store.create("ana", state=liking("babe", "samurai", shown=("samurai",)))
    folder = train_for(workspace, None, True, None, 1, 0, said.append)
    assert folder == workspace.folder / SCORER
    assert any(line.startswith("recall@10 after") for line in said)
    opened = Workspace.open(workspace.folder, workspace.encoder)
    assert opened.scorer_fault == ""
    assert isinstance(opened.ranker.scorer, Conversational)
    query = Query(liked=("babe",), messages=(Message("seeker", "", ("babe",)),))
    before, after = (
        [one.item_id for one in place.ranker.rank(query, 32).candidates].index("samurai")
        for place in (workspace, opened)
    )
    assert after < before
    assert many_is_one_by_one(opened)
    again = train_for(opened, None, True, None, 1, 0, said.append)
    assert any(line.startswith("recall@10 before") for line in said)
    assert sorted(path.name for path in again.parent.iterdir() if path.name.startswith(SCORER)) == [SCORER]

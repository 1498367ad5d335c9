"""The public API: stateless recommendations, conversations of several users, verdicts, the profile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import small

from agent import Recommender
from agent.conversation import Conversation
from agent.errors import MessageError
from agent.memory.store import ConversationError, UserError
from agent.types import Preference, Reply
from retrieval.errors import QueryError, TastebudError, UnknownItemError

CATALOGUE = small.parts()[0]


@pytest.fixture(scope="module")
def recommender() -> Iterator[Recommender]:
    made = small.recommender()
    yield made
    made.close()


@pytest.fixture
def chat(recommender: Recommender, request: pytest.FixtureRequest) -> Conversation:
    return recommender.conversation(user=request.node.name[:150])


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def ids(reply: Reply) -> list[str]:
    return [item.item_id for item in reply.items]


DIALOGUES = (
    [user("I loved Heat")],
    [user("a comedy"), assistant("Try *Big* (1988)."), user("something newer")],
    [user("I hated Scream, no horror"), assistant("Noted."), user("sci-fi from the 80s or 90s")],
    [],
    [assistant("Hello! What did you enjoy lately?"), user("Alien and Aliens")],
    [{"role": "seeker", "text": "with Tom Hanks"}, {"role": "recommender", "text": "Big?"}],
)


class TestStateless:
    def test_n_items_ranked_from_one_with_reasons(self, recommender: Recommender) -> None:
        result = recommender.recommend([user("I loved Heat, a crime film")], n=4)
        assert [item.rank for item in result.items] == [1, 2, 3, 4]
        assert all(item.reasons and item.title == CATALOGUE[item.item_id].title for item in result.items)
        assert [p.item_id for p in result.state.liked] == ["heat"]
        scores = [item.score for item in result.items]
        assert scores == sorted(scores, reverse=True)

    def test_neither_what_was_named_by_either_side_nor_what_is_excluded(
        self, recommender: Recommender
    ) -> None:
        messages = [user("I loved Fargo"), assistant("*Casino* (1995)?"), user("I've seen Pulp Fiction")]
        result = recommender.recommend(messages, n=32, exclude=["goodfellas", "big"])
        assert not {"fargo", "casino", "pulp", "goodfellas", "big"} & {i.item_id for i in result.items}
        assert len(result.items) == len(CATALOGUE) - 5

    def test_what_the_assistant_showed_can_be_pointed_at(self, recommender: Recommender) -> None:
        messages = [
            user("something tense"),
            assistant("*Alien* (1979) or *Psycho* (1960)?"),
            user("not the second"),
        ]
        assert [p.item_id for p in recommender.recommend(messages).state.disliked] == ["psycho"]

    def test_many_is_one_by_one(self, recommender: Recommender) -> None:
        assert recommender.recommend_many(DIALOGUES, n=7) == [recommender.recommend(d, 7) for d in DIALOGUES]

    def test_a_language_model_is_asked_again_for_the_same_message(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        language = small.ScriptedLanguage({"I loved Heat": {"act": "inform", "like": ["Heat"]}})
        made = small.scripted(language, monkeypatch)
        for _ in range(2):
            made.recommend([user("I loved Heat")])
        assert len(language.prompts) == 2

    def test_a_dialogue_sent_again_with_more_at_its_end_is_read_on(self) -> None:
        made = small.recommender()
        said = [user("I loved Heat"), assistant("*Ronin* (1998)?"), user("no, something funny")]
        whole = small.recommender().recommend(said)
        for length in range(len(said) + 1):
            found = made.recommend(said[:length])
        assert found == whole
        assert made.recommend([user("I loved Heat"), user("no, something funny")]).state != whole.state

    def test_nothing_is_kept(self, recommender: Recommender) -> None:
        first = recommender.recommend([user("I loved Heat")])
        recommender.recommend([user("I hated everything about Ronin")])
        assert recommender.recommend([user("I loved Heat")]) == first
        assert recommender.conversations("me") == []

    def test_without_any_message_the_most_loved_come(self, recommender: Recommender) -> None:
        result = recommender.recommend([], n=3)
        assert len(result.items) == 3
        assert result.state.turn == 0

    @pytest.mark.parametrize("item_id", ["nope", "", "Heat", "1"])
    def test_an_unknown_id_to_exclude_is_quoted(self, recommender: Recommender, item_id: str) -> None:
        with pytest.raises(UnknownItemError, match=f"Unknown item_id '{item_id}'"):
            recommender.recommend([user("hi")], exclude=[item_id])

    @pytest.mark.parametrize(
        "message",
        [
            {"role": "robot", "content": "hi"},
            {"content": "hi"},
            {"role": "user"},
            {"role": "user", "content": 3},
        ],
    )
    def test_a_malformed_message_is_quoted(self, recommender: Recommender, message: dict[str, str]) -> None:
        with pytest.raises(MessageError, match="Cannot read the message"):
            recommender.recommend([message])

    @pytest.mark.parametrize("n", [0, -1])
    def test_less_than_one_item(self, recommender: Recommender, n: int) -> None:
        with pytest.raises(ValueError, match=str(n)):
            recommender.recommend([user("a comedy")], n=n)

    def test_ask_recommends_at_once(self, recommender: Recommender) -> None:
        reply = recommender.ask("something like Heat", n=2)
        assert len(reply.items) == 2
        assert reply.question is None


class TestVerdicts:
    def test_a_like_changes_the_next_recommendation(self, recommender: Recommender) -> None:
        one, two = recommender.conversation("one"), recommender.conversation("two")
        assert ids(one.send("surprise me")) == ids(two.send("surprise me"))
        one.feedback("notting", liked=True)
        after_like, without = one.send("more"), two.send("more")
        assert ids(after_like) != ids(without)
        assert {"comedy", "romance"} & set(CATALOGUE[after_like.items[0].item_id].genres)

    def test_a_dislike_is_out_and_is_held_against_its_like(self, chat: Conversation) -> None:
        chat.feedback("alien", liked=False)
        assert chat.feedback_of("alien") == "disliked"
        assert "alien" not in {i for _ in range(4) for i in ids(chat.send("horror or sci-fi please"))}

    def test_taps_can_change_their_mind(self, chat: Conversation) -> None:
        chat.feedback("heat", liked=True)
        chat.feedback("heat", liked=False)
        assert (chat.feedback_of("heat"), chat.state.liked) == ("disliked", ())
        chat.feedback("heat", seen=True)
        assert chat.feedback_of("heat") == "disliked"
        chat.feedback("heat")
        assert (chat.feedback_of("heat"), chat.state.seen, chat.state.disliked) == (None, (), ())

    def test_a_tap_can_be_undone(self, chat: Conversation) -> None:
        chat.send("a comedy from the 90s")
        chat.feedback("heat", liked=True)
        assert chat.undo().liked == ()
        assert chat.state.years == (1990, 1999)

    def test_an_unknown_item_is_quoted_and_changes_nothing(
        self, recommender: Recommender, chat: Conversation
    ) -> None:
        before = chat.state
        calls = (
            chat.feedback,
            recommender.item,
            lambda i: recommender.why(chat, i),
            lambda i: recommender.why_not(chat, i),
        )
        for call in calls:
            with pytest.raises(UnknownItemError, match="'nope'"):
                call("nope")
        assert chat.state == before

    def test_taps_from_many_threads_are_all_kept(self, chat: Conversation) -> None:
        threads = [threading.Thread(target=chat.feedback, args=(i, True)) for i in small.IDS[:12]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {p.item_id for p in chat.state.liked} == set(small.IDS[:12])


class TestProfile:
    def test_each_entry_names_the_turn_and_the_words_that_set_it(self, chat: Conversation) -> None:
        chat.send("I loved Heat")
        chat.send("a comedy from the 90s, nothing scary, with Tom Hanks")
        entries = {(e.slot, e.value): e for e in chat.profile}
        assert (entries["liked", "Heat"].turn, entries["liked", "Heat"].quote) == (1, "I loved Heat")
        assert entries["liked", "Heat"].item_id == "heat"
        for key in (("wants", "comedy"), ("avoids", "horror"), ("people", "Tom Hanks"), ("years", "years")):
            assert entries[key].turn == 2
            assert entries[key].quote == "a comedy from the 90s, nothing scary, with Tom Hanks"
        assert entries["years", "years"].label == "from 1990 to 1999"

    def test_every_entry_can_be_removed_by_its_own_slot_and_value(self, chat: Conversation) -> None:
        chat.send("I loved Heat, hated Casino, seen Ronin, a comedy from the 90s, no war, with Tom Hanks")
        chat.send("in French for the kids, under 2 hours")
        assert len(chat.profile) >= 9
        while chat.profile:
            entry = chat.profile[0]
            left = len(chat.profile)
            chat.forget(entry.value, entry.slot)
            assert len(chat.profile) == left - 1

    def test_forgetting_counts_in_the_next_recommendation(self, chat: Conversation) -> None:
        chat.send("a western from the 90s, no war")
        chat.forget("western")
        chat.forget("years")
        state = chat.send("a musical drama").state
        assert state.years is None
        assert "western" not in [p.value for p in state.wants]

    def test_forget_removes_it_from_what_is_kept_too(
        self, recommender: Recommender, chat: Conversation
    ) -> None:
        chat.send("I loved Heat")
        chat.forget("Heat")
        assert recommender.conversation(chat.user).state.liked == ()


class TestAcrossConversations:
    def test_verdicts_stay_and_wishes_do_not(self, recommender: Recommender, chat: Conversation) -> None:
        chat.send("I loved Heat, hated Scream, a comedy from the 90s, no war")
        chat.feedback("big", seen=True)
        state = recommender.conversation(chat.user).state
        assert state.liked == (Preference("item", "Heat", "heat", None),)
        assert state.disliked == (Preference("item", "Scream", "scream", None),)
        assert [p.item_id for p in state.seen] == ["big"]
        assert (state.wants, state.avoids, state.years, state.turn) == ((), (), None, 0)

    def test_the_greeting_speaks_of_last_time_once(
        self, recommender: Recommender, chat: Conversation
    ) -> None:
        chat.send("I loved Heat")
        later = recommender.conversation(chat.user)
        assert "*Heat* (1995)" in later.send("hello").text
        assert "*Heat*" not in later.send("hello").text

    def test_what_was_refused_last_time_is_not_shown_now(
        self, recommender: Recommender, chat: Conversation
    ) -> None:
        chat.feedback("toystory", liked=False)
        later = recommender.conversation(chat.user)
        shown = {i for _ in range(3) for i in ids(later.send("a family comedy from the 90s"))}
        assert shown
        assert "toystory" not in shown

    def test_another_users_conversation_is_not_there(
        self, recommender: Recommender, chat: Conversation
    ) -> None:
        chat.send("I loved Heat")
        for name, conversation_id in (("eve", chat.conversation_id), (chat.user, "nope"), ("eve", "")):
            with pytest.raises(ConversationError, match=f"There is no conversation '{conversation_id}'"):
                recommender.conversation(name, conversation_id)
        assert recommender.conversation("eve").state.liked == ()
        assert recommender.conversations("eve") == []

    def test_going_on_with_an_earlier_one(self, tmp_path: Path) -> None:
        first = small.recommender(tmp_path / "chat.db")
        chat = first.conversation("ana")
        reply = chat.send("a comedy from the 90s")
        first.close()
        again = small.recommender(tmp_path / "chat.db").conversation("ana", chat.conversation_id)
        assert again.state == reply.state
        assert [turn.reply for turn in again.turns] == [reply]
        assert not set(ids(again.send("more"))) & set(ids(reply))
        assert [turn.index for turn in again.turns] == [1, 2]

    def test_forget_me_deletes_everything(self, recommender: Recommender) -> None:
        chat = recommender.conversation("mallory")
        chat.send("I loved Heat")
        recommender.forget_user("mallory")
        assert recommender.conversations("mallory") == []
        assert recommender.conversation("mallory").state.liked == ()
        with pytest.raises(ConversationError):
            chat.send("still there?")

    @pytest.mark.parametrize("name", ["", "   ", "a\x00b", "x" * 201])
    def test_a_bad_user_name_is_quoted(self, recommender: Recommender, name: str) -> None:
        with pytest.raises(UserError, match="User name"):
            recommender.conversation(name)


class TestLongTail:
    def test_it_stays_with_the_conversation_whatever_is_said_undone_or_started_over(
        self, tmp_path: Path
    ) -> None:
        first = small.recommender(database=tmp_path / "tail.db")
        chat = first.conversation(user="ana", long_tail=0.5)
        chat.send("I loved Heat")
        assert chat.set_long_tail(1).long_tail == 1.0
        chat.send("a comedy")
        assert chat.undo().long_tail == 1.0
        assert chat.send("start over").state.long_tail == 1.0
        first.close()
        second = small.recommender(database=tmp_path / "tail.db")
        again = second.conversation("ana", chat.conversation_id)
        assert again.state.long_tail == 1.0
        assert [e.label for e in again.profile if e.slot == "long_tail"] == ["hidden gems, 100%"]
        assert again.forget("long_tail", slot="long_tail").long_tail == 0.0
        assert not [e for e in again.profile if e.slot == "long_tail"]
        second.close()

    def test_setting_it_alone_is_nothing_to_undo(self, chat: Conversation) -> None:
        chat.set_long_tail(0.3)
        assert chat.undo().long_tail == 0.3

    def test_it_changes_the_next_reply_and_nothing_else_does(self, recommender: Recommender) -> None:
        said = [user("I loved Heat")]
        plain = [item.item_id for item in recommender.recommend(said, n=5).items]
        assert [item.item_id for item in recommender.recommend(said, n=5, long_tail=0).items] == plain
        reached = recommender.recommend(said, n=5, long_tail=1)
        assert [item.item_id for item in reached.items] != plain
        assert [item.rank for item in reached.items] == [1, 2, 3, 4, 5]

    def test_lesser_known_is_said_of_the_less_popular_half_alone(self, recommender: Recommender) -> None:
        ranker = recommender.workspace.ranker
        for long_tail in (0.0, 1.0):
            found = recommender.recommend([user("I loved Heat")], n=12, long_tail=long_tail).items
            told = {i.item_id for i in found if any(r.kind == "lesser_known" for r in i.reasons)}
            assert told == {i.item_id for i in found if long_tail and ranker.fame(i.item_id) < 0.5}
        assert told

    def test_what_is_shown_is_told_by_the_page(self, recommender: Recommender) -> None:
        """Three are shown at once, so at 0.5 one of the three is drawn; asking again gives the same ones."""
        plain = recommender.ask("I loved Heat", 3)
        reached = recommender.ask("I loved Heat", 3, long_tail=0.5)
        assert ids(reached)[:2] == ids(plain)[:2]
        assert ids(recommender.ask("I loved Heat", 3, long_tail=0.5)) == ids(reached)

    @pytest.mark.parametrize("value", [-0.1, 2, float("nan"), "much"])
    def test_a_value_out_of_range_is_quoted(self, recommender: Recommender, value: float) -> None:
        chat = recommender.conversation(user="ana")
        for act in (
            lambda: chat.set_long_tail(value),
            lambda: recommender.conversation("ana", long_tail=value),
            lambda: recommender.recommend([user("I loved Heat")], long_tail=value),
            lambda: recommender.ask("I loved Heat", long_tail=value),
            lambda: recommender.recommend([user("I loved Heat")], diversity=value),
        ):
            with pytest.raises(QueryError, match=f"= .*{value}.*from 0 to 1"):
                act()


def test_opening_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TastebudError, match="missing"):
        Recommender.open(tmp_path / "missing", llm="none")


def test_a_database_given_as_text_is_a_path_or_a_url(tmp_path: Path) -> None:
    for place in (str(tmp_path / "one.db"), f"sqlite:///{tmp_path / 'two.db'}"):
        small.recommender(place).conversation("ana").send("hello")
    assert {path.name for path in tmp_path.glob("*.db")} == {"one.db", "two.db"}


def test_the_welcome_has_moods_to_pick(recommender: Recommender, chat: Conversation) -> None:
    for option in recommender.welcome.options:
        assert recommender.conversation("newcomer").send(option).trace.frame.act != "chat"

"""The independent check of replies: what it lets pass, and every kind of fault it must find."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.types import DialogueState, Frame, Preference, Reply, Step, Trace
from eval.grounding import FilmIndex, Known, check_reply
from retrieval.types import Item, Reason, Recommendation

ITEMS = (
    Item("1", "Heat", 1995, genres=("crime", "thriller"), minutes=170),
    Item("2", "The Fugitive", 1993, genres=("action", "thriller"), minutes=130),
    Item("3", "The Big Lebowski", 1998, genres=("comedy", "crime"), minutes=117),
    Item("4", "Star Trek", 1979, genres=("sci-fi",)),
    Item("5", "Star Trek: First Contact", 1996, genres=("sci-fi", "action"), minutes=111),
    Item("6", "The Game", 1997, genres=("mystery", "thriller"), minutes=129),
    Item("7", "Seven", 1995, genres=("crime",), aliases=("Seven (Se7en)",)),
    Item("8", "Chasing Amy", 1997, genres=("drama",)),
    Item("9", "Chasing Amy", 1997, genres=("drama",)),
    Item("10", "12 Angry Men", 1957, genres=("drama",), minutes=96),
    Item("11", "As Good As It Gets", 1997, genres=("comedy",)),
)
FILMS = FilmIndex(ITEMS)
TITLES = {item.item_id: item.title for item in ITEMS}


def reply(text: str, *ids: str, **fields: object) -> Reply:
    items = tuple(Recommendation(i, TITLES.get(i, i), 1.0, rank) for rank, i in enumerate(ids, start=1))
    return replace(Reply(text, items), **fields)


def faults(answer: Reply, *messages: str, **known: frozenset[str]) -> tuple[str, ...]:
    return check_reply(answer, FILMS, Known(messages, **known))


def liked(*ids: str) -> tuple[Preference, ...]:
    return tuple(Preference("item", TITLES[i], i, 1) for i in ids)


class TestWhatPasses:
    def test_a_recommendation_with_title_and_year(self) -> None:
        state = DialogueState(liked=liked("1"), shown=("2",), last_shown=("2",))
        answer = reply("You liked *Heat* (1995): try *The Fugitive* (1993).", "2", state=state)
        assert faults(answer, "something like heat") == ()

    def test_a_film_the_user_named_that_is_not_in_the_catalogue(self) -> None:
        answer = reply("I don't have *Zyxxor 9* in my catalogue. What was it like?")
        assert faults(answer, "I loved Zyxxor 9") == ()

    def test_a_near_miss_of_the_users_words(self) -> None:
        assert faults(reply("*The Big Lebowski* (1998), right?"), "why not big lebovski") == ()

    def test_a_longer_title_is_not_taken_for_the_shorter_one_in_it(self) -> None:
        assert faults(reply("*Star Trek: First Contact* (1996) then.", "5")) == ()

    def test_plain_words_that_are_a_short_title(self) -> None:
        assert faults(reply("Is it the game between cop and thief you like?")) == ()

    def test_years_of_the_state_and_their_neighbours(self) -> None:
        state = DialogueState(years=(None, 1994))
        assert faults(reply("From before 1995: *The Fugitive* (1993).", "2", state=state)) == ()

    def test_decades_of_items_and_of_the_state(self) -> None:
        state = DialogueState(years=(1970, 1999))
        assert faults(reply("From the 1970s to the '90s, which?", state=state)) == ()

    def test_decades_offered_as_answers_to_a_question(self) -> None:
        asked = Reply("From the 1990s or the 1950s?", options=("1990s", "1950s"))
        assert faults(asked) == ()
        assert len(faults(replace(asked, options=()))) == 2
        assert len(faults(Reply("From the 1920s?", options=("1920s",)))) == 1

    def test_an_example_in_quotes_but_not_beside_items(self) -> None:
        words = 'Say something like "a comedy under 100 minutes".'
        assert faults(reply(words)) == ()
        assert any("'100'" in fault for fault in faults(reply(words, "2")))

    def test_what_code_counted(self) -> None:
        trace = Trace(steps=(Step("retrieve", 0.01, "code", "214 candidates"),))
        assert faults(reply("I looked at 214 films.", trace=trace)) == ()

    def test_a_rank_only_in_an_explanation(self) -> None:
        answer = reply("*The Big Lebowski* (1998) came as number 14.")
        asked = replace(answer, trace=Trace(frame=Frame(act="ask_why")))
        assert faults(asked, "why not the big lebowski?") == ()
        assert any("'14'" in fault for fault in faults(answer, "the big lebowski"))

    def test_the_figure_in_a_title(self) -> None:
        assert faults(reply("*12 Angry Men* (1957), 96 minutes in one room.", "10")) == ()


class TestWhatIsFound:
    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (reply("Try *Collateral* (2004)."), "'Collateral' is named, and is neither"),
            (reply("Try this.", "99"), "not in the catalogue"),
            (reply("*Heat* (1994) it is.", "1"), "given the year 1994"),
            (reply("Try *Heat* (1995).", "2"), "'Heat' is named without"),
            (reply("Like The Big Lebowski, this is fun.", "2"), "'The Big Lebowski' is named without"),
            (reply("It is as good as it gets.", "2"), "'as good as it gets' is named without"),
            (reply("From 2004.", "2"), "'2004'"),
            (reply("It won 7 prizes.", "2"), "'7'"),
            (reply("A classic of the 1950s.", "2"), "1950s"),
            (reply("Two of them.", "8", "9"), "in this reply already"),
        ],
    )
    def test_an_invention(self, answer: Reply, words: str) -> None:
        assert any(words in fault for fault in faults(answer)), faults(answer)

    def test_a_title_in_a_reason(self) -> None:
        item = Recommendation(
            "2", "The Fugitive", 1.0, 1, (Reason("likeness", "for lovers of The Big Lebowski"),)
        )
        assert any("Big Lebowski" in fault for fault in faults(Reply("This one.", (item,))))

    def test_a_wrong_title_and_a_wrong_rank(self) -> None:
        found = faults(Reply("This one.", (Recommendation("2", "The Bodyguard", 1.0, 3),)))
        assert any("not 'The Bodyguard'" in fault for fault in found)
        assert any("rank 3 at place 1" in fault for fault in found)

    @pytest.mark.parametrize("slot", ["liked", "disliked", "seen"])
    def test_an_item_the_user_knows(self, slot: str) -> None:
        state = replace(DialogueState(), **{slot: liked("2")})
        assert any("although it is" in fault for fault in faults(reply("This one.", "2", state=state)))

    def test_a_repeated_item_also_under_another_id(self) -> None:
        assert any(
            "recommended before" in fault for fault in faults(reply("So.", "2"), excluded=frozenset({"2"}))
        )
        assert any(
            "recommended before" in fault for fault in faults(reply("So.", "9"), excluded=frozenset({"8"}))
        )


class TestPromises:
    @pytest.mark.parametrize(
        ("state", "words"),
        [
            (DialogueState(years=(1994, None)), "outside"),
            (DialogueState(max_minutes=120), "over 120"),
            (DialogueState(language="french"), "language"),
            (DialogueState(audience="family"), "audience"),
            (DialogueState(avoids=(Preference("genres", "action"),)), "avoided"),
            (DialogueState(wants=(Preference("genres", "comedy"),)), "none of what is wanted"),
            (DialogueState(people=(Preference("person", "Al Pacino"),)), "none of Al Pacino"),
        ],
    )
    def test_a_broken_promise_is_found_unless_the_reply_says_it_was_relaxed(
        self, state: DialogueState, words: str
    ) -> None:
        assert any(words in fault for fault in faults(reply("This one.", "2", state=state)))
        bent = {
            "outside": "films older than 1994",
            "over 120": "running time up to 130 minutes",
            "language": "french language",
            "audience": "for the family",
            "avoided": "without action",
            "none of what is wanted": "comedy",
            "none of Al Pacino": "Al Pacino",
        }[words]
        said = reply(f"I gave up {bent}.", "2", state=state, relaxed=(bent,))
        assert faults(said) == ()

    def test_one_of_several_wants_is_enough_and_alternatives_count(self) -> None:
        state = DialogueState(wants=(Preference("genres", "comedy or thriller"), Preference("genres", "war")))
        assert faults(reply("This one.", "2", state=state)) == ()

    def test_relaxing_in_silence_is_found(self) -> None:
        state = DialogueState(max_minutes=120)
        found = faults(reply("Here you go.", "2", state=state, relaxed=("running time up to 130 minutes",)))
        assert found == ("'running time up to 130 minutes' was relaxed, and the text does not say so",)

    def test_relaxing_one_promise_does_not_excuse_another(self) -> None:
        state = DialogueState(max_minutes=120, avoids=(Preference("genres", "action"),))
        found = faults(reply("A few minutes more.", "2", state=state, relaxed=("130 minutes",)))
        assert len(found) == 1
        assert "avoided" in found[0]


def test_titles_are_found_by_name_alias_and_year_in_any_case() -> None:
    assert FILMS.find("heat") == {"1"}
    assert FILMS.find("HEAT (1995)") == {"1"}
    assert FILMS.find("seven (se7en)") == {"7"}
    assert FILMS.find("Chasing Amy") == {"8", "9"}
    assert FILMS.find("Heat (1986)") == frozenset()


@given(st.text(max_size=300))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    assert all(isinstance(fault, str) for fault in check_reply(reply(text, "2"), FILMS, Known((text,))))


@given(
    st.sampled_from([item for item in ITEMS if len(item.title.split()) > 1]),
    st.text(alphabet="abc xyz,.", max_size=40),
)
def test_a_title_is_found_wherever_it_stands(item: Item, words: str) -> None:
    found = list(FILMS.named_in(f"{words} {item.title} {words}"))
    assert any(item.item_id in ids for _, ids in found)

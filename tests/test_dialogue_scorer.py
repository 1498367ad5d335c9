"""The learned scorer of dialogues: features by hand, lists that hide their answers, models that learn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from listener_layers import tiny_layers
from test_redial import LettersEncoder, recommender, seeker

from finetune.content import content
from finetune.lists import FOLDS, OTHERS, Prepared, RankedList, prepare, sampled, stops
from finetune.readings import examples
from finetune.scorer import ScorerSettings, Split, fit, fit_net, fit_trees, split
from finetune.splits import place
from finetune.targets import cases
from finetune.tower import TowerSettings, train_tower
from retrieval.catalogue import Catalogue
from retrieval.errors import UnknownItemError, WorkspaceError
from retrieval.features import GROUPS, NAMES, Features
from retrieval.listwise import Net, NetWeights
from retrieval.scorer import Blend, LearnedScorer, put_first
from retrieval.signals.alignment import Alignment, labels
from retrieval.signals.comentions import Comentions, Mentions, rows_of
from retrieval.signals.facts import Facts
from retrieval.signals.following import Following
from retrieval.signals.neighbours import Neighbours
from retrieval.signals.reading import Reader, phrases, seeker_texts
from retrieval.signals.tower import Chances, Tower, former
from retrieval.types import Item

FILMS = Catalogue(
    [
        Item("a", "Alien", 1979, ("horror", "sci-fi"), ("Ridley Scott",), ("Sigourney Weaver",)),
        Item("b", "Aliens", 1986, ("action", "sci-fi"), ("James Cameron",), ("Sigourney Weaver",)),
        Item("c", "Titanic", 1997, ("romance",), ("James Cameron",), ("Kate Winslet",)),
        Item("d", "Notting Hill", 1999, ("comedy", "romance"), ("Roger Michell",), ("Hugh Grant",)),
        Item("e", "Alien Resurrection", None, ("horror", "sci-fi"), (), ("Sigourney Weaver",)),
    ]
)

# Who names one film of space is recommended the other; who wants romance is recommended Titanic.
SPACE = {
    f"space {k}": (seeker(f"hello {k} something scary Alien (1979)", "a"), recommender("see", "b"))
    for k in range(12)
}
LOVE = {
    f"love {k}": (seeker(f"hello {k} a romantic film please"), recommender("see", "c", "d"))
    for k in range(12)
}
DIALOGUES = {**SPACE, **LOVE}
MENTIONS = Mentions.count(DIALOGUES.values(), FILMS)
TEXTS = LettersEncoder().encode([item.title for item in FILMS])
SAME = Alignment(labels(FILMS), FILMS, TEXTS)
QUICK = TowerSettings(dimension=8, epochs=12, batch=8, learning_rate=0.05, fewest=2, fewest_pairs=2, starts=1)
SMALL = ScorerSettings(30, leaves=4, fewest_in_leaf=5, tree_rate=0.2, epochs=20, batch=8, net_rate=0.02)


NONE = np.zeros(5, np.float32)
UNKNOWN = Chances(NONE, NONE, NONE, NONE)


def rows(*items: str) -> np.ndarray:
    return rows_of(FILMS, items)


ORDERED = Mentions.count(
    [
        (seeker("", "a"), recommender("", "b", "c")),
        (recommender("", "b"), seeker("", "a"), recommender("", "c")),
        (seeker("", "a", "d"),),
    ],
    FILMS,
)


def test_what_follows_is_counted_in_order_and_only_where_the_recommender_names_it() -> None:
    signal = Following(ORDERED, FILMS)
    # Three dialogues name a; recommenders name b in 2/3 of them and c in 2/3. After a: b once and c twice.
    prior = 10 * 2 / 3
    assert signal.later(rows("a"))[0].tolist() == pytest.approx([0, (1 + prior) / 13, (2 + prior) / 13, 0, 0])
    # Directly after a: b once, c once; the seeker's d does not count.
    assert signal.next(rows("a"))[0].tolist() == pytest.approx([0, (1 + prior) / 13, (1 + prior) / 13, 0, 0])
    messages = (seeker("", "a", "b"),)
    assert signal.scores(messages) == pytest.approx(signal.later(rows("a", "b")).sum(axis=0))


def test_dialogues_that_share_two_items_have_four_votes_per_one() -> None:
    counted = Mentions.count(
        [
            (seeker("", "a", "b"), recommender("", "c")),
            (seeker("", "a", "b"), recommender("", "c")),
            (seeker("", "a"), recommender("", "d", "e")),
            (seeker("", "b"), recommender("", "d", "e")),
        ],
        FILMS,
    )
    # a and b are in three dialogues each: a shared item weighs 1 / sqrt(3); every dialogue has three items.
    signal = Neighbours(counted, FILMS)
    found = signal.scores((seeker("", "a", "b"),))
    votes = np.array([0, 0, 4 + 4, 1 + 1, 1 + 1]) / 9
    assert found.tolist() == pytest.approx((votes / votes.sum()).tolist())
    assert signal.scores((seeker("hello"),)).tolist() == [0] * 5


def test_facts_by_hand() -> None:
    facts = Facts(FILMS)
    some, named = rows("b", "c", "e"), rows("a")
    assert facts.genres(some, named).ravel().tolist() == pytest.approx([0.5, 0, 1])
    assert facts.people(some, named).ravel().tolist() == [1, 0, 1]
    assert facts.directors(some, rows("c")).ravel().tolist() == [1, 1, 0]
    titles = facts.titles(some, named).ravel()
    assert titles[:2].tolist() == [0, 0]
    assert 0 < titles[2] < 1
    years = facts.years_apart(some, named).ravel()
    assert years[:2].tolist() == [7, 18]
    assert np.isnan(years[2])


def test_wishes_by_hand() -> None:
    facts, every = Facts(FILMS), np.arange(5)
    assert facts.genres_asked(every, "Something SCARY and funny").tolist() == [0, -2, -2, 0, 0]
    assert facts.genres_asked(every, "anything").tolist() == [0] * 5
    assert facts.people_asked(every, "with sigourney weaver, please").tolist() == [1, 1, 0, 0, 1]
    assert facts.decade_asked(every, "not the 70s, the 1990's").tolist() == [-1, -1, 1, 1, -1]
    assert facts.decade_asked(every, "old").tolist() == [0] * 5


def reader(*words: str) -> Reader:
    return Reader(FILMS, words, LettersEncoder())


def test_a_reading_by_hand() -> None:
    messages = (
        seeker("Alien (1979) is scary", "a", "unknown"),
        recommender("So is this", "b"),
        seeker("scary things, and Alien (1979) again", "a"),
    )
    reading = reader("scari", "so", "scari_thing").read(messages)
    assert reading.mentions.tolist() == [[1, 1, 1, 1], [0, 0, 0, 0]]  # Alien was named last, by the seeker
    assert reading.words.tolist() == [[0, 2], [4, 1], [0, 0], [2, 0]]
    said = LettersEncoder().encode(["is scary", "scary things, and   again"])
    assert seeker_texts(messages, FILMS) == ["is scary", "scary things, and   again"]
    assert reading.last == pytest.approx(said[1])
    assert reading.said == pytest.approx((0.85 * said[0] + said[1]) / 1.85)
    assert reading.turn == 3


def test_nothing_said_reads_as_nothing() -> None:
    reading = reader().read((recommender("", "b"),))
    assert not reading.said.any()
    assert reading.words.shape == (0, 2)
    assert phrases("Super heroes") == ["super", "hero", "super_hero"]


def test_each_feature_has_a_name_and_some_are_reckoned_by_hand() -> None:
    features = Features(FILMS, MENTIONS, TEXTS)
    messages = (seeker("a scary film like Alien (1979)", "a"), recommender("Titanic?", "c"))
    every = np.log(np.array([0.1, 0.4, 0.2, 0.05, 0.25], np.float32))
    chances = Chances(every, np.arange(5, dtype=np.float32), NONE, NONE)
    table = features.of(messages, rows("b", "e"), chances, reader().read(messages), heard=2 * every)
    assert table.shape == (2, len(NAMES)) == (2, sum(len(names) for names in GROUPS.values()))
    aliens, resurrection = (dict(zip(NAMES, row.tolist(), strict=True)) for row in table)
    assert aliens["chance"] == pytest.approx(np.log(0.4))
    assert [aliens["rank by chance"], resurrection["rank by chance"]] == pytest.approx([0, np.log(2)])
    assert [aliens["chance by names"], resurrection["chance by names"]] == [-1, 2]  # less the mean of all
    assert aliens["chance by the tuned encoder"] == pytest.approx(2 * np.log(0.4))
    given = Comentions(MENTIONS, FILMS).given(rows("a", "c"))[:, 1]
    assert aliens["named together"] == pytest.approx(given.sum())
    assert aliens["named together with the seeker's"] == pytest.approx(given[0])
    assert aliens["named together with the last"] == pytest.approx(given[1])
    assert aliens["people in common"] == 2  # Weaver with Alien, Cameron with Titanic
    assert aliens["years apart"] == (7 + 11) / 2
    assert np.isnan(resurrection["years apart"])
    assert resurrection["year"] == 1991.5  # the catalogue's median
    assert [aliens[name] for name in GROUPS["novelty"]] == [2, 1, 2]


def test_features_without_anything_named_are_unknown_not_zero() -> None:
    features, messages = Features(FILMS, MENTIONS, TEXTS), (seeker("hello"),)
    (row,) = features.of(messages, rows("b"), UNKNOWN, reader().read(messages))
    found = dict(zip(NAMES, row.tolist(), strict=True))
    assert np.isnan(
        [
            found["genres in common"],
            found["years apart from the last"],
            found["closest that was named"],
            found["next after the last"],
            found["chance by the tuned encoder"],
        ]
    ).all()
    assert found["named together"] == 0


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    layers = tiny_layers()
    return prepare(FILMS, DIALOGUES, {}, LettersEncoder(), layers, QUICK, seed=0, say=lambda text: None)


def test_lists_are_made_by_towers_and_counts_that_have_not_seen_them(prepared: Prepared) -> None:
    assert len(prepared.lists) == 24
    assert {one.dialogue for one in prepared.lists} == set(DIALOGUES)
    name = "space 0"
    (one,) = [one for one in prepared.lists if one.dialogue == name]
    assert one.recommended.tolist() == [True, False, False, False]  # b of b, c, d, e: Alien is named already
    fold = int(place(f"fold:{name}") * FOLDS)
    others = [said for other, said in DIALOGUES.items() if int(place(f"fold:{other}") * FOLDS) != fold]
    rest = Mentions.count(others, FILMS)
    (case,) = cases({name: DIALOGUES[name]})
    fresh = Features(FILMS, rest, prepared.features.texts)
    reading = prepared.tower.reader.read(case.before)
    apart = fresh.of(case.before, rows("b", "c", "d", "e"), UNKNOWN, reading)
    trained = (*GROUPS["towers"], *GROUPS["encoder"])
    kept = [column for column, name in enumerate(NAMES) if name not in trained]
    assert not stops(name)
    assert one.features[:, kept] == pytest.approx(apart[:, kept], abs=1e-5, nan_ok=True)


def test_towers_learn_from_names_and_from_words(prepared: Prepared, tmp_path: Path) -> None:
    space = (seeker("Alien (1979)", "a"),)
    love = (seeker("hello 99 a romantic film please"),)
    assert np.argmax(prepared.tower.scores(space)[1:]) == 0  # what was named itself is not asked for
    assert np.argmax(prepared.tower.scores(love)) in (2, 3)
    assert np.exp(prepared.tower.scores(love)).sum() == pytest.approx(1, abs=1e-4)
    prepared.tower.save(tmp_path)
    opened = Tower.load(tmp_path, LettersEncoder(), FILMS, SAME)
    assert opened.scores(space) == pytest.approx(prepared.tower.scores(space), abs=0.05)
    biases = []
    for messages in (space, love):
        chances = prepared.tower.chances(prepared.tower.reader.read(messages))
        biases.append(chances.all - chances.names - chances.words - chances.sense)
    away = biases[0] - biases[1]  # the rest is biases, and a constant that makes probabilities add up to 1
    assert away == pytest.approx(np.full(5, away[0]), abs=1e-4)


def test_of_two_pairs_of_towers_the_mean_counts(prepared: Prepared) -> None:
    reader, texts = prepared.tower.reader, prepared.features.texts
    training = list(examples(DIALOGUES, reader, QUICK.further))

    def trained(starts: int, seed: int) -> Tower:
        settings = replace(QUICK, epochs=1, starts=starts)
        return train_tower(training, reader, texts, settings, seed, lambda text: None)

    reading = reader.read((seeker("Alien (1979)", "a"),))
    both, one, other = (trained(starts, seed).chances(reading) for starts, seed in ((2, 3), (1, 3), (1, 4)))
    assert both.names == pytest.approx((one.names + other.names) / 2, abs=1e-5)
    mean = (one.all + other.all) / 2
    assert both.all == pytest.approx(mean - np.log(np.exp(mean).sum()), abs=1e-5)


def test_damaged_weights_are_refused(prepared: Prepared, tmp_path: Path) -> None:
    prepared.tower.save(tmp_path)
    (tmp_path / "tower.json").write_text(json.dumps({"words": []}))
    with pytest.raises(WorkspaceError, match="cannot be read"):
        former(tmp_path)
    (tmp_path / "tower.safetensors").write_bytes(b"nothing")
    with pytest.raises(WorkspaceError, match="cannot be read"):
        Tower.load(tmp_path, LettersEncoder(), FILMS, SAME)


def test_what_the_catalogue_says_is_weighed_by_rarity() -> None:
    facts = content(FILMS)
    assert facts.shape[0] == len(FILMS)
    kinds = (facts.multiply(facts)).sum(axis=1)
    assert kinds[0] == pytest.approx(3)  # Alien: genres, people, title; no period is shared, no description


def made_up_lists(count: int = 180) -> tuple[RankedList, ...]:
    """The recommended one has the highest first feature; the rest is noise, one column unknown."""
    rng = np.random.default_rng(0)
    found = []
    for number in range(count):
        features = rng.normal(size=(10, len(NAMES))).astype(np.float32)
        features[:, 1] = np.nan
        found.append(RankedList(features, features[:, 0] == features[:, 0].max(), f"dialogue {number}"))
    return tuple(found)


def hits(model: Blend, lists: tuple[RankedList, ...]) -> float:
    return float(np.mean([one.recommended[np.argmax(model.score(one.features))] for one in lists]))


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:Degrees of freedom")
def test_trees_and_network_find_the_feature_that_matters() -> None:
    # The last column is the tuned encoder's, which trees and network never see.
    lists, columns = split(made_up_lists()[:150]), range(len(NAMES) - 1)
    assert lists.stopping
    fresh = made_up_lists()[150:]
    trees, net = fit_trees(lists, columns, SMALL, 0), fit_net(lists, columns, SMALL, 0)
    blend = fit(lists, range(len(NAMES)), SMALL, 0)
    for share in (0.0, 1.0):
        model = Blend(trees, net, share, columns, {})
        assert hits(model, fresh) > 0.6
        weights = np.abs(model.contributions(fresh[0].features)).mean(axis=0)
        assert np.argmax(weights) == 0
    assert hits(blend, fresh) > 0.9  # the feature itself is added to the models
    assert blend.columns == list(columns)
    assert blend.added.keys() == {"chance", "chance by the tuned encoder"}
    assert blend.added["chance"] > 0


def test_dialogues_fall_on_one_side_of_the_split() -> None:
    lists = made_up_lists() + made_up_lists()
    parts: Split = split(lists)
    fitted, stopping = ({one.dialogue for one in part} for part in (parts.fitted, parts.stopping))
    assert not fitted & stopping
    assert len(parts.fitted) + len(parts.stopping) == len(lists)


def test_contributions_of_a_line_add_up_to_the_score() -> None:
    line = torch.tensor([2.0, -1.0])
    net = Net(
        NetWeights(torch.zeros(2), torch.ones(2), line, torch.zeros(2, 3), torch.zeros(3), torch.zeros(3))
    )
    features = np.array([[1, 3], [0.5, np.nan]], np.float32)
    assert net.score(features).tolist() == [-1, 1]
    assert net.contributions(features).tolist() == [[2, -3], [1, 0]]


def test_trees_add_up_too() -> None:
    lists = Split(made_up_lists(30), made_up_lists(30)[:5])
    trees = fit_trees(lists, range(len(NAMES)), SMALL, 0)
    table = made_up_lists(1)[0].features
    away = trees.score(table) - trees.contributions(table).sum(axis=1)
    assert away == pytest.approx(np.full(10, away[0]), abs=1e-6)  # what is left is the trees' mean


def test_candidates_stand_above_all_others_in_the_order_of_their_scores() -> None:
    found = put_first(np.array([-1, -2, -3, -4], np.float32), np.array([2, 3]), np.array([-7.0, -5.0]))
    assert np.argsort(-found).tolist() == [3, 2, 0, 1]
    nothing = put_first(np.array([-2, -1], np.float32), np.array([], np.int64), np.array([]))
    assert np.argsort(-nothing).tolist() == [1, 0]


def test_the_scorer_ranks_what_was_never_named_first_and_says_why(prepared: Prepared, tmp_path: Path) -> None:
    lists = Split(prepared.lists, prepared.lists)
    blend = fit(lists, range(len(NAMES)), SMALL, 0)
    scorer = LearnedScorer(prepared.tower, prepared.features, blend, prepared.listener)
    messages = (seeker("Alien (1979)", "a"),)
    scores = scorer.scores(messages)
    assert np.argmax(scores[1:]) == 0
    assert scores[0] < scores[1:].min()  # it was named already
    why = scorer.contributions(messages, "b")
    assert set(why) == set(NAMES)
    assert list(map(abs, why.values())) == sorted(map(abs, why.values()), reverse=True)
    with pytest.raises(UnknownItemError):
        scorer.contributions(messages, "nowhere")
    scorer.save(tmp_path / "scorer")
    opened = LearnedScorer.load(tmp_path / "scorer", FILMS, LettersEncoder(), TEXTS, tiny_layers)
    assert np.argsort(opened.scores(messages)).tolist() == np.argsort(scores).tolist()


OTHER_FEATURES = '{"share": 0.5, "columns": [], "added": {}, "features": ["chance"]}'


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("trees.txt", "no trees", "models"),
        ("net.safetensors", "nothing", "models"),
        (
            "blend.json",
            '{"share": 0.5, "columns": [], "added": {}, "features": ["chance"]}',
            "other features",
        ),
        ("counts.safetensors", "nothing", "counts"),
    ],
)
def test_a_damaged_scorer_is_refused(
    name: str, content: str, says: str, prepared: Prepared, tmp_path: Path
) -> None:
    lists = Split(prepared.lists, prepared.lists)
    blend = fit(lists, range(len(NAMES)), SMALL, 0)
    LearnedScorer(prepared.tower, prepared.features, blend, prepared.listener).save(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(WorkspaceError, match=f"{says}.* Train the scorer again"):
        LearnedScorer.load(tmp_path, FILMS, LettersEncoder(), TEXTS, tiny_layers)


def test_what_is_kept_of_a_list_tells_nothing_about_where_it_stood() -> None:
    hits = np.arange(5 * OTHERS + 1) == 7
    rng = np.random.default_rng(0)
    draws = [sampled(hits, rng) for _ in range(200)]
    assert all(len(kept) == OTHERS + 1 and 7 in kept for kept in draws)
    often = np.bincount(np.concatenate(draws), minlength=len(hits))
    first, last = often[:100].sum() - often[7], often[-99:].sum()  # 99 others at either end of the list
    assert first == pytest.approx(last, rel=0.1)
    assert sampled(np.array([False, True, False]), rng).tolist() == [0, 1, 2]

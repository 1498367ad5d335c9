"""The report's table of contents: what was found -> all chapters, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from eval.machine import machine
from eval.satisfaction.behaviour import simulated_sessions
from eval.satisfaction.chapters.accuracy import accuracy, warmth
from eval.satisfaction.chapters.beyond import calibration, diversity
from eval.satisfaction.chapters.fairness import fairness
from eval.satisfaction.chapters.prose import missing, saying, title_of, words_of
from eval.satisfaction.chapters.spread import spread
from eval.satisfaction.chapters.talking import scripted, talking
from eval.satisfaction.chapters.using import behaviour, modelled, speed
from eval.satisfaction.chapters.wording import wording
from eval.satisfaction.page.document import Chapter, Document
from eval.satisfaction.people import People
from eval.satisfaction.run import Findings


def document(found: Findings) -> Document:
    """The whole report. What could not be measured is a chapter that says why."""
    plan, counts = found.plan, found.workspace.manifest.counts
    name = "The starter workspace" if plan.starter else f"The workspace {found.workspace.folder}"
    known = found.workspace.interactions
    users = (
        f"{known.matrix.nnz:,} interactions of {len(known.users):,} people" if known else "no interactions"
    )
    subject = f"{name}: {counts['items']:,} items, {users}; language model: {plan.llm}; seed {plan.seed}."
    return Document(subject, tuple(_chapters(found)), plan.settings(found.workspace))


def _chapters(found: Findings) -> Iterator[Chapter]:
    seed, people = found.plan.seed, found.people
    of_people: Mapping[str, Callable[[People], Chapter]] = {
        "accuracy": lambda people: accuracy(people, seed),
        "warmth": lambda people: warmth(people, seed),
        "talking": lambda people: talking(people, seed),
        "diversity": lambda people: diversity(people, seed),
        "spread": lambda people: spread(people, seed),
        "calibration": lambda people: calibration(people, seed),
        "fairness": lambda people: fairness(people, found.groups, seed),
        "satisfaction": lambda people: modelled(people, seed),
    }
    for key, written in of_people.items():
        yield missing(key, people) if isinstance(people, str) else written(people)
    met = () if isinstance(people, str) else people.met
    yield behaviour(found.sessions, simulated_sessions(met), seed)
    yield scripted(found.played, found.unfit)
    yield wording(met, found.played, seed)
    said = [one for talk in met for one in talk.replies] + [
        one for talk in found.played for one in talk.replies
    ]
    yield speed(said, found.plan.llm)
    yield _how(found)


def _how(found: Findings) -> Chapter:
    plan, people = found.plan, found.people
    told, measured = "", "nobody held out"
    if not isinstance(people, str):
        n = len(people.met)
        measured = f"{n} people held out"
        scorer = saying("how", "learned" if people.learned else "fusion")
        told = saying("how", "people", untrained=people.untrained, n=n, scorer=scorer)
    words = words_of(
        "how",
        users=plan.users,
        quick=" quick," if plan.quick else "",
        llm=plan.llm,
        seed=plan.seed,
        measured=measured,
        scripts=f"{len(found.played)} scripted dialogues",
        machine=machine(),
        people=told,
    )
    return Chapter("how", title_of("how"), words, timed=True)

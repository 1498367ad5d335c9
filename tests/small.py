"""A workspace of thirty-two real films, small enough to reason about by hand, and a language model that
says what it is told to. Shared by the tests of the agent."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from agent.errors import ModelError
from agent.model.language import Language
from agent.reading.link import Linker
from agent.reading.rules import Context
from agent.reading.vocabulary import Vocabulary
from agent.recommender import Recommender
from retrieval.catalogue import Catalogue, CatalogueRead
from retrieval.interactions import Interactions, InteractionsRead
from retrieval.types import Interaction, Item
from retrieval.workspace import Workspace

# id | title | year | genres | director | cast | minutes | language | audience | themes
TABLE = """
heat|Heat|1995|crime,thriller|Michael Mann|Al Pacino,Robert De Niro|170|english|adult|heist
casino|Casino|1995|crime,drama|Martin Scorsese|Robert De Niro|178|english|adult|mafia
fugitive|The Fugitive|1993|action,thriller|Andrew Davis|Harrison Ford|130|english|teen|on the run
ronin|Ronin|1998|action,thriller|John Frankenheimer|Robert De Niro|122|english|adult|heist
fargo|Fargo|1996|crime,comedy|Joel Coen|Frances McDormand|98|english|adult|kidnapping
lebowski|The Big Lebowski|1998|comedy,crime|Joel Coen|Jeff Bridges|117|english|adult|kidnapping
pulp|Pulp Fiction|1994|crime,drama|Quentin Tarantino|Uma Thurman|154|english|adult|mafia
goodfellas|Goodfellas|1990|crime,drama|Martin Scorsese|Robert De Niro|146|english|adult|mafia
shawshank|The Shawshank Redemption|1994|drama|Frank Darabont|Morgan Freeman|142|english|adult|prison
alien|Alien|1979|horror,sci-fi|Ridley Scott|Sigourney Weaver|117|english|adult|space
aliens|Aliens|1986|action,sci-fi|James Cameron|Sigourney Weaver|137|english|adult|space
thing|The Thing|1982|horror,sci-fi|John Carpenter|Kurt Russell|109|english|adult|isolation
scream|Scream|1996|horror,thriller|Wes Craven|Neve Campbell|111|english|adult|slasher killer
psycho|Psycho|1960|horror,thriller|Alfred Hitchcock|Anthony Perkins|109|english|adult|slasher killer
terminator2|Terminator 2: Judgment Day|1991|action,sci-fi|James Cameron|Linda Hamilton|137|english|adult|robot
blade|Blade Runner|1982|sci-fi,thriller|Ridley Scott|Harrison Ford|117|english|adult|robot
matrix|The Matrix|1999|action,sci-fi|Lana Wachowski|Keanu Reeves|136|english|adult|virtual reality
starwars|Star Wars|1977|action,adventure,sci-fi|George Lucas|Harrison Ford|121|english|family|space
toystory|Toy Story|1995|animation,children's,comedy|John Lasseter|Tom Hanks|81|english|family|friendship
babe|Babe|1995|children's,comedy,drama|Chris Noonan|James Cromwell|89|english|family|animals
doubtfire|Mrs. Doubtfire|1993|comedy|Chris Columbus|Robin Williams|125|english|family|divorce
homealone|Home Alone|1990|children's,comedy|Chris Columbus|Macaulay Culkin|103|english|family|christmas
notting|Notting Hill|1999|comedy,romance|Roger Michell|Julia Roberts|124|english|teen|fame
sleepless|Sleepless in Seattle|1993|comedy,romance|Nora Ephron|Tom Hanks|105|english|family|widower
groundhog|Groundhog Day|1993|comedy,romance|Harold Ramis|Bill Murray|101|english|family|time loop
amelie|Amélie|2001|comedy,romance|Jean-Pierre Jeunet|Audrey Tautou|122|french|teen|loneliness
delicatessen|Delicatessen|1991|comedy,sci-fi|Jean-Pierre Jeunet|Dominique Pinon|99|french|adult|cannibals
samurai|Seven Samurai|1954|action,drama|Akira Kurosawa|Toshiro Mifune|207|japanese|teen|honour
unforgiven|Unforgiven|1992|western,drama|Clint Eastwood|Gene Hackman|130|english|adult|revenge
tombstone|Tombstone|1993|western,action|George Cosmatos|Kurt Russell|130|english|adult|revenge
schindler|Schindler's List|1993|drama,war|Steven Spielberg|Liam Neeson|195|english|adult|holocaust
big|Big|1988|comedy,drama|Penny Marshall|Tom Hanks|104|english|family|growing up
"""


def _item(line: str) -> Item:
    item_id, title, year, genres, director, cast, minutes, language, audience, themes = line.split("|")
    return Item(
        item_id,
        title,
        int(year),
        tuple(genres.split(",")),
        (director,),
        tuple(cast.split(",")),
        tuple(themes.split(",")),
        language=language,
        minutes=int(minutes),
        audience=audience,
    )


ITEMS = tuple(_item(line) for line in TABLE.strip().splitlines())
IDS = tuple(item.item_id for item in ITEMS)


class WordEncoder:
    """Stands in for the text model: counts each text's words in 32 buckets by their letters."""

    name = "word-buckets"

    def encode(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        vectors = np.full((len(texts), 32), 0.1, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                vectors[row, sum(map(ord, word)) % 32] += 1
            if progress is not None:
                progress(row + 1, len(texts))
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def build(items: Sequence[Item], folder: Path) -> Workspace:
    """A workspace of `items` whose users each like what shares a genre with their own favourite."""
    catalogue = Catalogue(items)
    rows = [
        Interaction(f"u{user}", item.item_id, 5.0 if set(item.genres) & set(mine.genres) else 2.0, 1e9 + user)
        for user, mine in enumerate(items)
        for place, item in enumerate(items)
        if (user + place) % 3
    ]
    ratings = InteractionsRead(Interactions.from_rows(rows, catalogue), (), len(rows), 0)
    return Workspace.build(folder, CatalogueRead(catalogue, (), len(items)), ratings, (), WordEncoder())


_FOLDER = tempfile.TemporaryDirectory(prefix="tastebud-small-")


@cache
def workspace() -> Workspace:
    """The workspace of the thirty-two films, built once in a test session."""
    return build(ITEMS, Path(_FOLDER.name))


@cache
def parts() -> tuple[Catalogue, Linker, Vocabulary]:
    """The catalogue with its linker and vocabulary, without any index."""
    catalogue = Catalogue(ITEMS)
    return catalogue, Linker(catalogue), Vocabulary(catalogue)


def context(*shown: str, begun: bool = False) -> Context:
    """What a message is read against, with the given item_ids on show."""
    catalogue, linker, vocabulary = parts()
    labels = tuple(catalogue[item_id].label for item_id in shown)
    return Context(linker, vocabulary, 2001, labels, begun or bool(shown))


def recommender(database: Path | str = "sqlite://", llm: str = "none", seed: int = 0) -> Recommender:
    """A recommender over the thirty-two films; the database is in memory unless given."""
    return Recommender(workspace(), llm, database, seed)


class ScriptedLanguage(Language):
    """The surface of `Language`, answering from a script: `frames` by message, `facets`, and `words`, the
    pieces of a reply (None: the first wording of each part). Anything set to an exception is raised."""

    def __init__(
        self,
        frames: dict[str, Any] | Exception | None = None,
        facets: list[str] | Exception = (),  # type: ignore[assignment]
        words: list[str] | Exception | None = None,
        tuned: bool = False,
    ) -> None:
        self.name, self.constrained, self.tuned = "scripted", True, tuned
        self._frames, self._facets, self._words = frames, facets, words
        self.prompts: list[list[dict[str, str]]] = []

    def frame(self, messages: Sequence[dict[str, str]], message: str) -> dict[str, Any]:
        self.prompts.append(list(messages))
        if isinstance(self._frames, Exception):
            raise self._frames
        answer = (self._frames or {}).get(message)
        if answer is None:
            raise ModelError("nothing scripted")
        return answer

    def choose(self, messages: Sequence[dict[str, str]], values: Sequence[str], most: int) -> list[str]:
        self.prompts.append(list(messages))
        if isinstance(self._facets, Exception):
            raise self._facets
        return [value for value in self._facets if value in values][:most]

    def phrase(
        self, messages: Sequence[dict[str, str]], parts: Sequence[Sequence[str]], seed: int
    ) -> Iterator[str]:
        self.prompts.append(list(messages))
        if isinstance(self._words, Exception):
            raise self._words
        yield from ([wordings[0] for wordings in parts] if self._words is None else self._words)


def scripted(language: ScriptedLanguage, monkeypatch: Any) -> Recommender:
    """A recommender whose language model is `language`."""
    monkeypatch.setattr("agent.recommender.open_language", lambda llm, adapter: language)
    return Recommender(workspace(), "scripted", "sqlite://")

"""How a title is written and said: tokens, one normal form for all spellings, and a title's other names.

Two names are the same when their normal forms are. The normal form has no case, accents or punctuation;
"&" is "and"; numerals are digits ("II", "two" and "2"); initials are one word ("M*A*S*H").
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FULL, ALIAS, PART, LOOSE = range(4)
"""How good a name is: the title itself, another name of it, a part of it, the title without small words."""

_TOKEN = re.compile(
    r"(?<![^\W_])[^\W\d_](?:[.*·][^\W\d_])+(?![^\W_])[.*]?"  # initials: E.T., M*A*S*H
    r"|[^\W_\u0300-\u036f][^\W_\u0300-\u036f]*"
    r"(?:[\u0300-\u036f]+[^\W_]*)*(?:['’`´][^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*)*"
    r"|&"
)
_ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_ROMAN = "ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx"
_NORMAL = (
    {word: str(n) for n, word in enumerate(_ONES.split(), 1)}
    | {word: str(n) for n, word in enumerate(_ROMAN.split(), 2)}
    | {"&": "and", "doctor": "dr", "mister": "mr", "versus": "vs", "volume": "vol"}
)
_SMALL = frozenset({"the", "a", "an", "of", "and"})
_ENGLISH_ARTICLES = frozenset({"the", "a", "an"})
_MOVED = re.compile(
    r"^(?P<rest>.+), (?P<article>the|an?|les?|la|l'|el|los|las|il|lo|gli|der|die|das|une?|en|het)$", re.I
)
_YEAR = re.compile(r"\s*[\(\[]((?:18|19|20)\d\d)[\)\]]\s*$")
_BRACKETS = re.compile(r"\s+[\(\[]([^()\[\]]+)[\)\]]$")
_SUBTITLE = re.compile(r"\s*:\s+|\s+[-–—]\s+")
_NUMBER_WORD = re.compile(r"\b(?:part|chapter|episode|vol)\s+(?=\d)")
_ONLY_NUMBER = re.compile(r"(?:(?:part|chapter|episode|vol)\s+)?\d+")
_CAMEL = re.compile(r"(?<=[a-z]{2})(?=[A-Z][a-z])")
_HYPHEN = re.compile(r"(?<=[^\W_])-(?=[^\W_])")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text: `text[start:end]`, and its normal form `word`."""

    start: int
    end: int
    word: str


@dataclass(frozen=True, slots=True)
class CommonWords:
    """Words that are ordinary English, lower case.

    `talk`: the words most often heard in talk about films (from the ReDial training dialogues, titles
    taken out), function words and genres. `english`: whole words of the SmolLM2 tokenizer's vocabulary
    (Apache-2.0) that come before their capitalised form there, that is which web text writes in lower
    case; and frequent words of plots. `names`: given names borne by at least twelve people credited in
    ReDial's films.
    """

    talk: frozenset[str]
    english: frozenset[str]
    names: frozenset[str]

    def knows(self, word: str) -> bool:
        """Whether the word is an ordinary one, correctly spelt."""
        return word in self.talk or word in self.english or word in self.names


@cache
def common_words() -> CommonWords:
    """The word lists beside this module, read once."""
    folder = Path(__file__).parent
    talk, english = (folder / "common_words.txt").read_text("utf-8").removeprefix("#talk").split("#english")
    names = (folder / "given_names.txt").read_text("utf-8")
    return CommonWords(frozenset(talk.split()), frozenset(english.split()), frozenset(names.split()))


def bare(text: str) -> str:
    """One word without case, accents and punctuation; "" when nothing is left."""
    if text.isascii():
        return "".join(filter(str.isalnum, text.lower())) or ("&" if text == "&" else "")
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text).casefold()))


def tokens(text: str) -> list[Token]:
    """The words of a text with their places in it."""
    found = []
    for match in _TOKEN.finditer(text):
        word = bare(match.group())
        if word:
            found.append(Token(match.start(), match.end(), _NORMAL.get(word, word)))
    return found


def phrase(text: str) -> str:
    """The normal form of a name: its normal words, one space between them."""
    return " ".join(token.word for token in tokens(text))


def split_year(name: str) -> tuple[str, int | None]:
    """A name and the year in brackets after it, if any: "Heat (1995)" -> ("Heat", 1995)."""
    match = _YEAR.search(name)
    return (name[: match.start()], int(match[1])) if match and match.start() else (name, None)


def without_article(name: str) -> str:
    """A normal form without its leading English article (as it is when nothing else would be left)."""
    first, _, rest = name.partition(" ")
    return rest if rest and first in _ENGLISH_ARTICLES else name


def loose(name: str) -> str:
    """A normal form without its small words: "silence lambs"."""
    return " ".join(word for word in name.split() if word not in _SMALL)


def names_of(title: str, aliases: tuple[str, ...] = ()) -> dict[str, int]:
    """Every normal form a title may be called by, with how good a name it is (FULL, ALIAS, PART, LOOSE)."""
    main, others = _main_and_others(title)
    best: dict[str, int] = {}

    def add(name: str, level: int) -> None:
        if name and level < best.get(name, LOOSE + 1):
            best[name] = level

    add(phrase(main), FULL)
    add(phrase(split_year(title)[0]), ALIAS)
    for text in (*others, *aliases):
        add(phrase(unmoved(split_year(text)[0])), ALIAS)
    for text in (main, *others, *aliases):
        add(phrase(_HYPHEN.sub("", text)), ALIAS)
        add(phrase(_CAMEL.sub(" ", text)), ALIAS)
    for name in tuple(best):
        add(without_article(name), ALIAS)
    for name in tuple(best):
        add(_NUMBER_WORD.sub("", name), ALIAS)
    for text in _parts(main):
        add(text, PART)
        add(without_article(text), PART)
        add(_NUMBER_WORD.sub("", text), PART)
    short = loose(phrase(main))
    if " " in short:
        add(short, LOOSE)
    return best


def _main_and_others(title: str) -> tuple[str, list[str]]:
    """The title with its article in front, and the alternate titles that stood in brackets."""
    main, others = split_year(title)[0].strip(), []
    while (match := _BRACKETS.search(main)) and phrase(main[: match.start()]):
        main = main[: match.start()]
        others.append(unmoved(match[1]))
    return unmoved(main), others


def unmoved(text: str) -> str:
    """A name with the article that was moved behind it in front again: "Matrix, The" -> "The Matrix"."""
    match = _MOVED.match(text.strip())
    return f"{match['article']} {match['rest']}" if match else text.strip()


def _parts(title: str) -> list[str]:
    """What comes before a subtitle, and long subtitles by themselves."""
    pieces = [piece for piece in map(phrase, _SUBTITLE.split(title)) if piece]
    if len(pieces) < 2 or _ONLY_NUMBER.fullmatch(pieces[1]):
        return []
    tails = {" ".join(pieces[1:]), pieces[-1]}
    return [pieces[0], *sorted(tail for tail in tails if len(tail.split()) >= 3)]

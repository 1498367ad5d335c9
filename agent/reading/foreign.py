"""What is not English: whether a message is in another language, and its small words."""

from __future__ import annotations

import re

_FOREIGN = re.compile(
    r"\b(?:quiero|busco|película|pelicula|algo como|una comedia|me (?:gust|encant)\w*"
    r"|je (?:veux|cherche|voudrais)|un film|j'aime|"
    r"quelque chose|ich (?:möchte|suche|mag)|einen? film|etwas wie|vorrei|cerco|qualcosa|quero|queria"
    r"|procuro|um filme|senza|não|ein drama|eine komödie|una commedia)\b",
    re.I,
)
_WORDS = """
sin con para por que una unos unas las los del como pero muy más mas también algo este esta esto ese esa
cuando donde hasta desde entre sobre favor sans avec pour dans les des une qui mais très plus aussi
cette chez pas trop peu ohne mit für und oder der die das dem den ein eine einen einer aber auch nicht
bitte noch nochmal etwas über unter zwischen kein keine keinen sehr vom beim zum zur senza per che uno
gli delle della dello degli come anche molto più ora adesso tra fra nella nelle dopo prima sem com uma
uns umas não nao também muito pelo pela depois antes dos
"""
SMALL_WORDS = frozenset(_WORDS.split())
"""Of Spanish, French, German, Italian and Portuguese: none is a title misspelt ("senza" is not *Senna*)."""


def is_foreign(message: str) -> bool:
    """Whether the message gives itself away as Spanish, French, German, Italian or Portuguese."""
    return _FOREIGN.search(message) is not None

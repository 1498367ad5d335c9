"""Colours of a drawn cover, by genre."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """Four CSS colours: the ground, two for shapes, and the ink of the text."""

    ground: str
    shape: str
    accent: str
    ink: str


_BY_GENRE: dict[str, Palette] = {
    "action": Palette("#8c2f1b", "#b8472a", "#f0a35e", "#fff3e4"),
    "adventure": Palette("#1f5a56", "#2f7a72", "#f2c14e", "#f6f3e4"),
    "animation": Palette("#2d5fa8", "#4a80cc", "#ffd166", "#fffaf0"),
    "children's": Palette("#d9822b", "#e9a04f", "#fff0c9", "#3b1f0b"),
    "comedy": Palette("#e3b23c", "#efc865", "#c8452f", "#33230a"),
    "crime": Palette("#23262e", "#343946", "#c9402f", "#f1ece2"),
    "documentary": Palette("#d8d2c4", "#c5bda9", "#3f5e5a", "#22211d"),
    "drama": Palette("#3d3a5c", "#524e7a", "#e0a899", "#f7f1ea"),
    "family": Palette("#3f8f7b", "#59aa95", "#ffe0a3", "#fbfaf2"),
    "fantasy": Palette("#4b2f66", "#64438a", "#8fd3c7", "#f5effa"),
    "film-noir": Palette("#17181b", "#2a2c31", "#d9d4c7", "#f3f0e8"),
    "history": Palette("#6d4c30", "#86613f", "#e6cf9f", "#fbf4e6"),
    "horror": Palette("#1a1214", "#331a1e", "#a3182b", "#f2e6e2"),
    "music": Palette("#7a2748", "#9a3a60", "#f6c177", "#fff1ea"),
    "musical": Palette("#7a2748", "#9a3a60", "#f6c177", "#fff1ea"),
    "mystery": Palette("#1d3347", "#2b4a66", "#d9b466", "#eef2f2"),
    "romance": Palette("#b9576a", "#cc7585", "#fbe0d0", "#fff6f2"),
    "sci-fi": Palette("#10243e", "#1b3b63", "#62c6d9", "#eaf4f7"),
    "science fiction": Palette("#10243e", "#1b3b63", "#62c6d9", "#eaf4f7"),
    "thriller": Palette("#20363a", "#2f4d52", "#e2703a", "#f2efe6"),
    "war": Palette("#4a4c32", "#616443", "#d5bf86", "#f5f1e2"),
    "western": Palette("#a2582c", "#bb7140", "#f3d9a4", "#fff4e0"),
}
_OTHERS = (
    Palette("#2f4858", "#3f5f73", "#f0b67f", "#f6f1e9"),
    Palette("#5b3a4e", "#754d66", "#f0c38e", "#faf2ee"),
    Palette("#33543f", "#467257", "#f2c078", "#f6f5ea"),
    Palette("#c9a66b", "#d8bb88", "#5b3a29", "#2a1c12"),
    Palette("#44475a", "#5a5e77", "#e8a87c", "#f6f3ee"),
)


def palette_of(genres: tuple[str, ...], digest: bytes) -> Palette:
    """The palette of one of the genres that have one; a neutral one without. The digest chooses."""
    known = [_BY_GENRE[genre.casefold()] for genre in genres[:3] if genre.casefold() in _BY_GENRE]
    return known[digest[1] % len(known)] if known else _OTHERS[digest[1] % len(_OTHERS)]

"""Prompts to try on the first screen, made from what the catalogue really holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from retrieval.types import Item


def example_prompts(items: Iterable[Item]) -> tuple[str, ...]:
    """Up to four prompts. `*` marks a title; it is set in italics and not sent."""
    ranked = sorted(items, key=lambda item: (-item.popularity, item.item_id))
    if not ranked:
        return ()
    genres = [genre for genre, _ in Counter(g for i in ranked[:300] for g in i.genres).most_common(4)]
    prompts = [f"Something like *{ranked[0].title}*"]
    if genres:
        prompts.append(
            f"A {genres[-1]}, but nothing too long" if _has_minutes(ranked) else f"A good {genres[-1]}"
        )
    if len(ranked) > 1 and len(genres) > 1:
        prompts.append(f"I liked *{ranked[1].title}*, but no {genres[0]} please")
    years = sorted(item.year for item in ranked if item.year is not None)
    if years:
        prompts.append(f"Surprise me with something from before {years[len(years) // 4]}")
    return tuple(prompts)


def _has_minutes(items: list[Item]) -> bool:
    return any(item.minutes for item in items[:300])

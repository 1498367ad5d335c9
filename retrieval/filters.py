"""Hard constraints: which items keep every promise, said as a mask and as a Chroma `where`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.errors import QueryError
from retrieval.types import FACET_FIELDS, Constraints, Facet, Item, Metadata, Years, facet_values

if TYPE_CHECKING:
    from retrieval.catalogue import Catalogue

Where = dict[str, Any]
"""A filter in Chroma's own language."""


@dataclass(frozen=True, slots=True)
class Eligible:
    """The items a retriever may return.

    `mask`: bool [n_items], read-only. `where`: the same set in Chroma's language; None when nothing
    is filtered. `count`: how many items that is.
    """

    mask: np.ndarray
    where: Where | None
    count: int


def satisfies(item: Item, constraints: Constraints) -> bool:
    """Whether an item keeps every promise: the definition that masks and `where` must agree with.

    A promise that asks for a value (a required facet, years, a running time) needs the value to be
    known; a forbidden facet is kept out where it is known to hold. Letter case does not matter.
    """
    held = {(name, value.casefold()) for name in FACET_FIELDS for value in facet_values(item, name)}

    def holds(facet: Facet) -> bool:
        return (facet.field, facet.value.casefold()) in held

    return (
        all(any(holds(facet) for facet in group) for group in constraints.require)
        and not any(holds(facet) for facet in constraints.forbid)
        and _within(item.year, constraints.years)
        and (
            constraints.max_minutes is None
            or (item.minutes is not None and item.minutes <= constraints.max_minutes)
        )
    )


def _within(year: int | None, years: Years | None) -> bool:
    first, last = years or (None, None)
    if first is None and last is None:
        return True
    return year is not None and (first is None or year >= first) and (last is None or year <= last)


def eligible(catalogue: Catalogue, constraints: Constraints, exclude: Collection[str]) -> Eligible:
    """The items that satisfy `constraints` and are not in `exclude`.

    Ids that the catalogue does not hold are excluded anyway. Raises CatalogueError on a facet
    field that items do not have and QueryError on an empty group.
    """
    mask = included(catalogue, exclude)
    for group in constraints.require:
        mask &= group_mask(catalogue, group)
    for facet in constraints.forbid:
        mask &= ~catalogue.mask(facet)
    mask &= years_mask(catalogue, constraints.years)
    if constraints.max_minutes is not None:
        mask &= catalogue.minutes <= constraints.max_minutes
    mask.flags.writeable = False
    return Eligible(mask, where(constraints, exclude), int(mask.sum()))


def included(catalogue: Catalogue, exclude: Collection[str]) -> np.ndarray:
    """Bool [n_items], a fresh one: False for the items in `exclude`."""
    mask = np.ones(len(catalogue), dtype=bool)
    mask[[catalogue.row(item_id) for item_id in exclude if item_id in catalogue]] = False
    return mask


def group_mask(catalogue: Catalogue, group: Sequence[Facet]) -> np.ndarray:
    """Bool [n_items]: where at least one facet of the group holds. Raises QueryError when it is empty."""
    if not group:
        raise QueryError("An empty group in `require`: give it at least one facet, or leave the group out.")
    return np.logical_or.reduce([catalogue.mask(facet) for facet in group])


def years_mask(catalogue: Catalogue, years: Years | None) -> np.ndarray:
    """Bool [n_items]: released within `years`; an unknown year (nan) compares false with any bound."""
    first, last = years or (None, None)
    mask = np.ones(len(catalogue), dtype=bool)
    if first is not None:
        mask &= catalogue.years >= first
    if last is not None:
        mask &= catalogue.years <= last
    return mask


UNKNOWN = " "
"""Stands in Chroma for a facet field that is not known. No catalogue value is a blank."""


def metadata(item: Item) -> Metadata:
    """What Chroma keeps beside an item's vector so that `where` can filter.

    Facet fields are lists of lower-case values, unknown ones (UNKNOWN,): Chroma 1.5 lets an item
    without the key pass `$not_contains`, but only while some other item has the key.
    An unknown year or running time is left out, and passes no comparison.
    """
    kept: dict[str, str | int | float | bool | list[str]] = {"item_id": item.item_id}
    for name in FACET_FIELDS:
        kept[name] = [value.casefold() for value in facet_values(item, name)] or [UNKNOWN]
    if item.year is not None:
        kept["year"] = item.year
    if item.minutes is not None:
        kept["minutes"] = item.minutes
    return kept


def where(constraints: Constraints, exclude: Collection[str] = ()) -> Where | None:
    """The constraints in Chroma's filter language over `metadata`; None when there are none."""
    conditions: list[Where] = [
        _either([{facet.field: {"$contains": facet.value.casefold()}} for facet in group])
        for group in constraints.require
    ]
    conditions += [{facet.field: {"$not_contains": facet.value.casefold()}} for facet in constraints.forbid]
    first, last = constraints.years or (None, None)
    if first is not None:
        conditions.append({"year": {"$gte": first}})
    if last is not None:
        conditions.append({"year": {"$lte": last}})
    if constraints.max_minutes is not None:
        conditions.append({"minutes": {"$lte": constraints.max_minutes}})
    if exclude:
        conditions.append({"item_id": {"$nin": sorted(exclude)}})
    if len(conditions) <= 1:
        return conditions[0] if conditions else None
    return {"$and": conditions}


def _either(conditions: list[Where]) -> Where:
    return conditions[0] if len(conditions) == 1 else {"$or": conditions}


def describe(constraints: Constraints) -> tuple[str, ...]:
    """Each promise in a few words for people: ("comedy or drama", "no horror", "from 1990 on")."""
    said = [describe_group(group) for group in constraints.require]
    said += [f"no {describe_group((facet,))}" for facet in constraints.forbid]
    if constraints.years is not None and constraints.years != (None, None):
        said.append(describe_years(constraints.years))
    if constraints.max_minutes is not None:
        said.append(f"up to {constraints.max_minutes} minutes")
    return tuple(said)


PHRASES = {
    "themes": "{} theme",
    "moods": "{} mood",
    "audience": "{} audience",
    "language": "{} language",
    "countries": "made in {}",
    "directors": "directed by {}",
    "cast": "with {}",
}
NAMES = ("language", "countries")
"""Fields whose lower-case values are names, to be capitalised when shown."""


def describe_group(group: Sequence[Facet]) -> str:
    """One group in words: "comedy or drama", "by or with Clint Eastwood", "French language"."""
    fields: dict[str, list[str]] = {}
    for facet in group:
        value = facet.value.title() if facet.field in NAMES else facet.value
        fields.setdefault(facet.field, []).append(value)
    if fields.keys() == {"directors", "cast"} and fields["directors"] == fields["cast"]:
        return f"by or with {' or '.join(fields['cast'])}"
    return " or ".join(
        PHRASES.get(name, "{}").format(" or ".join(dict.fromkeys(values))) for name, values in fields.items()
    )


def describe_years(years: Years) -> str:
    """A range of years in words: "from 1990 to 1999", "from 2015 on", "up to 1979"."""
    first, last = years
    if first is None:
        return f"up to {last}"
    if last is None:
        return f"from {first} on"
    return f"from {first} to {last}" if first != last else f"in {first}"

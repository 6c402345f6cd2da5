"""Dates of a search as SQL over the table `period`, with the bounds on `lo` that its key can use.

https://hl7.org/fhir/R4/search.html#prefix; `search/match.py` (`COMPARE`) says the same in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, reduce
from typing import Final, NamedTuple

from creneau.search.paths import types
from creneau.search.query import DateValue, Parameter, Term

Arg = str | int | float | None


class Sql(NamedTuple):
    """A piece of SQL and the arguments of its marks, in order."""

    text: str
    args: tuple[Arg, ...] = ()


def joined(*parts: Sql) -> Sql:
    """All of these."""
    return Sql(" AND ".join(part.text for part in parts), tuple(a for part in parts for a in part.args))


class Bounds(NamedTuple):
    """`lo` is at least `least` and under `under`; None: no such bound."""

    least: int | None
    under: int | None

    @property
    def closed(self) -> bool:
        """Whether both bounds are known."""
        return self.least is not None and self.under is not None


SECOND: Final = 1_000_000
WIDTHS: Final = {"instant": 60 * SECOND, "date": 400 * 86_400 * SECOND, "dateTime": 400 * 86_400 * SECOND}
"""The longest interval, in microseconds, that a value of a type covers; other types cover any time."""


@cache
def width(parameter: Parameter) -> int | None:
    """The longest interval that a value of a parameter covers; None when there is no such limit."""
    found = [WIDTHS.get(type) for type in types(parameter)]
    known = [one for one in found if one is not None]
    return max(known) if known and len(known) == len(found) else None


class Dates(NamedTuple):
    """Every term on one date parameter of which a resource has one value at most: one row satisfies them all."""

    parameter: Parameter
    terms: tuple[Term, ...]

    @property
    def code(self) -> str:
        """The name of the rows."""
        return self.parameter.code

    def bounds(self) -> Bounds:
        """The bounds on `lo` that all terms together imply."""
        longest = width(self.parameter)
        return reduce(_both, (_hull(_dated(term), longest) for term in self.terms))

    def where(self) -> Sql:
        """What a row must satisfy."""
        exact = joined(*(_any(_dated(term)) for term in self.terms))
        return _bounded(self.bounds(), exact)


def values(wanted: Sequence[DateValue], longest: int | None, columns: tuple[str, str] = ("lo", "hi")) -> Sql:
    """What a row must satisfy to match one of these values; `columns` are the ends of its interval."""
    return _bounded(_hull(wanted, longest), _any(wanted, columns), columns[0])


def updated(wanted: Sequence[DateValue]) -> Sql:
    """What the column `updated` must satisfy: an instant of one microsecond."""
    return values(wanted, 1, ("updated", "(updated + 1)"))


def _dated(term: Term) -> list[DateValue]:
    return [value for value in term.values if isinstance(value, DateValue)]


def _any(wanted: Sequence[DateValue], columns: tuple[str, str] = ("lo", "hi")) -> Sql:
    found = [_exact(value, columns) for value in wanted]
    text = " OR ".join(f"({one.text})" for one in found)
    return Sql(f"({text})", tuple(a for one in found for a in one.args))


EXACT: Final = {
    "eq": (("+{lo} >= ?", 0), (" AND {hi} <= ?", 1)),
    "ne": (("+{lo} < ?", 0), (" OR {hi} > ?", 1)),
    "gt": (("{hi} > ?", 1),),
    "lt": (("+{lo} < ?", 0),),
    "ge": (("+{lo} >= ?", 0), (" OR {hi} > ?", 1)),
    "le": (("+{lo} < ?", 0), (" OR {hi} <= ?", 1)),
    "sa": (("+{lo} >= ?", 1),),
    "eb": (("{hi} <= ?", 0),),
    "ap": (("+{lo} < ?", 1), (" AND {hi} > ?", 0)),
}
"""By prefix, what a row must satisfy; the number says which end of the value's interval. `+` leaves the key to the bounds."""


def _exact(value: DateValue, columns: tuple[str, str]) -> Sql:
    ends = (value.lo, value.hi)
    return Sql(_text(value.prefix, columns), tuple(ends[end] for _, end in EXACT[value.prefix]))


@cache
def _text(prefix: str, columns: tuple[str, str]) -> str:
    return "".join(part for part, _ in EXACT[prefix]).format(lo=columns[0], hi=columns[1])


def _bounds(value: DateValue, longest: int | None) -> Bounds:
    lo, hi = value.lo, value.hi
    match value.prefix:
        case "eq":
            return Bounds(lo, hi)
        case "lt" | "eb":
            return Bounds(None, lo)
        case "le":
            return Bounds(None, hi)
        case "sa":
            return Bounds(hi, None)
        case "gt":
            return Bounds(None if longest is None else hi - longest + 1, None)
        case "ge":
            return Bounds(None if longest is None else min(lo, hi - longest + 1), None)
        case "ap":
            return Bounds(None if longest is None else lo - longest + 1, hi)
    return Bounds(None, None)


def _hull(wanted: Sequence[DateValue], longest: int | None) -> Bounds:
    """The bounds that hold whichever value matches."""
    found = [_bounds(value, longest) for value in wanted]
    least = [one.least for one in found]
    under = [one.under for one in found]
    return Bounds(
        None if None in least else min(one for one in least if one is not None),
        None if None in under else max(one for one in under if one is not None),
    )


def _both(one: Bounds, other: Bounds) -> Bounds:
    least = [bound for bound in (one.least, other.least) if bound is not None]
    under = [bound for bound in (one.under, other.under) if bound is not None]
    return Bounds(max(least, default=None), min(under, default=None))


def _bounded(bounds: Bounds, exact: Sql, column: str = "lo") -> Sql:
    parts = []
    if bounds.least is not None:
        parts.append(Sql(f"{column} >= ?", (bounds.least,)))
    if bounds.under is not None:
        parts.append(Sql(f"{column} < ?", (bounds.under,)))
    return joined(*parts, exact)

"""Parameters that say how matches are given, not which: `_count`, `_sort`, `_include` and their kin.

https://hl7.org/fhir/R4/search.html#return, #include; C-42 (an `_include` from another type than the one searched is iterated).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from creneau.search import cursor, refused, values
from creneau.search.parameters import COMPUTED, TYPES, WIDENED, indexed, parameter, parameters
from creneau.search.query import Include, Query, Sort
from creneau.search.refused import malformed
from creneau.search.values import Written

CURSOR: Final = "_page"
"""The parameter that carries the position of a page, in `next` links."""

ORDERS: Final = {"Slot": "start"}
"""Types that are computed: given in the order of this parameter, and of no other."""

SUMMARIES: Final = ("true", "text", "data", "count", "false")
TOTALS: Final = ("accurate", "estimate", "none")
_ELEMENT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,127}").fullmatch


@dataclass(slots=True)
class Shape:
    """How the matches of a search on `type` are to be given, as read so far; `limit` bounds the page."""

    type: str
    limit: int
    count: int
    sort: tuple[Sort, ...] = ()
    includes: list[Include] = field(default_factory=list)
    after: str | None = None
    total: str = "accurate"
    summary: str | None = None
    elements: tuple[str, ...] = ()


def is_control(name: str) -> bool:
    """Whether a name is that of a parameter of this module, modifier aside."""
    return name.partition(":")[0] in CONTROLS


def read(shape: Shape, written: Written) -> bool:
    """Note what a parameter says; False when it names what is not known here. Malformed for bad values."""
    name, _, modifier = written.name.partition(":")
    if modifier and not (name in _INCLUDES and modifier in ("iterate", "recurse")):
        raise malformed(refused.MODIFIER, name=written.name, known=":iterate" if name in _INCLUDES else "-")
    return CONTROLS[name](shape, written)


def default_sort(type: str) -> tuple[Sort, ...]:
    """The order in which a type is given when `_sort` is absent; empty: by id."""
    sort = _key(type, ORDERS[type]) if type in ORDERS else None
    return (sort,) if sort else ()


def checked(query: Query) -> Query:
    """The query, once its page position is known to fit its order. Malformed when it does not."""
    if query.after is not None:
        cursor.read(query.after, cursor.order(query).sorts)
    return query


def _count(shape: Shape, written: Written) -> bool:
    shape.count = min(values.integer(written.name, written.text.strip()), shape.limit)
    if shape.count == 0:
        shape.summary = "count"
    return True


def _sort(shape: Shape, written: Written) -> bool:
    sorts = [_key(shape.type, one) for one in values.split(written.text)]
    shape.sort = tuple(one for one in sorts if one is not None)
    return all(sorts) and bool(sorts)


def _key(type: str, text: str) -> Sort | None:
    code, descending = text.removeprefix("-"), text.startswith("-")
    if type in ORDERS and code != ORDERS[type]:
        return None
    if code in ("_id", "_lastUpdated"):
        return Sort(code, None, descending)
    found = parameter(type, code)
    if found is None or found.kind == "special" or (type, code) in WIDENED:
        return None
    return Sort(code, indexed(found), descending)


def _include(shape: Shape, written: Written) -> bool:
    reverse = written.name.startswith("_rev")
    asked = written.name.endswith((":iterate", ":recurse"))
    found = [one for text in values.split(written.text) for one in _included(shape.type, text, reverse)]
    shape.includes.extend(
        Include(one.source, one.parameter, one.target, asked or _is_far(shape.type, one, reverse), reverse)
        for one in found
    )
    return bool(found)


def _included(type: str, text: str, reverse: bool) -> Iterable[Include]:
    """What `Source:parameter[:target]`, `Source:*` or `*` asks for; nothing when it is not known here."""
    source, _, rest = text.strip().partition(":")
    code, _, target = rest.partition(":")
    if source == "*" and not rest and not reverse:
        return [Include(type, None)]
    if source not in TYPES or (reverse and source in COMPUTED) or (target and not target.isalpha()):
        return []
    if code == "*":
        return _all(source, type) if reverse else [Include(source, None, target or None)]
    found = parameter(source, code)
    if found is None or found.kind != "reference":
        return []
    return [Include(source, indexed(found), target or None)]


def _all(source: str, type: str) -> list[Include]:
    """Every reference of a type that may lead to another one."""
    return [
        Include(source, row)
        for row in parameters(source)
        if row.kind == "reference" and (not row.targets or type in row.targets)
    ]


def _is_far(type: str, include: Include, reverse: bool) -> bool:
    """Whether an include cannot start from the matches: it is then meant from what was included."""
    if not reverse:
        return include.source != type
    targets = include.parameter.targets if include.parameter else ()
    return bool(targets) and type not in targets


def _after(shape: Shape, written: Written) -> bool:
    shape.after = written.text
    return True


def _choice(name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise malformed(refused.CHOICE, name=name, known=" ".join(known))
    return text


def _total(shape: Shape, written: Written) -> bool:
    shape.total = _choice(written.name, written.text.strip(), TOTALS)
    return True


def _summary(shape: Shape, written: Written) -> bool:
    chosen = _choice(written.name, written.text.strip(), SUMMARIES)
    shape.summary = None if chosen == "false" else chosen
    return True


def _elements(shape: Shape, written: Written) -> bool:
    found = tuple(one.strip() for one in values.split(written.text))
    if not found or not all(_ELEMENT(one) for one in found):
        raise malformed(refused.ELEMENTS, name=written.name)
    shape.elements = found
    return True


def _nothing(shape: Shape, written: Written) -> bool:
    return True


_INCLUDES: Final = ("_include", "_revinclude")
SILENT: Final = frozenset({"_format", "_pretty", CURSOR})
"""Parameters that the front door answers for, and the page position: they are not shown as understood."""

CONTROLS: Final[dict[str, Callable[[Shape, Written], bool]]] = {
    "_count": _count,
    "_sort": _sort,
    "_include": _include,
    "_revinclude": _include,
    "_total": _total,
    "_summary": _summary,
    "_elements": _elements,
    CURSOR: _after,
    "_format": _nothing,
    "_pretty": _nothing,
}
"""Every parameter of this module, with what reads it."""

"""From the parameters of a request to a query. https://hl7.org/fhir/R4/search.html; GAP §11, §12, C-30 to C-43.

An unknown parameter is left out and named, or refused when the client is strict (`Prefer: handling=strict`) and in the condition of a
write; what cannot be read is always refused. All refusals of a request come together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes
from zoneinfo import ZoneInfo

from creneau.fhir.reference import Bases
from creneau.problems import Issue, Malformed, Refusal
from creneau.search import controls, refused
from creneau.search.controls import SILENT, Shape
from creneau.search.criteria import condition as criterion
from creneau.search.parameters import ALIASES
from creneau.search.query import Condition, Query, Term, TokenValue
from creneau.search.refused import malformed, too_many
from creneau.search.values import VALUES, Reading, Written, split

LENGTH: Final = 16_384
"""Bytes of a query string."""

PARAMETERS: Final = 64
"""Parameters of one search (SEC-23)."""

_ZONE_PLUS: Final = re.compile(
    r"(T\d\d(?::|%3A)\d\d(?:(?::|%3A)\d\d(?:\.\d+)?)?)\+(\d\d(?::|%3A)\d\d)", re.IGNORECASE
)
_ESCAPED_PIPE: Final = re.compile(r"(?:^|,)\s*(?:https?://|urn:)[^|,\\]*\\\|").search
_PREFIXED: Final = re.compile(r"(?:eq|ne|gt|lt|ge|le|sa|eb|ap)").match


def pairs(query_string: str) -> list[tuple[str, str]]:
    """The parameters of a query string, in order, decoded; a `+` is a space but before a time zone.

    Malformed: longer than `LENGTH`, more parameters than `PARAMETERS`, not percent-encoded UTF-8, a null character.
    """
    if len(query_string) > LENGTH:
        raise too_many(LENGTH, "octets de critères", "bytes of criteria")
    parts = [part for part in _ZONE_PLUS.sub(r"\1%2B\2", query_string).split("&") if part]
    if len(parts) > PARAMETERS:
        raise too_many(PARAMETERS, "paramètres", "parameters")
    found = []
    for part in parts:
        name, _, value = part.partition("=")
        found.append((_decoded(name), _decoded(value)))
    return found


def _decoded(text: str) -> str:
    try:
        plain = unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeError:
        raise malformed(refused.ENCODING) from None
    if "\x00" in plain:
        raise malformed(refused.ENCODING)
    return plain


@dataclass(slots=True)
class Draft:
    """A query while it is read."""

    shape: Shape
    conditions: list[Condition] = field(default_factory=list)
    understood: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    escaped: list[str] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def query(self) -> Query:
        """The query, or Malformed with all that was found wrong."""
        if self.issues:
            raise Malformed.all(self.issues)
        shape = self.shape
        return controls.checked(
            Query(
                shape.type,
                tuple(self.conditions),
                shape.sort or controls.default_sort(shape.type),
                tuple(shape.includes),
                shape.count,
                shape.after,
                shape.total,
                shape.summary,
                shape.elements,
                tuple(self.understood),
                tuple(self.ignored),
                tuple(self.escaped),
            )
        )


def read(  # noqa: PLR0913  each names one thing that the reading depends on, by keyword
    type: str,
    pairs: Sequence[tuple[str, str]],
    *,
    zone: ZoneInfo,
    bases: Bases,
    strict: bool,
    page_limit: int = 1000,
    default_count: int = 50,
) -> Query:
    """The search on a type that these parameters ask for.

    `_count` over `page_limit` is `page_limit`, absent `default_count`. `strict`: an unknown parameter, and one without value, is
    Malformed; otherwise its name is in `Query.ignored`. Dates without offset are read in `zone`, `bases` are our URLs.
    """
    draft = Draft(Shape(type, page_limit, default_count))
    reading = Reading(zone, bases)

    def one(written: Written) -> bool:
        if controls.is_control(written.name):
            return controls.read(draft.shape, written)
        return _criterion(draft, reading, written)

    _each(draft, pairs, one, strict)
    return draft.query()


def condition(type: str, pairs: Sequence[tuple[str, str]], *, zone: ZoneInfo, bases: Bases) -> Query:
    """The condition of a write: criteria only, one of them `identifier` with a value (GAP-RET-E12).

    Malformed: an unknown parameter, one without value, a parameter that only shapes answers, no `identifier`.
    """
    draft = Draft(Shape(type, 1000, 50))
    reading = Reading(zone, bases)

    def one(written: Written) -> bool:
        if controls.is_control(written.name):
            raise malformed(refused.CONTROL, name=written.name)
        return _criterion(draft, reading, written)

    _each(draft, pairs, one, True)
    query = draft.query()
    if not any(_names_one(each) for each in query.conditions):
        raise malformed(refused.IDENTIFIER)
    return query


def _names_one(condition: Condition) -> bool:
    return (
        isinstance(condition, Term)
        and condition.parameter.code == "identifier"
        and not condition.modifier
        and all(isinstance(value, TokenValue) and value.code for value in condition.values)
    )


def _each(
    draft: Draft,
    pairs: Iterable[tuple[str, str]],
    one: Callable[[Written], bool],
    strict: bool,
) -> None:
    listed = list(pairs)
    _bound(listed)
    for name, text in listed:
        written = _spelled(draft.shape.type, name, text)
        try:
            known = one(written)
        except Malformed as problem:
            draft.issues.extend(problem.issues)
            continue
        if known:
            _understood(draft, written)
        elif not strict:
            draft.ignored.append(name)
        else:
            values = {"name": name, "type": draft.shape.type}
            draft.issues.append(Issue(_why_unknown(written), values=values))


def _understood(draft: Draft, written: Written) -> None:
    if written.name not in SILENT:
        draft.understood.append((written.name, written.text))
    if "\\|" in written.text and _ESCAPED_PIPE(written.text):
        draft.escaped.append(written.name)


def _why_unknown(written: Written) -> Refusal:
    if not written.text.strip(" ,"):
        return refused.EMPTY
    return refused.NAMED if controls.is_control(written.name) else refused.UNKNOWN


def _bound(listed: Sequence[tuple[str, str]]) -> None:
    if len(listed) > PARAMETERS:
        raise too_many(PARAMETERS, "paramètres", "parameters")
    if sum(text.count(",") + 1 for _, text in listed) > VALUES and (
        sum(len(split(text)) for _, text in listed) > VALUES
    ):
        raise too_many(VALUES, "valeurs", "values")


def _spelled(type: str, name: str, text: str) -> Written:
    """The parameter under its own name when an alias was written (C-31): the alias may carry modifiers and chains."""
    if not name.startswith(("GAP_", "Schedule-")):
        return Written(name, text)
    for (of, alias), (code, prefix) in ALIASES.items():
        if of == type and (name == alias or name.startswith((alias + ":", alias + "."))):
            values = (one if not prefix or _PREFIXED(one) else prefix + one for one in split(text))
            return Written(code + name[len(alias) :], ",".join(values))
    return Written(name, text)


def _criterion(draft: Draft, reading: Reading, written: Written) -> bool:
    found = criterion(reading, draft.shape.type, written.name, written)
    if found is None:
        return False
    draft.conditions.append(found)
    return True

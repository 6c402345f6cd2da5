"""One criterion, from its name and text to a condition: modifiers, chains, `_has`.

https://hl7.org/fhir/R4/search.html#modifiers, #chaining, #has; GAP §11.2 and §12.2 (chains through `schedule.actor`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from creneau.search import refused, values
from creneau.search.fold import fold
from creneau.search.parameters import COMPUTED, TYPES, WIDENED, indexed, parameter
from creneau.search.query import (
    AnyOf,
    Chain,
    Condition,
    Has,
    Ids,
    LastUpdated,
    Not,
    Parameter,
    Term,
    TextValue,
    TokenValue,
    Value,
)
from creneau.search.refused import malformed
from creneau.search.values import READ, Reading, Written

LINKS: Final = 4
"""References that one criterion may follow (GAP-CDI-03)."""

MODIFIERS: Final = {
    "token": ("not", "text", "missing"),
    "date": ("missing",),
    "string": ("exact", "contains", "missing"),
    "uri": ("not", "missing"),
    "reference": ("identifier", "not", "missing"),
    "special": ("missing",),
}
"""By kind of parameter, the modifiers it has; a reference has those of its types as well."""


def condition(
    reading: Reading, type: str, name: str, written: Written, links: int = LINKS
) -> Condition | None:
    """The condition that a criterion states on a type; None when its name is not known there, or when it has no value.

    `name` is what remains to be read of `written.name`. Malformed: bad values, unknown modifiers, too many links.
    """
    if name.startswith("_has:"):
        return _has(reading, type, name, written, links)
    head, dot, rest = name.partition(".")
    code, _, modifier = head.partition(":")
    if dot:
        return _chain(reading, (type, code, modifier), rest, written, links)
    if code in _NATIVE:
        return _NATIVE[code](reading, modifier, written)
    found = parameter(type, code)
    return None if found is None else _widened(reading, found, modifier, written)


def _chain(
    reading: Reading, head: tuple[str, str, str], rest: str, written: Written, links: int
) -> Condition | None:
    type, code, target = head
    found = parameter(type, code)
    if found is None or found.kind != "reference":
        return None
    if not links:
        raise refused.too_many(LINKS, "liens enchaînés", "chained links")
    chains = []
    for one in (target,) if target else found.targets or TYPES:
        inner = None if one in COMPUTED else condition(reading, one, rest, written, links - 1)
        if inner is not None:
            chains.append(Chain(found, one, inner))
    return _any(chains)


def _has(reading: Reading, type: str, name: str, written: Written, links: int) -> Condition | None:
    parts = name.split(":", 3)
    if len(parts) < 4:
        return None
    _, source, code, rest = parts
    found = None if source in COMPUTED else parameter(source, code)
    if found is None or found.kind != "reference" or (found.targets and type not in found.targets):
        return None
    if not links:
        raise refused.too_many(LINKS, "liens enchaînés", "chained links")
    inner = condition(reading, source, rest, written, links - 1)
    return None if inner is None else Has(source, found, inner)


def _any(conditions: Iterable[Condition]) -> Condition | None:
    found = tuple(conditions)
    return found[0] if len(found) == 1 else AnyOf(found) if found else None


def _widened(reading: Reading, found: Parameter, modifier: str, written: Written) -> Condition | None:
    """The term, and for parameters that also look into a linked resource, the same asked there (C-38 to C-40)."""
    term = _term(reading, found, modifier, written)
    if term is None or (found.type, found.code) not in WIDENED:
        return term
    reference, target, code = WIDENED[found.type, found.code]
    link, there = parameter(found.type, reference), parameter(target, code)
    assert link is not None and there is not None
    match term.modifier, term.values:
        case "not", wanted:
            kept, opposite = ("", wanted), True
        case "missing", (TokenValue(code="true"),):
            kept, opposite = ("missing", (TokenValue(None, "false"),)), True
        case same:
            kept, opposite = same, False
    both = AnyOf(
        (Term(term.parameter, kept[1], kept[0]), Chain(link, target, Term(indexed(there), kept[1], kept[0])))
    )
    return Not(both) if opposite else both


def _term(reading: Reading, found: Parameter, modifier: str, written: Written) -> Term | None:
    target = indexed(found)
    if not modifier:
        read = READ[found.kind]
        wanted = tuple(read(reading, written.name, found, one) for one in values.split(written.text))
        return Term(target, wanted) if wanted else None
    if found.kind == "reference" and modifier in (found.targets or TYPES):
        wanted = tuple(
            values.typed(reading, written.name, modifier, one) for one in values.split(written.text)
        )
        return Term(target, wanted) if wanted else None
    known = MODIFIERS[found.kind]
    if modifier not in known:
        raise malformed(refused.MODIFIER, name=written.name, known=_listed(found, known))
    wanted = tuple(
        _modified(reading, found, modifier, written.name, one) for one in values.split(written.text)
    )
    return Term(target, wanted, modifier) if wanted else None


def _listed(found: Parameter, known: tuple[str, ...]) -> str:
    types = found.targets if found.kind == "reference" else ()
    return " ".join(f":{one}" for one in (*known, *types))


def _modified(reading: Reading, found: Parameter, modifier: str, name: str, text: str) -> Value:
    if modifier == "missing":
        return TokenValue(None, values.boolean(name, text))
    if modifier == "identifier":
        return values.token(name, text)
    if modifier == "text":
        plain = values.unescape(text)
        return TextValue(fold(plain), plain)
    return READ[found.kind](reading, name, found, text)


def _ids(reading: Reading, modifier: str, written: Written) -> Condition | None:
    if modifier not in ("", "not"):
        raise malformed(refused.MODIFIER, name=written.name, known=":not")
    found = tuple(values.unescape(one) for one in values.split(written.text))
    if not found:
        return None
    return Not(Ids(found)) if modifier else Ids(found)


def _updated(reading: Reading, modifier: str, written: Written) -> Condition | None:
    if modifier:
        raise malformed(refused.MODIFIER, name=written.name, known="-")
    found = tuple(values.date(reading, written.name, one) for one in values.split(written.text))
    return LastUpdated(found) if found else None


_NATIVE: Final = {"_id": _ids, "_lastUpdated": _updated}

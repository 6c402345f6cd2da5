"""The condition of a write: `If-None-Exist`, `PUT [type]?identifier=`, and its kin.

https://hl7.org/fhir/R4/http.html#cond-update, #ccreate; GAP-RDV-08, GAP-RDV-09, C-65. The condition names a business identifier, which the
store holds unique, so that two simultaneous writes cannot both find nothing and both create.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote

from creneau.flows.world import World
from creneau.flows.writing import MANY
from creneau.problems import Ambiguous, Issue, Malformed, refusal
from creneau.search import grammar
from creneau.search.parameters import parameter
from creneau.search.query import Query, Term, TokenValue
from creneau.store.contract import Claim, Stored

CRITERION_DIFFERS = refusal(
    "identifier-differs",
    "invalid",
    "Le corps ne porte pas l'identifiant que le critère désigne.",
    "The body does not carry the identifier that the condition names.",
)


_ONE_IDENTIFIER: Final = re.compile(
    r"identifier=([^|&,\\$%+\s\x00\ufffd]+)\|([^|&,\\$%+\s\x00\ufffd]+)"
).fullmatch
"""What flow 6b sends, when nothing in it has another meaning: it needs no grammar."""


def read(world: World, type: str, condition: str) -> Query:
    """The condition as a query. Malformed when it cannot be read, has an unknown parameter, or no identifier (GAP-RET-E12)."""
    plain = _ONE_IDENTIFIER(unquote(condition)) if "+" not in condition else None
    identifier = parameter(type, "identifier")
    if plain and identifier:
        return Query(type, (Term(identifier, (TokenValue(plain[1], plain[2]),)),))
    return grammar.condition(type, grammar.pairs(condition), zone=world.rules.zone, bases=world.bases)


def identifiers(query: Query) -> Iterator[TokenValue]:
    """The identifiers that the condition names."""
    for term in query.conditions:
        if isinstance(term, Term) and term.parameter.code == "identifier" and not term.modifier:
            yield from (value for value in term.values if isinstance(value, TokenValue))


def claims(query: Query) -> list[tuple[str, Claim]]:
    """The identifiers, each with its system, that the condition names: who holds them is what `one` reads first."""
    named = ((one.system, one.code) for one in identifiers(query))
    return [
        (query.type, Claim(system, code)) for system, code in named if system is not None and code is not None
    ]


async def one(world: World, type: str, condition: str) -> tuple[Query, Stored | None]:
    """The resource that the condition matches, None when there is none; Ambiguous when there are several (GAP-RET-E11)."""
    query = read(world, type, condition)
    if held := await _holder(world, query):
        return query, held
    page = await world.store.find(replace(query, total="none"), count=2)
    if len(page.items) > 1:
        counted = await world.store.find(query, count=0)
        raise Ambiguous(Issue(MANY, values={"count": counted.total, "type": type}))
    return query, page.items[0] if page.items else None


async def _holder(world: World, query: Query) -> Stored | None:
    """Who holds the identifier alone, when the condition is one identifier and no more: what flow 6b sends."""
    match query.conditions:
        case (Term(parameter=p, values=(TokenValue(system=str(system), code=str(code)),), modifier=""),):
            if p.code == "identifier" and (id := await world.store.holder(query.type, Claim(system, code))):
                found = await world.store.get(query.type, id)
                return found if found and not found.deleted else None
    return None


def carried(query: Query, sent: dict[str, Any]) -> None:
    """Refuse a body that does not carry the identifier of the condition: created, it would not be found by it again."""
    held = sent.get("identifier")
    mine = [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []
    for wanted in identifiers(query):
        if any(_matches(wanted, one) for one in mine):
            return
    raise Malformed(Issue(CRITERION_DIFFERS, f"{query.type}.identifier"))


def _matches(wanted: TokenValue, identifier: dict[str, Any]) -> bool:
    if wanted.code is not None and wanted.code != identifier.get("value"):
        return False
    return wanted.system is None or wanted.system == identifier.get("system", "")

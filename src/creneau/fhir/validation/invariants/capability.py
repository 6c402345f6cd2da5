"""The invariants of CapabilityStatement. https://hl7.org/fhir/R4/capabilitystatement.html"""

from __future__ import annotations

import re
from typing import Final

from creneau.fhir.validation.invariants.row import Element, Invariant, advice, distinct, has, invariant

_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9_]{0,254}").fullmatch


def _is(statement: Element, kind: str) -> bool:
    return statement.get("kind") == kind


def _documents_distinct(statement: Element) -> bool:
    return distinct([f"{d.get('profile', '')}{d.get('mode', '')}" for d in statement.get("document", ())])


def _endpoint_of_instance(statement: Element) -> bool:
    return _is(statement, "instance") or all("endpoint" not in m for m in statement.get("messaging", ()))


CAPABILITY: Final[tuple[Invariant, ...]] = (
    advice(
        "cpb-0",
        "CapabilityStatement",
        "warning",
        (
            "Le nom peut servir d'identifiant à un programme : une majuscule, puis lettres, chiffres, _",
            "The name is usable as an identifier by programs: a capital, then letters, digits, _",
        ),
        lambda statement: "name" not in statement or _NAME(statement["name"]) is not None,
    ),
    invariant(
        "cpb-1",
        "CapabilityStatement",
        "Il y a au moins un élément rest, messaging ou document",
        "There is at least one of rest, messaging, document",
        lambda statement: "rest" in statement or "messaging" in statement or "document" in statement,
    ),
    invariant(
        "cpb-2",
        "CapabilityStatement",
        "Il y a au moins un élément description, software ou implementation",
        "There is at least one of description, software, implementation",
        lambda statement: (
            has(statement, "description") or "software" in statement or "implementation" in statement
        ),
    ),
    invariant(
        "cpb-3",
        "CapabilityStatement",
        "messaging.endpoint n'existe que pour une instance (kind)",
        "messaging.endpoint only when kind is instance",
        _endpoint_of_instance,
    ),
    invariant(
        "cpb-7",
        "CapabilityStatement",
        "Un document est décrit une fois par profil et mode",
        "A document is described once per profile and mode",
        _documents_distinct,
    ),
    invariant(
        "cpb-9",
        "CapabilityStatement.rest",
        "Un type de ressource est décrit une seule fois",
        "A resource type is described once",
        lambda rest: distinct([r.get("type") for r in rest.get("resource", ()) if "type" in r]),
    ),
    invariant(
        "cpb-12",
        "CapabilityStatement.rest.resource",
        "Les noms des critères de recherche d'un type sont différents",
        "The names of a type's search parameters are distinct",
        lambda resource: distinct([p.get("name") for p in resource.get("searchParam", ()) if "name" in p]),
    ),
    invariant(
        "cpb-14",
        "CapabilityStatement",
        "Une instance (kind) a un élément implementation",
        "When kind is instance, implementation is present",
        lambda statement: not _is(statement, "instance") or "implementation" in statement,
    ),
    invariant(
        "cpb-15",
        "CapabilityStatement",
        "Pour kind = capability : software est présent, implementation absent",
        "When kind is capability, software is present and implementation absent",
        lambda s: not _is(s, "capability") or ("implementation" not in s and "software" in s),
    ),
    invariant(
        "cpb-16",
        "CapabilityStatement",
        "Pour kind = requirements : implementation et software sont absents",
        "When kind is requirements, implementation and software are absent",
        lambda s: not _is(s, "requirements") or ("implementation" not in s and "software" not in s),
    ),
)

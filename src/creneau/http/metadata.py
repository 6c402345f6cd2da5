"""The CapabilityStatement, computed from the table of routes and the tables of search parameters, so that it says what is so.

https://hl7.org/fhir/R4/capabilitystatement.html; GAP-CNF-20 to 25, C-30, GAP-SCO-12 (both formats).
"""

from __future__ import annotations

from typing import Any, Final

import creneau
from creneau.fhir import instant
from creneau.flows.world import World
from creneau.http.routes import OFFERED, flow
from creneau.http.settings import HttpSettings
from creneau.problems import Issue, Malformed, refusal
from creneau.search import parameters
from creneau.search.query import Parameter

Element = dict[str, Any]

GAP: Final = "https://interop.esante.gouv.fr/ig/fhir/gap"
IMPLEMENTATION_GUIDE: Final = f"{GAP}/ImplementationGuide/ans.fhir.fr.gap"
VALIDATE: Final = "http://hl7.org/fhir/OperationDefinition/Resource-validate"
OPERATIONS: Final = "https://creneau.example/fhir/OperationDefinition/"

MODE = refusal(
    "metadata-mode",
    "not-supported",
    "mode attend full ou normative ; la déclaration de terminologie n'est pas offerte.",
    "mode expects full or normative; the terminology statement is not offered.",
)

INTERACTIONS: Final = (
    "read",
    "vread",
    "update",
    "patch",
    "delete",
    "history-instance",
    "history-type",
    "create",
    "search-type",
)
"""FHIR's codes of type-level interactions, in its order."""

COMMON: Final = (
    ("_id", "token", "http://hl7.org/fhir/SearchParameter/Resource-id"),
    ("_lastUpdated", "date", "http://hl7.org/fhir/SearchParameter/Resource-lastUpdated"),
)
"""Parameters of every type that have no row of their own in a type's table."""


def statement(world: World, settings: HttpSettings, mode: str = "full") -> Element:
    """The CapabilityStatement of this instance. Refused: a mode that is neither "full" nor "normative"."""
    if mode not in ("full", "normative"):
        raise Malformed(Issue(MODE))
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{settings.base_url}/metadata",
        "version": creneau.__version__,
        "name": "Creneau",
        "title": "Creneau, serveur d'agendas partagés (GAP)",
        "status": "active",
        "experimental": False,
        "date": instant.show(world.clock() // 1_000_000 * 1_000_000),
        "publisher": "The Creneau authors",
        "description": "Gestionnaire d'agendas et gestionnaire de ressources du volet GAP (CI-SIS), FHIR R4.",
        "kind": "instance",
        "software": {"name": "Creneau", "version": creneau.__version__},
        "implementation": {"description": "Creneau", "url": settings.base_url},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json", "application/fhir+xml"],
        "implementationGuide": [IMPLEMENTATION_GUIDE],
        "rest": [_rest(world)],
    }


def _rest(world: World) -> Element:
    return {
        "mode": "server",
        "documentation": "Les flux du volet GAP sont nommés type par type.",
        "security": {
            "cors": False,
            "description": "Le transport et les droits sont ceux du déploiement (GAP-SEC-05).",
        },
        "resource": [_resource(world, type) for type in OFFERED],
        "interaction": [{"code": code} for code in ("transaction", "batch", "history-system")],
    }


def _resource(world: World, type: str) -> Element:
    offered = OFFERED[type]
    found: Element = {
        "type": type,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{type}",
        **_profiles(world, type),
        "interaction": [_interaction(type, code) for code in INTERACTIONS if code in offered],
        "versioning": "versioned-update" if "update" in offered else "no-version",
        "readHistory": "vread" in offered,
        "updateCreate": "update" in offered and type != "Appointment" and world.rules.client_ids,
        "conditionalCreate": {"create", "search-type"} <= offered,
        "conditionalRead": "full-support",
        "conditionalUpdate": "update-conditional" in offered,
        "conditionalDelete": "single" if "delete-conditional" in offered else "not-supported",
        "referencePolicy": ["literal", "logical", "enforced"],
    }
    if "search-type" in offered:
        found |= _search(type)
    operations = sorted(code for code in offered if code.startswith("$"))
    if operations:
        found["operation"] = [_operation(type, code[1:]) for code in operations]
    return found


def _profiles(world: World, type: str) -> Element:
    """The profiles of FR Core, GAP and added packages that a claim is checked against (DEC-11)."""
    known = world.validator.profiles_of(type)
    return {"supportedProfile": list(known)} if known else {}


def _operation(type: str, name: str) -> Element:
    if name == "validate":
        return {"name": name, "definition": VALIDATE}
    return {"name": name, "definition": f"{OPERATIONS}{type}-{name}", "documentation": "docs/flows"}


def _interaction(type: str, code: str) -> Element:
    flows = flow(type, code)
    return {"code": code, "documentation": f"Flux GAP {flows}"} if flows else {"code": code}


def _search(type: str) -> Element:
    rows = parameters.parameters(type)
    named = {row.code for row in rows}
    found: Element = {}
    links = [f"{type}:{row.code}" for row in rows if row.kind == "reference"]
    if links:
        found["searchInclude"] = links
    if back := _pointing_to(type):
        found["searchRevInclude"] = back
    common = [
        {"name": name, "type": kind, "definition": url} for name, kind, url in COMMON if name not in named
    ]
    found["searchParam"] = common + [_parameter(row) for row in rows]
    return found


def _parameter(row: Parameter) -> Element:
    found: Element = {"name": row.code}
    if row.url:
        found["definition"] = row.url
    found["type"] = row.kind
    if row.doc:
        found["documentation"] = row.doc
    return found


def _pointing_to(type: str) -> list[str]:
    return [
        f"{source}:{row.code}"
        for source, offered in OFFERED.items()
        if "search-type" in offered and source not in parameters.COMPUTED
        for row in parameters.parameters(source)
        if row.kind == "reference" and type in row.targets
    ]

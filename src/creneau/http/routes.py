"""THE TABLE: every method and path that the FHIR base answers, and which interactions each resource type offers.

https://hl7.org/fhir/R4/http.html; GAP-RES-03 to 06 (flows 1), GAP-CNF-20 to 24 (what the actors' CapabilityStatements list).
Read by the dispatcher, `/metadata`, the documentation, the log, the tests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Final, NamedTuple

from creneau.http import binaries, operations, reads, writes
from creneau.http.request import Call, Place
from creneau.http.response import Answer
from creneau.problems import Issue, Missing, NotOffered, Problem, refusal

UNKNOWN_TYPE = refusal(
    "type-not-supported",
    "not-supported",
    "Ce type de ressource, ou cette opération, n'est pas offert par ce serveur.",
    "This resource type, or this operation, is not offered by this server.",
)
NOT_OFFERED = refusal(
    "interaction-not-offered",
    "not-supported",
    "Cette interaction n'est pas offerte ici ; le sont : {allowed}.",
    "This interaction is not offered here; these are: {allowed}.",
)


class Route(NamedTuple):
    """One row. `interaction` is FHIR's code, or the operation's name; `body`: whether the request's body is read."""

    method: str
    shape: str
    interaction: str
    function: Callable[[Call], Awaitable[Answer]]
    doc: str  # what it does, in French
    body: bool = False

    @property
    def reads(self) -> bool:
        """Whether it reads much and does nothing else. A read by id is not much: asking whether a replica is as good costs as much."""
        much = self.interaction not in ("read", "vread", "capabilities")
        return much and (self.method == "GET" or self.interaction == "search-type")


ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "metadata", "capabilities", operations.capabilities, "Déclaration de capacités du serveur"),
    Route("POST", "", "bundle", writes.bundle, "Lot (batch) ou transaction", body=True),
    Route("GET", "_history", "history-system", reads.history, "Historique de toutes les ressources"),
    Route("GET", "[type]", "search-type", reads.search, "Recherche"),
    Route(
        "POST",
        "[type]/_search",
        "search-type",
        reads.search_form,
        "Recherche, critères dans le corps",
        body=True,
    ),
    Route("POST", "[type]", "create", writes.create, "Création ; If-None-Exist compris", body=True),
    Route("PUT", "[type]", "update-conditional", writes.update_where, "Mise à jour par critère", body=True),
    Route(
        "PATCH",
        "[type]",
        "patch-conditional",
        writes.patch_where,
        "Modification partielle par critère",
        body=True,
    ),
    Route("DELETE", "[type]", "delete-conditional", writes.delete_where, "Suppression par critère"),
    Route("GET", "[type]/_history", "history-type", reads.history, "Historique d'un type"),
    Route(
        "POST", "[type]/$validate", "$validate", operations.validate, "Contrôle sans enregistrer", body=True
    ),
    Route("GET", "[type]/$explain", "$explain", operations.explain, "Pourquoi ce moment est offert ou non"),
    Route("GET", "[type]/$earliest", "$earliest", operations.earliest, "Premiers créneaux par professionnel"),
    Route(
        "POST",
        "[type]/$availability",
        "$availability",
        operations.availability,
        "Ce qu'un agenda ouvrirait, sans l'enregistrer",
        body=True,
    ),
    Route(
        "GET",
        "[type]/[id]/$availability",
        "$availability",
        operations.availability,
        "Ce qu'un agenda ouvre, ferme et a de pris",
    ),
    Route("GET", "[type]/[id]", "read", reads.read, "Lecture de la version courante"),
    Route("PUT", "[type]/[id]", "update", writes.update, "Mise à jour", body=True),
    Route("PATCH", "[type]/[id]", "patch", writes.patch, "Modification partielle", body=True),
    Route("DELETE", "[type]/[id]", "delete", writes.delete, "Suppression"),
    Route("GET", "[type]/[id]/_history", "history-instance", reads.history, "Historique d'une ressource"),
    Route("GET", "[type]/[id]/_history/[version]", "vread", reads.vread, "Lecture d'une version"),
    Route(
        "POST",
        "[type]/[id]/$validate",
        "$validate",
        operations.validate,
        "Contrôle sans enregistrer",
        body=True,
    ),
)

RAW: Final[dict[str, Callable[[Call], Awaitable[Answer]]]] = {
    "create": binaries.create,
    "update": binaries.update,
    "read": binaries.read,
}
"""Functions that stand in for those of `ROUTES` on Binary, whose content also travels raw."""

KEPT: Final = frozenset(
    {"read", "vread", "history-instance", "history-type", "create", "update", "$validate"}
)
FULL: Final = KEPT | {
    "search-type",
    "patch",
    "delete",
    "update-conditional",
    "patch-conditional",
    "delete-conditional",
}

ACTORS: Final = (
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
    "Location",
    "HealthcareService",
    "Organization",
    "Device",
)
"""The resource types that can be an actor of an agenda, or own one (GAP-RES-01)."""

OFFERED: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(ACTORS, FULL),
    "Schedule": FULL | {"$availability"},
    "Slot": frozenset({"read", "search-type", "$explain", "$earliest"}),
    "Appointment": FULL - {"delete", "delete-conditional"},
    "AppointmentResponse": KEPT | {"search-type"},
    "DocumentReference": FULL,
    "Binary": KEPT | {"delete"},
}
"""What each stored type offers. A slot is computed (C-30); an appointment is cancelled, never deleted (GAP §13)."""

SYSTEM: Final = frozenset({"capabilities", "bundle", "history-system"})

FLOWS: Final[dict[tuple[str, str], str]] = {
    **{(type, "create"): "1a" for type in ACTORS},
    **{(type, "update"): "1b" for type in ACTORS},
    **{(type, "patch"): "1b" for type in ACTORS},
    **{(type, "delete"): "1c" for type in ACTORS},
    ("Schedule", "create"): "2a",
    ("Schedule", "update"): "2b, 3a, 3b, 3c",
    ("Schedule", "patch"): "2b, 3a, 3b, 3c",
    ("Schedule", "delete"): "2c",
    ("Schedule", "$availability"): "3a, 3b, 3c",
    ("Slot", "search-type"): "4a, 5a",
    ("Slot", "$earliest"): "4a, 5a",
    ("Appointment", "search-type"): "4b, 5b",
    ("Appointment", "create"): "6a",
    ("Appointment", "update"): "6b",
    ("Appointment", "patch"): "6b",
}
"""The GAP flows, by type and interaction; a conditional form is the flow of its plain form."""


@lru_cache(maxsize=1024)
def flow(type: str, interaction: str) -> str:
    """The GAP flows of an interaction on a type, "" when GAP has none."""
    return FLOWS.get((type, interaction.removesuffix("-conditional")), "")


def _table() -> dict[tuple[str, str, str], Route]:
    table = {(row.method, "", row.shape): row for row in ROUTES if row.interaction in SYSTEM}
    for type, interactions in OFFERED.items():
        for row in ROUTES:
            if row.interaction in interactions:
                raw = RAW.get(row.interaction) if type == "Binary" else None
                table[row.method, type, row.shape] = row._replace(function=raw) if raw else row
    for (method, type, shape), row in list(table.items()):
        if method == "GET":
            table["HEAD", type, shape] = row
    return table


TABLE: Final = _table()
"""The row that answers a method on a type ("" for the base) at a shape; HEAD is answered as GET."""

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def allowed(type: str, shape: str) -> tuple[str, ...]:
    """The methods offered there, OPTIONS last; none when nothing is."""
    found = tuple(method for method in METHODS if (method, type, shape) in TABLE)
    return (*found, "OPTIONS") if found else ()


def refused(method: str, place: Place, in_bundle: bool = False) -> Problem | None:
    """The refusal of a method at a place, None when a row answers it. A bundle reaches what has a type, and that alone."""
    if (method, place.type, place.shape) in TABLE and (place.type or not in_bundle):
        return None
    methods = allowed(place.type, place.shape)
    if not methods or not (place.type or not in_bundle):
        return Missing(Issue(UNKNOWN_TYPE))
    problem = NotOffered(Issue(NOT_OFFERED, values={"allowed": ", ".join(methods)}))
    problem.allowed = methods
    return problem

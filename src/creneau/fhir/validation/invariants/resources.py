"""The invariants of the other resources in play, and of every DomainResource. https://hl7.org/fhir/R4/domainresource.html"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from creneau.fhir.validation.invariants.datatypes import values
from creneau.fhir.validation.invariants.descendants import local_links
from creneau.fhir.validation.invariants.row import Element, Invariant, advice, has, invariant

_WITHOUT_TIME: Final = frozenset(("proposed", "cancelled", "waitlist"))


def _contained(resource: Element) -> Iterator[Element]:
    return (inner for inner in resource.get("contained", ()) if isinstance(inner, dict))


def _meta_without(resource: Element, *names: str) -> bool:
    metas: Iterator[Any] = (inner.get("meta", {}) for inner in _contained(resource))
    return not any(has(meta, name) for meta in metas for name in names)


def _contained_linked(resource: Element) -> bool:
    if "contained" not in resource:
        return True
    named = local_links(resource)
    return all(inner.get("id") in named or "" in local_links(inner) for inner in _contained(resource))


def _one_of_three(parameter: Element) -> bool:
    value, resource = not values().isdisjoint(parameter), "resource" in parameter
    if "part" in parameter:
        return not value and not resource
    return value != resource


RESOURCES: Final[tuple[Invariant, ...]] = (
    invariant(
        "app-1",
        "Appointment.participant",
        "Un participant a un type ou désigne un acteur",
        "A participant has a type or an actor",
        lambda participant: "type" in participant or "actor" in participant,
    ),
    invariant(
        "app-2",
        "Appointment",
        "Le début et la fin du rendez-vous vont ensemble",
        "Start and end are both present or both absent",
        lambda appointment: has(appointment, "start") == has(appointment, "end"),
    ),
    invariant(
        "app-3",
        "Appointment",
        "Seul un rendez-vous demandé, annulé ou en liste d'attente peut n'avoir ni début ni fin",
        "Only a proposed, cancelled or waitlisted appointment may lack start and end",
        lambda a: (has(a, "start") and has(a, "end")) or a.get("status") in _WITHOUT_TIME,
    ),
    invariant(
        # The published text says 'no-show', which is no code of the value set; its words mean noshow (C-68).
        "app-4",
        "Appointment",
        "Un motif d'annulation n'existe que si le rendez-vous est annulé (cancelled) ou manqué (noshow)",
        "A cancelation reason is only for appointments that are cancelled or noshow",
        lambda a: "cancelationReason" not in a or a.get("status") in ("cancelled", "noshow"),
    ),
    invariant(
        "apr-1",
        "AppointmentResponse",
        "La réponse dit le type de participant ou désigne l'acteur",
        "A response has a participantType or an actor",
        lambda response: "participantType" in response or "actor" in response,
    ),
    invariant(
        "pat-1",
        "Patient.contact",
        "Un contact a un nom, un moyen de contact, une adresse ou une organisation",
        "A contact has a name, a telecom, an address or an organization",
        lambda contact: any(name in contact for name in ("name", "telecom", "address", "organization")),
    ),
    invariant(
        "org-1",
        "Organization",
        "Une organisation a un nom ou un identifiant",
        "An organization has a name or an identifier",
        lambda organization: "identifier" in organization or has(organization, "name"),
    ),
    invariant(
        "org-2",
        "Organization.address",
        "L'adresse d'une organisation n'est pas un domicile (home)",
        "An address of an organization is never of use home",
        lambda address: address.get("use") != "home",
    ),
    invariant(
        "org-3",
        "Organization.telecom",
        "Le moyen de contact d'une organisation n'est pas personnel (home)",
        "A telecom of an organization is never of use home",
        lambda telecom: telecom.get("use") != "home",
    ),
    invariant(
        "sev-1",
        "AuditEvent.entity",
        "Une entité a un nom ou une requête, pas les deux",
        "An entity has a name or a query, not both",
        lambda entity: not (has(entity, "name") and has(entity, "query")),
    ),
    invariant(
        "inv-1",
        "Parameters.parameter",
        "Un paramètre a une valeur, une ressource ou des parties, et une seule de ces choses",
        "A parameter has exactly one of value, resource, part",
        _one_of_three,
    ),
    invariant(
        "dom-2",
        "DomainResource",
        "Une ressource contenue n'en contient pas d'autre",
        "A contained resource contains no other",
        lambda resource: all("contained" not in inner for inner in _contained(resource)),
    ),
    invariant(
        "dom-3",
        "DomainResource",
        "Une ressource contenue est désignée par celle qui la contient, ou la désigne",
        "A contained resource is referred to by its container, or refers to it",
        _contained_linked,
    ),
    invariant(
        "dom-4",
        "DomainResource",
        "Une ressource contenue n'a ni meta.versionId ni meta.lastUpdated",
        "A contained resource has no meta.versionId and no meta.lastUpdated",
        lambda resource: _meta_without(resource, "versionId", "lastUpdated"),
    ),
    invariant(
        "dom-5",
        "DomainResource",
        "Une ressource contenue n'a pas d'étiquette de sécurité (meta.security)",
        "A contained resource has no security label (meta.security)",
        lambda resource: _meta_without(resource, "security"),
    ),
    advice(
        "dom-6",
        "DomainResource",
        "best practice",
        ("Une ressource a un texte lisible (text.div)", "A resource has narrative (text.div)"),
        lambda resource: "div" in resource.get("text", {}),
    ),
)

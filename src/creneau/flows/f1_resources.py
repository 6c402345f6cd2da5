"""1a create, 1b update, 1c delete an actor of an agenda, or another resource that appointments need (DocumentReference, Binary).

GAP §7: Patient, Practitioner, PractitionerRole, RelatedPerson, Location, HealthcareService, Organization, Device.
"""

from __future__ import annotations

from creneau.fhir import json
from creneau.flows import references
from creneau.flows.answers import Deleted, Resource, Saved
from creneau.flows.world import World
from creneau.flows.writing import commit, put, removal, same, stored
from creneau.problems import InUse, Issue, refusal
from creneau.store.contract import Stored

IN_USE = refusal(
    "still-referred-to",
    "conflict",
    "Cette ressource est encore désignée par {count} ressource(s) {type} ; elle ne peut pas être supprimée.",
    "This resource is still referred to by {count} {type} resource(s); it cannot be deleted.",
)

REFERRERS = (
    ("Schedule", "actor"),
    ("Appointment", "actor"),
    ("PractitionerRole", "practitioner"),
    ("PractitionerRole", "organization"),
    ("PractitionerRole", "location"),
    ("HealthcareService", "organization"),
    ("HealthcareService", "location"),
    ("Location", "organization"),
    ("Location", "partof"),
    ("Organization", "partof"),
    ("RelatedPerson", "patient"),
    ("Device", "organization"),
    ("Device", "location"),
    ("Device", "patient"),
    ("Patient", "general-practitioner"),
    ("Patient", "organization"),
    ("Appointment", "supporting-info"),
    ("AppointmentResponse", "actor"),
)
"""Reference parameters through which a resource is needed by another; a deletion leaves no reference dangling."""


async def create(world: World, sent: Resource, id: str | None = None) -> Saved:
    """1a. A new resource, its id minted unless the flow was given one (GAP-RES-03)."""
    warnings = world.validator.refuse(sent)
    resolved = await references.resolve(world, sent)
    new = put(world, None, sent, id=id or world.new_id())
    await commit(world, [new], resolved.seen())
    return Saved(stored(new), created=True, warnings=(*warnings, *resolved.issues))


async def change(world: World, known: Stored, sent: Resource) -> Saved:
    """1b. The next version of a known resource, or of a deleted one brought back (GAP-RES-04)."""
    warnings = world.validator.refuse(sent)
    former = None if known.deleted else json.load(known.body)
    resolved = await references.resolve(world, sent, references.literals(world, former))
    found = (*warnings, *resolved.issues)
    if former and same(former, sent):
        return Saved(known, created=False, changed=False, warnings=found)
    new = put(world, known, sent, id=known.id)
    await commit(world, [new], resolved.seen())
    return Saved(stored(new), created=known.deleted, warnings=found)


async def delete(world: World, known: Stored) -> Deleted:
    """1c. Refused while something here refers to it (GAP-RES-05, GAP-RES-13, C-28)."""
    for type, param in REFERRERS:
        if count := len(await world.store.linked(type, param, known.type, known.id)):
            raise InUse(Issue(IN_USE, values={"count": count, "type": type}))
    gone = removal(world, known)
    await commit(world, [gone])
    return Deleted(known.type, stored(gone))

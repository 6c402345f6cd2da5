"""1a create, 1b update, 1c delete an actor of an agenda, or another resource that appointments need (DocumentReference, Binary).

GAP §7: Patient, Practitioner, PractitionerRole, RelatedPerson, Location, HealthcareService, Organization, Device.
"""

from __future__ import annotations

from creneau.fhir import json
from creneau.flows import deletion, references
from creneau.flows.answers import Deleted, Resource, Saved
from creneau.flows.world import World
from creneau.flows.writing import commit, put, same, stored
from creneau.store.contract import Stored


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
    """1c. With the agendas that it alone owns; refused while something counts on it (GAP-RES-05, GAP-RES-13, C-28)."""
    return await deletion.delete(world, known)

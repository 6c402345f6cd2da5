"""2a create, 2b update, 2c delete an agenda (Schedule); 3a, 3b, 3c change its availabilityTime by PUT or PATCH.

GAP §8, §9. What the agenda says about time is read by `profiles/agenda.py`; slots follow at once, since they are computed.
"""

from __future__ import annotations

from creneau.fhir import json
from creneau.flows import agendas, deletion, outside, references
from creneau.flows.answers import Deleted, Resource, Saved
from creneau.flows.world import World
from creneau.flows.writing import commit, put, same, stored
from creneau.problems import Invalid, Issue, refusal
from creneau.profiles.agenda import findings
from creneau.scheduling.ownership import owned
from creneau.scheduling.slots import AGENDA_ID_LONGEST
from creneau.store.contract import Stored

LONG_ID = refusal(
    "agenda-id-too-long",
    "value",
    "L'id d'un agenda a au plus {longest} caractères, car ceux de ses créneaux le contiennent.",
    "The id of an agenda has at most {longest} characters, because those of its slots contain it.",
)
NO_LOCAL_ACTOR = refusal(
    "agenda-without-local-actor",
    "not-found",
    "Au moins un acteur de l'agenda doit être une ressource de ce serveur.",
    "At least one actor of the agenda must be a resource of this server.",
)


async def create(world: World, sent: Resource, id: str | None = None) -> Saved:
    """2a. A new agenda (GAP-AGE-03); without business identifier it gets one (C-66)."""
    return await _save(world, None, id or world.new_id(), sent)


async def change(world: World, known: Stored, sent: Resource) -> Saved:
    """2b, 3a, 3b, 3c. The next version of an agenda (GAP-AGE-04, GAP-DIS-07 to 10)."""
    return await _save(world, known, known.id, sent)


async def _save(world: World, known: Stored | None, id: str, sent: Resource) -> Saved:
    warnings = [*world.validator.refuse(sent), *findings(sent, world.rules.zone)]
    if len(id) > AGENDA_ID_LONGEST:
        warnings.append(Issue(LONG_ID, "Schedule.id", values={"longest": AGENDA_ID_LONGEST}))
    former = json.load(known.body) if known and not known.deleted else None
    if not sent.get("identifier"):
        minted = [{"system": world.rules.identifier_system, "value": world.new_id()}]
        sent["identifier"] = (former or {}).get("identifier") or minted
    resolved = await references.resolve(world, sent, references.literals(world, former))
    actors = agendas.local_actors(sent, world)
    if not actors:
        warnings.append(Issue(NO_LOCAL_ACTOR, "Schedule.actor"))
    if errors := [one for one in warnings if one.severity == "error"]:
        raise Invalid.all(errors)
    found = (*warnings, *resolved.issues)
    if known and former and same(former, sent):
        return Saved(known, created=False, changed=False, warnings=found)
    if known and former:
        found += tuple(await outside.closed(world, known, former, sent))
    owns = owned(f"Schedule/{id}", actors, await agendas.humans(world, actors))
    new = put(world, known, sent, id=id, owns=frozenset(owns))
    await commit(world, [new], resolved.seen())
    return Saved(stored(new), created=former is None, warnings=found)


async def delete(world: World, known: Stored) -> Deleted:
    """2c. Refused while appointments to come name its slots, or take time of who has no other agenda (GAP-AGE-09, DEC-09)."""
    return await deletion.delete(world, known)

"""Says to a store that is far what a flow is about to read, so that it reads it in one round trip (docs/decisions/0014).

Nothing rests on it: what is not foreseen is read when it is asked for. What earlier requests read along with a resource is remembered
(`World.along`) as a guess of what this one will need; a wrong guess costs a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from creneau.fhir.reference import Literal, Logical, read, walk
from creneau.flows.references import HELD, targets
from creneau.flows.world import World, named
from creneau.scheduling.ownership import NEVER_TAKEN, kind
from creneau.scheduling.slots import read_slot_id
from creneau.store.contract import Ahead, Claim

MOST: Final = 1_000
"""References of a request that are foreseen."""
FAR: Final = 64
"""Resources guessed from one reference."""
ACTORS: Final = frozenset({"PractitionerRole", "HealthcareService", "Organization"})
"""Actors whose Schedules a booking looks for: a role stands for its human, a service may be taken itself."""

Key = tuple[str, str]


async def of_write(
    world: World, sent: Iterable[Mapping[str, Any]], claims: Iterable[tuple[str, Claim]] = (), *keys: Key
) -> World:
    """The same world, what writing these resources reads being read. `claims`, `keys`: the resources that are to be replaced."""
    if not world.store.far:
        return world
    found = _Found(dict.fromkeys(keys), dict.fromkeys(claims))
    for resource in sent:
        found.refer(world, resource)
    return replace(world, store=await world.store.ahead(found.ahead(world)))


async def of_keys(world: World, keys: Iterable[Key]) -> World:
    """The same world, these resources being read."""
    if not world.store.far:
        return world
    return replace(world, store=await world.store.ahead(Ahead(tuple(keys))))


class _Found:
    """What the references of some resources lead to."""

    def __init__(self, keys: dict[Key, None], claims: dict[tuple[str, Claim], None]) -> None:
        self.keys = keys
        self.claims = claims
        self.actors: dict[Key, None] = {}

    def refer(self, world: World, resource: Mapping[str, Any]) -> None:
        """Take in the references of a resource; those of an appointment to actors say whose agendas are looked for."""
        books = resource.get("resourceType") == "Appointment"
        for path, reference in islice(walk(resource), MOST):
            match read(reference, world.bases):
                case Literal(type="Slot", id=id):
                    if slot := read_slot_id(id):
                        self.keys["Schedule", slot.agenda] = None
                case Literal(type=type, id=id) if type in HELD:
                    self._hold((type, id), books)
                case Logical(system=system, value=value, type=type):
                    claim = Claim(system, value)
                    for one in [one for one in ((type,) if type else targets(path)) if one in HELD]:
                        self.claims[one, claim] = None
                        for before in world.along.get(named(one, claim), ()):
                            self._hold(_key(before), books)

    def _hold(self, key: Key, books: bool) -> None:
        self.keys[key] = None
        if books and key[0] not in NEVER_TAKEN:
            self.actors[key] = None

    def ahead(self, world: World) -> Ahead:
        """All that is to be read, guesses included."""
        keys = dict(self.keys)
        owners: dict[str, None] = {}
        for actor in self.actors:
            for one in company(world, "/".join(actor)):
                keys[_key(one)] = None
                if kind(one) != "Schedule":
                    owners[one] = None
        actors = tuple(actor for actor in self.actors if actor[0] in ACTORS)
        return Ahead(tuple(keys), tuple(islice(self.claims, MOST)), tuple(owners), actors)


def company(world: World, one: str) -> Sequence[str]:
    """The resource and what was read along with it, and with that."""
    found, wave = {one: None}, [one]
    while wave and len(found) < FAR:
        wave = [other for each in wave for other in world.along.get(each, ()) if other not in found]
        found.update(dict.fromkeys(wave))
    return list(found)


def _key(one: str) -> Key:
    type, _, id = one.partition("/")
    return type, id

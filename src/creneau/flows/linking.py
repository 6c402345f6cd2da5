"""The links of a resource to others: those that search parameters index, and one more for each reference that none does.

With them a deletion finds whoever refers to the resource, extensions and contained resources included (SEC-15, REL-22; docs/decisions/0009).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from creneau.fhir.reference import Literal, read, walk
from creneau.flows.world import World
from creneau.profiles.agenda import agenda as read_agenda
from creneau.scheduling.doors import doors
from creneau.search import extract
from creneau.search.parameters import TYPES
from creneau.search.rows import Link, Period, Rows

OTHERWISE: Final = "_reference"
"""Stands in the rows for the search parameter that a reference has not; no search can name it."""

COMPUTED: Final = "Slot"

OPENS: Final = "_opens@"
"""Begins the row of an agenda that says when it may open; the name of its time zone follows."""


def rows(world: World, resource: Mapping[str, Any], body: bytes | None = None) -> Rows:
    """The index rows of a resource: those of its search parameters, all its links, of an agenda when it may open. `body` as below."""
    found = _linked(world, resource, body)
    if resource.get("resourceType") != "Schedule":
        return found
    return found._replace(periods=found.periods | {_opens(world, resource)})


def _opens(world: World, schedule: Mapping[str, Any]) -> Period:
    """The earliest hours of an agenda, in a row of dates that no search can name (docs/decisions/0012)."""
    agenda = read_agenda(
        {"id": "", **schedule},
        zone_default=world.rules.zone,
        default_duration=world.rules.default_duration,
        actor_durations={},
        things=(),
    )
    packed = doors(agenda)
    return Period(f"{OPENS}{agenda.zone.key}", packed, packed + 1)


def _linked(world: World, resource: Mapping[str, Any], body: bytes | None) -> Rows:
    """The index rows of a resource with all its links. `body`, its bytes, when they are there, spares a walk: as many references as links."""
    found = extract.rows(resource, world.rules.zone, world.bases)
    reached = {(link.type, link.id) for link in found.links}
    if body is not None and body.count(b'"reference":') == len(reached):
        return found
    named = (read(reference, world.bases) for _, reference in walk(resource))
    others = {(one.type, one.id) for one in named if isinstance(one, Literal)} - reached
    if not others:
        return found
    return found._replace(links=found.links.union(Link(OTHERWISE, *one) for one in others))


@cache
def referring(target: str) -> tuple[tuple[str, str], ...]:
    """The types and parameters of the links by which a resource of the type `target` can be referred to."""
    found = [
        (type, row.code)
        for type in TYPES
        for row in extract.indexed_parameters(type)
        if row.kind == "reference" and (not row.targets or target in row.targets)
    ]
    found += [(type, OTHERWISE) for type in TYPES]
    return tuple(one for one in found if one[0] != COMPUTED)

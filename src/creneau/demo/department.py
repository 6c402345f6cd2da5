"""The whole département, resource after resource, in an order in which no reference goes forward."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import chain
from typing import Final

from creneau.demo import persons, structures
from creneau.demo.agendas import schedules
from creneau.demo.appointments import booked, split
from creneau.demo.codes import Resource
from creneau.demo.places import PARIS

ANY_DAY: Final = date(2026, 1, 5)


def department(today: date, zone: str = PARIS) -> Iterator[tuple[str, Resource]]:
    """The type and the JSON of each resource, its id included; references are relative ("Practitioner/prat-012").

    The same `today` and `zone` (the server's, an IANA name) always give the same resources. Persons and places do not depend on
    the day; agendas and appointments are dated around it. The caller may keep and change what it receives.
    """
    everything = chain(
        structures.organizations(),
        structures.locations(),
        structures.services(),
        persons.practitioners(),
        persons.practitioner_roles(),
        structures.devices(),
        persons.patient_resources(),
        persons.related_persons(),
        schedules(today, zone),
        split(booked(today, zone)),
    )
    yield from ((resource["resourceType"], resource) for resource in everything)


@cache
def sizes(today: date = ANY_DAY) -> dict[str, int]:
    """How many resources of each type `department` gives, in the order in which they first come: the same numbers every day."""
    return dict(Counter(type for type, _ in department(today)))

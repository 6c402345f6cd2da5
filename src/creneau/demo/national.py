"""The national demo as resources: some 300,000 agendas with their directory and appointments, lot by lot (`nation.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Final, NamedTuple

from creneau.demo import nation
from creneau.demo.agendas import schedule
from creneau.demo.appointments import book
from creneau.demo.codes import Resource
from creneau.demo.people import SEED
from creneau.demo.persons import patient, practitioner, role
from creneau.demo.structures import location, organization, practice

AGENDAS: Final = 300_000
A_LOT: Final = 2 * nation.SITES + 3 * nation.LOT + nation.PATIENTS + nation.BUSY + nation.LIGHT
"""Resources of a lot."""
A_PLAN: Final = 25
"""Appointments committed as one: the guard compares each with the others of its plan."""


class Made(NamedTuple):
    """The resources of a lot: people, places and agendas, then appointments; no reference goes forward."""

    directory: list[Resource]
    appointments: list[Resource]


def lots(agendas: int) -> int:
    """How many lots make at least that many agendas. ValueError beyond what identifiers are enough for."""
    wanted = -(-agendas // nation.LOT)
    if not 0 < wanted <= nation.MOST:
        raise ValueError(f"1 to {nation.MOST * nation.LOT} agendas")
    return wanted


def last_of(lot: int) -> tuple[str, str]:
    """Type and id of the first resource of what is loaded last of a lot: where it is, the lot is whole."""
    return "Appointment", f"rdv-{nation.BASE + (lot + 1) * nation.LOT - A_PLAN + 1}"


def made(lot: int, today: date, zone: str) -> Made:
    """The resources of a lot. `zone` is the server's; the same lot, day and zone always give the same."""
    of = nation.lot(lot)
    random = Random(f"{SEED}-{lot}-{today}-words")
    meetings = nation.bookings(lot, of, today, zone)
    appointments = [book(one, today, zone, random, papers=False).appointment for one in meetings]
    return Made(list(_directory(of, today, zone)), appointments)


def _directory(of: nation.Lot, today: date, zone: str) -> Iterator[Resource]:
    first = {
        place.site.key: one.rank
        for one, place in zip(reversed(of.professionals), reversed(of.where), strict=True)
    }
    for place in of.places:
        number = practice(first.get(place.site.key, nation.BASE * 9 + place.rank))
        yield organization(place.rank, place.site, place.at, number)
    yield from map(_location, of.places)
    yield from map(practitioner, of.professionals)
    for one, place in zip(of.professionals, of.where, strict=True):
        yield role(one, one.exercises[0], place.site)
    yield from (schedule(one, today, zone) for one in of.agendas)
    for resident in of.residents:
        yield patient(resident.rank, resident.person, resident.ins, resident.at)


def _location(place: nation.Place) -> Resource:
    site, at = place.site, place.at
    one = location(f"lieu-{site.key}", site.name, site, at, "BTMNT")
    return one | {"position": {"longitude": at.longitude, "latitude": at.latitude}}

"""The nation of the demo before it is FHIR: lots of a hundred agendas, each a sample of the whole country, each made alone.

A lot depends on its number only (its appointments on the day as well), so any lots make a country, and more can be added later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple

from creneau.demo import names
from creneau.demo.agendas import Agenda, practice
from creneau.demo.numbers import nir
from creneau.demo.people import SEED, Exercise, Person, Professional, given, givens
from creneau.demo.places import City, Site
from creneau.demo.plan import Cell, Meeting, cells_of
from creneau.demo.towns import DISTRICTS, MAINLAND, SHARES, TOWNS, Town

LOT: Final = 100
"""Professionals, each with a place of practice and an agenda."""
SITES: Final = 17
PATIENTS: Final = 17
BUSY: Final = 70
"""Appointments of the first agenda of a lot, one after the other from tomorrow on."""
LIGHT: Final = 30
"""Agendas of a lot with one appointment each."""
BASE: Final = 100_000
"""Ranks begin after it, beyond those of the département."""
MOST: Final = 8_000
"""Lots: an RPPS has six digits for the rank."""

CRAFTS: Final = {
    "generaliste": 280,
    "infirmier": 180,
    "kine": 140,
    "dentiste": 80,
    "psychologue": 60,
    "orthophoniste": 40,
    "sage-femme": 30,
    "podologue": 30,
    "radiologue": 20,
    "psychiatre": 20,
    "cardiologue": 20,
    "gynecologue": 20,
    "ophtalmologue": 20,
    "dietetique": 20,
    "pediatre": 10,
    "dermatologue": 10,
    "neurologue": 10,
    "orthoptiste": 10,
}
"""Crafts of `staff.CRAFTS`, out of a thousand professionals."""
_SHARES: Final = tuple(accumulate(CRAFTS.values()))

WEEKS: Final = (
    "classique",
    "pause",
    "samedi",
    "sans-mercredi",
    "matins",
    "longue",
    "alterne",
    "enveloppe",
)
KINDS: Final = ("Cabinet médical", "Cabinet", "Maison de santé", "Centre de santé", "Pôle santé")


class Place(NamedTuple):
    """A site, and its town; `at` is the site's own postal code and position."""

    rank: int
    site: Site
    town: Town
    at: City


class Resident(NamedTuple):
    """A patient, the test INS, where the patient lives."""

    rank: int
    person: Person
    ins: str
    at: City


class Lot(NamedTuple):
    """What a lot holds; the place of each professional is that of the same index in `where`."""

    places: tuple[Place, ...]
    professionals: tuple[Professional, ...]
    where: tuple[Place, ...]
    agendas: tuple[Agenda, ...]
    residents: tuple[Resident, ...]


def lot(number: int) -> Lot:
    """The lot of that number, from 0."""
    random = Random(f"{SEED}-{number}")
    places = tuple(_place(random, BASE + number * SITES + one) for one in range(1, SITES + 1))
    where = tuple(sorted(random.choices(places, k=LOT)))
    people = tuple(
        _professional(random, BASE + number * LOT + one, place) for one, place in enumerate(where, start=1)
    )
    residents = (
        _resident(random, BASE + number * PATIENTS + one, places, people) for one in range(1, PATIENTS + 1)
    )
    return Lot(places, people, where, tuple(map(_agenda, people, where)), tuple(residents))


def _place(random: Random, rank: int) -> Place:
    (town,) = random.choices(TOWNS, cum_weights=SHARES)
    street = f"{random.randrange(1, 99)} {random.choice(names.STREETS)}"
    name = f"{random.choice(KINDS)} {random.choice(names.FAMILIES)}"
    key = f"cabinet-{rank}"
    return Place(rank, Site(key, f"org-{key}", name, "", street), town, _around(random, town.city))


def _around(random: Random, city: City) -> City:
    """Somewhere in the town: a district, some kilometres at the most from the centre."""
    code = int(city.postal_code) + random.randrange(DISTRICTS.get(city.name, 1))
    north, east = (random.uniform(-0.03, 0.03) for _ in "ab")
    return City(
        city.name,
        f"{code:05}",
        Decimal(f"{float(city.latitude) + north:.4f}"),
        Decimal(f"{float(city.longitude) + east:.4f}"),
    )


def _professional(random: Random, rank: int, place: Place) -> Professional:
    (craft,) = random.choices(tuple(CRAFTS), cum_weights=_SHARES)
    week = "tournee" if craft == "infirmier" else random.choice(WEEKS)
    exercise = Exercise(f"exercice-{rank}", place.site.key, week)
    return Professional(rank, random.choice(names.FAMILIES), *given(random), craft, (exercise,))


def _agenda(one: Professional, place: Place) -> Agenda:
    exercise, site = one.exercises[0], place.site
    return replace(
        practice(f"agenda-{one.rank}", one, exercise, site),
        leave=0 if one.rank % 3 else 6 + one.rank % 20,
        holidays=one.rank % 20 == 0,
        overseas=place.town.zone,
    )


def _resident(
    random: Random, rank: int, places: tuple[Place, ...], people: tuple[Professional, ...]
) -> Resident:
    place, doctor = random.choice(places), random.choice(people)
    gender, month = random.choice(("female", "male")), (rank - BASE) % (95 * 12)
    born = date(1930 + month // 12, 1 + month % 12, 1) + timedelta(random.randrange(28))
    departement = random.choice(MAINLAND)
    # Ranks born in one month differ in the order, so that no INS is given twice.
    ins = nir(gender, born.isoformat(), f"{departement}995", (rank - BASE) // (95 * 12) + 1)
    person = Person(
        id=f"patient-{rank}",
        family=random.choice(names.FAMILIES),
        given=givens(random, gender, 2025 - born.year),
        gender=gender,
        birth=born.isoformat(),
        usual="",
        insee="",
        birthplace=next(town.city.name for town in TOWNS if town.departement == departement),
        street=f"{random.randrange(1, 99)} {random.choice(names.STREETS)}",
        city="",
        doctor=doctor.id,
    )
    return Resident(rank, person, ins, place.at)


def bookings(number: int, of: Lot, today: date, zone: str) -> Iterator[Meeting]:
    """The appointments of a lot, ranked; none overlaps another of its professional or patient."""
    random = Random(f"{SEED}-{number}-{today}")
    busy: dict[str, list[Cell]] = {}
    placed = (*_full(of.agendas[0], today, zone), *_scattered(random, of.agendas[1:], today, zone))
    for rank, (agenda, service, cell) in enumerate(placed, start=BASE + number * LOT + 1):
        patient = _free(random, of.residents, busy, cell)
        status = "cancelled" if random.random() < 0.04 else "booked"
        yield Meeting(rank, status, agenda, service, patient, cell[0].date(), *cell)


Wanted = tuple[Agenda, str, Cell]


def _full(agenda: Agenda, today: date, zone: str) -> list[Wanted]:
    """Every cell from tomorrow on."""
    service = agenda.services[0]
    found: list[Wanted] = []
    after = 1
    while len(found) < BUSY:
        day = today + timedelta(after)
        cells = cells_of(agenda, day, agenda.craft.services[service], today, zone)
        found += [(agenda, service, cell) for cell in cells]
        after += 1
    return found[:BUSY]


def _scattered(random: Random, agendas: tuple[Agenda, ...], today: date, zone: str) -> Iterator[Wanted]:
    """One cell each of some agendas, within four weeks or as soon as they open again."""
    for agenda in random.sample(agendas, LIGHT):
        service, after = random.choice(agenda.services), random.randrange(1, 29)
        minutes = agenda.craft.services[service]
        while not (cells := cells_of(agenda, today + timedelta(after), minutes, today, zone)):
            after += 1
        yield agenda, service, random.choice(cells)


def _free(random: Random, residents: tuple[Resident, ...], busy: dict[str, list[Cell]], cell: Cell) -> Person:
    """A patient who is nowhere else then."""
    start, end = cell
    while True:
        one = random.choice(residents).person
        times = busy.setdefault(one.id, [])
        if all(end <= begun or over <= start for begun, over in times):
            times.append(cell)
            return one

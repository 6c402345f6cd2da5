"""The agendas of the demo, and their Schedule (GAP §8, §9; FR Core 2.0.1 fr-core-schedule).

Everything is dated from the Monday of the current week: the planning horizon runs from 26 weeks before it to 53 weeks after.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from creneau.demo.codes import (
    AVAILABILITY_TYPE,
    EDITOR,
    GAP,
    RECURRENCE,
    SPECIALTY,
    Resource,
    claim,
    coding,
    concept,
    duration_of_service,
    frc,
    to,
)
from creneau.demo.people import Exercise, Professional, professionals
from creneau.demo.places import CARE, GUADELOUPE, HOSPITAL, ROOMS, SCANNERS, SITE, Site
from creneau.demo.staff import CRAFTS, Craft
from creneau.demo.weeks import WEEKS, Row, Window, holidays, windows

PAST_WEEKS: Final = 26
COMING_WEEKS: Final = 53
REOPENS: Final = "agenda-001"
"""The agenda whose leave has one morning reopened, by an opening of a higher priority (GAP-DIS-19)."""
FROM_ACTOR: Final = "agenda-002"
"""The agenda that leaves the durations of its services to its actor (GAP-DIS-17)."""


class Closure(NamedTuple):
    """Whole days without appointments, the last not included, and why."""

    start: date
    end: date
    reason: str


@dataclass(frozen=True, slots=True)
class Agenda:
    """An agenda before it is FHIR.

    `actors` are references in the order of the Schedule; `place` a site where people go, which has no agenda, or "";
    `things` what an appointment takes; `leave`: weeks from the current Monday to a fortnight of leave, 0 for none; `overseas`: the
    zone written in the Schedule, "" for the server's; `receives`: patients come.
    """

    id: str
    name: str
    actors: tuple[str, ...]
    place: str
    things: frozenset[str]
    craft: Craft
    services: tuple[str, ...]
    week: str
    shown: str = ""
    leave: int = 0
    holidays: bool = False
    overseas: str = ""
    receives: bool = True

    @property
    def rows(self) -> tuple[Row, ...]:
        """The ordinary week."""
        return WEEKS[self.week]

    def closures(self, monday: date) -> Iterator[Closure]:
        """Public holidays of the horizon, then the leave."""
        start, end = horizon(monday)
        for day in holidays(start, end) if self.holidays else ():
            yield Closure(day, day + timedelta(1), "Jour férié")
        if self.leave:
            away = monday + timedelta(weeks=self.leave)
            yield Closure(away, away + timedelta(weeks=2), "Congés")

    def open(self, day: date, monday: date) -> list[Window]:
        """The openings of a day, in minutes of its local time; `monday` is that of the current week."""
        if any(one.start <= day < one.end for one in self.closures(monday)):
            return []
        return windows(self.rows, day, horizon(monday)[0])


def monday_of(day: date) -> date:
    """The Monday of that day's week."""
    return day - timedelta(day.weekday())


def horizon(monday: date) -> tuple[date, date]:
    """The first day of the planning horizon, and the day after the last."""
    return monday - timedelta(weeks=PAST_WEEKS), monday + timedelta(weeks=COMING_WEEKS)


def agendas() -> list[Agenda]:
    """All agendas: places of practice, operating rooms, MRI devices, services, rooms. The same whatever the day."""
    practices = [(one, exercise) for one in professionals() for exercise in one.exercises if exercise.week]
    found = [_practice(rank, *practice) for rank, practice in enumerate(practices, start=1)]
    return [*found, *_operating(), *_imaging(), *_services(), *_rooms()]


def _practice(rank: int, one: Professional, exercise: Exercise) -> Agenda:
    site = SITE[exercise.site]
    return replace(
        practice(f"agenda-{rank:03}", one, exercise, site),
        leave=9 + rank % 20,
        holidays=True,
        overseas=GUADELOUPE if site.city == "anse" else "",
    )


def practice(id: str, one: Professional, exercise: Exercise, site: Site) -> Agenda:
    """The agenda of a professional in one place of practice; when it is closed is for the caller to say."""
    return Agenda(
        id=id,
        name=f"{one.shown}, {site.name}",
        actors=(f"PractitionerRole/{exercise.id}", f"Practitioner/{one.id}"),
        place=f"Location/lieu-{site.key}",
        things=frozenset({f"Practitioner/{one.id}"}),
        craft=one.craft,
        services=tuple(service for service in one.craft.services if service != "intervention"),
        week=exercise.week,
        shown=one.shown,
    )


def _of(craft: str, site: str) -> list[Professional]:
    return [one for one in professionals() if one.craft_key == craft and one.exercises[0].site == site]


def _joint(id: str, name: str, one: Professional, other: str, week: str) -> Agenda:
    """The agenda of a professional together with a room or a device: both must be available."""
    exercise = one.exercises[0]
    return Agenda(
        id=id,
        name=name,
        actors=(other, f"PractitionerRole/{exercise.id}", f"Practitioner/{one.id}"),
        place=f"Location/lieu-{exercise.site}",
        things=frozenset({other, f"Practitioner/{one.id}"}),
        craft=one.craft,
        services=("intervention",) if other.startswith("Location/") else ("irm",),
        week=week,
        shown=one.shown,
    )


def _operating() -> Iterator[Agenda]:
    rooms = [room for room in ROOMS if room.shape == "BLC"]
    for rank, (surgeon, room) in enumerate(zip(_of("orthopediste", HOSPITAL), rooms, strict=True), start=1):
        name = f"{room.name} : {surgeon.shown}"
        yield _joint(f"agenda-bloc-{rank}", name, surgeon, f"Location/{room.key}", "bloc")


def _imaging() -> Iterator[Agenda]:
    """The first device has two agendas, with one technician on weekdays and another at the end of the week."""
    hospital, coast = (f"Device/{scanner.key}" for scanner in SCANNERS)
    weekdays, weekend = _of("manipulateur", HOSPITAL)
    (technician,) = _of("manipulateur", "cabinet-08")
    yield _joint("agenda-irm-1", "IRM 1, semaine", weekdays, hospital, "imagerie")
    yield _joint(
        "agenda-irm-1-fin-de-semaine", "IRM 1, samedi et dimanche", weekend, hospital, "fin-de-semaine"
    )
    yield _joint("agenda-irm-2", "IRM 2, Port-Brume", technician, coast, "imagerie-samedi")


def _services() -> Iterator[Agenda]:
    """The agenda of a service alone, which is itself what is taken, and that of a service in its room."""
    names = {care.key: care.name for care in CARE}
    for key, room, week in (
        ("service-non-programme", "", "tous-les-jours"),
        ("service-vaccination", "salle-vaccination", "vaccination"),
    ):
        craft = CRAFTS["accueil" if week == "tous-les-jours" else "vaccination"]
        id = f"agenda-{key}"
        rooms = (f"Location/{room}",) if room else ()
        yield Agenda(
            id=id,
            name=names[key],
            actors=(f"HealthcareService/{key}", *rooms),
            place="",
            things=frozenset(rooms or (f"Schedule/{id}",)),
            craft=craft,
            services=tuple(craft.services),
            week=week,
            holidays=bool(room),
        )


def _rooms() -> Iterator[Agenda]:
    """Rooms that own an agenda alone."""
    names = {room.key: room.name for room in ROOMS}
    for key, minutes, service, week in (
        ("cabine-teleconsultation", 20, "teleconsultation", "tous-les-jours"),
        ("salle-reunion", 60, "reunion", "reunion"),
    ):
        reasons = ("Réunion pluriprofessionnelle",) if service == "reunion" else ("Avis médical à distance",)
        yield Agenda(
            id=f"agenda-{key}",
            name=names[key],
            actors=(f"Location/{key}",),
            place="",
            things=frozenset({f"Location/{key}"}),
            craft=Craft("", "", names[key], {service: minutes}, reasons),
            services=(service,),
            week=week,
            receives=service != "reunion",
        )


def schedules(today: date, zone: str) -> Iterator[Resource]:
    """The Schedule of each agenda, as of today; `zone` is the server's."""
    yield from (schedule(one, today, zone) for one in agendas())


def schedule(one: Agenda, today: date, zone: str) -> Resource:
    """The Schedule of an agenda, as of today."""
    local = ZoneInfo(one.overseas or zone)
    start, end = horizon(monday_of(today))
    timezone = {"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": one.overseas}
    minutes = {} if one.id == FROM_ACTOR else one.craft.services
    found: Resource = {
        "resourceType": "Schedule",
        "id": one.id,
        "meta": claim(f"{GAP}/StructureDefinition/gap-fr-schedule", frc("fr-core-schedule")),
        "extension": [
            *([timezone] if one.overseas else ()),
            *(duration_of_service(service, minutes.get(service)) for service in one.services),
            *_Availability(one, monday_of(today), local).extensions(),
        ],
        "identifier": [{"system": f"{EDITOR}/agenda", "value": one.id}],
        "active": True,
        "actor": [to(actor, _shown(one, actor)) for actor in one.actors],
        "planningHorizon": {"start": stamp(start, time(), local), "end": stamp(end, time(), local)},
        "comment": one.name,
    }
    return found | ({"specialty": [concept(SPECIALTY, one.craft.specialty)]} if one.craft.specialty else {})


def _shown(one: Agenda, actor: str) -> str | None:
    return one.shown if actor.startswith("Practitioner") and one.shown else None


def stamp(day: date, at: time, zone: ZoneInfo) -> str:
    """A dateTime or instant with its offset, for a local time of a day."""
    return datetime.combine(day, at, zone).isoformat()


class _Availability(NamedTuple):
    """What is needed to write the availabilityTime of an agenda."""

    agenda: Agenda
    monday: date
    zone: ZoneInfo

    def extensions(self) -> Iterator[Resource]:
        for rank, row in enumerate(self.agenda.rows, start=1):
            yield self._extension(f"semaine-{rank}", *self._bounds(row), free=row.free, more=self._rrule(row))
        for rank, one in enumerate(self.agenda.closures(self.monday), start=1):
            bounds = (stamp(one.start, time(), self.zone), stamp(one.end, time(), self.zone))
            why = {
                "coding": [coding(AVAILABILITY_TYPE, "busy-unavailable")],
                "text": one.reason,
            }
            more = [{"url": "unavailabilityReason", "valueCodeableConcept": why}]
            yield self._extension(f"fermeture-{rank}", *bounds, free=False, more=more)
        if self.agenda.id == REOPENS:
            yield self._reopening()

    def _reopening(self) -> Resource:
        day = self.monday + timedelta(weeks=self.agenda.leave, days=2)
        bounds = (stamp(day, time(9), self.zone), stamp(day, time(12), self.zone))
        return self._extension(
            "reouverture", *bounds, free=True, more=[{"url": "priority", "valueInteger": 1}]
        )

    def _bounds(self, row: Row) -> tuple[str, str]:
        start, end = horizon(self.monday)
        first = row.first(start)
        last = first if row.form == "occurrence" else end - timedelta(1)
        return stamp(first, row.start, self.zone), stamp(last, row.end, self.zone)

    def _rrule(self, row: Row) -> list[Resource]:
        parts: list[Resource] = [{"url": "freq", "valueCoding": coding(RECURRENCE, "WEEKLY")}]
        if row.form == "occurrence":
            until = stamp(horizon(self.monday)[1], time(), self.zone)
            parts.append({"url": "until", "valueDateTime": until})
        if row.every > 1:
            parts.append({"url": "interval", "valueInteger": row.every})
        if row.form == "hours":
            parts += [{"url": "byHour", "valuePositiveInt": at.hour} for at in (row.start, row.end)]
        parts += [{"url": "byDay", "valueString": day} for day in row.days.split(",")]
        return [{"url": "rrule", "extension": parts}]

    def _extension(self, rank: str, start: str, end: str, *, free: bool, more: list[Resource]) -> Resource:
        kind = "free" if free else "busy-unavailable"
        parts: list[Resource] = [
            {
                "url": "identifier",
                "valueIdentifier": {"system": f"{EDITOR}/disponibilite", "value": f"{self.agenda.id}-{rank}"},
            },
            {"url": "type", "valueCoding": coding(AVAILABILITY_TYPE, kind)},
            {"url": "start", "valueDateTime": start},
            {"url": "end", "valueDateTime": end},
            {
                "url": "created",
                "valueDateTime": stamp(horizon(self.monday)[0] - timedelta(14), time(8), self.zone),
            },
        ]
        return {"url": frc("fr-core-schedule-availability-time"), "extension": [*parts, *more]}

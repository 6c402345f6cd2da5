"""Which appointments the demo makes, and when: a table of wishes, placed one by one where nothing overlaps.

Who is taken follows `ownership`: the professional whatever the role, rooms and devices with an agenda, a service that owns one alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import cycle, islice
from random import Random
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from creneau.demo.agendas import Agenda, agendas, monday_of
from creneau.demo.people import SEED, Person, patients

DAY: Final = 24 * 60
NOON: Final = 12 * 60


Cell = tuple[datetime, datetime]


class Wish(NamedTuple):
    """So many appointments of a status, between two days counted from today, within minutes of the day, on agendas so named."""

    status: str
    number: int
    first: int
    last: int
    window: tuple[int, int] = (0, DAY)
    agenda: str = "agenda-"


WISHES: Final = (
    Wish("fulfilled", 66, -45, -1),
    Wish("noshow", 8, -45, -1),
    Wish("cancelled", 8, -30, -1),
    Wish("entered-in-error", 4, -20, -1),
    Wish("fulfilled", 8, 0, 0, (0, 10 * 60)),
    Wish("checked-in", 5, 0, 0, (10 * 60, NOON)),
    Wish("arrived", 5, 0, 0, (10 * 60, NOON)),
    Wish("booked", 14, 0, 0, (NOON, DAY)),
    Wish("booked", 10, 1, 7, agenda="agenda-001"),
    Wish("booked", 6, 1, 14, agenda="agenda-irm"),
    Wish("booked", 3, 1, 14, agenda="agenda-bloc"),
    Wish("booked", 62, 1, 55),
    Wish("proposed", 12, 1, 30),
    Wish("pending", 10, 1, 30),
    Wish("cancelled", 8, 1, 40),
    Wish("entered-in-error", 3, 1, 30),
)
UNTIMED: Final = ("waitlist",) * 6 + ("proposed",) * 3
"""Appointments without a time, that give the period they ask for."""

FREE: Final = frozenset({"cancelled", "entered-in-error"})
"""Statuses whose time may be given to somebody else. A patient who did not come kept the place."""


class Meeting(NamedTuple):
    """An appointment before it is FHIR; `start` is None without a time, then `day` is when the period asked for begins."""

    rank: int
    status: str
    agenda: Agenda
    service: str
    patient: Person
    day: date
    start: datetime | None
    end: datetime | None


@dataclass(slots=True)
class Diary:
    """Time already given, by thing and by patient."""

    taken: dict[str, list[tuple[datetime, datetime]]] = field(default_factory=dict)

    def free(self, who: str, start: datetime, end: datetime) -> bool:
        """Whether nothing of `who` overlaps; touching is no overlap."""
        return all(end <= one[0] or one[1] <= start for one in self.taken.get(who, ()))

    def take(self, who: str, start: datetime, end: datetime) -> None:
        """Give that time."""
        self.taken.setdefault(who, []).append((start, end))


@dataclass(frozen=True, slots=True)
class Planner:
    """What placing appointments rests on: the day, the zone of agendas that say none, chance, and the diary."""

    today: date
    zone: str
    random: Random
    diary: Diary

    def meetings(self) -> Iterator[Meeting]:
        """All appointments, timed ones first, in the order of the wishes."""
        placed = (one for wish in WISHES for one in self._grant(wish))
        both = (*placed, *(self._untimed(status) for status in UNTIMED))
        yield from (one._replace(rank=rank) for rank, one in enumerate(both, start=1))

    def _grant(self, wish: Wish) -> Iterator[Meeting]:
        days = [self.today + timedelta(after) for after in range(wish.first, wish.last + 1)]
        pairs = [
            (one, day) for one in agendas() if one.receives and one.id.startswith(wish.agenda) for day in days
        ]
        self.random.shuffle(pairs)
        # Nights, Sundays and full days are many; three agendas open every day, so a few rounds are enough.
        tries = (self._place(wish, *pair) for pair in islice(cycle(pairs), 40 * len(pairs)))
        granted = list(islice((one for one in tries if one), wish.number))
        if len(granted) < wish.number:
            raise RuntimeError(f"the demo cannot place its {wish.status} appointments")
        yield from granted

    def _place(self, wish: Wish, agenda: Agenda, day: date) -> Meeting | None:
        service = self.random.choice(agenda.services)
        cells = cells_of(agenda, day, agenda.craft.services[service], self.today, self.zone)
        cells = [cell for cell in cells if _within(wish.window, cell[0])]
        open_cells = [cell for cell in cells if all(self.diary.free(thing, *cell) for thing in agenda.things)]
        if not open_cells:
            return None
        start, end = self.random.choice(open_cells)
        patient = self._patient(agenda, start, end)
        if wish.status not in FREE:
            for who in (*agenda.things, patient.id):
                self.diary.take(who, start, end)
        return Meeting(0, wish.status, agenda, service, patient, day, start, end)

    def _patient(self, agenda: Agenda, start: datetime, end: datetime) -> Person:
        choice = self._those_of(agenda)
        while not self.diary.free((one := self.random.choice(choice)).id, start, end):
            continue
        return one

    def _those_of(self, agenda: Agenda) -> list[Person]:
        """The patients who may come: on the same side of the ocean, of the age and sex that the craft sees."""
        return [
            one
            for one in patients()
            if (one.city == "anse") == bool(agenda.overseas) and one.suits(agenda.craft.patients, self.today)
        ]

    def _untimed(self, status: str) -> Meeting:
        agenda = self.random.choice([one for one in agendas() if one.shown and not one.overseas])
        patient = self.random.choice(self._those_of(agenda))
        day = self.today + timedelta(self.random.randrange(3, 20))
        return Meeting(0, status, agenda, self.random.choice(agenda.services), patient, day, None, None)


def cells_of(agenda: Agenda, day: date, minutes: int, today: date, zone: str) -> list[Cell]:
    """The cells of that many minutes on a day, from the start of each opening; `zone` where the agenda says none."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(agenda.overseas or zone))
    return [
        (midnight + timedelta(minutes=start), midnight + timedelta(minutes=start + minutes))
        for opened, closed in agenda.open(day, monday_of(today))
        for start in range(opened, closed - minutes + 1, minutes)
    ]


def _within(window: tuple[int, int], start: datetime) -> bool:
    return window[0] <= start.hour * 60 + start.minute < window[1]


def meetings(today: date, zone: str) -> list[Meeting]:
    """The appointments as of today, ranked from 1; the same for the same day and zone."""
    planner = Planner(today, zone, Random(SEED + today.toordinal()), Diary())
    return list(planner.meetings())

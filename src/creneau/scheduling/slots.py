"""Slots of an agenda: cells of each service's duration laid from the start of each open stretch, and the ids they are found by.

GAP §10 (GAP-CRN-01 to 14), TV-4. Cells are computed, never stored (DEC-04). The grid follows from the declared availability alone: an
appointment takes cells and moves none. A stretch that a closure ends is followed by another grid (`availability.stretches`).

An id is a function of the agenda, the start and the service: `{agenda}.{yyyymmddhhmmss UTC}.s{hash of the service}`; the time of an
appointment that is no cell gets `….x{seconds it lasts}`. At most 64 of `A-Z a-z 0-9 - .`, as a FHIR id (GAP-CRN-08).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from creneau.scheduling.availability import ALWAYS, intervals, stretches
from creneau.scheduling.civil import DAY, EARLIEST, EPOCH_UTC, LATEST, MICROSECOND
from creneau.scheduling.intervals import Interval, depth, normalise
from creneau.scheduling.opening import Opening

AGENDA_ID_LONGEST: Final = 40
SECOND: Final = 1_000_000

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_TAG: Final = 7
_SLOT_ID: Final = re.compile(
    rf"([A-Za-z0-9\-.]{{1,{AGENDA_ID_LONGEST}}})\.([0-9]{{14}})\.([sx][0-9a-z]{{{_TAG}}})"
)


class Service(NamedTuple):
    """A service type of an agenda: its key ("" for the default one) and its duration in microseconds, whole seconds."""

    key: str
    duration: int


@dataclass(frozen=True, slots=True, eq=False)
class Agenda:
    """A Schedule as the rules see it. `things`: all that must be free together; `capacity`: how many appointments at once.

    Compared by identity, so that what follows from one can be remembered.
    """

    id: str
    things: tuple[str, ...]
    services: tuple[Service, ...]
    openings: tuple[Opening, ...]
    zone: ZoneInfo
    horizon: Interval = ALWAYS
    active: bool = True
    capacity: int = 1


class Cell(NamedTuple):
    """A slot [start, end) of an agenda; `service` is its key, None for the time of an appointment that is no cell of a grid."""

    agenda: str
    start: int
    end: int
    service: str | None

    @property
    def id(self) -> str:
        """Slot.id."""
        agenda, start, end, service = self
        if service is None:
            return own_slot_id(agenda, start, end)
        return f"{agenda}.{_written(start)}.{_tag(service)}"  # `slot_id`, without a call more for each of thousands


class SlotId(NamedTuple):
    """What an id says: the agenda's id, the start, the tag ("s" and a service, or "x" and a length)."""

    agenda: str
    start: int
    tag: str


class Spoken(NamedTuple):
    """Time of a thing that an appointment takes; `kind` is "busy" or "busy-tentative"."""

    start: int
    end: int
    kind: str
    thing: str = ""


def cells(agenda: Agenda, window: Interval, service: str | None = None) -> Iterator[Cell]:
    """The cells that start within the window, of one service or of all, wholly in open time; by stretch, then service, then start.

    An inactive agenda has none. TooCostly when its rules unfold into too much.
    """
    if not agenda.active:
        return
    make = tuple.__new__  # half the time of Cell(...), and cells are made by the thousand
    services = [one for one in agenda.services if service is None or one.key == service]
    for opens, closes in stretches(agenda.openings, agenda.zone, agenda.horizon, window):
        for key, duration in services:
            skipped = max(0, -((opens - window.start) // duration))
            last = min(closes - duration, window.end - 1)
            for start in range(opens + skipped * duration, last + 1, duration):
                yield make(Cell, (agenda.id, start, start + duration, key))


def find_cell(agenda: Agenda, slot: str) -> Cell | None:
    """The cell that an id names, past ones included; None when the agenda as it is now has no such cell, or the id is not a cell's."""
    found = read_slot_id(slot)
    if found is None or found.agenda != agenda.id:
        return None
    for service in agenda.services:
        if _tag(service.key) == found.tag:
            return next(cells(agenda, Interval(found.start, found.start + 1), service.key), None)
    return None


def own_cell(slot: str) -> Cell | None:
    """The time that an `own_slot_id` names; None for another id. Whether an appointment has that time is for the caller to see."""
    found = read_slot_id(slot)
    if found is None or found.tag[0] != "x":
        return None
    return Cell(found.agenda, found.start, found.start + int(found.tag[1:], 36) * SECOND, None)


def slot_id(agenda: str, start: int, service: str) -> str:
    """The id of the cell of an agenda's service that starts at an instant (whole seconds)."""
    return f"{agenda}.{_written(start)}.{_tag(service)}"


def own_slot_id(agenda: str, start: int, end: int) -> str:
    """The id of the slot that shows an appointment's time, to the second, when it names no cell."""
    length, digits = (end - start) // SECOND, ""
    for _ in range(_TAG):
        length, digit = divmod(length, 36)
        digits = _DIGITS[digit] + digits
    return f"{agenda}.{_written(start)}.x{digits}"


def read_slot_id(text: str) -> SlotId | None:
    """What a slot id says; None when the text is not one."""
    found = _SLOT_ID.fullmatch(text)
    if found is None:
        return None
    agenda, written, tag = found.groups()
    day = _day_number(written[:8])
    hour, minute, second = int(written[8:10]), int(written[10:12]), int(written[12:])
    if day is None or hour > 23 or minute > 59 or second > 59:
        return None
    return SlotId(agenda, day * DAY + (hour * 3600 + minute * 60 + second) * SECOND, tag)


def status_of(cell: Cell, taken: Iterable[Spoken], capacity: int = 1) -> str:
    """Slot.status of a cell: "free", "busy" or "busy-tentative" (GAP-CRN-07, 10), from what is taken of the agenda's things.

    All of them must be free (TV-8): it is busy once appointments fill the capacity of one of them at some instant.
    """
    there = [one for one in taken if one.start < cell.end and cell.start < one.end]
    if not there or not _full(cell, there, capacity):
        return "free"
    return "busy" if _full(cell, [one for one in there if one.kind == "busy"], capacity) else "busy-tentative"


def statuses(found: Iterable[Cell], taken: Iterable[Spoken], capacity: int = 1) -> Iterator[tuple[Cell, str]]:
    """Each cell with its status, as `status_of`, without looking at all that is taken for each."""
    days: defaultdict[int, list[Spoken]] = defaultdict(list)
    for one in taken:
        for day in range(one.start // DAY, (one.end - 1) // DAY + 1):
            days[day].append(one)
    for cell in found:
        first, last = cell.start // DAY, (cell.end - 1) // DAY
        near = days.get(first, [])
        if first < last:
            near = near + [
                one for day in range(first + 1, last + 1) for one in days[day] if one.start // DAY == day
            ]
        yield cell, status_of(cell, near, capacity)


def covers(agenda: Agenda, start: int, end: int) -> bool:
    """Whether all of [start, end) is open time of an active agenda (GAP-RG-17)."""
    if not agenda.active or end <= start:
        return False
    at = start
    while at < end:
        reached = next((one.end for one in _open_on(agenda, at // DAY) if one.start <= at < one.end), None)
        if reached is None:
            return False
        at = reached
    return True


def closed_over(before: Agenda, after: Agenda, start: int, end: int) -> bool:
    """Whether [start, end) was open time of an agenda and is not any more, now that its rules are others (GAP-RG-17)."""
    return covers(before, start, end) and not covers(after, start, end)


@lru_cache(maxsize=8_192)
def _open_on(agenda: Agenda, day: int) -> tuple[Interval, ...]:
    """The open time of a day of UTC. Agendas are compared by identity: an edited one is another."""
    window = Interval(day * DAY, (day + 1) * DAY)
    spells = intervals(agenda.openings, agenda.zone, agenda.horizon, window)
    return tuple(normalise(Interval(one.start, one.end) for one in spells if one.open))


def fits(agenda: Agenda, service: str | None, start: int, end: int) -> bool:
    """Whether the duration is that of the service, or several times it (GAP-RG-16).

    Without service, or with one the agenda does not know, any of the agenda's services will do.
    """
    durations = [one.duration for one in agenda.services if one.key == service]
    durations = durations or [one.duration for one in agenda.services]
    return end > start and any((end - start) % duration == 0 for duration in durations)


def _full(cell: Cell, taken: list[Spoken], capacity: int) -> bool:
    if capacity == 1:
        return bool(taken)
    of_things: defaultdict[str, list[Interval]] = defaultdict(list)
    for one in taken:
        of_things[one.thing].append(Interval(max(one.start, cell.start), min(one.end, cell.end)))
    return any(depth(of_thing) >= capacity for of_thing in of_things.values())


@lru_cache(maxsize=65_536)
def _tag(service: str) -> str:
    number = int.from_bytes(blake2b(service.encode(), digest_size=8).digest(), "big")
    digits = ""
    for _ in range(_TAG):
        number, digit = divmod(number, 36)
        digits += _DIGITS[digit]
    return "s" + digits


@lru_cache(maxsize=16_384)
def _written(start: int) -> str:
    """Cells of many agendas start at the same instants."""
    day, time = divmod(min(max(start, EARLIEST), LATEST), DAY)
    return _day_written(day) + _time_written(time // SECOND)


@lru_cache(maxsize=4096)
def _day_written(day: int) -> str:
    return (EPOCH_UTC + timedelta(days=day)).date().isoformat().replace("-", "")


@lru_cache(maxsize=4096)
def _time_written(seconds: int) -> str:
    return f"{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}"


@lru_cache(maxsize=4096)
def _day_number(written: str) -> int | None:
    """Days since 1970 of yyyymmdd, None when the calendar has no such day."""
    try:
        moment = EPOCH_UTC.replace(year=int(written[:4]), month=int(written[4:6]), day=int(written[6:]))
    except ValueError:
        return None
    return (moment - EPOCH_UTC) // MICROSECOND // DAY

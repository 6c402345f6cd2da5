"""Values for the tests of the rules: instants of Paris, openings, agendas."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from creneau.scheduling import civil
from creneau.scheduling.availability import ALWAYS
from creneau.scheduling.civil import MICROSECOND, Moment
from creneau.scheduling.intervals import Interval
from creneau.scheduling.opening import Opening
from creneau.scheduling.recurrence import Recurrence
from creneau.scheduling.slots import Agenda, Service

PARIS = ZoneInfo("Europe/Paris")
MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

WEEKDAYS = tuple((0, weekday) for weekday in range(5))
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = ((0, weekday) for weekday in range(7))


def local(*when: int) -> int:
    return (datetime(*when) - civil.EPOCH) // MICROSECOND  # type: ignore[arg-type]  # year, month, day, hour, minute


def moment(*when: int, zone: ZoneInfo = PARIS) -> Moment:
    return Moment(local(*when), civil.instant(local(*when), zone))


def at(*when: int, zone: ZoneInfo = PARIS) -> int:
    return moment(*when, zone=zone).instant


def between(start: tuple[int, ...], end: tuple[int, ...], zone: ZoneInfo = PARIS) -> Interval:
    return Interval(at(*start, zone=zone), at(*end, zone=zone))


def opening(
    start: tuple[int, ...], end: tuple[int, ...], rule: Recurrence | None = None, **more: Any
) -> Opening:
    zone = more.pop("zone", PARIS)
    return Opening(more.pop("kind", "free"), moment(*start, zone=zone), moment(*end, zone=zone), rule, **more)


def closure(
    start: tuple[int, ...], end: tuple[int, ...], rule: Recurrence | None = None, **more: Any
) -> Opening:
    return opening(start, end, rule, kind="closed", **more)


def agenda(*openings: Opening, minutes: int = 15, zone: ZoneInfo = PARIS, **more: Any) -> Agenda:
    services = more.pop("services", (Service("", minutes * MINUTE),))
    horizon = more.pop("horizon", ALWAYS)
    return Agenda("agenda", ("Practitioner/1",), services, openings, zone, horizon, **more)


def shown(us: int, zone: ZoneInfo = PARIS) -> str:
    """What the clock shows, "2021-03-01 09:15"."""
    return f"{civil.EPOCH_UTC.astimezone(zone).fromtimestamp(us / 1e6, zone):%Y-%m-%d %H:%M}"

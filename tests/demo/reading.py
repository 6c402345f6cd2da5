"""What the tests of the demo read out of its resources, by other means than those that made them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import WEEKLY, rrule, weekday

from creneau.demo import department

Resource = dict[str, Any]
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
TAKING_TIME = {"proposed", "pending", "booked", "arrived", "checked-in", "fulfilled"}


@cache
def everything(today: date) -> tuple[Resource, ...]:
    return tuple(resource for _, resource in department(today))


def of_type(today: date, type: str) -> list[Resource]:
    return [one for one in everything(today) if one["resourceType"] == type]


def by_reference(today: date) -> dict[str, Resource]:
    return {f"{one['resourceType']}/{one['id']}": one for one in everything(today)}


def references(node: Any) -> Iterator[str]:
    """Every literal reference below, and the address of every attachment."""
    if isinstance(node, Mapping):
        if isinstance(node.get("reference"), str):
            yield node["reference"]
        if "contentType" in node and "url" in node:
            yield node["url"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def identifiers(resource: Resource) -> list[tuple[str, str]]:
    return [(one["system"], one["value"]) for one in resource.get("identifier", ())]


def extensions(resource: Mapping[str, Any], name: str) -> list[Resource]:
    return [one for one in resource.get("extension", ()) if one["url"].rpartition("/")[2] == name]


def parts(extension: Resource) -> dict[str, Any]:
    """The sub-extensions by url; those that repeat as lists, complex ones as their own parts."""
    found: dict[str, Any] = {}
    for one in extension["extension"]:
        value = (
            parts(one)
            if "extension" in one
            else next(value for key, value in one.items() if key.startswith("value"))
        )
        found[one["url"]] = (
            [*found[one["url"]], value] if one["url"] == "byDay" and "byDay" in found else value
        )
        if one["url"] == "byDay" and not isinstance(found["byDay"], list):
            found["byDay"] = [value]
    return found


def owned_things(schedules: Sequence[Resource], human: Mapping[str, str]) -> dict[str, set[str]]:
    """For each agenda, what an appointment there takes."""
    found = {}
    for one in schedules:
        actors = {human.get(actor["reference"], actor["reference"]) for actor in one["actor"]}
        things = {actor for actor in actors if not actor.startswith("HealthcareService/")}
        found[f"Schedule/{one['id']}"] = things or {f"Schedule/{one['id']}"}
    return found


def humans(today: date) -> dict[str, str]:
    return {
        f"PractitionerRole/{one['id']}": one["practitioner"]["reference"]
        for one in of_type(today, "PractitionerRole")
    }


def agendas_of(today: date, appointment: Resource) -> list[Resource]:
    """The agendas whose actors all take part."""
    present = {one["actor"]["reference"] for one in appointment["participant"]}
    return [
        one for one in of_type(today, "Schedule") if {actor["reference"] for actor in one["actor"]} <= present
    ]


def span(appointment: Resource) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(appointment["start"]), datetime.fromisoformat(appointment["end"])


def minutes_of_services(schedule: Resource, actors: Mapping[str, Resource]) -> dict[str, int]:
    """Minutes of each service code, those of an actor where the agenda gives none."""
    found: dict[str, int] = {}
    for holder in (schedule, *(actors[one["reference"]] for one in schedule["actor"])):
        for one in extensions(holder, "fr-core-service-type-duration"):
            read = parts(one)
            if "duration" in read:
                found.setdefault(read["serviceType"]["coding"][0]["code"], read["duration"]["value"])
    return found


def is_open(schedule: Resource, zone: ZoneInfo, start: datetime, end: datetime) -> bool:
    """Whether the interval lies in one opening and in no closure of equal priority."""
    rules = [parts(one) for one in extensions(schedule, "fr-core-schedule-availability-time")]
    local = start.astimezone(zone).replace(tzinfo=None), end.astimezone(zone).replace(tzinfo=None)
    spans = [(rule["type"]["code"], *one) for rule in rules for one in _spans(rule, zone, local[0].date())]
    opened = any(code == "free" and one <= local[0] and local[1] <= to for code, one, to in spans)
    closed = any(code != "free" and one < local[1] and local[0] < to for code, one, to in spans)
    return opened and not closed


def _spans(rule: Mapping[str, Any], zone: ZoneInfo, day: date) -> Iterator[tuple[datetime, datetime]]:
    """The occurrences of a rule that begin on that day, in local time (GAP-REC-01, 02, 05)."""
    start, end = (
        datetime.fromisoformat(rule[key]).astimezone(zone).replace(tzinfo=None) for key in ("start", "end")
    )
    if "rrule" not in rule:
        yield start, end
        return
    assert rule["rrule"]["freq"]["code"] == "WEEKLY"
    midnight = datetime(day.year, day.month, day.day)
    occurrences = rrule(
        WEEKLY,
        dtstart=start,
        interval=rule["rrule"].get("interval", 1),
        byweekday=[weekday(DAYS.index(one)) for one in rule["rrule"]["byDay"]],
        until=midnight + timedelta(1),
    )
    lasts = (
        end - start
        if end - start < timedelta(1)
        else datetime.combine(day, end.time()) - datetime.combine(day, start.time())
    )
    for one in occurrences:
        if one.date() == day:
            yield one, one + lasts

"""What both stores in this process ask of a plan before they look at their rows."""

from __future__ import annotations

from collections.abc import Iterable

from creneau.store.contract import Plan, Put, Take

APPOINTMENT = "Appointment"
SCHEDULE = "Schedule"


def key(put: Put) -> tuple[str, str]:
    """The resource that the put writes."""
    return put.type, put.id


def distinct(takes: tuple[Take, ...]) -> tuple[Take, ...]:
    """The takes without repetition: of several with one thing, interval and slot, the last."""
    if len(takes) < 2:
        return takes
    return tuple({(take.thing, take.start, take.end, take.slot): take for take in takes}.values())


def in_order(takes: Iterable[Take]) -> tuple[Take, ...]:
    """The takes by thing, then start."""
    return tuple(sorted(takes, key=lambda take: (*take[:3], take.slot)))


def lapsed(take: Take, now: int) -> bool:
    """Whether the hold has ended at `now`."""
    return take.until is not None and take.until <= now


def covers(former: Take, take: Take, now: int) -> bool:
    """Whether the former take, not lapsed, already holds all the time that the new one wants of the same thing."""
    return (
        former.thing == take.thing
        and former.start <= take.start
        and take.end <= former.end
        and not lapsed(former, now)
    )


def names(slots: str, schedule: str) -> bool:
    """Whether one of the slots (ids, between spaces) is of that agenda: an id is the agenda's, the start, the service, between dots."""
    return any(slot.rsplit(".", 2)[0] == schedule for slot in slots.split())


def refuse_nonsense(plan: Plan) -> None:
    """Raise ValueError for a plan that no flow may make: it is our bug, and must not reach the rows."""
    for put in plan.puts:
        if put.version < 1:
            raise ValueError("a version is at least 1")
        if put.takes and put.type != APPOINTMENT:
            raise ValueError("only an Appointment takes time")
        if put.owns and put.type != SCHEDULE:
            raise ValueError("only a Schedule is an agenda of things")
        if put.unbooked and put.type != SCHEDULE:
            raise ValueError("only a Schedule gives things up")
        for take in put.takes:
            if take.start >= take.end or take.capacity < 1:
                raise ValueError("a take has a positive length and capacity")

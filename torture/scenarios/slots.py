"""Invariant 2: what GET Slot offers as free can be booked, what is booked is no longer offered (REL-06)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bench import resources
from bench.resources import Visit
from bench.wire import escaped

from torture.clients import Rider
from torture.stage import Calendar, Stage, together


async def slots_of(rider: Rider, schedule: str, visit: Visit) -> list[dict[str, Any]]:
    """The Slots of an agenda that begin when the visit does, whatever their status. Raises AssertionError when refused."""
    start = escaped(resources.instant(visit.start))
    page = await rider.get(f"Slot?schedule={schedule}&start={start}", "slots")
    assert page.status == 200, f"the search of Slots was answered {page.status}"
    return [
        entry["resource"]
        for entry in page.body.get("entry", ())
        if entry["resource"]["resourceType"] == "Slot"
    ]


async def free_slots(rider: Rider, schedule: str, visit: Visit) -> list[dict[str, Any]]:
    """Those of them that are free."""
    return [one for one in await slots_of(rider, schedule, visit) if one["status"] == "free"]


async def what_is_offered(stage: Stage) -> None:
    """REL-06. Clients take the same free Slots, each looks again at once after its 201 or 409; then frees, moves, looks again."""
    riders = await stage.crowd(8)
    calendar = await stage.calendar(patients=8)
    for number in stage.each_round():
        visits = [calendar.cell(number * 2, (calendar.people[0],), patient=n) for n in range(8)]
        told = await together(
            [_take(calendar, rider, visit) for rider, visit in zip(riders, visits, strict=True)]
        )
        stage.report([line for lines in told for line in lines])
        stage.report(await _free_and_move(calendar, riders[0], number))
    stage.report(await stage.sweep())


async def _take(calendar: Calendar, rider: Rider, visit: Visit) -> list[str]:
    """Book the Slot when it is offered; after the answer it is no longer offered, whoever won."""
    schedule = calendar.world.schedules[0]
    offered = await free_slots(rider, schedule, visit)
    if offered:
        visit = replace(visit, slot=f"Slot/{offered[0]['id']}")
    answer = await rider.book(visit, "slot")
    if answer.status not in (201, 409):
        return [f"a booking was answered {answer.status}"]
    after = await free_slots(rider, schedule, visit)
    return [f"a Slot is still offered after a {answer.status}"] if after else []


async def _free_and_move(calendar: Calendar, rider: Rider, number: int) -> list[str]:
    """Cells that no other client asks for: a cancelled one is offered again, a moved one frees its first and takes its second."""
    schedule, who = calendar.world.schedules[0], (calendar.people[0],)
    here = calendar.cell(number * 2 + 1, who, patient=0)
    there = calendar.cell(number * 2 + 1 + 20 * 48, who)
    found: list[str] = []
    steps = (
        ("booked", here, here),
        ("moved", replace(here, start=there.start, end=there.end), there),
        ("cancelled", replace(here, start=there.start, end=there.end, status="cancelled"), None),
        ("booked again", here, here),
    )
    for what, visit, busy in steps:
        answer = await rider.declare(visit, "slot")
        if not answer.ok:
            return [*found, f"one {what} was answered {answer.status}"]
        for place in (here, there):
            offered = bool(await free_slots(rider, schedule, place))
            if offered == (place is busy):
                found.append(f"one {what}: a Slot is {'still' if offered else 'not'} offered")
    return found

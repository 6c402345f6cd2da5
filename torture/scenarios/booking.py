"""Invariant 1: no two appointments take overlapping time of one thing (REL-01, REL-03, REL-04, REL-05)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from time import perf_counter
from typing import Any, Final

from bench import resources
from bench.resources import Visit

from torture import checkers
from torture.clients import Rider, Seen, held
from torture.scenarios.slots import free_slots
from torture.stage import Calendar, Stage, together

RIVALS: Final = 48
MINUTE: Final = timedelta(minutes=1)


async def one_winner(stage: Stage) -> None:
    """REL-01. Rivals book one cell at the same time, by its interval or (every other round) by its Slot: one 201, others 409."""
    riders = await stage.crowd(RIVALS)
    calendar = await stage.calendar(patients=RIVALS)
    for number in stage.each_round():
        mark = stage.mark()
        slots = (
            await free_slots(riders[0], calendar.world.schedules[0], calendar.cell(number, ()))
            if number % 2
            else []
        )
        visits = [calendar.cell(number, (calendar.people[0],), patient=n) for n in range(RIVALS)]
        if slots:
            visits = [replace(one, slot=f"Slot/{slots[0]['id']}") for one in visits]
        await together(
            [rider.book(visit, f"cell {number}") for rider, visit in zip(riders, visits, strict=True)]
        )
        rivals = [one for one in stage.operations(mark) if one.what == "create"]
        stage.report(checkers.winner(rivals) + checkers.latency(rivals, 1.0 * stage.patience))
        stage.notes["by slot"] = stage.notes.get("by slot", 0) + bool(slots)
    stage.report(await stage.sweep())


async def shared_actor(stage: Stage) -> None:
    """REL-03. Unequal intervals of a professional with two agendas and of a room, alone or together; what is refused met something."""
    riders = await stage.crowd(RIVALS)
    calendar = await stage.calendar(professionals=1, patients=RIVALS, places=1)
    await second_agenda(stage, calendar)
    for number in stage.each_round():
        mark, refused, taken = stage.mark(), [], []
        visits = [_interval(stage, calendar, number) for _ in range(RIVALS * 4)]
        for wave in range(0, len(visits), RIVALS):
            some = visits[wave : wave + RIVALS]
            seen = await together(
                [one.book(visit, "interval") for one, visit in zip(riders, some, strict=True)]
            )
            refused += [wanted(visit) for visit, one in zip(some, seen, strict=True) if one.status == 409]
            taken += [each for one in seen if one.status == 201 for each in held(one.body)]
        asked = stage.operations(mark)
        unexpected = [f"answered {one.status}" for one in asked if one.status not in (201, 409)]
        stage.report(unexpected + checkers.no_overlap(taken) + checkers.justified(refused, taken))
        stage.report(checkers.latency(asked, 1.0 * stage.patience))
    stage.report(await stage.sweep())


async def second_agenda(stage: Stage, calendar: Calendar) -> None:
    """Give the first professional an agenda at another site."""
    agenda = resources.schedule(99, f"{calendar.world.run}-b", (calendar.people[0],), calendar.world.first)
    made = await stage.riders[0].ask("create", "agenda", ("POST", "Schedule", resources.encoded(agenda)))
    stage.report([] if made.ok else [f"a second agenda was answered {made.status}"])


def _interval(stage: Stage, calendar: Calendar, day: int) -> Visit:
    chance = stage.random
    begin = timedelta(days=day) + chance.randrange(0, 600, 5) * MINUTE
    who = chance.choice(
        [(calendar.people[0],), (calendar.places[0],), (calendar.people[0], calendar.places[0])]
    )
    actors = (calendar.patient(chance.randrange(RIVALS)), *who)
    return calendar.between(begin, chance.randrange(5, 65, 5) * MINUTE, actors)


def wanted(visit: Visit) -> list[checkers.Held]:
    """The time that an appointment not stored would have taken."""
    return held(resources.appointment(visit) | {"id": visit.identifier})


async def hot_actors(stage: Stage) -> None:
    """REL-04. Two to four of ten professionals in any order, on few cells; some are moved, some cancelled: no overlap, none slow."""
    riders = await stage.crowd(RIVALS)
    calendar = await stage.calendar(professionals=10, patients=RIVALS)
    mark, end = stage.mark(), perf_counter() + stage.seconds
    await together([_busy_rider(stage, calendar, rider, end) for rider in riders])
    asked = stage.operations(mark)
    slow = checkers.percentile_over(asked, 99, 0.5 * stage.patience)
    unexpected = [
        f"{one.what} answered {one.status}" for one in asked if one.status not in (200, 201, 409, 412)
    ]
    stage.report(unexpected + slow + await stage.sweep())


async def _busy_rider(stage: Stage, calendar: Calendar, rider: Rider, end: float) -> None:
    mine: list[tuple[Seen, Visit]] = []
    chance = stage.random
    while perf_counter() < end:
        draw = chance.random()
        if mine and draw < 0.3:
            seen, visit = mine.pop(chance.randrange(len(mine)))
            await rider.declare(
                replace(visit, status="cancelled"), "hot", f'If-Match: W/"{seen.version}"\r\n'
            )
        elif mine and draw < 0.5:
            at = chance.randrange(len(mine))
            seen, visit = mine[at]
            there = calendar.cell(chance.randrange(60), visit.actors[1:])
            moved = replace(visit, start=there.start, end=there.end)
            answer = await rider.declare(moved, "hot", f'If-Match: W/"{seen.version}"\r\n')
            mine[at] = (answer, moved) if answer.ok else mine[at]
        else:
            who = tuple(chance.sample(calendar.people, chance.randint(2, 4)))
            visit = calendar.cell(chance.randrange(60), who, patient=rider.number)
            answer = await rider.book(visit, "hot")
            mine += [(answer, visit)] if answer.ok else []


BOUNDS: Final = (
    ("10:00:00Z", "10:20:00Z", 201, "free"),
    ("10:20:00Z", "10:40:00Z", 201, "begins when the other ends"),
    ("09:40:00Z", "10:00:00Z", 201, "ends when the other begins"),
    ("10:39:59.999Z", "10:50:00Z", 409, "overlaps by one millisecond at its start"),
    ("09:30:00Z", "09:40:00.001Z", 409, "overlaps by one millisecond at its end"),
    ("11:25:00+01:00", "11:35:00+01:00", 409, "overlaps, written with another offset"),
    ("11:40:00+01:00", "12:00:00+01:00", 201, "touches, written with another offset"),
    ("13:00:00+02:00", "13:20:00+02:00", 201, "touches, written with a third offset"),
    ("06:30:00-05:00", "06:40:00-05:00", 201, "free, written with a negative offset"),
    ("09:00:00Z", "12:00:00Z", 409, "contains the others"),
    ("10:05:00Z", "10:10:00Z", 409, "is inside another"),
    ("14:00:00Z", "14:00:00Z", 422, "has no length"),
    ("15:00:00Z", "14:00:00Z", 422, "ends before it begins"),
    ("14:00:00Z", "14:00:00.001Z", 201, "lasts one millisecond"),
    ("14:00:00.001Z", "14:20:00Z", 201, "touches that millisecond"),
    ("14:00:00.0005Z", "14:00:00.002Z", 409, "overlaps half of that millisecond"),
)


async def half_open(stage: Stage) -> None:
    """REL-05. Intervals exclude their end: a table of starts and ends, each with the status it must be answered."""
    (rider,) = await stage.crowd(1)
    for _ in stage.each_round():
        calendar = await stage.calendar()
        day = calendar.world.first.strftime("%Y-%m-%d")
        for start, end, status, why in BOUNDS:
            body = resources.appointment(calendar.cell(0, (calendar.people[0],))) | _times(day, start, end)
            del body["minutesDuration"]
            seen = await rider.ask("create", why, ("POST", "Appointment", resources.encoded(body)))
            stage.report(
                [] if seen.status == status else [f"one that {why} was answered {seen.status}, not {status}"]
            )
    stage.report(await stage.sweep())


def _times(day: str, start: str, end: str) -> dict[str, Any]:
    return {"start": f"{day}T{start}", "end": f"{day}T{end}"}

"""Lost updates: clients that read, change and write back with If-Match (REL-09; https://hl7.org/fhir/R4/http.html#concurrency)."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Final

from bench.resources import Visit

from torture import checkers
from torture.clients import Rider
from torture.scenarios.identity import one_chain
from torture.stage import Stage, together

WRITERS: Final = 16
START: Final = "compteur 0"


async def lost_update(stage: Stage) -> None:
    """REL-09. A counter in the comment: its last value is the number of acknowledged writes, its history holds them all."""
    riders = await stage.crowd(WRITERS)
    calendar = await stage.calendar()
    for number in stage.each_round():
        visit = calendar.cell(number, (calendar.people[0],), comment=START)
        first = await riders[0].book(visit, visit.identifier)
        end = perf_counter() + stage.seconds
        told = await together([_increment(rider, first.id, visit, end) for rider in riders])
        acknowledged = [version for versions, _ in told for version in versions]
        stage.report([line for _, lines in told for line in lines])
        last = await riders[0].get(f"Appointment/{first.id}")
        stage.report(checkers.counted(len(acknowledged), _counter(last.body["comment"])))
        stage.report(await one_chain(riders[0], visit.identifier, [1, *acknowledged]))
        stage.notes["increments"] = stage.notes.get("increments", 0) + len(acknowledged)
    stage.report(await stage.sweep())


async def _increment(rider: Rider, id_: str, visit: Visit, end: float) -> tuple[list[int], list[str]]:
    """Read, add one, write back if nobody came in between; the versions acknowledged, and what was answered amiss."""
    acknowledged: list[int] = []
    found: list[str] = []
    while perf_counter() < end and len(acknowledged) < 40:
        now = await rider.get(f"Appointment/{id_}")
        if now.status != 200:
            found.append(f"a read was answered {now.status}")
            continue
        version = now.body["meta"]["versionId"]
        more = replace(visit, comment=f"compteur {_counter(now.body['comment']) + 1}")
        answer = await rider.declare(more, visit.identifier, f'If-Match: W/"{version}"\r\n')
        if answer.ok:
            acknowledged.append(answer.version)
        elif answer.status not in (409, 412):
            found.append(f"a write was answered {answer.status}")
    return acknowledged, found


def _counter(comment: str) -> int:
    return int(comment.rpartition(" ")[2])

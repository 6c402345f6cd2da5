"""Invariant 4: one business identifier, one Appointment, under any number of concurrent conditional updates (REL-07, REL-08)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final

from bench.resources import Visit

from torture import checkers
from torture.clients import Rider, Seen, by_identifier
from torture.stage import Stage, together

RIVALS: Final = 48


async def one_identifier(stage: Stage) -> None:
    """REL-07. Rivals declare the same new identifier (`PUT Appointment?identifier=`), each with another professional."""
    riders = await stage.crowd(RIVALS)
    calendar = await stage.calendar(professionals=RIVALS)
    for number in stage.each_round():
        mark = stage.mark()
        common = f"{calendar.world.run}-common-{number}"
        said = [replace(calendar.cell(number, (who,)), identifier=common) for who in calendar.people]
        await together([rider.declare(one, common) for rider, one in zip(riders, said, strict=True)])
        rivals = stage.operations(mark)
        created = [one for one in rivals if one.status == 201]
        stage.report([] if len(created) == 1 else [f"{len(created)} answers were 201, one expected"])
        stage.report([f"answered {one.status}" for one in rivals if one.status not in (200, 201, 409, 412)])
        acknowledged = [int(one.value["version"]) for one in rivals if one.status in (200, 201)]
        stage.report(await one_chain(riders[0], common, acknowledged))
    stage.report(await stage.sweep())


async def one_chain(rider: Rider, identifier: str, acknowledged: list[int]) -> list[str]:
    """One resource has the identifier, its versions have no gap, each was acknowledged once."""
    page = await rider.get(f"Appointment?{by_identifier(identifier)}")
    ids = [entry["resource"]["id"] for entry in page.body.get("entry", ())]
    if len(ids) != 1:
        return [f"{len(ids)} resources have the identifier"]
    history = await rider.get(f"Appointment/{ids[0]}/_history?_count=1000")
    stored = [int(entry["resource"]["meta"]["versionId"]) for entry in history.body.get("entry", ())]
    return checkers.version_chain(stored, acknowledged)


async def many_ways(stage: Stage) -> None:
    """REL-08. A new identifier is at once created, conditionally updated, and given to other appointments by their id."""
    riders = await stage.crowd(RIVALS)
    calendar = await stage.calendar(professionals=RIVALS)
    outcomes: Counter[str] = Counter()
    for number in stage.each_round():
        mark = stage.mark()
        visits = [calendar.cell(number * 2, (who,)) for who in calendar.people]
        known = await together([riders[n].book(visits[n], "before") for n in range(2, RIVALS, 3)])
        common = f"{calendar.world.run}-common-{number}"
        order = stage.random.sample(range(RIVALS), RIVALS)
        await together([_race(riders, n, visits, known, common) for n in order])
        asked = stage.operations(mark)
        outcomes.update(f"{one.what} {one.status}" for one in asked)
        stage.report(
            [
                f"{one.what} answered {one.status}"
                for one in asked
                if one.status not in (200, 201, 405, 409, 412)
            ]
        )
        stage.report(await _one_live(riders[0], common))
    stage.notes["answers"] = dict(sorted(outcomes.items()))
    stage.report(await stage.sweep())


async def _race(
    riders: list[Rider], number: int, visits: list[Visit], known: list[Seen], common: str
) -> Seen:
    visit = replace(visits[number], identifier=common)
    if number % 3 == 0:
        return await riders[number].book(visit, common)
    if number % 3 == 1:
        return await riders[number].declare(visit, common)
    return await riders[number].replace(known[number // 3].id, visit, common)


async def _one_live(rider: Rider, identifier: str) -> list[str]:
    page = await rider.get(f"Appointment?{by_identifier(identifier)}")
    found = len(page.body.get("entry", ()))
    return [] if found == 1 else [f"{found} live resources have the identifier"]

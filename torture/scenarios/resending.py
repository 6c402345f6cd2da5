"""A client that does not know what became of its request sends it again (REL-20; invariant 4)."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Final

from bench.resources import Visit

from torture.clients import Rider, Seen, by_identifier
from torture.ground import Ground
from torture.stage import Stage, together

CLIENTS: Final = 16
TRIES: Final = 40
PAUSE: Final = 0.05
CUT: Final = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


async def resent(stage: Stage) -> None:
    """REL-20. Clients that leave before the answer, on PostgreSQL its connections cut as well, send again until answered: one appointment.

    Half create (POST) and then take 409 for "it is there", half declare (PUT by identifier); some take no time, so that nothing but the
    identifier tells the second from the first.
    """
    calendar = await stage.calendar(professionals=CLIENTS)
    counts: Counter[str] = Counter()
    for number in stage.each_round():
        riders = await stage.crowd(CLIENTS)
        visits = [calendar.cell(number, (who,)) for who in calendar.people]
        visits = [replace(one, status="waitlist") if n % 4 < 2 else one for n, one in enumerate(visits)]
        cutting = asyncio.create_task(_cut(stage.host.ground, stage.random.uniform(0.0, 0.05)))
        told = await together(
            [_insist(stage, rider, visit, counts) for rider, visit in zip(riders, visits, strict=True)]
        )
        await cutting
        stage.report([line for lines in told for line in lines])
    stage.report(await stage.sweep())
    stage.notes["counted"] = dict(sorted(counts.items()))


async def _insist(stage: Stage, rider: Rider, visit: Visit, counts: Counter[str]) -> list[str]:
    """Send until a final answer; then exactly one appointment has the identifier, and it is the one that was answered."""
    creating, hasty = rider.number % 2, Rider(1000 + rider.number, stage.host.target, stage.history)
    first = await _left(stage, hasty, visit, creating=bool(creating))
    counts["first answered" if first.status else "first left"] += 1
    there = await _stored(rider, visit)
    counts["first found written"] += bool(there) and not first.status
    answer = first
    for _ in range(TRIES):
        answer = await (rider.book(visit, "resend") if creating else rider.declare(visit, "resend"))
        if answer.status and answer.status != 503:
            break
        await asyncio.sleep(PAUSE)
    counts[f"resent {'POST' if creating else 'PUT'} {answer.status}"] += 1
    stored = await _stored(rider, visit)
    if len(stored) != 1:
        return [f"{len(stored)} appointments have the identifier, answered {answer.status} {answer.code}"]
    if answer.ok and answer.id != stored[0]:
        return ["the answer named another appointment"]
    if there and there != stored:
        return ["the appointment is another than was found before"]
    return [] if answer.ok or (creating and answer.status == 409) else [f"sent again: {answer.status}"]


async def _left(stage: Stage, hasty: Rider, visit: Visit, *, creating: bool) -> Seen:
    """Ask and leave after a few milliseconds, mostly before the answer."""
    hasty.patience(stage.random.choice((0.001, 0.003, 0.006, 0.012, 0.03)))
    await hasty.warm()
    try:
        return await (hasty.book(visit, "left") if creating else hasty.declare(visit, "left"))
    finally:
        hasty.close()


async def _stored(rider: Rider, visit: Visit) -> list[str]:
    """The ids of the appointments that have the identifier."""
    for _ in range(TRIES):
        page = await rider.get(f"Appointment?{by_identifier(visit.identifier)}")
        if page.status == 200:
            return [entry["resource"]["id"] for entry in page.body.get("entry", ())]
        await asyncio.sleep(PAUSE)
    raise AssertionError(f"a search was answered {page.status}")


async def _cut(ground: Ground, after: float) -> None:
    """End every connection that the server has to PostgreSQL, wherever its statements are."""
    if ground.cluster is None:
        return
    import asyncpg

    await asyncio.sleep(after)
    connection = await asyncpg.connect(ground.database)
    await connection.fetchval(CUT)
    await connection.close()

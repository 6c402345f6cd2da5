"""Five times the load that the server can take (REL-26)."""

from __future__ import annotations

import asyncio
from collections import Counter
from time import perf_counter
from typing import Final, NamedTuple

from bench.seed import World
from bench.stats import percentile

from torture import checkers
from torture.clients import Rider
from torture.history import FAIL, OK, Operation
from torture.stage import Stage, together

PROFESSIONALS: Final = 50
CLIENTS: Final = 16
CROWD: Final = 1200
TIMES: Final = 5
CALM: Final = 4.0
"""Seconds of the measures before and after."""
TICK: Final = 0.005
GOODPUT: Final = 0.8
REFUSED: Final = 0.1
ACCEPTED: Final = 2.0
RECOVERY: Final = 5.0


class Flood(NamedTuple):
    """What became of a load: successes a second, its operations, requests that found no connection free.

    `late`: how many seconds the client itself came too late, each time that it had waited. A client that wants for processor measures itself.
    """

    goodput: float
    asked: list[Operation]
    unsent: int = 0
    late: tuple[float, ...] = ()


async def overload(stage: Stage) -> None:
    """REL-26. 16 clients show what it can take; then five times as much comes: it does 80 % of that, refuses the rest at once with 503."""
    riders = await stage.crowd(CLIENTS)
    world = (await stage.calendar(professionals=PROFESSIONALS, patients=PROFESSIONALS)).world
    calm = min(CALM, stage.seconds)
    await _at_most(stage, world, riders, calm / 2)
    peak = await _at_most(stage, world, riders, calm)
    crowd = await stage.crowd(CROWD)  # only now: a connection that asks nothing for ten seconds is closed
    flood = await _flooded(stage, world, crowd, TIMES * peak.goodput)
    ended = perf_counter()
    after = await _at_most(stage, world, riders, calm)
    stage.report(judged(peak, flood, stage.patience))
    if after.goodput < GOODPUT * peak.goodput / stage.patience:
        stage.report(
            [
                f"{after.goodput:.0f} creates/s within {perf_counter() - ended:.0f} s afterwards, {peak.goodput:.0f} before"
            ]
        )
    acknowledged = sum(one.kind == OK and one.what == "create" for one in stage.operations())
    stage.report(await stage.sweep())
    if stage.notes["appointments"] < acknowledged:
        stage.report(
            [
                f"{acknowledged} creates were acknowledged, {stage.notes['appointments']} appointments are stored"
            ]
        )
    stage.notes |= told(peak, flood, after)


def judged(peak: Flood, flood: Flood, patience: float) -> list[str]:
    """What is wrong with the answers to a flood."""
    found = [f"answered {one.status or 'nothing'}" for one in flood.asked if one.status not in (201, 503)]
    found += checkers.announced(flood.asked)
    refused, accepted = ([one for one in flood.asked if one.kind == kind] for kind in (FAIL, OK))
    if flood.goodput < GOODPUT * peak.goodput / patience:
        found.append(
            f"{flood.goodput:.0f} creates/s when {TIMES} times as many were asked for, {peak.goodput:.0f} before"
        )
    return (
        found
        + checkers.percentile_over(refused, 99, REFUSED * patience)
        + checkers.percentile_over(accepted, 99, ACCEPTED * patience)
    )


def told(peak: Flood, flood: Flood, after: Flood) -> dict[str, object]:
    """The figures worth a note."""
    refused, accepted = (
        [one.seconds * 1e3 for one in flood.asked if one.kind == kind] for kind in (FAIL, OK)
    )
    late = [seconds * 1e3 for seconds in flood.late]
    return {
        "creates/s before, during, after": ", ".join(f"{one.goodput:.0f}" for one in (peak, flood, after)),
        "answers": dict(Counter(str(one.status or "none") for one in flood.asked)),
        "not sent, all connections in use": flood.unsent,
        "refusals p50, p99 (ms)": f"{percentile(refused, 50):.0f}, {percentile(refused, 99):.0f}",
        "creates p50, p99 (ms)": f"{percentile(accepted, 50):.0f}, {percentile(accepted, 99):.0f}",
        "the client itself late by p50, p99 (ms)": ", ".join(
            f"{percentile(late, share):.0f}" for share in (50, 99)
        ),
    }


async def _at_most(stage: Stage, world: World, riders: list[Rider], seconds: float) -> Flood:
    """Each client asks again when it was answered."""
    mark, begin = stage.mark(), perf_counter()

    async def ride(rider: Rider) -> None:
        while perf_counter() - begin < seconds:
            await rider.book(world.next_visit(), "calm")

    await together([ride(rider) for rider in riders])
    return _flood(stage, mark, perf_counter() - begin)


async def _flooded(stage: Stage, world: World, riders: list[Rider], rate: float) -> Flood:
    """So many requests a second, whatever is answered."""
    free, unsent = list(riders), 0
    mark, begin, sent = stage.mark(), perf_counter(), 0
    late: list[float] = []

    async def ride(rider: Rider) -> None:
        await rider.book(world.next_visit(), "flood")
        free.append(rider)

    async with asyncio.TaskGroup() as group:
        while (passed := perf_counter() - begin) < stage.seconds:
            due = int(passed * rate)
            now = min(due - sent, len(free))
            for _ in range(now):
                group.create_task(ride(free.pop()))
            unsent += due - sent - now
            sent = due
            waits = perf_counter()
            await asyncio.sleep(TICK)
            late.append(perf_counter() - waits - TICK)
    return _flood(stage, mark, stage.seconds)._replace(unsent=unsent, late=tuple(late))


def _flood(stage: Stage, mark: int, seconds: float) -> Flood:
    asked = stage.operations(mark)
    return Flood(sum(one.kind == OK for one in asked) / seconds, asked)

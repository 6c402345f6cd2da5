"""Something that writes need is killed or restarted under load, and comes back; the server itself is never started again.

PostgreSQL killed (REL-12), PostgreSQL restarted (REL-15), one worker of several killed (REL-11).
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from time import perf_counter_ns
from typing import Final, NamedTuple

from bench.cpu import tree

from torture import checkers
from torture.clients import Rider
from torture.history import OK, Operation
from torture.scenarios.ledger import Ledger, verify, write_through
from torture.stage import Calendar, Stage

WRITERS: Final = 12
READERS: Final = 2
ATTEMPTS: Final = 50
BEHIND: Final = ("walwriter", "background writer", "checkpointer")
HALTED: Final = 2.0
ACKNOWLEDGED: Final = 24
"""Writes that are acknowledged between the halt and the kill."""
WRITES: Final = ("create", "update")

Step = Callable[[Stage], Awaitable[None]]


class Outage(NamedTuple):
    """What goes away and comes back; each client succeeds again `within` seconds; statuses that writes and reads may be given."""

    away: Step
    back: Step
    within: float
    statuses: tuple[int, ...]


async def database_killed(stage: Stage) -> None:
    """REL-12. SIGKILL to every PostgreSQL process under load, then a start: 503 with Retry-After meanwhile, nothing acknowledged lost."""
    await _suffer(stage, Outage(_kill_database, _start_database, 5.0, (200, 201, 503)))


async def database_restarted(stage: Stage) -> None:
    """REL-15. A fast restart of PostgreSQL under load: writes go on within 3 seconds of its being ready."""
    await _suffer(stage, Outage(_stop_database, _start_database, 3.0, (200, 201, 503)))


async def worker_killed(stage: Stage) -> None:
    """REL-11. SIGKILL to one worker under load: its clients connect again and go on, all workers are there again within 5 seconds."""
    await _suffer(stage, Outage(_kill_worker, _await_workers, 5.0, (0, 200, 201)))


async def _suffer(stage: Stage, outage: Outage) -> None:
    calendar = await stage.calendar(professionals=WRITERS)
    ledger, answers, slowest = Ledger(), Counter[str](), 0.0
    for _ in stage.each_round():
        mark = stage.mark()
        back = await _round(stage, calendar, ledger, outage)
        asked = stage.operations(mark)
        stage.leave()
        stage.report(unexpected(asked, outage.statuses) + checkers.announced(asked))
        stage.report(checkers.healed(asked, back, outage.within * stage.patience))
        slowest = max(slowest, first_success(asked, back))
        answers.update(f"{one.what} {one.status or 'unanswered'}" for one in asked)
        stage.report(await verify(stage, ledger, ledger.recent()))
    stage.report(await verify(stage, ledger, sorted(ledger.truths)))
    stage.report(await stage.sweep())
    stage.notes |= {
        "acknowledged writes": ledger.writes,
        "slowest client to succeed again (s)": round(slowest, 2),
    }
    stage.notes["answers"] = dict(sorted(answers.items()))


async def _round(stage: Stage, calendar: Calendar, ledger: Ledger, outage: Outage) -> int:
    """One outage under load; the instant (nanoseconds) at which it was over."""
    riders = await stage.crowd(WRITERS + READERS)
    over = asyncio.Event()
    load = [write_through(calendar, rider, ledger, over) for rider in riders[:WRITERS]]
    load += [_read_through(calendar, rider, over) for rider in riders[WRITERS:]]
    running = asyncio.gather(*load)
    await asyncio.sleep(stage.random.uniform(0.2, 0.6))
    await outage.away(stage)
    await asyncio.sleep(stage.random.uniform(0.0, 1.0))
    await outage.back(stage)
    back, mark = perf_counter_ns(), stage.mark()
    for _ in range(ATTEMPTS):
        await asyncio.sleep(outage.within * stage.patience / ATTEMPTS)
        again = {event.client for event in stage.history.events[mark:] if event.kind == OK}
        if len(again) == len(riders):
            break
    over.set()
    await running
    return back


async def _read_through(calendar: Calendar, rider: Rider, over: asyncio.Event) -> None:
    """Read the patient again and again."""
    while not over.is_set():
        await rider.get(calendar.patient(0))
        await asyncio.sleep(0.01)


def unexpected(operations: list[Operation], statuses: tuple[int, ...]) -> list[str]:
    """Answers of other statuses."""
    return [
        f"{one.what} was answered {one.status or 'nothing'}"
        for one in operations
        if one.status not in statuses
    ]


def first_success(operations: list[Operation], since: int) -> float:
    """Seconds until the last client to succeed again did."""
    firsts: dict[int, int] = {}
    for one in operations:
        if one.begin >= since and one.kind == OK:
            firsts.setdefault(one.client, one.end)
    return max(((end - since) / 1e9 for end in firsts.values()), default=0.0)


async def _kill_database(stage: Stage) -> None:
    """What writes the log behind the commits is halted first: then all that they acknowledge without having flushed it is lost."""
    await asyncio.to_thread(stage.host.ground.server.halt, BEHIND)
    mark = stage.mark()
    for _ in range(ATTEMPTS):
        await asyncio.sleep(HALTED * stage.patience / ATTEMPTS)
        if sum(one.kind == OK and one.what in WRITES for one in stage.history.events[mark:]) >= ACKNOWLEDGED:
            break
    await asyncio.to_thread(stage.host.ground.server.kill)


async def _stop_database(stage: Stage) -> None:
    await asyncio.to_thread(stage.host.ground.server.stop, "fast")


async def _start_database(stage: Stage) -> None:
    for _ in range(ATTEMPTS):
        try:
            return await asyncio.to_thread(stage.host.ground.server.start)
        except RuntimeError:  # its lock file stays until all its processes are gone
            await asyncio.sleep(0.1)
    raise RuntimeError("PostgreSQL did not start again")


def workers(stage: Stage) -> list[int]:
    """The processes that the server started to serve."""
    return [one.pid for one in tree(stage.host.process.pid)[1:]]


async def _kill_worker(stage: Stage) -> None:
    stage.host.killed += 1
    os.kill(stage.random.choice(workers(stage)), signal.SIGKILL)


async def _await_workers(stage: Stage) -> None:
    wanted = stage.host.ground.setting.workers
    for _ in range(ATTEMPTS):
        if len(workers(stage)) >= wanted:
            return
        await asyncio.sleep(0.1 * stage.patience)
    stage.report([f"{len(workers(stage))} workers of {wanted} are there"])

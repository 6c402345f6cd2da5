"""Two versions of the program on one database: the later one starts beside the earlier one, which then leaves (REL-30)."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass, field, replace
from time import perf_counter_ns
from typing import Final

from bench import server

from torture import checkers
from torture.clients import Rider, warmed
from torture.history import INFO, Operation, paired
from torture.scenarios.ledger import Ledger, verify, write_through, write_until
from torture.stage import Calendar, Host, Stage, ended, together

WRITERS: Final = 8
RIVALS: Final = 12
"""Of each of the two programs, for one cell."""
CELLS: Final = 5
STOPPING: Final = 20.0
TOO_OLD: Final = "use a newer creneau"
CONTESTED: Final = "contested"
EXPANDING, CONTRACTING = 1, -1


@dataclass(slots=True)
class Beside:
    """A later program beside the earlier one: the clients of each, what they write, the stop of the earlier one."""

    stage: Stage
    calendar: Calendar
    contested: Calendar
    kind: int = EXPANDING
    ledger: Ledger = field(default_factory=Ledger)
    steps: int = 0

    async def meet(self) -> list[str]:
        """The later one starts under load, cells are contested by the clients of both, the earlier one stops under load.

        What was refused.
        """
        stage, over, begun = self.stage, asyncio.Event(), self.stage.mark()
        old = await stage.crowd(WRITERS)
        old += stage.clients(
            RIVALS
        )  # who connect when the later one is there: that may take longer than a silent connection is kept
        with ended(replace(stage.host)) as earlier:
            load = [write_until(self.calendar, one, self.ledger, (503,)) for one in old[:WRITERS]]
            leaving = asyncio.gather(*load)
            await asyncio.to_thread(self._start_later)
            new = await self._newcomers()
            more = [write_through(self.calendar, one, self.ledger, over) for one in new[:WRITERS]]
            staying = asyncio.gather(*more)
            await warmed(rivals := old[WRITERS:] + new[WRITERS:])
            await self._contest(rivals)
            mark, signalled = stage.mark(), perf_counter_ns()
            status = await asyncio.to_thread(earlier.process.stop, STOPPING * stage.patience)
            await leaving
            stage.report([] if status == 0 else [f"the earlier program ended with status {status}"])
            stage.report(await asyncio.to_thread(too_old, earlier))
            while sum(one.client >= len(old) for one in stage.history.events[mark:]) < WRITERS:
                await asyncio.sleep(0.05)
            over.set()
            await staying
        return refused(stage.operations(begun), len(old), signalled)

    def _start_later(self) -> None:
        host = self.stage.host
        self.steps += 0 if host.checkout else self.kind
        host.checkout, host.port = None, server.free_port()
        host.program = ("torture.later", str(self.steps))
        host.start()

    async def _newcomers(self) -> list[Rider]:
        new = self.stage.clients(WRITERS + RIVALS)
        await warmed(new[:WRITERS])
        return new

    async def _contest(self, rivals: list[Rider]) -> None:
        """Clients of both want one cell: one winner."""
        for _ in range(CELLS):
            cell, who = self.ledger.next_cell(CONTESTED), (self.contested.people[0],)
            key = f"{CONTESTED} {cell}"
            visits = [self.contested.cell(cell, who, patient=n) for n in range(len(rivals))]
            await together([one.book(visit, key) for one, visit in zip(rivals, visits, strict=True)])
            asked = paired(event for event in self.stage.history.events if event.key == key)
            self.stage.report(checkers.winner(asked))


async def rolling(stage: Stage) -> None:
    """REL-30. A program of the next schema starts beside the one that serves, both are asked, the earlier one leaves: none is refused."""
    control = stage.host.program[0] == "torture.unguarded"
    stage.rounds = 1 if control or stage.host.checkout else stage.rounds
    calendar = await stage.calendar(professionals=WRITERS)
    beside = Beside(stage, calendar, await stage.calendar(patients=RIVALS))
    beside.kind = CONTRACTING if control else EXPANDING
    for _ in stage.each_round():
        mark = stage.mark()
        stage.report(await beside.meet())
        stage.leave()
        stage.notes["asked of both"] = len(stage.operations(mark)) + stage.notes.get("asked of both", 0)
        stage.report(await verify(stage, beside.ledger, beside.ledger.recent()))
    stage.report(await verify(stage, beside.ledger, sorted(beside.ledger.truths)))
    stage.report(await stage.sweep())
    stage.notes |= {"acknowledged writes": beside.ledger.writes, "last schema": f"{beside.steps:+d}"}


def refused(operations: list[Operation], newcomers: int, signalled: int) -> list[str]:
    """What was not done; the clients before number `newcomers` ask a program that was signalled to leave at that instant."""
    found = []
    for one in operations:
        allowed = (201, 409) if one.key.startswith(CONTESTED) else (200, 201)
        leaving = one.client < newcomers and one.end > signalled
        wrong = one.begin < signalled and one.kind == INFO if leaving else one.status not in allowed
        if wrong:
            asked = "earlier" if one.client < newcomers else "later"
            found.append(
                f"the {asked} program answered {one.what} ({one.key}) with {one.status or 'nothing'}, {when(one, signalled)}"
            )
    return found


def when(one: Operation, signalled: int) -> str:
    """How long it took, and where it stands to the stop of the earlier program."""
    asked, told = (one.begin - signalled) / 1e9, "after" if one.end > signalled else "before"
    return f"{one.seconds:.2f} s, asked at {asked:+.2f} s and ended {told} the stop"


def too_old(earlier: Host) -> list[str]:
    """The earlier program, started again, says that the database is a later one's."""
    done = subprocess.run(
        earlier.command(), capture_output=True, text=True, check=False, timeout=60, cwd=server.ROOT
    )
    said = done.stderr.strip().splitlines()
    right = done.returncode == 1 and len(said) == 1 and TOO_OLD in said[0]
    return (
        []
        if right
        else [f"started again the earlier program ended with {done.returncode}: {done.stderr[-200:]}"]
    )

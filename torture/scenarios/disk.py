"""The disk is full, then it is not (REL-14)."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple

from torture.clients import Rider
from torture.history import Operation
from torture.scenarios.ledger import Ledger, verify, write_until
from torture.stage import Calendar, Stage

WRITERS: Final = 8
MIB: Final = 1024 * 1024
FILE_LIMIT: Final = 8 * MIB
PATIENCE: Final = 30.0
RECOVERY: Final = 5.0


class Space(NamedTuple):
    """Means to take the disk's space away and to give it back; `how` says which."""

    how: str
    take: Callable[[], None]
    give: Callable[[], None]


def space(stage: Stage) -> Space:
    """On a small file system of its own (mounted by the runner) a ballast file; else a limit on the size of the server's files."""
    ballast = stage.host.ground.folder / "ballast"
    if ballast.exists():
        return Space("a tmpfs of a few MB, full", lambda: None, ballast.unlink)
    return Space(
        "files limited to 8 MiB (RLIMIT_FSIZE)",
        lambda: _limit(stage, FILE_LIMIT),
        lambda: _limit(stage, resource.RLIM_INFINITY),
    )


def _limit(stage: Stage, size: int) -> None:
    hard = resource.prlimit(stage.host.process.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(stage.host.process.pid, resource.RLIMIT_FSIZE, (size, hard))


async def disk_full(stage: Stage) -> None:
    """REL-14. Writes until the disk is full: 503 with an OperationOutcome, reads go on; with space again it writes, nothing is lost."""
    riders = await stage.crowd(WRITERS + 1)
    calendar = await stage.calendar(professionals=WRITERS + 1)
    ledger, disk = Ledger(), space(stage)
    disk.take()
    mark = stage.mark()
    load = asyncio.gather(*(write_until(calendar, rider, ledger, (503, 507)) for rider in riders[:WRITERS]))
    await asyncio.wait_for(load, PATIENCE * stage.patience)
    stage.report(refusals(stage.operations(mark)))
    stage.report(await _while_full(riders[WRITERS], calendar, ledger))
    disk.give()
    seconds = await _writes_again(riders[WRITERS], calendar, ledger)
    stage.report(
        []
        if seconds <= RECOVERY * stage.patience
        else [f"no write for {seconds:.1f} s after space came back"]
    )
    stage.report(await verify(stage, ledger, sorted(ledger.truths)))
    stage.report(await stage.sweep())
    stage.notes |= {
        "how": disk.how,
        "acknowledged writes": ledger.writes,
        "first write after (s)": round(seconds, 2),
    }


def refusals(operations: list[Operation]) -> list[str]:
    """Each write ends with 200, 201 or a 503; at least one 503, else the disk was never full."""
    statuses = [one.status for one in operations if one.what in ("create", "update")]
    found = [
        f"a write was answered {one or 'nothing'}" for one in statuses if one not in (200, 201, 503, 507)
    ]
    return (
        found
        if 503 in statuses or 507 in statuses
        else [*found, "the disk was never full: nothing was tried"]
    )


async def _while_full(rider: Rider, calendar: Calendar, ledger: Ledger) -> list[str]:
    found = []
    for truth in [one for one in ledger.truths.values() if one.id][:50]:
        answer = await rider.get(f"Appointment/{truth.id}")
        found += (
            [] if answer.status == 200 else [f"a read was answered {answer.status} while the disk was full"]
        )
    who = calendar.people[WRITERS]
    visit = calendar.cell(ledger.next_cell(who), (who,), comment="Texte " * 2000)
    refused = await rider.book(visit, visit.identifier)
    ledger.settle(visit, refused)
    if refused.status in (503, 507) and not is_outcome(refused.body):
        found.append("a refused write has no OperationOutcome")
    return found


def is_outcome(body: dict[str, Any]) -> bool:
    """Whether it is an OperationOutcome with an issue."""
    return body.get("resourceType") == "OperationOutcome" and bool(body.get("issue"))


async def _writes_again(rider: Rider, calendar: Calendar, ledger: Ledger) -> float:
    """Seconds until a write is acknowledged."""
    begin, who = perf_counter(), calendar.people[WRITERS]
    while (passed := perf_counter() - begin) <= RECOVERY * 6:
        visit = calendar.cell(ledger.next_cell(who), (who,))
        seen = await rider.book(visit, visit.identifier)
        ledger.settle(visit, seen)
        if seen.ok:
            return passed
        await asyncio.sleep(0.05)
    return passed


def ballast(directory: Path, size: int) -> None:
    """Fill part of a file system, to give it back later."""
    (directory / "ballast").write_bytes(b"\0" * size)

"""Invariant 3: a write acknowledged survives kill -9, one not acknowledged leaves all or nothing (REL-11)."""

from __future__ import annotations

import asyncio
from typing import Final

from bench.server import NotStarted

from torture.scenarios.ledger import Ledger, verify, write_until
from torture.stage import Stage

WRITERS: Final = 12
RECOVERY: Final = 5.0
SILENCE: Final = 20.0


async def kill_nine(stage: Stage) -> None:
    """REL-11. Killed at a random instant of the load, started again on the same file: the ledger holds, within 5 seconds."""
    calendar = await stage.calendar(professionals=WRITERS)
    ledger, slowest = Ledger(), 0.0
    for _ in stage.each_round():
        mark = stage.mark()
        riders = await stage.crowd(WRITERS)
        load = asyncio.gather(*(write_until(calendar, rider, ledger) for rider in riders))
        await asyncio.sleep(stage.random.uniform(0.15, 0.6))
        stage.host.process.kill()
        await _silence(stage, load)
        stage.leave()
        stage.report(unexpected(stage, mark))
        slowest = max(slowest, await restarted(stage))
        stage.report(await verify(stage, ledger, ledger.recent()))
    stage.report(await verify(stage, ledger, sorted(ledger.truths)))
    stage.report(await stage.sweep())
    stage.notes |= {"acknowledged writes": ledger.writes, "slowest recovery (s)": round(slowest, 2)}


async def _silence(stage: Stage, load: asyncio.Future[list[None]]) -> None:
    """Wait until every client found that nobody answers any more."""
    try:
        async with asyncio.timeout(SILENCE * stage.patience):
            await load
    except TimeoutError:
        stage.report([f"what was killed still answered after {SILENCE * stage.patience:g} s"])


async def restarted(stage: Stage) -> float:
    """Start the server again on its file; seconds until ready, too many of them are a finding."""
    try:
        seconds = await asyncio.to_thread(stage.host.start)
    except NotStarted as error:
        stage.report([f"the server did not start again: {error}"])
        raise
    stage.report(
        [f"recovery took {seconds:.1f} s, {RECOVERY:g} s at most"]
        if seconds > RECOVERY * stage.patience
        else []
    )
    return seconds


def unexpected(stage: Stage, mark: int) -> list[str]:
    """Writes that nobody disputed and that were refused all the same."""
    refused = [one for one in stage.operations(mark) if one.what in ("create", "update")]
    return [f"{one.what} was answered {one.status}" for one in refused if one.status not in (0, 200, 201)]

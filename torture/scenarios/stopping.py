"""A graceful stop: SIGTERM under load (REL-32)."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns
from typing import Final

from torture import checkers
from torture.scenarios.crash import restarted
from torture.scenarios.ledger import Ledger, verify, write_until
from torture.stage import Stage

WRITERS: Final = 12
STOPPING: Final = 20.0


async def graceful(stage: Stage) -> None:
    """REL-32. What was asked before SIGTERM is answered, the program ends with status 0 within 20 s, nothing acknowledged is lost."""
    calendar = await stage.calendar(professionals=WRITERS)
    ledger, slowest = Ledger(), 0.0
    for _ in stage.each_round():
        mark = stage.mark()
        riders = await stage.crowd(WRITERS)
        load = asyncio.gather(*(write_until(calendar, rider, ledger, (503,)) for rider in riders))
        await asyncio.sleep(stage.random.uniform(0.2, 0.5))
        signalled = perf_counter_ns()
        status = await asyncio.to_thread(stage.host.process.stop, STOPPING * stage.patience)
        slowest = max(slowest, (perf_counter_ns() - signalled) / 1e9)
        await load
        stage.leave()
        stage.report([] if status == 0 else [f"it ended with status {status}"])
        stage.report(checkers.answered_before(stage.operations(mark), signalled))
        await restarted(stage)
        stage.report(await verify(stage, ledger, ledger.recent()))
    stage.report(await stage.sweep())
    stage.notes |= {"acknowledged writes": ledger.writes, "slowest stop (s)": round(slowest, 2)}

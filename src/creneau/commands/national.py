"""`creneau demo --scale national`: loads the lots that are missing, many in one transaction; killed at any moment, it goes on where it was.

Each lot is some plans, each committed whole or not at all by the store under its guard; a lot is there when its last plan is.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from creneau.commands.lots import Makers
from creneau.commands.progress import Advance
from creneau.config import Settings
from creneau.demo import national
from creneau.flows.world import World
from creneau.store.contract import Plan, Put

GROUP: Final = 20
"""Lots that are made, and written, together at the most: some 9,000 resources a transaction."""


async def load(world: World, settings: Settings, agendas: int) -> int:
    """Load what is missing of a country of that many agendas (rounded up to whole lots); how many resources were.

    What is there is left as it is. ValueError for too many agendas.
    """
    today = datetime.fromtimestamp(world.clock() / 1e6, UTC).astimezone(world.rules.zone).date()
    count = national.lots(agendas)
    missing = [lot for lot in range(count) if await world.store.get(*national.last_of(lot)) is None]
    size = max(1, min(GROUP, len(missing) // 8))  # a small country is seen to advance as well
    groups = [missing[at : at + size] for at in range(0, len(missing), size)]
    if not groups:
        return 0
    gc.disable()  # puts have no cycles, and are too many to be looked through
    makers = Makers(settings, today, groups)
    try:
        there = (count - len(missing)) * national.A_LOT
        return await _all(world, makers, Advance("creneau demo", "resources", count * national.A_LOT, there))
    finally:
        makers.stop()
        gc.enable()


async def _all(world: World, makers: Makers, progress: Advance) -> int:
    answers = makers.answers()
    loaded = 0
    with progress.bar:
        following = asyncio.create_task(asyncio.to_thread(next, answers, None))
        while (group := await following) is not None:
            following = asyncio.create_task(asyncio.to_thread(next, answers, None))
            loaded += await _commit(world, [plan for lot in group for plan in lot])
            progress.add(len(group) * national.A_LOT)
    return loaded


async def _commit(world: World, plans: Sequence[list[Put]]) -> int:
    """Commit these plans, submitted together; those of a lot that was half there are already."""
    wanted = [puts for puts in plans if await world.store.get(puts[0].type, puts[0].id) is None]
    await asyncio.gather(*(world.store.commit(Plan(tuple(puts), world.clock())) for puts in wanted))
    return sum(map(len, wanted))

"""A process that books without end and says each booking that was acknowledged; its parent kills it (`test_kill.py`)."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

from creneau.store.contract import AlreadyTaken
from creneau.store.sqlite import open_sqlite
from tests.store.made import DAWN, MINUTE, appointment, plan, rows, take

CLIENTS = 8


async def book(path: Path, round_: str, clients: int = CLIENTS) -> None:
    store = open_sqlite(path)
    numbers = itertools.count()

    async def client() -> None:
        for number in numbers:
            id_, start = f"{round_}-{number}", DAWN + (number // 2) * MINUTE
            try:
                put = appointment(id_, take(start, start + MINUTE), claims=(id_,), rows=rows(id_))
                await store.commit(plan(put))
                os.write(1, f"{id_}\n".encode())
            except AlreadyTaken:
                continue

    await asyncio.gather(*(client() for _ in range(clients)))


if __name__ == "__main__":
    asyncio.run(book(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])))

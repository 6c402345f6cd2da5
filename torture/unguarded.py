"""The real server with one guard taken out: the negative controls (REL-02). Only torture starts it, it is no part of the product.

`python -m torture.unguarded --without GUARD serve ...`; each row of `WITHOUT` says what is left: a check made before the write, as in
servers that double-book.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from creneau.flows.turns import Turns
from creneau.store import sqlite, writer
from creneau.store.contract import AlreadyTaken, Moved, Plan
from creneau.store.guard import Guard

LATE: Final = 0.3
MEANWHILE: Final = 0.005


class Timeless(Guard):
    """Takes are written without a look at those of others."""

    def _free(self, *_: Any) -> None:
        return


class CheckedBefore(sqlite.SqliteStore):
    """Looks for taken time, then writes: others come in between."""

    async def commit(self, plan: Plan) -> None:
        """See `contract.Store.commit`."""
        for number, put in enumerate(plan.puts):
            for take in put.takes:
                owned = await self.agendas([take.thing])
                found = await self.taken([take.thing], take.start, take.end, now=plan.now) if owned else []
                if any(one.appointment != put.id for one in found):
                    raise AlreadyTaken(number, take.thing, take.start, take.end)
        await asyncio.sleep(MEANWHILE)
        await super().commit(plan)


class Nameless(sqlite.SqliteStore):
    """Business identifiers are not claimed: whether one exists is only searched for before."""

    async def commit(self, plan: Plan) -> None:
        """See `contract.Store.commit`."""
        await asyncio.sleep(MEANWHILE)
        await super().commit(replace(plan, puts=tuple(replace(put, claims=frozenset()) for put in plan.puts)))


class LastWins(sqlite.SqliteStore):
    """A version that is no longer current is written over."""

    async def commit(self, plan: Plan) -> None:
        """See `contract.Store.commit`."""
        while True:
            try:
                return await super().commit(plan)
            except Moved:
                current = [await self.get(put.type, put.id) for put in plan.puts]
                puts = zip(plan.puts, current, strict=True)
                over = tuple(replace(put, version=now.version + 1 if now else 1) for put, now in puts)
                plan = Plan(over, plan.now)


class Piecemeal(sqlite.SqliteStore):
    """What belongs together is written one after the other."""

    async def commit(self, plan: Plan) -> None:
        """See `contract.Store.commit`."""
        for put in plan.puts:
            await super().commit(Plan((put,), plan.now))


class Hasty(sqlite.SqliteStore):
    """Says that it is done, and writes later."""

    _late: set[asyncio.Task[None]]

    async def commit(self, plan: Plan) -> None:
        """See `contract.Store.commit`."""
        if any(put.type == "Appointment" for put in plan.puts):
            self._late = getattr(self, "_late", set())
            self._late.add(asyncio.create_task(self._write(plan)))
        else:
            await super().commit(plan)

    async def _write(self, plan: Plan) -> None:
        await asyncio.sleep(LATE)
        await super().commit(plan)


@asynccontextmanager
async def no_turns(self: Turns, key: str) -> AsyncIterator[None]:
    """Nobody waits for anybody."""
    del self, key
    yield


def _guard(kind: type[Guard]) -> None:
    vars(writer).update(Guard=kind)


def _store(kind: type[sqlite.SqliteStore]) -> None:
    vars(sqlite).update(SqliteStore=kind)


def _overlap() -> None:
    _guard(Timeless)
    _store(CheckedBefore)


WITHOUT: Final[dict[str, Callable[[], None]]] = {
    "overlap": _overlap,
    "identifier": lambda: _store(Nameless),
    "version": lambda: _store(LastWins),
    "atomic": lambda: _store(Piecemeal),
    "durability": lambda: _store(Hasty),
}


def main() -> None:
    """Take the guard out, then be `creneau` with the remaining arguments."""
    flag, name, *rest = sys.argv[1:]
    if flag != "--without" or name not in WITHOUT:
        raise SystemExit(f"--without one of: {', '.join(WITHOUT)}")
    WITHOUT[name]()
    Turns.of = no_turns  # type: ignore[method-assign]  # in this process only
    sys.argv = ["creneau", *rest]
    from creneau.__main__ import main as creneau

    creneau()


if __name__ == "__main__":
    main()

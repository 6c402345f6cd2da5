"""The real server with one guard taken out: the negative controls (REL-02). Only torture starts it, it is no part of the product.

`python -m torture.unguarded --without GUARD serve ...`; each row of `WITHOUT` says what is left: a check made before the write, as in
servers that double-book.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from creneau.flows.turns import Turns
from creneau.store import postgres, sqlite, writer
from creneau.store.contract import AlreadyTaken, Moved, Plan, Take
from creneau.store.guard import Guard
from torture.later import start_workers_as
from torture.weakened import WEAKNESSES, weaken

LATE: Final = 0.3
MEANWHILE: Final = 0.005

Met = tuple[Take, ...]
Commit = Callable[[Any, Plan], Awaitable[Met]]


class Timeless(Guard):
    """Takes are written without a look at those of others."""

    def _free(self, *_: Any) -> None:
        return


def checked_before(commit: Commit) -> Commit:
    """Looks for taken time, then writes: others come in between."""

    async def written(store: Any, plan: Plan) -> Met:
        for number, put in enumerate(plan.puts):
            for take in put.takes:
                owned = await store.agendas([take.thing])
                found = await store.taken([take.thing], take.start, take.end, now=plan.now) if owned else []
                if any(one.appointment != put.id for one in found):
                    raise AlreadyTaken(number, take.thing, take.start, take.end)
        await asyncio.sleep(MEANWHILE)
        return await commit(store, plan)

    return written


def nameless(commit: Commit) -> Commit:
    """Business identifiers are not claimed: whether one exists is only searched for before."""

    async def written(store: Any, plan: Plan) -> Met:
        await asyncio.sleep(MEANWHILE)
        puts = tuple(replace(put, claims=frozenset()) for put in plan.puts)
        return await commit(store, replace(plan, puts=puts))

    return written


def last_wins(commit: Commit) -> Commit:
    """A version that is no longer current is written over."""

    async def written(store: Any, plan: Plan) -> Met:
        while True:
            try:
                return await commit(store, plan)
            except Moved:
                current = [await store.get(put.type, put.id) for put in plan.puts]
                puts = zip(plan.puts, current, strict=True)
                over = tuple(replace(put, version=now.version + 1 if now else 1) for put, now in puts)
                plan = Plan(over, plan.now)

    return written


def piecemeal(commit: Commit) -> Commit:
    """What belongs together is written one after the other."""

    async def written(store: Any, plan: Plan) -> Met:
        for put in plan.puts:
            await commit(store, Plan((put,), plan.now))
        return ()

    return written


def hasty(commit: Commit) -> Commit:
    """Says that it is done, and writes later."""
    late: set[asyncio.Task[Met]] = set()

    async def write(store: Any, plan: Plan) -> Met:
        await asyncio.sleep(LATE)
        return await commit(store, plan)

    async def written(store: Any, plan: Plan) -> Met:
        if not any(put.type == "Appointment" for put in plan.puts):
            return await commit(store, plan)
        late.add(asyncio.create_task(write(store, plan)))
        return ()

    return written


def as_it_is(commit: Commit) -> Commit:
    """What is weak is in the database: `torture/weakened.py`."""
    return commit


@asynccontextmanager
async def no_turns(self: Turns, key: str) -> AsyncIterator[None]:
    """Nobody waits for anybody."""
    del self, key
    yield


WITHOUT: Final[dict[str, Callable[[Commit], Commit]]] = {
    "overlap": checked_before,
    "snapshot": as_it_is,
    "identifier": nameless,
    "version": last_wins,
    "atomic": piecemeal,
    "durability": hasty,
    "synchronous": as_it_is,
    "expand": as_it_is,  # the program that comes beside it takes something away: torture/later.py
}


def remove(guard: str) -> None:
    """Take the guard out of the stores of this process."""
    for store in (sqlite.SqliteStore, postgres.PostgresStore):
        store.commit = WITHOUT[guard](store.commit)  # type: ignore[method-assign, assignment]  # in this process only
    if guard == "overlap":
        vars(writer).update(Guard=Timeless)
    Turns.of = no_turns  # type: ignore[method-assign]  # in this process only


def remove_from(guard: str, database: str) -> None:
    """Take it out of the database, when that is of PostgreSQL."""
    if guard in WEAKNESSES and database.startswith("postgresql:"):
        asyncio.run(_weakened(guard, database))


async def _weakened(guard: str, database: str) -> None:
    await (await postgres.open_postgres(database)).close()
    await weaken(database, guard)


def main() -> None:
    """Take the guard out, then be `creneau` with the remaining arguments."""
    flag, name, *rest = sys.argv[1:]
    if flag != "--without" or name not in WITHOUT:
        raise SystemExit(f"--without one of: {', '.join(WITHOUT)}")
    remove(name)
    if rest == ["working"]:
        from creneau.commands.working import main as working

        raise SystemExit(working())
    remove_from(name, rest[rest.index("--database") + 1])
    start_workers_as("torture.unguarded", "--without", name)
    sys.argv = ["creneau", *rest]
    from creneau.__main__ import main as creneau

    creneau()


if __name__ == "__main__":
    main()

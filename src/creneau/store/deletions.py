"""What a deletion may not leave behind, judged inside the commit: a reference to nothing, an appointment without its agenda.

GAP-RG-03, C-28, REL-22; docs/decisions/0009. Flows look before they commit; this is for what was written since. The SQL is here, since
no plan but a deletion's asks it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

from creneau.store import statements as sql
from creneau.store.contract import DAY, Plan, Put, StillBooked, StillReferred, Take
from creneau.store.plan import APPOINTMENT, SCHEDULE, key, lapsed, names

LINKED_FIRST: Final = f"{sql.LINKED} LIMIT ?"
OWNED: Final = "SELECT thing FROM owner INDEXED BY owner_by_schedule WHERE tenant = ? AND schedule = ?"
TO_COME: Final = f"""
SELECT {sql.TAKE}, appointment FROM taken
WHERE tenant = ?1 AND thing = ?2 AND start > ?3 - {DAY} AND finish > ?3
UNION ALL
SELECT {sql.TAKE}, appointment FROM taken INDEXED BY taken_long
WHERE tenant = ?1 AND thing = ?2 AND start <= ?3 - {DAY} AND finish > ?3 AND finish - start > {DAY}
"""


class Looks(Protocol):
    """What is asked of the rows that were there before the plan."""

    def linking(self, type: str, param: str, target: tuple[str, str], most: int) -> Iterable[str]:
        """Ids of the first live resources of the type with such a link."""
        ...

    def owned(self, schedule: str) -> Iterable[str]:
        """The things that the Schedule is an agenda of."""
        ...

    def owners(self, thing: str) -> Iterable[str]:
        """The Schedules of the thing."""
        ...

    def to_come(self, thing: str, now: int) -> Iterable[tuple[Take, str]]:
        """Takes of the thing that end after `now`, and their appointments."""
        ...


class Rows:
    """The same, read from SQLite. `flush` writes the index rows that wait for the end of the group, so that links are seen."""

    def __init__(self, cursor: sqlite3.Cursor, tenant: str) -> None:
        self.flush: Callable[[], None] = _nothing
        self._execute = cursor.execute
        self._tenant = tenant

    def judge(self, plan: Plan, number: int) -> None:
        """As `judge`."""
        self.flush()
        judge(self, plan, number)

    def linking(self, type: str, param: str, target: tuple[str, str], most: int) -> Iterable[str]:
        """See `Looks.linking`."""
        return _first(self._execute(LINKED_FIRST, (self._tenant, type, param, *target, most)))

    def owned(self, schedule: str) -> Iterable[str]:
        """See `Looks.owned`."""
        return _first(self._execute(OWNED, (self._tenant, schedule)))

    def owners(self, thing: str) -> Iterable[str]:
        """See `Looks.owners`."""
        return _first(self._execute(sql.IS_OWNED, (self._tenant, thing)))

    def to_come(self, thing: str, now: int) -> Iterable[tuple[Take, str]]:
        """See `Looks.to_come`."""
        rows = self._execute(TO_COME, (self._tenant, thing, now)).fetchall()
        return [(Take._make(row[:7]), row[7]) for row in rows]


def judge(looks: Looks, plan: Plan, number: int) -> None:
    """Raise StillReferred or StillBooked when put `number` of the plan would leave something behind, as `contract.Store` says."""
    put = plan.puts[number]
    if put.unreferenced:
        _unreferenced(looks, plan, number)
    if put.unbooked:
        for thing in sorted(looks.owned(put.id)):
            if thing not in put.owns:
                _unbooked(looks, plan, number, thing)


def _unreferenced(looks: Looks, plan: Plan, number: int) -> None:
    put, written = plan.puts[number], {key(each) for each in plan.puts}
    for type_, param in put.unreferenced:
        for id_ in looks.linking(type_, param, key(put), len(written) + 1):
            if (type_, id_) not in written:
                raise StillReferred(number, type_, id_)
    asked = frozenset(put.unreferenced)
    for each in plan.puts:
        for link in each.rows.links:
            if link[1:] == key(put) and (each.type, link.param) in asked:
                raise StillReferred(number, *key(each))


def _unbooked(looks: Looks, plan: Plan, number: int, thing: str) -> None:
    put = plan.puts[number]
    changing = {each.id: each.owns for each in plan.puts if each.type == SCHEDULE}
    alone = all(schedule in changing for schedule in looks.owners(thing)) and not any(
        thing in owns for owns in changing.values()
    )
    for take, appointment in sorted(_to_come(looks, plan, thing), key=lambda one: (one[0].start, one[1])):
        if alone or (put.interaction == "delete" and names(take.slot, put.id)):
            raise StillBooked(number, appointment)


def _to_come(looks: Looks, plan: Plan, thing: str) -> Iterator[tuple[Take, str]]:
    """What will be taken of the thing once the plan is written, and ends after its instant."""
    changing: dict[str, Put] = {each.id: each for each in plan.puts if each.type == APPOINTMENT}
    for take, appointment in looks.to_come(thing, plan.now):
        if appointment not in changing and not lapsed(take, plan.now):
            yield take, appointment
    for each in changing.values():
        for take in each.takes:
            if take.thing == thing and take.end > plan.now and not lapsed(take, plan.now):
                yield take, each.id


def _first(rows: sqlite3.Cursor) -> list[str]:
    return [str(first) for (first,) in rows.fetchall()]


def _nothing() -> None:
    """No index rows wait."""

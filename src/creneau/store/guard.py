"""The guard of the SQLite store: reads what a plan rests on inside the writer's transaction, and refuses the plan or says what to write.

Nothing is written before the whole plan was accepted, so a refusal needs no rollback. The verdict is that of `memory.py`.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from creneau.store import deletions
from creneau.store import statements as sql
from creneau.store.contract import AlreadyClaimed, AlreadyTaken, Claim, Moved, Plan, Put, Take
from creneau.store.overlap import crowded
from creneau.store.plan import APPOINTMENT, SCHEDULE, covers, distinct, key, lapsed
from creneau.store.recent import Recent

Hold = tuple[Take, str]  # a take and its appointment


@dataclass(slots=True)
class Verdict:
    """What the guard learnt of an accepted plan: what each put held before, and which of its takes were checked."""

    plan: Plan
    claims: list[frozenset[Claim]]
    takes: list[dict[Take, int]]  # former takes and whether they were guarded
    guarded: list[list[tuple[Take, int]]]
    placed: dict[str, list[Take]]  # by appointment of the plan, the takes that hold so far
    met: list[Take]  # of things that own no agenda, those that meet another appointment's


class Guard:
    """Reads with one cursor of the writer's connection, for one tenant.

    `recent` knows what is durable, so it is asked first, but for what this group wrote itself: `begin` starts a group.
    """

    def __init__(self, cursor: sqlite3.Cursor, tenant: str, recent: Recent) -> None:
        self._execute = cursor.execute
        self._tenant = tenant
        self._recent = recent
        self._written: set[tuple[str, str]] = set()
        self._agendas_written = False
        self.deletions = deletions.Rows(cursor, tenant)

    def begin(self) -> None:
        """A new transaction: nothing was written in it yet."""
        self._written.clear()
        self._agendas_written = False

    def accepted(self, plan: Plan) -> None:
        """The plan is being written: what it replaces is no longer known from before."""
        for put in plan.puts:
            self._written.add(key(put))
            self._agendas_written = self._agendas_written or put.type == SCHEDULE

    def judge(self, plan: Plan) -> Verdict:
        """Accept the plan, or raise Moved, AlreadyClaimed or AlreadyTaken as `contract.Store` says."""
        self._versions(plan)
        former = [self._takes_of(put) for put in plan.puts]
        verdict = Verdict(
            plan, [self._claims_of(put) for put in plan.puts], former, [], _covered(plan, former), []
        )
        claimed: dict[tuple[str, Claim], str] = {}
        for number, put in enumerate(plan.puts):
            if put.claims:
                self._claims(plan, number, claimed)
            verdict.guarded.append(self._takes(verdict, number) if put.takes else [])
            if put.unreferenced or put.unbooked:
                self.deletions.judge(plan, number)
        return verdict

    def _versions(self, plan: Plan) -> None:
        for put in plan.puts:
            self._current(put.type, put.id, put.version - 1)
        for seen in plan.seen:
            self._current(*seen)
        if len(plan.puts) > 1 and len({key(put) for put in plan.puts}) != len(plan.puts):
            raise Moved

    def _current(self, type_: str, id_: str, version: int) -> None:
        known = None if (type_, id_) in self._written else self._recent.get(type_, id_)
        if known is not None:
            if known.version != version:
                raise Moved
            return
        row = self._execute(sql.CURRENT_VERSION, (self._tenant, type_, id_)).fetchone()
        if (row[0] if row else 0) != version:
            raise Moved

    def _claims_of(self, put: Put) -> frozenset[Claim]:
        if put.version == 1:
            return frozenset()
        rows = self._execute(sql.CLAIMS_OF, (self._tenant, put.type, put.id))
        return frozenset(Claim(system, value) for system, value in rows)

    def _takes_of(self, put: Put) -> dict[Take, int]:
        if put.version == 1 or put.type != APPOINTMENT:
            return {}
        rows = self._execute(sql.TAKES_OF, (self._tenant, put.id))
        return {take_of(row): row[7] for row in rows}

    def _claims(self, plan: Plan, number: int, claimed: dict[tuple[str, Claim], str]) -> None:
        put = plan.puts[number]
        for claim in sorted(put.claims):
            holder = claimed.get((put.type, claim)) or self._holder(plan, put.type, claim)
            if holder is not None:
                raise AlreadyClaimed(number, claim, holder)
        if len(plan.puts) > 1:
            claimed.update({(put.type, claim): put.id for claim in put.claims})

    def _holder(self, plan: Plan, type_: str, claim: Claim) -> str | None:
        row = self._execute(sql.HOLDER, (self._tenant, type_, claim.system, claim.value)).fetchone()
        if row is None or any(key(put) == (type_, row[0]) for put in plan.puts):
            return None
        return str(row[0])

    def _takes(self, verdict: Verdict, number: int) -> list[tuple[Take, int]]:
        plan, takes = verdict.plan, distinct(verdict.plan.puts[number].takes)
        answer = []
        for take in takes:
            guarded = _guarded_before(verdict.takes[number], take, plan.now)
            if guarded is None:
                guarded = int(self._owned(plan, take.thing))
                if guarded:
                    self._free(verdict, number, take)
                elif self._others(verdict, number, take):
                    verdict.met.append(take)
            answer.append((take, guarded))
        verdict.placed[plan.puts[number].id] = list(takes)
        return answer

    def _owned(self, plan: Plan, thing: str) -> bool:
        changing = []
        for put in plan.puts:
            if put.type == SCHEDULE:
                if thing in put.owns:
                    return True
                changing.append(put.id)
        known = None if self._agendas_written or changing else self._recent.agendas(thing)
        if known is not None:
            return bool(known)
        schedules = self._execute(sql.IS_OWNED, (self._tenant, thing))
        if not changing:
            return schedules.fetchone() is not None
        return any(schedule not in changing for (schedule,) in schedules.fetchall())

    def _free(self, verdict: Verdict, number: int, take: Take) -> None:
        others = self._others(verdict, number, take)
        if others and (stretch := crowded(others, take.capacity)):
            raise AlreadyTaken(number, take.thing, *stretch)

    def _others(self, verdict: Verdict, number: int, take: Take) -> list[tuple[int, int, str]]:
        """The time of that thing that other appointments take within that of the take, those of this plan included."""
        plan = verdict.plan
        others = []
        rivals = self._execute(sql.RIVALS, (self._tenant, take.thing, take.start, take.end)).fetchall()
        if rivals:
            changing = {put.id for put in plan.puts if put.type == APPOINTMENT}
            for start, end, appointment, lapse in rivals:
                if appointment not in changing and (lapse is None or lapse > plan.now):
                    others.append((start, end, appointment))
        for appointment, takes in verdict.placed.items():
            if appointment != plan.puts[number].id:
                others += [(t.start, t.end, appointment) for t in takes if _meets(t, take, plan.now)]
        return others


def take_of(row: tuple[str, int, int, str, int | None, str, int]) -> Take:
    """The take of a row that begins with the columns `statements.TAKE`."""
    return tuple.__new__(Take, row[:7])  # a third of the time of _make


def _covered(plan: Plan, former: list[dict[Take, int]]) -> dict[str, list[Take]]:
    """By appointment, the takes that a former take already covers: they hold whatever else the plan wants."""
    return {
        put.id: [take for take in put.takes if _guarded_before(takes, take, plan.now) is not None]
        for put, takes in zip(plan.puts, former, strict=True)
        if takes and put.takes
    }


def _guarded_before(former: dict[Take, int], take: Take, now: int) -> int | None:
    """None when no former take covers this one, else whether one that does was guarded."""
    if not former:
        return None
    return max((guarded for each, guarded in former.items() if covers(each, take, now)), default=None)


def _meets(other: Take, take: Take, now: int) -> bool:
    return (
        other.thing == take.thing
        and other.start < take.end
        and take.start < other.end
        and not lapsed(other, now)
    )

"""What was acknowledged of each identifier and what was sent without an answer: the truth that a server must still hold afterwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

from bench import resources
from bench.resources import Visit

from torture import checkers
from torture.clients import Rider, Seen, by_identifier
from torture.history import INFO
from torture.stage import Calendar, Stage, together

PAUSE: Final = 0.05


@dataclass(slots=True)
class Truth:
    """Of one identifier: the last acknowledged content, its id, and the contents sent since whose outcome is not known."""

    acknowledged: Visit | None = None
    id: str = ""
    unknown: list[Visit] = field(default_factory=list)


@dataclass(slots=True)
class Ledger:
    """One truth per identifier; each identifier is written by one client only, one write at a time."""

    truths: dict[str, Truth] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    cells: Counter[str] = field(default_factory=Counter)
    writes: int = 0

    def next_cell(self, who: str) -> int:
        """A cell of that professional that was never asked for."""
        self.cells[who] += 1
        return self.cells[who]

    def recent(self) -> list[str]:
        """The identifiers written since this was last asked."""
        keys, self.touched = sorted(self.touched), set()
        return keys

    def settle(self, visit: Visit, seen: Seen) -> None:
        """Take note of the answer to one write."""
        truth = self.truths.setdefault(visit.identifier, Truth())
        self.touched.add(visit.identifier)
        if seen.ok:
            self.writes += 1
            truth.acknowledged, truth.id, truth.unknown = visit, seen.id, []
        elif seen.kind == INFO:
            truth.unknown.append(visit)

    def findings(self, key: str, stored: list[dict[str, Any]]) -> list[str]:
        """What is wrong with what is stored of one identifier; what is right becomes the truth."""
        truth = self.truths[key]
        known = resources.appointment(truth.acknowledged) if truth.acknowledged else None
        tried = [resources.appointment(one) for one in truth.unknown]
        found = checkers.durable(key, known, tried, stored)
        if stored and not found:
            shown = next(
                one
                for one in [*reversed(truth.unknown), truth.acknowledged]
                if one and not _differs(one, stored[0])
            )
            truth.acknowledged, truth.id = shown, stored[0]["id"]
        truth.unknown = []
        return found


def _differs(visit: Visit, stored: dict[str, Any]) -> bool:
    return bool(checkers.difference(resources.appointment(visit), stored))


async def write_until(calendar: Calendar, rider: Rider, ledger: Ledger, stop: tuple[int, ...] = ()) -> None:
    """Create appointments of one professional and change some, until an answer does not come or its status is one of `stop`."""
    mine: list[Visit] = []
    for number in count():
        seen = await _write(calendar, rider, ledger, mine, number)
        if not seen.status or seen.status in stop:
            return


async def write_through(calendar: Calendar, rider: Rider, ledger: Ledger, over: asyncio.Event) -> None:
    """Create and change as `write_until`, whatever is answered, until `over`; after anything but success a moment is waited."""
    mine: list[Visit] = []
    for number in count():
        if over.is_set():
            return
        if not (await _write(calendar, rider, ledger, mine, number)).ok:
            await asyncio.sleep(PAUSE)


async def _write(calendar: Calendar, rider: Rider, ledger: Ledger, mine: list[Visit], number: int) -> Seen:
    """One write: of three, two create and one changes what was created (`mine`)."""
    who = calendar.people[rider.number % len(calendar.people)]
    if mine and number % 3 == 0:
        visit = replace(mine[number % len(mine)], comment=f"Version {number}")
        seen = await rider.declare(visit, visit.identifier)
    else:
        visit = calendar.cell(ledger.next_cell(who), (who,), comment="Texte " * 40)
        seen = await rider.book(visit, visit.identifier)
        mine += [visit] if seen.ok else []
    ledger.settle(visit, seen)
    return seen


async def verify(stage: Stage, ledger: Ledger, keys: list[str]) -> list[str]:
    """Compare what the server holds of these identifiers, found by search and by id, with the ledger."""
    riders = await stage.crowd(8)
    shares = [keys[n :: len(riders)] for n in range(len(riders))]
    told = await together(
        [_verify(rider, ledger, share) for rider, share in zip(riders, shares, strict=True)]
    )
    return [line for lines in told for line in lines]


async def _verify(rider: Rider, ledger: Ledger, keys: list[str]) -> list[str]:
    found: list[str] = []
    for key in keys:
        page = await rider.get(f"Appointment?{by_identifier(key)}", key)
        stored = [entry["resource"] for entry in page.body.get("entry", ())]
        found += (
            [f"a search was answered {page.status}"] if page.status != 200 else ledger.findings(key, stored)
        )
        if (id_ := ledger.truths[key].id) and (
            answer := await rider.get(f"Appointment/{id_}", key)
        ).status != 200:
            found.append(f"{key} was answered {answer.status} by its id")
    return found

"""Transactions are written whole or not at all (REL-10; https://hl7.org/fhir/R4/http.html#trules)."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from bench import resources
from bench.resources import Visit

from torture import checkers
from torture.clients import Rider, Seen, everything
from torture.history import INFO
from torture.stage import Calendar, Stage, together

RIVALS: Final = 12
REFUSED: Final = (400, 409, 412, 422)


def transaction(visits: list[Visit]) -> bytes:
    """A transaction that creates these appointments."""
    entries: list[dict[str, Any]] = [
        {
            "fullUrl": f"urn:uuid:{UUID(int=number + 1)}",
            "resource": resources.appointment(visit),
            "request": {"method": "POST", "url": "Appointment"},
        }
        for number, visit in enumerate(visits)
    ]
    return resources.encoded({"resourceType": "Bundle", "type": "transaction", "entry": entries})


async def send(rider: Rider, visits: list[Visit], key: str) -> Seen:
    """Send it to the base."""
    return await rider.ask("transaction", key, ("POST", "", transaction(visits)))


async def all_or_nothing(stage: Stage) -> None:
    """REL-10. Transactions that share one cell, one with a fault in its last entry, one with an identifier twice: whole, or nothing."""
    riders = await stage.crowd(RIVALS)
    calendar = await stage.calendar(professionals=RIVALS + 1, patients=2)
    groups: dict[str, set[str]] = {}
    acknowledged: set[str] = set()
    unknown: set[str] = set()
    for number in stage.each_round():
        sent = {f"r{number}-{n}": visits for n, visits in enumerate(_contended(calendar, number))}
        sent |= {f"r{number}-fault": _faulty(calendar, number), f"r{number}-twice": _twice(calendar, number)}
        who = [riders[n % RIVALS] for n in range(len(sent))]
        first = list(sent.items())[:RIVALS]
        seen = await together(
            [send(rider, visits, key) for rider, (key, visits) in zip(who, first, strict=False)]
        )
        seen += [await send(riders[0], visits, key) for key, visits in list(sent.items())[RIVALS:]]
        done = [key for key, one in zip(sent, seen, strict=True) if one.ok]
        open_ = [key for key, one in zip(sent, seen, strict=True) if one.kind == INFO and one.status == 503]
        stage.report(
            [] if len(done) == 1 or (open_ and not done) else [f"{len(done)} transactions won, one expected"]
        )
        refused = [one for one in seen if one.kind != INFO or one.status != 503]
        stage.report(
            [f"answered {one.status}" for one in refused if not one.ok and one.status not in REFUSED]
        )
        acknowledged.update(done)
        unknown.update(open_)
        groups |= {key: {visit.identifier for visit in visits} for key, visits in sent.items()}
    stored = {one["identifier"][0]["value"] async for one in everything(riders[0], "Appointment")}
    written = {key for key in unknown if groups[key] <= stored}
    stage.report(checkers.all_or_nothing(groups, acknowledged | written, stored))
    stage.notes["of unknown outcome"] = len(unknown)
    stage.report(await stage.sweep())


def _contended(calendar: Calendar, number: int) -> list[list[Visit]]:
    """Each takes two cells of a professional of its own, and between them the one cell that all want."""
    common = calendar.people[RIVALS]
    return [
        [
            calendar.cell(number * 3, (mine,)),
            calendar.cell(number * 3, (common,), patient=1),
            calendar.cell(number * 3 + 1, (mine,)),
        ]
        for mine in calendar.people[:RIVALS]
    ]


def _faulty(calendar: Calendar, number: int) -> list[Visit]:
    """Its last entry ends before it begins."""
    good = [calendar.cell(number * 3 + 2, (calendar.people[n],)) for n in range(2)]
    last = calendar.cell(number * 3 + 2, (calendar.people[2],))
    return [*good, Visit(last.identifier, last.end, last.start, last.actors)]


def _twice(calendar: Calendar, number: int) -> list[Visit]:
    """Two entries carry the same identifier."""
    one = calendar.cell(number * 3 + 2, (calendar.people[3],))
    other = calendar.cell(number * 3 + 2, (calendar.people[4],))
    return [one, Visit(one.identifier, other.start, other.end, other.actors)]

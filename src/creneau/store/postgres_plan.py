"""A plan as the function `creneau_commit` of PostgreSQL reads it, and its verdict as the exceptions of `contract.Store`.

The form is that of `migrations/postgres/0002_commit.sql`; all that the plan alone decides is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from creneau.search.rows import NONE, Rows
from creneau.store.contract import (
    AlreadyClaimed,
    AlreadyTaken,
    Claim,
    Moved,
    Plan,
    Put,
    StillBooked,
    StillReferred,
    Take,
)
from creneau.store.plan import SCHEDULE, distinct, key
from creneau.store.postgres_values import kept, kept_in

TABLES: Final = ("token", "period", "text", "link", "place")

_ZERO: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")

Lines = dict[str, list[tuple[Any, ...]]]
Claimed = tuple[int, Claim]
Taken = tuple[int, Take]


class Encoded(NamedTuple):
    """A plan ready to be sent: its JSON and bodies, and what the numbers of the verdict mean."""

    json: str
    bodies: list[bytes]
    claims: list[Claimed]
    takes: list[Taken]


def encode(plan: Plan) -> Encoded:
    """The plan to be sent. Raises Moved for what can hold no longer whatever is stored: one resource put twice or seen twice apart."""
    claims = [(n, claim) for n, put in enumerate(plan.puts) for claim in sorted(put.claims)]
    takes = [(n, take) for n, put in enumerate(plan.puts) for take in distinct(put.takes)]
    dropped: Lines = {}
    added: Lines = {}
    for put in plan.puts:
        _difference(put, added, dropped)
    schedules = [put for put in plan.puts if put.type == SCHEDULE]
    document: dict[str, Any] = {
        "now": plan.now,
        "rests": _rests(plan),
        "puts": [(p.type, p.id, p.version, p.updated, p.interaction) for p in plan.puts],
        "created": sum(put.version == 1 for put in plan.puts),
        "written": [f"{put.type}/{put.id}" for put in plan.puts],
        "schedules": [put.id for put in schedules],
        "owned": sorted({thing for put in schedules for thing in put.owns}),
        "owners": [(thing, put.id) for put in schedules for thing in sorted(put.owns)],
        "things": sorted({take.thing for _, take in takes} | {t for put in schedules for t in put.owns}),
        "claims": _claims(plan, claims),
        "takes": _takes(plan, takes),
        "leaving": [_leaving(plan, n) for n, p in enumerate(plan.puts) if p.unreferenced or p.unbooked],
        "add": added,
    }
    if dropped:
        document["drop"] = dropped
    return Encoded(_json(document), [put.body for put in plan.puts], claims, takes)


def created(plan: Plan) -> tuple[Any, ...] | None:
    """What `creneau_create` is given after the tenant, when the plan may be one for it: it writes one new resource and gives nothing up."""
    if len(plan.puts) != 1 or not _is_new(plan.puts[0]):
        return None
    (put,) = plan.puts
    seen, claims, takes = sorted(set(plan.seen)), sorted(put.claims), distinct(put.takes)
    return (
        put.type,
        put.id,
        put.updated,
        put.body,
        plan.now,
        [one.type for one in seen],
        [one.id for one in seen],
        [one.version for one in seen],
        [kept(claim.system) for claim in claims],
        [kept(claim.value) for claim in claims],
        sorted({take.thing for take in takes}),
        msgspec.json.encode([_listed(take) for take in takes]).decode(),
        msgspec.json.encode(_added(put.rows)).decode(),
    )


def _is_new(put: Put) -> bool:
    """Whether it makes a resource with no more to it than all have."""
    new = (put.version, put.interaction) == (1, "create") and put.type != SCHEDULE and not put.rows.places
    return new and "\0" not in put.id and not any("\0" in one.thing or "\0" in one.slot for one in put.takes)


def _listed(take: Take) -> tuple[Any, ...]:
    return take.thing, take.start, take.end, take.kind, take.until, take.slot, take.capacity


def _added(rows: Rows) -> dict[str, list[tuple[Any, ...]]]:
    """By table, the values of the index rows; rows that are kept in the same form are one."""
    found: dict[str, list[tuple[Any, ...]]] = {
        "token": list({(kept(p), kept(code), kept(system)): None for p, system, code in rows.tokens}),
        "period": list(rows.periods),
        "text": list({kept_in(row): None for row in rows.texts}),
        "link": list({kept_in(row): None for row in rows.links}),
    }
    return {table: some for table, some in found.items() if some}


def judged(plan: Plan, sent: Encoded, answer: str | None) -> tuple[Take, ...]:
    """What `commit` returns, from the verdict; raises what it refuses with."""
    if answer is None:
        return ()
    verdict = msgspec.json.decode(answer)
    match verdict.get("refused"):
        case None:
            return tuple(sent.takes[number][1] for number in verdict["met"])
        case "taken":
            put, take = sent.takes[verdict["take"]]
            raise AlreadyTaken(put, take.thing, verdict["start"], verdict["end"])
        case "claimed":
            number, claim = sent.claims[verdict["claim"]]
            raise AlreadyClaimed(number, claim, verdict["id"])
        case "referred":
            raise StillReferred(verdict["put"], verdict["type"], verdict["id"])
        case "booked":
            raise StillBooked(verdict["put"], verdict["appointment"])
    raise Moved


def lines(type: str, id: str, rows: Rows) -> Iterable[tuple[str, list[tuple[Any, ...]]]]:
    """By table, the index rows of one resource in the order of its columns, without the tenant."""
    if rows.tokens:
        yield "token", [(type, kept(p), kept(code), kept(system), id) for p, system, code in rows.tokens]
    if rows.periods:
        yield "period", [(type, *row, id) for row in rows.periods]
    if rows.texts:
        yield "text", [(type, *kept_in(row), id) for row in rows.texts]
    if rows.links:
        yield "link", [(type, *kept_in(row), id) for row in rows.links]
    if rows.places:
        yield "place", [(type, *row, id) for row in rows.places]


def _difference(put: Put, added: Lines, dropped: Lines) -> None:
    former, rows = put.former_rows, put.rows
    if former is not NONE and former != NONE:
        gone = Rows._make(before - after for before, after in zip(former, rows, strict=True))
        for table, one in lines(put.type, put.id, gone):
            dropped.setdefault(table, []).extend(one)
        rows = Rows._make(after - before for before, after in zip(former, rows, strict=True))
    for table, one in lines(put.type, put.id, rows):
        added.setdefault(table, []).extend(one)


def _rests(plan: Plan) -> list[tuple[str, str, int, bool]]:
    """The versions that must be current, sorted as they are locked, and whether they are to be replaced."""
    found: dict[tuple[str, str], tuple[int, bool]] = {}
    for put in plan.puts:
        if key(put) in found:
            raise Moved
        found[key(put)] = (put.version - 1, True)
    for type_, id_, version in plan.seen:
        known = found.setdefault((type_, id_), (version, False))
        if known[0] != version:
            raise Moved
    return [(*entry, *rest) for entry, rest in sorted(found.items())]


def _claims(plan: Plan, claims: list[Claimed]) -> list[tuple[int, str, str, str, str | None, str]]:
    """Each claim, the id of the earlier put of the plan that makes it too, and the id of its own."""
    made: dict[tuple[str, Claim], str] = {}
    found = []
    for number, claim in claims:
        put = plan.puts[number]
        earlier = made.get((put.type, claim))
        found.append((number, put.type, kept(claim.system), kept(claim.value), earlier, put.id))
        made.setdefault((put.type, claim), put.id)
    return found


def _takes(plan: Plan, takes: list[Taken]) -> list[dict[str, Any]]:
    return [
        {
            "put": put,
            "appointment": plan.puts[put].id,
            "thing": take.thing,
            "start": take.start,
            "finish": take.end,
            "kind": take.kind,
            "lapse": take.until,
            "slot": take.slot,
            "capacity": take.capacity,
            "number": number,
        }
        for number, (put, take) in enumerate(takes)
    ]


def _leaving(plan: Plan, number: int) -> dict[str, Any]:
    put = plan.puts[number]
    return {
        "put": number,
        "type": put.type,
        "id": put.id,
        "unreferenced": put.unreferenced,
        "inside": _inside(plan, put),
        "unbooked": put.unbooked,
        "gone": put.interaction == "delete",
        "owns": sorted(put.owns),
    }


def _inside(plan: Plan, put: Put) -> tuple[str, ...]:
    """The first put of the plan that would refer to what may not be referred to."""
    asked = frozenset(put.unreferenced)
    for each in plan.puts:
        for link in each.rows.links:
            if link[1:] == key(put) and (each.type, link.param) in asked:
                return key(each)
    return ()


def _json(document: dict[str, Any]) -> str:
    raw = msgspec.json.encode(document)
    if rb"\u0000" in raw:  # in an id or a thing: index rows and claims have none left
        raw = _ZERO.sub(rb"\1\\uffff", raw)
    return raw.decode()

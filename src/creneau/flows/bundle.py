"""Batch and transaction: many interactions in one request. https://hl7.org/fhir/R4/http.html#transaction (REL-10, SEC-23)

A batch runs each entry on its own. A transaction decides every entry against what the others will write, then commits one plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from creneau.fhir import json
from creneau.fhir.reference import walk
from creneau.flows import ahead, conditions, deletion, entries, reading, single
from creneau.flows.answers import Deleted, Done, Found, Past, Resource, Saved
from creneau.flows.entries import Asked
from creneau.flows.pending import Pending
from creneau.flows.world import World
from creneau.flows.writing import DUPLICATE, not_recorded, settle, taken_issue
from creneau.problems import (
    Ambiguous,
    Duplicate,
    Invalid,
    Issue,
    Malformed,
    NotOffered,
    Problem,
    Taken,
    TooCostly,
    refusal,
)
from creneau.search import grammar
from creneau.store.contract import AlreadyClaimed, AlreadyTaken, StillBooked, Stored, StoreUnavailable

NOT_A_REQUEST = refusal(
    "bundle-type",
    "value",
    "Un Bundle envoyé ici est de type batch ou transaction.",
    "A Bundle sent here is of type batch or transaction.",
)
TOO_MANY_ENTRIES = refusal(
    "too-many-entries",
    "too-costly",
    "Un Bundle a au plus {limit} entrées.",
    "A Bundle has at most {limit} entries.",
)
NO_MATCH = refusal(
    "conditional-reference",
    "not-found",
    "Aucune ressource ne répond à cette référence conditionnelle.",
    "No resource matches this conditional reference.",
)
NOT_IN_BUNDLE = refusal(
    "method-not-in-bundle",
    "not-supported",
    "Cette méthode n'est pas offerte dans un Bundle.",
    "This method is not offered in a Bundle.",
)
ANSWER_FULL = refusal(
    "answer-full",
    "too-costly",
    "Les réponses aux lectures de ce Bundle dépasseraient {limit} octets ; lisez-en moins à la fois.",
    "The answers to the reads of this Bundle would be over {limit} bytes; read less at a time.",
)
ANSWER_BYTES: Final = 16 << 20
"""Bytes of resources after which a Bundle's answer takes no further read (SEC-23: 20 MiB a response)."""

DEPENDENCIES: Final = (
    "Organization",
    "Location",
    "Practitioner",
    "PractitionerRole",
    "HealthcareService",
    "Device",
    "Patient",
    "RelatedPerson",
    "Schedule",
    "Binary",
    "DocumentReference",
    "Appointment",
    "AppointmentResponse",
)
"""Within one method, what others refer to comes first; it is deleted last."""


async def bundle(world: World, sent: Resource, strict: bool) -> tuple[str, tuple[Done, ...]]:
    """The type of the answer ("batch-response", "transaction-response") and what became of each entry, in their order.

    A transaction that fails raises the problem, with the entry named in each issue's place, and has written nothing.
    """
    if sent.get("resourceType") != "Bundle" or sent.get("type") not in ("batch", "transaction"):
        raise Malformed(Issue(NOT_A_REQUEST, "Bundle.type"))
    listed = sent.get("entry") or []
    if isinstance(listed, list) and len(listed) > world.rules.bundle_limit:
        raise TooCostly(Issue(TOO_MANY_ENTRIES, "Bundle.entry", values={"limit": world.rules.bundle_limit}))
    world.validator.refuse({**sent, "entry": [_envelope(entry) for entry in listed]} if listed else sent)
    if sent["type"] == "batch":
        return "batch-response", await _each(world, listed, strict)
    return "transaction-response", await settle(world, lambda: _together(world, listed, strict))


def _envelope(entry: Any) -> Any:
    """An entry without its resource, which its own flow validates; a stand-in keeps the Bundle's invariants true."""
    if not isinstance(entry, dict) or not isinstance(entry.get("resource"), dict):
        return entry
    return {**entry, "resource": {"resourceType": "Parameters"}}


async def _each(world: World, listed: Sequence[Mapping[str, Any]], strict: bool) -> tuple[Done, ...]:
    """Every entry on its own. Once the answers fill a response, what still asks to read is refused, what writes goes on (SEC-23)."""
    done: list[Done] = []
    weight = 0
    for index, one in enumerate(listed):
        if weight > ANSWER_BYTES and _reads(one):
            full = TooCostly(Issue(ANSWER_FULL, values={"limit": ANSWER_BYTES}))
            done.append(Done(placed(full, index)))
        else:
            done.append(await _alone(world, index, one, strict))
            weight += _weight(done[-1])
    return tuple(done)


def _reads(entry: Mapping[str, Any]) -> bool:
    request = entry.get("request")
    return isinstance(request, dict) and request.get("method") in entries.READS


def _weight(done: Done) -> int:
    """Bytes of the resources that an entry's answer carries."""
    match done.answer:
        case Stored(body=body):
            return len(body)
        case Saved(stored=stored):
            return len(stored.body)
        case Found(entries=found):
            return sum(len(one.body) for one in found)
        case Past(items=items):
            return sum(len(one.body) for one in items)
    return 0


async def _alone(world: World, index: int, entry: Mapping[str, Any], strict: bool) -> Done:
    try:
        return await _run(world, entries.read(world, index, entry), None, strict)
    except Problem as problem:
        return Done(placed(problem, index))


async def _run(world: World, asked: Asked, id: str | None, strict: bool) -> Done:
    """One interaction. `id`: the one that a transaction minted for what this entry creates."""
    if asked.method in entries.READS:
        return await _read(world, asked, strict)
    if asked.method == "DELETE":
        return Done(await _delete(world, asked))
    if asked.method == "PATCH":
        return Done(await _patch(world, asked))
    assert asked.sent is not None
    if asked.method == "POST":
        return Done(await single.create(world, asked.type, asked.sent, asked.if_none_exist, id))
    if asked.method != "PUT":
        raise NotOffered(Issue(NOT_IN_BUNDLE, f"{asked.at}.request.method"))
    if asked.id is not None:
        return Done(await single.update(world, asked.type, asked.id, asked.sent, asked.expected))
    where = asked.condition or ""
    return Done(await single.update_where(world, asked.type, where, asked.sent, asked.expected, id))


async def _read(world: World, asked: Asked, strict: bool) -> Done:
    if asked.version is not None and asked.id is not None:
        return Done(await reading.vread(world, asked.type, asked.id, asked.version))
    if asked.id is not None:
        return Done(await single.read(world, asked.type, asked.id))
    pairs = grammar.pairs(asked.condition or "")
    return Done(
        await single.search(world, asked.type, pairs, strict), f"{asked.type}?{asked.condition or ''}"
    )


async def _delete(world: World, asked: Asked) -> Deleted:
    if asked.id is not None:
        return await single.delete(world, asked.type, asked.id, asked.expected)
    return await single.delete_where(world, asked.type, asked.condition or "", asked.expected)


async def _patch(world: World, asked: Asked) -> Saved:
    change = entries.change(asked)
    if asked.id is not None:
        return await single.patch(world, asked.type, asked.id, change, asked.expected)
    return await single.patch_where(world, asked.type, asked.condition or "", change, asked.expected)


async def _together(world: World, listed: Sequence[Mapping[str, Any]], strict: bool) -> tuple[Done, ...]:
    """Decide every entry, commit once, then read what the reads ask for."""
    asked = [
        entries.read(world, index, json.load(json.encode(dict(one)))) for index, one in enumerate(listed)
    ]
    targets = {one.index: await _target(world, one) for one in asked if one.method in ("POST", "PUT")}
    await _relink(world, asked, targets)
    there = await ahead.of_write(world, [one.sent for one in asked if one.sent], (), *targets.values())
    pending = Pending(there.store, _promises(world, asked, targets))
    inside = replace(world, store=pending, kept={}, turns=type(world.turns)())
    done: dict[int, Done] = {}
    for one in sorted(asked, key=_order):
        if one.method not in entries.READS:
            pending.entry, pending.own = one.index, targets.get(one.index) or (one.type, one.id or "")
            done[one.index] = await _placed(inside, one, targets.get(one.index, ("", None))[1], strict)
    reads = [one for one in asked if one.method in entries.READS]
    weight = 0
    for one in reads:  # what cannot be read refuses the whole before anything is written
        weight += _weight(await _placed(inside, one, None, strict))
        if weight > ANSWER_BYTES:
            raise placed(TooCostly(Issue(ANSWER_FULL, values={"limit": ANSWER_BYTES})), one.index)
    await _commit(world, pending)
    for one in reads:
        done[one.index] = await _read_after(world, one, strict)
    return tuple(done[index] for index in range(len(asked)))


async def _read_after(world: World, asked: Asked, strict: bool) -> Done:
    """A read of a transaction that is written: a refusal, if the world moved that much meanwhile, is the entry's own."""
    try:
        return await _placed(world, asked, None, strict)
    except Problem as problem:
        return Done(problem)


def _order(asked: Asked) -> tuple[int, int, int]:
    rank = DEPENDENCIES.index(asked.type) if asked.type in DEPENDENCIES else len(DEPENDENCIES)
    method = entries.ORDER.index(asked.method)
    if asked.method == "DELETE":
        rank = -rank
    return (min(method, 1) if method < 4 else method, rank, asked.index)


async def _target(world: World, asked: Asked) -> tuple[str, str]:
    """What a POST or PUT will write: the resource its condition matches, its id, or a new id."""
    condition = asked.if_none_exist if asked.method == "POST" else asked.condition
    if asked.id is not None:
        return asked.type, asked.id
    try:
        known = (await conditions.one(world, asked.type, condition))[1] if condition else None
    except Problem as problem:
        raise placed(problem, asked.index) from problem
    return asked.type, known.id if known else world.new_id()


async def _relink(world: World, asked: Sequence[Asked], targets: Mapping[int, tuple[str, str]]) -> None:
    """Write ids in place of the fullUrls and conditions by which entries refer to one another and to what exists."""
    by_url = {
        one.full_url: "/".join(targets[one.index]) for one in asked if one.full_url and one.index in targets
    }
    for one in asked:
        for path, reference in list(walk(one.sent)) if one.sent else []:
            assert isinstance(reference, dict)  # of a body that this request alone holds
            text = reference.get("reference", "")
            if text in by_url:
                reference["reference"] = by_url[text]
            elif "?" in text:
                reference["reference"] = await _conditional(world, one, path, text)


async def _conditional(world: World, asked: Asked, path: str, text: str) -> str:
    target, _, condition = text.partition("?")
    at = f"{asked.at}.resource{path[len(asked.type) :]}"
    try:
        _, known = await conditions.one(world, target, condition)
    except Ambiguous as several:
        raise Ambiguous(*(replace(issue, at=f"{at}.reference") for issue in several.issues)) from several
    if known is None:
        raise Invalid(Issue(NO_MATCH, f"{at}.reference"))
    return f"{target}/{known.id}"


def _promises(world: World, asked: Sequence[Asked], targets: Mapping[int, tuple[str, str]]) -> list[Stored]:
    """What the entries will write, provisionally, so that the others may refer to it."""
    now = world.clock()
    return [
        Stored(*targets[one.index], 1, now, "create", json.encode({**one.sent, "id": targets[one.index][1]}))
        for one in asked
        if one.index in targets and one.sent
    ]


async def _placed(world: World, asked: Asked, id: str | None, strict: bool) -> Done:
    try:
        return await _run(world, asked, id, strict)
    except Problem as problem:
        raise placed(problem, asked.index) from problem


async def _commit(world: World, pending: Pending) -> None:
    """The one commit. A refusal names the entry whose put was refused."""
    plan = pending.plan(world.clock())
    try:
        await world.store.commit(plan)
    except AlreadyTaken as taken:
        issue = taken_issue(world, plan.puts[taken.put].type, taken)
        raise placed(Taken(issue), pending.entries[taken.put]) from taken
    except AlreadyClaimed as claimed:
        put = plan.puts[claimed.put]
        issue = Issue(
            DUPLICATE,
            f"{put.type}.identifier",
            values={"type": put.type, "other": f"{put.type}/{claimed.id}"},
        )
        raise placed(Duplicate(issue), pending.entries[claimed.put]) from claimed
    except StillBooked as booked:
        raise placed(deletion.still_booked(booked), pending.entries[booked.put]) from booked
    except StoreUnavailable as away:
        raise not_recorded(away) from away


def placed(problem: Problem, index: int) -> Problem:
    """The same problem, each place seen from the Bundle."""
    entry = f"Bundle.entry[{index}]"
    moved = (
        issue if issue.at.startswith(entry) else replace(issue, at=_at(entry, issue.at))
        for issue in problem.issues
    )
    return type(problem)(*moved)


def _at(entry: str, at: str) -> str:
    _, dot, rest = at.partition(".")
    return f"{entry}.resource.{rest}" if dot else entry

"""What every write does alike: stamp the resource, tell whether it changed, commit it or say why not, run again when the world moved.

https://hl7.org/fhir/R4/http.html#create, #update, #concurrency; `shared/contract.md`, "Answers to writes".
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from creneau.fhir import instant, json
from creneau.flows import linking
from creneau.flows.world import World
from creneau.problems import Duplicate, Issue, Malformed, Stale, Taken, Unavailable, refusal
from creneau.search import extract
from creneau.search.rows import NONE, Rows
from creneau.store.contract import (
    AlreadyClaimed,
    AlreadyTaken,
    Claim,
    Moved,
    OutcomeUnknown,
    Plan,
    Put,
    Seen,
    Stored,
    StoreUnavailable,
    Take,
)

Answer = TypeVar("Answer")
Resource = dict[str, Any]

ANY: Final[frozenset[int]] = frozenset({-1})
"""`If-Match: *`: any version, but one there must be."""

ALONE_WITHOUT_SYSTEM: Final = frozenset({"Appointment", "Schedule"})
"""Types whose identifiers are claimed even without a system (C-66, C-75)."""

TAKEN = refusal(
    "time-taken",
    "conflict",
    "{thing} a déjà un rendez-vous de {start} à {end}.",
    "{thing} already has an appointment from {start} to {end}.",
)
DUPLICATE = refusal(
    "identifier-in-use",
    "duplicate",
    "Cet identifiant métier est déjà celui d'une autre ressource {type} : {other}.",
    "This business identifier already belongs to another {type}: {other}.",
)
STALE = refusal(
    "version-stale",
    "conflict",
    "La version vue (If-Match) n'est plus la version courante, qui est {current}.",
    "The version seen (If-Match) is no longer the current one, which is {current}.",
)
CONTENDED = refusal(
    "contended",
    "transient",
    "Trop d'écritures simultanées de cette ressource ; réessayez dans un instant.",
    "Too many simultaneous writes of this resource; try again in a moment.",
)
STORE_AWAY = refusal(
    "store-unavailable",
    "transient",
    "L'enregistrement est impossible pour le moment ; rien n'a été écrit.",
    "Nothing can be recorded for the moment; nothing was written.",
)
UNKNOWN_OUTCOME = refusal(
    "outcome-unknown",
    "transient",
    "La base de données n'a pas confirmé l'enregistrement : il a eu lieu en entier, ou pas du tout. Relisez, ou renvoyez avec le même identifiant.",
    "The database did not confirm that it recorded this: it did so whole, or not at all. Read, or send it again with the same identifier.",
)
MANY = refusal(
    "several-matches",
    "multiple-matches",
    "{count} ressources {type} répondent à ce critère ; il doit en désigner une seule.",
    "{count} {type} resources match this condition; it must name one only.",
)
UNKNOWN_ID = refusal(
    "unknown-id",
    "not-found",
    "Il n'y a pas de ressource {type} de cet id.",
    "There is no {type} resource with this id.",
)
ID_DIFFERS = refusal(
    "id-differs",
    "invalid",
    "L'id du corps n'est pas celui de la ressource désignée par la requête.",
    "The id in the body is not that of the resource the request names.",
)
WRONG_RESOURCE = refusal(
    "wrong-resource-type",
    "invalid",
    "Le corps doit être une ressource {type}.",
    "The body must be a {type} resource.",
)


def stamp(resource: Resource, id: str, version: int, updated: int) -> bytes:
    """The bytes served: id, versionId and lastUpdated are the server's, the rest of meta the client's (SEC-16)."""
    meta = {k: v for k, v in resource.get("meta", {}).items() if k not in ("versionId", "lastUpdated")}
    head = {
        "resourceType": resource["resourceType"],
        "id": id,
        "meta": {"versionId": str(version), "lastUpdated": instant.show(updated), **meta},
    }
    return json.encode({**head, **{k: v for k, v in resource.items() if k not in head}})


def same(stored: Mapping[str, Any], sent: Resource) -> bool:
    """Whether both say the same, precision of decimals included, but for what the server stamps."""
    return _bare(stored) == _bare(sent)


def _bare(resource: Mapping[str, Any]) -> bytes:
    meta = {k: v for k, v in resource.get("meta", {}).items() if k not in ("versionId", "lastUpdated")}
    kept = {k: v for k, v in resource.items() if k not in ("id", "meta")}
    return json.encode_ordered({**kept, "meta": meta})


def claims(resource: Mapping[str, Any]) -> frozenset[Claim]:
    """The business identifiers that the resource holds alone (C-66): those with a value, and a system for all but agendas and appointments."""
    bare = resource["resourceType"] in ALONE_WITHOUT_SYSTEM
    return frozenset(
        Claim(one.get("system", ""), one["value"])
        for one in resource.get("identifier", ())
        if one.get("value") and (one.get("system") or bare) and one.get("use") != "old"
    )


def rows_of(world: World, resource: Mapping[str, Any]) -> Rows:
    """The rows that searches of a resource look at; what is stored is `linking.rows`."""
    return extract.rows(resource, world.rules.zone, world.bases)


def put(
    world: World,
    known: Stored | None,
    resource: Resource,
    *,
    id: str,
    takes: Sequence[Take] = (),
    owns: frozenset[str] = frozenset(),
) -> Put:
    """The new version that follows `known` (None or a deletion: a creation)."""
    version = known.version + 1 if known else 1
    now = world.clock() // 1000 * 1000
    updated = max(now, known.updated) if known else now
    former = linking.rows(world, json.load(known.body), known.body) if known and not known.deleted else NONE
    body = stamp(resource, id, version, updated)
    return Put(
        resource["resourceType"],
        id,
        version,
        updated,
        "create" if known is None or known.deleted else "update",
        body,
        linking.rows(world, resource, body),
        former,
        claims(resource),
        tuple(takes),
        owns,
    )


def removal(world: World, known: Stored) -> Put:
    """The deletion that follows `known`."""
    now = world.clock() // 1000 * 1000
    former = linking.rows(world, json.load(known.body), known.body)
    return Put(
        known.type, known.id, known.version + 1, max(now, known.updated), "delete", b"", former_rows=former
    )


def stored(put: Put) -> Stored:
    """The version that a put makes, as reads will give it."""
    return Stored(put.type, put.id, put.version, put.updated, put.interaction, put.body)


async def commit(world: World, puts: Sequence[Put], seen: Sequence[Seen] = ()) -> tuple[Take, ...]:
    """Commit, or say in the domain's words why not. `Moved` passes: `settle` runs the flow again. Returns what the store does."""
    try:
        return await world.store.commit(Plan(tuple(puts), world.clock(), tuple(seen)))
    except AlreadyTaken as taken:
        raise Taken(taken_issue(world, puts[taken.put].type, taken)) from taken
    except AlreadyClaimed as claimed:
        raise Duplicate(_claimed(puts[claimed.put], claimed)) from claimed
    except StoreUnavailable as away:
        raise not_recorded(away) from away


def not_recorded(away: StoreUnavailable) -> Unavailable:
    """What a client is told when its write was not acknowledged by the store."""
    return Unavailable(Issue(UNKNOWN_OUTCOME if isinstance(away, OutcomeUnknown) else STORE_AWAY))


def taken_issue(world: World, type: str, taken: AlreadyTaken) -> Issue:
    """Which interval of which thing is taken; no patient, no reason (contract, "A refusal for taken time")."""
    zone = world.rules.zone
    values = {
        "thing": taken.thing,
        "start": instant.show_in(taken.start, zone),
        "end": instant.show_in(taken.end, zone),
    }
    return Issue(TAKEN, f"{type}.start", values=values)


def _claimed(put: Put, claimed: AlreadyClaimed) -> Issue:
    identifiers = json.load(put.body).get("identifier", [])
    places = [
        number
        for number, one in enumerate(identifiers)
        if (one.get("system", ""), one.get("value")) == tuple(claimed.claim)
    ]
    at = f"{put.type}.identifier[{places[0]}]" if places else f"{put.type}.identifier"
    return Issue(DUPLICATE, at, values={"type": put.type, "other": f"{put.type}/{claimed.id}"})


async def settle(world: World, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
    """Run the flow again while the world moves between its read and its commit; a bounded number of times."""
    for round in range(world.rules.retries):
        try:
            return await attempt()
        except Moved:
            await asyncio.sleep(random.random() * 0.002 * min(round + 1, 25))
    raise Unavailable(Issue(CONTENDED))


def of_type(type: str, sent: Resource) -> None:
    """Refuse a body that is not of the type the URL names."""
    if sent.get("resourceType") != type:
        raise Malformed(Issue(WRONG_RESOURCE, values={"type": type}))


def current(expected: frozenset[int] | None, known: Stored | None) -> None:
    """`If-Match`: refuse when none of the versions seen is the current one (GAP-RET-E13)."""
    if expected is None:
        return
    version = known.version if known and not known.deleted else 0
    if version == 0 or (expected != ANY and version not in expected):
        raise Stale(Issue(STALE, values={"current": version or "—"}))

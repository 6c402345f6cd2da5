"""Reads: the current version, one version, history. https://hl7.org/fhir/R4/http.html#read, #vread, #history"""

from __future__ import annotations

from creneau.flows.answers import Past
from creneau.flows.world import World
from creneau.flows.writing import UNKNOWN_ID
from creneau.problems import Gone, Issue, Missing, refusal
from creneau.store.contract import Stored

DELETED = refusal(
    "deleted",
    "deleted",
    "Cette ressource {type} a été supprimée.",
    "This {type} resource was deleted.",
)
UNKNOWN_VERSION = refusal(
    "unknown-version",
    "not-found",
    "Cette ressource {type} n'a pas de version de ce numéro.",
    "This {type} resource has no version of this number.",
)


def present(known: Stored | None, type: str) -> Stored:
    """The version when it is a live resource, else Missing (404) or Gone (410)."""
    if known is None:
        raise Missing(Issue(UNKNOWN_ID, values={"type": type}))
    if known.deleted:
        raise Gone(Issue(DELETED, values={"type": type}))
    return known


async def read(world: World, type: str, id: str) -> Stored:
    """The current version."""
    return present(await world.store.get(type, id), type)


async def vread(world: World, type: str, id: str, version: int) -> Stored:
    """One version; Gone when it is a deletion, Missing when there is none of that number."""
    found = await world.store.version(type, id, version)
    if found is None and await world.store.get(type, id):
        raise Missing(Issue(UNKNOWN_VERSION, values={"type": type}))
    return present(found, type)


async def history(
    world: World, type: str | None, id: str | None, since: int | None, count: int, after: str | None
) -> Past:
    """Versions newest first, of one resource, of a type or of all; `since` in microseconds UTC."""
    count = max(1, min(count, world.rules.page_limit))
    page = await world.store.history(type, id, since=since, count=count, after=after)
    if not page.items and type and id and after is None and not await world.store.get(type, id):
        raise Missing(Issue(UNKNOWN_ID, values={"type": type}))
    return Past(tuple(page.items), page.total or 0, page.next)

"""Search of stored resources, with what they include. https://hl7.org/fhir/R4/search.html; GAP §12 (4b/5b)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from creneau.fhir import json
from creneau.flows import one_slot
from creneau.flows.ahead import of_keys
from creneau.flows.answers import Entry, Found
from creneau.flows.turns import in_turns
from creneau.flows.world import World
from creneau.flows.writing import rows_of
from creneau.problems import Issue, TooCostly, refusal
from creneau.search import grammar, refused
from creneau.search.query import Include, Query
from creneau.search.rows import Link
from creneau.store.contract import Stored

IGNORED = refusal(
    "parameter-ignored",
    "not-supported",
    "Le paramètre « {name} » n'est pas compris ici ; il n'a pas été tenu compte de lui.",
    "The parameter '{name}' is not understood here; it was ignored.",
)
TOO_MANY_INCLUDED = refusal(
    "too-many-included",
    "too-costly",
    "La réponse inclurait plus de {limit} ressources ; réduisez la page (_count).",
    "The answer would include more than {limit} resources; ask for a smaller page (_count).",
)
INCLUDED_TOO_LONG = refusal(
    "included-too-long",
    "too-costly",
    "Les ressources incluses dépasseraient {limit} octets ; réduisez la page (_count).",
    "The included resources would be over {limit} bytes; ask for a smaller page (_count).",
)
INCLUDED_LIMIT = 5_000
INCLUDED_BYTES = 8 << 20
"""With a page of the store's limit, an answer stays under 20 MiB (SEC-23)."""
TURN = 50
"""Resources read before other requests get their turn."""
KEPT: Final = 20_000
"""Resources whose references are kept, some 500 bytes each; those read first go first."""

Key = tuple[str, str]


def parse(world: World, type: str, pairs: Sequence[tuple[str, str]], *, strict: bool) -> Query:
    """The query that these parameters ask for; Malformed names the one that cannot be read."""
    return grammar.read(
        type,
        pairs,
        zone=world.rules.zone,
        bases=world.bases,
        strict=strict,
        page_limit=world.rules.page_limit,
        default_count=world.rules.page,
    )


def ignored(query: Query) -> tuple[Issue, ...]:
    """A warning for each parameter that was not understood (GAP-RET-E16), a word on each that hides its system (C-43)."""
    unknown = (Issue(IGNORED, severity="warning", values={"name": name}) for name in query.ignored)
    hidden = (
        Issue(refused.ESCAPED_PIPE, severity="information", values={"name": name}) for name in query.escaped
    )
    return (*unknown, *hidden)


async def search(world: World, query: Query) -> Found:
    """A page of the resources that match, each once, then what they include."""
    if query.summary == "count" or query.count == 0:
        counted = await world.store.find(query, count=0)
        return Found(query, (), counted.total, None, ignored(query))
    page = await world.store.find(query)
    matches = [Entry(one.type, one.id, one.body, "match") for one in page.items]
    links = await _links(world, page.items) if query.includes else {}
    included = await include(world, query.includes, matches, links)
    return Found(query, (*matches, *included), page.total, page.next, ignored(query))


async def include(
    world: World, includes: Sequence[Include], matches: Sequence[Entry], links: Mapping[Key, Sequence[Link]]
) -> list[Entry]:
    """What the matches, whose references `links` gives, include; iterated includes apply to what was included as well (C-42)."""
    includes = tuple(dict.fromkeys(includes))
    found: dict[Key, Stored | None] = {(one.type, one.id): None for one in matches}
    wave, first, weight = list(found), True, 0
    while (wave or links) and includes:
        active = [one for one in includes if first or one.iterate]
        new = await _wave(world, active, _Wave(wave, links), found)
        if len(found) - len(matches) > INCLUDED_LIMIT:
            raise TooCostly(Issue(TOO_MANY_INCLUDED, values={"limit": INCLUDED_LIMIT}))
        weight += sum(len(one.body) for one in new)
        if weight > INCLUDED_BYTES:
            raise TooCostly(Issue(INCLUDED_TOO_LONG, values={"limit": INCLUDED_BYTES}))
        again = any(one.iterate for one in includes)
        links = await _links(world, new) if again else {}
        wave, first = [(one.type, one.id) for one in new], False
        if not again:
            break
    return [Entry(one.type, one.id, one.body, "include") for one in found.values() if one]


class _Wave(NamedTuple):
    """Resources that includes start from, and their references."""

    keys: Sequence[Key]
    links: Mapping[Key, Sequence[Link]]


async def _wave(
    world: World, includes: Iterable[Include], wave: _Wave, found: dict[Key, Stored | None]
) -> list[Stored]:
    new: list[Stored] = []
    for one in includes:
        keys = await _pointing(world, one, wave.keys) if one.reverse else _reached(one, wave)
        if len(keys) > 1 and world.store.far:
            world = await of_keys(world, (key for key in keys if key[0] != "Slot" and key not in found))
        for type, id in keys:
            if (type, id) not in found:
                stored = await _current(world, type, id)
                if stored and not stored.deleted:
                    found[type, id] = stored
                    new.append(stored)
    return new


async def _current(world: World, type: str, id: str) -> Stored | None:
    """Of a slot, which is not stored, what it is now."""
    return await (one_slot.find(world, id) if type == "Slot" else world.store.get(type, id))


async def _links(world: World, wave: Sequence[Stored]) -> dict[Key, tuple[Link, ...]]:
    """The references of each resource, read once a version; others get their turn meanwhile."""
    found: dict[Key, tuple[Link, ...]] = {}
    async for one in in_turns(wave, TURN):
        key = (one.type, one.id)
        version, links = world.links.get(key, (0, ()))
        if version != one.version:
            links = tuple(sorted(rows_of(world, json.load(one.body)).links)) if one.body else ()
            while len(world.links) >= KEPT:
                del world.links[next(iter(world.links))]
            world.links[key] = (one.version, links)
        found[key] = links
    return found


def _reached(include: Include, wave: _Wave) -> list[Key]:
    keys: dict[Key, None] = {}
    for (source, _), links in wave.links.items():
        if source == include.source:
            for link in links:
                if _follows(include, link):
                    keys[link.type, link.id] = None
    return list(keys)


def _follows(include: Include, link: Link) -> bool:
    through = include.parameter is None or include.parameter.code == link.param
    return through and (include.target is None or include.target == link.type)


async def _pointing(world: World, include: Include, wave: Sequence[Key]) -> list[Key]:
    if include.parameter is None:
        return []
    keys: dict[Key, None] = {}
    async for type, id in in_turns(wave, TURN):
        for source in await world.store.linked(include.source, include.parameter.code, type, id):
            keys[include.source, source] = None
    return list(keys)

"""Read, vread, history, search: from a call to a flow and back (4a/5a, 4b/5b for Slot and Appointment).

https://hl7.org/fhir/R4/http.html#read, #vread, #history, #search
"""

from __future__ import annotations

from creneau.fhir import instant
from creneau.flows import interactions
from creneau.http import bundles, links, media, request, response
from creneau.http.media import MEDIA
from creneau.http.request import OURS, Call, Pairs
from creneau.http.response import Answer
from creneau.problems import Issue, Malformed, Missing, UnsupportedMedia, refusal

VERSION_BAD = refusal(
    "version-malformed",
    "not-found",
    "Un numéro de version est un entier positif.",
    "A version number is a positive integer.",
)
COUNT_BAD = refusal(
    "count-malformed", "value", "_count attend un entier positif.", "_count expects a positive integer."
)
SINCE_BAD = refusal(
    "since-malformed",
    "value",
    "_since attend un instant avec son fuseau, par exemple 2026-01-31T08:00:00+01:00.",
    "_since expects an instant with its zone, such as 2026-01-31T08:00:00+01:00.",
)
HISTORY_PAGE = 100
"""Versions of a page of history when `_count` is absent."""


async def read(call: Call) -> Answer:
    """The current version of a resource."""
    return response.resource(call, await interactions.read(call.world, call.place.type, call.place.id))


async def vread(call: Call) -> Answer:
    """One version of a resource."""
    number = call.place.version
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Missing(Issue(VERSION_BAD))
    stored = await interactions.vread(call.world, call.place.type, call.place.id, int(number))
    return response.resource(call, stored)


async def search(call: Call) -> Answer:
    """GET [type]?…"""
    asked = links.opened(call.pairs, call.front.settings.link_key)
    return await _search(call, asked, hide=asked != call.pairs)


async def search_form(call: Call) -> Answer:
    """POST [type]/_search: the parameters of the form and of the query string together."""
    header = call.headers.get(b"content-type", b"application/x-www-form-urlencoded")
    name, _ = media.media_type(header[:512])
    if name != "application/x-www-form-urlencoded":
        raise UnsupportedMedia(Issue(MEDIA, values={"expected": "application/x-www-form-urlencoded"}))
    call.pairs += request.pairs(call.body.strip(), call.front.settings.query_fields)
    return await _search(call, links.opened(call.pairs, call.front.settings.link_key), hide=True)


async def _search(call: Call, asked: Pairs, *, hide: bool) -> Answer:
    pairs = [pair for pair in asked if pair[0] not in OURS]
    found = await interactions.search(call.world, call.place.type, pairs, call.prefer.strict)
    return response.written(call, bundles.searchset(call, found, hide=hide))


async def history(call: Call) -> Answer:
    """Versions newest first, of a resource, of a type or of all; `_count`, `_since`, and `_page` of a next link."""
    type, id = call.place.type or None, call.place.id or None
    past = await interactions.history(
        call.world, type, id, _since(call), _count(call), call.parameter(links.CURSOR)
    )
    path = "/".join(part for part in (type, id) if part)
    return response.written(call, bundles.history(call, past, path))


def _count(call: Call) -> int:
    text = call.parameter("_count")
    if text is None:
        return HISTORY_PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Malformed(Issue(COUNT_BAD))
    return int(text)


def _since(call: Call) -> int | None:
    text = call.parameter("_since")
    if text is None:
        return None
    try:
        return instant.instant(text)
    except ValueError as bad:
        raise Malformed(Issue(SINCE_BAD)) from bad

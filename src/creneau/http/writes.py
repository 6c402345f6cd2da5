"""Create, update, patch, delete, their conditional forms, batch and transaction: from a call to a flow and back (1abc, 2abc, 3abc, 6ab).

https://hl7.org/fhir/R4/http.html#create, #update, #patch, #delete, #cond-update, #transaction
"""

from __future__ import annotations

from collections.abc import Callable

from creneau.fhir import fhirpath_patch, json, json_patch
from creneau.flows import interactions
from creneau.http import bundles, entries, media, render, response
from creneau.http.media import CHARSET, FORMATS, MEDIA
from creneau.http.request import Call, Resource
from creneau.http.response import Answer
from creneau.problems import Issue, UnsupportedMedia

JSON_PATCH = "application/json-patch+json"


async def create(call: Call) -> Answer:
    """POST [type], `If-None-Exist` included."""
    condition = call.joined(b"if-none-exist")
    if condition is not None:
        condition = condition.rpartition("?")[2]
    sent = render.sent(call)
    return response.saved(call, await interactions.create(call.world, call.place.type, sent, condition))


async def update(call: Call) -> Answer:
    """PUT [type]/[id]."""
    sent, expected = render.sent(call), call.expected(interactions.ANY)
    done = await interactions.update(call.world, call.place.type, call.place.id, sent, expected)
    return response.saved(call, done)


async def update_where(call: Call) -> Answer:
    """PUT [type]?criteria (6b)."""
    sent, expected = render.sent(call), call.expected(interactions.ANY)
    done = await interactions.update_where(call.world, call.place.type, call.condition(), sent, expected)
    return response.saved(call, done)


async def patch(call: Call) -> Answer:
    """PATCH [type]/[id]: JSON Patch, or a FHIRPath patch in a Parameters resource."""
    change, expected = _change(call), call.expected(interactions.ANY)
    done = await interactions.patch(call.world, call.place.type, call.place.id, change, expected)
    return response.saved(call, done)


async def patch_where(call: Call) -> Answer:
    """PATCH [type]?criteria."""
    change, expected = _change(call), call.expected(interactions.ANY)
    done = await interactions.patch_where(call.world, call.place.type, call.condition(), change, expected)
    return response.saved(call, done)


def _change(call: Call) -> Callable[[Resource], Resource]:
    name, charset = media.media_type(call.headers.get(b"content-type", b"")[:512])
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise UnsupportedMedia(Issue(CHARSET))
    bare = call.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if name == JSON_PATCH or (bare == b"[" and FORMATS.get(name, "json") == "json"):
        operations = json_patch.read(json.decode_value(call.body))
        return lambda resource: json_patch.apply(resource, operations)
    if name and name not in FORMATS:
        expected = f"{JSON_PATCH}, application/fhir+json, application/fhir+xml"
        raise UnsupportedMedia(Issue(MEDIA, values={"expected": expected}))
    steps = fhirpath_patch.read(render.sent(call))
    return lambda resource: fhirpath_patch.apply(resource, steps)


async def delete(call: Call) -> Answer:
    """DELETE [type]/[id]."""
    expected = call.expected(interactions.ANY)
    done = await interactions.delete(call.world, call.place.type, call.place.id, expected)
    return response.deleted(call, done)


async def delete_where(call: Call) -> Answer:
    """DELETE [type]?criteria, one match at most (C-25)."""
    expected = call.expected(interactions.ANY)
    done = await interactions.delete_where(call.world, call.place.type, call.condition(), expected)
    return response.deleted(call, done)


async def bundle(call: Call) -> Answer:
    """POST at the base: a batch or a transaction, each entry under the table of routes."""
    sent = render.sent(call)
    refused = entries.refusals(call, sent)
    if refused and sent.get("type") == "transaction":
        raise next(iter(refused.values()))
    asked = entries.without(sent, refused) if refused else sent
    kind, done = await interactions.bundle(call.world, asked, call.prefer.strict)
    return response.written(call, bundles.responses(call, kind, entries.merged(done, refused)))

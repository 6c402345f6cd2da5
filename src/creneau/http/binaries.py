"""Binary: raw content both ways, or the resource when a FHIR format is named.

https://hl7.org/fhir/R4/binary.html#rest. Raw content is sent so that no browser runs it (SEC-32).
"""

from __future__ import annotations

import base64
import re
from typing import Final

from creneau.fhir import json
from creneau.flows import interactions
from creneau.http import media, response, writes
from creneau.http.media import FORMATS
from creneau.http.request import Call, Resource
from creneau.http.response import Answer, Header
from creneau.store.contract import Stored

_SANE_TYPE = re.compile(
    r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}(; ?[A-Za-z0-9_.=-]{1,60}){0,3}"
)

INERT: Final[tuple[Header, ...]] = (
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"content-disposition", b"attachment"),
)
"""What keeps a browser from running stored content."""


async def create(call: Call) -> Answer:
    """POST Binary: a Binary resource, or the content itself under its own Content-Type."""
    sent = _raw(call)
    if sent is None:
        return await writes.create(call)
    return response.saved(call, await interactions.create(call.world, "Binary", sent, None))


async def update(call: Call) -> Answer:
    """PUT Binary/[id]: a Binary resource, or the content itself under its own Content-Type."""
    sent = _raw(call)
    if sent is None:
        return await writes.update(call)
    sent["id"] = call.place.id
    expected = call.expected(interactions.ANY)
    return response.saved(
        call, await interactions.update(call.world, "Binary", call.place.id, sent, expected)
    )


def _raw(call: Call) -> Resource | None:
    header = call.headers.get(b"content-type", b"")
    name, _ = media.media_type(header[:512])
    if not name or name in FORMATS:
        return None
    data = base64.b64encode(call.body).decode()
    return {"resourceType": "Binary", "contentType": header.decode("latin-1"), "data": data}


async def read(call: Call) -> Answer:
    """GET Binary/[id]: the content itself, unless a FHIR format is asked for."""
    return _answer(call, await interactions.read(call.world, "Binary", call.place.id))


def _answer(call: Call, stored: Stored) -> Answer:
    if response.unchanged(call, stored) or _wants_resource(call):
        return response.resource(call, stored)
    content = json.decode_value(stored.body)
    kind = str(content.get("contentType", ""))
    if not _SANE_TYPE.fullmatch(kind):
        kind = "application/octet-stream"
    try:
        data = base64.b64decode(content.get("data", ""))
    except ValueError:
        return response.resource(call, stored)
    return Answer(200, [*response.tags(stored), *INERT], data, (b"content-type", kind.encode("ascii")))


def _wants_resource(call: Call) -> bool:
    if call.parameter("_format"):
        return True
    accept = call.headers.get(b"accept", b"*/*")[:512].decode("latin-1")
    ranked = sorted(media.weighted(accept), key=lambda one: -one[1])
    return bool(ranked) and ranked[0][0] in FORMATS

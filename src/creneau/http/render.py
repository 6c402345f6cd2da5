"""Resources to bytes and back, in the two formats, with `_pretty`, `_summary` and `_elements`.

https://hl7.org/fhir/R4/http.html#mime-type, https://hl7.org/fhir/R4/search.html#summary
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from creneau.fhir import json, summary, xml
from creneau.http.media import body_format
from creneau.http.request import Call

Resource = dict[str, Any]

BUNDLE_NODES: Final = 16 * json.MAX_NODES
"""Values in a batch or transaction, at most: its bytes too are sixteen times those of one resource."""


def stored(call: Call, body: bytes) -> bytes:
    """The bytes of a stored resource as this call wants them: the very same, unless it asks for another form."""
    if not call.query and call.format == "json":
        return body
    shaped = shape(body, call.parameter("_summary"), call.parameter("_elements"))
    return written(call, shaped)


def shape(body: bytes, mode: str | None, names: str | None) -> bytes:
    """The resource under `_elements`, else `_summary`; the same bytes when neither asks for less."""
    if names:
        wanted = tuple(name.strip() for name in names.split(",") if name.strip())
        return json.encode(summary.elements(_load(body), wanted))
    if mode in ("true", "text", "data"):
        return json.encode(summary.summarise(_load(body), mode))
    return body


def resource(call: Call, content: Resource) -> bytes:
    """The bytes of a resource made here."""
    return _in_xml(call, content) if call.format == "xml" else written(call, json.encode(content))


def written(call: Call, body: bytes) -> bytes:
    """The resource in JSON bytes, in the format of the answer, indented when `_pretty` asks."""
    if call.format == "xml":
        return _in_xml(call, _load(body))
    if call.parameter("_pretty") == "true":
        return msgspec.json.format(body, indent=2)
    return body


def _in_xml(call: Call, content: Resource) -> bytes:
    return xml.encode_pretty(content) if call.parameter("_pretty") == "true" else xml.encode(content)


def sent(call: Call) -> Resource:
    """The resource in the body. Refused: a media type that is not FHIR's (415), what cannot be read (400)."""
    format = body_format(call.headers.get(b"content-type"), call.body)
    if format == "xml":
        return xml.decode(call.body)
    # What is posted at the base is many resources in one.
    nodes = json.MAX_NODES if call.place.type else BUNDLE_NODES
    return json.decode(call.body, max_nodes=nodes)


def _load(body: bytes) -> Resource:
    """Our own bytes: a page of many resources may be larger than what a client may send."""
    content: Resource = json.decode_value(body, max_depth=2 * json.MAX_DEPTH, max_nodes=100 * BUNDLE_NODES)
    return content

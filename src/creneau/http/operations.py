"""`$validate`, the CapabilityStatement, OPTIONS.

https://hl7.org/fhir/R4/resource-operation-validate.html, https://hl7.org/fhir/R4/http.html#capabilities
"""

from __future__ import annotations

from typing import NamedTuple

from creneau.flows import interactions
from creneau.http import render, response
from creneau.http.request import Call, Resource
from creneau.http.response import Answer


class Asked(NamedTuple):
    """What `$validate` is asked: the resource, the profile's canonical, the mode ("create", "update", "delete")."""

    resource: Resource | None
    profile: str | None
    mode: str | None


async def validate(call: Call) -> Answer:
    """$validate on a type or an instance, with a bare resource or Parameters; 200 whatever is found, nothing is stored."""
    asked = _asked(call)
    found = await interactions.validate(
        call.world, call.place.type, call.place.id or None, asked.resource, asked.profile, asked.mode
    )
    return response.checked(call, found)


def _asked(call: Call) -> Asked:
    profile, mode = call.parameter("profile"), call.parameter("mode")
    if not call.body.strip():
        return Asked(None, profile, mode)
    sent = render.sent(call)
    if sent.get("resourceType") != "Parameters":
        return Asked(sent, profile, mode)
    given = {
        part["name"]: part
        for part in sent.get("parameter", ())
        if isinstance(part, dict) and isinstance(part.get("name"), str)
    }
    return Asked(
        given.get("resource", {}).get("resource"),
        _value(given, "profile", ("valueUri", "valueCanonical", "valueUrl", "valueString")) or profile,
        _value(given, "mode", ("valueCode", "valueString")) or mode,
    )


def _value(given: dict[str, Resource], name: str, elements: tuple[str, ...]) -> str | None:
    part = given.get(name, {})
    return next((part[element] for element in elements if isinstance(part.get(element), str)), None)


async def capabilities(call: Call) -> Answer:
    """GET metadata: what this server does; `?mode=full|normative|terminology`."""
    return response.made(call, call.front.capabilities(call.parameter("mode") or "full"))

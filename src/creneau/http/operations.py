"""`$validate`, `$availability`, `$explain`, `$earliest`, the CapabilityStatement, OPTIONS.

https://hl7.org/fhir/R4/resource-operation-validate.html, https://hl7.org/fhir/R4/http.html#capabilities
"""

from __future__ import annotations

from typing import Final, NamedTuple

from creneau.flows import interactions
from creneau.http import bundles, render, response
from creneau.http.request import OURS, Call, Resource
from creneau.http.response import Answer
from creneau.problems import Issue, Malformed, refusal

EARLIEST_MOST: Final = 50
HOW_MANY = refusal(
    "earliest-number",
    "value",
    "n est un nombre de créneaux, de 1 à {most}.",
    "n is a number of slots, from 1 to {most}.",
)


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
    parts = sent.get("parameter")
    given = {
        part["name"]: part
        for part in (parts if isinstance(parts, list) else ())
        if isinstance(part, dict) and isinstance(part.get("name"), str)
    }
    resource = given.get("resource", {}).get("resource")
    return Asked(
        resource if isinstance(resource, dict) else None,
        _value(given, "profile", ("valueUri", "valueCanonical", "valueUrl", "valueString")) or profile,
        _value(given, "mode", ("valueCode", "valueString")) or mode,
    )


def _value(given: dict[str, Resource], name: str, elements: tuple[str, ...]) -> str | None:
    part = given.get(name, {})
    return next((part[element] for element in elements if isinstance(part.get(element), str)), None)


async def availability(call: Call) -> Answer:
    """Schedule/[id]/$availability, or Schedule/$availability with a Schedule that is tried and not stored: ?start=&end= (3a to 3c)."""
    sent = _asked(call).resource
    bounds = (call.parameter("start"), call.parameter("end"))
    found = await interactions.availability(call.world, call.place.id or None, sent, bounds, call.language)
    return response.made(call, found)


async def explain(call: Call) -> Answer:
    """Slot/$explain?schedule=&start=&service=: why that time is offered or not, rule by rule."""
    schedule, start, service = (call.parameter(name) for name in ("schedule", "start", "service"))
    found = await interactions.explain(call.world, schedule, start, service, call.language)
    return response.made(call, found)


async def earliest(call: Call) -> Answer:
    """Slot/$earliest?n=&…: the n first slots of each professional that satisfy the criteria of a search (4a)."""
    number = call.parameter("n") or "1"
    if not (number.isascii() and number.isdigit() and len(number) <= 4 and 0 < int(number) <= EARLIEST_MOST):
        raise Malformed(Issue(HOW_MANY, values={"most": EARLIEST_MOST}))
    pairs = [pair for pair in call.pairs if pair[0] not in OURS and pair[0] != "n"]
    found = await interactions.earliest(call.world, pairs, int(number), call.prefer.strict)
    return response.written(call, bundles.operation(call, found, "$earliest", (("n", number),)))


async def capabilities(call: Call) -> Answer:
    """GET metadata: what this server does; `?mode=full|normative|terminology`."""
    return response.made(call, call.front.capabilities(call.parameter("mode") or "full"))

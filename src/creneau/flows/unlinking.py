"""References to what is being deleted, replaced by the logical form: type, business identifier, display (docs/decisions/0009).

https://hl7.org/fhir/R4/references.html#logical
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any, Final

from creneau.fhir import json
from creneau.fhir.reference import Literal, read, walk
from creneau.flows.answers import Resource
from creneau.flows.world import World
from creneau.store.contract import Stored

PERSONAL: Final = frozenset({"Patient", "RelatedPerson"})
"""Types of which nothing but the id is written elsewhere: neither a name nor a national number."""


def logical(world: World, known: Stored) -> Resource:
    """What stands for the resource once it is gone: its type, an identifier (its own, else the id it had here), its name."""
    resource = json.load(known.body)
    personal = known.type in PERSONAL
    own = None if personal else _identifier(resource.get("identifier"))
    made = {"system": world.rules.identifier_system, "value": known.id}
    display = None if personal else _name(resource.get("name"))
    return {"type": known.type, "identifier": own or made, **({"display": display} if display else {})}


def unlink(world: World, resource: Resource, gone: Mapping[str, Resource]) -> None:
    """Change, in place, every literal reference to what goes ("Type/id" -> its logical form); what a reference says already stays."""
    for _, reference in list(walk(resource)):
        match read(reference, world.bases):
            case Literal(type=type, id=id) if found := gone.get(f"{type}/{id}"):
                assert isinstance(reference, dict)  # of a body read for this alone
                reference.pop("reference")
                reference.pop("_reference", None)
                for name, value in found.items():
                    reference.setdefault(name, value)


def drop(world: World, schedule: Resource, gone: Set[str]) -> None:
    """Take these actors ("Type/id") off a Schedule, in place."""
    schedule["actor"] = [one for one in schedule["actor"] if _actor(world, one) not in gone]


def _actor(world: World, reference: Mapping[str, Any]) -> str:
    match read(reference, world.bases):
        case Literal(type=type, id=id):
            return f"{type}/{id}"
    return ""


def _identifier(identifiers: Any) -> Resource | None:
    """The first that a system tells from others, without what surrounds it."""
    for one in identifiers if isinstance(identifiers, list) else ():
        if one.get("system") and one.get("value") and one.get("use") != "old":
            return {name: one[name] for name in ("type", "system", "value") if name in one}
    return None


def _name(name: Any) -> str | None:
    """A name as one line, of a HumanName or a text."""
    if isinstance(name, str):
        return name
    for one in name if isinstance(name, list) else ():
        if text := one.get("text") or " ".join(_words(one)):
            return str(text)
    return None


def _words(name: Mapping[str, Any]) -> Iterable[str]:
    return [*name.get("prefix", ()), *name.get("given", ()), *([name["family"]] if "family" in name else [])]

"""`$validate`: everything a write would say of a resource, and nothing stored. https://hl7.org/fhir/R4/resource-operation-validate.html"""

from __future__ import annotations

from typing import Any, Final

from creneau.fhir import json
from creneau.flows import reading, references
from creneau.flows.answers import Checked, Resource
from creneau.flows.world import World
from creneau.flows.writing import ID_DIFFERS, WRONG_RESOURCE
from creneau.problems import Issue, Malformed, refusal
from creneau.profiles.agenda import findings

MODES: Final = ("create", "update", "delete", "profile")

NO_RESOURCE = refusal(
    "nothing-to-validate",
    "required",
    "Il n'y a pas de ressource à valider dans cette requête.",
    "There is no resource to validate in this request.",
)
UNKNOWN_MODE = refusal(
    "validate-mode",
    "value",
    "Le mode de $validate est create, update, delete ou profile.",
    "The mode of $validate is create, update, delete or profile.",
)
UPDATE_NEEDS_ID = refusal(
    "update-without-id",
    "required",
    "Une mise à jour porte l'id de la ressource.",
    "An update carries the id of the resource.",
)


async def validate(
    world: World, type: str, id: str | None, sent: Resource | None, profile: str | None, mode: str | None
) -> Checked:
    """What a create or update of `sent` (or the stored resource, without `sent`) would find; references nowhere are warnings."""
    if mode is not None and mode not in MODES:
        raise Malformed(Issue(UNKNOWN_MODE))
    if id is not None:
        stored = await reading.read(world, type, id)
        sent = json.load(stored.body) if sent is None else sent
    if mode == "delete":
        return Checked(())
    if sent is None:
        raise Malformed(Issue(NO_RESOURCE))
    issues = world.validator.check(sent, profiles=[profile] if profile else [])
    issues += _identity(type, id, sent, mode)
    if not any(issue.severity == "error" for issue in issues):
        issues += await _beyond(world, sent)
    return Checked(tuple(issues))


def _identity(type: str, id: str | None, sent: Resource, mode: str | None) -> list[Issue]:
    if sent.get("resourceType") != type:
        return [Issue(WRONG_RESOURCE, values={"type": type})]
    if mode == "update" and "id" not in sent:
        return [Issue(UPDATE_NEEDS_ID, f"{type}.id")]
    if id is not None and sent.get("id", id) != id:
        return [Issue(ID_DIFFERS, f"{type}.id")]
    return []


async def _beyond(world: World, sent: dict[str, Any]) -> list[Issue]:
    """What the profile cannot say: where references lead, what an agenda's rules mean."""
    found = list(await references.check(world, sent))
    if sent["resourceType"] == "Schedule":
        found += findings(sent, world.rules.zone)
    return found

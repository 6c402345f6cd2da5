"""What JSON Patch and FHIRPath Patch have in common: their limits and what no patch may change.

https://hl7.org/fhir/R4/http.html#patch
"""

from __future__ import annotations

from typing import Any, Final

from creneau.fhir.json import MAX_DEPTH, MAX_NODES, deeper, nodes
from creneau.problems import Invalid, Issue, Malformed, Refusal, refusal

MAX_OPERATIONS: Final = 200

TOO_MANY = refusal(
    "patch-operations",
    "structure",
    "Un patch a {limit} opérations au plus.",
    "A patch has {limit} operations at most.",
)
MALFORMED = refusal(
    "patch-malformed",
    "structure",
    "L'opération n° {operation} du patch est mal formée : {wanted} est attendu.",
    "Operation {operation} of the patch is malformed: {wanted} is expected.",
)
NO_PLACE = refusal(
    "patch-place",
    "processing",
    "L'opération n° {operation} du patch ne s'applique pas : son chemin ne désigne rien dans la ressource.",
    "Operation {operation} of the patch does not apply: its path leads to nothing in the resource.",
)
SEVERAL_PLACES = refusal(
    "patch-several",
    "processing",
    "L'opération n° {operation} du patch ne s'applique pas : son chemin désigne plusieurs éléments.",
    "Operation {operation} of the patch does not apply: its path leads to several elements.",
)
OCCUPIED = refusal(
    "patch-occupied",
    "processing",
    "L'opération n° {operation} du patch ne s'applique pas : l'élément existe déjà et ne se répète pas.",
    "Operation {operation} of the patch does not apply: the element is there already and does not repeat.",
)
BAD_VALUE = refusal(
    "patch-value",
    "processing",
    "L'opération n° {operation} du patch ne s'applique pas : sa valeur n'est pas de la forme que l'élément demande.",
    "Operation {operation} of the patch does not apply: its value has not the form that the element wants.",
)
TEST_FAILED = refusal(
    "patch-test",
    "processing",
    "L'opération n° {operation} du patch (test) échoue : la valeur n'est pas celle attendue.",
    "Operation {operation} of the patch (test) fails: the value is not the expected one.",
)
TOO_LARGE = refusal(
    "patch-size",
    "processing",
    "Après l'opération n° {operation}, la ressource serait trop grande ou trop imbriquée.",
    "After operation {operation} the resource would be too large or nested too deep.",
)
IDENTITY = refusal(
    "patch-identity",
    "processing",
    "Un patch ne change ni resourceType, ni id, ni meta.versionId.",
    "A patch changes neither resourceType, nor id, nor meta.versionId.",
)


def malformed(operation: int, at: str, wanted: str) -> Malformed:
    """The refusal of an operation that cannot be read; `operation` counts from 0, `wanted` names the expected form."""
    return Malformed(Issue(MALFORMED, at, values={"operation": operation, "wanted": wanted}))


def unfit(why: Refusal, operation: int, at: str = "") -> Invalid:
    """The refusal of an operation that can be read and does not apply; `operation` counts from 0."""
    return Invalid(Issue(why, at, values={"operation": operation}))


def check_count(operations: int) -> None:
    """Malformed when there are more operations than a patch may have."""
    if operations > MAX_OPERATIONS:
        raise Malformed(Issue(TOO_MANY, values={"limit": MAX_OPERATIONS}))


def grown(operation: int, value: Any, former: int, depth: int = 0) -> int:
    """`former` and the number of values in `value`, put `depth` levels down.

    Invalid over the limits of a resource: without them each copy could double it.
    """
    if depth > MAX_DEPTH or deeper(value, MAX_DEPTH - depth):
        raise unfit(TOO_LARGE, operation)
    total = former + nodes(value)
    if total > MAX_NODES:
        raise unfit(TOO_LARGE, operation)
    return total


def finished(before: dict[str, Any], after: Any) -> dict[str, Any]:
    """The patched resource, without the empty arrays and objects that removals left: FHIR has none.

    Invalid when the patch changed what identifies the resource.
    """
    if not isinstance(after, dict) or _identity(after) != _identity(before):
        raise Invalid(Issue(IDENTITY))
    kept: dict[str, Any] = _pruned(after)
    return kept


def _identity(resource: dict[str, Any]) -> tuple[Any, Any, Any]:
    meta = resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    return resource.get("resourceType"), resource.get("id"), version


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        pairs = ((key, _pruned(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item not in ({}, [])}
    if isinstance(value, list):
        return [item for item in map(_pruned, value) if item not in ({}, [])]
    return value

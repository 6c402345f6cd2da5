"""The references of a sent resource, resolved: literal, logical by business identifier, contained, foreign (C-64, DEC-12, SEC-15).

https://hl7.org/fhir/R4/references.html. Nothing is ever fetched from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from creneau.fhir.reference import Contained, Foreign, Literal, Logical, Urn, read, walk
from creneau.flows.world import World, named, note
from creneau.problems import Invalid, Issue, refusal
from creneau.store.contract import Claim, Seen, Stored

HELD: Final = (
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
    "Location",
    "HealthcareService",
    "Organization",
    "Device",
    "Schedule",
    "Appointment",
    "AppointmentResponse",
    "DocumentReference",
    "Binary",
)
"""The types kept here; Slot is computed."""

UNKNOWN = refusal(
    "reference-not-found",
    "not-found",
    "La ressource désignée ici n'existe pas, ou n'existe plus.",
    "The resource referred to here does not exist, or no longer does.",
)
UNRESOLVED = refusal(
    "identifier-not-resolved",
    "not-found",
    "Aucune ressource d'ici ne porte cet identifiant métier ; la référence est gardée telle quelle.",
    "No resource here has this business identifier; the reference is kept as it is.",
)
ELSEWHERE = refusal(
    "reference-elsewhere",
    "informational",
    "Cette référence désigne une ressource d'un autre serveur ; elle est gardée telle quelle et n'est pas vérifiée.",
    "This reference points to a resource of another server; it is kept as it is, unchecked.",
)
NOT_HELD = refusal(
    "type-not-held",
    "informational",
    "Ce serveur ne tient pas de ressource {type} ; la référence est gardée sans être vérifiée.",
    "This server keeps no {type} resources; the reference is kept unchecked.",
)


@dataclass(slots=True)
class Resolved:
    """What the references lead to: resources by "Type/id", the versions seen, findings."""

    resources: dict[str, Stored] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    known: frozenset[str] = frozenset()

    def seen(self) -> tuple[Seen, ...]:
        """The versions the decision rests on, so that none is deleted before the commit (SEC-15, REL-22)."""
        return tuple(Seen(one.type, one.id, one.version) for one in self.resources.values())


def literals(world: World, resource: Mapping[str, Any] | None) -> frozenset[str]:
    """The resources of this server, as "Type/id", that a resource refers to."""
    found = (read(reference, world.bases) for _, reference in walk(resource)) if resource else ()
    return frozenset(f"{one.type}/{one.id}" for one in found if isinstance(one, Literal))


async def resolve(world: World, sent: dict[str, Any], known: frozenset[str] = frozenset()) -> Resolved:
    """Look every reference of `sent` up. A logical one that leads to a resource here gets its `reference` written beside it.

    Raises Invalid with all the references that lead nowhere; returns warnings for those nobody here can check, and for those
    (`known`) that the preceding version had already. Slots are left to the caller.
    """
    resolved = Resolved(known=known)
    for path, reference in list(walk(sent)):
        await _one(world, resolved, path, reference)
    if any(issue.severity == "error" for issue in resolved.issues):
        raise Invalid.all(issue for issue in resolved.issues if issue.severity == "error")
    return resolved


async def check(world: World, sent: dict[str, Any]) -> Iterator[Issue]:
    """The same findings, all as warnings, for `$validate`."""
    resolved = Resolved()
    for path, reference in list(walk(sent)):
        await _one(world, resolved, path, reference)
    return (
        Issue(one.why, one.at, min(one.severity, "warning", key=_rank), one.values) for one in resolved.issues
    )


def _rank(severity: str) -> int:
    return ("information", "warning", "error", "fatal").index(severity)


async def _one(world: World, resolved: Resolved, path: str, reference: Mapping[str, Any]) -> None:
    match read(reference, world.bases):
        case Literal(type="Slot") | Contained() | None:
            return
        case Literal(type=type, id=id):
            await _literal(world, resolved, path, f"{type}/{id}")
        case Logical(system=system, value=value, type=type):
            await _logical(world, resolved, path, reference, Claim(system or "", value), type)
        case Urn():
            resolved.issues.append(Issue(UNKNOWN, path))
        case Foreign():
            resolved.issues.append(Issue(ELSEWHERE, path, "warning"))


async def _literal(world: World, resolved: Resolved, path: str, target: str) -> None:
    type, _, id = target.partition("/")
    if target in resolved.resources:
        return
    if type not in HELD:
        resolved.issues.append(Issue(NOT_HELD, path, "warning", {"type": type}))
        return
    stored = await world.store.get(type, id)
    if stored is None or stored.deleted:
        resolved.issues.append(Issue(UNKNOWN, path, "warning" if target in resolved.known else "error"))
    else:
        resolved.resources[target] = stored


async def _logical(
    world: World,
    resolved: Resolved,
    path: str,
    reference: Mapping[str, Any],
    claim: Claim,
    *types: str | None,
) -> None:
    for type in [one for one in types if one] or targets(path):
        id = await world.store.holder(type, claim) if type in HELD else None
        if id is not None:
            assert isinstance(reference, dict)  # of a body that this request alone holds
            reference["reference"] = f"{type}/{id}"
            note(world, named(type, claim), (f"{type}/{id}",))
            await _literal(world, resolved, path, f"{type}/{id}")
            return
    resolved.issues.append(Issue(UNRESOLVED, path, "warning"))


def targets(path: str) -> tuple[str, ...]:
    """The types a logical reference without a type may mean, likeliest first."""
    if path.endswith(".actor"):
        return (
            "Practitioner",
            "PractitionerRole",
            "Patient",
            "Location",
            "Device",
            "HealthcareService",
            "RelatedPerson",
        )
    return HELD

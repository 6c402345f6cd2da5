"""What a check reports while it walks a resource: findings with relative paths, gathered upwards, and the refusals they use.

A finding with a `note` may still be settled by an ancestor: a null that its `_` sibling explains, an extension whose context is
the parent's element, a `#id` that the root contains. What nobody settles is an error like the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from creneau.problems import Refusal, refusal


class Finding(NamedTuple):
    """One finding below the element that reports it: `at` continues its path (".name[0]", "[1].status", "")."""

    why: Refusal
    at: str = ""
    severity: str = "error"
    values: Mapping[str, object] = {}
    note: str = ""
    about: Any = None


Findings: TypeAlias = list[Finding] | None
Check: TypeAlias = Callable[[Any], Findings]

# Above this, the rest is not worth a client's time, and merging paths upwards stays cheap whatever was sent.
MOST: Final = 1000

STRUCTURE: Final = "structure"

UNKNOWN_TYPE = refusal(
    "unknown-resource-type",
    STRUCTURE,
    "resourceType manque ou n'est pas un type de ressource de FHIR R4.",
    "resourceType is missing or is not a resource type of FHIR R4.",
)
UNKNOWN_ELEMENT = refusal(
    "unknown-element",
    STRUCTURE,
    "Cet élément n'existe pas ici en FHIR R4.",
    "This element does not exist here in FHIR R4.",
)
NOT_AN_OBJECT = refusal(
    "not-an-object",
    STRUCTURE,
    "Un objet JSON est attendu ici.",
    "A JSON object is expected here.",
)
NOT_A_LIST = refusal(
    "not-an-array",
    STRUCTURE,
    "Cet élément se répète : un tableau JSON est attendu.",
    "This element repeats: a JSON array is expected.",
)
A_LIST = refusal(
    "not-repeated",
    STRUCTURE,
    "Cet élément ne se répète pas : un tableau JSON n'est pas attendu.",
    "This element does not repeat: a JSON array is not expected.",
)
WRONG_JSON = refusal(
    "wrong-json-type",
    STRUCTURE,
    "Le type JSON attendu ici est {expected}.",
    "The JSON type expected here is {expected}.",
)
NULL = refusal(
    "null-value",
    STRUCTURE,
    "null n'est permis que dans un tableau, en face d'un élément de l'autre tableau (avec ou sans _).",
    "null is only allowed in an array, opposite an item of the other array (with or without _).",
)
EMPTY = refusal(
    "empty-value",
    STRUCTURE,
    "Un objet, un tableau ou une chaîne vide n'est pas permis : omettre l'élément.",
    "An empty object, array or string is not allowed: leave the element out.",
)
CHOICE = refusal(
    "several-choices",
    STRUCTURE,
    "Une seule forme de {element} est permise.",
    "Only one form of {element} is allowed.",
)
TOO_DEEP = refusal(
    "too-deep",
    STRUCTURE,
    "La ressource est trop profondément imbriquée.",
    "The resource is nested too deeply.",
)
TOO_MANY_FINDINGS = refusal(
    "too-many-findings",
    "too-costly",
    "Il y a trop d'erreurs pour les citer toutes.",
    "There are too many errors to list them all.",
)
MISSING = refusal(
    "missing-element",
    "required",
    "Cet élément est obligatoire (au moins {min}).",
    "This element is mandatory (at least {min}).",
)
TOO_MANY = refusal(
    "too-many-items",
    "value",
    "Cet élément apparaît trop de fois (au plus {max}).",
    "This element appears too many times (at most {max}).",
)
BAD_VALUE = refusal(
    "malformed-value",
    "value",
    "La valeur n'a pas la forme d'un {type} : {form_fr}.",
    "The value does not have the form of a {type}: {form_en}.",
)
BAD_CODE = refusal(
    "code-not-allowed",
    "code-invalid",
    "Le code n'est pas dans l'ensemble de valeurs {value_set}.",
    "The code is not in the value set {value_set}.",
)
UNCHECKED = refusal(
    "binding-not-checked",
    "not-supported",
    "L'ensemble de valeurs {value_set} n'est pas connu ici : le code n'a pas été vérifié.",
    "The value set {value_set} is not known here: the code was not checked.",
)
WRONG_TARGET = refusal(
    "reference-target",
    "value",
    "La référence doit désigner une ressource de type {types}.",
    "The reference must name a resource of type {types}.",
)
UNKNOWN_MODIFIER = refusal(
    "unknown-modifier-extension",
    "extension",
    "Une modifierExtension inconnue change le sens de l'élément et ne peut être ignorée.",
    "An unknown modifierExtension changes the meaning of the element and cannot be ignored.",
)
CONTEXT = refusal(
    "extension-context",
    "extension",
    "L'extension {url} n'est pas permise à cet endroit (contextes : {contexts}).",
    "The extension {url} is not allowed here (contexts: {contexts}).",
)
WRONG_TYPE = refusal(
    "type-not-allowed",
    "value",
    "Le profil demande ici un élément de type {types}.",
    "The profile wants an element of type {types} here.",
)
FIXED = refusal(
    "fixed-value",
    "value",
    "Le profil impose ici la valeur {expected}.",
    "The profile wants the value {expected} here.",
)
UNSLICED = refusal(
    "slice-unknown",
    "value",
    "Cet élément n'est aucun de ceux que le profil permet ici.",
    "This element is none of those the profile allows here.",
)
SLICE_MISSING = refusal(
    "slice-missing",
    "required",
    "Il manque {slice} (au moins {min}).",
    "{slice} is missing (at least {min}).",
)
SLICE_TOO_MANY = refusal(
    "slice-too-many",
    "value",
    "{slice} apparaît trop de fois (au plus {max}).",
    "{slice} appears too many times (at most {max}).",
)
UNKNOWN_PROFILE = refusal(
    "unknown-profile",
    "not-supported",
    "Ce profil n'est pas connu ici et n'a pas été vérifié.",
    "This profile is not known here and was not checked.",
)
PROFILE_OF_ANOTHER = refusal(
    "profile-of-another-type",
    "value",
    "Ce profil porte sur {type}.",
    "This profile is about {type}.",
)


def is_structural(found: Findings) -> bool:
    """Whether any finding says that the JSON has not the shape of the type."""
    return found is not None and any(finding.why.code == STRUCTURE for finding in found)


def add(found: Findings, finding: Finding) -> list[Finding]:
    """The list with one more finding; beyond the limit it only says that there are more."""
    if found is None:
        return [finding]
    if len(found) < MOST:
        found.append(finding)
    elif len(found) == MOST:
        found.append(Finding(TOO_MANY_FINDINGS))
    return found


def gather(found: Findings, below: list[Finding], step: str) -> list[Finding]:
    """The list with the findings of a child, their paths continued upwards by `step` (".name" or "[2]")."""
    found = [] if found is None else found
    for finding in below:
        if len(found) > MOST:
            break
        add(found, finding._replace(at=step + finding.at))
    return found

"""The check of a resource wherever it stands: alone, contained, in a Bundle entry. https://hl7.org/fhir/R4/resource.html"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from creneau.fhir.definitions import is_resource
from creneau.fhir.validation.findings import (
    EMPTY,
    NOT_AN_OBJECT,
    UNKNOWN_PROFILE,
    UNKNOWN_TYPE,
    Check,
    Finding,
    Findings,
    gather,
    is_structural,
)
from creneau.fhir.validation.profile import profile_check
from creneau.fhir.validation.quick import quick_check
from creneau.fhir.validation.rulebook import Rulebook, is_core
from creneau.fhir.validation.settling import settle_local

TypeCheck = Callable[[Rulebook, str], Check]


def resource_check(book: Rulebook, type_check: TypeCheck) -> Check:
    """The check of a resource that stands alone or in an entry: local references are settled here."""
    contained = contained_check(book, type_check)

    def check(value: Any) -> Findings:
        found = contained(value)
        if found is None or type(value) is not dict:
            return found
        return settle_local(found, _contained(value)) or None

    return check


def _contained(value: Mapping[str, Any]) -> dict[str, str]:
    inside = value.get("contained")
    resources = [inner for inner in inside if isinstance(inner, dict)] if isinstance(inside, list) else []
    return {
        inner["id"]: str(inner.get("resourceType")) for inner in resources if isinstance(inner.get("id"), str)
    }


def contained_check(book: Rulebook, type_check: TypeCheck) -> Check:
    """The check of a resource, its R4 type and the profiles it claims; local references are left to its container."""

    def check(value: Any) -> Findings:
        if type(value) is not dict:
            return [Finding(NOT_AN_OBJECT)]
        if not value:
            return [Finding(EMPTY)]
        type_name = value.get("resourceType")
        if type(type_name) is not str or not is_resource(type_name):
            return [Finding(UNKNOWN_TYPE)]
        quick = book.quick.get(type_name)
        if quick is None:
            quick = book.quick[type_name] = quick_check(book, type_name)
        found = None if quick(value) else type_check(book, type_name)(value)
        meta = value.get("meta")
        if meta is None or is_structural(found) or "profile" not in meta:
            return found
        return _claimed(book, value, found)

    return check


def _claimed(book: Rulebook, value: Mapping[str, Any], found: Findings) -> Findings:
    done: list[Check] = []
    for index, url in enumerate(value["meta"]["profile"]):
        profile = book.profile_checks.get(url) or _profile(book, url, value["resourceType"])
        if profile is None:
            found = gather(found, [Finding(UNKNOWN_PROFILE, f".meta.profile[{index}]", "warning")], "")
        elif profile not in done:
            done.append(profile)
            bad = profile(value)
            found = gather(found, bad, "") if bad else found
    return found


def _profile(book: Rulebook, url: Any, type_name: str) -> Check | None:
    return _nothing if url is None or is_core(url, type_name) else profile_check(book, url)


def _nothing(value: Any) -> Findings:
    return None

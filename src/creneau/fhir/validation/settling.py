"""Findings that an ancestor settles: what looked wrong below is right because of what stands beside or above it. https://hl7.org/fhir/R4/json.html#primitive"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from creneau.fhir.validation.findings import Finding

_EXTENSION: Final = re.compile(r"(?:\[[0-9]+\])?\.(?:extension|modifierExtension)\[[0-9]+\]").fullmatch


def settled(finding: Finding, path: str, name: str, value: Mapping[str, Any]) -> bool:
    """Whether the object `value` explains the finding of its property `name`, whose element path is `path` ("Patient.birthDate")."""
    match finding.note:
        case "hole":
            return _has_sibling(finding.at, name, value, only_in_list=True)
        case "only-id":
            return name.startswith("_") and _has_sibling(finding.at, name, value, only_in_list=False)
        case "context":
            return path in finding.about and _EXTENSION(finding.at) is not None
        case "local":
            # From inside a contained resource, `#` is its container.
            return name == "contained" and finding.about == ""
        case _:
            return False


def _has_sibling(at: str, name: str, value: Mapping[str, Any], only_in_list: bool) -> bool:
    """Whether the `_` sibling of a property (or the property of a `_` sibling) has something at the same index."""
    other = value.get(name[1:] if name.startswith("_") else "_" + name)
    if not at:
        return not only_in_list and other is not None
    if not at.startswith("[") or not at.endswith("]") or "." in at or not isinstance(other, list):
        return False
    index = int(at[1:-1])
    return index < len(other) and other[index] is not None


def settle_local(found: list[Finding], contained: Mapping[str, str]) -> list[Finding]:
    """What is left when the ids and types of the contained resources are known, at the resource that contains them."""
    return [finding for finding in found if not _answered(finding, contained)]


def _answered(finding: Finding, contained: Mapping[str, str]) -> bool:
    if finding.note == "local":
        return finding.about in contained
    if finding.note == "local-type":
        name, allowed = finding.about
        # A name that nothing has is ref-1's business.
        return name not in contained or contained[name] in allowed
    return False

"""Required bindings: whether a code is one of a value set's. https://hl7.org/fhir/R4/terminologies.html#required"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from creneau.fhir.definitions import is_primitive
from creneau.fhir.validation.findings import BAD_CODE, UNCHECKED, Check, Finding, Findings
from creneau.fhir.validation.rulebook import Codes, Rulebook


def binding_check(book: Rulebook, url: str, type_name: str) -> Check:
    """The check of a value of the right shape against a value set. Displays are never looked at.

    A value set that is not known is not checked, and an information says so.
    """
    codes = book.codes(url)
    values = {"value_set": url}
    if codes is None:
        return _says(Finding(UNCHECKED, severity="information", values=values))
    if not codes.listed:
        return _says(None)
    bad = [Finding(BAD_CODE, values=values)]
    if is_primitive(type_name):
        return lambda value: None if value in codes.every else bad
    if type_name == "CodeableConcept":
        return lambda value: None if any(_known(coding, codes) for coding in value.get("coding", ())) else bad
    return lambda value: None if _known(value, codes) else bad


def _says(finding: Finding | None) -> Check:
    found: Findings = None if finding is None else [finding]
    return lambda value: found


def _known(coding: Mapping[str, Any], codes: Codes) -> bool:
    return coding.get("code") in codes.by_system.get(coding.get("system", ""), ())

"""Elements that repeat: JSON arrays. https://hl7.org/fhir/R4/json.html#repeat"""

from __future__ import annotations

from typing import Any

from creneau.fhir.validation.findings import EMPTY, NOT_A_LIST, Check, Finding, Findings, gather


def repeated(one: Check) -> Check:
    """The check of a JSON array whose items are checked by `one`."""

    def check(values: Any) -> Findings:
        if type(values) is not list:
            return [Finding(NOT_A_LIST)]
        if not values:
            return [Finding(EMPTY)]
        found: Findings = None
        for index, value in enumerate(values):
            bad = one(value)
            if bad is not None:
                found = gather(found, bad, f"[{index}]")
        return found

    return check

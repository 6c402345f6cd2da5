"""The 62 invariants in play, as one table. https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

from __future__ import annotations

from typing import Final

from creneau.fhir.validation.invariants.bundle import BUNDLE
from creneau.fhir.validation.invariants.capability import CAPABILITY
from creneau.fhir.validation.invariants.datatypes import DATATYPES, TIMINGS
from creneau.fhir.validation.invariants.narrative import NARRATIVE
from creneau.fhir.validation.invariants.resources import RESOURCES
from creneau.fhir.validation.invariants.row import Invariant

INVARIANTS: Final[tuple[Invariant, ...]] = (
    *DATATYPES,
    *TIMINGS,
    *NARRATIVE,
    *RESOURCES,
    *BUNDLE,
    *CAPABILITY,
)

__all__ = ["INVARIANTS", "Invariant"]

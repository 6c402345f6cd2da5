"""Validation of resources against R4 and profiles. https://hl7.org/fhir/R4/validation.html"""

from __future__ import annotations

from creneau.fhir.validation.package import UnreadablePackage
from creneau.fhir.validation.validator import Validator

__all__ = ["UnreadablePackage", "Validator"]

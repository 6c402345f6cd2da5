"""The invariants of Narrative.div. https://hl7.org/fhir/R4/narrative.html"""

from __future__ import annotations

from typing import Final

from creneau.fhir.validation.invariants.row import Invariant, invariant
from creneau.fhir.validation.narrative import has_content, is_safe

NARRATIVE: Final[tuple[Invariant, ...]] = (
    invariant(
        "txt-1",
        "Narrative.div",
        "Le texte lisible est un div XHTML bien formé, sans script ni contenu pris ailleurs",
        "The narrative is a well-formed XHTML div, without script or content from elsewhere",
        is_safe,
    ),
    invariant(
        "txt-2",
        "Narrative.div",
        "Le texte lisible n'est pas vide",
        "The narrative has some content other than white space",
        has_content,
    ),
)

"""The invariants of datatypes and of every element. https://hl7.org/fhir/R4/datatypes.html"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any, Final

from creneau.fhir.definitions import elements
from creneau.fhir.validation.instants import later
from creneau.fhir.validation.invariants.row import Element, Invariant, has, invariant

UCUM: Final = "http://unitsofmeasure.org"


@cache
def values() -> frozenset[str]:
    """The JSON names that a `value[x]` of any type can take, `_` siblings included."""
    names = [name for name, element in elements("Extension").items() if element.choice == "value[x]"]
    return frozenset((*names, *("_" + name for name in names)))


def _has_content(element: Element) -> bool:
    return len(element) > ("id" in element)


def _one_of_value_and_extension(element: Element) -> bool:
    return ("extension" in element) != (not values().isdisjoint(element))


def _start_not_after_end(period: Element) -> bool:
    start, end = period.get("start"), period.get("end")
    return start is None or end is None or not later(start, end)


def _low_not_above_high(range_: Element) -> bool:
    low, high = range_.get("low"), range_.get("high")
    if low is None or high is None or not _same_unit(low, high):
        return True
    return not (_number(low) and _number(high)) or bool(low["value"] <= high["value"])


def _same_unit(low: Element, high: Element) -> bool:
    # Quantities of different units are not compared: FHIRPath then gives no answer, and no answer is no breach.
    return all(low.get(name) == high.get(name) for name in ("system", "code", "unit"))


def _number(quantity: Element) -> bool:
    return isinstance(quantity.get("value"), (int, float, Decimal))


def _ratio_complete(ratio: Element) -> bool:
    numerator = "numerator" in ratio
    return numerator == ("denominator" in ratio) and (numerator or "extension" in ratio)


def _duration_coded(duration: Element) -> bool:
    return not has(duration, "code") or (duration.get("system") == UCUM and has(duration, "value"))


def _age_coded(age: Element) -> bool:
    coded = has(age, "code") or not has(age, "value")
    system = not has(age, "system") or age.get("system") == UCUM
    return coded and system and ("value" not in age or age["value"] > 0)


def _not_negative(element: Element, name: str) -> bool:
    value: Any = element.get(name)
    return value is None or value >= 0


def _offset_has_moment(repeat: Element) -> bool:
    # HL7's correction of the published text: `when` repeats, and none of its codes may be a meal.
    when = repeat.get("when")
    return not has(repeat, "offset") or (
        has(repeat, "when") and {"C", "CM", "CD", "CV"}.isdisjoint(when if isinstance(when, list) else ())
    )


def local_reference_known(reference: Element, ids: frozenset[str], inside: bool) -> bool:
    """ref-1 with HL7's correction: `#id` names a contained resource; `#` is the container, from `inside` a contained one only."""
    text = reference.get("reference")
    if not isinstance(text, str) or not text.startswith("#"):
        return True
    return inside if text == "#" else text[1:] in ids


def not_local(reference: Element) -> bool:
    """ref-1 before the contained resources are known: whether it has nothing to say."""
    return local_reference_known(reference, frozenset(), inside=False)


DATATYPES: Final[tuple[Invariant, ...]] = (
    invariant(
        "ele-1",
        ("Element", "Element.extension"),
        "Un élément a une valeur ou des éléments enfants",
        "An element has a value or children",
        _has_content,
    ),
    invariant(
        "ext-1",
        ("Extension", "Extension.extension"),
        "Une extension a une valeur ou des extensions, jamais les deux ni aucune",
        "An extension has either a value or extensions, not both and not neither",
        _one_of_value_and_extension,
    ),
    invariant(
        "ref-1",
        "Reference",
        "Une référence locale (#) désigne une ressource contenue dans celle-ci",
        "A local reference (#) names a resource contained in this one",
        not_local,
    ),
    invariant(
        "per-1",
        "Period",
        "Le début d'une période précède sa fin ou lui est égal",
        "A period does not start after it ends",
        _start_not_after_end,
    ),
    invariant(
        "cpt-2",
        "ContactPoint",
        "Un moyen de contact qui a une valeur a aussi un système",
        "A contact point with a value has a system",
        lambda contact: not has(contact, "value") or has(contact, "system"),
    ),
    invariant(
        "att-1",
        "Attachment",
        "Une pièce jointe qui porte des données dit leur type (contentType)",
        "An attachment with data says its contentType",
        lambda attachment: not has(attachment, "data") or has(attachment, "contentType"),
    ),
    invariant(
        "qty-3",
        "Quantity",
        "Une unité codée (code) demande un système (system)",
        "A coded unit needs a system",
        lambda quantity: not has(quantity, "code") or has(quantity, "system"),
    ),
    invariant(
        "sqty-1",
        "SimpleQuantity",
        "Une quantité simple n'a pas de comparateur",
        "A simple quantity has no comparator",
        lambda quantity: not has(quantity, "comparator"),
    ),
    invariant(
        "drt-1",
        "Duration",
        "Une durée dont l'unité est codée a une valeur et le système UCUM",
        "A duration with a coded unit has a value and the UCUM system",
        _duration_coded,
    ),
    invariant(
        "age-1",
        "Age",
        "Un âge est positif, son unité est codée et son système est UCUM",
        "An age is positive, its unit coded, its system UCUM",
        _age_coded,
    ),
    invariant(
        "rng-2",
        "Range",
        "La borne basse d'un intervalle ne dépasse pas la borne haute",
        "The low end of a range is not above its high end",
        _low_not_above_high,
    ),
    invariant(
        "rat-1",
        "Ratio",
        "Un ratio a un numérateur et un dénominateur, ou aucun des deux et une extension",
        "A ratio has a numerator and a denominator, or neither and an extension",
        _ratio_complete,
    ),
)

_REPEAT: Final = "Timing.repeat"
_WITH: Final = (
    ("tim-1", "duration", "durationUnit"),
    ("tim-2", "period", "periodUnit"),
    ("tim-6", "periodMax", "period"),
    ("tim-7", "durationMax", "duration"),
    ("tim-8", "countMax", "count"),
)


def _goes_with(key: str, name: str, needed: str) -> Invariant:
    return invariant(
        key,
        _REPEAT,
        f"{name} demande {needed}",
        f"{name} needs {needed}",
        lambda repeat: not has(repeat, name) or has(repeat, needed),
    )


TIMINGS: Final[tuple[Invariant, ...]] = (
    *(_goes_with(*row) for row in _WITH),
    invariant(
        "tim-4",
        _REPEAT,
        "La durée n'est pas négative",
        "The duration is not negative",
        lambda repeat: _not_negative(repeat, "duration"),
    ),
    invariant(
        "tim-5",
        _REPEAT,
        "La période n'est pas négative",
        "The period is not negative",
        lambda repeat: _not_negative(repeat, "period"),
    ),
    invariant(
        "tim-9",
        _REPEAT,
        "Un décalage (offset) demande un moment (when) autre que C, CM, CD, CV",
        "An offset needs a when, other than C, CM, CD, CV",
        _offset_has_moment,
    ),
    invariant(
        "tim-10",
        _REPEAT,
        "timeOfDay et when ne vont pas ensemble",
        "timeOfDay and when exclude each other",
        lambda repeat: not (has(repeat, "timeOfDay") and has(repeat, "when")),
    ),
)

"""What an invariant is here: FHIR's key and words, the types it is checked on, a plain function. https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from creneau.problems import Refusal, refusal

Element: TypeAlias = Mapping[str, Any]
Rule: TypeAlias = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One row: `on` are types, backbones or elements ("Organization.telecom"); `holds` is given the element found there."""

    key: str
    on: tuple[str, ...]
    severity: str  # "error", "warning", or "best practice" (never reported)
    why: Refusal
    holds: Rule


def invariant(key: str, on: str | tuple[str, ...], fr: str, en: str, holds: Rule) -> Invariant:
    """An invariant whose breach is an error."""
    return _row(key, on, "error", (fr, en), holds)


def advice(key: str, on: str, severity: str, words: tuple[str, str], holds: Rule) -> Invariant:
    """An invariant whose breach is a warning, or good practice only; `words` are French, English."""
    return _row(key, on, severity, words, holds)


def _row(
    key: str, on: str | tuple[str, ...], severity: str, words: tuple[str, str], holds: Rule
) -> Invariant:
    fr, en = (f"{text} ({key})." for text in words)
    return Invariant(
        key, (on,) if isinstance(on, str) else on, severity, refusal(key, "invariant", fr, en), holds
    )


def has(element: Element, name: str) -> bool:
    """FHIRPath `name.exists()`: a primitive exists by its value or by its extensions alone."""
    return name in element or "_" + name in element


def distinct(values: list[Any]) -> bool:
    """FHIRPath `isDistinct()` for values that can be hashed."""
    return len(set(values)) == len(values)

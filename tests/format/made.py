"""Resources made from the tables of R4, for property tests; they follow the format and make no medical sense."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from creneau.fhir.definitions import Element, elements, is_primitive, is_resource

TYPES = (
    "Appointment",
    "Schedule",
    "Patient",
    "HealthcareService",
    "Parameters",
    "Bundle",
    "Device",
    "Location",
)

# Space, no-break spaces, quotes, mark-up, line ends, accents, beyond the BMP: all that a round trip could lose.
texts = st.text(st.sampled_from("ab é\u00a0\u202f\"'&<>\n\r\t:{}\\,😀\u2028"), min_size=1, max_size=12)
decimals = st.sampled_from(
    ["1.00", "15.000", "-0.0", "0.10", "1E+5", "1E-7", "123456789012345678901234567890.1"]
)
DIVS = (
    '<div xmlns="http://www.w3.org/1999/xhtml"><p>a &amp; b<br/> é</p></div>',
    '<div xmlns="http://www.w3.org/1999/xhtml"/>',
)


def official_examples() -> list[Path]:
    """The examples of the R4 specification, which stand beside the repository where it is developed."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "conformance" / "r4-examples" / "json"
    if not folder.is_dir():
        pytest.skip("shared/ is not beside the repository")
    return sorted(folder.glob("*.json"))


@st.composite
def resources(draw: st.DrawFn, levels: int = 3) -> dict[str, Any]:
    """A resource of one of TYPES."""
    name = draw(st.sampled_from(TYPES))
    return {"resourceType": name, **draw(_members(name, levels))}


@st.composite
def _members(draw: st.DrawFn, type_name: str, levels: int) -> dict[str, Any]:
    known = elements(type_name)
    usable = [name for name, element in known.items() if levels > 1 or is_primitive(element.type)]
    names = draw(st.lists(st.sampled_from(usable), min_size=1, max_size=3, unique=True))
    found: dict[str, Any] = {}
    for name in names:
        found.update(draw(_member(type_name, known[name], levels)))
    return found


@st.composite
def _member(draw: st.DrawFn, owner: str, element: Element, levels: int) -> dict[str, Any]:
    name = element.name
    if element.type == "xhtml":
        return {name: draw(st.sampled_from(DIVS))}
    if not is_primitive(element.type):
        inner = resources(levels - 1) if element.type == "Resource" else _members(element.type, levels - 1)
        return {name: draw(st.lists(inner, min_size=1, max_size=2)) if element.many else draw(inner)}
    # XML writes these as attributes, which have no extension.
    plain = (name == "id" and not is_resource(owner)) or (owner == "Extension" and name == "url")
    if not element.many:
        value = draw(_value(element.type))
        sibling = None if plain or levels <= 1 else draw(st.none() | _sibling(levels - 1))
        return (
            {name: value}
            if sibling is None
            else draw(st.sampled_from([{name: value, f"_{name}": sibling}, {f"_{name}": sibling}]))
        )
    return draw(_repeated(element, levels))


@st.composite
def _repeated(draw: st.DrawFn, element: Element, levels: int) -> dict[str, Any]:
    """A repeated primitive with holes on either side, never on both."""
    pairs = [
        (draw(_value(element.type)), draw(st.none() | _sibling(levels - 1)) if levels > 1 else None)
        for _ in range(draw(st.integers(1, 3)))
    ]
    pairs = [
        (None if sibling is not None and draw(st.booleans()) else value, sibling) for value, sibling in pairs
    ]
    values, siblings = [value for value, _ in pairs], [sibling for _, sibling in pairs]
    found = {element.name: values, f"_{element.name}": siblings}
    return {name: items for name, items in found.items() if any(item is not None for item in items)}


def _sibling(levels: int) -> st.SearchStrategy[dict[str, Any]]:
    identified = st.fixed_dictionaries({"id": texts})
    extended = st.fixed_dictionaries(
        {"extension": st.lists(_members("Extension", levels), min_size=1, max_size=2)}
    )
    return identified if levels <= 1 else identified | extended


def _value(type_name: str) -> st.SearchStrategy[Any]:
    if type_name == "boolean":
        return st.booleans()
    if type_name in ("integer", "positiveInt", "unsignedInt"):
        return st.integers(-(2**31), 2**31 - 1)
    if type_name == "decimal":
        return decimals.map(Decimal) | st.integers(-100, 100)
    return texts

"""The elements of every R4 resource type and datatype, read from the table compiled from the R4 4.0.1 snapshots.

https://hl7.org/fhir/R4/json.html (names of a choice, order of elements); `validation/generate.py` writes the table.
The table stays in its compact form until a type is asked for: loading costs a few milliseconds, a type some microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

TABLES: Final = Path(__file__).parent / "tables"


class Element(NamedTuple):
    """One JSON property of a type, as the snapshot describes it.

    `type` is a primitive ("string"), a datatype ("CodeableConcept"), a backbone ("Appointment.participant"), "Resource" or
    "xhtml". `choice` is the element's own name ("value[x]") when the property is one of several, else "". `targets` are the
    resource types a Reference may name (empty: any). `binding` is the value set of a required binding, without version, else "".
    `profile` is the datatype profile the base asks for ("SimpleQuantity", "MoneyQuantity"), else "".
    """

    name: str
    type: str
    many: bool = False
    min: int = 0
    choice: str = ""
    targets: tuple[str, ...] = ()
    binding: str = ""
    summary: bool = False
    profile: str = ""


class Extra(msgspec.Struct, array_like=True):
    """What few elements have: reference targets, required value set, profile of the datatype."""

    targets: list[str] = []
    binding: str = ""
    profile: str = ""


class Row(msgspec.Struct, array_like=True):
    """One element as the table writes it: a choice is one row with several types."""

    name: str
    types: list[str]
    min: int = 0
    many: int = 0
    summary: int = 0
    extra: Extra | None = None


class TypeTable(msgspec.Struct, array_like=True):
    """One type as the table writes it: the type whose elements come first ("" for none), then its own elements."""

    base: str
    rows: list[Row]


class Tables(msgspec.Struct):
    """The file: names of primitives and resources, and every type still in its compact form."""

    primitives: frozenset[str]
    resources: frozenset[str]
    types: dict[str, msgspec.Raw]


@cache
def _tables() -> Tables:
    return msgspec.json.decode((TABLES / "r4.json").read_bytes(), type=Tables)


@cache
def elements(type_name: str) -> Mapping[str, Element]:
    """The properties of a type by JSON name, in the order of the snapshot, inherited ones included, choices expanded.

    Raises KeyError for a name that is neither a complex type, a backbone ("Appointment.participant") nor a resource.
    """
    table = msgspec.json.decode(_tables().types[type_name], type=TypeTable)
    found = dict(elements(table.base)) if table.base else {}
    for row in table.rows:
        found.update((element.name, element) for element in _expanded(row))
    return found


def _expanded(row: Row) -> Iterator[Element]:
    extra = row.extra or Extra()
    stem = row.name.removesuffix("[x]")
    choice = "" if stem == row.name else row.name
    for type_name in row.types:
        yield Element(
            stem + type_name[0].upper() + type_name[1:] if choice else stem,
            type_name,
            bool(row.many),
            row.min,
            choice,
            tuple(extra.targets) if type_name in ("Reference", "canonical") else (),
            extra.binding,
            bool(row.summary),
            extra.profile if type_name == "Quantity" else "",
        )


def is_known(type_name: str) -> bool:
    """Whether R4 has a resource type, datatype, primitive or backbone of this name."""
    return type_name in _tables().types or type_name in _tables().primitives


def is_primitive(type_name: str) -> bool:
    """Whether values of this type are JSON strings, numbers or booleans ("xhtml" included)."""
    return type_name in _tables().primitives


def is_resource(type_name: str) -> bool:
    """Whether this is a resource type that can be sent ("Resource" and "DomainResource" cannot)."""
    return type_name in _tables().resources


def resource_types() -> tuple[str, ...]:
    """The concrete resource types, in alphabetical order."""
    return tuple(sorted(_tables().resources))

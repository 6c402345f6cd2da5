"""A profile in compact form: what it demands beyond R4, as a tree along the elements. https://hl7.org/fhir/R4/profiling.html

`snapshot.py` makes it from a StructureDefinition, the tables carry it, `profile.py` turns it into checks.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

UNBOUNDED: Final = -1


class Test(msgspec.Struct, array_like=True):
    """One discriminator of a slice: `kind` is fixed, pattern, codes, systems, exists, missing, type or profile; `path` is dotted, "" for $this."""

    kind: str
    path: str
    expected: Any = None


class Node(msgspec.Struct, omit_defaults=True):
    """What is demanded of one element: only what R4 does not already demand."""

    min: int = 0
    max: int = UNBOUNDED
    types: list[str] = []
    targets: list[str] = []
    profiles: list[str] = []
    fixed: Any = msgspec.UNSET
    pattern: Any = msgspec.UNSET
    binding: str = ""
    invariants: list[str] = []
    closed: bool = False
    slices: list[Slice] = []
    children: dict[str, Node] = {}

    def is_empty(self) -> bool:
        """Whether nothing is demanded here or below."""
        return self == Node()


class Slice(msgspec.Struct, omit_defaults=True):
    """A named part of a repeating element: how its members are told, what is demanded of each and of their number."""

    name: str
    tests: list[Test]
    node: Node


class Profile(msgspec.Struct, omit_defaults=True):
    """One StructureDefinition; `contexts` are the elements where an extension may be used."""

    url: str
    type: str
    contexts: list[str] = []
    node: Node = msgspec.field(default_factory=Node)


class Table(msgspec.Struct):
    """The file of compiled profiles: each still encoded, the type each is about, the codes of each value set (null: no list)."""

    types: dict[str, str]
    profiles: dict[str, msgspec.Raw]
    codes: dict[str, msgspec.Raw]

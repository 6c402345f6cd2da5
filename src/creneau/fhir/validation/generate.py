"""Writes the tables the project carries from published packages: `python -m creneau.fhir.validation.generate FOLDER`.

FOLDER holds `hl7.fhir.r4.core-4.0.1.tgz` (CC0-1.0). Facts only are written: names, cardinalities, types, codes; no prose.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from creneau.fhir.definitions import TABLES
from creneau.fhir.validation.base_types import base_types
from creneau.fhir.validation.package import read_package

R4: Final = "hl7.fhir.r4.core-4.0.1.tgz"


def written(table: Mapping[str, Any]) -> bytes:
    """A table as JSON, one entry a line, so that a change of the source reads as a short difference."""
    lines = (b"%s:%s" % (msgspec.json.encode(key), _entry(value)) for key, value in table.items())
    return b"{" + b",\n".join(lines) + b"}\n"


def _entry(value: object) -> bytes:
    return written(value).rstrip() if isinstance(value, dict) else msgspec.json.encode(value)


def generated(folder: Path) -> dict[str, bytes]:
    """Every table by file name, from the packages in a folder."""
    r4 = read_package(folder / R4)
    return {"r4.json": written(base_types(r4.structures.values()))}


def main() -> None:
    """Write the tables beside the code."""
    for name, content in generated(Path(sys.argv[1])).items():
        (TABLES / name).write_bytes(content)


if __name__ == "__main__":
    main()

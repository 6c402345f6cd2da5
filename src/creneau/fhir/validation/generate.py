"""Writes the tables the project carries from published packages: `python -m creneau.fhir.validation.generate FOLDER`.

FOLDER holds R4 core, FR Core, GAP (CC0-1.0) and the NOS code systems. Facts only are written: names, cardinalities, types,
codes; no prose. https://hl7.org/fhir/R4/packages.html
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from creneau.fhir.definitions import TABLES
from creneau.fhir.validation.base_types import base_types
from creneau.fhir.validation.constraints import Table
from creneau.fhir.validation.package import Json, Package, read_package
from creneau.fhir.validation.packages import codes_table, compiled_structures

R4: Final = "hl7.fhir.r4.core-4.0.1.tgz"
FRENCH: Final = ("hl7.fhir.fr.core-2.0.1.tgz", "ans.fhir.fr.gap-3.0.0.ci-20240826.tgz")
NOMENCLATURES: Final = "local.nos.reconstructed-1.2.0.tgz"


def generated(folder: Path) -> dict[str, bytes]:
    """Every table by file name, from the packages in a folder."""
    r4 = read_package(folder / R4)
    french = [read_package(folder / name) for name in FRENCH]
    base = base_types(r4.structures.values())
    bound = sorted(
        {row[5][1] for _, rows in base["types"].values() for row in rows if len(row) > 5 and row[5][1]}
    )
    return {
        "r4.json": written(base),
        "r4-codes.json": written(msgspec.structs.asdict(Table({}, {}, codes_table(bound, [r4])))),
        "fr.json": written(msgspec.structs.asdict(_french(r4, french, read_package(folder / NOMENCLATURES)))),
    }


def _french(r4: Package, french: list[Package], nomenclatures: Package) -> Table:
    structures = [structure for package in french for structure in package.structures.values()]
    named = sorted({url for structure in structures for url in _named(structure) if url in r4.structures})
    extensions = [r4.structures[url] for url in named if r4.structures[url]["type"] == "Extension"]
    return compiled_structures([*structures, *extensions], [r4, nomenclatures, *french], {})


def _named(structure: Json) -> Iterator[str]:
    for element in structure["snapshot"]["element"]:
        for type_ in element.get("type", ()):
            yield from type_.get("profile", ())


def written(table: Mapping[str, Any]) -> bytes:
    """A table as JSON, one entry a line, so that a change of the source reads as a short difference."""
    lines = (b"%s:%s" % (msgspec.json.encode(key), _entry(value)) for key, value in table.items())
    return b"{" + b",\n".join(lines) + b"}\n"


def _entry(value: object) -> bytes:
    return written(value).rstrip() if isinstance(value, dict) else msgspec.json.encode(value)


def main() -> None:
    """Write the tables beside the code."""
    for name, content in generated(Path(sys.argv[1])).items():
        (TABLES / name).write_bytes(content)


if __name__ == "__main__":
    main()

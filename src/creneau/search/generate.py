"""Writes the R4 rows of the search table: `python -m creneau.search.generate hl7.fhir.r4.core-4.0.1.tgz`.

The source is the R4 package, or any Bundle of SearchParameter as JSON (CC0-1.0). https://hl7.org/fhir/R4/searchparameter.html
Facts only are written: code, type, expression, targets, canonical; no prose. Left out: composites, parameters on extensions, and
what has no expression.
"""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from creneau.search.parameters import TABLE, TYPES

Json = dict[str, Any]
ANY: Final = 20  # a reference with more targets than this may point to anything


def definitions(path: Path) -> Iterator[Json]:
    """Every SearchParameter of a package (`.tgz`) or of a Bundle (`.json`)."""
    if path.suffix == ".tgz":
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                stream = archive.extractfile(member) if "/SearchParameter-" in member.name else None
                if stream is not None:
                    yield msgspec.json.decode(stream.read())
    else:
        yield from (entry["resource"] for entry in msgspec.json.decode(path.read_bytes())["entry"])


def rows(found: Iterable[Json]) -> dict[str, list[list[Any]]]:
    """By type (and "Resource" for all), the rows `[code, kind, paths, targets, url]`, sorted by code."""
    table: dict[str, list[list[Any]]] = {type: [] for type in ("Resource", *TYPES)}
    for one in found:
        for type in set(one.get("base", ())) & set(table):
            paths = expression(one.get("expression", ""), type)
            if paths and one["type"] != "composite" and "-extensions-" not in one["url"]:
                targets = one.get("target", [])
                named = sorted(targets) if len(targets) <= ANY else []
                table[type].append([one["code"], one["type"], paths, named, one["url"]])
    return {type: sorted(found) for type, found in table.items()}


def expression(text: str, type: str) -> str:
    """The branches of an expression that start at this type."""
    starts = (f"{type}.", f"({type}.")
    return " | ".join(branch for branch in text.split(" | ") if branch.startswith(starts))


def written(table: dict[str, list[list[Any]]]) -> bytes:
    """The table as JSON, one parameter a line."""
    types = (
        b'"%s":[\n%s\n]' % (type.encode(), b",\n".join(msgspec.json.encode(row) for row in found))
        for type, found in table.items()
    )
    return b"{" + b",\n".join(types) + b"}\n"


def main() -> None:
    """Write the table beside the code."""
    TABLE.write_bytes(written(rows(definitions(Path(sys.argv[1])))))


if __name__ == "__main__":
    main()

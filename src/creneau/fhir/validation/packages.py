"""Published packages -> the table of compiled profiles that a rulebook takes. https://hl7.org/fhir/R4/packages.html"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from creneau.fhir.validation.base_types import CORE
from creneau.fhir.validation.constraints import Node, Table
from creneau.fhir.validation.package import Json, Package, UnreadablePackage, read_package
from creneau.fhir.validation.snapshot import NotCompilable, compiled, encoded, is_usable, type_lookup
from creneau.fhir.validation.valuesets import OPEN, Terminology, codes_of


def compiled_package(path: Path, known_types: Mapping[str, str]) -> Table:
    """The profiles of a `package.tgz` and the value sets they bind. Raises UnreadablePackage naming the file."""
    package = read_package(path)
    try:
        return compiled_structures(package.structures.values(), [package], known_types)
    except (NotCompilable, KeyError, TypeError, ValueError) as error:
        raise UnreadablePackage(f"{path}: a definition cannot be used ({error!r})") from error


def compiled_structures(
    structures: Iterable[Json], sources: Sequence[Package], known_types: Mapping[str, str]
) -> Table:
    """The profiles of the structures that have a snapshot (the others stay unknown, which a claim is warned about), with the codes of each value set they require that the sources can list."""
    found = sorted(filter(_is_profile, structures), key=lambda structure: str(structure["url"]))
    kept = [structure for structure in found if is_usable(structure)]
    if found and not kept:
        raise NotCompilable("no profile has a snapshot and is about a type of FHIR R4")
    types = {str(s["url"]): str(s["type"]).removeprefix(CORE) for s in kept}
    type_of = type_lookup({**known_types, **types})
    profiles = [compiled(structure, type_of) for structure in kept]
    required = sorted({url for profile in profiles for url in _bindings(profile.node)})
    return Table(types, {p.url: encoded(p) for p in profiles}, codes_table(required, sources))


def _is_profile(structure: Json) -> bool:
    return structure.get("derivation") == "constraint" and structure.get("kind") in (
        "resource",
        "complex-type",
    )


def _bindings(node: Node) -> Iterator[str]:
    if node.binding:
        yield node.binding
    for inner in (*node.children.values(), *(part.node for part in node.slices)):
        yield from _bindings(inner)
    yield from (
        test.expected for part in node.slices for test in part.tests if test.kind in ("codes", "systems")
    )


def codes_table(urls: Iterable[str], sources: Sequence[Package]) -> dict[str, msgspec.Raw]:
    """The codes of each value set that the sources can list; null for one that is a grammar."""
    known = Terminology(
        {url: value_set for source in sources for url, value_set in source.value_sets.items()},
        {url: system for source in sources for url, system in source.code_systems.items()},
    )
    found: dict[str, Any] = {}
    for url in urls:
        codes = None if url in OPEN else codes_of(url, known)
        if codes is not None or url in OPEN:
            found[url] = msgspec.Raw(msgspec.json.encode(codes))
    return found

"""Reading a FHIR package (`package.tgz`). https://confluence.hl7.org/display/FHIR/NPM+Package+Specification"""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

Json: TypeAlias = Mapping[str, Any]

# A package is the administrator's file, not a client's: the bounds only turn an accident into a clear message.
LARGEST_FILE: Final = 64 * 1024 * 1024
DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
READ: Final = ("StructureDefinition-", "ValueSet-", "CodeSystem-")


class UnreadablePackage(Exception):
    """The file is not a FHIR package that can be used; the message names the file and the reason."""


@dataclass(frozen=True, slots=True)
class Package:
    """What validation needs of a package: each kind by canonical URL without version."""

    name: str
    version: str
    structures: dict[str, Json] = field(default_factory=dict)
    value_sets: dict[str, Json] = field(default_factory=dict)
    code_systems: dict[str, Json] = field(default_factory=dict)


def read_package(path: Path) -> Package:
    """The definitions of a `package.tgz`. Raises UnreadablePackage naming the file."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            return _filled(archive)
    except UnreadablePackage as error:
        raise UnreadablePackage(f"{path}: {error}") from error
    except (OSError, EOFError, tarfile.TarError, msgspec.DecodeError, KeyError, UnicodeDecodeError) as error:
        raise UnreadablePackage(
            f"{path}: not a readable FHIR package ({type(error).__name__}: {error})"
        ) from error


def _filled(archive: tarfile.TarFile) -> Package:
    manifest: Json = {}
    found: list[Json] = []
    for member in archive:
        folder, _, name = member.name.rpartition("/")
        if folder != "package" or not (name == "package.json" or name.startswith(READ)):
            continue
        content = _decoded(archive, member)
        if name == "package.json":
            manifest = content
        elif name.endswith(".json"):
            found.append(content)
    if not manifest:
        raise UnreadablePackage("there is no package/package.json")
    return _sorted(Package(str(manifest["name"]), str(manifest["version"])), found)


def _decoded(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Json:
    stream = archive.extractfile(member)
    if stream is None or member.size > LARGEST_FILE:
        raise UnreadablePackage(f"{member.name} is not a file of a reasonable size")
    content = DECODER.decode(stream.read())
    if not isinstance(content, dict):
        raise UnreadablePackage(f"{member.name} is not a JSON object")
    return content


def _sorted(package: Package, found: list[Json]) -> Package:
    kinds = {
        "StructureDefinition": package.structures,
        "ValueSet": package.value_sets,
        "CodeSystem": package.code_systems,
    }
    for resource in found:
        kind = kinds.get(str(resource.get("resourceType")))
        if kind is not None and "url" in resource:
            kind[str(resource["url"])] = resource
    return package

"""Reading of FHIR extensions: the parts by url, their value, the place to name in a finding.

https://hl7.org/fhir/R4/extensibility.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Json = Mapping[str, Any]


class Part(NamedTuple):
    """An extension: the FHIRPath of its holder, its index there, what it says."""

    holder: str
    place: int
    json: Json

    @property
    def at(self) -> str:
        """Its FHIRPath, with indexes."""
        return f"{self.holder}.extension[{self.place}]"

    @property
    def value(self) -> Any:
        """Its value[x], None without."""
        for key, value in self.json.items():
            if key[:5] == "value":
                return value
        return None

    @property
    def text(self) -> str:
        """Its value when it is a text, else ""."""
        value = self.value
        return value if isinstance(value, str) else ""

    @property
    def at_value(self) -> str:
        """The FHIRPath of its value."""
        return f"{self.at}.value"


def parts(at: str, holder: Json) -> Iterator[tuple[str, Part]]:
    """The extensions of an element in order, each with its url without the version of a canonical ("|2.0.1")."""
    held = holder.get("extension")
    for index, one in enumerate(held if isinstance(held, list) else ()):
        if type(one) is dict or isinstance(
            one, Mapping
        ):  # agendas have hundreds of parts, and dicts are told sooner
            yield _url(one), Part(at, index, one)


def first(found: Mapping[str, list[Part]], url: str) -> Part | None:
    """The first part of that url."""
    return found[url][0] if found.get(url) else None


def grouped(at: str, holder: Json) -> dict[str, list[Part]]:
    """The extensions of an element by url."""
    found: dict[str, list[Part]] = {}
    held = holder.get("extension")
    if not isinstance(held, list):
        return found
    for index, one in enumerate(held):
        if type(one) is dict or isinstance(one, Mapping):
            url = _url(one)
            part = Part(at, index, one)
            if url in found:
                found[url].append(part)
            else:
                found[url] = [part]
    return found


def _url(extension: Json) -> str:
    url = extension.get("url", "")
    if type(url) is not str:
        url = str(url)
    return url.partition("|")[0] if "|" in url else url

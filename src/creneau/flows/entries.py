"""The entries of a batch or transaction, read: which interaction each asks for. https://hl7.org/fhir/R4/http.html#transaction"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from creneau.fhir import fhirpath_patch, json, json_patch
from creneau.flows.answers import Resource
from creneau.flows.world import World
from creneau.flows.writing import ANY
from creneau.problems import Issue, Malformed, refusal

BAD_URL = refusal(
    "entry-url",
    "invalid",
    "L'url de cette entrée n'est pas celle d'une interaction offerte dans un Bundle.",
    "The url of this entry is not that of an interaction offered in a Bundle.",
)
NO_BODY = refusal(
    "entry-without-resource",
    "required",
    "Cette entrée doit porter une ressource.",
    "This entry must carry a resource.",
)
BAD_PATCH = refusal(
    "entry-patch",
    "invalid",
    "Un PATCH dans un Bundle est un Parameters (FHIRPath Patch) ou un Binary de type application/json-patch+json.",
    "A PATCH in a Bundle is a Parameters (FHIRPath Patch) or a Binary of type application/json-patch+json.",
)
BAD_MATCH = refusal(
    "entry-if-match",
    "invalid",
    'ifMatch est un numéro de version, par exemple W/"3".',
    'ifMatch is a version number, for example W/"3".',
)

READS: Final = ("GET", "HEAD")
ORDER: Final = ("DELETE", "POST", "PUT", "PATCH", *READS)
"""The order in which a transaction processes its entries, whatever theirs."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One entry: its place, the interaction, what it carries. `id` or `condition` (a query string), or neither."""

    index: int
    method: str
    type: str
    id: str | None
    condition: str | None
    version: int | None
    sent: Resource | None
    full_url: str
    if_none_exist: str | None
    expected: frozenset[int] | None

    @property
    def at(self) -> str:
        """The place of the entry, for an issue's expression."""
        return f"Bundle.entry[{self.index}]"


def read(world: World, index: int, entry: Mapping[str, Any]) -> Asked:
    """The interaction that an entry asks for; Malformed, naming the entry, when it cannot be read."""
    request = entry["request"]
    at = f"Bundle.entry[{index}].request"
    path, _, query = _relative(world, request["url"]).partition("?")
    parts = [unquote(part) for part in path.split("/") if part]
    type, id, version = _address(parts, at)
    method, sent = request["method"], entry.get("resource")
    if method in ("POST", "PUT", "PATCH") and not isinstance(sent, dict):
        raise Malformed(Issue(NO_BODY, f"Bundle.entry[{index}].resource"))
    if (method == "POST") != (id is None and not query) and method not in READS:
        _addressed(method, id, query, at)
    return Asked(
        index,
        method,
        type,
        id,
        query or None,
        version,
        sent,
        entry.get("fullUrl", ""),
        request.get("ifNoneExist"),
        _expected(request.get("ifMatch"), at),
    )


def _relative(world: World, url: str) -> str:
    for base in world.bases.own:
        if url.startswith(base):
            return url[len(base) :]
    return url


def _address(parts: list[str], at: str) -> tuple[str, str | None, int | None]:
    """[type], [type]/[id] or [type]/[id]/_history/[version]."""
    match parts:
        case [type]:
            return type, None, None
        case [type, id] if not id.startswith(("_", "$")):
            return type, id, None
        case [type, id, "_history", version] if version.isascii() and version.isdigit():
            return type, id, int(version)
    raise Malformed(Issue(BAD_URL, f"{at}.url"))


def _addressed(method: str, id: str | None, query: str, at: str) -> None:
    """POST names a type alone; PUT, PATCH and DELETE an id or a condition."""
    if method == "POST" or (id is None) == (not query):
        raise Malformed(Issue(BAD_URL, f"{at}.url"))


def _expected(if_match: str | None, at: str) -> frozenset[int] | None:
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return ANY
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")]
    if not all(tag.isascii() and tag.isdigit() for tag in tags):
        raise Malformed(Issue(BAD_MATCH, f"{at}.ifMatch"))
    return frozenset(int(tag) for tag in tags)


def change(asked: Asked) -> Callable[[Resource], Resource]:
    """The patch that an entry carries, as a function from the resource before to the resource after."""
    sent = asked.sent or {}
    match sent.get("resourceType"), sent.get("contentType"):
        case "Parameters", _:
            steps = fhirpath_patch.read(sent)
            return lambda resource: fhirpath_patch.apply(resource, steps)
        case "Binary", "application/json-patch+json":
            operations = json_patch.read(_operations(asked))
            return lambda resource: json_patch.apply(resource, operations)
    raise Malformed(Issue(BAD_PATCH, f"{asked.at}.resource"))


def _operations(asked: Asked) -> object:
    try:
        return json.load(base64.b64decode((asked.sent or {}).get("data", ""), validate=True))
    except (binascii.Error, ValueError) as error:
        raise Malformed(Issue(BAD_PATCH, f"{asked.at}.resource.data")) from error

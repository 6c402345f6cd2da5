"""The invariants of Bundle. https://hl7.org/fhir/R4/bundle.html"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from creneau.fhir.validation.invariants.row import Element, Invariant, distinct, has, invariant


def _entries(bundle: Element) -> Iterator[Element]:
    return (entry for entry in bundle.get("entry", ()) if isinstance(entry, dict))


def _is(bundle: Element, *types: str) -> bool:
    return bundle.get("type") in types


def _requests_only_when_asking(bundle: Element) -> bool:
    wanted = _is(bundle, "batch", "transaction", "history")
    return all(("request" in entry) == wanted for entry in _entries(bundle))


def _responses_only_when_answering(bundle: Element) -> bool:
    wanted = _is(bundle, "batch-response", "transaction-response", "history")
    return all(("response" in entry) == wanted for entry in _entries(bundle))


def _version(entry: Element) -> str:
    resource: Any = entry.get("resource")
    meta = resource.get("meta") if isinstance(resource, dict) else None
    return str(meta.get("versionId", "")) if isinstance(meta, dict) else ""


def _urls_distinct(bundle: Element) -> bool:
    if _is(bundle, "history"):
        return True
    return distinct([f"{e.get('fullUrl', '')}{_version(e)}" for e in _entries(bundle) if has(e, "fullUrl")])


def _identified(bundle: Element) -> bool:
    identifier = bundle.get("identifier", {})
    return not _is(bundle, "document") or (has(identifier, "system") and has(identifier, "value"))


def _first_is(bundle: Element, type_name: str) -> bool:
    first: Any = next(_entries(bundle), {}).get("resource", {})
    return bool(first.get("resourceType") == type_name)


def _not_versioned(entry: Element) -> bool:
    # HL7's correction of the published text: an absent fullUrl breaks nothing.
    url = entry.get("fullUrl")
    return not isinstance(url, str) or "/_history/" not in url


BUNDLE: Final[tuple[Invariant, ...]] = (
    invariant(
        "bdl-1",
        "Bundle",
        "total n'existe que dans un Bundle searchset ou history",
        "total only in a searchset or history Bundle",
        lambda bundle: not has(bundle, "total") or _is(bundle, "searchset", "history"),
    ),
    invariant(
        "bdl-2",
        "Bundle",
        "entry.search n'existe que dans un Bundle searchset",
        "entry.search only in a searchset Bundle",
        lambda bundle: _is(bundle, "searchset") or all("search" not in entry for entry in _entries(bundle)),
    ),
    invariant(
        "bdl-3",
        "Bundle",
        "entry.request est obligatoire dans batch, transaction et history, interdit ailleurs",
        "entry.request is mandatory in batch, transaction and history, forbidden elsewhere",
        _requests_only_when_asking,
    ),
    invariant(
        "bdl-4",
        "Bundle",
        "entry.response est obligatoire dans batch-response, transaction-response et history, interdit ailleurs",
        "entry.response is mandatory in batch-response, transaction-response and history, forbidden elsewhere",
        _responses_only_when_answering,
    ),
    invariant(
        "bdl-5",
        "Bundle.entry",
        "Une entrée porte une ressource, une requête ou une réponse",
        "An entry has a resource, a request or a response",
        lambda entry: "resource" in entry or "request" in entry or "response" in entry,
    ),
    invariant(
        "bdl-7",
        "Bundle",
        "Un fullUrl n'apparaît qu'une fois par version dans un Bundle",
        "A fullUrl appears once per version in a Bundle",
        _urls_distinct,
    ),
    invariant(
        "bdl-8",
        "Bundle.entry",
        "Un fullUrl ne désigne pas une version (/_history/)",
        "A fullUrl is not version specific (/_history/)",
        _not_versioned,
    ),
    invariant(
        "bdl-9",
        "Bundle",
        "Un document a un identifiant avec système et valeur",
        "A document has an identifier with system and value",
        _identified,
    ),
    invariant(
        "bdl-10",
        "Bundle",
        "Un document a une date (timestamp)",
        "A document has a timestamp",
        lambda bundle: not _is(bundle, "document") or "timestamp" in bundle,
    ),
    invariant(
        "bdl-11",
        "Bundle",
        "La première ressource d'un document est une Composition",
        "The first resource of a document is a Composition",
        lambda bundle: not _is(bundle, "document") or _first_is(bundle, "Composition"),
    ),
    invariant(
        "bdl-12",
        "Bundle",
        "La première ressource d'un message est un MessageHeader",
        "The first resource of a message is a MessageHeader",
        lambda bundle: not _is(bundle, "message") or _first_is(bundle, "MessageHeader"),
    ),
)

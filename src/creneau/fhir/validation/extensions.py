"""Extensions against their definitions. https://hl7.org/fhir/R4/extensibility.html"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from creneau.fhir.definitions import is_resource
from creneau.fhir.validation.constraints import Profile
from creneau.fhir.validation.findings import (
    CONTEXT,
    UNKNOWN_MODIFIER,
    Check,
    Finding,
    Findings,
    is_structural,
)
from creneau.fhir.validation.profile import profile_check
from creneau.fhir.validation.rulebook import Rulebook


def extension_check(book: Rulebook, base: Check, owner: str, modifier: bool) -> Check:
    """The check of one extension of an element of type `owner`: its shape (`base`), then its definition when the url is known.

    An unknown extension is allowed; an unknown modifierExtension is not, since nobody may act on what it modifies.
    """
    known: dict[str, Check] = {}

    def check(value: Any) -> Findings:
        found = base(value)
        if found is not None and is_structural(found):
            return found
        url = value.get("url")
        defined = known.get(url)
        if defined is None:
            defined = _definition(book, url, owner)
            if defined is None:
                return [*(found or ()), Finding(UNKNOWN_MODIFIER)] if modifier else found
            known[url] = defined
        more = defined(value)
        return found if more is None else [*(found or ()), *more]

    return check


def _definition(book: Rulebook, url: Any, owner: str) -> Check | None:
    profile = book.profile(url) if isinstance(url, str) else None
    if profile is None or profile.type != "Extension":
        return None
    content = profile_check(book, profile.url)
    if content is None:
        return None
    return content if _in_context(profile, owner) else _misplaced(profile, content)


def _in_context(profile: Profile, owner: str) -> bool:
    contexts = profile.contexts
    if not contexts or "Element" in contexts or owner in contexts or owner == "Extension":
        return True
    if "BackboneElement" in contexts and "." in owner:
        return True
    return is_resource(owner) and ("Resource" in contexts or "DomainResource" in contexts)


def _misplaced(profile: Profile, content: Check) -> Callable[[Any], Findings]:
    words = {"url": profile.url, "contexts": ", ".join(profile.contexts)}
    finding = Finding(CONTEXT, values=words, note="context", about=frozenset(profile.contexts))

    def check(value: Any) -> Findings:
        return [finding, *(content(value) or ())]

    return check

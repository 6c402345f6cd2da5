"""Which resource types a Reference may name. https://hl7.org/fhir/R4/references.html"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from creneau.fhir.definitions import is_resource
from creneau.fhir.validation.findings import WRONG_TARGET, Check, Finding, Findings

_RELATIVE: Final = re.compile(r"([A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?").fullmatch
_LONGEST_END: Final = 256


def target_check(targets: Collection[str]) -> Check:
    """The check of a Reference of the right shape: the type it names, when that can be told, is one of `targets`."""
    allowed = frozenset(targets)
    words = {"types": ", ".join(targets)}
    wrong = [Finding(WRONG_TARGET, ".reference", values=words)]
    wrong_type = [Finding(WRONG_TARGET, ".type", values=words)]

    def check(reference: Mapping[str, Any]) -> Findings:
        text = reference.get("reference")
        if text is None:
            said = reference.get("type")
            return wrong_type if said is not None and said not in allowed and is_resource(said) else None
        if text.partition("/")[0] in allowed:
            return None
        if text.startswith("#"):
            return [
                Finding(
                    WRONG_TARGET, ".reference", values=words, note="local-type", about=(text[1:], allowed)
                )
            ]
        named = type_named(text)
        return wrong if named and named not in allowed else None

    return check


def type_named(text: str) -> str:
    """The resource type a literal reference names, "" when its form does not tell (urn:uuid:, another kind of URL)."""
    found = _RELATIVE(text)
    if found is not None:
        return found[1]
    _, slash, end = text[-_LONGEST_END:].partition("/")
    found = _last(end) if slash and "://" in text else None
    return found[1] if found is not None and is_resource(found[1]) else ""


def _last(end: str) -> re.Match[str] | None:
    parts = end.split("/")
    kept = parts[-4:] if len(parts) >= 4 and parts[-2] == "_history" else parts[-2:]
    return _RELATIVE("/".join(kept))

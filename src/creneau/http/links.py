"""Links of a search: `self` as understood, `next`; those of a POST search seal the criteria, which may name a patient.

https://hl7.org/fhir/R4/http.html#paging; SEC-42 (a link made from a POST search carries no identifier in clear), GAP-SEC-09.

The seal is encrypt-then-MAC: the criteria are xored with SHAKE-256(key, nonce), and BLAKE2b under a second key covers nonce and
text. Stateless, so any process that shares the key follows the link.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from creneau.http.request import Pairs
from creneau.problems import Issue, Malformed, refusal

CURSOR: Final = "_page"
SEALED: Final = "_sealed"

CLEAR: Final = frozenset(
    {"_count", "_sort", "_total", "_summary", "_elements", "_include", "_revinclude", "_include:iterate"}
    | {"_revinclude:iterate", "_format", "_pretty", "_lastUpdated", "_id"}
    | {"start", "end", "date", "status", "service-type", "specialty", "appointment-type", "slot-type"}
)
"""Parameters that name nobody: they stay readable in the links of a POST search, and a cursor sorted by them shows nothing."""

LINK_BAD = refusal(
    "page-link-unreadable",
    "value",
    "Ce lien de page n'est pas (ou n'est plus) lisible ; refaites la recherche.",
    "This page link is not (or no longer) readable; search again.",
)


def show(base: str, type: str, pairs: Iterable[tuple[str, str]]) -> str:
    """The URL of a search; `+` is written %2B, what FHIR reads as punctuation stays readable."""
    query = urlencode(list(pairs), quote_via=quote, safe=":,|/$")
    return f"{base}/{type}?{query}" if query else f"{base}/{type}"


def sealed(pairs: Pairs, key: bytes) -> Pairs:
    """The same parameters, those that may name somebody sealed in one."""
    hidden = [pair for pair in pairs if pair[0] not in CLEAR]
    if not hidden:
        return pairs
    clear = (pair for pair in pairs if pair[0] in CLEAR)
    return (*clear, (SEALED, _seal(secrets.token_bytes(16), msgspec.json.encode(hidden), key)))


def following(pairs: Pairs, cursor: str, key: bytes) -> Pairs:
    """The parameters of the next page; the cursor is sealed when the order is one of names or the like, which it repeats."""
    page = ((CURSOR, cursor),)
    keys = ",".join(value for name, value in pairs if name == "_sort").split(",")
    shows = any(code.strip().lstrip("-") not in CLEAR for code in keys if code)
    return pairs + (sealed(page, key) if shows else page)


def opened(pairs: Pairs, key: bytes) -> Pairs:
    """The parameters that a sealed link stands for. Refused: a seal that is not ours."""
    found: list[tuple[str, str]] = []
    for name, value in pairs:
        if name == SEALED:
            found.extend(_unseal(value, key))
        else:
            found.append((name, value))
    return tuple(found)


def _seal(nonce: bytes, text: bytes, key: bytes) -> str:
    hidden = _stream(nonce, text, key)
    return base64.urlsafe_b64encode(nonce + hidden + _mark(nonce + hidden, key)).decode().rstrip("=")


def _unseal(token: str, key: bytes) -> list[tuple[str, str]]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as bad:
        raise Malformed(Issue(LINK_BAD)) from bad
    content, mark = raw[:-32], raw[-32:]
    if not hmac.compare_digest(mark, _mark(content, key)):
        raise Malformed(Issue(LINK_BAD))
    return msgspec.json.decode(_stream(content[:16], content[16:], key), type=list[tuple[str, str]])


def _stream(nonce: bytes, text: bytes, key: bytes) -> bytes:
    pad = hashlib.shake_256(b"links" + key + nonce).digest(len(text))
    return (int.from_bytes(text, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(text), "big")


def _mark(content: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=32, key=hashlib.sha256(b"mark" + key).digest()).digest()

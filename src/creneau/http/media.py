"""Which format, language and preference a request asks for, read from its headers (each reading is remembered by header value).

https://hl7.org/fhir/R4/http.html#mime-type, #ops (Prefer); RFC 9110 §12.5. Never 406: an unknown `Accept` is answered in JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from creneau.problems import Issue, UnsupportedMedia, refusal

Format = Literal["json", "xml"]

FORMATS: Final[dict[str, Format]] = {
    "application/fhir+json": "json",
    "application/json+fhir": "json",
    "application/json": "json",
    "text/json": "json",
    "json": "json",
    "application/fhir+xml": "xml",
    "application/xml+fhir": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    "xml": "xml",
}
"""Every name of a format that is understood, in `Accept`, `_format` and `Content-Type` alike (SEC-28)."""

CONTENT_TYPE: Final[dict[Format, tuple[bytes, bytes]]] = {
    "json": (b"content-type", b"application/fhir+json; charset=utf-8"),
    "xml": (b"content-type", b"application/fhir+xml; charset=utf-8"),
}

MEDIA = refusal(
    "media-type-not-supported",
    "not-supported",
    "Ce type de contenu n'est pas compris ici ; sont attendus : {expected}.",
    "This content type is not understood here; expected: {expected}.",
)
CHARSET = refusal(
    "charset-not-supported",
    "not-supported",
    "Le seul jeu de caractères accepté est UTF-8.",
    "UTF-8 is the only character set accepted.",
)
ENCODING = refusal(
    "content-encoding-not-supported",
    "not-supported",
    "Le seul codage de contenu accepté est gzip.",
    "gzip is the only content encoding accepted.",
)


class Prefer(NamedTuple):
    """`returns` is "representation", "minimal" or "OperationOutcome"; `strict` is `handling=strict`."""

    returns: str = "representation"
    strict: bool = False


def weighted(header: str, most: int = 32) -> Iterator[tuple[str, float]]:
    """The first `most` names of a list header, lower case, with their q between 0 and 1 (1 when absent, 0 when unreadable)."""
    for part in header.split(",")[:most]:
        name, *parameters = part.split(";")
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                weight = _weight(value.strip())
        yield name.strip().lower(), weight


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 <= value <= 1.0 else 0.0


@lru_cache(maxsize=512)
def negotiate(accept: bytes | None, wanted: str | None = None) -> Format:
    """The format of the answer: `_format` when understood, else the heaviest known name of `Accept`, else JSON.

    A browser (text/html in its `Accept`) gets JSON, though it ranks XML above `*/*`. A `+` of `_format` read as a space is repaired.
    """
    named = FORMATS.get((wanted or "").split(";")[0].strip().lower().replace(" ", "+"))
    if named or accept is None:
        return named or "json"
    best: Format = "json"
    highest = 0.0
    for name, weight in weighted(accept.decode("latin-1")):
        if name == "text/html":
            return "json"
        found = FORMATS.get(name)
        if name in ("*/*", "application/*"):
            found = "json"
        if found and weight > highest:
            best, highest = found, weight
    return best


@lru_cache(maxsize=512)
def media_type(header: bytes) -> tuple[str, str]:
    """The media type of a `Content-Type`, lower case, and its charset ("" when absent)."""
    name, *parameters = header.decode("latin-1").lower().split(";")
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset":
            return name.strip(), value.strip().strip("\"'")
    return name.strip(), ""


def body_format(header: bytes | None, body: bytes) -> Format:
    """The format of a sent resource; without `Content-Type`, told from its first character. Other media or charset: 415."""
    if not header:
        return "xml" if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else "json"
    name, charset = media_type(header)
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise UnsupportedMedia(Issue(CHARSET))
    found = FORMATS.get(name)
    if found is None or "/" not in name:
        raise UnsupportedMedia(
            Issue(MEDIA, values={"expected": "application/fhir+json, application/fhir+xml"})
        )
    return found


@lru_cache(maxsize=512)
def language(header: bytes | None, default: str) -> str:
    """ "fr" or "en", whichever `Accept-Language` ranks first; `default` when it names neither."""
    best, highest = default, 0.0
    for name, weight in weighted((header or b"").decode("latin-1")):
        primary = name.split("-")[0]
        if primary in ("fr", "en") and weight > highest:
            best, highest = primary, weight
    return best


@lru_cache(maxsize=512)
def prefer(header: bytes) -> Prefer:
    """What `Prefer` asks (RFC 7240); what is not understood is ignored."""
    returns, strict = "representation", False
    for part in header.decode("latin-1").replace(";", ",").split(","):
        key, _, value = part.partition("=")
        value = value.strip().strip('"').lower()
        if key.strip().lower() == "return":
            returns = {"minimal": "minimal", "operationoutcome": "OperationOutcome"}.get(
                value, "representation"
            )
        elif key.strip().lower() == "handling":
            strict = value == "strict"
    return Prefer(returns, strict)

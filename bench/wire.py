"""HTTP/1.1 as bytes: requests to write, answers to cut out of a stream (RFC 9112), nothing that costs the load generator."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

FHIR_JSON: Final = "application/fhir+json"
_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length:[ \t]*(\d+)")
_CHUNKED: Final = re.compile(rb"(?i)\r\ntransfer-encoding:[^\r]*chunked")
_CLOSE: Final = re.compile(rb"(?i)\r\nconnection:[^\r]*close")
_WHOLE: Final = b"\r\n\r\n"


class Answer(NamedTuple):
    """A whole response: `head` is the status line and header lines as received, `body` without its transfer coding."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, "" when absent."""
        found = re.search(rb"(?i)\r\n" + re.escape(name.encode()) + rb":[ \t]*([^\r]*)", self.head)
        return found[1].decode("latin-1").strip() if found else ""

    @property
    def last(self) -> bool:
        """Whether the server closes the connection after this answer."""
        return _CLOSE.search(self.head) is not None


class Target(NamedTuple):
    """A FHIR base URL, taken apart once; `extra` are header lines sent with every request (an Authorization, say)."""

    host: str
    port: int
    path: str
    tls: bool
    extra: str

    def request(self, method: str, path: str, body: bytes = b"", headers: str = "") -> bytes:
        """The bytes of a request to `path`, which is relative to the base ("": the base itself); `headers` are whole lines ended by CRLF."""
        where = f"{self.path}/{path}" if path else self.path or "/"
        head = (
            f"{method} {where} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Accept: {FHIR_JSON}\r\n{self.extra}{headers}"
        )
        if body or method in ("POST", "PUT", "PATCH"):
            if "content-type:" not in headers.lower():
                head += f"Content-Type: {FHIR_JSON}\r\n"
            head += f"Content-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body


def target(base: str, extra: tuple[str, ...] = ()) -> Target:
    """Take a base URL apart; `extra` are "Name: value" headers. Raises ValueError when it is not an http(s) URL."""
    parts = urlsplit(base.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an http:// or https:// base URL expected")
    tls = parts.scheme == "https"
    lines = "".join(f"{line}\r\n" for line in extra)
    return Target(parts.hostname, parts.port or (443 if tls else 80), parts.path, tls, lines)


def escaped(value: str) -> str:
    """A value to put after `=` in a query; the separators that FHIR gives a meaning stay as they are."""
    return quote(value, safe=":|,/")


class Cutter:
    """Cuts answers out of the bytes of one connection, one at a time."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head = b""
        self._length = 0  # of the body; -1 chunked, -2 until the connection closes

    def feed(self, data: bytes) -> Answer | None:
        """Take received bytes; the answer when it is whole."""
        self._buffer += data
        if not self._head and not self._begin():
            return None
        if self._length >= 0:
            return self._cut(bytes(self._buffer)) if len(self._buffer) >= self._length else None
        if self._length == -1 and (body := dechunked(self._buffer)) is not None:
            return self._cut(body)
        return None

    def closed(self) -> Answer | None:
        """The connection ended: the answer that ended with it, None when it was not whole."""
        return self._cut(bytes(self._buffer)) if self._head and self._length == -2 else None

    def _begin(self) -> bool:
        end = self._buffer.find(_WHOLE)
        if end < 0:
            return False
        head = bytes(self._buffer[: end + 2])
        del self._buffer[: end + 4]
        status = int(head[9:12])
        if 100 <= status < 200:
            return self._begin()
        self._head, self._length = head, _body_length(status, head)
        return True

    def _cut(self, body: bytes) -> Answer:
        head, self._head = self._head, b""
        self._buffer.clear()
        return Answer(int(head[9:12]), head, body)


def _body_length(status: int, head: bytes) -> int:
    if status in (204, 304):
        return 0
    if found := _LENGTH.search(head):
        return int(found[1])
    return -1 if _CHUNKED.search(head) else -2


def dechunked(data: bytes | bytearray) -> bytes | None:
    """The body of a chunked message, None while it is not whole (trailers are not expected)."""
    if not data.endswith(b"0\r\n\r\n"):
        return None
    parts: list[bytes] = []
    at = 0
    while True:
        line = data.find(b"\r\n", at)
        if line < 0:
            return None
        size = int(bytes(data[at:line]).split(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        at = line + 2
        if at + size > len(data):
            return None
        parts.append(bytes(data[at : at + size]))
        at += size + 2

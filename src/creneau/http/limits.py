"""Reading a body within its limits, counted while it streams, before and after gzip.

SEC-20, SEC-26 of the reliability study; contract, "Limits".
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, NamedTuple

from creneau.http.media import ENCODING
from creneau.http.outcomes import TooSlow
from creneau.problems import Issue, Malformed, TooLong, Unavailable, UnsupportedMedia, refusal

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

BODY = refusal(
    "body-too-long",
    "too-long",
    "Le corps dépasse la limite de {limit} octets.",
    "The body is over the limit of {limit} bytes.",
)
RATIO = refusal(
    "compression-ratio",
    "too-long",
    "Le corps compressé se déploie plus de {ratio} fois.",
    "The compressed body unfolds more than {ratio} times.",
)
GZIP = refusal(
    "gzip-malformed",
    "structure",
    "Le corps annoncé en gzip est illisible.",
    "The body said to be gzip is unreadable.",
)
SLOW = refusal(
    "body-too-slow",
    "timeout",
    "Le corps n'est pas arrivé en entier en {seconds:g} secondes.",
    "The whole body did not arrive within {seconds:g} seconds.",
)
FULL = refusal(
    "too-many-bytes",
    "throttled",
    "Trop de corps sont en cours de réception ; réessayez dans un instant.",
    "Too many bodies are being received; try again in a moment.",
)
FORGIVEN: Final = 32 << 20
"""Bytes of an announced body that are still received, and thrown away, so that its sender reads why it is refused."""
RATIO_FLOOR: Final = 1 << 16
"""Bytes under which the ratio is not looked at: a small answer costs nothing whatever its ratio."""


class Disconnected(Exception):
    """The client went away before its body was whole; nobody is left to answer."""


class Held:
    """Bytes of all the bodies held at one moment, `most` of them at the most."""

    __slots__ = ("most", "size")

    def __init__(self, most: int) -> None:
        self.most, self.size = most, 0

    def take(self, size: int) -> None:
        """Hold that many more; Unavailable when it would be too many."""
        if self.size + size > self.most:
            raise Unavailable(Issue(FULL))
        self.size += size

    def give(self, size: int) -> None:
        """Hold that many less."""
        self.size -= size


class Bounds(NamedTuple):
    """What one body may be: `limit` bytes, within `seconds`, out of what may be `held` at one moment."""

    limit: int
    seconds: float
    held: Held


async def body(receive: Receive, headers: dict[bytes, bytes], bounds: Bounds) -> bytes:
    """The whole body, its bytes taken from `held` (to be given back). Refused: too long (TooLong), too slow (TooSlow)."""
    limit, seconds, held = bounds
    declared = headers.get(b"content-length", b"0")
    length = int(declared[:20]) if declared.isdigit() else 0
    try:
        async with asyncio.timeout(seconds):
            if length <= limit:
                return await _received(receive, limit, held)
            if length <= FORGIVEN:
                await _discarded(receive)
    except TimeoutError as late:
        raise TooSlow(Issue(SLOW, values={"seconds": seconds})) from late
    raise TooLong(Issue(BODY, values={"limit": limit}))


async def _discarded(receive: Receive) -> None:
    # Most clients read no answer before their body is sent: closing at once would hide the refusal behind a reset.
    while (await receive()).get("more_body"):
        pass


async def _received(receive: Receive, limit: int, held: Held) -> bytes:
    pieces: list[bytes] = []
    size, more = 0, True
    try:
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            pieces.append(message.get("body", b""))
            held.take(len(pieces[-1]))
            size += len(pieces[-1])
            if size > limit:
                raise TooLong(Issue(BODY, values={"limit": limit}))
            more = message.get("more_body", False)
    except BaseException:
        held.give(size)
        raise
    return b"".join(pieces)


def unfold(content: bytes, encoding: bytes | None, limit: int, ratio: int) -> bytes:
    """The body without its `Content-Encoding`: none, identity or gzip. Stops as soon as the size or the ratio is passed."""
    if encoding is None or encoding.strip().lower() in (b"", b"identity"):
        return content
    if encoding.strip().lower() not in (b"gzip", b"x-gzip"):
        raise UnsupportedMedia(Issue(ENCODING))
    most = min(limit, max(RATIO_FLOOR, ratio * len(content)))
    reader = zlib.decompressobj(wbits=31)
    try:
        plain = reader.decompress(content, most + 1)
    except zlib.error as bad:
        raise Malformed(Issue(GZIP)) from bad
    if len(plain) > most:
        why = Issue(BODY, values={"limit": limit}) if most == limit else Issue(RATIO, values={"ratio": ratio})
        raise TooLong(why)
    if not reader.eof or reader.unused_data:
        raise Malformed(Issue(GZIP))
    return plain

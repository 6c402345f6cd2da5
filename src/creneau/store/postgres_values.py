"""Texts as PostgreSQL can keep them in a key: without the character 0, and not longer than its indexes accept.

https://www.postgresql.org/docs/current/datatype-character.html, …/btree.html. The same text is written and asked for in the same form.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, TypeVar

LONGEST: Final = 1_000
"""Bytes of a text that is kept whole; a key of two such texts stays under the 2,704 bytes of an index entry."""

SHORT: Final = LONGEST // 4
"""Characters of a text that is surely kept whole, unless it has the character 0."""

START: Final = 900
"""Bytes that are left of a longer one, before its digest."""

NUL: Final = "\uffff"  # a noncharacter, which no text of a client has a reason to hold

Any = TypeVar("Any")


def kept(text: str) -> str:
    """The text as it is kept: of a long one its start, for searches by prefix, and a digest, for equality."""
    if len(text) <= SHORT and "\0" not in text:
        return text
    text = text.replace("\0", NUL)
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) <= LONGEST:
        return text
    return raw[:START].decode("utf-8", "ignore") + sha256(raw).hexdigest()


def kept_in(values: tuple[Any, ...]) -> tuple[Any | str, ...]:
    """The same for the texts among several values."""
    return tuple(kept(value) if isinstance(value, str) else value for value in values)

"""Forms in which texts are compared: names without case and accents, telephone numbers without punctuation.

https://hl7.org/fhir/R4/search.html#string ("normalized by case and combining characters"), #token (ContactPoint).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_SHORT: Final = 80  # longer texts are not kept: a cache of them would be a client's to fill
_MARKS: Final = re.compile(r"[\s'’‘ʼ`´\-‐‑‒–—_·,]+")
_LETTERS: Final = {ord("œ"): "oe", ord("æ"): "ae", ord("ø"): "o"}
_NUMBER: Final = re.compile(r"\+?[\d\s.()/-]+").fullmatch
_FRENCH: Final = re.compile(
    r"(?:\+|00)?33(\d{9})"
).fullmatch  # a raw + in a query string is a space, hence none
_PUNCTUATION: Final = re.compile(r"[\s.()/-]+")


def fold(text: str) -> str:
    """The text without case, accents, ligatures; apostrophes, hyphens, commas and runs of spaces are one space. May be empty."""
    return _kept(text) if len(text) <= _SHORT else _folded(text)


def _folded(text: str) -> str:
    text = text.casefold()
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text.translate(_LETTERS))
        text = "".join(c for c in parts if not unicodedata.combining(c)).casefold()
    return _MARKS.sub(" ", text).strip()


_kept = lru_cache(maxsize=8192)(_folded)


def contact(text: str) -> str:
    """A telephone number without punctuation, French ones as they are dialled there (0…); any other address without case."""
    text = text.strip()
    if not _NUMBER(text):
        return text.casefold()
    digits = _PUNCTUATION.sub("", text.replace("(0)", ""))
    french = _FRENCH(digits)
    return "0" + french[1] if french else digits

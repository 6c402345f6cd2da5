"""Persons who exist nowhere, whose names and numbers are sent everywhere and must be found in no log (SEC-31, SEC-40)."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import quote


def key(number: int) -> int:
    """The two digits that end a NIR."""
    return 97 - number % 97


_BARE = 2_751_275_002_345
INS = f"{_BARE}{key(_BARE):02}"
FAMILY = "Ébrouissard"
GIVEN = "Quinquagésime"
PHONE = "+33612349876"
BORN = "1975-12-31"
COMMENT = "hémarthrose du canari"
ALL = (INS, FAMILY, GIVEN, PHONE, COMMENT)

NAMES = ("brouissard", "BROUISSARD", "Quinquag", "QUINQUAG", "marthrose")
"""What is left of them under any spelling of their accents."""

FORMS = (INS, INS[:13], INS[::-1], PHONE, PHONE[3:], "6 12 34 98 76", "2 75 12 75 002 345")


def encoded(text: str) -> list[str]:
    """Base64 of a text wherever it stands in what was encoded: the characters that do not depend on its neighbours."""
    found = []
    for shift in range(3):
        whole = base64.b64encode(b"\x00" * shift + text.encode()).decode()
        found.append(whole[(shift * 8 + 5) // 6 : -4])
    return found


def spellings(text: str) -> set[str]:
    """A text as a log could hold it: plain, percent-encoded, escaped in JSON, read in another charset, in base64."""
    percent = quote(text)
    plain = {text, percent, percent.lower(), quote(percent), json.dumps(text)[1:-1]}
    return plain | {text.encode().decode("latin-1"), *encoded(text)}


_DIGITS = re.compile(r"(?<!\d)\d{15}(?!\d)")


def leaks(shown: str) -> list[str]:
    """The canaries, and any number with the key of a NIR, that a text holds."""
    wanted = {*FORMS, *NAMES, BORN} | {spelled for one in ALL for spelled in spellings(one)}
    numbers = [one for one in _DIGITS.findall(shown) if key(int(one[:13])) == int(one[13:])]
    return sorted(one for one in wanted if one in shown) + numbers


def lines(log: Path) -> list[dict[str, object]]:
    """The lines of a log but those that tell an administrator where the server listens; each is one JSON object."""
    found = []
    for line in log.read_text().splitlines():
        if line.startswith("{"):
            value = json.loads(line)
            assert isinstance(value, dict)
            found.append(value)
    return found

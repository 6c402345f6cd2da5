"""Primitive values: what is accepted, what is refused, and never slowly. https://hl7.org/fhir/R4/datatypes.html#primitive"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creneau.fhir.definitions import is_primitive
from creneau.fhir.validation.instants import later
from creneau.fhir.validation.narrative import has_content, is_safe
from creneau.fhir.validation.primitives import FORMS, RANGES, primitive_check
from creneau.fhir.validation.targets import type_named

RIGHT: dict[str, list[Any]] = {
    "boolean": [True, False],
    "integer": [0, -(2**31), 2**31 - 1],
    "unsignedInt": [0, 2**31 - 1],
    "positiveInt": [1, 2**31 - 1],
    "decimal": [0, 1, Decimal("1.00"), Decimal("-0.0"), Decimal("1E-21"), 2.5],
    "string": ["a", " a ", "a\nb\tc", "\u00a0", "prix\u202f: 5", "é", "a" * 100_000],
    "markdown": ["# titre\n\n* a"],
    "code": ["a", "a b", "é", "a-b"],
    "id": ["a", "A-b.9", "1" * 64],
    "uri": ["a", "urn:x", "https://x.fr/a?b=c#d", "Patient/1"],
    "url": ["https://x.fr"],
    "canonical": ["https://x.fr/StructureDefinition/a|1.0", "#a"],
    "oid": ["urn:oid:1.2.250.1.213", "urn:oid:2.0"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "date": ["2026", "2026-02", "2026-02-28", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"],
    "dateTime": [
        "2026",
        "2026-02",
        "2026-02-28",
        "2026-02-28T23:59:60Z",
        "2026-02-28T00:00:00.123456789+14:00",
    ],
    "instant": ["2026-02-28T00:00:00Z", "2026-02-28T00:00:00.5-13:59"],
    "time": ["00:00:00", "23:59:60.5"],
    "base64Binary": ["AAAA", "AA==", "AAA=", "AA AA\r\n\tAAAA", "+/+/"],
    "xhtml": ["<div/>"],
}

WRONG: dict[str, list[Any]] = {
    "boolean": [0, 1, "true", None, [], Decimal(1)],
    "integer": [2**31, -(2**31) - 1, "1", True, 1.0, Decimal("1.0"), None],
    "unsignedInt": [-1, 2**31, False],
    "positiveInt": [0, -1, True],
    "decimal": ["1", True, Decimal("NaN"), Decimal("Infinity"), float("nan"), float("inf"), None],
    "string": ["", " ", "\t\r\n", "a\x00b", "a\x1fb", 1, True, None, [], {}],
    "markdown": ["", "\x0b", 1],
    "code": ["", " a", "a ", "a  b", "a\tb", "a\nb", 1],
    "id": ["", "a b", "a_b", "1" * 65, "é", "a\n", 1],
    "uri": ["", "a b", "a\n", "a\u00a0b", 1],
    "url": ["a b"],
    "canonical": ["a b"],
    "oid": ["1.2.3", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1.", "urn:oid:1"],
    "uuid": ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"],
    "date": [
        *(
            "",
            "26",
            "2026-1",
            "2026-13",
            "2026-00",
            "2026-02-29",
            "2026-02-31",
            "1900-02-29",
            "2026-04-31",
            "0000",
        ),
        *("2026-01-01T00:00:00Z", "2026-01-01\n", "２０２６", 2026),
    ],
    "dateTime": [
        *("2026-01-01T00:00Z", "2026-01-01T00:00:00", "2026-01-01T24:00:00Z", "2026-01T00:00:00Z"),
        *(
            "2026-02-30T00:00:00Z",
            "2026-01-01T00:00:61Z",
            "2026-01-01T00:00:00+14:30",
            "2026-01-01 00:00:00Z",
        ),
    ],
    "instant": ["2026", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-02-29T00:00:00Z"],
    "time": ["24:00:00", "10:00", "10:00:00Z"],
    "base64Binary": ["", "A", "AA", "AAA", "A===", "AA=A", "AAAA\u00a0", "AAAA\x1c", "-_-_", "AAAA===="],
    "xhtml": ["", 1],
}


def test_every_primitive_type_has_right_and_wrong_values_here() -> None:
    assert set(RIGHT) == set(WRONG) == {*FORMS, *RANGES, "boolean", "decimal"}
    assert all(is_primitive(name) for name in RIGHT)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in RIGHT for value in RIGHT[name]])
def test_a_right_value_is_accepted(name: str, value: Any) -> None:
    assert primitive_check(name)(value) is None


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_wrong_value_is_refused(name: str, value: Any) -> None:
    found = primitive_check(name)(value)

    assert found is not None
    assert len(found) == 1


@given(st.integers(0, 10_000), st.integers(0, 13), st.integers(0, 32))
def test_a_date_is_accepted_when_the_calendar_has_it(year: int, month: int, day: int) -> None:
    text = f"{year:04}-{month:02}-{day:02}"
    try:
        expected = date(year, month, day).isoformat() == text
    except ValueError:
        expected = False

    assert (primitive_check("date")(text) is None) is expected
    assert (primitive_check("instant")(text + "T00:00:00Z") is None) is expected


MEGABYTE = 1024 * 1024

# Ends that make a backtracking engine try again from every place.
EVIL = [
    (unit * (MEGABYTE // len(unit)))[: MEGABYTE - len(end)] + end
    for unit in (
        "A",
        "=",
        " ",
        "\n",
        "AAAA ",
        "a ",
        "a.",
        "0.",
        "1",
        "9",
        "/",
        "a/",
        "-",
        "\u00a0",
        "é ",
        "\t",
        "\x0b",
    )
    for end in ("", "!", " ", "\x00", "=", "\n", "é")
] + [
    prefix + body * ((MEGABYTE - 60) // len(body)) + end
    for prefix, body in (
        ("2026-01-01T00:00:00.", "0"),
        ("urn:oid:1", ".0"),
        ("urn:oid:1.", "1"),
        ("urn:uuid:", "a"),
        ("https://", "a/"),
        ("Patient/", "1"),
        ("", "AAAA\r\n"),
    )
    for end in ("", "x", "Z", "=")
]

READERS: dict[str, Callable[[Any], object]] = {
    **{name: primitive_check(name) for name in RIGHT},
    "type of a reference": type_named,
    "comparison": lambda value: later(value, value),
    "narrative": lambda value: (is_safe(value), has_content(value)),
}


@pytest.mark.parametrize("name", READERS)
def test_no_text_of_a_megabyte_takes_long(name: str) -> None:
    slowest = 0.0
    for text in EVIL:
        start = process_time()
        READERS[name](text)
        slowest = max(slowest, process_time() - start)

    # 50 ms is the bound of SEC-25; several times that absorbs a busy machine, and is far from what backtracking takes.
    assert slowest < 0.2


@pytest.mark.parametrize(
    "unit", ["<b/>", "<b>", "<p>a</p>", "&lt;", "<!-- -->", "<a href='#'/>", "&a;", "<", "<p "]
)
def test_no_narrative_of_a_megabyte_takes_long(unit: str) -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml">' + unit * (MEGABYTE // len(unit)) + "</div>"

    start = process_time()
    is_safe(div)

    assert process_time() - start < 0.3


@pytest.mark.parametrize(
    ("reference", "type_name"),
    [
        ("Patient/1", "Patient"),
        ("Patient/1/_history/2", "Patient"),
        ("https://x.fr/fhir/Patient/1", "Patient"),
        ("https://x.fr/fhir/Patient/1/_history/2", "Patient"),
        ("https://x.fr/a/b", ""),
        ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", ""),
        ("#p", ""),
        ("Foo/1", "Foo"),
        ("https://x.fr/Patient?identifier=1", ""),
    ],
)
def test_the_type_of_a_reference_is_read_from_its_text(reference: str, type_name: str) -> None:
    assert type_named(reference) == type_name

"""The longest texts that a body may hold, shaped against each primitive's reader, are answered in time (SEC-20, SEC-25).

The shapes are those that send a backtracking expression, a reader that copies what remains, or a sum of digits into quadratic time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from creneau.fhir.definitions import elements, is_primitive
from tests.client import Reply
from tests.fuzz.conftest import watched
from tests.fuzz.sending import Line

MEBIBYTE = 1 << 20
ROOM = 2_000
"""Bytes of a body around its long text."""

SENT_JSON = [("Content-Type", "application/fhir+json")]
SENT_XML = [("Content-Type", "application/fhir+xml"), ("Accept", "application/fhir+xml")]
PRIMITIVES = sorted(
    element.name.removeprefix("value")
    for element in elements("Extension").values()
    if element.choice == "value[x]" and is_primitive(element.type)
)
PREFIXES = {
    "Date": "2026-01-",
    "DateTime": "2026-01-01T00:00:00.",
    "Instant": "2026-01-01T00:00:00.",
    "Time": "00:00:00.",
    "Oid": "urn:oid:1.",
    "Uuid": "urn:uuid:",
    "Uri": "http://",
    "Url": "http://a@",
    "Canonical": "http://a|",
}
# Each primitive meets a quarter of these: its neighbours in the alphabet, which are read by the same few functions, meet the others.
UNITS = ["0", "1.", "A", "A= ", "a ", " ", "-", "/.", "\t\n", "é", "e1", "\\\\", "<", "&amp;", "😀"]
ENDS = ["", "!", "Z", "=", "\\n"]


def long(prefix: str, unit: str, end: str, room: int = ROOM) -> str:
    """A text as long as a body of 1 MiB can hold, in the units of its escaped form."""
    size = MEBIBYTE - room - len(prefix) - len(end)
    return prefix + unit * (size // len(unit.encode())) + end


def answered(heavy: Line, target: str, body: bytes, headers: list[tuple[str, str]]) -> Reply:
    assert len(body) <= MEBIBYTE, len(body)
    return heavy.send("POST", target, body, headers)


def extended(heavy: Line, kind: str, text: str) -> None:
    start, end = (
        f'{{"resourceType":"Patient","extension":[{{"url":"urn:a","value{kind}":"',
        '"}]}',
    )
    reply = answered(heavy, "/Patient/$validate", f"{start}{text}{end}".encode(), SENT_JSON)
    assert reply.status in (200, 400)


@pytest.mark.parametrize("kind", PRIMITIVES)
def test_the_longest_texts_of_a_primitive_are_read_in_time(heavy: Line, kind: str) -> None:
    for number, unit in list(enumerate(UNITS))[PRIMITIVES.index(kind) % 4 :: 4]:
        escaped = unit.replace("\t", "\\t").replace("\n", "\\n")
        extended(heavy, kind, long(PREFIXES.get(kind, ""), escaped, ENDS[number % len(ENDS)]))


@pytest.mark.parametrize("kind", ["Base64Binary", "Date", "Decimal", "Integer", "String", "Uri"])
def test_the_longest_texts_in_xml_are_read_in_time(heavy: Line, kind: str) -> None:
    start = f'<Patient xmlns="http://hl7.org/fhir"><extension url="urn:a"><value{kind} value="'
    for unit in ("0", "A ", "&#x9;", "\u00e9", "."):
        body = f'{start}{long("", unit, "")}"/></extension></Patient>'.encode()

        reply = answered(heavy, "/Patient/$validate", body, SENT_XML)

        assert reply.status in (200, 400)


NARRATIVES = [
    *(
        "<p>",
        "<p/>",
        "<a href='x'/>",
        "&lt;",
        "&#x1F600;",
        "x ",
        "<!-- -->",
        "<b>x</b>",
        "<p title='a'>x</p>",
        "\\u0009",
    ),
]


@pytest.mark.parametrize("unit", NARRATIVES)
def test_the_longest_narratives_are_read_in_time(heavy: Line, unit: str) -> None:
    div = "<div xmlns='http://www.w3.org/1999/xhtml'>" + long("", unit, "</div>")
    body = f'{{"resourceType":"Patient","text":{{"status":"generated","div":"{div}"}}}}'.encode()

    reply = answered(heavy, "/Patient/$validate", body, SENT_JSON)

    assert reply.status in (200, 400)


PLACES: list[tuple[str, Any]] = [
    ("Patient", {"identifier": [{"system": "urn:a", "value": "@"}]}),
    ("Patient", {"identifier": [{"system": "@", "value": "a"}]}),
    ("Patient", {"name": [{"family": "@"}]}),
    ("Patient", {"telecom": [{"system": "phone", "value": "@"}]}),
    ("Patient", {"address": [{"text": "@", "city": "@"}]}),
    ("Patient", {"generalPractitioner": [{"reference": "@"}]}),
    ("Patient", {"birthDate": "@"}),
    ("Patient", {"meta": {"profile": ["@"], "tag": [{"code": "@"}]}}),
    ("Appointment", {"status": "booked", "start": "@", "end": "@", "comment": "@", "participant": []}),
    ("Schedule", {"comment": "@", "actor": [{"reference": "@"}]}),
    ("Binary", {"contentType": "@", "data": "AAAA"}),
    ("Binary", {"contentType": "text/plain", "data": "@"}),
]
SHAPES = ["a", "1", "é", "a ", "/", "A", "\u0301", ".", "\ufb01", "%", "|", ","]


@pytest.mark.parametrize(("type", "content"), PLACES, ids=lambda value: str(value)[:50])
def test_the_longest_values_that_are_indexed_are_refused_or_kept_in_time(
    heavy: Line, type: str, content: dict[str, Any]
) -> None:
    wanted = json.dumps({"resourceType": type, **content}, ensure_ascii=False)
    several = wanted.count("@")
    for unit in SHAPES[:: 3 if several == 1 else 5]:
        room = MEBIBYTE - (MEBIBYTE - ROOM) // several
        reply = answered(heavy, f"/{type}", wanted.replace("@", long("", unit, "", room)).encode(), SENT_JSON)

        assert reply.status in (201, 400, 409, 422)


MANY = [
    '{"resourceType":"Patient","name":[' + ",".join(['{"family":"a"}'] * 24_000) + "]}",
    '{"resourceType":"Patient","extension":[' + ",".join(['{"url":"u","valueCode":"a"}'] * 16_000) + "]}",
    '{"resourceType":"Patient","contained":['
    + ",".join(f'{{"resourceType":"Device","id":"a{n}"}}' for n in range(15_000))
    + "]}",
    '{"resourceType":"Patient","link":['
    + ",".join(['{"other":{"reference":"Patient/1"},"type":"refer"}'] * 9_000)
    + "]}",
    '{"resourceType":"Patient",' + ",".join(f'"a{n}":1' for n in range(49_000)) + "}",
    '{"resourceType":"Patient",' + '"id":"a",' * 90_000 + '"active":true}',
    '{"resourceType":"Patient","name":' + "[" * 500_000 + "]" * 500_000 + "}",
    '{"resourceType":"Patient","multipleBirthInteger":' + "9" * 1_000_000 + "}",
    '{"resourceType":"Patient","multipleBirthInteger":0.' + "9" * 1_000_000 + "}",
    '{"resourceType":"Patient","active":true' + "\n" * 1_000_000 + "}",
    '{"resourceType":"Patient","id":"' + "\\u0061" * 170_000 + '"}',
    '{"resourceType":"Schedule","actor":[' + ",".join(['{"reference":"Location/1"}'] * 24_000) + "]}",
    '{"resourceType":"Appointment","status":"booked","participant":['
    + ",".join(['{"actor":{"reference":"Location/1"},"status":"accepted"}'] * 12_000)
    + "]}",
]


@pytest.mark.parametrize("body", MANY, ids=lambda body: body[:60])
def test_the_largest_shapes_of_a_body_are_answered_in_time(heavy: Line, body: str) -> None:
    type = json.loads(body[: body.index(",")] + "}")["resourceType"]

    reply = answered(heavy, f"/{type}", body.encode(), SENT_JSON)

    assert reply.status in (201, 400, 422)
    if reply.status == 201:
        assert heavy.send("GET", f"/{type}/{reply.id}", headers=SENT_XML[1:]).status == 200


PATCHES = [
    ("application/json-patch+json", '[{"op":"add","path":"' + "/a" * 500_000 + '","value":1}]'),
    ("application/json-patch+json", '[{"op":"test","path":"/' + "~0" * 500_000 + '","value":1}]'),
    (
        "application/json-patch+json",
        "[" + ",".join(['{"op":"copy","from":"/name","path":"/name/-"}'] * 20_000) + "]",
    ),
    (
        "application/json-patch+json",
        "[" + ",".join(['{"op":"copy","from":"","path":"/contained/0"}'] * 40) + "]",
    ),
    (
        "application/json-patch+json",
        "[" + ",".join(['{"op":"add","path":"/name/0/given/-","value":"a"}'] * 20_000) + "]",
    ),
    ("application/fhir+json", "Patient" + ".name" * 190_000),
    ("application/fhir+json", "Patient.name.where(" * 50_000),
    ("application/fhir+json", "Patient.name[" + "9" * 900_000 + "]"),
    ("application/fhir+json", "Patient.name.where(use = '" + "\\\\'" * 300_000 + "')"),
    ("application/fhir+json", "(" * 900_000),
    ("application/fhir+json", " " * 900_000),
]


@pytest.mark.parametrize(("media", "text"), PATCHES, ids=lambda text: text[:40])
def test_the_longest_patches_are_answered_in_time(heavy: Line, media: str, text: str) -> None:
    if not text.startswith("["):
        parts = f'[{{"name":"type","valueCode":"delete"}},{{"name":"path","valueString":"{text}"}}]'
        text = f'{{"resourceType":"Parameters","parameter":[{{"name":"operation","part":{parts}}}]}}'
    assert len(text) <= MEBIBYTE

    made = heavy.send("POST", "/Patient", b'{"resourceType":"Patient","name":[{"given":["a"]}]}', SENT_JSON)

    reply = heavy.send("PATCH", f"/Patient/{made.id}", text.encode(), [("Content-Type", media)])

    assert reply.status in (200, 400, 422)


LONG_ANSWERS = [
    "/Patient?_include=*&_revinclude=Appointment:actor&_include:iterate=Patient:link",
    "/Patient?_include=" + ",".join(["*"] * 200),
    "/Patient?_revinclude=" + ",".join(["Schedule:actor"] * 200),
    "/Patient?name:contains=" + ",".join(["ab"] * 20),
    "/Patient?_sort=name,-family,address,telecom&_summary=true&_format=xml",
    "/_history?_count=1000&_format=xml",
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, database_at: Callable[[Path], str]) -> Iterator[Line]:
    """A connection to a server with eight patients as large as they can be."""
    with watched(tmp_path_factory, "filled", database_at) as running:
        opened = Line(running)
        for letter in "abcdefgh":
            body = f'{{"resourceType":"Patient","name":[{{"family":"{long("", letter, "")}"}}]}}'
            answered(opened, "/Patient", body.encode(), SENT_JSON)
        yield opened
        opened.close()


@pytest.mark.parametrize("asked", LONG_ANSWERS, ids=lambda asked: asked[:50])
def test_many_large_resources_are_given_in_time(filled: Line, asked: str) -> None:
    reply = filled.send("GET", asked)

    assert reply.status == 200

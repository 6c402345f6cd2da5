"""Which format and language come back, and which are understood (contract, "Reads and searches"; SEC-28)."""

from __future__ import annotations

import gzip
import json

import pytest

from creneau.fhir import xml
from creneau.http import media
from creneau.http.settings import HttpSettings
from tests.http.running import Running

PATIENT = {"resourceType": "Patient", "name": [{"family": "Martin"}]}
JSON, XML = "application/fhir+json; charset=utf-8", "application/fhir+xml; charset=utf-8"

ACCEPTED = [
    ("application/fhir+json", JSON),
    ("application/json+fhir", JSON),
    ("application/json", JSON),
    ("application/fhir+xml", XML),
    ("application/xml", XML),
    ("text/xml", XML),
    ("*/*", JSON),
    ("application/fhir+xml;q=0.5, application/fhir+json", JSON),
    ("application/fhir+xml, application/fhir+json;q=0.5", XML),
    ("application/fhir+xml;q=0, */*;q=0.1", JSON),
    ("APPLICATION/FHIR+XML; fhirVersion=4.0", XML),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
    ("image/png", JSON),
    ("", JSON),
    (";;;,,,q=", JSON),
    ("application/fhir+xml;q=nan, application/json;q=1e400", JSON),
]


@pytest.mark.parametrize(("accept", "answered"), ACCEPTED)
def test_the_answer_has_the_format_that_accept_ranks_first_and_never_406(
    front: Running, accept: str, answered: str
) -> None:
    id = front.patient()

    reply = front.get(f"/fhir/Patient/{id}", Accept=accept)

    assert (reply.status, reply.headers["content-type"]) == (200, answered)


@pytest.mark.parametrize(
    ("wanted", "answered"),
    [
        ("json", JSON),
        ("xml", XML),
        ("text/xml", XML),
        ("application/fhir%2Bxml", XML),
        ("application/fhir+xml", XML),
        ("application/fhir+xml;charset=utf-8", XML),
        ("html", JSON),
        ("ttl", JSON),
    ],
)
def test_the_format_parameter_wins_over_accept_when_it_is_understood(
    front: Running, wanted: str, answered: str
) -> None:
    id = front.patient()

    reply = front.get(f"/fhir/Patient/{id}?_format={wanted}", Accept="application/fhir+json")

    assert (reply.status, reply.headers["content-type"]) == (200, answered)


@pytest.mark.parametrize("name", sorted(name for name in media.FORMATS if "/" in name))
def test_every_accepted_name_is_accepted_as_a_content_type(front: Running, name: str) -> None:
    body = xml.encode(PATIENT) if media.FORMATS[name] == "xml" else json.dumps(PATIENT).encode()

    reply = front.call("POST", "/fhir/Patient", body, {"Content-Type": f"{name}; charset=UTF-8"})

    assert reply.status == 201, reply.body


@pytest.mark.parametrize("body", [json.dumps(PATIENT).encode(), xml.encode(PATIENT)])
def test_a_body_without_content_type_is_told_from_its_first_character(front: Running, body: bytes) -> None:
    head = (
        f"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )

    assert front.raw(head.encode() + body).startswith(b"HTTP/1.1 201")


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("text/plain", "media-type-not-supported"),
        ("application/x-www-form-urlencoded", "media-type-not-supported"),
        ("json", "media-type-not-supported"),
        ("application/fhir+json; charset=iso-8859-1", "charset-not-supported"),
        ("application/fhir+xml; charset=utf-16", "charset-not-supported"),
    ],
)
def test_another_media_type_or_charset_is_415(front: Running, kind: str, key: str) -> None:
    reply = front.call("POST", "/fhir/Patient", json.dumps(PATIENT), {"Content-Type": kind})

    assert (reply.status, reply.keys) == (415, [key])


def test_an_xml_client_gets_refusals_in_xml(front: Running) -> None:
    reply = front.get("/fhir/Patient/none", Accept="application/fhir+xml")

    assert (reply.status, reply.headers["content-type"]) == (404, XML)
    assert xml.decode(reply.body)["resourceType"] == "OperationOutcome"


def test_an_xml_search_says_the_same_as_a_json_one(front: Running) -> None:
    front.patient()

    as_json, as_xml = (front.get(f"/fhir/Patient?_count=3&_format={name}") for name in ("json", "xml"))

    found = xml.decode(as_xml.body)
    assert [one["resource"] for one in found["entry"]] == [one["resource"] for one in as_json.json["entry"]]
    assert found["total"] == as_json.json["total"]


def test_pretty_indents_and_says_the_same(front: Running) -> None:
    id = front.patient()

    plain, pretty = (front.get(f"/fhir/Patient/{id}?_pretty={value}") for value in ("false", "true"))

    assert b'\n  "resourceType"' in pretty.body
    assert b"\n" not in plain.body
    assert pretty.json == plain.json


def test_elements_keeps_what_is_named(front: Running) -> None:
    id = front.patient(active=True)

    reply = front.get(f"/fhir/Patient/{id}?_elements=active")

    assert reply.json["active"] is True
    assert "name" not in reply.json


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "fr"),
        ("en", "en"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("fr-FR, en", "fr"),
        ("de", "fr"),
        ("en;q=0.1, fr", "fr"),
    ],
)
def test_sentences_are_in_french_unless_english_is_preferred(
    front: Running, header: str, language: str
) -> None:
    reply = front.get("/fhir/Nothing/1", Accept_Language=header)

    assert reply.headers["content-language"] == reply.json["language"] == language
    assert reply.json["issue"][0]["details"]["text"].startswith(
        "Ce type" if language == "fr" else "This resource type"
    )


def test_a_gzip_body_is_read(front: Running) -> None:
    body = gzip.compress(json.dumps(PATIENT).encode())

    reply = front.call(
        "POST", "/fhir/Patient", body, {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    )

    assert reply.status == 201


@pytest.mark.parametrize(
    ("encoding", "body", "status", "key"),
    [
        ("gzip", b"not gzip", 400, "gzip-malformed"),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4], 400, "gzip-malformed"),
        ("gzip", gzip.compress(b"{}", mtime=0) * 2, 400, "gzip-malformed"),
        ("br", b"{}", 415, "content-encoding-not-supported"),
        ("gzip, gzip", b"{}", 415, "content-encoding-not-supported"),
        ("gzip", gzip.compress(b" " * 900_000, mtime=0), 413, "compression-ratio"),
        ("gzip", gzip.compress(b" " * 200_000_000, mtime=0), 413, "body-too-long"),
    ],
)
def test_a_body_that_unfolds_badly_is_refused(
    front: Running, encoding: str, body: bytes, status: int, key: str
) -> None:
    reply = front.call("POST", "/fhir/Patient", body, {"Content-Encoding": encoding})

    assert (reply.status, reply.keys) == (status, [key])


def test_long_answers_are_compressed_only_when_the_setting_and_the_client_ask() -> None:
    with Running(HttpSettings(gzip_over=1000)) as running:
        asked = running.get("/fhir/metadata", Accept_Encoding="gzip, br")
        silent = running.get("/fhir/metadata", Accept_Encoding="identity")

        assert asked.headers["content-encoding"] == "gzip"
        assert gzip.decompress(asked.body) == silent.body
        assert "content-encoding" not in silent.headers


def test_what_prefer_says_is_read_whatever_its_spacing_and_case() -> None:
    assert media.prefer(b"return = Minimal ;handling=Strict") == media.Prefer("minimal", True)
    assert media.prefer(b'return="OperationOutcome", respond-async') == media.Prefer(
        "OperationOutcome", False
    )
    assert media.prefer(b"return=banana, \xff\xfe===;;") == media.Prefer()

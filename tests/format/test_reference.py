"""What a Reference points to, and where references stand in a resource."""

from __future__ import annotations

import json as standard
from typing import Any

import pytest

from creneau.fhir.reference import Bases, Contained, Foreign, Literal, Logical, Target, Urn, read, walk
from tests.format.made import official_examples

BASES = Bases(("https://agendas.example.org/fhir/", "http://LOCALHOST:8080/fhir"))


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Practitioner/1", Literal("Practitioner", "1")),
        ("Practitioner/a-B.9/_history/2", Literal("Practitioner", "a-B.9", "2")),
        ("https://agendas.example.org/fhir/Practitioner/1", Literal("Practitioner", "1")),
        ("HTTPS://Agendas.Example.org/fhir/Practitioner/1", Literal("Practitioner", "1")),
        ("https://agendas.example.org:443/fhir/Practitioner/1/", Literal("Practitioner", "1")),
        ("http://localhost:8080/fhir/Slot/x/_history/3", Literal("Slot", "x", "3")),
        (
            "https://agendas.example.org/FHIR/Practitioner/1",
            Foreign("https://agendas.example.org/FHIR/Practitioner/1"),
        ),
        (
            "https://agendas.example.org/fhirx/Practitioner/1",
            Foreign("https://agendas.example.org/fhirx/Practitioner/1"),
        ),
        (
            "https://agendas.example.org.evil.org/fhir/Slot/1",
            Foreign("https://agendas.example.org.evil.org/fhir/Slot/1"),
        ),
        ("https://agendas.example.org/fhir/metadata", Foreign("https://agendas.example.org/fhir/metadata")),
        ("http://localhost/fhir/Slot/1", Foreign("http://localhost/fhir/Slot/1")),
        ("http://other.example/Patient/1", Foreign("http://other.example/Patient/1")),
        ("#med", Contained("med")),
        ("#", Contained("")),
        (
            "urn:uuid:0b3a6d1e-5d0a-4a8e-9f0e-2b1c3d4e5f60",
            Urn("urn:uuid:0b3a6d1e-5d0a-4a8e-9f0e-2b1c3d4e5f60"),
        ),
        ("urn:oid:1.2.250.1.71", Urn("urn:oid:1.2.250.1.71")),
        ("", None),
        ("Practitioner", None),
        ("practitioner/1", None),
        ("Practitioner/1/2", None),
        ("Practitioner/é", None),
        ("Practitioner/" + "a" * 65, None),
        ("/Practitioner/1", None),
        ("../Practitioner/1", None),
        ("Practitioner/1\n", None),
        ("Patient?identifier=x|1", None),
        ("https://", None),
        ("https://a b/Patient/1", None),
        ("urn:isbn:1", None),
        ("javascript:alert(1)", None),
    ],
)
def test_a_literal_reference_is_ours_inside_foreign_or_unreadable(text: str, target: Target | None) -> None:
    assert read({"reference": text}, BASES) == target


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ({"identifier": {"system": "s", "value": "v"}}, Logical("s", "v")),
        ({"identifier": {"value": "v"}, "type": "Organization"}, Logical("", "v", "Organization")),
        ({"reference": "Patient/1", "identifier": {"value": "v"}}, Literal("Patient", "1")),
        ({"reference": "???", "identifier": {"value": "v"}}, Logical("", "v")),
        ({"reference": 3}, None),
        ({"identifier": "v"}, None),
        ({"identifier": {}}, None),
        ({"display": "Dr Martin"}, None),
        ({}, None),
    ],
)
def test_an_identifier_counts_when_no_literal_can_be_read(
    reference: dict[str, Any], target: Target | None
) -> None:
    assert read(reference, BASES) == target


def test_a_literal_is_shown_as_a_relative_reference() -> None:
    assert str(Literal("Slot", "1", "3")) == "Slot/1"


def test_every_reference_is_found_with_its_path() -> None:
    resource = {
        "resourceType": "Appointment",
        "contained": [{"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/1"}}],
        "extension": [
            {"url": "u", "extension": [{"url": "v", "valueReference": {"identifier": {"value": "x"}}}]}
        ],
        "_status": {"extension": [{"url": "w", "valueReference": {"reference": "Device/1"}}]},
        "identifier": [
            {"value": "n", "assigner": {"display": "x", "identifier": {"value": "o"}, "type": "Organization"}}
        ],
        "slot": [{"reference": "Slot/1"}, {"reference": "Slot/2", "display": "x"}],
        "participant": [{"actor": {"reference": "Patient/1"}}, {"actor": {"display": "no target"}}],
    }

    assert [(path, found.get("reference")) for path, found in walk(resource)] == [
        ("Appointment.contained[0].practitioner", "Practitioner/1"),
        ("Appointment.extension[0].extension[0].value", None),
        ("Appointment.status.extension[0].value", "Device/1"),
        ("Appointment.identifier[0].assigner", None),
        ("Appointment.slot[0]", "Slot/1"),
        ("Appointment.slot[1]", "Slot/2"),
        ("Appointment.participant[0].actor", "Patient/1"),
    ]


def test_in_the_official_examples_it_finds_as_many_references_as_their_text_has() -> None:
    for path in official_examples():
        text = path.read_text()
        resource = standard.loads(text)
        literals = [found for _, found in walk(resource) if "reference" in found]

        assert len(literals) == standard.dumps(resource).count('"reference": "'), path.name

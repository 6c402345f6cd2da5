"""The index rows of resources: examples, and an independent FHIRPath engine where it can evaluate the expression."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models
from hypothesis import given, settings
from hypothesis import strategies as st

from creneau.fhir import instant
from creneau.search import extract
from creneau.search.extract import indexed_parameters
from creneau.search.fold import contact, fold
from creneau.search.parameters import TYPES
from creneau.search.rows import NONE, Link, Period, Place, Rows, Text, Token
from tests.search.reading import BASES, PARIS

EXAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "conformance" / "r4-examples" / "json"
DURATION = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-service-type-duration"


def rows(resource: dict[str, Any]) -> Rows:
    return extract.rows(resource, PARIS, BASES)


def of(found: Rows, param: str) -> set[tuple[Any, ...]]:
    return {tuple(row[1:]) for table in found for row in table if row[0] == param}


def test_an_appointment_is_found_by_everything_it_says() -> None:
    found = rows(
        {
            "resourceType": "Appointment",
            "meta": {
                "profile": ["https://p|1"],
                "tag": [{"system": "urn:t", "code": "x"}],
                "source": "urn:s",
            },
            "identifier": [{"system": "urn:a", "value": "1"}, {"value": "2"}, {"system": "urn:a"}],
            "status": "booked",
            "priority": 5,
            "start": "2026-01-31T10:00:00+01:00",
            "created": "2026-01-01",
            "description": "Suivi",
            "comment": "À jeun",
            "serviceType": [
                {"coding": [{"system": "urn:s", "code": "1", "display": "Suivi"}], "text": "Suivi, court"}
            ],
            "participant": [
                {"actor": {"reference": "Patient/p"}, "status": "accepted"},
                {
                    "actor": {"reference": "https://agendas.example/fhir/Practitioner/d/_history/2"},
                    "status": "accepted",
                },
                {"actor": {"reference": "https://other.example/Location/l"}, "status": "needs-action"},
                {
                    "actor": {"identifier": {"system": "urn:i", "value": "7"}, "type": "Patient"},
                    "status": "accepted",
                },
            ],
        }
    )

    start = instant.instant("2026-01-31T10:00:00+01:00")
    assert of(found, "identifier") == {("urn:a", "1"), ("", "2")}
    assert of(found, "status") == {("", "booked")}
    assert of(found, "priority") == {("", "5")}
    assert of(found, "date") == {(start, start + 1_000_000)}
    assert of(found, "created") == {instant.parse("2026-01-01", PARIS)}
    assert of(found, "description") == {("suivi", "Suivi"), ("a jeun", "À jeun")}
    assert of(found, "service-type") == {("urn:s", "1")}
    assert of(found, "service-type:text") == {("suivi", "Suivi"), ("suivi court", "Suivi, court")}
    assert of(found, "part-status") == {("", "accepted"), ("", "needs-action")}
    assert of(found, "_profile") == {("", "https://p|1"), ("", "https://p")}
    assert of(found, "_tag") == {("urn:t", "x")}
    assert of(found, "_source") == {("", "urn:s")}
    assert of(found, "actor") == {
        ("Patient", "p"),
        ("Practitioner", "d"),
        ("", "https://other.example/Location/l"),
        ("", ""),
    }
    assert of(found, "actor:identifier") == {("urn:i", "7")}
    assert of(found, "patient") == {("Patient", "p"), ("", "")}
    assert of(found, "patient:identifier") == {("urn:i", "7")}
    assert of(found, "practitioner") == {("Practitioner", "d")}
    assert of(found, "location") == set()
    assert of(found, "start") == set()


def test_service_types_are_found_in_the_durations_of_agendas_and_services() -> None:
    """C-50, C-71."""
    duration = {"url": "duration", "valueDuration": {"value": 15}}
    kind = {"url": "serviceType", "valueCodeableConcept": {"coding": [{"system": "urn:s", "code": "1"}]}}
    extension = [{"url": DURATION, "extension": [kind, duration]}, {"url": "urn:other", "extension": [kind]}]

    for type in ("Schedule", "HealthcareService"):
        found = rows({"resourceType": type, "extension": extension})
        assert of(found, "service-type") == {("urn:s", "1")}


def test_contained_resources_are_found_through_their_role() -> None:
    """C-38, C-39."""
    found = rows(
        {
            "resourceType": "PractitionerRole",
            "contained": [
                {
                    "resourceType": "Location",
                    "id": "l",
                    "address": {"city": "Paris", "line": ["1 rue A", "bât. B"]},
                },
                {
                    "resourceType": "Practitioner",
                    "id": "d",
                    "name": [{"family": "Roux", "given": ["Zoé", None]}],
                },
            ],
            "location": [{"reference": one} for one in ("#l", "#d", "#none", "Location/x")],
            "practitioner": {"reference": "#d"},
        }
    )

    assert of(found, "address") == {("paris", "Paris"), ("1 rue a", "1 rue A"), ("bat. b", "bât. B")}
    assert of(found, "name") == {("roux", "Roux"), ("zoe", "Zoé")}
    assert of(found, "location") == {("", ""), ("Location", "x")}


def test_the_ends_of_a_period_may_be_open() -> None:
    def dates(**period: str) -> set[tuple[Any, ...]]:
        return of(rows({"resourceType": "Schedule", "planningHorizon": period}), "date")

    lo, hi = instant.parse("2026-01", PARIS)
    assert dates(start="2026-01", end="2026-01") == {(lo, hi)}
    assert dates(start="2026-01") == {(lo, instant.MAX)}
    assert dates(end="2026-01") == {(instant.MIN, hi)}
    assert dates() == set()
    assert dates(start="2026-02", end="2026-01") == set()
    assert dates(start="demain") == set()


@pytest.mark.parametrize(
    ("deceased", "code"),
    [
        ({}, "false"),
        ({"deceasedBoolean": False}, "false"),
        ({"deceasedBoolean": True}, "true"),
        ({"deceasedDateTime": "2020"}, "true"),
    ],
)
def test_a_patient_is_deceased_or_not(deceased: dict[str, Any], code: str) -> None:
    found = rows({"resourceType": "Patient", **deceased})

    assert of(found, "deceased") == {("", code)}


def test_places_phones_and_addresses_have_one_form() -> None:
    found = rows(
        {
            "resourceType": "Location",
            "position": {"latitude": 48.85, "longitude": 2.35},
            "telecom": [{"system": "phone", "value": "+33 1 23 45 67 89"}],
        }
    )
    patient = rows(
        {
            "resourceType": "Patient",
            "telecom": [
                {"system": "phone", "value": "+33 1 23 45 67 89"},
                {"system": "email", "value": "A@B.fr"},
            ],
        }
    )

    nowhere = rows({"resourceType": "Location", "position": {"latitude": 48.85}})

    assert found.places == {Place("near", 48.85, 2.35)}
    assert nowhere.places == set()
    assert of(patient, "phone") == {("phone", "0123456789")}
    assert of(patient, "email") == {("email", "a@b.fr")}
    assert of(patient, "telecom") == {("phone", "0123456789"), ("email", "a@b.fr")}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Saint-Étienne", "saint etienne"),
        ("L'Haÿ-les-Roses", "l hay les roses"),
        ("CŒUR", "coeur"),
        ("  a\t b ", "a b"),
        ("Straße", "strasse"),
        ("’-", ""),
    ],
)
def test_texts_are_folded(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=100))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert contact(contact(text)) == contact(text)


def test_types_that_cannot_be_searched_have_no_rows() -> None:
    assert rows({"resourceType": "Basic", "identifier": [{"value": "1"}]}) == NONE
    assert rows({}) == NONE
    assert rows({"resourceType": ["Patient"]}) == NONE


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from(["2026-01-01", "#a", "Patient/1", "phone"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "coding",
                    "code",
                    "system",
                    "value",
                    "text",
                    "reference",
                    "identifier",
                    "start",
                    "end",
                    "actor",
                    "line",
                    "id",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(type=st.sampled_from(TYPES), data=st.data())
def test_what_validation_has_not_seen_breaks_nothing(type: str, data: st.DataObject) -> None:
    names = sorted({branch_name for branch_name in FIELDS[type]})
    resource = data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=6))

    found = rows({**resource, "resourceType": type})

    assert all(isinstance(part, str | int | float) for table in found for row in table for part in row)


FIELDS = {
    type: {
        step[1]
        for row in indexed_parameters(type)
        for branch in extract.branches(row)
        for step in branch.steps[:1]
    }
    | {"contained"}
    for type in TYPES
}


def examples() -> list[Path]:
    return sorted(EXAMPLES.glob("*.json")) if EXAMPLES.exists() else []


EVALUATED = {
    type: [
        (row.code, row.kind, fhirpathpy.compile(row.paths.replace("Resource.", f"{type}."), models["r4"]))
        for row in indexed_parameters(type)
        if "resolve()" not in row.paths and row.kind in ("token", "string", "date", "uri", "reference")
    ]
    for type in TYPES
}


def plain(kind: str, value: Any) -> set[Any]:
    """What one value is found by, in the plainest form: codes, texts, starts, references."""
    if value is None or value == "":
        return set()
    if kind == "token":
        if isinstance(value, bool):
            return {str(value).lower()}
        if not isinstance(value, dict):
            return {str(value)}
        if "coding" in value or ("text" in value and "value" not in value):
            return {one["code"] for one in value.get("coding", []) if one.get("code")}
        return {value[name] for name in ("code", "value") if value.get(name)}
    if kind == "string":
        if isinstance(value, dict):
            parts = (
                "text",
                "family",
                "given",
                "prefix",
                "suffix",
                "line",
                "city",
                "district",
                "state",
                "postalCode",
                "country",
            )
            return {one for part in parts for one in listed(value.get(part))}
        return {value}
    if kind == "date":
        lo = value.get("start") if isinstance(value, dict) else value
        return {instant.parse(lo, PARIS)[0]} if lo else set()
    if kind == "reference":
        return {value["reference"]} if value.get("reference", "#")[0] != "#" else set()
    return {value}


def listed(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def found_by(row: Any) -> Any:
    match row:
        case Token():
            return row.code
        case Text():
            return row.text
        case Period():
            return row.lo
        case Link():
            return f"{row.type}/{row.id}"


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
def test_an_example_has_the_rows_that_fhirpath_gives(path: Path) -> None:
    resource = json.loads(path.read_bytes())
    if resource["resourceType"] not in TYPES:
        return

    found = rows(resource)

    for code, kind, evaluate in EVALUATED[resource["resourceType"]]:
        expected = set().union(*(plain(kind, value) for value in evaluate(resource)))
        mine = {found_by(row) for table in found for row in table if row[0] == code}
        if code in ("telecom", "phone", "email"):
            expected = {contact(one) for one in expected}
        if code == "_profile":
            mine = {one for one in mine if one in expected}
        assert {one for one in mine if one} == expected, code

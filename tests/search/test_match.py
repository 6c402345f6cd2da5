"""Plain evaluation against the words of R4. https://hl7.org/fhir/R4/search.html#prefix, #missing, #not"""

from __future__ import annotations

from dataclasses import replace

import pytest

from creneau.fhir import instant
from creneau.problems import Malformed
from creneau.search import extract, match
from creneau.search.match import Held
from tests.search.reading import BASES, PARIS, read


def world(*resources: dict[str, object]) -> dict[str, dict[str, Held]]:
    held: dict[str, dict[str, Held]] = {}
    for number, one in enumerate(resources):
        of_type = held.setdefault(str(one["resourceType"]), {})
        of_type[str(one["id"])] = Held(extract.rows(one, PARIS, BASES), number)
    return held


def found(held: dict[str, dict[str, Held]], type: str, text: str) -> str:
    return " ".join(match.select(read(type, text, strict=True), held))


# Rows: a resource's date, with precision. Columns of the answer: the prefixes that match 2026-01-14.
@pytest.mark.parametrize(
    ("date", "matching"),
    [
        ("2026-01-14", "eq ge le ap"),
        ("2026-01-14T10:00:00Z", "eq ge le ap"),
        ("2026-01", "ne gt lt ge le ap"),
        ("2026", "ne gt lt ge le ap"),
        ("2026-01-13", "ne lt le eb ap"),
        ("2026-01-15", "ne gt ge sa ap"),
        ("2026-01-10", "ne lt le eb"),
        ("2026-01-20", "ne gt ge sa"),
    ],
)
def test_a_date_matches_by_what_its_precision_covers(date: str, matching: str) -> None:
    held = world({"resourceType": "Appointment", "id": "a", "created": date})

    found_by = [
        prefix
        for prefix in ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
        if found(held, "Appointment", f"created={prefix}2026-01-14")
    ]

    assert sorted(found_by) == sorted(matching.split())


def test_a_period_without_end_lasts() -> None:
    held = world({"resourceType": "Schedule", "id": "a", "planningHorizon": {"start": "2026-01-01"}})

    assert found(held, "Schedule", "date=gt2999-01-01") == "a"
    assert found(held, "Schedule", "date=lt2026-01-01") == ""
    assert found(held, "Schedule", "date=2026-01-02") == ""


PATIENTS = world(
    {
        "resourceType": "Patient",
        "id": "a",
        "active": True,
        "name": [{"family": "Saint-Étienne", "given": ["Zoé"]}],
    },
    {
        "resourceType": "Patient",
        "id": "b",
        "active": False,
        "name": [{"family": "Saintonge"}],
        "birthDate": "2000-01-01",
    },
    {"resourceType": "Patient", "id": "c", "managingOrganization": {"display": "Hôpital"}},
)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("family=saint", "a b"),
        ("family=SAINT ETIENNE", "a"),
        ("family:exact=Saint-Étienne", "a"),
        ("family:exact=Saint-Etienne", ""),
        ("family:contains=tien", "a"),
        ("family:missing=true", "c"),
        ("family:missing=false", "a b"),
        ("active=true", "a"),
        ("active=true,false", "a b"),
        ("active:not=true", "b c"),
        ("active:not=true,false", "c"),
        ("active:missing=true", "c"),
        ("organization:missing=false", "c"),
        ("birthdate:missing=true", "a c"),
        ("_id=a,c", "a c"),
        ("_id:not=a", "b c"),
        ("_sort=family", "a b c"),
        ("_sort=-family", "b a c"),
        ("_sort=active,-_id", "b a c"),
        ("_sort=-_lastUpdated", "c b a"),
        ("family=saint&given=zoe", "a"),
        ("_lastUpdated=lt1970-01-01T00:00:00.000001Z", "a"),
    ],
)
def test_modifiers_orders_and_values_are_those_of_r4(text: str, ids: str) -> None:
    assert found(PATIENTS, "Patient", text) == ids


ROLES = world(
    {
        "resourceType": "Location",
        "id": "l",
        "address": {"city": "Paris"},
        "position": {"latitude": 48.85, "longitude": 2.35},
    },
    {
        "resourceType": "Practitioner",
        "id": "d",
        "name": [{"family": "Roux"}],
        "qualification": [{"code": {"coding": [{"code": "SM54"}]}}],
    },
    {
        "resourceType": "PractitionerRole",
        "id": "r",
        "practitioner": {"reference": "Practitioner/d"},
        "location": [{"reference": "Location/l"}],
    },
    {
        "resourceType": "PractitionerRole",
        "id": "s",
        "specialty": [{"coding": [{"code": "SM26"}]}],
        "practitioner": {"reference": "Practitioner/gone"},
    },
    {"resourceType": "Schedule", "id": "a", "actor": [{"reference": "PractitionerRole/r"}]},
    {
        "resourceType": "Schedule",
        "id": "b",
        "actor": [{"reference": "PractitionerRole/s"}, {"identifier": {"system": "urn:i", "value": "1"}}],
    },
)


@pytest.mark.parametrize(
    ("type", "text", "ids"),
    [
        ("Schedule", "actor:PractitionerRole.address=Paris", "a"),
        ("Schedule", "actor:PractitionerRole.location.address=Paris", "a"),
        ("Schedule", "actor:PractitionerRole.location.near=48.86|2.35|2|km", "a"),
        ("Schedule", "actor:PractitionerRole.location.near=48.86|2.35|1|km", ""),
        ("Schedule", "actor:PractitionerRole.name=roux", "a"),
        ("Schedule", "actor:PractitionerRole.specialty=SM54,SM26", "a b"),
        ("Schedule", "actor.practitioner.family=roux", "a"),
        ("Schedule", "actor:identifier=urn:i|1", "b"),
        ("PractitionerRole", "specialty:not=SM54", "s"),
        ("PractitionerRole", "specialty:missing=true", ""),
        ("PractitionerRole", "address:missing=true", "s"),
        ("PractitionerRole", "address:missing=false", "r"),
        ("PractitionerRole", "_has:Schedule:actor:_id=a", "r"),
        ("Practitioner", "_has:PractitionerRole:practitioner:_has:Schedule:actor:_id=a", "d"),
        ("PractitionerRole", "practitioner._id=gone", ""),
    ],
)
def test_chains_lead_to_resources_that_are_here(type: str, text: str, ids: str) -> None:
    assert found(ROLES, type, text) == ids


def test_pages_follow_each_other_and_fit_their_order_only() -> None:
    query = read("Patient", "_sort=family")

    first = match.page(query, PATIENTS, count=2)
    second = match.page(replace(query, after=first.next), PATIENTS, count=2)

    assert (first.ids, second.ids, second.next, second.total) == (["a", "b"], ["c"], None, 3)
    with pytest.raises(Malformed):
        match.page(replace(read("Patient", ""), after=first.next), PATIENTS)


def test_distances_are_those_of_a_sphere() -> None:
    paris_to_lyon = match.kilometres(48.8566, 2.3522, 45.7640, 4.8357)

    assert paris_to_lyon == pytest.approx(391.5, abs=1)
    assert match.kilometres(0, 180, 0, -180) == pytest.approx(0, abs=1e-6)
    assert match.kilometres(90, 0, -90, 0) == pytest.approx(20_015.1, abs=1)


def test_the_calendar_of_instants_is_exact_to_the_microsecond() -> None:
    start = instant.instant("2026-01-14T10:00:00.123456Z")
    held = {"Appointment": {"a": Held(extract.rows({"resourceType": "Appointment"}, PARIS, BASES), start)}}

    assert found(held, "Appointment", "_lastUpdated=2026-01-14T10:00:00.123456Z") == "a"
    assert found(held, "Appointment", "_lastUpdated=2026-01-14T10:00:00.123457Z") == ""
    assert found(held, "Appointment", "_lastUpdated=2026-01-14T10:00:00.123Z") == "a"

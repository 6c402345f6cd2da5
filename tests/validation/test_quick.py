"""The quick acceptance and the walk never disagree: what one accepts, the other finds nothing in."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from creneau.fhir.definitions import resource_types
from creneau.fhir.validation.quick import quick_check
from creneau.fhir.validation.resources import contained_check
from creneau.fhir.validation.rulebook import Rulebook
from creneau.fhir.validation.settling import settle_local
from creneau.fhir.validation.structure import type_check
from tests.validation.samples import (
    APPOINTMENT,
    AVAILABILITY,
    DURATION,
    FRC,
    PATIENT,
    SCHEDULE,
    SLOT,
    changed,
    concept,
    official,
    operator,
)
from tests.validation.test_mutations import places
from tests.validation.test_planted_errors import CASES

BOOK = Rulebook()

UNKNOWN = {"url": "urn:x", "valueString": "a"}
TEXTS = [
    *(
        "",
        " ",
        "\u00a0",
        "\u00a0a",
        "a b",
        "a  b",
        "a\n",
        "a",
        "\x00",
        "a\x85",
        "a\u2028",
        "\u200b",
        "\ud800",
        "é",
    ),
    *("booked", "accepted", "free", "home", "official", "male", "phone", "#", "#p1", "*", "A" * 65),
    *(
        "Patient/1",
        "Organization/1",
        "Practitioner/1/_history/2",
        "Patient/",
        "Patient/1/x",
        "Foo/1",
        "Slot/1 ",
    ),
    *(
        "https://x.fr/fhir/Patient/1",
        "https://x.fr/fhir/Organization/1",
        "https://x.fr/Patient?a=1",
        "https://Slot/1",
    ),
    *("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:x", "http://unitsofmeasure.org"),
    *(
        "2026",
        "2026-02",
        "2026-02-28",
        "2026-02-29",
        "2024-02-29",
        "2026-02-30",
        "2026-04-31",
        "2026-12-31",
        "0000",
    ),
    *(
        "2026-02-30T00:00:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00+14:00",
        "2026-01-01T00:00:00+14:30",
    ),
    *("2026-01-01T00:00:00.123-13:59", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "9999-12-31T23:59:59Z"),
]
OTHERS: list[Any] = [
    *(
        0,
        1,
        -1,
        5,
        2**31 - 1,
        2**31,
        10**400,
        5.0,
        1.5,
        Decimal("5.0"),
        Decimal("5"),
        Decimal("NaN"),
        float("inf"),
    ),
    *(True, False, None, [], [None], {}, [[]], [{}], {"id": "a"}, [{"id": "a"}], {"text": "a", "id": "b"}),
    *(UNKNOWN, [UNKNOWN], [operator()], [DURATION], [AVAILABILITY], [operator("PractitionerRole/1")]),
    *([{**UNKNOWN, "valueCode": "a"}], [{"url": "urn:x"}], [{"url": "urn:x", "extension": [UNKNOWN]}]),
    *(
        [{"url": "urn:x", "extension": [operator()]}],
        [{"url": "urn:x", "extension": [UNKNOWN], "valueString": "a"}],
    ),
    *({"start": "2026-02-02", "end": "2026-02-01"}, {"start": "2026-02-01", "end": "2026-02-02"}),
    *([{"start": "2026-02-02", "end": "2026-02-01"}], [{"start": "2026-02-01T00:00:00Z"}]),
    *({"reference": "#p1"}, [{"reference": "#p1"}], {"reference": "#"}, {"display": "a"}, [{"type": "Slot"}]),
    *(
        {"type": "Organization", "display": "a"},
        {"identifier": {"value": "a"}},
        {"reference": "Patient/1", "x": 1},
    ),
    *(concept("urn:x", "a"), [concept("urn:x", "a b")], {"coding": []}, {"coding": [{"userSelected": 1}]}),
    *([{"value": "1"}], [{"system": "phone", "value": "1"}], [{"rank": 1}], [{"rank": 0}], [PATIENT]),
    *(
        [{"status": "accepted"}],
        [{"type": [{"text": "a"}], "status": "accepted"}],
        [{"actor": {"display": "a"}}],
    ),
    *({"value": 1, "code": "min"}, {"value": 1, "code": "min", "system": "http://unitsofmeasure.org"}),
    *(
        {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'><script/></div>"},
        "proposed",
    ),
]
ADDED = (
    *(
        "id",
        "extension",
        "modifierExtension",
        "contained",
        "text",
        "period",
        "x",
        "_status",
        "_given",
        "_birthDate",
    ),
    *(
        "valueString",
        "valueCode",
        "valueReference",
        "valueDuration",
        "valueInteger",
        "type",
        "comparator",
        "status",
    ),
    *(
        "start",
        "end",
        "requestedPeriod",
        "cancelationReason",
        "deceasedDateTime",
        "implicitRules",
        "language",
    ),
)

SAMPLES = {
    "Appointment": changed(
        APPOINTMENT,
        meta=None,
        participant=[{key: p[key] for key in p if key != "period"} for p in APPOINTMENT["participant"]],
    ),
    "Schedule": changed(SCHEDULE, meta=None),
    "Patient": changed(PATIENT, telecom=[{"system": "phone", "value": "1"}]),
    "Slot": SLOT,
    "Organization": {
        "resourceType": "Organization",
        "name": "A",
        "telecom": [{"system": "phone", "value": "1"}],
    },
    "PractitionerRole": {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": "Practitioner/1"},
        "availableTime": [{"daysOfWeek": ["mon"], "availableStartTime": "09:00:00"}],
        "extension": [DURATION],
        "period": {"start": "2026-01-01"},
    },
}


def walked(resource: Any) -> Any:
    found = type_check(BOOK, resource["resourceType"])(resource)
    return None if found is None else settle_local(found, {}) or None


def mutations(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    name = resource["resourceType"]
    for number, _ in enumerate(list(places(resource, name, name))):
        for value in (*TEXTS, *OTHERS):
            copied = copy.deepcopy(resource)
            place = list(places(copied, name, name))[number]
            place.owner[place.name] = value
            yield copied
        for added in ADDED:
            copied = copy.deepcopy(resource)
            place = list(places(copied, name, name))[number]
            inner = place.owner[place.name]
            for owner in inner if isinstance(inner, list) else [inner]:
                if isinstance(owner, dict):
                    owner[added] = copy.deepcopy(OTHERS[(number * 7) % len(OTHERS)])
            yield copied
    for added in ADDED:
        for value in (*TEXTS, *OTHERS):
            yield {**resource, added: value}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_accepted_quickly_has_nothing_for_the_walk_to_find(name: str) -> None:
    accepts = quick_check(BOOK, name)
    accepted = refused = 0

    for resource in mutations(SAMPLES[name]):
        if accepts(resource):
            accepted += 1
            assert walked(resource) is None, resource
        else:
            refused += 1

    assert accepted > 100
    assert refused > 100


def test_no_planted_error_of_r4_is_accepted_quickly() -> None:
    for name, (resource, expected) in CASES.items():
        type_name = resource.get("resourceType")
        if type_name in resource_types() and not name.startswith("profile"):
            assert expected
            assert not quick_check(BOOK, type_name)(resource), name


def test_the_samples_are_accepted_quickly() -> None:
    for name, resource in SAMPLES.items():
        assert quick_check(BOOK, name)(resource), name


def test_what_is_accepted_quickly_among_official_examples_has_nothing_for_the_walk_to_find() -> None:
    accepted = 0
    checks = {name: quick_check(BOOK, name) for name in {r["resourceType"] for r in official().values()}}
    for resource in official().values():
        bare = {name: value for name, value in resource.items() if name != "text"}
        if checks[resource["resourceType"]](bare):
            accepted += 1
            assert walked(bare) is None

    assert accepted > 30


@pytest.mark.parametrize("name", resource_types())
def test_every_resource_type_has_a_schema_that_compiles(name: str) -> None:
    accepts = quick_check(BOOK, name)

    assert not accepts({"resourceType": name, "unknown": 1})


def test_the_check_of_a_resource_is_the_same_with_and_without_the_quick_way() -> None:
    slow = Rulebook()
    slow.quick = {name: lambda resource: False for name in resource_types()}
    with_quick, without = contained_check(BOOK, type_check), contained_check(slow, type_check)

    for resource, _ in CASES.values():
        assert with_quick(resource) == without(resource)


def test_a_known_extension_is_checked_on_the_quick_way_too() -> None:
    accepts = quick_check(BOOK, "Appointment")
    bad = {"url": FRC + "fr-core-appointment-operator", "valueReference": {"reference": "Location/1"}}

    assert accepts(changed(SAMPLES["Appointment"], extension=[operator()]))
    assert not accepts(changed(SAMPLES["Appointment"], extension=[bad]))

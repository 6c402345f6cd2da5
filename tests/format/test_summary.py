"""`_summary` and `_elements`: what stays, and the mark that something went."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from creneau.fhir import summary

MARK = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "a",
    "meta": {"versionId": "1", "tag": [{"code": "x"}]},
    "text": {"status": "generated", "div": "<div/>"},
    "modifierExtension": [{"url": "u", "valueBoolean": True}],
    "status": "booked",
    "_status": {"id": "s"},
    "description": "d",
    "start": "2026-11-24T09:15:00Z",
    "_comment": {"id": "c"},
    "participant": [
        {
            "actor": {"reference": "Patient/1"},
            "status": "accepted",
            "period": {"start": "2026"},
            "type": [{"text": "t"}],
        }
    ],
}
ALWAYS = {"resourceType", "id", "meta", "modifierExtension"}
MANDATORY = {"status", "_status", "participant"}


@pytest.mark.parametrize(
    ("mode", "kept"),
    [
        ("text", ALWAYS | MANDATORY | {"text"}),
        ("data", set(APPOINTMENT) - {"text"}),
        ("true", ALWAYS | MANDATORY | {"start"}),
    ],
)
def test_a_summary_keeps_what_its_mode_says_and_is_marked(mode: str, kept: set[str]) -> None:
    found = summary.summarise(APPOINTMENT, mode)

    assert set(found) == kept
    assert found["meta"] == {"versionId": "1", "tag": [{"code": "x"}, MARK]}


def test_the_summary_looks_into_the_parts_of_a_resource() -> None:
    patient = {
        "resourceType": "Patient",
        "active": True,
        "contact": [{"gender": "male"}],
        "link": [{"other": {"reference": "Patient/2"}, "type": "refer", "extension": [{"url": "u"}]}],
    }

    found = summary.summarise(patient, "true")

    assert found["active"] is True
    assert "contact" not in found
    assert found["link"] == [{"other": {"reference": "Patient/2"}, "type": "refer"}]


@pytest.mark.parametrize("mode", ["false", "count"])
def test_other_modes_leave_the_resource_whole(mode: str) -> None:
    assert summary.summarise(APPOINTMENT, mode) == APPOINTMENT


@pytest.mark.parametrize(
    "names", [["start"], ["Appointment.start"], [" start ", "nom"], ["start", "start.x"]]
)
def test_the_elements_named_stay_with_the_mandatory_ones(names: list[str]) -> None:
    found = summary.elements(APPOINTMENT, names)

    assert set(found) == ALWAYS | MANDATORY | {"start"}
    assert found["meta"]["tag"][-1] == MARK


@pytest.mark.parametrize("name", ["deceased", "deceased[x]", "deceasedBoolean"])
def test_a_choice_is_named_with_or_without_its_type(name: str) -> None:
    patient = {"resourceType": "Patient", "deceasedBoolean": False, "gender": "male"}

    assert set(summary.elements(patient, [name])) == {"resourceType", "deceasedBoolean", "meta"}


def test_a_primitive_keeps_its_extensions() -> None:
    assert set(summary.elements(APPOINTMENT, ["comment"])) == ALWAYS | MANDATORY | {"_comment"}


def test_the_resource_given_is_not_changed_and_not_marked_twice() -> None:
    before = copy.deepcopy(APPOINTMENT)
    twice = summary.elements(summary.summarise(APPOINTMENT, "data"), ["start"])

    assert APPOINTMENT == before
    assert twice["meta"]["tag"] == [{"code": "x"}, MARK]

"""Slot: the JSON of a cell (GAP §6.8, GAP-CRN-04 to 08, 13)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creneau.fhir import instant, json
from creneau.fhir.validation import Validator
from creneau.profiles.agenda import service_key
from creneau.profiles.slot import PROFILES, mould, slot
from creneau.scheduling.slots import Cell, own_slot_id, slot_id

SPECIALTY = {
    "coding": [
        {
            "system": "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale",
            "code": "SM54",
            "display": "Médecine générale (SM)",
        }
    ]
}
SUIVI = {"coding": [{"system": "http://example.org/ValueSet/ServiceType", "code": "1", "display": "suivi"}]}
SCHEDULE: dict[str, Any] = {
    "resourceType": "Schedule",
    "id": "example",
    "extension": [
        {
            "url": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-service-type-duration",
            "extension": [{"url": "serviceType", "valueCodeableConcept": concept}],
        }
        for concept in ({"text": "autre"}, SUIVI)
    ],
    "specialty": [SPECIALTY],
    "comment": "agenda de M. Martin",
    "actor": [{"reference": "Patient/martin"}],
}
SYSTEM = "https://example.org/slots"
START = instant.instant("2026-07-01T07:15:00Z")
QUARTER = 900_000_000


def shown(
    service: str | None, status: str = "free", schedule: dict[str, Any] = SCHEDULE, zone: str = "Europe/Paris"
) -> dict[str, Any]:
    return slot(
        Cell("example", START, START + QUARTER, service), schedule, status, zone=ZoneInfo(zone), system=SYSTEM
    )


def test_a_cell_is_a_slot_of_the_profile() -> None:
    id = slot_id("example", START, "http://example.org/ValueSet/ServiceType|1")

    assert shown("http://example.org/ValueSet/ServiceType|1") == {
        "resourceType": "Slot",
        "id": id,
        "meta": {
            "profile": [
                "https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/gap-fr-slot",
                "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-slot",
            ]
        },
        "identifier": [{"system": SYSTEM, "value": id}],
        "serviceType": [SUIVI],
        "specialty": [SPECIALTY],
        "schedule": {"reference": "Schedule/example"},
        "status": "free",
        "start": "2026-07-01T09:15:00+02:00",
        "end": "2026-07-01T09:30:00+02:00",
    }


@pytest.mark.parametrize("service", ["http://example.org/ValueSet/ServiceType|1", "text:autre", "", None])
@pytest.mark.parametrize("status", ["free", "busy", "busy-tentative", "busy-unavailable"])
def test_every_slot_satisfies_the_profiles_it_claims(service: str | None, status: str) -> None:
    found = Validator([]).check(shown(service, status), profiles=list(PROFILES))

    assert [(one.why.key, one.at) for one in found if one.severity == "error"] == []


def test_the_time_of_an_appointment_has_no_service_and_its_own_id() -> None:
    found = shown(None, "busy")

    assert found["id"] == own_slot_id("example", START, START + QUARTER)
    assert "serviceType" not in found and found["status"] == "busy"


def test_nothing_about_a_patient_goes_into_a_slot() -> None:
    assert "artin" not in str(shown("text:autre", "busy"))


def test_the_default_service_and_an_agenda_without_specialty_add_nothing() -> None:
    found = shown("", schedule={"resourceType": "Schedule", "id": "example"})

    assert "serviceType" not in found and "specialty" not in found


def test_times_are_written_in_the_zone_of_the_agenda() -> None:
    assert shown("", zone="Pacific/Noumea")["start"] == "2026-07-01T18:15:00+11:00"


TEXT = st.text(max_size=30)
CONCEPT = st.fixed_dictionaries(
    {"text": TEXT}, optional={"coding": st.just([{"system": 'urn:"x"\\', "code": "é"}])}
)


@given(
    st.lists(CONCEPT, max_size=2),
    st.lists(CONCEPT, max_size=2),
    st.sampled_from(["free", "busy", "busy-tentative", "busy-unavailable"]),
    st.sampled_from(["Europe/Paris", "Indian/Reunion", "Pacific/Tahiti", "Africa/Monrovia"]),
    st.integers(-3_000_000_000, 9_000_000_000).map(lambda second: second * 1_000_000),
    st.integers(60, 100_000).map(lambda second: second * 1_000_000),
    TEXT,
)
def test_what_is_cast_is_byte_for_byte_the_slot(
    services: list[Any], specialty: list[Any], status: str, zone: str, start: int, length: int, system: str
) -> None:
    url = SCHEDULE["extension"][0]["url"]
    parts = [{"url": "serviceType", "valueCodeableConcept": one} for one in services]
    schedule = {"extension": [{"url": url, "extension": [part]} for part in parts], "specialty": specialty}
    for key in (None, "", *map(service_key, services)):
        cell, first = Cell("a.1-b", start, start + length, key), Cell("a.1-b", 0, 60, key)
        where = {"zone": ZoneInfo(zone), "system": system}

        found = mould(first, schedule, status, **where).cast(cell.id, cell.start, cell.end)

        assert found == json.encode(slot(cell, schedule, status, **where))

"""Every resource of the demo satisfies the profiles it claims."""

from __future__ import annotations

from datetime import date

import pytest

from tests.demo.reading import everything

validation = pytest.importorskip("creneau.fhir.validation")
if not hasattr(validation, "Validator"):
    pytest.skip("the validator is not there yet", allow_module_level=True)

CLAIMED = {
    "Organization": {"fr-core-organization"},
    "Location": {"fr-core-location"},
    "HealthcareService": {"fr-core-healthcare-service"},
    "Practitioner": {"fr-core-practitioner"},
    "PractitionerRole": {"fr-core-practitioner-role-exercice"},
    "Device": set(),
    "Patient": {"fr-core-patient"},
    "RelatedPerson": {"fr-core-related-person"},
    "Schedule": {"gap-fr-schedule", "fr-core-schedule"},
    "Binary": set(),
    "DocumentReference": set(),
    "Appointment": {"gap-fr-appointment", "fr-core-appointment"},
    "AppointmentResponse": set(),
}


@pytest.mark.parametrize("today", [date(2026, 3, 29), date(2026, 10, 26)], ids=str)
@pytest.mark.parametrize("type", CLAIMED)
def test_every_resource_is_valid(type: str, today: date) -> None:
    validator = validation.Validator()

    found = {
        (one["id"], issue.at, issue.text("en"))
        for one in everything(today)
        if one["resourceType"] == type
        for issue in validator.check(one)
        if issue.severity in ("error", "fatal")
    }

    assert found == set()


@pytest.mark.parametrize("type", CLAIMED)
def test_every_resource_claims_the_profiles_of_its_type(type: str) -> None:
    claims = {
        frozenset(url.rpartition("/")[2] for url in one.get("meta", {}).get("profile", ()))
        for one in everything(date(2026, 3, 29))
        if one["resourceType"] == type
    }

    assert claims == {frozenset(CLAIMED[type])}

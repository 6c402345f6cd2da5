"""Every criterion of GAP §11.2 (4a) and §12.2 (4b) is understood, with its chain."""

from __future__ import annotations

import pytest

from tests.search.reading import only, read

SLOT = """
identifier=urn:a|1
status=free,busy
start=ge2026-01-01
start=le2026-01-31
schedule.actor:Patient.identifier=urn:a|1
schedule.actor:Patient.family=Martin
schedule.actor:Patient.given=Zoé
schedule.actor:Practitioner.identifier=urn:a|1,urn:a|2
schedule.actor:PractitionerRole.name=Martin
schedule.actor:Practitioner.family=Martin
schedule.actor:Practitioner.given=Zoé
schedule.actor:PractitionerRole.role=10
schedule.actor:PractitionerRole.specialty=SM54
schedule.actor:PractitionerRole.location.address=Paris
schedule.actor:PractitionerRole.location.near=48.85|2.35|5|km
schedule.actor:PractitionerRole.address=Paris
schedule.actor:PractitionerRole.telecom=0123456789
schedule.actor:RelatedPerson.identifier=1
schedule.actor:RelatedPerson.address=Paris
schedule.actor:RelatedPerson.telecom=0123456789
schedule.actor:RelatedPerson.name=Martin
schedule.actor:Location.name=Salle
schedule.actor:Location.identifier=1
schedule.actor:Location.address=Paris
schedule.actor:Location.near=48.85|2.35
schedule.actor:Device.identifier=1
schedule.actor:Device.type=1
schedule.actor:Device.device-name=IRM
schedule.actor:Device.model=X
schedule.actor:HealthcareService.identifier=1
schedule.actor:HealthcareService.name=Cardiologie
schedule.actor:HealthcareService.service-type=1
schedule.actor:HealthcareService.organization.identifier=1
schedule.actor:HealthcareService.organization.name=Hôpital
schedule.actor:HealthcareService.organization.address=Paris
schedule=Schedule/1
service-type=1
specialty=1
appointment-type=1
service-category=1
schedule.actor:Location.organization.identifier=1
"""

APPOINTMENT = """
identifier=urn:a|1
date=ge2026-01-01
start=le2026-01-31
created=2026-01-01
service-type=1
status=booked
description=suivi
supporting-info=DocumentReference/1
priority=5
actor:Patient.identifier=1
patient.identifier=1
actor:Practitioner.identifier=1
practitioner.identifier=1
actor:RelatedPerson.identifier=1
actor:Location.identifier=1
location.identifier=1
actor:Device.identifier=1
actor:HealthcareService.identifier=1
actor=Practitioner/1
actor:PractitionerRole.identifier=1
slot=Slot/1
part-status=accepted
specialty=1
appointment-type=FOLLOWUP
service-category=1
reason-code=1
reason-reference=Condition/1
based-on=ServiceRequest/1
"""


@pytest.mark.parametrize("criterion", SLOT.split("\n")[1:-1])
def test_a_criterion_of_4a_is_understood(criterion: str) -> None:
    assert only("Slot", criterion)


@pytest.mark.parametrize("criterion", APPOINTMENT.split("\n")[1:-1])
def test_a_criterion_of_4b_is_understood(criterion: str) -> None:
    assert only("Appointment", criterion)


def test_the_worked_example_of_4a_is_understood_whole() -> None:
    query = read(
        "Slot",
        "start=ge2026-01-01&start=lt2026-01-08&schedule.actor:PractitionerRole.specialty=https://mos.esante.gouv.fr/NOS|SM54"
        "&schedule.actor:PractitionerRole.address=Paris&_include=Slot:schedule&_include=Schedule:actor",
        strict=True,
    )

    assert len(query.conditions) == 4
    assert [one.iterate for one in query.includes] == [False, True]

"""The tables of R4 are what the snapshots say, and the generator still writes them."""

from __future__ import annotations

import pytest

from creneau.fhir.definitions import (
    TABLES,
    Element,
    elements,
    is_known,
    is_primitive,
    is_resource,
    resource_types,
)
from creneau.fhir.validation.generate import generated
from tests.validation.samples import PACKAGES, shared


def test_elements_come_in_the_order_of_the_snapshot_inherited_ones_first() -> None:
    assert list(elements("Slot")) == [
        *("id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension"),
        *(
            "identifier",
            "serviceCategory",
            "serviceType",
            "specialty",
            "appointmentType",
            "schedule",
            "status",
        ),
        *("start", "end", "overbooked", "comment"),
    ]


def test_an_element_says_its_type_cardinality_binding_and_targets() -> None:
    appointment = elements("Appointment")

    assert appointment["status"] == Element(
        "status", "code", min=1, binding="http://hl7.org/fhir/ValueSet/appointmentstatus", summary=True
    )
    assert appointment["slot"] == Element("slot", "Reference", many=True, targets=("Slot",))
    assert appointment["participant"] == Element("participant", "Appointment.participant", many=True, min=1)
    assert elements("Appointment.participant")["actor"].targets == (
        *(
            "Patient",
            "Practitioner",
            "PractitionerRole",
            "RelatedPerson",
            "Device",
            "HealthcareService",
            "Location",
        ),
    )
    assert elements("Narrative")["div"].type == "xhtml"
    assert elements("Bundle.entry")["resource"].type == "Resource"
    assert elements("Appointment")["id"].type == "id"
    assert elements("HumanName")["id"].type == "string"


def test_a_choice_is_one_property_per_type() -> None:
    patient = elements("Patient")

    assert [e.name for e in patient.values() if e.choice == "deceased[x]"] == [
        "deceasedBoolean",
        "deceasedDateTime",
    ]
    assert len([e for e in elements("Extension").values() if e.choice == "value[x]"]) == 50
    assert elements("UsageContext")["valueReference"].targets != ()
    assert elements("UsageContext")["valueQuantity"].targets == ()


def test_a_content_reference_leads_to_the_type_it_names() -> None:
    assert elements("Questionnaire.item")["item"].type == "Questionnaire.item"
    assert elements("Bundle.entry")["link"].type == "Bundle.link"


def test_a_quantity_of_a_profile_says_which() -> None:
    assert elements("Ratio")["numerator"].profile == ""
    assert elements("Range")["low"].profile == "SimpleQuantity"


def test_every_type_that_is_named_is_known() -> None:
    waiting, seen = [*resource_types(), "Extension"], set()
    while waiting:
        name = waiting.pop()
        if name in seen or is_primitive(name) or name == "Resource":
            continue
        seen.add(name)
        waiting += [element.type for element in elements(name).values()]

    assert len(resource_types()) == 146
    assert all(is_known(name) for name in seen)


def test_kinds_of_types_are_told_apart() -> None:
    assert is_primitive("instant")
    assert is_primitive("xhtml")
    assert not is_primitive("Period")
    assert is_resource("Parameters")
    assert not is_resource("DomainResource")
    assert not is_resource("Appointment.participant")
    assert not is_known("Foo")
    with pytest.raises(KeyError):
        elements("string")


@pytest.mark.parametrize("name", ["r4.json", "r4-codes.json", "fr.json"])
def test_the_generator_writes_the_tables_that_are_carried(name: str) -> None:
    tables = generated(shared(PACKAGES))

    assert tables[name] == (TABLES / name).read_bytes()


def test_the_tables_are_small() -> None:
    assert sum(path.stat().st_size for path in TABLES.iterdir()) < 2_000_000

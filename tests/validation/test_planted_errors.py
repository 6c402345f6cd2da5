"""Each rule refuses what breaks it, and says exactly where."""

from __future__ import annotations

from typing import Any

import pytest

from creneau.problems import Invalid, Malformed
from tests.validation.samples import (
    APPOINTMENT,
    AVAILABILITY,
    DURATION,
    FRC,
    GAP,
    PATIENT,
    SCHEDULE,
    SLOT,
    VALIDATOR,
    changed,
    concept,
    found,
    operator,
    part,
)

PERSON = {"resourceType": "Patient", "id": "p", "gender": "female"}


def appointment(**values: Any) -> dict[str, Any]:
    return changed(APPOINTMENT, **values)


def bare(**values: Any) -> dict[str, Any]:
    return appointment(meta=None, **values)


def patient(**values: Any) -> dict[str, Any]:
    return changed(PATIENT, **values)


def with_participant(**values: Any) -> dict[str, Any]:
    first, second = APPOINTMENT["participant"]
    return appointment(participant=[first, changed(second, **values)])


def narrative(div: str) -> dict[str, Any]:
    return patient(
        text={"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{div}</div>'}
    )


def schedule(*extensions: dict[str, Any]) -> dict[str, Any]:
    return changed(SCHEDULE, extension=list(extensions))


def availability(*parts: dict[str, Any], without: str = "") -> dict[str, Any]:
    kept = [p for p in AVAILABILITY["extension"] if p["url"] != without]
    return schedule({"url": AVAILABILITY["url"], "extension": [*kept, *parts]})


def bundle(type_name: str, *entries: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type_name, "entry": list(entries), **values}


STRUCTURE: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "an unknown element": (appointment(foo=1), [("unknown-element", "Appointment.foo")]),
    "an unknown element whose name is no name": (
        appointment(**{"Mme Martin": 1}),
        [("unknown-element", "Appointment")],
    ),
    "a misspelt element deep inside": (
        with_participant(actor={"referense": "Patient/1"}),
        [("unknown-element", "Appointment.participant[1].actor.referense")],
    ),
    "a text where an integer belongs": (
        appointment(priority="5"),
        [("wrong-json-type", "Appointment.priority")],
    ),
    "a decimal where an integer belongs": (
        appointment(priority=5.5),
        [("wrong-json-type", "Appointment.priority")],
    ),
    "a boolean where an integer belongs": (
        appointment(priority=True),
        [("wrong-json-type", "Appointment.priority")],
    ),
    "a number where a boolean belongs": (
        patient(deceasedBoolean=1),
        [("wrong-json-type", "Patient.deceased")],
    ),
    "a number where a text belongs": (
        appointment(description=3),
        [("wrong-json-type", "Appointment.description")],
    ),
    "an object where a text belongs": (appointment(status={}), [("wrong-json-type", "Appointment.status")]),
    "a text where an object belongs": (
        appointment(cancelationReason="x"),
        [("not-an-object", "Appointment.cancelationReason")],
    ),
    "an object where an array belongs": (
        appointment(slot={"reference": "Slot/1"}),
        [("not-an-array", "Appointment.slot")],
    ),
    "an array where a text belongs": (
        appointment(status=["booked"]),
        [("not-repeated", "Appointment.status")],
    ),
    "an array where an object belongs": (
        with_participant(actor=[{"reference": "Patient/1"}]),
        [("not-repeated", "Appointment.participant[1].actor")],
    ),
    "null for a value": ({**APPOINTMENT, "comment": None}, [("null-value", "Appointment.comment")]),
    "null for an object": (
        {**APPOINTMENT, "appointmentType": None},
        [("null-value", "Appointment.appointmentType")],
    ),
    "null in an array without sibling": (
        patient(name=[{"given": ["A", None]}]),
        [("null-value", "Patient.name[0].given[1]")],
    ),
    "null on both sides": (
        patient(name=[{"given": ["A", None], "_given": [None, None]}]),
        [("null-value", "Patient.name[0].given[1]"), ("null-value", "Patient.name[0].given[1]")],
    ),
    "an empty object": (with_participant(actor={}), [("empty-value", "Appointment.participant[1].actor")]),
    "an empty array": (appointment(slot=[]), [("empty-value", "Appointment.slot")]),
    "an empty text": (appointment(comment=""), [("empty-value", "Appointment.comment")]),
    "a text of ASCII spaces": (appointment(comment=" \t\n"), [("empty-value", "Appointment.comment")]),
    "no resourceType": ({"id": "a"}, [("unknown-resource-type", "")]),
    "a resourceType of no resource": ({"resourceType": "HumanName"}, [("unknown-resource-type", "")]),
    "an abstract resourceType": ({"resourceType": "DomainResource"}, [("unknown-resource-type", "")]),
    "a contained resource without type": (
        bare(contained=[{"id": "p"}]),
        [("unknown-resource-type", "Appointment.contained[0]")],
    ),
    "an unknown element in a contained resource": (
        bare(contained=[{**PERSON, "sex": "f"}]),
        [("unknown-element", "Appointment.contained[0].sex")],
    ),
    "two forms of one choice": (
        patient(deceasedDateTime="2026-01-01"),
        [("several-choices", "Patient.deceased")],
    ),
    "a value and the sibling of another form": (
        patient(_deceasedDateTime={"extension": [{"url": "urn:x", "valueCode": "a"}]}),
        [("several-choices", "Patient.deceased")],
    ),
    "a sibling of an object": (
        with_participant(_actor={"id": "a"}),
        [("unknown-element", "Appointment.participant[1].actor")],
    ),
    "a sibling with a value": (
        patient(_birthDate={"value": "x"}),
        [("unknown-element", "Patient.birthDate.value")],
    ),
    "an id that is no text": (
        patient(name=[{"id": 3, "family": "A"}]),
        [("wrong-json-type", "Patient.name[0].id")],
    ),
}

VALUES: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "no status": (appointment(status=None), [("missing-element", "Appointment.status")]),
    "no participant": (appointment(participant=None), [("missing-element", "Appointment.participant")]),
    "no status of a participant": (
        with_participant(status=None),
        [("missing-element", "Appointment.participant[1].status")],
    ),
    "no url of an extension": (
        patient(extension=[{"valueString": "x"}]),
        [("missing-element", "Patient.extension[0].url")],
    ),
    "no choice where one is mandatory": (
        {"resourceType": "Media", "status": "completed"},
        [("missing-element", "Media.content")],
    ),
    "an instant without zone": (
        appointment(start="2026-12-01T09:00:00"),
        [("malformed-value", "Appointment.start")],
    ),
    "an instant without seconds": (
        appointment(start="2026-12-01T09:00+01:00"),
        [("malformed-value", "Appointment.start")],
    ),
    "a day that no calendar has": (
        patient(birthDate="2026-02-31"),
        [("malformed-value", "Patient.birthDate")],
    ),
    "an id with a space": (patient(id="p 1"), [("malformed-value", "Patient.id")]),
    "a negative priority": (appointment(priority=-1), [("malformed-value", "Appointment.priority")]),
    "a duration of zero": (
        appointment(minutesDuration=0),
        [("malformed-value", "Appointment.minutesDuration")],
    ),
    "a malformed item of an array": (
        patient(name=[{"given": ["A", "\x01"]}]),
        [("malformed-value", "Patient.name[0].given[1]")],
    ),
    "a status of no value set": (appointment(status="foo"), [("code-not-allowed", "Appointment.status")]),
    "a participant's status of no value set": (
        with_participant(status="maybe"),
        [("code-not-allowed", "Appointment.participant[1].status")],
    ),
    "a concept outside a required binding": (
        {
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": concept(
                "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "none"
            ),
            "patient": {"reference": "Patient/1"},
        },
        [("code-not-allowed", "AllergyIntolerance.clinicalStatus")],
    ),
    "a participant that is an organization": (
        with_participant(actor={"reference": "Organization/1"}),
        [("reference-target", "Appointment.participant[1].actor.reference")],
    ),
    "an absolute reference to a wrong type": (
        appointment(slot=[{"reference": "https://x.fr/fhir/Schedule/1/_history/2"}]),
        [("reference-target", "Appointment.slot[0].reference")],
    ),
    "a logical reference of a wrong type": (
        appointment(slot=[{"type": "Schedule", "identifier": {"value": "1"}}]),
        [("reference-target", "Appointment.slot[0].type")],
    ),
    "a contained resource of a wrong type": (
        bare(contained=[{**PERSON}], slot=[{"reference": "#p"}]),
        [("reference-target", "Appointment.slot[0].reference")],
    ),
    "a gender inside a contained resource": (
        bare(
            contained=[{**PERSON, "gender": "x"}],
            participant=[{"actor": {"reference": "#p"}, "status": "accepted"}],
        ),
        [("code-not-allowed", "Appointment.contained[0].gender")],
    ),
    "a status inside a Bundle": (
        bundle(
            "collection", {"resource": PATIENT}, {"resource": PATIENT}, {"resource": appointment(status="x")}
        ),
        [("code-not-allowed", "Bundle.entry[2].resource.status")],
    ),
    "an unknown modifierExtension": (
        patient(modifierExtension=[{"url": "urn:not", "valueBoolean": True}]),
        [("unknown-modifier-extension", "Patient.modifierExtension[0]")],
    ),
    "an extension where it is not allowed": (
        patient(extension=[operator()]),
        [("extension-context", "Patient.extension[0]")],
    ),
    "an extension on the wrong element": (
        patient(address=[{"extension": [DURATION], "city": "Lyon"}]),
        [("extension-context", "Patient.address[0].extension[0]")],
    ),
    "a sibling with an id and no value": (
        patient(birthDate=None, _birthDate={"id": "b"}),
        [("ele-1", "Patient.birthDate")],
    ),
    "an object with an id only": (patient(name=[{"id": "n"}]), [("ele-1", "Patient.name[0]")]),
}

PROFILES: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "a specialty that is not of TRE_R38": (
        appointment(specialty=[concept("urn:x", "SM54")]),
        [("code-not-allowed", "Appointment.specialty[0]")],
    ),
    "two operators": (
        appointment(extension=[operator(), operator()]),
        [("slice-too-many", "Appointment.extension")],
    ),
    "an operator that is a role": (
        appointment(extension=[operator("PractitionerRole/1")]),
        [("reference-target", "Appointment.extension[0].value.reference")],
    ),
    "an operator that is a text": (
        appointment(extension=[{"url": FRC + "fr-core-appointment-operator", "valueString": "Dr Durand"}]),
        [
            ("type-not-allowed", "Appointment.extension[0].value"),
        ],
    ),
    "two service categories of an agenda": (
        changed(SCHEDULE, serviceCategory=[{"text": "a"}, {"text": "b"}]),
        [("too-many-items", "Schedule.serviceCategory")],
    ),
    "a service type of an agenda": (
        changed(SCHEDULE, serviceType=[{"text": "a"}]),
        [("too-many-items", "Schedule.serviceType")],
    ),
    "an availability without start": (
        availability(without="start"),
        [("slice-missing", "Schedule.extension[0].extension")],
    ),
    "an availability of three parts": (
        schedule({"url": AVAILABILITY["url"], "extension": AVAILABILITY["extension"][:3]}),
        [
            ("missing-element", "Schedule.extension[0].extension"),
            ("slice-missing", "Schedule.extension[0].extension"),
        ],
    ),
    "an availability with a value of its own": (
        schedule({"url": AVAILABILITY["url"], "valueString": "x"}),
        [
            ("missing-element", "Schedule.extension[0].extension"),
            *[("slice-missing", "Schedule.extension[0].extension")] * 4,
            ("too-many-items", "Schedule.extension[0].value"),
        ],
    ),
    "a frequency in another system": (
        availability(
            {"url": "rrule", "extension": [part("freq", valueCoding={"system": "urn:x", "code": "WEEKLY"})]},
            without="rrule",
        ),
        [
            ("code-not-allowed", "Schedule.extension[0].extension[4].extension[0].value"),
            ("fixed-value", "Schedule.extension[0].extension[4].extension[0].value.system"),
        ],
    ),
    "midnight as byHour": (
        availability(
            {
                "url": "rrule",
                "extension": [*AVAILABILITY["extension"][4]["extension"], part("byHour", valuePositiveInt=0)],
            },
            without="rrule",
        ),
        [("malformed-value", "Schedule.extension[0].extension[4].extension[1].value")],
    ),
    "a duration without a service": (
        schedule({"url": DURATION["url"], "extension": DURATION["extension"][1:]}),
        [("slice-missing", "Schedule.extension[0].extension")],
    ),
    "an identifier of a practitioner without system": (
        {
            "resourceType": "Practitioner",
            "meta": {"profile": [FRC + "fr-core-practitioner"]},
            "identifier": [{"system": "urn:x", "value": "1"}, {"value": "2"}],
        },
        [("missing-element", "Practitioner.identifier[1].system")],
    ),
    "two types of a place": (
        {
            "resourceType": "Location",
            "meta": {"profile": [FRC + "fr-core-location"]},
            "type": [{"text": "a"}, {"text": "b"}],
        },
        [("too-many-items", "Location.type")],
    ),
    "an official name without family": (
        patient(meta={"profile": [FRC + "fr-core-patient"]}, name=[{"use": "official", "given": ["A"]}]),
        [("missing-element", "Patient.name[0].family")],
    ),
    "an RPPS number of another type": (
        {
            "resourceType": "Practitioner",
            "meta": {"profile": [FRC + "fr-core-practitioner"]},
            "identifier": [
                {"system": "urn:x", "value": "1", "type": concept("urn:x", "RPPS")},
                {"system": "https://rpps.esante.gouv.fr", "value": "1", "type": concept("urn:x", "RPPS")},
            ],
        },
        [("fixed-value", "Practitioner.identifier[1].type")],
    ),
    "a kind of organization that is not listed": (
        {
            "resourceType": "Organization",
            "meta": {"profile": [FRC + "fr-core-organization"]},
            "name": "CHU",
            "type": [
                {"text": "CHU"},
                concept("https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-3307", "XX"),
            ],
        },
        [("code-not-allowed", "Organization.type[1]")],
    ),
    "a slot found that is told to be included": (
        {
            "resourceType": "Bundle",
            "meta": {"profile": [GAP + "gap-bundle-reponse-demande-consult-dispo"]},
            "type": "searchset",
            "entry": [
                {"fullUrl": "urn:a", "resource": SLOT, "search": {"mode": "match"}},
                {"fullUrl": "urn:b", "resource": SLOT, "search": {"mode": "include"}},
            ],
        },
        [("fixed-value", "Bundle.entry[1].search.mode")],
    ),
    "a profile of another type": (
        patient(meta={"profile": [FRC + "fr-core-slot"]}),
        [("profile-of-another-type", "Patient")],
    ),
}

INVARIANTS: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "app-1": (with_participant(type=None, actor=None), [("app-1", "Appointment.participant[1]")]),
    "app-2": (appointment(status="proposed", end=None), [("app-2", "Appointment")]),
    "app-3": (appointment(start=None, end=None), [("app-3", "Appointment")]),
    "app-4": (appointment(cancelationReason={"text": "x"}), [("app-4", "Appointment")]),
    "ext-1 both": (
        patient(
            extension=[
                {"url": "urn:x", "valueString": "a", "extension": [{"url": "urn:y", "valueString": "b"}]}
            ]
        ),
        [("ext-1", "Patient.extension[0]")],
    ),
    "ext-1 neither": (patient(extension=[{"url": "urn:x"}]), [("ext-1", "Patient.extension[0]")]),
    "per-1": (
        with_participant(period={"start": "2026-12-02", "end": "2026-12-01"}),
        [("per-1", "Appointment.participant[1].period")],
    ),
    "ref-1": (
        with_participant(actor={"reference": "#nobody"}),
        [("ref-1", "Appointment.participant[1].actor")],
    ),
    "ref-1 for the container, outside contained": (
        {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": "#"}},
        [("ref-1", "Basic.subject")],
    ),
    "ref-1 in an entry": (
        bundle("collection", {"resource": {**bare(), "slot": [{"reference": "#s"}]}}),
        [("ref-1", "Bundle.entry[0].resource.slot[0]")],
    ),
    "dom-2": (
        bare(
            contained=[{**PERSON, "contained": [{"resourceType": "Basic", "code": {"text": "x"}}]}],
            participant=[{"actor": {"reference": "#p"}, "status": "accepted"}],
        ),
        [("dom-3", "Appointment.contained[0]"), ("dom-2", "Appointment")],
    ),
    "dom-3": (bare(contained=[PERSON]), [("dom-3", "Appointment")]),
    "dom-4": (
        bare(
            contained=[{**PERSON, "meta": {"versionId": "1"}}],
            participant=[{"actor": {"reference": "#p"}, "status": "accepted"}],
        ),
        [("dom-4", "Appointment")],
    ),
    "dom-5": (
        bare(
            contained=[{**PERSON, "meta": {"security": [{"code": "R"}]}}],
            participant=[{"actor": {"reference": "#p"}, "status": "accepted"}],
        ),
        [("dom-5", "Appointment")],
    ),
    "cpt-2": (patient(telecom=[{"value": "1"}]), [("cpt-2", "Patient.telecom[0]")]),
    "pat-1": (patient(contact=[{"gender": "male"}]), [("pat-1", "Patient.contact[0]")]),
    "org-1": ({"resourceType": "Organization", "active": True}, [("org-1", "Organization")]),
    "org-2": (
        {"resourceType": "Organization", "name": "A", "address": [{"use": "work"}, {"use": "home"}]},
        [("org-2", "Organization.address[1]")],
    ),
    "org-3": (
        {"resourceType": "Organization", "name": "A", "telecom": [{"use": "home"}]},
        [("org-3", "Organization.telecom[0]")],
    ),
    "drt-1": (
        schedule(
            {
                "url": DURATION["url"],
                "extension": [
                    DURATION["extension"][0],
                    part("duration", valueDuration={"value": 3, "system": "urn:x", "code": "min"}),
                ],
            }
        ),
        [("drt-1", "Schedule.extension[0].extension[1].value")],
    ),
    "qty-3 on a quantity of another name": (
        patient(extension=[{"url": "urn:x", "valueAge": {"value": 3, "code": "a"}}]),
        [("qty-3", "Patient.extension[0].value")],
    ),
    "sqty-1": (
        {
            "resourceType": "SupplyDelivery",
            "suppliedItem": {"quantity": {"value": 3, "comparator": "<"}},
        },
        [("sqty-1", "SupplyDelivery.suppliedItem.quantity")],
    ),
    "txt-1": (narrative("<script>alert(1)</script>"), [("txt-1", "Patient.text.div")]),
    "txt-2": (narrative(" <p/>"), [("txt-2", "Patient.text.div")]),
    "bdl-1 and bdl-2": (
        bundle("collection", {"resource": PATIENT, "search": {"mode": "match"}}, total=1),
        [("bdl-1", "Bundle"), ("bdl-2", "Bundle")],
    ),
    "bdl-3": (bundle("batch", {"resource": PATIENT}), [("bdl-3", "Bundle")]),
    "bdl-7 and bdl-8": (
        bundle("collection", *[{"fullUrl": "https://x.fr/Patient/1/_history/1", "resource": PATIENT}] * 2),
        [("bdl-8", "Bundle.entry[0]"), ("bdl-8", "Bundle.entry[1]"), ("bdl-7", "Bundle")],
    ),
}

CASES = {
    f"{kind}: {name}": case
    for kind, cases in (
        ("structure", STRUCTURE),
        ("value", VALUES),
        ("profile", PROFILES),
        ("invariant", INVARIANTS),
    )
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", CASES)
def test_a_planted_error_is_found_where_it_is_and_nothing_else_is(name: str) -> None:
    resource, expected = CASES[name]

    assert found(resource) == expected


@pytest.mark.parametrize(
    "resource", [APPOINTMENT, PATIENT, SCHEDULE], ids=["Appointment", "Patient", "Schedule"]
)
def test_the_samples_the_errors_are_planted_in_are_right(resource: dict[str, Any]) -> None:
    assert VALIDATOR.check(resource) == []
    assert VALIDATOR.refuse(resource) == ()


@pytest.mark.parametrize("name", STRUCTURE)
def test_what_has_not_the_shape_of_its_type_is_malformed(name: str) -> None:
    with pytest.raises(Malformed):
        VALIDATOR.refuse(STRUCTURE[name][0])


@pytest.mark.parametrize("name", VALUES | PROFILES | INVARIANTS)
def test_what_breaks_a_rule_is_invalid(name: str) -> None:
    resource, expected = (VALUES | PROFILES | INVARIANTS)[name]

    with pytest.raises(Invalid) as refused:
        VALIDATOR.refuse(resource)

    assert [(issue.why.key, issue.at) for issue in refused.value.issues] == expected


def test_all_errors_are_told_at_once_in_the_order_of_the_resource() -> None:
    broken = appointment(
        status="foo",
        priority="5",
        start="2026-02-31T09:00:00Z",
        comment="",
        participant=[{"actor": {"reference": "Organization/1"}}, {"status": "accepted"}],
        foo=1,
    )

    assert found(broken) == [
        ("code-not-allowed", "Appointment.status"),
        ("wrong-json-type", "Appointment.priority"),
        ("malformed-value", "Appointment.start"),
        ("reference-target", "Appointment.participant[0].actor.reference"),
        ("missing-element", "Appointment.participant[0].status"),
        ("app-1", "Appointment.participant[1]"),
        ("empty-value", "Appointment.comment"),
        ("unknown-element", "Appointment.foo"),
    ]


def test_no_sentence_repeats_what_was_sent() -> None:
    secret = "Zebulon"
    for resource, _ in CASES.values():
        spoiled = {
            **resource,
            secret: secret,
            "language": secret,
            "id": secret + "?",
            "implicitRules": secret + " x",
        }

        for issue in VALIDATOR.check(spoiled):
            assert secret not in issue.text("fr") + issue.text("en") + issue.diagnostics


def test_every_sentence_can_be_said_in_both_languages() -> None:
    for resource, _ in CASES.values():
        for issue in VALIDATOR.check(resource):
            assert issue.text("fr") and issue.text("en") and issue.text("fr") != issue.text("en")

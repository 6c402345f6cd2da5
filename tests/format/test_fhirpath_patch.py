"""FHIRPath Patch: each operation, the paths that lead to an element, what is refused."""

from __future__ import annotations

import copy
import time
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creneau.fhir import fhirpath_patch, xml
from creneau.fhir.path import parse, select
from creneau.problems import Invalid, Malformed, Problem
from tests.format.made import resources

APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "a",
    "meta": {"versionId": "3"},
    "status": "proposed",
    "minutesDuration": 15,
    "participant": [
        {"actor": {"reference": "Patient/1"}, "status": "accepted"},
        {"actor": {"reference": "Practitioner/1"}, "required": "required", "status": "needs-action"},
    ],
}


def availability(identifier: str, priority: int) -> dict[str, Any]:
    return {
        "url": "http://gap/availabilityTime",
        "extension": [
            {"url": "identifier", "valueIdentifier": {"system": "urn:s", "value": identifier}},
            {"url": "priority", "valueInteger": priority},
            {"url": "start", "valueDateTime": "2026-11-24T09:00:00+01:00"},
        ],
    }


SCHEDULE: dict[str, Any] = {
    "resourceType": "Schedule",
    "id": "s",
    "extension": [availability("one", 1), availability("two", 2), availability("three", 3)],
    "actor": [{"reference": "Practitioner/1"}],
}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "birthDate": "1970-01-01",
    "name": [
        {
            "given": ["Anne", None, "Lise"],
            "_given": [None, {"id": "g", "extension": [{"url": "u", "valueCode": "x"}]}],
        }
    ],
    "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}],
}


def operation(type: str, path: str, value: Any = None, **words: Any) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"name": "type", "valueCode": type}, {"name": "path", "valueString": path}]
    parts += [
        {"name": name, "valueInteger" if isinstance(word, int) else "valueString": word}
        for name, word in words.items()
    ]
    return {"name": "operation", "part": parts + ([{"name": "value", **value}] if value is not None else [])}


def parameters(*operations: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(operations)}


def applied(resource: dict[str, Any], *operations: Any) -> dict[str, Any]:
    before, patch = copy.deepcopy(resource), fhirpath_patch.read(parameters(*operations))
    result = fhirpath_patch.apply(resource, patch)
    assert resource == before
    assert fhirpath_patch.apply(resource, patch) == result
    return result


def refused(resource: dict[str, Any], *operations: Any) -> tuple[type[Problem], str]:
    with pytest.raises(Problem) as caught:
        applied(resource, *operations)
    issue = caught.value.issues[0]
    assert issue.text("fr") and issue.text("en")
    assert issue.at.startswith("Parameters.parameter[") or issue.why.key == "patch-identity"
    return type(caught.value), issue.why.key


def with_changes(resource: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**resource, **changes}.items() if value is not None}


# What the flows of GAP do with it


def test_the_status_of_an_appointment_is_replaced() -> None:
    assert applied(
        APPOINTMENT, operation("replace", "Appointment.status", {"valueCode": "booked"})
    ) == with_changes(APPOINTMENT, status="booked")


def test_a_participant_is_added_part_by_part() -> None:
    parts = [
        {"name": "type", "valueCodeableConcept": {"text": "salle"}},
        {"name": "type", "valueCodeableConcept": {"text": "bloc"}},
        {"name": "actor", "valueReference": {"reference": "Location/1"}},
        {"name": "status", "valueCode": "accepted"},
        {"name": "period", "part": [{"name": "start", "valueDateTime": "2026-11-24"}]},
    ]
    added = {
        "type": [{"text": "salle"}, {"text": "bloc"}],
        "actor": {"reference": "Location/1"},
        "status": "accepted",
        "period": {"start": "2026-11-24"},
    }

    assert applied(
        APPOINTMENT, operation("add", "Appointment", {"part": parts}, name="participant")
    ) == with_changes(APPOINTMENT, participant=[*APPOINTMENT["participant"], added])


def test_the_answer_of_one_participant_is_replaced() -> None:
    path = "Appointment.participant.where(actor.reference='Practitioner/1').status"

    patched = applied(APPOINTMENT, operation("replace", path, {"valueCode": "declined"}))

    assert [one["status"] for one in patched["participant"]] == ["accepted", "declined"]


@pytest.mark.parametrize(
    "path",
    [
        "Schedule.extension.where(url='http://gap/availabilityTime' and extension('identifier').value.value='two')",
        "Schedule.extension('http://gap/availabilityTime').where(extension.where(url = 'identifier').value.value = 'two')",
        "Schedule.extension.where(extension('priority').value = 2)",
        "Schedule.extension.where(extension('priority').value != 1 and (extension('priority').value != 3 or false))",
        "Schedule.extension[1]",
        "extension.where(extension('identifier').value.where(system='urn:s').value = 'two').first()",
    ],
)
def test_one_availability_is_deleted(path: str) -> None:
    patched = applied(SCHEDULE, operation("delete", path))

    assert patched == with_changes(SCHEDULE, extension=[SCHEDULE["extension"][0], SCHEDULE["extension"][2]])


def test_a_choice_changes_its_type() -> None:
    path = "Schedule.extension[0].extension('start').value"

    patched = applied(SCHEDULE, operation("replace", path, {"valueDate": "2026-12-01"}))

    assert patched["extension"][0]["extension"][2] == {"url": "start", "valueDate": "2026-12-01"}


def test_an_availability_is_added_as_an_extension_built_of_parts() -> None:
    inner = [{"name": "url", "valueUri": "priority"}, {"name": "value", "valueInteger": 4}]
    parts = [{"name": "url", "valueUri": "http://gap/availabilityTime"}, {"name": "extension", "part": inner}]

    patched = applied(SCHEDULE, operation("add", "Schedule", {"part": parts}, name="extension"))

    assert patched["extension"][3] == {
        "url": "http://gap/availabilityTime",
        "extension": [{"url": "priority", "valueInteger": 4}],
    }


# Each operation


@pytest.mark.parametrize(
    ("resource", "asked", "changes"),
    [
        (APPOINTMENT, operation("add", "Appointment", {"valueString": "x"}, name="comment"), {"comment": "x"}),
        (APPOINTMENT, operation("add", "Appointment", {"valueReference": {"reference": "Slot/1"}}, name="slot"), {"slot": [{"reference": "Slot/1"}]}),
        (APPOINTMENT, operation("delete", "Appointment.comment"), {}),
        (APPOINTMENT, operation("delete", "Appointment.participant.where(status='x')"), {}),
        (APPOINTMENT, operation("delete", "Appointment.minutesDuration"), {"minutesDuration": None}),
        (SCHEDULE, operation("delete", "Schedule.actor.last()"), {"actor": None}),
        (SCHEDULE, operation("insert", "Schedule.actor", {"valueReference": {"reference": "Location/1"}}, index=0),
         {"actor": [{"reference": "Location/1"}, {"reference": "Practitioner/1"}]}),
        (SCHEDULE, operation("insert", "Schedule.specialty", {"valueCodeableConcept": {"text": "x"}}, index=0), {"specialty": [{"text": "x"}]}),
        (SCHEDULE, operation("move", "Schedule.extension", source=0, destination=2),
         {"extension": [SCHEDULE["extension"][at] for at in (1, 2, 0)]}),
        (SCHEDULE, operation("move", "Schedule.extension", source=2, destination=1),
         {"extension": [SCHEDULE["extension"][at] for at in (0, 2, 1)]}),
        (PATIENT, operation("delete", "Patient.name.given[1]"), {"name": [{"given": ["Anne", "Lise"]}]}),
        (PATIENT, operation("insert", "Patient.name.given", {"valueString": "Zoé"}, index=0),
         {"name": [{"given": ["Zoé", "Anne", None, "Lise"], "_given": [None, *PATIENT["name"][0]["_given"]]}]}),
        (PATIENT, operation("move", "Patient.name.given", source=1, destination=0),
         {"name": [{"given": [None, "Anne", "Lise"], "_given": [PATIENT["name"][0]["_given"][1], None, None]}]}),
        (PATIENT, operation("replace", "Patient.name.given[1]", {"valueString": "Eve"}),
         {"name": [{"given": ["Anne", "Eve", "Lise"]}]}),
        (PATIENT, operation("replace", "Patient.name.given[1].extension('u').value", {"valueCode": "y"}),
         {"name": [{**PATIENT["name"][0], "_given": [None, {"id": "g", "extension": [{"url": "u", "valueCode": "y"}]}]}]}),
        (PATIENT, operation("add", "Patient.birthDate", {"valueString": "b"}, name="id"), {"_birthDate": {"id": "b"}}),
        (PATIENT, operation("add", "Patient.name[0].given[2]", {"valueString": "b"}, name="id"),
         {"name": [{"given": ["Anne", None, "Lise"], "_given": [*PATIENT["name"][0]["_given"], {"id": "b"}]}]}),
        (PATIENT, operation("replace", "Patient.birthDate", {"valueDate": "1971", "_valueDate": {"id": "z"}}),
         {"birthDate": "1971", "_birthDate": {"id": "z"}}),
        (PATIENT, operation("replace", "Patient.contained.where(id='o').name", {"valueString": "y"}),
         {"contained": [{"resourceType": "Organization", "id": "o", "name": "y"}]}),
        (PATIENT, operation("replace", "Patient.contained[0]", {"resource": {"resourceType": "Device", "id": "d"}}),
         {"contained": [{"resourceType": "Device", "id": "d"}]}),
        (PATIENT, operation("add", "Patient", {"valueBoolean": False}, name="deceased"), {"deceasedBoolean": False}),
    ],
)  # fmt: skip
def test_an_operation_changes_its_element_and_nothing_else(
    resource: dict[str, Any], asked: Any, changes: dict[str, Any]
) -> None:
    assert applied(resource, asked) == with_changes(resource, **changes)


@pytest.mark.parametrize(
    ("resource", "asked", "key"),
    [
        (APPOINTMENT, operation("add", "Appointment", {"valueCode": "x"}, name="status"), "patch-occupied"),
        (SCHEDULE, operation("add", "Schedule.extension[0].extension[1]", {"valueString": "x"}, name="value"), "patch-occupied"),
        (APPOINTMENT, operation("add", "Appointment.participant", {"valueCode": "x"}, name="required"), "patch-several"),
        (APPOINTMENT, operation("delete", "Appointment.participant"), "patch-several"),
        (APPOINTMENT, operation("replace", "Appointment.participant.status", {"valueCode": "x"}), "patch-several"),
        (APPOINTMENT, operation("replace", "Appointment.comment", {"valueString": "x"}), "patch-place"),
        (APPOINTMENT, operation("replace", "Appointment", {"valueString": "x"}), "patch-place"),
        (APPOINTMENT, operation("delete", "Appointment"), "patch-place"),
        (APPOINTMENT, operation("add", "Appointment.requestedPeriod", {"valueDate": "2026"}, name="start"), "patch-place"),
        (APPOINTMENT, operation("insert", "Appointment.participant", {"part": []}, index=3), "patch-place"),
        (APPOINTMENT, operation("insert", "Appointment.participant", {"part": []}, index=-1), "patch-place"),
        (APPOINTMENT, operation("insert", "Appointment.status", {"valueCode": "x"}, index=0), "patch-place"),
        (APPOINTMENT, operation("insert", "Appointment.participant[0]", {"part": []}, index=0), "patch-place"),
        (APPOINTMENT, operation("move", "Appointment.participant", source=2, destination=0), "patch-place"),
        (APPOINTMENT, operation("move", "Appointment.participant", source=0, destination=2), "patch-place"),
        (APPOINTMENT, operation("add", "Appointment", {"valueString": "x"}, name="nom"), "fhirpath-element"),
        (APPOINTMENT, operation("replace", "Appointment.participant.nom", {"valueString": "x"}), "fhirpath-element"),
        (APPOINTMENT, operation("replace", "Slot.status", {"valueString": "x"}), "fhirpath-element"),
        (APPOINTMENT, operation("delete", "Appointment.participant.where(actor.nom='x')"), "fhirpath-element"),
        (APPOINTMENT, operation("add", "Appointment", {"part": [{"name": "nom", "valueCode": "x"}]}, name="participant"), "fhirpath-element"),
        (APPOINTMENT, operation("replace", "Appointment.status", {"valuePeriod": {}}), "patch-value"),
        (APPOINTMENT, operation("replace", "Appointment.status", {"valueCode": ["x"]}), "patch-value"),
        (APPOINTMENT, operation("replace", "Appointment.status", {"_valueCode": "x"}), "patch-value"),
        (APPOINTMENT, operation("replace", "Appointment.status", {}), "patch-value"),
        (APPOINTMENT, operation("replace", "Appointment.status", {"part": []}), "patch-value"),
        (APPOINTMENT, operation("replace", "Appointment.status", {"resource": APPOINTMENT}), "patch-value"),
        (APPOINTMENT, operation("add", "Appointment", {"valueCode": "x"}, name="participant"), "patch-value"),
        (APPOINTMENT, operation("add", "Appointment", {"part": "x"}, name="participant"), "patch-value"),
        (APPOINTMENT, operation("add", "Appointment", {"part": [{"name": "status", "valueCode": "x"}] * 2}, name="participant"), "patch-value"),
        (PATIENT, operation("add", "Patient", {"valueQuantity": {}}, name="deceased"), "patch-value"),
        (PATIENT, operation("add", "Patient", {"resource": {"resourceType": "Truc"}}, name="contained"), "patch-value"),
        (APPOINTMENT, operation("replace", "Appointment.id", {"valueId": "b"}), "patch-identity"),
        (APPOINTMENT, operation("delete", "Appointment.meta.versionId"), "patch-identity"),
        (APPOINTMENT, operation("replace", "Appointment.participant.ofType(x)", {"valueId": "b"}), "fhirpath-function"),
        (APPOINTMENT, operation("replace", "Appointment.participant.where(status.startsWith('a')).status", {"valueId": "b"}), "fhirpath-function"),
    ],
)  # fmt: skip
def test_an_operation_that_does_not_apply_is_refused_by_its_place(
    resource: dict[str, Any], asked: Any, key: str
) -> None:
    fine = operation("delete", f"{resource['resourceType']}.language")

    assert refused(resource, fine, asked) == (Invalid, key)
    assert refused(resource, asked) == (Invalid, key)


@pytest.mark.parametrize(
    "asked",
    [
        3, {}, {"name": "op"}, {"name": "operation"}, {"name": "operation", "part": 3}, {"name": "operation", "part": [3]},
        {"name": "operation", "part": [{"name": 3}]}, operation("upsert", "Appointment.status"), operation("add", "Appointment", name="comment"),
        operation("add", "Appointment", {"valueString": "x"}), operation("replace", "Appointment.status"),
        operation("insert", "Appointment.slot", {"valueString": "x"}), operation("insert", "Appointment.slot", {"valueString": "x"}, index="0"),
        operation("move", "Appointment.slot", source=1),
        {"name": "operation", "part": [{"name": "type", "valueCode": "delete"}]},
        {"name": "operation", "part": [{"name": "type", "valueCode": 3}, {"name": "path", "valueString": "x"}]},
    ],
)  # fmt: skip
def test_an_operation_that_cannot_be_read_is_refused_by_its_place(asked: Any) -> None:
    assert refused(APPOINTMENT, operation("delete", "Appointment.language"), asked)[0] is Malformed


@pytest.mark.parametrize(
    "patch", [None, [], {}, {"resourceType": "Appointment"}, {"resourceType": "Parameters", "parameter": {}}]
)
def test_a_patch_is_a_parameters_resource(patch: object) -> None:
    with pytest.raises(Malformed):
        fhirpath_patch.read(patch)


def test_a_patch_sent_as_xml_is_the_same_patch() -> None:
    sent = parameters(operation("replace", "Appointment.minutesDuration", {"valuePositiveInt": 20}))

    assert (
        fhirpath_patch.apply(APPOINTMENT, fhirpath_patch.read(xml.decode(xml.encode(sent))))[
            "minutesDuration"
        ]
        == 20
    )


def test_operations_see_what_earlier_ones_did() -> None:
    patched = applied(
        APPOINTMENT,
        operation("add", "Appointment", {"valueReference": {"reference": "Slot/1"}}, name="slot"),
        operation("replace", "Appointment.slot[0].reference", {"valueString": "Slot/2"}),
    )

    assert patched["slot"] == [{"reference": "Slot/2"}]


# Paths


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("Appointment.participant.status", ["accepted", "needs-action"]),
        ("participant.status.first()", ["accepted"]),
        ("Appointment.participant.last().status", ["needs-action"]),
        ("Appointment.participant[7].status", []),
        ("Appointment.participant.where(required.exists()).status", ["needs-action"]),
        ("Appointment.participant.where(required.empty()).status", ["accepted"]),
        ("Appointment.participant.where(required.exists().not()).status", ["accepted"]),
        (
            "Appointment.participant.where(status='accepted' or status='needs-action' and required='x').status",
            ["accepted"],
        ),
        (
            "Appointment.participant.where((status='accepted' or status='needs-action') and required='required').status",
            ["needs-action"],
        ),
        ("Appointment.participant.status.where($this = 'accepted')", ["accepted"]),
        ("Appointment.where(minutesDuration = 15.0).id", ["a"]),
        ("Appointment.where('15' = minutesDuration).id", []),
        ("Appointment.where(minutesDuration != 'x' and comment != 'x').id", []),
        ("Appointment . participant [ 0 ] . `status`", ["accepted"]),
    ],
)
def test_a_path_leads_to_its_elements(path: str, values: list[Any]) -> None:
    assert [place.value for place in select(parse(path), APPOINTMENT)] == values


def test_literals_are_read_with_their_escapes_and_types() -> None:
    resource = {"resourceType": "Parameters", "parameter": [
        {"name": "it's \\ é\n", "valueDecimal": Decimal("1.50")}, {"name": "b", "valueBoolean": True}, {"name": "d", "valueDate": "2026-11-24"},
    ]}  # fmt: skip

    def names(criterion: str) -> list[str]:
        return [
            place.value[0]
            for place in select(parse(f"Parameters.parameter.where({criterion}).name"), resource)
        ]

    assert names(r"name = 'it\'s \\ \u00e9\n'") == ["i"]
    assert names("value = 1.5") == ["i"]
    assert names("value = true") == names("value") == ["b"]
    assert names("value = @2026-11-24") == ["d"]


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "Appointment.", ".status", "Appointment..status", "Appointment.status)", "Appointment.participant[", "a[-1]", "a[1.0]",
        "a[x]", "a.where(", "a.where()", "a.where(b = )", "a.where(b 'c')", "a.where(b = 'c", "a.extension(b)", "a.status = 'x'", "a b",
        "a.exists()", "a.where(b.exists().c = 1)", "a | b", "a.where(b ~ c)", "1 + 1", "'x'", "a" * 2001,
        "a.where(" + "(" * 40 + "b" + ")" * 40 + ")", "a.where(b='\\", "%resource",
    ],
)  # fmt: skip
def test_a_path_that_cannot_be_read_is_refused(path: str) -> None:
    with pytest.raises(Invalid):
        parse(path)


words = st.sampled_from([*"ab.()[]'=!&@$` \\01", "where", "first", "and", "or", "exists"])


@given(st.lists(words, max_size=30).map("".join))
def test_any_text_is_a_path_or_is_refused(text: str) -> None:
    with suppress(Invalid):
        parse(text)


names = st.sampled_from(
    [
        "extension",
        "value",
        "id",
        "url",
        "name",
        "part",
        "participant",
        "status",
        "contained",
        "identifier",
        "text",
    ]
)
steps = names | st.sampled_from(
    ["first()", "last()", "extension('a')", "where(id='a')", "where(extension.exists())"]
)
paths = st.lists(steps, min_size=1, max_size=4).map(".".join)
values = st.fixed_dictionaries({}, optional={
    "valueString": st.sampled_from(["a", 1, None, [], {}, ["a"]]),
    "_valueString": st.sampled_from([{"id": "a"}, {"extension": [{"url": "a"}]}, [], 3]),
    "valueExtension": st.sampled_from([{"url": "a"}, {"url": 3}, {"extension": "a", "url": ["a"]}, []]),
    "part": st.sampled_from([[], [{"name": "url", "valueUri": "a"}], [{"name": "id"}], 3]),
    "resource": st.sampled_from([{"resourceType": "Device"}, {"resourceType": "Truc"}, {}]),
})  # fmt: skip
asked = st.builds(
    lambda type, path, value, name, at: operation(type, path, value, name=name, index=at, source=at, destination=0),
    st.sampled_from(["add", "insert", "delete", "replace", "move"]), paths, values, names, st.integers(-1, 2),
)  # fmt: skip


@given(resources(levels=2), st.lists(asked, min_size=1, max_size=5))
def test_any_patch_applies_or_is_refused_and_leaves_the_resource_alone(
    resource: dict[str, Any], patch: list[Any]
) -> None:
    before = copy.deepcopy(resource)

    with suppress(Invalid, Malformed):
        fhirpath_patch.apply(resource, fhirpath_patch.read(parameters(*patch)))

    assert resource == before


def test_a_patch_that_would_look_at_too_many_elements_is_refused_soon() -> None:
    wide = {**SCHEDULE, "extension": [availability(str(number), number) for number in range(1000)]}
    criterion = " or ".join(["extension('identifier').value.value='none'"] * 30)
    asked = operation("delete", f"Schedule.extension.where({criterion})")
    began = time.process_time()

    assert refused(wide, *[asked] * 200) == (Invalid, "fhirpath-cost")
    assert time.process_time() - began < 5


def test_an_availability_among_a_thousand_is_found() -> None:
    wide = {**SCHEDULE, "extension": [availability(str(number), number) for number in range(1000)]}
    asked = operation("delete", "Schedule.extension.where(extension('identifier').value.value='500')")

    assert len(applied(wide, *[asked] * 10)["extension"]) == 999

"""No body makes a fault of ours, and what is refused leaves nothing behind (invariant 5; SEC-20 to SEC-22)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creneau.fhir import xml
from tests.client import Reply
from tests.fuzz.canaries import FAMILY, GIVEN, INS
from tests.fuzz.mutations import ANY, bodies, damaged, markup, written
from tests.fuzz.seeds import JSON_PATCH, NEW, PARAMETERS, SEEDS, fresh, group, patient
from tests.fuzz.sending import Line, tried
from tests.people import Practice

SENT_JSON = ("Content-Type", "application/fhir+json")
SENT_XML = ("Content-Type", "application/fhir+xml")
AS_JSON = ("Accept", "application/fhir+json")
AS_XML = ("Accept", "application/fhir+xml")
DONE = {"Patient": 60, "Schedule": 60, "Appointment": 60}
"""Examples for a type; 15 for the others."""


OPERATIONS = {"Schedule": ["/$validate", "/$availability?start=2026-12-01&end=2027-03-01"]}


def versions(line: Line) -> int:
    """How many versions of resources the server holds."""
    total = line.send("GET", "/_history?_count=1").json["total"]
    assert isinstance(total, int)
    return total


def kept(line: Line, before: int, reply: Reply, most: int = 1) -> None:
    """A refusal wrote nothing; a success wrote what it says, which can be read in every form."""
    wrote = versions(line) - before
    assert wrote == 0 if reply.status >= 400 else 0 <= wrote <= most, (reply.status, wrote)
    if "location" in reply.headers and reply.status < 400:
        at = reply.headers["location"].partition("/fhir")[2].partition("/_history")[0]
        read_in_every_form(line, at)


def read_in_every_form(line: Line, at: str) -> None:
    """The resource at an address, in both formats, summed up, found by a search, and what is computed from it."""
    type, _, id = at.strip("/").partition("/")
    assert line.send("GET", at, headers=[AS_JSON]).status == 200
    assert line.send("GET", at, headers=[AS_XML]).status == 200
    assert line.send("GET", at + "?_summary=true&_pretty=true", headers=[AS_JSON]).status == 200
    if type != "Binary":
        found = line.send("GET", f"/{type}?_id={id}&_elements=extension,identifier", headers=[AS_XML])
        assert found.status == 200
    if type == "Schedule":
        assert line.send("GET", f"/Slot?schedule={id}&_count=20").status in (200, 422)


@pytest.mark.parametrize("type", SEEDS)
def test_a_damaged_resource_is_refused_or_kept_whole(line: Line, office: Practice, type: str) -> None:
    @tried(DONE.get(type, 15))
    @given(bodies(SEEDS[type](office)), st.sampled_from(["", "", "", *OPERATIONS.get(type, ["/$validate"])]))
    def damage(body: bytes, operation: str) -> None:
        before = versions(line)

        reply = line.send("POST", f"/{type}{operation}", fresh(body), [SENT_JSON])

        kept(line, before, reply)

    damage()


@pytest.mark.parametrize("type", ["Patient", "Schedule", "Appointment"])
def test_a_damaged_update_is_refused_or_kept_whole(line: Line, office: Practice, type: str) -> None:
    valid = fresh(json.dumps(SEEDS[type](office)).encode())
    reply = line.send("POST", f"/{type}", valid, [SENT_JSON])
    known = {**json.loads(valid), "id": reply.id}
    system = json.loads(valid).get("identifier", [{"system": NEW}])[0]["system"]

    @tried(30)
    @given(bodies(known), st.sampled_from([f"/{reply.id}", f"?identifier={system}|{INS}"]))
    def damage(body: bytes, target: str) -> None:
        before = versions(line)

        answer = line.send("PUT", f"/{type}{target}", body, [SENT_JSON])

        kept(line, before, answer)

    assert reply.status == 201, reply.body
    damage()


@pytest.mark.parametrize("type", SEEDS)
def test_a_damaged_document_is_refused_or_kept_whole(line: Line, office: Practice, type: str) -> None:
    valid = xml.encode(SEEDS[type](office)).decode()

    @tried(DONE.get(type, 15))
    @given(markup(valid))
    def damage(body: bytes) -> None:
        before = versions(line)

        reply = line.send("POST", f"/{type}", fresh(body), [SENT_XML, AS_XML])

        kept(line, before, reply)

    damage()


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_a_damaged_bundle_is_refused_or_done_whole(line: Line, office: Practice, kind: str) -> None:
    @tried(40)
    @given(bodies(group(office, kind)))
    def damage(body: bytes) -> None:
        before = versions(line)

        reply = line.send("POST", "", fresh(body), [SENT_JSON])

        kept(line, before, reply, most=200)
        if reply.status == 200:
            statuses = [one["response"]["status"][:3] for one in reply.json.get("entry", ())]
            assert all(status < "500" for status in statuses), reply.body
            assert kind == "batch" or all(status < "400" for status in statuses), statuses

    damage()


def test_a_damaged_bundle_in_xml_is_refused_or_done_whole(line: Line, office: Practice) -> None:
    @tried(20)
    @given(markup(xml.encode(group(office)).decode()))
    def damage(body: bytes) -> None:
        before = versions(line)

        reply = line.send("POST", "", fresh(body), [SENT_XML])

        kept(line, before, reply, most=200)

    damage()


@pytest.mark.parametrize(
    ("media", "valid"),
    [("application/json-patch+json", JSON_PATCH), ("application/fhir+json", PARAMETERS)],
    ids=["JSON Patch", "FHIRPath Patch"],
)
def test_a_damaged_patch_is_refused_or_applied_whole(line: Line, media: str, valid: Any) -> None:
    @tried(60)
    @given(bodies(valid))
    def damage(body: bytes) -> None:
        before = versions(line)

        reply = line.send("PATCH", target, body, [("Content-Type", media)])

        kept(line, before, reply)

    made = line.send("POST", "/Patient", fresh(json.dumps(patient()).encode()), [SENT_JSON])
    target = f"/Patient/{made.id}"
    damage()


POINTERS = [
    *(
        "/name",
        "/name/0",
        "/name/-",
        "/name/0/given/0",
        "/name/0/given/-",
        "/telecom/0/value",
        "/birthDate",
        "/_birthDate",
    ),
    *(
        "/meta",
        "/meta/tag/0",
        "/id",
        "/resourceType",
        "/contained/0/id",
        "/text/div",
        "/active",
        "/maritalStatus",
        "/name/9",
    ),
    *(
        "",
        "/",
        "//",
        "/~1",
        "/~2",
        "/name/00",
        "/name/-1",
        "/name/1e0",
        "/name/٣",
        "name",
        "/name/0/family/x",
        "/é",
        "/identifier",
    ),
]
PATHS = [
    *(
        "Patient",
        "Patient.name",
        "Patient.name[0]",
        "Patient.name[0].given",
        "Patient.name[0].given[1]",
        "Patient.birthDate",
    ),
    *(
        "Patient.name.where(use='official')",
        "Patient.telecom.where(system = 'phone').first().value",
        "Patient.meta.tag",
    ),
    *(
        "Patient.contained[0]",
        "Patient.id",
        "Patient.text.div",
        "Patient.name.given",
        "Patient.name.last().family",
        "name[0]",
    ),
    *(
        "",
        "Patient.",
        "Patient.name[-1]",
        "Patient.name[99]",
        "Practitioner.name",
        "Patient.name | Patient.telecom",
        "%resource",
    ),
    *(
        "Patient.name.where(true)",
        "Patient.extension('urn:a')",
        "Patient.descendants()",
        "Patient.name.where(family='É')",
        "1",
    ),
]
POINTED = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": st.sampled_from(POINTERS),
        "value": ANY,
        "from": st.sampled_from(POINTERS),
    }
)


@st.composite
def walked(draw: st.DrawFn) -> dict[str, Any]:
    """An operation of a FHIRPath Patch."""
    parts: list[dict[str, Any]] = [
        {"name": "type", "valueCode": draw(st.sampled_from(["add", "insert", "delete", "replace", "move"]))},
        {"name": "path", "valueString": draw(st.sampled_from(PATHS))},
        {
            "name": "name",
            "valueString": draw(
                st.sampled_from(["active", "given", "telecom", "name", "id", "x", "multipleBirth"])
            ),
        },
        {"name": "index", "valueInteger": draw(st.sampled_from([0, 1, 2, -1, 99]))},
        {"name": "source", "valueInteger": draw(st.sampled_from([0, 1, 9]))},
        {"name": "destination", "valueInteger": draw(st.sampled_from([0, 1, 9]))},
    ]
    held = draw(st.sampled_from(["String", "Boolean", "HumanName", "ContactPoint", "Code", "Integer"]))
    values = [True, 3, GIVEN, {"family": FAMILY}, {"system": "phone", "value": "1"}]
    parts.append({"name": "value", f"value{held}": draw(st.sampled_from(values))})
    kept = draw(st.lists(st.sampled_from(parts[2:]), unique_by=lambda part: part["name"]))
    return {"name": "operation", "part": [*parts[:2], *kept]}


@pytest.mark.parametrize("media", ["application/json-patch+json", "application/fhir+json"])
def test_operations_of_a_patch_apply_together_or_not_at_all(line: Line, media: str) -> None:
    asked = POINTED if "patch" in media else walked()

    @tried(100)
    @given(st.lists(asked, min_size=1, max_size=3))
    def change(operations: list[Any]) -> None:
        body: Any = operations
        if "patch" not in media:
            body = {"resourceType": "Parameters", "parameter": operations}
        made = line.send("POST", "/Patient", fresh(json.dumps(patient()).encode()), [SENT_JSON])
        before = versions(line)

        reply = line.send("PATCH", f"/Patient/{made.id}", written(body).encode(), [("Content-Type", media)])

        kept(line, before, reply)
        if reply.status >= 400:
            assert line.send("GET", f"/Patient/{made.id}").body == made.body

    change()


@tried(40)
@given(st.data())
def test_a_damaged_resource_inside_parameters_is_only_looked_at(
    line: Line, office: Practice, data: st.DataObject
) -> None:
    type = data.draw(st.sampled_from(sorted(SEEDS)))
    asked = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "resource", "resource": SEEDS[type](office)},
            {"name": "profile", "valueUri": "http://hl7.org/fhir/StructureDefinition/Patient"},
        ],
    }
    body = fresh(written(data.draw(damaged(asked))).encode())
    before = versions(line)

    line.send("POST", f"/{type}/$validate", body, [SENT_JSON])

    assert versions(line) == before

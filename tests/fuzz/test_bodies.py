"""No body makes a fault of ours, and what is refused leaves nothing behind (invariant 5; SEC-20 to SEC-22)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creneau.fhir import xml
from tests.fuzz.canaries import INS
from tests.fuzz.keeping import AS_XML, SENT_JSON, SENT_XML, kept, versions
from tests.fuzz.mutations import bodies, damaged, markup, written
from tests.fuzz.seeds import NEW, SEEDS, fresh, group
from tests.fuzz.sending import Line, tried
from tests.people import Practice

DONE = {"Patient": 40, "Schedule": 50, "Appointment": 50}
"""Examples for a type; 15 for the others."""
OPERATIONS = {"Schedule": ["/$validate", "/$availability?start=2026-12-01&end=2027-03-01"]}


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

"""Query strings made to cost, each within the limits or just over them, are answered in time (SEC-23, SEC-25)."""

from __future__ import annotations

import pytest

from creneau.search.parameters import TYPES
from tests.fuzz.sending import Line
from tests.people import Practice

COSTLY = [
    "Appointment?" + "&".join(["actor.organization.partof.endpoint=1"] * 60),
    "Appointment?" + "&".join(["actor.link.general-practitioner.organization.name=a"] * 60),
    "Appointment?actor.link.general-practitioner.organization.name=" + ",".join(["a"] * 200),
    "Slot?" + "&".join(["schedule.actor.link.general-practitioner.name=a"] * 60),
    "Slot?start=ge0001&start=lt9999&_count=1000",
    "Slot?start=ne2026&_include=*&_include:iterate=Schedule:actor",
    "Patient?" + "&".join(["_has:Appointment:actor:_has:AppointmentResponse:appointment:_id=a"] * 60),
    "Patient?" + "&".join(["_has:Appointment:actor:patient.link.general-practitioner.name=a"] * 60),
    "Patient?name:contains=" + ",".join(["a"] * 200),
    "Patient?name:not=" + ",".join(["a"] * 200),
    "Patient?name=" + "," * 15_000,
    "Patient?name=" + "\\" * 15_000,
    "Patient?identifier=" + "\\|" * 7_000,
    "Patient?" + "a" * 15_000,
    "Patient?" + "a." * 7_000 + "=1",
    "Patient?" + "_has:" * 3_000 + "=1",
    "Patient?" + "link." * 3_000 + "name=1",
    "Patient?" + "&".join(["name=a"] * 256),
    "Patient?_sort=" + ",".join(["name", "-family", "birthdate", "_id"] * 50),
    "Patient?_include=" + ",".join(["*"] * 200),
    "Patient?" + "&".join(["_include:iterate=Patient:link", "_revinclude:iterate=Patient:link"] * 30),
    "Patient?" + "&".join(["_revinclude:iterate=" + source + ":*" for source in TYPES]),
    "Patient?_elements=" + ",".join(["a"] * 5_000),
    "Patient?birthdate=" + "9" * 15_000,
    "Patient?birthdate=2026-01-01T10:00:00." + "9" * 15_000 + "Z",
    "Location?near=" + "9" * 5_000 + "|" + "9" * 5_000,
    "Patient?_page=" + "W" * 15_000,
    "Patient?_lastUpdated=" + ",".join(["ap2026"] * 200),
    "Patient?_id=" + ",".join(["a"] * 200),
    "Patient?general-practitioner:identifier=" + "|" * 15_000,
]


@pytest.mark.parametrize("asked", COSTLY, ids=lambda asked: asked[:40])
def test_a_question_made_to_cost_is_answered_in_time(line: Line, office: Practice, asked: str) -> None:
    reply = line.send("GET", "/" + asked)

    assert reply.status in (200, 400, 414, 422), (reply.status, reply.body)

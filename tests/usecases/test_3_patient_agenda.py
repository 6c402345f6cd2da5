"""GAP-UC-03, partage d'agenda patient (ENS): several tools feed the agenda of a patient, a GP consults it, statuses follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.usecases.vendor import INS, RPPS, Answer, Json, System, identifier, participant

TOOLS = ("https://portal-a.example", "https://portal-b.example")
NUMBER = "290019900199099"


def setting(server: System) -> tuple[str, str]:
    """The patient with an agenda of her own (2a, acteur Patient), and a professional she sees."""
    patient = server.declare(
        {
            "resourceType": "Patient",
            "identifier": identifier(INS, NUMBER),
            "name": [{"family": "Nguyen", "given": ["Thi"]}],
        }
    )
    made = server.send(
        "POST",
        "Schedule",
        {
            "resourceType": "Schedule",
            "identifier": identifier("https://ens.example/agendas", "nguyen"),
            "active": True,
            "actor": [{"type": "Patient", "identifier": {"system": INS, "value": NUMBER}}],
        },
    )
    assert made.status == 201, made.body
    assert made.body["actor"][0]["reference"] == patient
    doctor = server.declare({"resourceType": "Practitioner", "identifier": identifier(RPPS, "99900000401")})
    return patient, doctor


def visit(tool: str, value: str, day: str, hour: int, patient: str, doctor: str, **more: Any) -> Json:
    return {
        "resourceType": "Appointment",
        "identifier": identifier(f"{tool}/rdv", value),
        "status": "booked",
        "start": f"{day}T{hour:02}:00:00+01:00",
        "end": f"{day}T{hour:02}:20:00+01:00",
        "participant": [participant(patient), participant(doctor)],
        **more,
    }


def consulted(server: System, first: str, last: str) -> Answer:
    """4b as the GP's tool asks it, the identifier of the patient out of the address."""
    return server.search_form(
        "Appointment",
        ("patient.identifier", f"{INS}|{NUMBER}"),
        ("date", f"ge{first}"),
        ("date", f"lt{last}"),
        ("_sort", "date"),
        ("_include", "Appointment:practitioner"),
    )


def test_two_tools_feed_one_agenda_and_a_gp_sees_all_of_it(organisation: Callable[[str], System]) -> None:
    ens = organisation("ens")
    patient, doctor = setting(ens)

    # Each booking tool sends its appointments (6b, which creates), as often as it likes.
    for tool, day in zip(TOOLS, ("2031-02-03", "2031-02-05"), strict=True):
        sent = visit(tool, "1", day, 10, patient, doctor, description="Consultation")
        assert [ens.put(sent).status for _ in range(2)] == [201, 200]
    assert ens.put(visit(TOOLS[0], "2", "2031-03-03", 10, patient, doctor)).status == 201

    # The GP asks the appointments of the patient over an interval.
    found = consulted(ens, "2031-02-01", "2031-03-01")
    assert found.body["total"] == 2
    assert [one["start"][:10] for one in found.entries] == ["2031-02-03", "2031-02-05"]
    assert [one["resourceType"] for one in found.included] == ["Practitioner"]
    assert all(NUMBER not in link["url"] for link in found.body["link"])

    # The agenda itself shows busy time, and nothing of why (4a).
    busy = ens.search(
        "Slot",
        ("schedule.actor:Patient.identifier", f"{INS}|{NUMBER}"),
        ("status", "busy"),
        ("start", "ge2031-02-01"),
        ("start", "lt2031-03-01"),
    )
    assert [one["start"][:10] for one in busy.entries] == ["2031-02-03", "2031-02-05"]
    assert all("Consultation" not in str(one) for one in busy.entries)
    agenda = busy.entries[0]["schedule"]["reference"]
    told = ens.search(f"{agenda}/$availability", ("start", "2031-02-03"), ("end", "2031-02-04"))
    assert "busy" in [part["valueCode"] for one in told.body["parameter"] for part in one["part"][:1]]


@pytest.mark.parametrize("became", ["fulfilled", "noshow"])
def test_the_tool_says_whether_the_patient_came(organisation: Callable[[str], System], became: str) -> None:
    ens = organisation("ens")
    patient, doctor = setting(ens)
    sent = visit(TOOLS[0], "1", "2026-01-05", 10, patient, doctor)
    assert ens.put(sent).status == 201

    # honoré: fulfilled; ne s'est pas présenté: noshow (6b).
    updated = ens.put({**sent, "status": became})

    assert (updated.status, updated.body["status"]) == (200, became), updated.body
    found = consulted(ens, "2026-01-01", "2026-02-01")
    assert [one["status"] for one in found.entries] == [became]
    assert ens.search("Appointment", ("status", became), ("patient", patient)).body["total"] == 1
    assert ens.search("Appointment", ("status", "booked"), ("patient", patient)).body["total"] == 0


def test_a_moved_and_a_cancelled_appointment_are_seen_at_once(organisation: Callable[[str], System]) -> None:
    ens = organisation("ens")
    patient, doctor = setting(ens)
    sent = visit(TOOLS[0], "1", "2031-02-03", 10, patient, doctor)
    ens.put(sent)

    moved = ens.put(visit(TOOLS[0], "1", "2031-02-04", 11, patient, doctor))
    seen = consulted(ens, "2031-02-01", "2031-03-01")
    cancelled = ens.put(visit(TOOLS[0], "1", "2031-02-04", 11, patient, doctor, status="cancelled"))
    after = consulted(ens, "2031-02-01", "2031-03-01")

    assert (moved.status, cancelled.status) == (200, 200)
    assert [one["start"] for one in seen.entries] == ["2031-02-04T11:00:00+01:00"]
    assert [one["status"] for one in after.entries] == ["cancelled"]

"""GAP-UC-02, demande de rendez-vous pour une téléexpertise: a GP asks a specialist, who accepts; the case of the patient is attached."""

from __future__ import annotations

from collections.abc import Callable

from tests.usecases.vendor import (
    INS,
    R38,
    RPPS,
    Json,
    System,
    concept,
    identifier,
    lasts,
    opening,
    participant,
)

EDITOR = "https://gp.example"
EXPERTISE = concept("https://expert.example/services", "tele-expertise")


def people(server: System) -> tuple[str, str, str]:
    """The requérant (a GP), the requis (a specialist), each with an agenda; the patient."""
    known = []
    for number, name in (("99900000301", "Requérant"), ("99900000302", "Requis")):
        known.append(
            server.declare(
                {
                    "resourceType": "Practitioner",
                    "identifier": identifier(RPPS, number),
                    "name": [{"family": name}],
                }
            )
        )
        hours = opening("matin", "2031-03-03T09:00:00+01:00", "2031-03-03T12:00:00+01:00", "MO", "TU")
        server.declare(
            {
                "resourceType": "Schedule",
                "identifier": identifier(f"{EDITOR}/agendas", number),
                "actor": [{"reference": known[-1]}],
                "extension": [hours, lasts(20, EXPERTISE)],
            }
        )
    patient = {"resourceType": "Patient", "identifier": identifier(INS, "190019900199042")}
    return known[0], known[1], server.declare(patient)


def case(server: System, patient: str, author: str) -> str:
    """What the specialist needs to see: a document of the patient, with its description."""
    content = b"%PDF-1.7 antecedents, traitement, question posee"
    stored = server.send("POST", "Binary", content, Content_Type="application/pdf")
    assert stored.status == 201, stored.body
    location = stored.headers["location"].split("/fhir/")[1].partition("/_history")[0]
    return server.declare(
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "description": "Dossier pour avis",
            "subject": {"reference": patient},
            "author": [{"reference": author}],
            "content": [{"attachment": {"contentType": "application/pdf", "url": location}}],
        }
    )


def request(patient: str, gp: str, specialist: str, document: str) -> Json:
    """6a, proposed: the secretariat said on the telephone that Monday at 9:20 would do."""
    return {
        "resourceType": "Appointment",
        "identifier": identifier(f"{EDITOR}/rdv", "avis-1"),
        "status": "proposed",
        "description": "Téléexpertise : avis cardiologique",
        "serviceType": [EXPERTISE],
        "specialty": [concept(R38, "SM04")],
        "priority": 3,
        "start": "2031-03-03T09:20:00+01:00",
        "end": "2031-03-03T09:40:00+01:00",
        "supportingInformation": [{"reference": document}],
        "participant": [
            participant(gp),
            participant(specialist, "needs-action"),
            {"actor": {"reference": patient}, "required": "information-only", "status": "accepted"},
        ],
    }


def statuses(server: System, who: str) -> list[str]:
    """What the agenda of a professional shows for that quarter of an hour (4a)."""
    found = server.search("Slot", ("schedule.actor", who), ("start", "2031-03-03T09:20"))
    return [one["status"] for one in found.entries]


def test_a_specialist_accepts_the_request_of_a_gp(organisation: Callable[[str], System]) -> None:
    server = organisation("region")
    gp, specialist, patient = people(server)
    document = case(server, patient, gp)

    # The GP's tool asks; the time is held for him meanwhile.
    asked = server.send("POST", "Appointment", request(patient, gp, specialist, document))
    assert (asked.status, asked.body["status"]) == (201, "proposed"), asked.body
    rdv = f"Appointment/{asked.body['id']}"
    assert statuses(server, specialist) == ["busy-tentative"]

    # The specialist's tool finds what waits for his answer, with the case (4b), and reads it.
    waiting = server.search(
        "Appointment",
        ("actor:Practitioner.identifier", f"{RPPS}|99900000302"),
        ("part-status", "needs-action"),
        ("date", "ge2031-03-01"),
        ("_include", "Appointment:supporting-info"),
        ("_include", "Appointment:patient"),
    )
    assert [one["id"] for one in waiting.entries] == [asked.body["id"]]
    assert {one["resourceType"] for one in waiting.included} == {"DocumentReference", "Patient"}
    (paper,) = (one for one in waiting.included if one["resourceType"] == "DocumentReference")
    read = server.send("GET", paper["content"][0]["attachment"]["url"])
    assert (read.status, read.body[:8]) == (200, b"%PDF-1.7")

    # Somebody else asks for the same time: refused while it is held.
    other = request(patient, gp, specialist, document) | {"identifier": identifier(f"{EDITOR}/rdv", "avis-2")}
    assert server.send("POST", "Appointment", other).status == 409

    # He accepts; the answer and the appointment it confirms are one write.
    accepted = server.send(
        "POST",
        "AppointmentResponse",
        {
            "resourceType": "AppointmentResponse",
            "identifier": identifier("https://expert.example/answers", "1"),
            "appointment": {"reference": rdv},
            "actor": {"reference": specialist},
            "participantStatus": "accepted",
            "comment": "Visioconférence ouverte à 9 h 20",
        },
    )
    assert accepted.status == 201, accepted.body

    # The GP sees it booked, and by which answer; both agendas are busy.
    seen = server.search(
        "Appointment",
        ("identifier", f"{EDITOR}/rdv|avis-1"),
        ("_revinclude", "AppointmentResponse:appointment"),
    )
    (booked,) = seen.entries
    assert booked["status"] == "booked"
    assert {one["status"] for one in booked["participant"]} == {"accepted"}
    assert [one["comment"] for one in seen.included] == ["Visioconférence ouverte à 9 h 20"]
    assert statuses(server, specialist) == statuses(server, gp) == ["busy"]


def test_a_specialist_who_declines_frees_the_time(organisation: Callable[[str], System]) -> None:
    server = organisation("region")
    gp, specialist, patient = people(server)
    asked = server.send("POST", "Appointment", request(patient, gp, specialist, case(server, patient, gp)))

    declined = server.send(
        "POST",
        "AppointmentResponse",
        {
            "resourceType": "AppointmentResponse",
            "appointment": {"reference": f"Appointment/{asked.body['id']}"},
            "actor": {"reference": specialist},
            "participantStatus": "declined",
        },
    )

    assert declined.status == 201, declined.body
    assert server.send("GET", f"Appointment/{asked.body['id']}").body["status"] == "cancelled"
    assert statuses(server, specialist) == ["free"]

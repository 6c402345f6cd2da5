"""GAP-UC-01, délégation de prise de rendez-vous: a hospital lets a portal book, each with a server of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.usecases.vendor import (
    R38,
    RPPS,
    Answer,
    Json,
    System,
    concept,
    identifier,
    lasts,
    opening,
    participant,
)

HOSPITAL, PORTAL = "https://hospital.example", "https://portal.example"
SERVICE = concept(f"{HOSPITAL}/services", "consultation")


def professional() -> list[Json]:
    """What the clerk of the hospital enters: the place, the professional, where she works."""
    return [
        {
            "resourceType": "Location",
            "identifier": identifier(f"{HOSPITAL}/places", "consultations"),
            "name": "Consultations externes",
            "address": {"city": "Brumeval", "postalCode": "96000"},
        },
        {
            "resourceType": "Practitioner",
            "identifier": identifier(RPPS, "99900000201"),
            "name": [{"family": "Delorme", "given": ["Inès"]}],
        },
        {
            "resourceType": "PractitionerRole",
            "identifier": identifier(f"{HOSPITAL}/roles", "delorme"),
            "practitioner": {"type": "Practitioner", "identifier": identifier(RPPS, "99900000201")[0]},
            "location": [
                {"type": "Location", "identifier": identifier(f"{HOSPITAL}/places", "consultations")[0]}
            ],
            "specialty": [concept(R38, "SM04")],
        },
    ]


def agenda() -> Json:
    """2a: an agenda without availability yet."""
    return {
        "resourceType": "Schedule",
        "identifier": identifier(f"{HOSPITAL}/agendas", "delorme"),
        "active": True,
        "actor": [
            {"type": "PractitionerRole", "identifier": identifier(f"{HOSPITAL}/roles", "delorme")[0]},
            {"type": "Practitioner", "identifier": identifier(RPPS, "99900000201")[0]},
        ],
        "extension": [lasts(30, SERVICE)],
    }


AGENDA = f"Schedule?identifier={HOSPITAL}/agendas%7Cdelorme"
HOURS = [
    opening("semaine", "2031-01-06T09:00:00+01:00", "2031-01-06T12:00:00+01:00", "MO", "TH"),
    opening(
        "juillet",
        "2031-07-07T00:00:00+02:00",
        "2031-07-08T00:00:00+02:00",
        "MO",
        kind="busy-unavailable",
        until="2031-07-31T23:59:59+02:00",
    ),
]
"""« Tous les lundis et les jeudis, de 9h à 12h, sauf les lundis du mois de juillet. »"""


def slots(of: System, status: str, first: str, last: str) -> Answer:
    return of.search(
        "Slot",
        ("schedule.actor:Practitioner.identifier", f"{RPPS}|99900000201"),
        ("status", status),
        ("start", f"ge{first}"),
        ("start", f"lt{last}"),
        ("_count", "1000"),
    )


def taken(owner: str, value: str, start: str, end: str, patient: str, *people: str, **more: object) -> Json:
    return {
        "resourceType": "Appointment",
        "identifier": identifier(f"{owner}/rdv", value),
        "status": "booked",
        "start": start,
        "end": end,
        "participant": [participant(one) for one in (patient, *people)],
        **more,
    }


@dataclass(frozen=True)
class Side:
    """A system with the server it keeps, and the references it was given when it declared the professional (1a, 2a)."""

    server: System
    doctor: str
    role: str

    def book(self, owner: str, value: str, hours: tuple[str, str], patient: str) -> Answer:
        """6b: a confirmed appointment of the fifth of June."""
        start, end = (f"2031-06-05T{one}:00+02:00" for one in hours)
        return self.server.put(taken(owner, value, start, end, patient, self.role, self.doctor))

    def patient(self, family: str) -> str:
        return self.server.declare({"resourceType": "Patient", "name": [{"family": family}]})


def opened(server: System) -> Side:
    """Steps 1 and 2 for one server: the professional, the agenda (1a, 2a), then when she receives (3a)."""
    _, doctor, role, _ = (server.declare(resource) for resource in (*professional(), agenda()))
    assert slots(server, "free", "2031-01-01", "2031-02-01").body["total"] == 0
    for rule in HOURS:
        patched = server.patch(AGENDA, {"op": "add", "path": "/extension/-", "value": rule})
        assert patched.status == 200, patched.body
    return Side(server, doctor, role)


Sides = tuple[Side, Side]


@pytest.fixture
def sides(organisation: Callable[[str], System]) -> Sides:
    """The hospital and the portal, each with a server; the hospital told both."""
    return opened(organisation("hospital")), opened(organisation("portal"))


def times(answer: Answer) -> list[str]:
    return [one["start"][11:16] for one in answer.entries]


def free(side: Side, day: int = 5) -> Answer:
    return slots(side.server, "free", f"2031-06-{day:02}", f"2031-06-{day + 1:02}")


def busy(side: Side) -> Answer:
    return slots(side.server, "busy", "2031-06-05", "2031-06-06")


def noted(portal: Side, seen: Json) -> Json:
    """What the portal keeps of a slot that is busy at the hospital: nobody is named."""
    return {
        "resourceType": "Appointment",
        "identifier": identifier(f"{PORTAL}/busy", seen["id"]),
        "status": "booked",
        "start": seen["start"],
        "end": seen["end"],
        "participant": [participant(portal.doctor)],
    }


def test_mondays_and_thursdays_but_the_mondays_of_july(sides: Sides) -> None:
    for side in sides:
        july = slots(side.server, "free", "2031-07-01", "2031-08-01").entries
        june = slots(side.server, "free", "2031-06-01", "2031-07-01").entries

        assert {int(one["start"][8:10]) for one in july} == {3, 10, 17, 24, 31}
        assert {int(one["start"][8:10]) for one in june} == {2, 9, 16, 23, 30} | {5, 12, 19, 26}
        assert {one["start"][11:] for one in june} == {
            f"{hour:02}:{minute:02}:00+02:00" for hour in (9, 10, 11) for minute in (0, 30)
        }
        assert max(one["end"][11:] for one in june) == "12:00:00+02:00"


def test_a_patient_looks_for_a_cardiologist_in_her_town(sides: Sides) -> None:
    _, portal = sides

    found = portal.server.search(
        "Slot",
        ("schedule.actor:PractitionerRole.specialty", f"{R38}|SM04"),
        ("schedule.actor:PractitionerRole.location.address-city", "brumeval"),
        ("status", "free"),
        ("start", "2031-06-05"),
        ("_include", "Slot:schedule"),
        ("_include:iterate", "Schedule:actor"),
    )

    assert len(found.entries) == 6
    assert {one["resourceType"] for one in found.included} == {"Schedule", "Practitioner", "PractitionerRole"}


def test_the_portal_synchronises_books_by_delegation_and_tells_the_hospital(sides: Sides) -> None:
    hospital, portal = sides

    # The desk gave 9:30 away; the portal asks for the busy slots (4a status=busy), twice, and takes note.
    assert hospital.book(HOSPITAL, "1", ("09:30", "10:00"), hospital.patient("Guichet")).status == 201
    seen = busy(hospital)
    assert times(seen) == ["09:30"]
    assert "Guichet" not in str(seen.body)
    for one in seen.entries:
        assert [portal.server.put(noted(portal, one)).status for _ in range(2)] == [201, 200]
    assert times(free(portal)) == ["09:00", "10:00", "10:30", "11:00", "11:30"]

    # The patient chooses; the portal confirms on its side, and sends the confirmed appointment (6a), as often as it likes.
    chosen = free(portal).entries[1]
    asked = taken(PORTAL, "1", chosen["start"], chosen["end"], portal.patient("Aubert"))
    confirmed = portal.server.put(asked | {"slot": [{"reference": f"Slot/{chosen['id']}"}]})
    assert (confirmed.status, confirmed.body["status"]) == (201, "booked"), confirmed.body
    patient = hospital.patient("Aubert")
    sent = [hospital.book(PORTAL, "1", ("10:00", "10:30"), patient).status for _ in range(2)]
    assert sent == [201, 200]
    assert times(busy(hospital)) == ["09:30", "10:00"]


def test_who_comes_second_is_refused_and_told_what_is_free(sides: Sides) -> None:
    hospital, _ = sides
    assert hospital.book(HOSPITAL, "2", ("11:00", "11:30"), hospital.patient("Guichet")).status == 201

    late = hospital.book(PORTAL, "2", ("11:00", "11:30"), hospital.patient("Aubert"))

    (issue, *_) = late.body["issue"]
    assert (late.status, issue["code"]) == (409, "conflict")
    assert [one["url"].rpartition("/")[2] for one in issue["extension"]] == ["alternative-slot"] * 3


def test_changes_and_deletions_follow(sides: Sides) -> None:
    hospital, portal = sides
    told = {**professional()[2], "telecom": [{"system": "phone", "value": "0353010001"}]}
    closed = opening(
        "congrès", "2031-06-12T11:00:00+02:00", "2031-06-12T12:00:00+02:00", kind="busy-unavailable"
    )
    assert portal.book(PORTAL, "1", ("10:00", "10:30"), portal.patient("Aubert")).status == 201

    # 1b: a telephone; 3a: a morning that ends earlier.
    assert [side.server.put(told).status for side in (hospital, portal)] == [200, 200]
    patched = portal.server.patch(AGENDA, {"op": "add", "path": "/extension/-", "value": closed})
    assert patched.status == 200, patched.body
    assert portal.server.search("PractitionerRole", ("telecom", "+33 3 53 01 00 01")).body["total"] == 1
    assert times(free(portal, 12)) == ["09:00", "09:30", "10:00", "10:30"]

    # 2c: not before the appointments to come are cancelled (6b).
    assert portal.server.send("DELETE", AGENDA).status == 409
    where = f"Appointment?identifier={PORTAL}/rdv%7C1"
    cancelled = portal.server.patch(where, {"op": "replace", "path": "/status", "value": "cancelled"})
    assert cancelled.status == 200, cancelled.body
    assert portal.server.send("DELETE", AGENDA).status == 200
    assert free(portal, 19).body["total"] == 0

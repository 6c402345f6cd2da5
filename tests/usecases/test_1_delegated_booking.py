"""GAP-UC-01, délégation de prise de rendez-vous: a hospital lets a portal book, each with a server of its own."""

from __future__ import annotations

from collections.abc import Callable

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


def test_a_portal_books_by_delegation_of_a_hospital(organisation: Callable[[str], System]) -> None:
    hospital, portal = organisation("hospital"), organisation("portal")

    # 1. The clerk declares the professional, then an agenda; the hospital's tool tells its server and the portal's (1a, 2a).
    made = [[one.declare(resource) for resource in (*professional(), agenda())] for one in (hospital, portal)]
    (_, doctor, role, _), (_, there, _, _) = made
    assert slots(portal, "free", "2031-01-01", "2031-02-01").body["total"] == 0

    # 2. She says when she receives; the hospital transmits it as it is (3a).
    for one in (hospital, portal):
        for rule in HOURS:
            patched = one.patch(AGENDA, {"op": "add", "path": "/extension/-", "value": rule})
            assert patched.status == 200, patched.body
    july = slots(portal, "free", "2031-07-01", "2031-08-01").entries
    assert {one["start"][:10] for one in july} == {f"2031-07-{day:02}" for day in (3, 10, 17, 24, 31)}
    june = slots(portal, "free", "2031-06-01", "2031-07-01").entries
    mondays, thursdays = {2, 9, 16, 23, 30}, {5, 12, 19, 26}
    assert {int(one["start"][8:10]) for one in june} == mondays | thursdays
    assert {(one["start"][11:], one["end"][11:]) for one in june} == {
        (f"{9 + half // 2:02}:{half % 2 * 30:02}:00+02:00", f"{9 + (half + 1) // 2:02}:{(half + 1) % 2 * 30:02}:00+02:00")
        for half in range(6)
    }  # fmt: skip

    # 3. A patient looks for a cardiologist in her town (4a).
    found = portal.search(
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

    # 4. Somebody was given 9:30 at the hospital's desk; the portal asks for the busy slots, and takes note (4a status=busy).
    caller = hospital.declare({"resourceType": "Patient", "name": [{"family": "Guichet"}]})
    desk = taken(
        HOSPITAL, "1", "2031-06-05T09:30:00+02:00", "2031-06-05T10:00:00+02:00", caller, role, doctor
    )
    assert hospital.put(desk).status == 201
    busy = slots(hospital, "busy", "2031-06-05", "2031-06-06").entries
    assert [(one["start"][11:16], one["status"]) for one in busy] == [("09:30", "busy")]
    assert b"Guichet" not in str(busy).encode()
    for seen in busy:
        note = {
            "resourceType": "Appointment",
            "identifier": identifier(f"{PORTAL}/busy", seen["id"]),
            "status": "booked",
            "start": seen["start"],
            "end": seen["end"],
            "participant": [participant(there)],
        }
        assert [portal.put(note).status for _ in range(2)] == [201, 200]
    left = slots(portal, "free", "2031-06-05", "2031-06-06").entries
    assert [one["start"][11:16] for one in left] == ["09:00", "10:00", "10:30", "11:00", "11:30"]

    # 5. The patient chooses; the portal confirms by delegation, and sends the confirmed appointment to the hospital (6a).
    chosen = left[1]
    mine = portal.declare({"resourceType": "Patient", "name": [{"family": "Aubert"}]})
    booked = taken(
        PORTAL, "1", chosen["start"], chosen["end"], mine, slot=[{"reference": f"Slot/{chosen['id']}"}]
    )
    confirmed = portal.send("POST", "Appointment", booked)
    assert (confirmed.status, confirmed.body["status"]) == (201, "booked"), confirmed.body
    sent = taken(
        PORTAL,
        "1",
        chosen["start"],
        chosen["end"],
        hospital.declare({"resourceType": "Patient", "name": [{"family": "Aubert"}]}),
        role,
        doctor,
    )
    assert [hospital.put(sent).status for _ in range(2)] == [201, 200]
    assert [one["start"][11:16] for one in slots(hospital, "busy", "2031-06-05", "2031-06-06").entries] == [
        "09:30",
        "10:00",
    ]

    # The desk gives 11:00 away just before the portal does: the hospital's server refuses the second, and offers others.
    assert (
        hospital.put(
            taken(
                HOSPITAL, "2", "2031-06-05T11:00:00+02:00", "2031-06-05T11:30:00+02:00", caller, role, doctor
            )
        ).status
        == 201
    )
    late = hospital.put(
        taken(PORTAL, "2", "2031-06-05T11:00:00+02:00", "2031-06-05T11:30:00+02:00", caller, role, doctor)
    )
    assert (late.status, late.body["issue"][0]["code"]) == (409, "conflict")
    offered = [one for one in late.body["issue"][0]["extension"] if one["url"].endswith("/alternative-slot")]
    assert len(offered) == 3

    # 6. Changes follow the same way: a telephone (1b), an hour less on Thursdays (3b), and in the end the deletion (1c).
    told = {**professional()[2], "telecom": [{"system": "phone", "value": "0353010001"}]}
    for one in (hospital, portal):
        assert one.put(told).status == 200
    assert portal.search("PractitionerRole", ("telecom", "+33 3 53 01 00 01")).body["total"] == 1
    closed = opening(
        "fermeture", "2031-06-12T11:00:00+02:00", "2031-06-12T12:00:00+02:00", kind="busy-unavailable"
    )
    assert portal.patch(AGENDA, {"op": "add", "path": "/extension/-", "value": closed}).status == 200
    thursday = slots(portal, "free", "2031-06-12", "2031-06-13").entries
    assert [one["start"][11:16] for one in thursday] == ["09:00", "09:30", "10:00", "10:30"]
    assert portal.send("DELETE", AGENDA).status == 409
    for system, value in ((f"{PORTAL}/rdv", "1"), (f"{PORTAL}/busy", busy[0]["id"])):
        cancelled = portal.patch(
            f"Appointment?identifier={system}%7C{value}",
            {"op": "replace", "path": "/status", "value": "cancelled"},
        )
        assert cancelled.status == 200, cancelled.body
    assert portal.send("DELETE", AGENDA).status == 200
    assert slots(portal, "free", "2031-06-19", "2031-06-20").body["total"] == 0

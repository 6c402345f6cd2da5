"""GAP-UC-04, agrégation de créneaux libres (SAS): free slots near in time and place, of two servers; the regulator picks one and books."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

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

SAS = "https://sas.example"
CALL = (48.8500, 2.3500)
"""Where the patient calls from."""

NEEDED = concept("https://editor.example/services", "non-programmé")
PRACTITIONERS = tuple(f"999000005{number:02}" for number in range(25))
"""Those the directory gives for the area: the first server knows 15 of them, the second 10."""


class Free(NamedTuple):
    """A free slot as the platform shows it: when, of whom, where it is booked."""

    start: datetime
    end: str
    rpps: str
    slot: str
    server: System


def tomorrow(hour: int, minute: int = 0) -> datetime:
    day = datetime.now(UTC) + timedelta(days=1)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def practice(server: System, number: int, latitude: float, longitude: float) -> None:
    """A GP with an hour free tomorrow: the first at 8, the second at 8:10, and so on."""
    start = tomorrow(8) + timedelta(minutes=10 * number)
    rpps = PRACTITIONERS[number]
    where = server.declare(
        {
            "resourceType": "Location",
            "name": f"Cabinet {number}",
            "address": {"city": "Brumeval"},
            "position": {"latitude": latitude, "longitude": longitude},
        }
    )
    human = server.declare({"resourceType": "Practitioner", "identifier": identifier(RPPS, rpps)})
    role = server.declare(
        {
            "resourceType": "PractitionerRole",
            "practitioner": {"reference": human},
            "location": [{"reference": where}],
            "specialty": [concept(R38, "SM54")],
        }
    )
    hours = opening("demain", start.isoformat(), (start + timedelta(hours=1)).isoformat())
    server.declare(
        {
            "resourceType": "Schedule",
            "identifier": identifier("https://editor.example/agendas", rpps),
            "active": True,
            "actor": [{"reference": role}, {"reference": human}],
            "extension": [hours, lasts(20, NEEDED)],
        }
    )


def asked(server: System, kilometres: float = 5) -> Answer:
    """One request for the 25 practitioners of the area (4a), with their agendas and themselves."""
    start, end = tomorrow(0), tomorrow(0) + timedelta(days=1)
    return server.search(
        "Slot",
        ("schedule.actor:Practitioner.identifier", ",".join(f"{RPPS}|{one}" for one in PRACTITIONERS)),
        ("schedule.actor:PractitionerRole.location.near", f"{CALL[0]}|{CALL[1]}|{kilometres}|km"),
        ("schedule.actor:PractitionerRole.specialty", f"{R38}|SM54"),
        ("status", "free"),
        ("start", f"ge{start.isoformat()}"),
        ("start", f"lt{end.isoformat()}"),
        ("_include", "Slot:schedule"),
        ("_include:iterate", "Schedule:actor"),
        ("_count", "1000"),
    )


def free(server: System, answer: Answer) -> list[Free]:
    """The slots of an answer, each with the number of its practitioner, found through what was included."""
    assert answer.status == 200, answer.body
    known = {f"{one['resourceType']}/{one['id']}": one for one in answer.included}
    found = []
    for slot in answer.entries:
        actors = [known[one["reference"]] for one in known[slot["schedule"]["reference"]]["actor"]]
        human = next(one for one in actors if one["resourceType"] == "Practitioner")
        start = datetime.fromisoformat(slot["start"])
        found.append(Free(start, slot["end"], human["identifier"][0]["value"], f"Slot/{slot['id']}", server))
    return found


def aggregated(servers: list[System]) -> list[Free]:
    """All servers asked at once, their slots merged, the soonest first."""
    with ThreadPoolExecutor(len(servers)) as pool:
        answers = pool.map(lambda one: free(one, asked(one)), servers)
        return sorted((slot for found in answers for slot in found), key=lambda one: (one.start, one.rpps))


def booking(slot: Free, call: str, patient: str) -> Json:
    return {
        "resourceType": "Appointment",
        "identifier": identifier(f"{SAS}/rdv", call),
        "status": "booked",
        "slot": [{"reference": slot.slot}],
        "start": slot.start.isoformat(),
        "end": slot.end,
        "participant": [participant(patient)],
    }


def test_a_regulator_books_the_soonest_slot_of_two_servers(organisation: Callable[[str], System]) -> None:
    first, second = organisation("first"), organisation("second")
    for number in range(25):
        near = number != 0 and number != 16  # the two that would be soonest are 100 km away
        practice(first if number < 15 else second, number, CALL[0] + (0.01 if near else 0.9), CALL[1])

    # The platform distributes the search and merges what comes.
    slots = aggregated([first, second])
    assert len(slots) == 23 * 3
    assert [one.start for one in slots] == sorted(one.start for one in slots)
    assert {one.rpps for one in slots} == {*PRACTITIONERS} - {PRACTITIONERS[0], PRACTITIONERS[16]}
    assert {one.server for one in slots} == {first, second}
    assert len(free(first, asked(first, 150))) == 15 * 3

    # The regulator picks the first, and it is booked where it was found.
    chosen = slots[0]
    assert (chosen.rpps, chosen.start) == (PRACTITIONERS[1], tomorrow(8, 10))
    patient = chosen.server.declare({"resourceType": "Patient", "name": [{"family": "Urgence"}]})
    booked = chosen.server.put(booking(chosen, "appel-1", patient))
    assert (booked.status, booked.body["status"]) == (201, "booked"), booked.body
    assert any(one["actor"]["reference"].startswith("Practitioner/") for one in booked.body["participant"])

    # Another regulator, whose page is a minute old, wants it too: refused, and told what else there is.
    late = chosen.server.put(booking(chosen, "appel-2", patient))
    assert late.status == 409
    offered = late.body["issue"][0]["extension"]
    assert [one["url"].rpartition("/")[2] for one in offered] == ["alternative-slot"] * 2

    # The next search no longer has it; the other server was not concerned.
    again = aggregated([first, second])
    assert {one.slot for one in slots} - {one.slot for one in again} == {chosen.slot}


def test_a_server_that_does_not_answer_takes_nothing_away_from_the_other(
    organisation: Callable[[str], System],
) -> None:
    first = organisation("first")
    practice(first, 1, CALL[0], CALL[1])
    silent = System("http://127.0.0.1:9/fhir")

    found = []
    for server in (first, silent):
        try:
            found += free(server, asked(server))
        except OSError:
            continue

    assert len(found) == 3

"""Every row of GAP §11.2 over a real server: each criterion finds the slots of one agenda, a wrong value finds none (GAP-CDI-P01 to P40)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.client import OK, Reply, Server
from tests.flows.directory import (
    DAY,
    EDITOR,
    FINESS,
    G15,
    INS,
    KINDS,
    R38,
    RPPS,
    STRICT,
    Directory,
    Places,
    declared,
    matches,
    pages,
    search,
    search_form,
)


@pytest.fixture(scope="module")
def directory(
    tmp_path_factory: pytest.TempPathFactory, database_at: Callable[[Path], str]
) -> Iterator[Directory]:
    folder: Path = tmp_path_factory.mktemp("directory")
    running = Server(database_at(folder / "own.sqlite"), log=folder / "log").start()
    yield declared(running)
    assert running.stop() == 0


def of(*agendas: str) -> Places:
    """The two free slots of each of these agendas."""
    return {(agenda, time) for agenda in agendas for time in ("09:00", "09:15")}


WHOLE = f"start={DAY}"
ACTOR = "schedule.actor"
ROLE = f"{ACTOR}:PractitionerRole"
ALL_FREE = of(
    *("doctor", "nurse", "patient", "patient-2", "mother", "tutor", "room", "box"),
    *("mri", "echo", "cardiology", "vaccination"),
)
BUSY = {("busy", "09:00")}
ASKED = {("busy", "09:15")}
CLOSED = {("busy", "10:00")}
EARLY = {one for one in ALL_FREE | BUSY if one[1] == "09:00"}
LATE = {one for one in ALL_FREE | ASKED | CLOSED if one[1] != "09:00"}

ROWS: tuple[tuple[str, str, Places, str], ...] = (
    ("P02", "status=free", ALL_FREE, "status=entered-in-error"),
    ("P02", "status=busy", BUSY, "status=none"),
    ("P02", "status=busy,busy-tentative", BUSY | ASKED, ""),
    ("P02", "status=busy-unavailable", CLOSED, ""),
    ("P02", "status:not=free", BUSY | ASKED | CLOSED, ""),
    ("P02", "status=http://hl7.org/fhir/slotstatus|busy", BUSY, ""),
    ("P05", f"{ACTOR}:Patient.identifier={INS}|190019900199042", of("patient"), f"{ACTOR}:Patient.identifier={INS}|1"),
    ("P05", f"{ACTOR}:Patient.identifier=290019900199099", of("patient-2"), f"{ACTOR}:Patient.identifier=urn:x|190019900199042"),
    ("P06", f"{ACTOR}:Patient.family=MULLER", of("patient"), f"{ACTOR}:Patient.family=uller"),
    ("P06", f"{ACTOR}:Patient.family:exact=Müller", of("patient"), f"{ACTOR}:Patient.family:exact=Muller"),
    ("P07", f"{ACTOR}:Patient.given=amelie", of("patient"), f"{ACTOR}:Patient.given=Zoé"),
    ("P08", f"{ACTOR}:Practitioner.identifier={RPPS}|99900000101", of("doctor"), f"{ACTOR}:Practitioner.identifier={RPPS}|99900000199"),
    (
        "P08",
        f"{ACTOR}:Practitioner.identifier=" + ",".join(f"{RPPS}|{99900000100 + n}" for n in range(25)),
        of("doctor", "nurse"),
        f"{ACTOR}:Practitioner.identifier=" + ",".join(f"{RPPS}|{99900000200 + n}" for n in range(25)),
    ),
    ("P09", f"{ROLE}.name=d’arcy", of("doctor"), f"{ROLE}.name=lefevre"),
    ("P09", f"{ROLE}.name=zoe", of("nurse"), f"{ROLE}.name=zozo"),
    ("P09", f"{ROLE}.name=lemaitre", of("nurse"), f"{ROLE}.name=maitre"),
    ("P09", f"{ROLE}.name:contains=lefevre", of("doctor"), f"{ROLE}.name:contains=dupont"),
    ("P10", f"{ACTOR}:Practitioner.family=D'ARCY LEFEVRE", of("doctor"), f"{ACTOR}:Practitioner.family=Éloïse"),
    ("P11", f"{ACTOR}:Practitioner.given=eloise", of("doctor"), f"{ACTOR}:Practitioner.given=Martin"),
    ("P12", f"{ROLE}.role={G15}|10", of("doctor"), f"{ROLE}.role={G15}|99"),
    ("P12", f"{ROLE}.role=60", of("nurse"), f"{ROLE}.role={R38}|60"),
    ("P13", f"{ROLE}.specialty={R38}|SM54", of("doctor"), f"{ROLE}.specialty={R38}|SM99"),
    ("P13", f"{ROLE}.specialty={R38}|SM04", of("nurse"), f"{ROLE}.specialty={G15}|SM04"),
    ("P13", f"{ROLE}.specialty=SM04,SM54", of("doctor", "nurse"), f"{ROLE}.specialty=SM05,SM55"),
    ("P14", f"{ROLE}.location.address=paris", of("doctor"), f"{ROLE}.location.address=aris"),
    ("P14", f"{ROLE}.location.address=75015", of("doctor"), f"{ROLE}.location.address=75016"),
    ("P14", f"{ROLE}.location.address=12 RUE DE L’ELYSEE", of("doctor"), f"{ROLE}.location.address=13 rue de l'Élysée"),
    ("P14", f"{ROLE}.location.address-city=Lyon", of("nurse"), f"{ROLE}.location.address-city=Strasbourg"),
    ("P14", f"{ROLE}.location.address-postalcode=69003", of("nurse"), f"{ROLE}.location.address-postalcode=67000"),
    ("P15", f"{ROLE}.location.near=48.85|2.30|5|km", of("doctor"), f"{ROLE}.location.near=43.30|5.37|5|km"),
    ("P15", f"{ROLE}.location.near=48.85|2.30|450|km", of("doctor", "nurse"), f"{ROLE}.location.near=48.85|2.30|5|m"),
    ("P16", f"{ROLE}.address=Paris", of("doctor"), f"{ROLE}.address=Strasbourg"),
    ("P16", f"{ROLE}.address:contains=beraud", of("nurse"), f"{ROLE}.address:exact=beraud"),
    ("P17", f"{ROLE}.telecom=01 40 00 00 01", of("doctor"), f"{ROLE}.telecom=0140000002"),
    ("P17", f"{ROLE}.telecom=phone|+33472000002", of("nurse"), f"{ROLE}.telecom=email|+33472000002"),
    ("P18", f"{ACTOR}:RelatedPerson.identifier={EDITOR}|mother", of("mother"), f"{ACTOR}:RelatedPerson.identifier={EDITOR}|father"),
    ("P19", f"{ACTOR}:RelatedPerson.address=bordeaux", of("mother"), f"{ACTOR}:RelatedPerson.address=Paris"),
    ("P20", f"{ACTOR}:RelatedPerson.telecom=HELENE@editor.example", of("mother"), f"{ACTOR}:RelatedPerson.telecom=luc@editor.example"),
    ("P20", f"{ACTOR}:RelatedPerson.telecom=0320000003", of("tutor"), f"{ACTOR}:RelatedPerson.telecom=0320000004"),
    ("P21", f"{ACTOR}:RelatedPerson.name=oeuvrard", of("mother"), f"{ACTOR}:RelatedPerson.name=Martin"),
    ("P21", f"{ACTOR}:RelatedPerson.name=luc", of("tutor"), f"{ACTOR}:RelatedPerson.name=lucie"),
    ("P22", f"{ACTOR}:Location.name=SALLE D'ECHO", of("room"), f"{ACTOR}:Location.name=Salle d'attente"),
    ("P23", f"{ACTOR}:Location.identifier={EDITOR}|box-7", of("box"), f"{ACTOR}:Location.identifier={EDITOR}|box-8"),
    ("P24", f"{ACTOR}:Location.address=Strasbourg", of("room"), f"{ACTOR}:Location.address=Paris"),
    ("P24", f"{ACTOR}:Location.address=4 rue Crebillon", of("box"), f"{ACTOR}:Location.address=5 rue Crebillon"),
    ("P24", f"{ACTOR}:Location.near=48.58|7.75|3|km", of("room"), f"{ACTOR}:Location.near=48.84|2.30|3|km"),
    ("P25", f"{ACTOR}:Location.description:contains=fauteuil", of("room"), f"{ACTOR}:Location.description=fauteuil"),
    ("P26", f"{ACTOR}:Device.identifier={EDITOR}|mri-1", of("mri"), f"{ACTOR}:Device.identifier={EDITOR}|mri-2"),
    ("P27", f"{ACTOR}:Device.type={KINDS}|echo", of("echo"), f"{ACTOR}:Device.type={KINDS}|scanner"),
    ("P28", f"{ACTOR}:Device.device-name=magnetom", of("mri"), f"{ACTOR}:Device.device-name=teslas"),
    ("P28", f"{ACTOR}:Device.device-name=echographe", of("echo"), f"{ACTOR}:Device.device-name=scanner"),
    ("P29", f"{ACTOR}:Device.model=mx-3", of("mri"), f"{ACTOR}:Device.model=MX-4"),
    ("P30", f"{ACTOR}:HealthcareService.identifier={EDITOR}|cardio", of("cardiology"), f"{ACTOR}:HealthcareService.identifier={EDITOR}|neuro"),
    ("P31", f"{ACTOR}:HealthcareService.name=service de CARDIO", of("cardiology"), f"{ACTOR}:HealthcareService.name=cardiologie"),
    ("P32", f"{ACTOR}:HealthcareService.service-type={KINDS}|vaccine", of("vaccination"), f"{ACTOR}:HealthcareService.service-type={KINDS}|mri"),
    ("P33", f"{ACTOR}:HealthcareService.telecom=0156092000", of("cardiology"), f"{ACTOR}:HealthcareService.telecom=0156092001"),
    ("P34", f"{ACTOR}:HealthcareService.organization.identifier={FINESS}|960000001", of("cardiology"), f"{ACTOR}:HealthcareService.organization.identifier={FINESS}|960000009"),
    ("P35", f"{ACTOR}:HealthcareService.organization.name=hopital europeen", of("cardiology"), f"{ACTOR}:HealthcareService.organization.name=Groupement"),
    ("P36", f"{ACTOR}:HealthcareService.organization.address=lyon", of("vaccination"), f"{ACTOR}:HealthcareService.organization.address=Marseille"),
    ("P37", "schedule={agenda_mri}", of("mri"), "schedule=Schedule/none"),
    ("P37", "schedule.identifier=" + f"{EDITOR}|agenda-echo", of("echo"), f"schedule.identifier={EDITOR}|none"),
    ("P37", "schedule:Schedule={agenda_echo}", of("echo"), "schedule:Schedule=none"),
    ("P38", "GAP_Schedule_Actor={mri}", of("mri"), "GAP_Schedule_Actor=Device/none"),
    ("P38", "Schedule-actor={doctor}", of("doctor"), "Schedule-actor=Practitioner/none"),
    ("P38", f"GAP_Schedule_Actor:Device.identifier={EDITOR}|echo-1", of("echo"), f"GAP_Schedule_Actor:Device.identifier={EDITOR}|x"),
    ("P38", "schedule.actor={patient}", of("patient"), "schedule.actor=Patient/none"),
    ("P40", "service-type=https://editor.example/services|service-mri", of("mri"), "service-type=https://editor.example/services|none"),
    ("P40", f"specialty={KINDS}|specialty-room", of("room"), f"specialty={KINDS}|none"),
    ("P40", f"schedule.specialty={KINDS}|specialty-box", of("box"), f"schedule.specialty={KINDS}|none"),
    ("P40", "schedule.service-type=service-patient", of("patient"), "schedule.service-type=none"),
    ("P40", "appointment-type:missing=true", ALL_FREE | BUSY | ASKED | CLOSED, "appointment-type=ROUTINE"),
    ("P40", "service-category:missing=true", ALL_FREE | BUSY | ASKED | CLOSED, "service-category=1"),
)  # fmt: skip
"""Row, criterion, what it finds on DAY, a criterion of the same parameter that finds nothing ("" when another case has it)."""


def numbered(row: Any) -> str:
    return f"GAP-CDI-{row[0]}-{row[1].partition('=')[0]}"


@pytest.mark.parametrize("row", ROWS, ids=numbered)
def test_a_criterion_finds_its_slots_and_a_wrong_value_none(directory: Directory, row: Any) -> None:
    _, criterion, expected, wrong = row

    by_get = directory.slots(WHOLE, criterion, **STRICT)
    by_post = search_form(directory.server, "Slot", directory.written([WHOLE, criterion]), **STRICT)
    nothing = directory.slots(WHOLE, wrong, **STRICT) if wrong else None

    assert directory.found(by_get) == expected
    assert directory.found(by_post) == expected
    assert by_get.json["total"] == len(expected) == len(matches(by_get))
    assert nothing is None or (directory.found(nothing), nothing.json["total"]) == (set(), 0)


def test_every_row_of_the_table_has_a_case() -> None:
    elsewhere = {"P01", "P03", "P04", "P39"}

    assert {row[0] for row in ROWS} | elsewhere == {f"P{number:02}" for number in range(1, 41)}
    assert {row[0] for row in ROWS} >= {row[0] for row in ROWS if row[3]} == {row[0] for row in ROWS}


def test_p01_a_slot_is_found_by_its_identifier(directory: Directory) -> None:
    slot = matches(directory.slots(WHOLE, "schedule={agenda_mri}"))[1]
    (own,) = slot["identifier"]

    found = [
        directory.slots(f"identifier={text}", **STRICT)
        for text in (f"{own['system']}|{own['value']}", own["value"], f"urn:x|{own['value']}", "none")
    ]

    assert [directory.found(one) for one in found] == [{("mri", "09:15")}, {("mri", "09:15")}, set(), set()]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (["start=ge{day}T09:15:00+01:00", "start=lt{day}T23:00:00+01:00"], LATE),
        (["start=gt{day}T09:00:00+01:00", "start=le{day}T09:15:00+01:00"], LATE - CLOSED),
        (["start=ge{day}T08:00:00Z", "start=lt{day}T08:15:00Z"], EARLY),
        (["start={day}T09:00"], EARLY),
        (["start={day}T09:00,{day}T10:00"], EARLY | CLOSED),
        (["start={day}", "start=ne{day}T09:00"], LATE),
        (["start=sa2031-01-05", "start=eb2031-01-07"], EARLY | LATE),
        (["start={day}", "start=sa{day}T09:14"], LATE),
        (["start=ap{day}T09:00"], EARLY),
        (["start=ge{day}", "start=lt{day}"], set()),
        (["start=2031-01-07"], set()),
        (["GAP_Slot_earliestStart={day}T09:15:00+01:00", "GAP_Slot_latestStart={day}T09:59:00+01:00"], LATE - CLOSED),
        (["GAP_Slot_earliestStart=gt{day}T09:15:00+01:00", "GAP_Slot_latestStart=lt2031-01-07"], CLOSED),
    ],
)  # fmt: skip
def test_p03_p04_start_has_every_prefix_and_can_be_repeated(
    directory: Directory, bounds: list[str], expected: Places
) -> None:
    written = [one.replace("{day}", DAY) for one in bounds]

    reply = directory.slots(*written, **STRICT)

    assert directory.found(reply) == expected


def test_criteria_are_all_to_be_met_each_by_an_actor_of_the_agenda(directory: Directory) -> None:
    both = directory.slots(WHOLE, f"{ROLE}.specialty=SM54", f"{ROLE}.location.address=Paris")
    crossed = directory.slots(WHOLE, f"{ROLE}.specialty=SM54", f"{ROLE}.location.address=Lyon")
    two_actors = directory.slots(WHOLE, f"{ROLE}.specialty=SM54", f"{ACTOR}:Practitioner.given=Éloïse")

    assert [directory.found(one) for one in (both, crossed, two_actors)] == [
        of("doctor"),
        set(),
        of("doctor"),
    ]


def test_chains_go_four_links_far_typed_or_not_and_no_farther(directory: Directory) -> None:
    four = directory.slots(WHOLE, f"{ROLE}.organization.partof.name=groupement", **STRICT)
    untyped = directory.slots(WHOLE, f"{ACTOR}.identifier={EDITOR}|mri-1,{EDITOR}|room-3", **STRICT)
    five = directory.slots(WHOLE, f"{ROLE}.organization.partof.partof.name=groupement")

    assert directory.found(four) == of("doctor")
    assert directory.found(untyped) == of("mri", "room")
    assert (five.status, five.keys) == (400, ["search-too-many"])


EARTH = 6371.0088


def moved(north: float = 0.0, east: float = 0.0) -> str:
    """The practice of Grenelle, kilometres away."""
    latitude = 48.8412 + math.degrees(north / EARTH)
    longitude = 2.3003 + math.degrees(east / EARTH) / math.cos(math.radians(48.8412))
    return f"{latitude:.7f}|{longitude:.7f}"


@pytest.mark.parametrize("place", [{"north": 1.0}, {"north": -1.0}, {"east": 1.0}, {"east": -1.0}])
@pytest.mark.parametrize(
    ("distance", "inside"),
    [
        ("1.002|km", True),
        ("0.998|km", False),
        ("1002|m", True),
        ("998|m", False),
        ("0.6226|mi", True),
        ("0.62|mi", False),
        ("1.002", True),
        ("0.998", False),
    ],
)
def test_near_is_a_circle_of_real_kilometres(
    directory: Directory, place: dict[str, float], distance: str, inside: bool
) -> None:
    reply = directory.slots(WHOLE, f"{ROLE}.location.near={moved(**place)}|{distance}", **STRICT)

    assert directory.found(reply) == (of("doctor") if inside else set())


def test_near_is_ten_kilometres_when_nothing_is_said(directory: Directory) -> None:
    inside = directory.slots(WHOLE, f"{ROLE}.location.near={moved(north=9.9)}")
    outside = directory.slots(WHOLE, f"{ROLE}.location.near={moved(north=10.1)}")

    assert (directory.found(inside), directory.found(outside)) == (of("doctor"), set())


def test_a_distance_between_cities_is_the_one_of_the_map(directory: Directory) -> None:
    lyon, paris = (45.7606, 4.8594), (48.8412, 2.3003)
    angle = math.acos(
        math.sin(math.radians(lyon[0])) * math.sin(math.radians(paris[0]))
        + math.cos(math.radians(lyon[0]))
        * math.cos(math.radians(paris[0]))
        * math.cos(math.radians(lyon[1] - paris[1]))
    )
    away = EARTH * angle

    within, beyond = (
        directory.slots(WHOLE, f"{ROLE}.location.near={lyon[0]}|{lyon[1]}|{away + more:.4f}|km")
        for more in (0.05, -0.05)
    )

    assert 390 < away < 400
    assert directory.found(within) == of("doctor", "nurse")
    assert directory.found(beyond) == of("nurse")


def kinds(reply: Reply, mode: str = "include") -> dict[str, int]:
    found: dict[str, int] = {}
    for one in matches(reply, mode):
        found[one["resourceType"]] = found.get(one["resourceType"], 0) + 1
    return found


@pytest.mark.parametrize("iterated", ["_include=Schedule:actor", "_include:iterate=Schedule:actor"])
def test_p39_agendas_and_their_actors_come_with_the_slots(directory: Directory, iterated: str) -> None:
    reply = directory.slots(WHOLE, "schedule={agenda_doctor}", "_include=Slot:schedule", iterated, **STRICT)

    assert directory.found(reply) == of("doctor")
    assert kinds(reply) == {"Schedule": 1, "PractitionerRole": 1, "Practitioner": 1}
    assert reply.json["total"] == 2


def test_p39_includes_go_on_from_what_was_included(directory: Directory) -> None:
    reply = directory.slots(
        WHOLE,
        "schedule={agenda_doctor},{agenda_cardiology}",
        *("_include=Slot:schedule", "_include:iterate=Schedule:actor"),
        *("_include:iterate=PractitionerRole:location", "_include:iterate=PractitionerRole:organization"),
        *("_include:iterate=HealthcareService:organization", "_include:iterate=Organization:partof"),
        **STRICT,
    )

    assert kinds(reply) == {
        "Schedule": 2,
        "PractitionerRole": 1,
        "Practitioner": 1,
        "Location": 1,
        "HealthcareService": 1,
        "Organization": 2,
    }


def test_an_include_of_one_type_of_actor_brings_that_type_alone(directory: Directory) -> None:
    reply = directory.slots(
        WHOLE,
        "schedule={agenda_doctor},{agenda_mri}",
        *("_include=Slot:schedule", "_include:iterate=Schedule:actor:Device"),
        **STRICT,
    )

    assert kinds(reply) == {"Schedule": 2, "Device": 1}


def named_by_an_appointment(directory: Directory) -> str:
    """The first slot of the vaccination centre on another day, asked for by its name."""
    reply = directory.slots("start=2019-01-03", "schedule={agenda_nurse}", "_count=1")
    (slot,) = matches(reply)
    return f"Slot/{slot['id']}"


def test_appointments_come_back_with_the_slots_they_name_and_find_them(directory: Directory) -> None:
    slot = named_by_an_appointment(directory)
    body = {
        "resourceType": "Appointment",
        "identifier": [{"system": EDITOR, "value": "by-slot"}],
        "status": "booked",
        "slot": [{"reference": slot}],
        "participant": [
            {"actor": {"reference": directory.known["patient"]}, "status": "accepted"},
            {"actor": {"reference": directory.known["nurse"]}, "status": "accepted"},
        ],
    }
    booked = directory.server.post("/Appointment", body)
    assert booked.status == 201, booked.body

    back = directory.slots(
        "start=2019-01-03", "schedule={agenda_nurse}", "_revinclude=Appointment:slot", **STRICT
    )
    has = directory.slots("_has:Appointment:slot:status=booked", **STRICT)
    has_not = directory.slots("_has:Appointment:slot:status=cancelled", **STRICT)

    assert directory.found(back) == of("nurse")
    assert [one["id"] for one in matches(back, "include")] == [booked.id]
    assert [f"Slot/{one['id']}" for one in matches(has)] == [slot]
    assert directory.found(has_not) == set()


@pytest.mark.parametrize("count", [1, 5, 7, 26, 27, 28, 100])
@pytest.mark.parametrize("order", ["_sort=start", "_sort=-start"])
def test_pages_joined_are_the_whole_in_order(directory: Directory, count: int, order: str) -> None:
    whole = directory.slots(WHOLE, order, "_count=1000")

    found = list(pages(directory.server, directory.slots(WHOLE, order, f"_count={count}")))

    slots = [slot for page in found for slot in matches(page)]
    starts = [slot["start"] for slot in slots]
    assert slots == matches(whole)
    assert starts == sorted(starts, reverse="-" in order)
    assert {page.json["total"] for page in found} == {27}
    assert [len(matches(page)) for page in found] == [min(count, 27 - at) for at in range(0, 27, count)]


def test_the_first_page_can_be_counted_alone(directory: Directory) -> None:
    counted = directory.slots(WHOLE, "_summary=count", **STRICT)
    zero = directory.slots(WHOLE, "_count=0", **STRICT)

    assert (counted.json["total"], zero.json["total"]) == (27, 27)
    assert "entry" not in counted.json and "entry" not in zero.json


@pytest.mark.parametrize(
    ("criterion", "key"),
    [
        ("colour=red", "search-parameter-unknown"),
        (f"{ROLE}.colour=red", "search-parameter-unknown"),
        (f"{ACTOR}:Basic.identifier=1", "search-parameter-unknown"),
        ("actor=Device/1", "search-parameter-unknown"),
        ("_include=Slot:colour", "search-named-unknown"),
        ("_sort=colour", "search-named-unknown"),
        ("status=", "search-empty"),
    ],
)
def test_what_is_not_understood_is_named_when_lenient_and_refused_when_strict(
    directory: Directory, criterion: str, key: str
) -> None:
    lenient = directory.slots(WHOLE, criterion)
    strict = directory.slots(WHOLE, criterion, **STRICT)

    said = matches(lenient, "outcome")[0]["issue"]
    assert directory.found(lenient) == ALL_FREE | BUSY | ASKED | CLOSED
    assert criterion.partition("=")[0] in said[0]["details"]["text"]
    assert (strict.status, strict.keys) == (400, [key])


@pytest.mark.parametrize(
    "criterion",
    [
        *("start=tomorrow", "start=2031-13-01", f"{ROLE}.location.near=here", f"{ROLE}.location.near=91|0"),
        *(f"{ROLE}.specialty=|", "status:above=free", "schedule=/", "_count=many"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_in_both_modes(directory: Directory, criterion: str) -> None:
    assert directory.slots(criterion).status == 400
    assert directory.slots(criterion, **STRICT).status == 400


EXAMPLE = (
    "/Slot?_include=Slot:schedule&_include=Schedule:actor&start=ge2019-01-02&start=le2019-01-06"
    "&schedule.actor:PractitionerRole.specialty=https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/"
    "TRE-R38-SpecialiteOrdinale{pipe}SM54&schedule.actor:PractitionerRole.address=Paris&status=free"
)
"""The request that the IG prints (GAP-UC-07), with the pipe left open: it is printed with a backslash before it."""


def test_the_printed_request_answers_slots_agendas_and_actors(directory: Directory) -> None:
    reply = directory.server.get(EXAMPLE.format(pipe="|"), **STRICT)

    assert directory.found(reply) == of("doctor")
    assert {slot["start"][:10] for slot in matches(reply)} == {"2019-01-03"}
    assert kinds(reply) == {"Schedule": 1, "PractitionerRole": 1, "Practitioner": 1}


@pytest.mark.parametrize("pipe", ["\\|", "%5C|", "%5C%7C"])
def test_the_printed_request_with_its_backslash_finds_nothing_and_says_why(
    directory: Directory, pipe: str
) -> None:
    reply = directory.server.get(EXAMPLE.format(pipe=pipe))
    plain = directory.slots(WHOLE, f"{ROLE}.specialty=a\\|b")

    (said,) = matches(reply, "outcome")
    assert directory.found(reply) == set()
    assert [one["details"]["coding"][0]["code"] for one in said["issue"]] == ["search-escaped-pipe"]
    assert matches(plain, "outcome") == []


def test_the_whole_answer_is_the_bundle_that_gap_describes(directory: Directory) -> None:
    reply = directory.slots(WHOLE, "_include=Slot:schedule", "_include=Schedule:actor", "_count=100")

    assert (reply.json["resourceType"], reply.json["type"]) == ("Bundle", "searchset")
    for entry in reply.json["entry"]:
        mode = "match" if entry["resource"]["resourceType"] == "Slot" else "include"
        assert set(entry) == {"fullUrl", "resource", "search"}
        assert entry["search"] == {"mode": mode}
    assert sum(kinds(reply).values()) == len(set(directory.known.values())) - len(
        {"group", "hospital", "clinic", "grenelle", "part-dieu", "guest", "booked", "asked"}
    )


CONSUMER = {
    ("Schedule", "actor={mri}"): "agenda-mri",
    ("Patient", f"identifier={INS}|190019900199042"): "patient",
    ("Patient", "family=muller"): "patient",
    ("Patient", "given=AMÉLIE"): "patient",
    ("Practitioner", f"identifier={RPPS}|99900000102"): "nurse",
    ("Practitioner", "family=d'arcy"): "doctor",
    ("Practitioner", "given=zoe"): "nurse",
    ("PractitionerRole", f"role={G15}|60"): "nurse-role",
    ("PractitionerRole", f"specialty={R38}|SM54"): "doctor-role",
    ("PractitionerRole", "location={part_dieu}"): "nurse-role",
    ("PractitionerRole", "telecom=+33 (0)1 40 00 00 01"): "doctor-role",
    ("RelatedPerson", f"identifier={EDITOR}|tutor"): "tutor",
    ("RelatedPerson", "address=Lille"): "tutor",
    ("RelatedPerson", "telecom=helene@editor.example"): "mother",
    ("RelatedPerson", "name=ŒUVRARD"): "mother",
    ("Location", "address=strasbourg"): "room",
    ("Location", "near=47.21|-1.56|2|km"): "box",
    ("Location", "name=cabinet de grenelle"): "grenelle",
    ("Location", f"identifier={EDITOR}|box-7"): "box",
    ("Device", f"identifier={EDITOR}|echo-1"): "echo",
    ("Device", f"type={KINDS}|mri"): "mri",
    ("Device", "device-name=sonoline"): "echo",
    ("Device", "model=SL-20"): "echo",
    ("HealthcareService", f"identifier={EDITOR}|vaccine"): "vaccination",
    ("HealthcareService", "name=centre de vaccination"): "vaccination",
    ("HealthcareService", f"service-type={KINDS}|cardio"): "cardiology",
    ("HealthcareService", "organization={clinic}"): "vaccination",
    ("Organization", f"identifier={FINESS}|960000001"): "hospital",
    ("Organization", "name=clinique"): "clinic",
    ("Organization", "address=155 boulevard"): "clinic",
    ("Location", "description=au sous"): "box",
    ("HealthcareService", "telecom=0478888888"): "vaccination",
    ("Practitioner", "_has:Schedule:actor:identifier=" + f"{EDITOR}|agenda-nurse"): "nurse",
    ("Practitioner", "_has:PractitionerRole:practitioner:location.address-city=Paris"): "doctor",
    ("Patient", "_has:Appointment:patient:status=proposed"): "guest",
    ("Location", "_has:PractitionerRole:location:practitioner.family=Martin"): "part-dieu",
}
"""What a consumer may ask of agendas and actors (GAP-CNF-24), and who is found."""


@pytest.mark.parametrize(("type", "criterion"), CONSUMER)
def test_agendas_and_actors_are_found_by_each_criterion_of_the_consumer(
    directory: Directory, type: str, criterion: str
) -> None:
    pairs = directory.written([criterion])

    reply = search(directory.server, type, pairs, **STRICT)
    by_post = search_form(directory.server, type, pairs, **STRICT)
    wrong = search(directory.server, type, [(pairs[0][0], _wrong(pairs[0][0]))], **STRICT)

    assert reply.status == OK, reply.body
    found = [directory.name(f"{one['resourceType']}/{one['id']}") for one in matches(reply)]
    assert found == [CONSUMER[type, criterion]]
    assert matches(by_post) == matches(reply)
    assert (wrong.status, wrong.json["total"]) == (OK, 0)


@pytest.mark.parametrize(
    ("criterion", "key"),
    [
        ("_has:Slot:schedule:status=free", "search-parameter-unknown"),
        ("_revinclude=Slot:schedule", "search-named-unknown"),
    ],
)
def test_nothing_is_looked_for_through_slots_which_are_not_stored(
    directory: Directory, criterion: str, key: str
) -> None:
    pairs = directory.written([criterion])

    strict = search(directory.server, "Schedule", pairs, **STRICT)
    lenient = search(directory.server, "Schedule", pairs)

    assert (strict.status, strict.keys) == (400, [key])
    assert len(matches(lenient, "outcome")) == 1


def _wrong(name: str) -> str:
    return "-50|-150|1|km" if name == "near" else "none"

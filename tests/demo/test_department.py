"""The invented département: complete, coherent, the same for the same day."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from creneau.demo import department, sizes
from creneau.demo.weeks import easter
from tests.demo.reading import (
    TAKING_TIME,
    agendas_of,
    by_reference,
    everything,
    extensions,
    humans,
    identifiers,
    is_open,
    minutes_of_services,
    of_type,
    owned_things,
    parts,
    references,
    span,
)

TODAY = date(2026, 3, 18)
PARIS = ZoneInfo("Europe/Paris")
STATUSES = {
    "proposed",
    "pending",
    "booked",
    "arrived",
    "checked-in",
    "fulfilled",
    "cancelled",
    "noshow",
    "entered-in-error",
    "waitlist",
}
TYPES = (
    "Organization",
    "Location",
    "HealthcareService",
    "Practitioner",
    "PractitionerRole",
    "Device",
    "Patient",
    "RelatedPerson",
    "Schedule",
    "Binary",
    "DocumentReference",
    "Appointment",
    "AppointmentResponse",
)

HARD_DAYS = pytest.mark.parametrize(
    "today",
    [
        TODAY,
        date(2026, 3, 29),  # Sunday, clocks go forward
        date(2026, 10, 25),  # Sunday, clocks go back
        date(2027, 3, 22),  # Monday of the week in which they go forward
        date(2025, 12, 25),  # a public holiday on a Thursday
        date(2028, 2, 29),
        date(2027, 5, 1),  # a public holiday on a Saturday
    ],
    ids=str,
)


def zone_of(schedule: dict[str, Any]) -> ZoneInfo:
    named = extensions(schedule, "timezone")
    return ZoneInfo(named[0]["valueCode"]) if named else PARIS


def timed(today: date) -> list[dict[str, Any]]:
    return [one for one in of_type(today, "Appointment") if "start" in one]


def test_the_same_day_gives_the_same_resources() -> None:
    assert list(department(TODAY)) == list(department(TODAY))


def test_what_one_caller_changes_another_does_not_see() -> None:
    for _, one in department(TODAY):
        one.clear()

    assert all(one for _, one in department(TODAY))


def test_persons_and_places_do_not_depend_on_the_day() -> None:
    lasting = set(TYPES[:8])

    here, there = (
        [one for one in everything(day) if one["resourceType"] in lasting]
        for day in (TODAY, date(2031, 10, 26))
    )

    assert here == there


def test_types_come_in_order_of_dependency_and_each_resource_says_its_own() -> None:
    types = [type for type, _ in department(TODAY)]

    assert list(dict.fromkeys(types)) == list(TYPES)
    assert types == [one["resourceType"] for one in everything(TODAY)]


@HARD_DAYS
def test_sizes_are_those_of_any_day(today: date) -> None:
    assert sizes() == sizes(today) == Counter(one["resourceType"] for one in everything(today))


def test_there_is_as_much_as_a_departement_needs() -> None:
    counts = sizes()

    assert counts["Practitioner"] == 62
    assert counts["Patient"] == 500
    assert counts["Device"] == 2
    assert counts["Appointment"] >= 150
    assert counts["PractitionerRole"] > counts["Practitioner"]


def test_ids_are_unique_and_legal() -> None:
    assert len(by_reference(TODAY)) == len(everything(TODAY))
    assert all(re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", one["id"]) for one in everything(TODAY))


@HARD_DAYS
def test_no_reference_goes_forward_or_nowhere(today: date) -> None:
    known: set[str] = set()

    for one in everything(today):
        assert set(references(one)) <= known, one["id"]
        known.add(f"{one['resourceType']}/{one['id']}")


@HARD_DAYS
def test_no_business_identifier_is_used_twice_by_a_type(today: date) -> None:
    for type in TYPES:
        found = Counter(pair for one in of_type(today, type) for pair in identifiers(one))
        assert not [pair for pair, times in found.items() if times > 1]
    assert all(identifiers(one) for one in everything(today) if one["resourceType"] != "Binary")


def test_every_availability_has_an_identifier_of_its_own() -> None:
    found = [
        parts(one)["identifier"]["value"]
        for schedule in of_type(TODAY, "Schedule")
        for one in extensions(schedule, "fr-core-schedule-availability-time")
    ]

    assert len(found) == len(set(found)) > 500


def overlaps(today: date) -> list[tuple[str, str, str]]:
    """Pairs of appointments that take time of one thing at once, or of one patient."""
    human = humans(today)
    owned = owned_things(of_type(today, "Schedule"), human)
    things = set().union(*owned.values())
    spans: dict[str, list[tuple[datetime, datetime, str]]] = {}
    for one in timed(today):
        if one["status"] in TAKING_TIME:
            present = {human.get(name, name) for name in references(one["participant"])}
            alone = {name for name in things if name.startswith("Schedule/")}
            through = {
                name for name in alone if by_reference(today)[name]["actor"][0]["reference"] in present
            }
            patients = {name for name in present if name.startswith("Patient/")}
            for thing in (present & things) | through | patients:
                spans.setdefault(thing, []).append((*span(one), one["id"]))
    return [
        (thing, before[2], after[2])
        for thing, found in spans.items()
        for before, after in zip(sorted(found), sorted(found)[1:], strict=False)
        if after[0] < before[1]
    ]


@settings(max_examples=10, deadline=None)
@given(st.dates(date(2024, 1, 1), date(2033, 12, 31)))
@example(date(2026, 3, 29))
@example(date(2026, 10, 25))
@example(date(2025, 12, 25))
def test_whatever_the_day_nothing_overlaps_and_every_status_is_there(today: date) -> None:
    statuses = Counter(one["status"] for one in of_type(today, "Appointment"))

    assert overlaps(today) == []
    assert statuses.keys() == STATUSES
    assert min(statuses.values()) >= 3
    assert sizes() == Counter(one["resourceType"] for one in everything(today))


@HARD_DAYS
def test_every_appointment_lies_in_the_availability_of_its_agenda_and_lasts_as_its_service(
    today: date,
) -> None:
    known = by_reference(today)

    for one in timed(today):
        start, end = span(one)
        (schedule,) = [
            agenda for agenda in agendas_of(today, one) if is_open(agenda, zone_of(agenda), start, end)
        ]
        minutes = minutes_of_services(schedule, known)[one["serviceType"][0]["coding"][0]["code"]]
        assert one["minutesDuration"] == minutes == (end - start) / timedelta(minutes=1)


@HARD_DAYS
def test_appointments_are_dated_around_today_as_their_status_says(today: date) -> None:
    for one in timed(today):
        (schedule, *_) = agendas_of(today, one)
        day = span(one)[0].astimezone(zone_of(schedule)).date()
        assert abs((day - today).days) <= 60
        if one["status"] in ("proposed", "pending"):
            assert day > today
        if one["status"] in ("arrived", "checked-in"):
            assert day == today
        if one["status"] in ("fulfilled", "noshow"):
            assert day <= today
        assert datetime.fromisoformat(one["created"]) < span(one)[0]
        assert datetime.fromisoformat(one["created"]).date() < today


@HARD_DAYS
def test_times_carry_the_offset_of_their_zone(today: date) -> None:
    for one in timed(today):
        (schedule, *_) = agendas_of(today, one)
        for instant in span(one):
            assert instant.utcoffset() == instant.astimezone(zone_of(schedule)).utcoffset()


def test_a_waiting_list_and_some_requests_have_a_period_and_no_time() -> None:
    untimed = [one for one in of_type(TODAY, "Appointment") if "start" not in one]

    assert {one["status"] for one in untimed} == {"waitlist", "proposed"}
    assert all(one["requestedPeriod"] and "end" not in one for one in untimed)
    assert all(one["status"] != "waitlist" for one in timed(TODAY))


def test_a_professional_comes_as_role_and_as_person_and_they_agree() -> None:
    human = humans(TODAY)

    for one in (*of_type(TODAY, "Schedule"), *of_type(TODAY, "Appointment")):
        actors = one["actor"] if "actor" in one else [each["actor"] for each in one["participant"]]
        named = {actor["reference"] for actor in actors}
        roles = {human[name] for name in named if name in human}
        assert roles == {name for name in named if name.startswith("Practitioner/")}


def test_every_appointment_has_one_patient_one_operator_and_an_identifier_of_the_editor() -> None:
    for one in of_type(TODAY, "Appointment"):
        people = [name for name in references(one["participant"]) if name.startswith("Patient/")]
        assert len(people) == 1
        assert len(extensions(one, "fr-core-appointment-operator")) == 1
        assert [system for system, _ in identifiers(one)] == ["https://agenda.example/rdv"]
        assert one["appointmentType"] and one["reasonCode"] and "priority" in one


def test_what_is_cancelled_says_why_and_nothing_else_does() -> None:
    for one in of_type(TODAY, "Appointment"):
        assert ("cancelationReason" in one) == (one["status"] == "cancelled")


def test_those_asked_have_answered_as_the_status_says() -> None:
    expected = {"proposed": {"needs-action"}, "waitlist": {"needs-action"}, "pending": {"tentative"}}

    for one in of_type(TODAY, "Appointment"):
        given = {
            each["status"]
            for each in one["participant"]
            if not each["actor"]["reference"].startswith(("Patient/", "RelatedPerson/"))
        }
        if one["status"] == "cancelled":
            assert given <= {"accepted", "declined"}
        else:
            assert given == expected.get(one["status"], {"accepted"})


def test_answers_agree_with_the_appointment_they_answer() -> None:
    known = by_reference(TODAY)
    answers = of_type(TODAY, "AppointmentResponse")

    assert answers
    for one in answers:
        appointment = known[one["appointment"]["reference"]]
        given = {
            each["status"]
            for each in appointment["participant"]
            if each["actor"]["reference"] == one["actor"]["reference"]
        }
        assert given == {one["participantStatus"]}
        assert span(one) == span(appointment)


def test_some_appointments_carry_a_document_about_their_patient() -> None:
    known = by_reference(TODAY)
    carrying = [one for one in of_type(TODAY, "Appointment") if "supportingInformation" in one]

    targets = {
        name.partition("/")[0] for one in carrying for name in references(one["supportingInformation"])
    }

    assert len(carrying) >= 10
    assert targets == {"DocumentReference", "Binary"}
    for one in carrying:
        (about,) = references(one["supportingInformation"])
        papers = known[about]
        subject = papers.get("subject") or papers["securityContext"]
        assert subject["reference"] in references(one["participant"])


def test_agendas_show_every_form_that_gap_allows() -> None:
    rules = [
        parts(one)
        for schedule in of_type(TODAY, "Schedule")
        for one in extensions(schedule, "fr-core-schedule-availability-time")
    ]
    forms = {frozenset(rule["rrule"]) for rule in rules if "rrule" in rule}

    assert frozenset({"freq", "until", "byDay"}) in forms
    assert frozenset({"freq", "until", "byDay", "interval"}) in forms
    assert frozenset({"freq", "byDay", "byHour"}) in forms
    assert frozenset({"freq", "byDay"}) in forms
    for rule in rules:
        lasts = datetime.fromisoformat(rule["end"]) - datetime.fromisoformat(rule["start"])
        if "rrule" in rule:
            assert (lasts < timedelta(1)) == ("until" in rule["rrule"])
    assert {rule["unavailabilityReason"]["text"] for rule in rules if "unavailabilityReason" in rule} == {
        "Congés",
        "Jour férié",
    }
    assert any("priority" in rule for rule in rules)
    assert any("SA" in rule["rrule"]["byDay"] for rule in rules if "rrule" in rule)


def test_agendas_have_actors_of_every_kind() -> None:
    kinds = {
        frozenset(actor["reference"].partition("/")[0] for actor in one["actor"])
        for one in of_type(TODAY, "Schedule")
    }
    professional = frozenset({"PractitionerRole", "Practitioner"})

    assert kinds == {
        professional,
        professional | {"Location"},
        professional | {"Device"},
        frozenset({"HealthcareService"}),
        frozenset({"HealthcareService", "Location"}),
        frozenset({"Location"}),
    }


def test_service_types_of_an_agenda_are_those_of_its_actor() -> None:
    known = by_reference(TODAY)

    for schedule in of_type(TODAY, "Schedule"):
        actors = [known[one["reference"]] for one in schedule["actor"]]
        offered = [minutes_of_services(actor | {"actor": []}, known) for actor in actors]
        own = {
            parts(one)["serviceType"]["coding"][0]["code"]
            for one in extensions(schedule, "fr-core-service-type-duration")
        }
        assert own
        if any(offered):
            assert own <= set().union(*offered)


def test_the_overseas_agendas_say_their_zone_and_keep_its_time() -> None:
    overseas = [one for one in of_type(TODAY, "Schedule") if extensions(one, "timezone")]

    assert len(overseas) == 2
    assert {zone_of(one).key for one in overseas} == {"America/Guadeloupe"}
    assert all(one["planningHorizon"]["start"].endswith("T00:00:00-04:00") for one in overseas)


def test_the_zone_of_the_server_is_that_of_the_other_agendas() -> None:
    found = [one for type, one in department(TODAY, "Indian/Reunion") if type == "Schedule"]

    assert found[0]["planningHorizon"]["start"].endswith("+04:00")
    assert "timezone" not in {one["url"].rpartition("/")[2] for one in found[0]["extension"]}


@pytest.mark.parametrize("day", [date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2038, 4, 25)])
def test_easter_falls_where_the_calendar_says(day: date) -> None:
    assert easter(day.year) == day

"""Schedule as the rules see it: availability, services, zone, horizon, and what is said about it (GAP §6.6, §6.7, §9)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creneau.fhir import instant
from creneau.problems import Issue
from creneau.profiles.agenda import agenda, durations, findings, service_key, service_type, time_zone, zone_of
from creneau.scheduling.availability import ALWAYS, intervals
from creneau.scheduling.intervals import Interval, normalise
from creneau.scheduling.opening import reading
from creneau.scheduling.recurrence import Recurrence
from creneau.scheduling.slots import Agenda, Service, cells

PARIS = ZoneInfo("Europe/Paris")
CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
AVAILABILITY = CORE + "fr-core-schedule-availability-time"
DURATION = CORE + "fr-core-service-type-duration"
KIND = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-schedule-type"
UCUM = "http://unitsofmeasure.org"
MINUTE = 60_000_000
DEFAULT = 15 * MINUTE

GAP_EXAMPLE: dict[str, Any] = {
    "resourceType": "Schedule",
    "id": "example",
    "meta": {"profile": ["https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/gap-fr-schedule"]},
    "extension": [
        {
            "extension": [
                {"url": "identifier", "valueIdentifier": {"value": "dispo09112020"}},
                {"url": "type", "valueCoding": {"system": KIND, "code": "free", "display": "Disponibilité"}},
                {"url": "start", "valueDateTime": "2020-11-09T08:00:00+01:00"},
                {"url": "end", "valueDateTime": "2020-11-09T20:00:00+01:00"},
            ],
            "url": AVAILABILITY,
        },
        {
            "extension": [
                {
                    "url": "serviceType",
                    "valueCodeableConcept": {
                        "coding": [
                            {
                                "system": "http://example.org/ValueSet/ServiceType",
                                "code": "1",
                                "display": "suivi",
                            }
                        ]
                    },
                },
                {
                    "url": "duration",
                    "valueDuration": {"value": 15, "unit": "minute", "system": UCUM, "code": "min"},
                },
            ],
            "url": DURATION,
        },
    ],
    "identifier": [{"use": "usual", "system": "http://example.org/scheduleid", "value": "45"}],
    "active": True,
    "actor": [{"reference": "https://exampleserver.org/fhir/Practitioner/1", "display": "Dr Langdon"}],
    "planningHorizon": {"start": "2019-01-01T00:00:00Z", "end": "2020-01-01T00:00:00Z"},
}


def read(schedule: dict[str, Any], **more: Any) -> Agenda:
    given = {
        "zone_default": PARIS,
        "default_duration": DEFAULT,
        "actor_durations": {},
        "things": ("Practitioner/1",),
    }
    return agenda(schedule, **{**given, **more})


def rrule(freq: str = "WEEKLY", **parts: list[Any]) -> dict[str, Any]:
    coding = {"system": "https://www.ietf.org/rfc/rfc2445", "code": freq}
    found: list[dict[str, Any]] = [{"url": "freq", "valueCoding": coding}]
    found += [{"url": url, "value": value} for url, values in parts.items() for value in values]
    return {"url": "rrule", "extension": found}


def availability(
    start: str, end: str, *more: dict[str, Any], kind: str = "free", id: str = "a"
) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"url": "type", "valueCoding": {"system": KIND, "code": kind}},
        {"url": "start", "valueDateTime": start},
        {"url": "end", "valueDateTime": end},
        {"url": "identifier", "valueIdentifier": {"value": id}},
    ]
    return {"url": AVAILABILITY, "extension": [*parts, *more]}


def service(
    concept: dict[str, Any], duration: dict[str, Any] | None = None, url: str = DURATION
) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"url": "serviceType", "valueCodeableConcept": concept}]
    return {
        "url": url,
        "extension": parts + ([{"url": "duration", "valueDuration": duration}] if duration else []),
    }


def schedule(*extensions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Schedule", "id": "s", "extension": list(extensions), **more}


def said(found: list[Issue]) -> list[tuple[str, str, str]]:
    return [(one.why.key, one.severity, one.at) for one in found]


def keys(found: list[Issue], severity: str = "error") -> list[str]:
    return [one.why.key for one in found if one.severity == severity]


def open_time(found: Agenda, first: str, last: str) -> list[str]:
    window = Interval(instant.parse(first, PARIS)[0], instant.parse(last, PARIS)[1])
    spells = intervals(found.openings, found.zone, found.horizon, window)
    joined = normalise(Interval(one.start, one.end) for one in spells if one.open)
    return [
        f"{instant.show_in(start, found.zone)} {instant.show_in(end, found.zone)}" for start, end in joined
    ]


class TestExampleOfTheGuide:
    def test_it_has_one_opening_one_service_and_a_horizon(self) -> None:
        found = read(GAP_EXAMPLE)

        [opening] = found.openings
        assert (opening.kind, opening.start.instant, opening.end.instant) == (
            "free",
            instant.instant("2020-11-09T07:00:00Z"),
            instant.instant("2020-11-09T19:00:00Z"),
        )
        assert (opening.identifiers, opening.index, opening.recurrence) == (("|dispo09112020",), 0, None)
        assert found.services == (Service("http://example.org/ValueSet/ServiceType|1", 15 * MINUTE),)
        assert found.horizon == (
            instant.instant("2019-01-01T00:00:00Z"),
            instant.instant("2020-01-01T00:00:00Z"),
        )
        assert (found.id, found.things, found.zone, found.active) == (
            "example",
            ("Practitioner/1",),
            PARIS,
            True,
        )

    def test_its_availability_is_outside_its_horizon_so_it_opens_nothing(self) -> None:  # C-53
        found = read(GAP_EXAMPLE)

        assert said(findings(GAP_EXAMPLE)) == [
            ("availability-outside-horizon", "warning", "Schedule.extension[0]")
        ]
        assert list(cells(found, ALWAYS)) == []

    def test_without_its_horizon_it_offers_48_quarters(self) -> None:
        endless = {key: value for key, value in GAP_EXAMPLE.items() if key != "planningHorizon"}

        found = list(cells(read(endless), ALWAYS))

        assert len(found) == 48 and found[0].start == instant.instant("2020-11-09T07:00:00Z")
        assert findings(endless) == []


class TestServices:
    @pytest.mark.parametrize(
        ("concept", "key"),
        [
            ({"coding": [{"system": "http://s", "code": "1"}, {"code": "2"}]}, "http://s|1"),
            ({"coding": [{"display": "?"}, {"code": "2"}]}, "|2"),
            ({"text": "  Première   Consultation "}, "text:premiere consultation"),
            ({"coding": [{"display": "?"}], "text": "Suivi"}, "text:suivi"),
            ({}, ""),
        ],
    )
    def test_the_key_of_a_service_type(self, concept: dict[str, Any], key: str) -> None:
        assert service_key(concept) == key

    @pytest.mark.parametrize(
        ("duration", "minutes"),
        [
            ({"value": 15, "system": UCUM, "code": "min"}, 15),
            ({"value": Decimal("1.5"), "system": UCUM, "code": "h"}, 90),
            ({"value": 90, "system": UCUM, "code": "s"}, Decimal("1.5")),
            ({"value": 2, "system": UCUM, "code": "d"}, 2880),
            ({"value": 20, "unit": "minutes"}, 20),
            ({"value": 1, "unit": "heure"}, 60),
        ],
    )
    def test_durations_are_read_in_ucum_or_in_words(self, duration: dict[str, Any], minutes: int) -> None:
        found = schedule(service({"text": "a"}, duration))

        assert read(found).services == (Service("text:a", int(minutes * MINUTE)),)
        assert findings(found) == []

    @pytest.mark.parametrize(
        "duration",
        [
            {"value": 0, "code": "min"},
            {"value": -15, "code": "min"},
            {"value": 59, "code": "s"},
            {"value": 367, "code": "d"},
            {"value": Decimal("1E+999999"), "code": "min"},
            {"value": "NaN", "code": "min"},
            {"value": 15, "code": "mo"},
            {"value": 15},
            {"code": "min"},
        ],
    )
    def test_a_duration_that_means_nothing_here_is_an_error(self, duration: dict[str, Any]) -> None:
        found = schedule(service({"text": "a"}, duration))

        assert said(findings(found)) == [
            ("service-duration", "error", "Schedule.extension[0].extension[1].value")
        ]
        assert read(found).services == (Service("text:a", DEFAULT),)

    def test_a_duration_that_is_no_quantity_is_an_error_too(self) -> None:
        wrong = {"url": DURATION, "extension": [{"url": "duration", "valueString": "15 min"}]}

        assert keys(findings(schedule(wrong))) == ["service-duration"]

    def test_the_duration_is_the_service_s_else_the_actor_s_else_the_default(self) -> None:
        twenty = {"value": 20, "system": UCUM, "code": "min"}
        found = schedule(service({"text": "a"}, twenty), service({"text": "b"}), service({"text": "c"}))

        services = read(found, actor_durations={"text:a": 5 * MINUTE, "text:b": 45 * MINUTE}).services

        assert services == (
            Service("text:a", 20 * MINUTE),
            Service("text:b", 45 * MINUTE),
            Service("text:c", DEFAULT),
        )

    def test_an_agenda_without_service_has_a_default_one(self) -> None:
        assert read(schedule(), default_duration=30 * MINUTE).services == (Service("", 30 * MINUTE),)

    def test_a_service_given_twice_keeps_its_first_duration(self) -> None:
        two = [service({"text": "a"}, {"value": minutes, "code": "min"}) for minutes in (10, 20)]

        assert read(schedule(*two)).services == (Service("text:a", 10 * MINUTE),)

    def test_the_durations_of_an_actor_leave_out_services_without_one(self) -> None:
        role = {
            "resourceType": "PractitionerRole",
            "extension": [
                service({"text": "a"}, {"value": 20, "code": "min"}),
                service({"text": "b"}),
                {"url": "http://other"},
            ],
        }

        assert durations(role) == {"text:a": 20 * MINUTE}
        assert durations({"resourceType": "Device"}) == {}

    def test_a_canonical_with_a_version_and_the_names_of_interop_sante_are_understood(self) -> None:
        old = "http://interopsante.org/fhir/StructureDefinition/"
        range = availability("2026-03-02T09:00:00+01:00", "2026-03-02T12:00:00+01:00")
        found = read(
            schedule(
                service({"text": "a"}, {"value": 20, "code": "min"}, url=DURATION + "|2.0.1"),
                service({"text": "b"}, {"value": 30, "code": "min"}, url=old + "FrServiceTypeDuration"),
                {**range, "url": old + "FrScheduleAvailabilityTime"},
                {**range, "url": AVAILABILITY + "|2.2.0"},
            )
        )

        assert found.services == (Service("text:a", 20 * MINUTE), Service("text:b", 30 * MINUTE))
        assert [one.index for one in found.openings] == [2, 3]

    def test_the_concept_of_a_key(self) -> None:
        concept = {"text": "Suivi"}
        found = schedule({"url": "http://other"}, service({"text": "a"}), service(concept))

        assert service_type(found, "text:suivi") is concept
        assert service_type(found, "text:other") is None
        assert service_type({"resourceType": "Schedule"}, "") is None


class TestZoneAndHorizon:
    def test_the_zone_is_that_of_the_extension_else_the_default(self) -> None:
        extension = {"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": "Indian/Reunion"}

        assert zone_of(schedule(extension), PARIS) == ZoneInfo("Indian/Reunion")
        assert read(schedule(extension)).zone == ZoneInfo("Indian/Reunion")
        assert zone_of(schedule(), PARIS) is PARIS
        assert findings(schedule(extension)) == []

    @pytest.mark.parametrize("name", ["Paris", "", "Europe", "../../etc/passwd", "a" * 65, "\0", "Europe/É"])
    def test_an_unknown_zone_is_an_error(self, name: str) -> None:
        found = schedule({"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": name})

        assert time_zone(name) is None
        assert said(findings(found)) == [("agenda-time-zone", "error", "Schedule.extension[0].value")]
        assert read(found).zone is PARIS

    @pytest.mark.parametrize(
        ("period", "start", "end"),
        [
            ({"start": "2026-03-29", "end": "2026-03-29"}, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
            ({"start": "2026-03", "end": "2026"}, "2026-02-28T23:00:00Z", "2026-12-31T23:00:00Z"),
            ({"start": "2026-01-01T08:00:00+01:00", "end": "2026-12-31T23:59:59+01:00"}, "2026-01-01T07:00:00Z", "2026-12-31T23:00:00Z"),
            ({"start": "2026-01-01T08:00:00.250Z", "end": "2026-12-31T08:00:00.750Z"}, "2026-01-01T08:00:00Z", "2026-12-31T08:00:00Z"),
        ],
    )  # fmt: skip
    def test_the_horizon_covers_the_civil_days_it_names(
        self, period: dict[str, str], start: str, end: str
    ) -> None:
        assert read(schedule(planningHorizon=period)).horizon == (
            instant.instant(start),
            instant.instant(end),
        )

    @pytest.mark.parametrize(
        "period", [{}, {"start": "demain"}, {"end": 5}, "2026", {"start": "2026-01-01", "end": ""}]
    )
    def test_a_horizon_that_says_nothing_readable_bounds_nothing(self, period: Any) -> None:
        assert read(schedule(planningHorizon=period)).horizon == ALWAYS

    def test_only_active_false_makes_an_agenda_inactive(self) -> None:
        assert read(schedule()).active
        assert not read(schedule(active=False)).active


class TestAvailability:
    def test_a_bare_date_as_end_includes_its_day(self) -> None:
        found = read(
            schedule(
                availability("2026-03-02", "2026-03-03"),
                availability(
                    "2026-03-02T12:00:00+01:00", "2026-03-02T13:59:59+01:00", kind="busy-unavailable"
                ),
            )
        )

        assert open_time(found, "2026-03-01", "2026-03-08") == [
            "2026-03-02T00:00:00+01:00 2026-03-02T12:00:00+01:00",
            "2026-03-02T14:00:00+01:00 2026-03-04T00:00:00+01:00",
        ]

    def test_tv3_mondays_and_tuesdays_of_2021_except_mondays_of_summer(self) -> None:
        week = availability("2021-01-01", "2021-12-31", rrule(byDay=["1", "tue"], byHour=[8, 18]))
        summer = availability(
            "2021-01-01", "2021-12-31", rrule(byDay=["MO"], byMonth=[7, 8]), kind="busy-unavailable", id="b"
        )
        found = schedule(week, summer)

        days = open_time(read(found), "2020", "2022")

        assert len(days) == 95
        assert {(day[11:19], day[37:45]) for day in days} == {("08:00:00", "18:00:00")}
        assert said(findings(found)) == [
            ("recurrence-as-envelope", "information", "Schedule.extension[0].extension[4]"),
            ("recurrence-as-envelope", "information", "Schedule.extension[1].extension[4]"),
        ]

    def test_all_of_the_rule_is_read(self) -> None:
        rule = rrule(
            "yearly",
            interval=[2],
            count=[7],
            until=["2030-12-31"],
            byDay=["MO", "1tu", "-1FR", "+2SA", "7", "wed", "TH,SU"],
            byMonthDay=[1, -1],
            byYearDay=["-1", "100"],
            byWeekNo=[20],
            byMonth=[5],
            byHour=[9],
            byMinute=[30],
            bySecond=[15],
            wkst=["sun", "mon"],
        )

        [opening] = read(
            schedule(availability("2026-03-02T09:00:00+01:00", "2026-03-02T10:00:00+01:00", rule))
        ).openings

        assert opening.recurrence == Recurrence(
            freq="YEARLY",
            interval=2,
            count=7,
            until=instant.instant("2030-12-31T23:00:00Z") - 1,
            by_day=((0, 0), (1, 1), (-1, 4), (2, 5), (0, 6), (0, 2), (0, 3), (0, 6)),
            by_month_day=(1, -1),
            by_year_day=(-1, 100),
            by_week_no=(20,),
            by_month=(5,),
            by_hour=(9,),
            by_minute=(30,),
            by_second=(15,),
            wkst=6,
        )

    def test_priority_reason_and_identifiers_are_read(self) -> None:
        more = [
            {"url": "priority", "valueInteger": 3},
            {
                "url": "unavailabilityReason",
                "valueCodeableConcept": {"coding": [{"code": "c", "display": "Congés"}]},
            },
            {"url": "identifier", "valueIdentifier": {"system": "http://s", "value": "2"}},
            {"url": "identifier", "valueIdentifier": {"system": "http://s"}},
        ]

        [opening] = read(
            schedule(availability("2026-03-02", "2026-03-02", *more, kind="busy-unavailable"))
        ).openings

        assert (opening.kind, opening.priority, opening.reason) == ("closed", 3, "Congés")
        assert opening.identifiers == ("|a", "http://s|2")

    @pytest.mark.parametrize(
        ("value", "expected"),
        [({"text": "Congés"}, "Congés"), ({"coding": [{"code": "c"}]}, "c"), ({}, ""), ("Congés", "")],
    )
    def test_the_reason_is_words_else_a_code(self, value: Any, expected: str) -> None:
        reason = {"url": "unavailabilityReason", "valueCodeableConcept": value}

        [opening] = read(schedule(availability("2026-03-02", "2026-03-02", reason))).openings

        assert (opening.reason, opening.priority) == (expected, 0)

    def test_until_with_a_time_is_that_instant(self) -> None:
        rule = rrule("DAILY", until=["2026-03-05T09:00:00+01:00"])
        found = read(schedule(availability("2026-03-02T09:00:00+01:00", "2026-03-02T10:00:00+01:00", rule)))

        assert [day[8:10] for day in open_time(found, "2026-03-01", "2026-03-31")] == ["02", "03", "04", "05"]

    def test_a_rule_unfolds_in_the_zone_of_the_agenda(self) -> None:
        zone = {"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": "America/Miquelon"}
        daily = availability("2026-01-05T09:00:00-03:00", "2026-01-05T10:00:00-03:00", rrule("DAILY"))
        found = schedule(daily, zone)

        assert open_time(read(found), "2026-07-01T10:00:00Z", "2026-07-01T18:00:00Z") == [
            "2026-07-01T09:00:00-02:00 2026-07-01T10:00:00-02:00"
        ]
        assert keys(findings(found), "warning") == []
        assert keys(findings(schedule(daily)), "warning") == ["availability-offset"]

    @pytest.mark.parametrize(
        "start",
        ["2026-01-05T08:00:00Z", "2026-01-05T08:00:00+00:00", "2026-01-05", "2026-01-05T09:00:00+01:00"],
    )
    def test_a_start_in_utc_or_in_the_zone_needs_no_remark(self, start: str) -> None:
        found = schedule(availability(start, "2026-01-05T10:00:00+01:00", rrule("DAILY")))

        assert said(findings(found)) == [
            ("recurrence-as-occurrence", "information", "Schedule.extension[0].extension[4]")
        ]

    @pytest.mark.parametrize(
        ("start", "end", "at"),
        [
            ("2026-03-02T09:00:00+01:00", "2026-03-02T09:00:00+01:00", ".extension[2].value"),
            ("2026-03-02T09:00:00+01:00", "2026-03-02T09:30:00+02:00", ".extension[2].value"),
            ("2026-03-02", "2026-03-01", ".extension[2].value"),
        ],
    )
    def test_an_end_not_after_start_is_an_error(self, start: str, end: str, at: str) -> None:
        found = schedule(availability(start, end))

        assert said(findings(found)) == [
            ("availability-end-not-after-start", "error", "Schedule.extension[0]" + at)
        ]
        assert read(found).openings == ()

    def test_a_repeated_hour_may_be_open_once_but_not_repeated(self) -> None:
        start, end = "2026-10-25T02:50:00+02:00", "2026-10-25T02:10:00+01:00"

        assert findings(schedule(availability(start, end))) == []
        assert keys(findings(schedule(availability(start, end, rrule("DAILY"))))) == [
            "availability-end-not-after-start"
        ]

    def test_a_missing_or_unreadable_time_is_an_error(self) -> None:
        without = {"url": AVAILABILITY, "extension": [{"url": "start", "valueDateTime": "demain"}]}

        assert said(findings(schedule(without))) == [
            ("availability-time", "error", "Schedule.extension[0].extension[0].value"),
            ("availability-time", "error", "Schedule.extension[0]"),
        ]

    @pytest.mark.parametrize(
        ("rule", "key", "at"),
        [
            (rrule("SECONDLY"), "recurrence-too-fine", ""),
            (rrule("MINUTELY"), "recurrence-too-fine", ""),
            (rrule("FORTNIGHTLY"), "recurrence-frequency", ".extension[0].value"),
            ({"url": "rrule", "extension": []}, "recurrence-frequency", ""),
            (rrule(byDay=["lundi"]), "recurrence-weekday", ".extension[1].value"),
            (rrule(byDay=["MO", "8"]), "recurrence-weekday", ".extension[2].value"),
            (rrule(byDay=["0MO"]), "recurrence-weekday", ".extension[1].value"),
            (rrule(byDay=["54MO"]), "recurrence-weekday", ".extension[1].value"),
            (rrule(wkst=["first"]), "recurrence-weekday", ".extension[1].value"),
            (rrule(byHour=[25]), "recurrence-number", ".extension[1].value"),
            (rrule(byHour=[-1]), "recurrence-number", ".extension[1].value"),
            (rrule(byHour=["neuf"]), "recurrence-number", ".extension[1].value"),
            (rrule(byHour=[24]), "recurrence-hour-24", ".extension[1].value"),
            (rrule(byHour=[8, 12, 24]), "recurrence-hour-24", ".extension[1].value"),
            (rrule(byMinute=[60]), "recurrence-number", ".extension[1].value"),
            (rrule(byMonth=[13]), "recurrence-number", ".extension[1].value"),
            (rrule(byMonthDay=[0]), "recurrence-number", ".extension[1].value"),
            (rrule(byYearDay=["-367"]), "recurrence-number", ".extension[1].value"),
            (rrule(byWeekNo=[54]), "recurrence-number", ".extension[1].value"),
            (rrule(interval=[0]), "recurrence-number", ".extension[1].value"),
            (rrule(count=[0]), "recurrence-number", ".extension[1].value"),
            (rrule(count=[10_001]), "recurrence-too-many", ""),
            (rrule(until=["toujours"]), "recurrence-until", ".extension[1].value"),
        ],
    )
    def test_a_rule_that_cannot_be_kept_is_an_error_and_opens_nothing(
        self, rule: dict[str, Any], key: str, at: str
    ) -> None:
        found = schedule(availability("2026-03-02T09:00:00+01:00", "2026-03-02T10:00:00+01:00", rule))

        assert said(findings(found)) == [(key, "error", "Schedule.extension[0].extension[4]" + at)]
        assert read(found).openings == ()

    def test_all_errors_of_a_rule_are_said_together(self) -> None:
        rule = rrule("NEVER", byDay=["x"], byHour=[99], until=["x"])

        assert Counter(keys(findings(schedule(availability("x", "2026", rule))))) == Counter(
            [
                "availability-time",
                "recurrence-frequency",
                "recurrence-weekday",
                "recurrence-number",
                "recurrence-until",
            ]
        )

    def test_zero_is_understood_with_a_warning(self) -> None:  # GAP-REC-08
        rule = rrule("DAILY", byHour=[0, 12], byMinute=[0])
        found = schedule(availability("2026-03-02T00:00:00+01:00", "2026-03-02T01:00:00+01:00", rule))

        assert [one.at for one in findings(found) if one.why.key == "recurrence-zero"] == [
            "Schedule.extension[0].extension[4].extension[1].value",
            "Schedule.extension[0].extension[4].extension[3].value",
        ]
        assert [day[11:16] for day in open_time(read(found), "2026-03-03", "2026-03-03")] == [
            "00:00",
            "12:00",
        ]

    def test_an_unknown_type_closes_with_a_warning_and_none_opens(self) -> None:
        odd = availability("2026-03-02", "2026-03-02", kind="perhaps")
        bare = {**odd, "extension": odd["extension"][1:]}

        assert said(findings(schedule(odd))) == [
            ("availability-type", "warning", "Schedule.extension[0].extension[0].value")
        ]
        assert [one.kind for one in read(schedule(odd, bare)).openings] == ["closed", "free"]

    def test_an_identifier_names_one_range_only(self) -> None:  # GAP-DIS-13
        ranges = [availability("2026-03-02", "2026-03-02", id=id) for id in ("a", "b", "a")]

        assert said(findings(schedule(*ranges))) == [
            ("availability-identifier-twice", "error", "Schedule.extension[2].extension[3].value")
        ]

    @pytest.mark.parametrize(
        ("range", "outside"),
        [
            (availability("2026-12-31", "2027-01-01"), False),
            (availability("2027-01-01", "2027-01-02"), True),
            (availability("2027-01-01", "2027-01-01", rrule("DAILY")), True),
            (availability("2020-01-01", "2020-01-01", rrule("DAILY")), False),
            (availability("2020-01-01", "2020-01-01", rrule("DAILY", until=["2025-12-31"])), True),
            (availability("2020-01-01", "2020-01-01", rrule("DAILY", until=["2026-01-01"])), False),
            (availability("2020-01-01", "2020-12-31", rrule("DAILY", byHour=[8, 18])), True),
            (availability("2027-01-01", "2027-01-02", kind="busy-unavailable"), False),
        ],
    )
    def test_an_opening_outside_the_horizon_is_remarked(self, range: dict[str, Any], outside: bool) -> None:
        found = schedule(range, planningHorizon={"start": "2026-01-01", "end": "2026-12-31"})

        assert ("availability-outside-horizon" in keys(findings(found), "warning")) is outside

    @pytest.mark.parametrize(
        ("end", "key", "expected"),
        [
            ("2026-03-02", "recurrence-as-occurrence", "occurrence"),
            ("2026-12-31", "recurrence-as-envelope", "envelope"),
        ],
    )
    def test_how_a_recurrence_is_understood_is_said(
        self, end: str, key: str, expected: str
    ) -> None:  # GAP-REC-04
        found = schedule(availability("2026-03-02", end, rrule("DAILY")))

        assert said(findings(found)) == [(key, "information", "Schedule.extension[0].extension[4]")]
        assert [reading(one) for one in read(found).openings] == [expected]

    def test_every_sentence_is_complete_in_both_languages(self) -> None:
        rules = [
            rrule("NEVER", byDay=["x"], byHour=[99]),
            rrule("SECONDLY", count=[10_001]),
            rrule(byHour=[0]),
        ]
        found = findings(schedule(*(availability("2026-03-02", "2026-03-02", rule) for rule in rules)))

        assert len({one.why.key for one in found}) >= 6
        assert all("{" not in one.text(language) for one in found for language in ("fr", "en"))


WHOLE = schedule(
    availability(
        "2026-03-02T09:00:00+01:00",
        "2026-03-02T10:00:00+01:00",
        rrule(
            byDay=["MO", "1TU"],
            byHour=[9],
            interval=[2],
            count=[5],
            until=["2030"],
            wkst=["mon"],
            byMonthDay=[1],
        ),
        {"url": "priority", "valueInteger": 1},
        {"url": "unavailabilityReason", "valueCodeableConcept": {"coding": [{"code": "c"}]}},
    ),
    service({"coding": [{"code": "a"}]}, {"value": 15, "code": "min"}),
    {"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": "Europe/Paris"},
    planningHorizon={"start": "2026", "end": "2027"},
)
# What R4 lets stand in any extension, whatever its url says it holds.
VALUES: list[dict[str, Any]] = [
    {},
    {"valueBoolean": True},
    {"valueInteger": 0},
    {"valueInteger": -(2**31)},
    {"valuePositiveInt": 2**31 - 1},
    {"valueDecimal": Decimal("1E+999999")},
    {"valueString": "x"},
    {"valueString": "MO,,-1FR"},
    {"valueDateTime": "9999-12-31"},
    {"valueDateTime": "0001-01-01"},
    {"valueDateTime": "2026-03-29T02:30:00+14:00"},
    {"valueCoding": {}},
    {"valueCoding": {"code": "SECONDLY"}},
    {"valueCodeableConcept": {"coding": [{}]}},
    {"valueDuration": {"value": Decimal("1E+999999"), "code": "min"}},
    {"valueDuration": {"value": Decimal("0.000001"), "unit": "h"}},
    {"valueIdentifier": {}},
    {"valueReference": {"reference": "Patient/1"}},
    {"extension": [{"url": "freq", "valueCode": "HOURLY"}]},
]


def spoiled(extensions: list[dict[str, Any]], draw: st.DrawFn) -> list[dict[str, Any]]:
    """The extensions with another value in the place of one of theirs, at any depth."""
    index = draw(st.integers(0, len(extensions) - 1))
    one = extensions[index]
    if "extension" in one and draw(st.integers(0, 4)):
        changed = {**one, "extension": spoiled(one["extension"], draw)}
    else:
        changed = {"url": one["url"], **draw(st.sampled_from(VALUES))}
    return [*extensions[:index], changed, *extensions[index + 1 :]]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_value_of_an_extension_makes_a_fall(data: st.DataObject) -> None:
    once = spoiled(WHOLE["extension"], data.draw)
    found = {**WHOLE, "extension": spoiled(once, data.draw)}
    now = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1_000_000

    assert all(one.text("fr") and one.text("en") for one in findings(found))
    assert isinstance(list(cells(read(found), Interval(now, now + 1))), list)

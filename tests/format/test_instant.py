"""Dates and times: what a text covers, in which zone, and how instants are written (REL-28)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creneau.fhir.instant import MAX, MIN, instant, parse, show, show_in

PARIS = ZoneInfo("Europe/Paris")
HOUR = 3_600_000_000


def covered(text: str, zone: ZoneInfo = PARIS) -> tuple[str, str]:
    lo, hi = parse(text, zone)
    return show(lo), show(hi)


@pytest.mark.parametrize(
    ("text", "lo", "hi"),
    [
        ("2026", "2025-12-31T23:00:00Z", "2026-12-31T23:00:00Z"),
        ("2026-11", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z"),
        ("2026-12", "2026-11-30T23:00:00Z", "2026-12-31T23:00:00Z"),
        ("2024-02-29", "2024-02-28T23:00:00Z", "2024-02-29T23:00:00Z"),
        ("2026-11-24T09:15", "2026-11-24T08:15:00Z", "2026-11-24T08:16:00Z"),
        ("2026-11-24T09:15Z", "2026-11-24T09:15:00Z", "2026-11-24T09:16:00Z"),
        ("2026-11-24T09:15:30", "2026-11-24T08:15:30Z", "2026-11-24T08:15:31Z"),
        ("2026-11-24T09:15:30+01:00", "2026-11-24T08:15:30Z", "2026-11-24T08:15:31Z"),
        ("2026-11-24T09:15:30-03:30", "2026-11-24T12:45:30Z", "2026-11-24T12:45:31Z"),
        ("2026-11-24T09:15:00.123Z", "2026-11-24T09:15:00.123Z", "2026-11-24T09:15:00.124Z"),
        ("2026-11-24T09:15:00.1Z", "2026-11-24T09:15:00.100Z", "2026-11-24T09:15:00.200Z"),
        ("2026-11-24T09:15:00.123456Z", "2026-11-24T09:15:00.123456Z", "2026-11-24T09:15:00.123457Z"),
        ("2026-11-24T09:15:00.1234569Z", "2026-11-24T09:15:00.123456Z", "2026-11-24T09:15:00.123457Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", "2017-01-01T00:00:00Z"),
        ("9999-12-31", "9999-12-30T23:00:00Z", "9999-12-31T23:59:59.999999Z"),
        ("9999", "9998-12-31T23:00:00Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_text_covers_the_time_that_its_precision_leaves_open(text: str, lo: str, hi: str) -> None:
    assert covered(text) == (lo, hi)


@pytest.mark.parametrize(
    ("text", "hours"), [("2027-03-28", 23), ("2027-10-31", 25), ("2027-03-27", 24), ("2027-11-01", 24)]
)
def test_a_civil_day_in_paris_has_the_hours_it_has(text: str, hours: int) -> None:
    lo, hi = parse(text, PARIS)

    assert hi - lo == hours * HOUR


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("Indian/Reunion", "+04:00"),
        ("America/Guadeloupe", "-04:00"),
        ("America/Cayenne", "-03:00"),
        ("Pacific/Noumea", "+11:00"),
    ],
)
@pytest.mark.parametrize("day", ["2027-03-28", "2027-10-31"])
def test_overseas_zones_keep_their_offset_on_the_days_paris_changes(zone: str, offset: str, day: str) -> None:
    civil = parse(f"{day}T02:30:00", ZoneInfo(zone))
    lo, hi = parse(day, ZoneInfo(zone))

    assert civil == parse(f"{day}T02:30:00{offset}", PARIS)
    assert hi - lo == 24 * HOUR
    assert show_in(lo, ZoneInfo(zone)) == f"{day}T00:00:00{offset}"


def test_a_time_skipped_in_spring_is_read_with_the_offset_before_the_change() -> None:
    assert parse("2027-03-28T02:30:00", PARIS) == parse("2027-03-28T02:30:00+01:00", PARIS)


def test_a_time_repeated_in_autumn_is_its_first_occurrence_and_offsets_tell_both_apart() -> None:
    first, second = instant("2027-10-31T02:30:00+02:00"), instant("2027-10-31T02:30:00+01:00")

    assert parse("2027-10-31T02:30:00", PARIS)[0] == first
    assert second - first == HOUR
    assert [show_in(us, PARIS) for us in (first, second)] == [
        "2027-10-31T02:30:00+02:00",
        "2027-10-31T02:30:00+01:00",
    ]


def test_a_day_whose_midnight_is_skipped_or_repeated_begins_at_its_first_instant() -> None:
    beirut, havana = ZoneInfo("Asia/Beirut"), ZoneInfo("America/Havana")

    assert covered("2026-03-29", beirut) == ("2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z")
    assert covered("2026-11-01", havana) == ("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z")


BAD = [
    "", "26", "2026-1", "2026-13", "2026-00", "2026-02-29", "2026-11-31", "2026-11-00", "2026-11-32", "0000", "0000-01-01", "20261124", "2026-W10-1",
    "2026-11-24T", "2026-11-24T09", "2026-11-24T24:00:00Z", "2026-11-24T09:60:00Z", "2026-11-24T09:15:61Z",
    "2026-11-24 09:15:00Z", "2026-11-24T09:15:00.Z", "2026-11-24T09:15:00,5Z", "2026-11-24T09:15:00z",
    "2026-11-24T09:15:00+1:00", "2026-11-24T09:15:00+0100", "2026-11-24T09:15:00+15:00", "2026-11-24T09:15:00+14:30",
    "2026-11-24T09:15:00Z ", " 2026-11-24", "2026-11-24\n", "٢٠٢٦-١١-٢٤", "-2026", "12026-01-01", "2026-11Z",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_fhir_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text, PARIS)
    with pytest.raises(ValueError):
        instant(text)


@pytest.mark.parametrize(
    "text", ["2026", "2026-11-24", "2026-11-24T09:15Z", "2026-11-24T09:15:00", "2026-02-30T09:15:00Z"]
)
def test_an_instant_goes_to_the_second_and_has_an_offset(text: str) -> None:
    with pytest.raises(ValueError):
        instant(text)


def test_instants_without_a_utc_date_stop_at_the_ends_of_the_calendar() -> None:
    assert instant("0001-01-01T00:00:00+14:00") == MIN
    assert instant("9999-12-31T23:59:59-12:00") == MAX


@given(
    st.integers(MIN, MAX),
    st.sampled_from(["Europe/Paris", "Asia/Kathmandu", "Pacific/Noumea", "America/Cayenne"]),
)
def test_an_instant_written_in_any_zone_reads_back_the_same(us: int, zone: str) -> None:
    assert instant(show(us)) == us
    assert instant(show_in(us, ZoneInfo(zone))) == us


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_shown_is_the_utc_time(moment: datetime) -> None:
    us = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    assert datetime.fromisoformat(show(us)) == moment


@given(
    st.dates(date(1950, 1, 1), date(2100, 1, 1)),
    st.sampled_from(["Europe/Paris", "America/Havana", "Asia/Beirut"]),
)
def test_days_follow_each_other_without_gap_or_overlap(day: date, zone: str) -> None:
    today, tomorrow = (parse(one.isoformat(), ZoneInfo(zone)) for one in (day, day + timedelta(days=1)))

    assert today[1] == tomorrow[0]
    assert 20 * HOUR < today[1] - today[0] < 28 * HOUR

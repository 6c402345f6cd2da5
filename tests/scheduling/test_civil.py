"""The clock of French zones against a calendar of minutes made the other way round, from instants (REL-28)."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from creneau.scheduling import civil

MINUTE = 60_000_000
DAY = 1440

CHANGING = {
    "Europe/Paris": [(2026, 3, 29), (2026, 10, 25), (2027, 3, 28), (2027, 10, 31)],
    "America/Miquelon": [(2026, 3, 8), (2026, 11, 1), (2027, 3, 14), (2027, 11, 7)],
}
STEADY = [
    "America/Guadeloupe",
    "America/Martinique",
    "America/Cayenne",
    "America/St_Barthelemy",
    "America/Marigot",
    "Indian/Reunion",
    "Indian/Mayotte",
    "Indian/Kerguelen",
    "Pacific/Noumea",
    "Pacific/Tahiti",
    "Pacific/Marquesas",
    "Pacific/Gambier",
    "Pacific/Wallis",
]


def minutes_around(name: str, day: tuple[int, int, int]) -> dict[int, list[int]]:
    """Local minute -> the minutes UTC at which the clock shows it, over the day and the two beside it, by `fromtimestamp`."""
    zone = ZoneInfo(name)
    first = int(datetime(*day, tzinfo=UTC).timestamp()) // 60 - DAY
    found: defaultdict[int, list[int]] = defaultdict(list)
    for minute in range(first, first + 3 * DAY):
        shown = datetime.fromtimestamp(minute * 60, zone).replace(tzinfo=UTC)
        found[int(shown.timestamp()) // 60].append(minute)
    return found


@pytest.mark.parametrize(("name", "day"), [(name, day) for name, days in CHANGING.items() for day in days])
def test_every_minute_around_a_change_is_the_instant_of_the_clock(
    name: str, day: tuple[int, int, int]
) -> None:
    zone, clock = ZoneInfo(name), minutes_around(name, day)
    skipped = [minute for minute in range(min(clock), max(clock)) if minute not in clock]
    twice = [minute for minute, instants in clock.items() if len(instants) > 1]

    found = {minute: civil.instant(minute * MINUTE, zone) // MINUTE for minute in [*clock, *skipped]}

    assert len(skipped) + len(twice) == 60  # the hour that spring skips or autumn repeats
    assert all(found[minute] == min(instants) for minute, instants in clock.items())
    if skipped:
        before = min(skipped) - 1 - clock[min(skipped) - 1][0]
        assert all(found[minute] == minute - before for minute in skipped)


@pytest.mark.parametrize(("name", "day"), [(name, day) for name, days in CHANGING.items() for day in days])
def test_every_instant_around_a_change_shows_the_minute_of_the_clock(
    name: str, day: tuple[int, int, int]
) -> None:
    zone, clock = ZoneInfo(name), minutes_around(name, day)

    shown = {
        minute: civil.moment(minute * MINUTE, zone) for instants in clock.values() for minute in instants
    }

    assert all(
        shown[minute].local == local * MINUTE for local, instants in clock.items() for minute in instants
    )
    assert all(one.instant == minute * MINUTE for minute, one in shown.items())


@pytest.mark.parametrize("name", STEADY)
@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25)])
def test_overseas_clocks_do_not_follow_the_changes_of_paris(name: str, day: tuple[int, int, int]) -> None:
    zone, clock = ZoneInfo(name), minutes_around(name, day)

    assert len(clock) == 3 * DAY
    assert all(
        [civil.instant(local * MINUTE, zone) // MINUTE] == instants for local, instants in clock.items()
    )


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("Europe/Paris", 1),
        ("America/Guadeloupe", -4),
        ("America/Cayenne", -3),
        ("Indian/Reunion", 4),
        ("Pacific/Noumea", 11),
        ("America/Miquelon", -3),
    ],
)
def test_nine_in_the_morning_in_winter(name: str, hours: int) -> None:
    nine = (datetime(2026, 1, 15, 9) - civil.EPOCH) // civil.MICROSECOND

    assert civil.instant(nine, ZoneInfo(name)) == nine - hours * civil.HOUR


def test_a_day_has_23_24_or_25_hours() -> None:
    paris = ZoneInfo("Europe/Paris")

    def hours(year: int, month: int, day: int) -> float:
        starts = [(datetime(year, month, day) + timedelta(days=more) - civil.EPOCH).days for more in (0, 1)]
        return (
            civil.instant(starts[1] * civil.DAY, paris) - civil.instant(starts[0] * civil.DAY, paris)
        ) / civil.HOUR

    assert [hours(2027, 3, 28), hours(2027, 3, 29), hours(2027, 10, 31)] == [23, 24, 25]


def test_a_change_at_midnight_is_seen_from_both_sides() -> None:
    havana = ZoneInfo("America/Havana")  # 8 March 2026, 00:00 becomes 01:00; 1 November, 01:00 becomes 00:00
    late, midnight, one = (
        (datetime(2026, 3, *when) - civil.EPOCH) // civil.MICROSECOND
        for when in ((7, 23, 59), (8, 0, 0), (8, 1, 0))
    )

    assert civil.instant(midnight, havana) - civil.instant(late, havana) == MINUTE
    assert civil.instant(midnight, havana) == civil.instant(one, havana)


def test_times_beyond_the_calendar_are_read_as_its_ends() -> None:
    paris = ZoneInfo("Europe/Paris")

    assert civil.instant(10**19, paris) == civil.instant(civil.LATEST, paris)
    assert civil.moment(-(10**19), paris).instant == civil.EARLIEST

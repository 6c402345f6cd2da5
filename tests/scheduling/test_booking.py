"""What may be booked and what time it takes (GAP §5, §13, §14), with values alone."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from creneau.scheduling import booking
from creneau.scheduling.booking import MINUTE, Before, Wish
from creneau.scheduling.civil import Moment
from creneau.scheduling.opening import Opening
from creneau.scheduling.slots import Agenda, Cell, Service

UTC = ZoneInfo("UTC")
HOUR = 60 * MINUTE
NOON = 1_800_000_000_000_000
NOW = NOON - 24 * HOUR


def agenda(id: str = "a", things: tuple[str, ...] = ("Practitioner/p",), start: int = NOON) -> Agenda:
    """Open for four hours, 15 minutes a slot."""
    opens, closes = Moment(start, start), Moment(start + 4 * HOUR, start + 4 * HOUR)
    return Agenda(id, things, (Service("s|c", 15 * MINUTE),), (Opening("free", opens, closes),), UTC)


ASKED = Wish(
    "proposed",
    NOON,
    NOON + 15 * MINUTE,
    agendas=(agenda(),),
    things=("Practitioner/p",),
    target=frozenset({"Practitioner/p"}),
)
DECLARED = replace(ASKED, status="booked")


def keys(wish: Wish, before: Before | None = None, now: int = NOW) -> list[tuple[str, str]]:
    return [(issue.why.key, issue.severity) for issue in booking.decide(before, wish, now)]


def test_a_request_within_the_availability_is_taken_in() -> None:
    assert keys(ASKED) == []


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"asked": 0}, "request-without-target"),
        ({"end": NOON}, "end-not-after-start"),
        ({"end": NOON + 367 * 24 * HOUR}, "appointment-too-long"),
        ({"minutes": 20}, "minutes-duration-differs"),
        ({"start": NOON - HOUR, "end": NOON - HOUR + 15 * MINUTE}, "outside-availability"),
        ({"end": NOON + 20 * MINUTE}, "duration-does-not-fit"),
    ],
)
def test_a_request_is_refused_for_its_reason(change: dict[str, int], key: str) -> None:
    assert (key, "error") in keys(replace(ASKED, **change))  # type: ignore[arg-type]  # fields of several types


def test_a_request_in_the_past_is_refused() -> None:
    assert keys(ASKED, now=NOON + 1) == [("request-in-the-past", "error")]


def test_a_declaration_out_of_the_availability_is_warned() -> None:
    night = replace(DECLARED, start=NOON - HOUR, end=NOON - HOUR + 15 * MINUTE)

    assert keys(night) == [("outside-availability", "warning")]


def test_a_declaration_that_only_changes_status_is_not_judged_on_its_time_again() -> None:
    night = replace(DECLARED, start=NOON - HOUR, end=NOON - HOUR + 15 * MINUTE, status="arrived")
    before = Before("booked", night.start, night.end)

    assert keys(night, before) == []


def test_the_same_request_sent_again_is_not_judged_again_and_another_is() -> None:
    before = Before("proposed", ASKED.start, ASKED.end, ASKED.target)

    assert keys(ASKED, before, now=NOON + 1) == []
    assert keys(replace(ASKED, target=frozenset({"x"})), before, now=NOON + 1) == [
        ("request-in-the-past", "error")
    ]
    assert keys(ASKED, replace(before, status="waitlist"), now=NOON + 1) == [("request-in-the-past", "error")]


def test_a_step_that_is_not_in_the_table_names_what_may_follow() -> None:
    [issue] = booking.decide(Before("cancelled", None, None), ASKED, NOW)

    assert issue.why.key == "status-step"
    assert issue.text("en").endswith("it can become: booked, entered-in-error.")


def test_a_request_without_time_takes_none_and_needs_only_a_target() -> None:
    open_ended = replace(ASKED, start=None, end=None, agendas=())

    assert keys(open_ended) == []
    assert booking.holds(open_ended, now=NOW, hold=HOUR) == ()
    assert keys(replace(open_ended, asked=0, foreign_slots=1)) == []


def test_the_time_of_slots_is_from_the_first_start_to_the_last_end() -> None:
    first = Cell("a", NOON, NOON + 15 * MINUTE, "s|c")
    second = Cell("a", NOON + 15 * MINUTE, NOON + 30 * MINUTE, "s|c")

    assert booking.span([(agenda(), second), (agenda(), first)]) == (NOON, NOON + 30 * MINUTE)
    assert booking.span([]) is None


def test_a_time_beyond_the_slots_named_is_refused_and_one_within_is_not() -> None:
    cell = (agenda(), Cell("a", NOON, NOON + 15 * MINUTE, "s|c"))
    named = replace(ASKED, cells=(cell,))

    assert keys(named) == []
    assert keys(replace(named, end=NOON + 30 * MINUTE)) == [("time-outside-slot", "error")]


def test_one_open_agenda_of_a_thing_is_enough() -> None:
    morning, afternoon = agenda("a", start=NOON - 4 * HOUR), agenda("b")

    assert keys(replace(ASKED, agendas=(morning, afternoon))) == []
    assert keys(replace(ASKED, agendas=(morning,))) == [("outside-availability", "error")]


def test_an_agenda_of_another_thing_does_not_count() -> None:
    room = agenda("r", ("Location/room", "Practitioner/p"), NOON + 8 * HOUR)

    assert keys(replace(ASKED, agendas=(agenda(), room))) == []


def test_what_is_agreed_is_busy_for_good_and_what_is_asked_lapses() -> None:
    [held] = booking.holds(ASKED, now=NOW, hold=HOUR)
    [late] = booking.holds(ASKED, now=NOON - MINUTE, hold=HOUR)
    [taken] = booking.holds(DECLARED, now=NOW, hold=HOUR)

    assert (held.kind, held.until) == ("busy-tentative", NOW + HOUR)
    assert late.until == NOON
    assert (taken.kind, taken.until) == ("busy", None)


@pytest.mark.parametrize("status", ["cancelled", "noshow", "waitlist", "entered-in-error"])
def test_other_statuses_take_no_time(status: str) -> None:
    assert booking.holds(replace(DECLARED, status=status), now=NOW, hold=HOUR) == ()


def test_the_slots_named_go_with_the_things_of_their_agenda() -> None:
    cells = [
        Cell("a", NOON, NOON + 15 * MINUTE, "s|c"),
        Cell("a", NOON + 15 * MINUTE, NOON + 30 * MINUTE, "s|c"),
    ]
    wish = replace(
        DECLARED,
        end=NOON + 30 * MINUTE,
        cells=tuple((agenda(), cell) for cell in cells),
        things=("Location/room", "Practitioner/p"),
        company=("Patient/1",),
    )

    held = {one.thing: one.slot for one in booking.holds(wish, now=NOW, hold=HOUR)}

    assert held == {"Location/room": "", "Practitioner/p": f"{cells[0].id} {cells[1].id}", "Patient/1": ""}


def test_the_capacity_is_that_of_the_agenda() -> None:
    group = replace(agenda(), capacity=8)

    [held] = booking.holds(replace(DECLARED, agendas=(group,)), now=NOW, hold=HOUR)

    assert held.capacity == 8


def test_remarks_never_refuse() -> None:
    alone = replace(DECLARED, people=1, agendas=(), things=())

    assert keys(alone) == [("fewer-than-two-participants", "information"), ("no-agenda", "information")]


def test_a_cancellation_is_not_judged_on_its_time() -> None:
    assert keys(replace(DECLARED, status="cancelled", start=NOON - HOUR, end=NOON)) == []

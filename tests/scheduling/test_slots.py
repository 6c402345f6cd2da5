"""Slots: the grid, the ids, the status, what an agenda covers (GAP §10; TV-4, TV-8 of §21)."""

from __future__ import annotations

import re
import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creneau.scheduling import civil
from creneau.scheduling.availability import ALWAYS
from creneau.scheduling.intervals import Interval
from creneau.scheduling.recurrence import Recurrence
from creneau.scheduling.slots import (
    AGENDA_ID_LONGEST,
    Cell,
    Service,
    Spoken,
    cells,
    closed_over,
    covers,
    find_cell,
    fits,
    own_cell,
    own_slot_id,
    read_slot_id,
    slot_id,
    status_of,
    statuses,
)
from tests.scheduling.made import (
    DAY,
    HOUR,
    MINUTE,
    PARIS,
    SATURDAY,
    WEEKDAYS,
    agenda,
    at,
    between,
    closure,
    opening,
    shown,
)

MARCH_10 = between((2026, 3, 10), (2026, 3, 11))
OFFICE = opening((2026, 3, 2, 8), (2026, 3, 2, 12), Recurrence("DAILY"))
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")

AGENDA_IDS = st.text("ABYZabyz0189-.", min_size=1, max_size=AGENDA_ID_LONGEST)
STARTS = st.integers(civil.EARLIEST // 10**6, civil.LATEST // 10**6).map(lambda seconds: seconds * 10**6)


def clock(found: list[Cell]) -> list[str]:
    return [shown(cell.start)[11:] for cell in found]


class TestGrid:
    def test_cells_last_as_long_as_the_service_from_the_start_of_the_opening(self) -> None:
        office = agenda(
            opening((2019, 1, 4, 9), (2019, 1, 4, 10)), services=(Service("suivi", 15 * MINUTE),)
        )  # TV-4

        found = list(cells(office, between((2019, 1, 4), (2019, 1, 5))))

        assert clock(found) == ["09:00", "09:15", "09:30", "09:45"]
        assert found[1] == Cell("agenda", at(2019, 1, 4, 9, 15), at(2019, 1, 4, 9, 30), "suivi")

    def test_a_cell_is_wholly_inside_its_opening(self) -> None:
        office = agenda(opening((2026, 3, 10, 8), (2026, 3, 10, 9, 50)), minutes=30)

        assert clock(list(cells(office, MARCH_10))) == ["08:00", "08:30", "09:00"]

    def test_the_grid_begins_again_after_a_closure(self) -> None:
        office = agenda(OFFICE, closure((2026, 3, 10, 9, 10), (2026, 3, 10, 10, 40)), minutes=30)

        assert clock(list(cells(office, MARCH_10))) == ["08:00", "08:30", "10:40", "11:10"]

    def test_each_service_has_its_own_grid(self) -> None:
        services = (Service("a", 60 * MINUTE), Service("b", 90 * MINUTE))
        office = agenda(OFFICE, services=services)

        found = list(cells(office, MARCH_10))
        only = list(cells(office, MARCH_10, "b"))

        assert clock([one for one in found if one.service == "a"]) == ["08:00", "09:00", "10:00", "11:00"]
        assert clock(only) == ["08:00", "09:30"] and only == [one for one in found if one.service == "b"]
        assert list(cells(office, MARCH_10, "c")) == []

    @settings(max_examples=100, deadline=None)
    @given(st.integers(0, 3 * 1440), st.integers(1, 2 * 1440), st.sampled_from([7, 15, 20, 45, 61]))
    def test_a_window_shows_the_cells_that_start_in_it_and_moves_none(
        self, start: int, length: int, minutes: int
    ) -> None:
        office = agenda(
            OFFICE,
            opening((2026, 3, 2, 21), (2026, 3, 3, 5), Recurrence("DAILY")),
            closure((2026, 3, 10, 9, 10), (2026, 3, 10, 10, 40)),
            minutes=minutes,
        )
        window = Interval(at(2026, 3, 9) + start * MINUTE, at(2026, 3, 9) + (start + length) * MINUTE)
        everything = cells(office, between((2026, 3, 8), (2026, 3, 16)))

        found = list(cells(office, window))

        assert found == [one for one in everything if window.start <= one.start < window.end]
        assert all(covers(office, one.start, one.end) for one in found)

    def test_nothing_is_offered_outside_the_horizon_nor_by_an_inactive_agenda(self) -> None:
        until_nine = agenda(OFFICE, horizon=Interval(at(2026, 1, 1), at(2026, 3, 10, 9)), minutes=30)
        inactive = agenda(OFFICE, active=False)
        nine = between((2026, 3, 10, 9), (2026, 3, 10, 9, 15))

        assert clock(list(cells(until_nine, MARCH_10))) == ["08:00", "08:30"]
        assert not covers(until_nine, at(2026, 3, 10, 8, 45), at(2026, 3, 10, 9, 15))
        assert list(cells(inactive, MARCH_10)) == []
        assert not covers(inactive, *nine)
        assert find_cell(inactive, slot_id("agenda", nine.start, "")) is None

    @pytest.mark.parametrize(
        ("day", "quarters"), [((2027, 3, 28), 92), ((2027, 3, 29), 96), ((2027, 10, 31), 100)]
    )
    def test_a_day_of_23_or_25_hours_has_its_quarters_each_with_its_id(
        self, day: tuple[int, int, int], quarters: int
    ) -> None:
        office = agenda(opening((2026, 1, 1), (2026, 1, 2), Recurrence("DAILY")))
        window = Interval(at(*day), civil.instant(civil.moment(at(*day), PARIS).local + DAY, PARIS))

        found = list(cells(office, window))

        assert len({cell.id for cell in found}) == len(found) == quarters
        assert all(find_cell(office, cell.id) == cell for cell in found)

    def test_nine_is_nine_overseas(self) -> None:
        noumea = ZoneInfo("Pacific/Noumea")
        office = agenda(
            opening((2026, 1, 5, 9), (2026, 1, 5, 10), Recurrence("DAILY"), zone=noumea), zone=noumea
        )

        found = list(cells(office, between((2026, 7, 1), (2026, 7, 2), zone=noumea)))

        assert shown(found[0].start, noumea) == "2026-07-01 09:00"
        assert found[0].start == at(2026, 6, 30, 22, zone=ZoneInfo("UTC"))


class TestIds:
    @given(AGENDA_IDS, STARTS, st.text(max_size=80))
    def test_a_slot_id_is_a_fhir_id_and_says_its_agenda_and_start(
        self, id: str, start: int, service: str
    ) -> None:
        made = slot_id(id, start, service)

        found = read_slot_id(made)

        assert FHIR_ID.fullmatch(made)
        assert found and (found.agenda, found.start, found.tag[0]) == (id, start, "s")
        assert own_cell(made) is None

    @given(AGENDA_IDS, STARTS, st.integers(1, 366 * 86_400))
    def test_the_id_of_an_appointment_s_time_says_it_whole(self, id: str, start: int, seconds: int) -> None:
        made = own_slot_id(id, start, start + seconds * 10**6)

        found = own_cell(made)

        assert FHIR_ID.fullmatch(made)
        assert found == Cell(id, start, start + seconds * 10**6, None)
        assert found.id == made

    @given(st.text("0123456789.sxT-", max_size=40) | st.text(max_size=20))
    def test_any_other_text_is_no_slot_id(self, text: str) -> None:
        found = read_slot_id(text)

        assert found is None or text.endswith("." + found.tag)
        assert own_cell(text) is None or text == own_cell(text).id  # type: ignore[union-attr]  # not None here

    @pytest.mark.parametrize(
        "text",
        [
            "agenda.20260230080000.s0000000",
            "agenda.20261301080000.s0000000",
            "agenda.20260310240000.s0000000",
            "agenda.20260310086000.s0000000",
            "agenda.20260310080060.s0000000",
            "agenda.00000310080000.s0000000",
            "agenda.20260310080000.z0000000",
            "agenda.20260310080000.s000000",
            "agenda.2026031008000٠.s0000000",
            "a" * 41 + ".20260310080000.s0000000",
            ".20260310080000.s0000000",
        ],
    )
    def test_what_looks_like_a_slot_id_and_is_none(self, text: str) -> None:
        assert read_slot_id(text) is None
        assert find_cell(agenda(OFFICE), text) is None

    @given(st.sets(st.text(max_size=30), min_size=2, max_size=20))
    def test_services_do_not_share_ids(self, services: set[str]) -> None:
        assert len({slot_id("agenda", 0, service) for service in services}) == len(services)

    def test_ids_are_stable_and_readable(self) -> None:
        made = slot_id("0199-agenda", at(2026, 3, 10, 9, 15), "http://example.org/service|1")

        assert made == "0199-agenda.20260310081500.s7t0lntw"
        assert own_slot_id("a", 0, 15 * MINUTE) == "a.19700101000000.x00000p0"

    def test_a_cell_is_found_by_its_id_past_or_to_come(self) -> None:
        office = agenda(OFFICE, services=(Service("a", 15 * MINUTE), Service("b", 20 * MINUTE)))
        window = between((2026, 3, 2), (2026, 3, 9))

        assert all(find_cell(office, cell.id) == cell for cell in cells(office, window))

    def test_a_cell_that_is_not_or_no_longer_in_the_grid_is_not_found(self) -> None:
        office = agenda(OFFICE)
        eight = at(2026, 3, 10, 8)

        assert find_cell(office, slot_id("agenda", eight, "")) == Cell(
            "agenda", eight, eight + 15 * MINUTE, ""
        )
        assert find_cell(office, slot_id("agenda", eight + MINUTE, "")) is None
        assert find_cell(office, slot_id("agenda", at(2026, 3, 10, 12), "")) is None
        assert find_cell(office, slot_id("agenda", eight, "other")) is None
        assert find_cell(office, slot_id("another", eight, "")) is None
        assert find_cell(office, own_slot_id("agenda", eight, eight + HOUR)) is None
        assert (
            find_cell(agenda(OFFICE, closure((2026, 3, 10), (2026, 3, 11))), slot_id("agenda", eight, ""))
            is None
        )


class TestStatus:
    CELL = Cell("agenda", 100, 200, "")

    @pytest.mark.parametrize(
        ("taken", "expected"),
        [
            ([], "free"),
            ([Spoken(0, 100, "busy"), Spoken(200, 300, "busy")], "free"),
            ([Spoken(199, 300, "busy")], "busy"),
            ([Spoken(0, 101, "busy-tentative")], "busy-tentative"),
            ([Spoken(0, 150, "busy-tentative"), Spoken(150, 300, "busy")], "busy"),
        ],
    )
    def test_a_cell_is_taken_by_what_overlaps_it(self, taken: list[Spoken], expected: str) -> None:
        assert status_of(self.CELL, taken) == expected

    def test_one_busy_actor_is_enough(self) -> None:  # TV-8
        nurse_elsewhere = [Spoken(150, 250, "busy", "Practitioner/nurse")]

        assert status_of(self.CELL, nurse_elsewhere) == "busy"

    @pytest.mark.parametrize(
        ("taken", "expected"),
        [
            ([Spoken(100, 200, "busy", "group")], "free"),
            ([Spoken(100, 150, "busy", "group"), Spoken(150, 200, "busy", "group")], "free"),
            ([Spoken(100, 200, "busy", "group"), Spoken(150, 160, "busy", "group")], "busy"),
            (
                [Spoken(100, 200, "busy", "group"), Spoken(150, 160, "busy-tentative", "group")],
                "busy-tentative",
            ),
            ([Spoken(100, 200, "busy", "group"), Spoken(100, 200, "busy", "other")], "free"),
            ([Spoken(0, 400, "busy", "group"), Spoken(0, 400, "busy", "group")], "busy"),
        ],
    )
    def test_with_a_capacity_of_two_the_second_at_once_fills_it(
        self, taken: list[Spoken], expected: str
    ) -> None:
        assert status_of(self.CELL, taken, 2) == expected

    @settings(max_examples=200)
    @given(
        st.lists(st.tuples(st.integers(0, 3 * 24), st.integers(1, 60)), max_size=12),
        st.lists(
            st.tuples(
                st.integers(0, 3 * 24), st.integers(1, 60), st.sampled_from(["busy", "busy-tentative"])
            ),
            max_size=12,
        ),
        st.integers(1, 3),
    )
    def test_many_cells_together_have_the_status_of_each(
        self, hours: list[tuple[int, int]], takes: list[tuple[int, int, str]], capacity: int
    ) -> None:
        found = [Cell("agenda", start * HOUR, (start + length) * HOUR, "") for start, length in hours]
        taken = [Spoken(start * HOUR, (start + length) * HOUR, kind, "x") for start, length, kind in takes]

        together = list(statuses(found, taken, capacity))

        assert together == [(cell, status_of(cell, taken, capacity)) for cell in found]


class TestCoversAndFits:
    def test_time_is_covered_across_openings_that_touch(self) -> None:
        office = agenda(
            opening((2026, 3, 10, 8), (2026, 3, 10, 10)), opening((2026, 3, 10, 10), (2026, 3, 10, 12))
        )

        assert covers(office, at(2026, 3, 10, 9), at(2026, 3, 10, 11))
        assert covers(office, at(2026, 3, 10, 8), at(2026, 3, 10, 12))
        assert not covers(office, at(2026, 3, 10, 7, 59), at(2026, 3, 10, 9))
        assert not covers(office, at(2026, 3, 10, 11), at(2026, 3, 10, 12, 1))
        assert not covers(office, at(2026, 3, 10, 9), at(2026, 3, 10, 9))

    def test_time_is_closed_over_when_it_was_open_and_is_not_any_more(self) -> None:
        before = agenda(opening((2026, 3, 10, 8), (2026, 3, 10, 12)))
        after = agenda(opening((2026, 3, 10, 10), (2026, 3, 10, 14)))

        def closed(hour: int, until: int) -> bool:
            return closed_over(before, after, at(2026, 3, 10, hour), at(2026, 3, 10, until))

        assert closed(8, 9)
        assert closed(9, 11)
        assert not closed(10, 12)
        assert not closed(11, 13)
        assert not closed(12, 14)

    def test_a_closure_uncovers(self) -> None:
        office = agenda(OFFICE, closure((2026, 3, 10, 9), (2026, 3, 10, 9, 30)))

        assert not covers(office, at(2026, 3, 10, 8, 45), at(2026, 3, 10, 9, 15))
        assert covers(office, at(2026, 3, 10, 9, 30), at(2026, 3, 10, 10))

    @pytest.mark.parametrize(
        ("service", "minutes", "fitting"),
        [
            ("a", 15, True),
            ("a", 30, True),
            ("a", 20, False),
            ("a", 0, False),
            ("a", -15, False),
            (None, 20, True),
            (None, 15, True),
            (None, 25, False),
            ("unknown", 40, True),
            ("unknown", 50, False),
        ],
    )
    def test_a_duration_fits_when_it_is_one_or_several_of_the_service(
        self, service: str | None, minutes: int, fitting: bool
    ) -> None:
        office = agenda(OFFICE, services=(Service("a", 15 * MINUTE), Service("b", 20 * MINUTE)))

        assert fits(office, service, 0, minutes * MINUTE) is fitting


def test_25_agendas_of_three_days_with_closures_cost_a_few_milliseconds() -> None:
    agendas = [
        agenda(
            opening((2020, 1, 6, 8), (2020, 1, 6, 12), Recurrence("WEEKLY", by_day=WEEKDAYS)),
            opening((2020, 1, 6, 14), (2020, 1, 6, 18, 30), Recurrence("WEEKLY", by_day=WEEKDAYS)),
            opening((2020, 1, 11, 9), (2020, 1, 11, 12), Recurrence("WEEKLY", 2, by_day=(SATURDAY,))),
            closure((2020, 1, 1), (2020, 1, 2), Recurrence("YEARLY")),
            closure((2026, 3, 11, 10), (2026, 3, 11, 11)),
        )
        for _ in range(25)
    ]
    window = between((2026, 3, 10, 8), (2026, 3, 13, 8))

    def cost() -> float:
        begun = time.process_time()
        found = sum(len(list(cells(one, window))) for one in agendas)
        assert found == 25 * (3 * 34 - 4)
        return time.process_time() - begun

    assert (
        min(cost() for _ in range(7)) < 0.02
    )  # 2 ms measured; ten times that on a loaded machine is still no accident


def test_the_default_horizon_is_the_whole_calendar() -> None:
    assert agenda(OFFICE).horizon == ALWAYS

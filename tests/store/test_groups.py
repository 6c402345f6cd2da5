"""Group commit of the SQLite store: plans committed together stay apart (design, "The store")."""

from __future__ import annotations

import asyncio

import pytest

from creneau.store.contract import AlreadyTaken, Claim, StoreUnavailable
from creneau.store.guard import Guard
from creneau.store.sqlite import open_sqlite
from creneau.store.writer import WAITING

from .checks import double_bookings
from .made import DAWN, DOCTOR, ROOM, appointment, at, plan, put, rows, schedule, take

NINE = (at(9), at(9, 30))


async def together(store, plans):
    """The outcome of each plan, all submitted before any is answered."""
    return await asyncio.gather(*(store.commit(each) for each in plans), return_exceptions=True)


def test_a_refused_plan_among_accepted_ones_is_the_only_one_not_written(sqlite, run):
    run(sqlite.commit(plan(schedule("martin", DOCTOR))))
    plans = [plan(appointment(f"a{n}", take(at(n), at(n + 1)), claims=(str(n),))) for n in range(20)]
    plans.insert(10, plan(appointment("late", take(at(5), at(6)), claims=("late",))))

    outcomes = run(together(sqlite, plans))

    assert [type(each) for each in outcomes if each != ()] == [AlreadyTaken]
    assert isinstance(outcomes[10], AlreadyTaken)
    assert run(sqlite.get("Appointment", "late")) is None
    assert run(sqlite.holder("Appointment", Claim("urn:rdv", "late"))) is None
    assert len(run(sqlite.taken([DOCTOR], at(0), at(24), now=DAWN))) == 20


def test_a_plan_that_breaks_the_writer_fails_alone(sqlite, run):
    plans = [plan(put("Patient", f"p{n}")) for n in range(9)]
    plans.insert(4, plan(put("Patient", "good", rows=rows("good")), put("Patient", "bad", updated=2**80)))

    outcomes = run(together(sqlite, plans))

    assert [n for n, each in enumerate(outcomes) if each != ()] == [4]
    assert isinstance(outcomes[4], OverflowError)
    assert run(sqlite.get("Patient", "good")) is None
    assert run(sqlite.alone(lambda c: c.execute("SELECT id FROM token").fetchall())) == []
    assert all(run(sqlite.get("Patient", f"p{n}")) for n in range(9))


def test_versions_of_one_resource_committed_in_one_group_follow_each_other(sqlite, run):
    plans = [
        plan(put("Patient", "p", 1, rows=rows("one"))),
        plan(put("Patient", "p", 2, rows=rows("two"), former_rows=rows("one"))),
        plan(put("Patient", "p", 3, rows=rows("one"), former_rows=rows("two"))),
    ]

    outcomes = run(together(sqlite, plans))

    assert outcomes == [(), (), ()]
    assert run(sqlite.alone(lambda c: c.execute("SELECT code FROM token").fetchall())) == [("one",)]


@pytest.mark.parametrize("rivals", [64])
def test_of_rivals_for_one_time_exactly_one_wins_round_after_round(sqlite, run, rivals):
    run(sqlite.commit(plan(schedule("martin", DOCTOR), schedule("salle", ROOM))))

    for hour in range(20):
        start = at(hour)
        plans = [
            plan(
                appointment(
                    f"{hour}-{n}",
                    take(start + n, start + n + 9, thing=(DOCTOR, ROOM)[n % 2]),
                    take(*_span(hour)),
                )
            )
            for n in range(rivals)
        ]
        outcomes = run(together(sqlite, plans))
        assert outcomes.count(()) == 1

    assert double_bookings(sqlite.path, DAWN) == []


def _span(hour):
    return at(hour), at(hour, 30)


def test_without_the_guard_the_same_race_books_twice_and_the_check_sees_it(tmp_path, run, monkeypatch):
    monkeypatch.setattr(Guard, "_free", lambda *_: None)
    store = open_sqlite(tmp_path / "naive.sqlite")
    run(store.commit(plan(schedule("martin", DOCTOR))))

    outcomes = run(together(store, [plan(appointment(str(n), take(*NINE))) for n in range(8)]))
    found = double_bookings(store.path, DAWN)
    run(store.close())

    assert outcomes == [()] * 8
    assert found == [(DOCTOR, NINE[0])]


def test_what_was_accepted_is_committed_before_the_store_closes(tmp_path, run):
    async def close_while_writing():
        store = open_sqlite(tmp_path / "creneau.sqlite")
        tasks = [asyncio.create_task(store.commit(plan(put("Patient", f"p{n}")))) for n in range(700)]
        await asyncio.sleep(0)
        await store.close()
        return await asyncio.gather(*tasks)

    assert run(close_while_writing()) == [()] * 700

    store = open_sqlite(tmp_path / "creneau.sqlite", create=False)
    assert all(run(store.get("Patient", f"p{n}")) for n in range(700))
    run(store.close())


def test_more_plans_than_may_wait_are_refused_at_once_and_later_accepted(sqlite, run):
    outcomes = run(together(sqlite, [plan(put("Patient", f"p{n}")) for n in range(WAITING + 10)]))

    assert [type(each) for each in outcomes if each != ()] == [StoreUnavailable] * 10
    assert run(sqlite.ready())
    run(sqlite.commit(plan(put("Patient", "again"))))


def test_a_caller_that_gave_up_harms_nobody(sqlite, run):
    async def give_up():
        gone = asyncio.create_task(sqlite.commit(plan(put("Patient", "gone"))))
        await asyncio.sleep(0)
        gone.cancel()
        await sqlite.commit(plan(put("Patient", "here")))

    run(give_up())

    assert run(sqlite.get("Patient", "gone")).version == 1
    assert run(sqlite.get("Patient", "here")).version == 1

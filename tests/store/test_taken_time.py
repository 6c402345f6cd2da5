"""Taken time: no two appointments hold one thing that owns an agenda at one time (invariant 1, DEC-06, DEC-08, REL-03, REL-05)."""

import pytest

from creneau.store.contract import DAY, AlreadyTaken, Moved

from .made import DAWN, DOCTOR, HOUR, ROOM, appointment, at, deletion, plan, schedule, take

NINE = (at(9), at(9, 30))


@pytest.fixture
def agenda(store, run):
    """The store, where the doctor and the room own an agenda."""
    run(store.commit(plan(schedule("martin", DOCTOR), schedule("salle", ROOM))))
    return store


def taken(store, run, *things, now=DAWN):
    found = run(store.taken(things or (DOCTOR,), at(0), at(24), now=now))
    return [(held.appointment, held.take.start, held.take.end) for held in found]


def refuse(store, run, *puts, now=DAWN):
    """The refusal of a plan: which put, which thing, which interval."""
    with pytest.raises(AlreadyTaken) as refused:
        run(store.commit(plan(*puts, now=now)))
    return refused.value.put, refused.value.thing, refused.value.start, refused.value.end


def test_taken_time_is_read_back_as_it_was_committed(agenda, run):
    hold = take(*NINE, kind="busy-tentative", until=at(20), slot="cell", capacity=3)
    room = take(*NINE, thing=ROOM)

    run(agenda.commit(plan(appointment("a", hold, room))))

    assert run(agenda.taken([DOCTOR], *NINE, now=at(0))) == [(hold, "a")]
    assert run(agenda.taken([DOCTOR, ROOM, DOCTOR], *NINE, now=at(0))) == [(room, "a"), (hold, "a")]
    assert run(agenda.taken(["Device/x"], *NINE, now=at(0))) == []


def test_taken_time_is_given_by_thing_then_start_and_touching_intervals_are_left_out(agenda, run):
    run(agenda.commit(plan(appointment("late", take(at(11), at(12))), appointment("early", take(*NINE)))))

    assert taken(agenda, run) == [("early", *NINE), ("late", at(11), at(12))]
    assert run(agenda.taken([DOCTOR], at(9, 30), at(11), now=at(0))) == []


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (at(9), at(9, 30)),
        (at(9, 10), at(9, 20)),
        (at(8), at(12)),
        (at(9, 30) - 1, at(10)),
        (at(8), at(9) + 1),
    ],
)
def test_an_overlap_of_one_microsecond_or_more_is_refused(agenda, run, start, end):
    run(agenda.commit(plan(appointment("a", take(*NINE)))))

    assert refuse(agenda, run, appointment("b", take(start, end))) == (0, DOCTOR, *NINE)
    assert taken(agenda, run) == [("a", *NINE)]


def test_touching_intervals_are_both_accepted(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE)))))

    run(agenda.commit(plan(appointment("after", take(at(9, 30), at(10))))))
    run(agenda.commit(plan(appointment("before", take(at(8), at(9))))))

    assert [held for held, *_ in taken(agenda, run)] == ["before", "a", "after"]


def test_one_taken_thing_of_several_refuses_the_whole_plan(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE, thing=ROOM)))))

    assert refuse(agenda, run, appointment("b", take(*NINE), take(*NINE, thing=ROOM))) == (0, ROOM, *NINE)
    assert taken(agenda, run) == []


def test_the_refusal_names_the_put_and_the_first_taken_stretch(agenda, run):
    run(agenda.commit(plan(appointment("x", take(at(10), at(11))), appointment("y", take(at(9), at(10))))))

    answer = refuse(
        agenda, run, appointment("fine", take(at(8), at(9))), appointment("b", take(at(9, 30), at(12)))
    )

    assert answer == (1, DOCTOR, at(9), at(10))


def test_a_hold_counts_until_it_lapses(agenda, run):
    run(agenda.commit(plan(appointment("hold", take(*NINE, kind="busy-tentative", until=at(5))))))

    assert refuse(agenda, run, appointment("b", take(*NINE)), now=at(5) - 1) == (0, DOCTOR, *NINE)
    assert taken(agenda, run, now=at(5) - 1) == [("hold", *NINE)]
    assert taken(agenda, run, now=at(5)) == []
    run(agenda.commit(plan(appointment("b", take(*NINE)), now=at(5))))


def test_a_lapsed_hold_cannot_be_confirmed_once_its_time_was_given_away(agenda, run):
    run(agenda.commit(plan(appointment("hold", take(*NINE, kind="busy-tentative", until=at(5))))))
    run(agenda.commit(plan(appointment("b", take(*NINE)), now=at(6))))

    assert refuse(agenda, run, appointment("hold", take(*NINE), version=2), now=at(7)) == (0, DOCTOR, *NINE)


def test_a_lapsed_hold_can_be_confirmed_while_its_time_is_free(agenda, run):
    run(agenda.commit(plan(appointment("hold", take(*NINE, kind="busy-tentative", until=at(5))))))

    run(agenda.commit(plan(appointment("hold", take(*NINE), version=2), now=at(7))))

    assert taken(agenda, run, now=at(8)) == [("hold", *NINE)]


def test_as_many_appointments_as_the_capacity_hold_one_thing_at_once(agenda, run):
    for each in ("a", "b", "c"):
        run(agenda.commit(plan(appointment(each, take(*NINE, capacity=3)))))

    assert refuse(agenda, run, appointment("d", take(at(9, 10), at(11), capacity=3))) == (0, DOCTOR, *NINE)
    assert len(taken(agenda, run)) == 3


def test_capacity_counts_simultaneous_appointments_not_all_that_overlap(agenda, run):
    run(agenda.commit(plan(appointment("a", take(at(9), at(10), capacity=2)))))
    run(agenda.commit(plan(appointment("b", take(at(10), at(11), capacity=2)))))

    run(agenda.commit(plan(appointment("c", take(at(9), at(11), capacity=2)))))

    assert refuse(agenda, run, appointment("d", take(at(9, 59), at(10, 1), capacity=2)))[:2] == (0, DOCTOR)


def test_an_appointment_counts_once_though_it_names_two_cells_of_one_thing(agenda, run):
    twice = (take(*NINE, capacity=2, slot="one"), take(*NINE, capacity=2, slot="two"))
    run(agenda.commit(plan(appointment("a", *twice))))

    run(agenda.commit(plan(appointment("b", take(*NINE, capacity=2)))))

    assert [held for held, *_ in taken(agenda, run)] == ["a", "a", "b"]


def test_an_update_does_not_collide_with_its_own_former_time(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE)))))

    run(agenda.commit(plan(appointment("a", take(at(9, 15), at(9, 45)), version=2))))

    assert taken(agenda, run) == [("a", at(9, 15), at(9, 45))]


def test_an_update_does_not_collide_with_the_time_that_it_keeps(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE, slot="one")))))

    longer = take(at(9), at(10), slot="two")
    run(agenda.commit(plan(appointment("a", take(*NINE, slot="one"), longer, version=2))))

    assert taken(agenda, run) == [("a", *NINE), ("a", at(9), at(10))]


def test_an_update_that_moves_onto_another_is_refused_and_keeps_its_time(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE)), appointment("b", take(at(10), at(11))))))

    assert refuse(agenda, run, appointment("a", take(at(9), at(10, 30)), version=2)) == (
        0,
        DOCTOR,
        at(10),
        at(11),
    )
    assert taken(agenda, run) == [("a", *NINE), ("b", at(10), at(11))]


def test_an_update_without_time_frees_it(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE)))))

    run(agenda.commit(plan(appointment("a", version=2))))
    run(agenda.commit(plan(appointment("b", take(*NINE)))))

    assert taken(agenda, run) == [("b", *NINE)]


def test_a_deletion_frees_the_time(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE)))))

    run(agenda.commit(plan(deletion("Appointment", "a", 2))))

    assert taken(agenda, run) == []


def test_time_that_the_appointment_held_is_not_checked_again(store, run):
    run(store.commit(plan(appointment("a", take(*NINE)), appointment("b", take(*NINE)))))
    run(store.commit(plan(schedule("martin", DOCTOR))))

    run(store.commit(plan(appointment("a", take(at(9), at(9, 20)), version=2))))

    assert refuse(store, run, appointment("b", take(at(9), at(9, 31)), version=2))[0] == 0


def test_one_plan_frees_time_and_gives_it_to_another_in_either_order(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE)))))

    run(agenda.commit(plan(appointment("b", take(*NINE)), appointment("a", version=2))))
    run(agenda.commit(plan(appointment("b", version=2), appointment("a", take(*NINE), version=3))))

    assert taken(agenda, run) == [("a", *NINE)]


def test_two_appointments_swap_their_times_in_one_plan(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE)), appointment("b", take(at(10), at(11))))))

    run(
        agenda.commit(
            plan(appointment("a", take(at(10), at(11)), version=2), appointment("b", take(*NINE), version=2))
        )
    )

    assert taken(agenda, run) == [("b", *NINE), ("a", at(10), at(11))]


def test_two_puts_of_one_plan_cannot_take_one_time(agenda, run):
    assert refuse(agenda, run, appointment("a", take(*NINE)), appointment("b", take(*NINE))) == (
        1,
        DOCTOR,
        *NINE,
    )
    assert taken(agenda, run) == []


def test_a_put_cannot_take_the_time_that_a_later_put_of_the_plan_keeps(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE)))))

    answer = refuse(agenda, run, appointment("b", take(*NINE)), appointment("a", take(*NINE), version=2))

    assert answer == (0, DOCTOR, *NINE)


def test_things_without_agenda_are_kept_and_not_checked(store, run):
    run(store.commit(plan(appointment("a", take(*NINE)))))
    run(store.commit(plan(appointment("b", take(*NINE)))))

    assert taken(store, run) == [("a", *NINE), ("b", *NINE)]


def test_time_taken_before_the_thing_owned_an_agenda_counts_afterwards(store, run):
    run(store.commit(plan(appointment("a", take(*NINE)))))
    run(store.commit(plan(schedule("martin", DOCTOR))))

    assert refuse(store, run, appointment("b", take(*NINE))) == (0, DOCTOR, *NINE)


def test_an_agenda_of_the_same_plan_counts_wherever_it_stands(store, run):
    puts = (appointment("a", take(*NINE)), appointment("b", take(*NINE)), schedule("martin", DOCTOR))

    assert refuse(store, run, *puts) == (1, DOCTOR, *NINE)


def test_a_thing_is_unguarded_once_its_last_agenda_is_gone(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE)), schedule("second", DOCTOR))))
    run(agenda.commit(plan(deletion("Schedule", "martin", 2))))
    assert refuse(agenda, run, appointment("b", take(*NINE)))[0] == 0

    run(agenda.commit(plan(schedule("second", ROOM, version=2), appointment("b", take(*NINE)))))

    assert [held for held, *_ in taken(agenda, run)] == ["a", "b"]


def test_agendas_are_given_for_the_things_that_own_one(agenda, run):
    run(agenda.commit(plan(schedule("autre", DOCTOR, "Device/x"))))

    found = run(agenda.agendas([DOCTOR, "Device/x", "Location/site", ROOM]))
    run(agenda.commit(plan(schedule("autre", version=2), deletion("Schedule", "salle", 2))))

    assert found == {DOCTOR: ["autre", "martin"], "Device/x": ["autre"], ROOM: ["salle"]}
    assert run(agenda.agendas([DOCTOR, "Device/x", ROOM])) == {DOCTOR: ["martin"]}


@pytest.mark.parametrize("length", [DAY - 1, DAY, DAY + 1, 30 * DAY])
def test_long_intervals_are_found_from_their_last_microsecond(agenda, run, length):
    start, end = at(0) - length, at(0)
    run(agenda.commit(plan(appointment("long", take(start, end)))))

    assert refuse(agenda, run, appointment("b", take(end - 1, end + HOUR))) == (0, DOCTOR, start, end)
    run(agenda.commit(plan(appointment("after", take(end, end + HOUR)))))
    assert [h.appointment for h in run(agenda.taken([DOCTOR], end - 1, end, now=at(0)))] == ["long"]


def test_long_intervals_are_given_in_their_place_among_the_others(agenda, run):
    long = take(at(0) - 2 * DAY, at(1))
    run(
        agenda.commit(plan(appointment("a", take(*NINE), take(*NINE, thing=ROOM)), appointment("long", long)))
    )

    found = run(agenda.taken([DOCTOR, ROOM], at(0), at(24), now=DAWN))

    assert [(held.appointment, held.take.thing) for held in found] == [
        ("a", ROOM),
        ("long", DOCTOR),
        ("a", DOCTOR),
    ]


def test_a_long_interval_meets_what_lies_within_it(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE)))))

    assert refuse(agenda, run, appointment("long", take(at(0) - 3 * DAY, at(0) + 3 * DAY))) == (
        0,
        DOCTOR,
        *NINE,
    )


def test_a_stale_version_is_told_before_taken_time(agenda, run):
    run(agenda.commit(plan(appointment("a", take(*NINE)), appointment("b"))))

    with pytest.raises(Moved):
        run(agenda.commit(plan(appointment("b", take(*NINE)))))


@pytest.mark.parametrize("bad", [take(at(9), at(9)), take(at(10), at(9)), take(*NINE, capacity=0)])
def test_time_without_length_or_capacity_never_reaches_the_rows(agenda, run, bad):
    with pytest.raises(ValueError):
        run(agenda.commit(plan(appointment("a", bad))))

    assert run(agenda.get("Appointment", "a")) is None

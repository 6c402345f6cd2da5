"""What a deletion may not leave behind, whatever was written since the flow looked (GAP-RG-03, C-28, REL-22)."""

import asyncio

import pytest

from creneau.store.contract import DAY, Moved, Seen, StillBooked, StillReferred

from .made import DAWN, DOCTOR, NONE, ROOM, appointment, at, deletion, plan, put, rows, schedule, take

WHO = (("PractitionerRole", "practitioner"), ("Appointment", "actor"))
TO_MARTIN = ("practitioner", "Practitioner", "martin")
NINE = (at(9), at(9, 30))


@pytest.fixture
def doctor(store, run):
    """The store, with the doctor in it."""
    run(store.commit(plan(put("Practitioner", "martin"))))
    return store


def gone(version=2, **more):
    return deletion("Practitioner", "martin", version, unreferenced=WHO, **more)


def role(version=1, *links, former=NONE):
    return put("PractitionerRole", "r", version, rows=rows("r", *links), former_rows=former)


def closing(id, version=2, **more):
    return deletion("Schedule", id, version, unbooked=True, **more)


def booked(store, run, *puts, now=DAWN):
    with pytest.raises(StillBooked) as refused:
        run(store.commit(plan(*puts, now=now)))
    return refused.value.put, refused.value.appointment


def test_what_nothing_refers_to_is_deleted(doctor, run):
    run(
        doctor.commit(
            plan(role(1, ("location", "Location", "martin"), ("practitioner", "Practitioner", "x")))
        )
    )

    run(doctor.commit(plan(gone())))

    assert run(doctor.get("Practitioner", "martin")).deleted


def test_a_live_resource_that_refers_to_it_keeps_it(doctor, run):
    run(doctor.commit(plan(role(1, TO_MARTIN))))

    with pytest.raises(StillReferred) as refused:
        run(doctor.commit(plan(put("Patient", "p"), gone())))

    assert (refused.value.put, refused.value.type, refused.value.id) == (1, "PractitionerRole", "r")
    assert run(doctor.get("Practitioner", "martin")).version == 1
    assert run(doctor.get("Patient", "p")) is None


def test_a_link_that_was_taken_away_keeps_nothing(doctor, run):
    run(doctor.commit(plan(role(1, TO_MARTIN))))
    run(doctor.commit(plan(role(2, former=rows("r", TO_MARTIN)))))

    run(doctor.commit(plan(gone())))

    assert run(doctor.get("Practitioner", "martin")).deleted


def test_the_plan_itself_may_take_the_last_link_away(doctor, run):
    run(doctor.commit(plan(role(1, TO_MARTIN))))

    run(doctor.commit(plan(gone(), role(2, former=rows("r", TO_MARTIN)))))

    assert run(doctor.get("Practitioner", "martin")).deleted


def test_a_put_of_the_plan_may_not_refer_to_it(doctor, run):
    with pytest.raises(StillReferred):
        run(doctor.commit(plan(gone(), role(1, TO_MARTIN))))

    assert run(doctor.get("PractitionerRole", "r")) is None


def test_more_referrers_than_the_plan_writes_are_all_seen(doctor, run):
    several = [put("PractitionerRole", name, rows=rows(name, TO_MARTIN)) for name in "abc"]
    run(doctor.commit(plan(*several)))
    freed = [put("PractitionerRole", name, 2, former_rows=rows(name, TO_MARTIN)) for name in "ab"]

    with pytest.raises(StillReferred) as refused:
        run(doctor.commit(plan(gone(), *freed)))

    assert refused.value.id == "c"


@pytest.mark.parametrize("first", ["role", "deletion"])
def test_of_a_deletion_and_a_referrer_committed_together_one_holds(doctor, run, first):
    """Both wait for one group of the SQLite store: what the first wrote is seen before it is durable."""

    plans = {
        "role": plan(role(1, TO_MARTIN), seen=(Seen("Practitioner", "martin", 1),)),
        "deletion": plan(gone()),
    }
    order = [first, *(name for name in plans if name != first)]

    async def together():
        return await asyncio.gather(*(doctor.commit(plans[name]) for name in order), return_exceptions=True)

    won, lost = run(together())

    assert won == ()
    assert isinstance(lost, Moved)
    assert run(doctor.get("Practitioner", "martin")).deleted == (first == "deletion")
    assert (run(doctor.get("PractitionerRole", "r")) is None) == (first == "deletion")


def test_the_last_agenda_of_a_thing_stays_while_its_time_to_come_is_taken(store, run):
    run(store.commit(plan(schedule("martin", DOCTOR), appointment("a", take(*NINE)))))

    assert booked(store, run, closing("martin")) == (0, "a")
    assert booked(store, run, closing("martin"), now=at(9, 30) - 1) == (0, "a")
    run(store.commit(plan(closing("martin"), now=at(9, 30))))


def test_a_thing_with_another_agenda_keeps_only_the_one_whose_slots_are_named(store, run):
    named = take(*NINE, slot="other.20260528090000.s1234567 martin.20260528090000.s1234567")
    run(store.commit(plan(schedule("martin", DOCTOR), schedule("second", DOCTOR), appointment("a", named))))

    assert booked(store, run, closing("martin")) == (0, "a")
    run(store.commit(plan(closing("second"))))
    assert booked(store, run, closing("martin")) == (0, "a")


def test_two_agendas_of_a_thing_do_not_go_together_either(store, run):
    run(store.commit(plan(schedule("one", DOCTOR), schedule("two", DOCTOR), appointment("a", take(*NINE)))))

    assert booked(store, run, closing("one"), closing("two")) == (0, "a")
    run(store.commit(plan(closing("one"), schedule("two", DOCTOR, ROOM, version=2))))


def test_an_agenda_that_gives_a_thing_up_is_refused_alike(store, run):
    run(store.commit(plan(schedule("both", DOCTOR, ROOM), appointment("a", take(*NINE)))))

    assert booked(store, run, schedule("both", ROOM, version=2, unbooked=True)) == (0, "a")
    run(store.commit(plan(schedule("both", DOCTOR, version=2, unbooked=True))))


def test_a_lapsed_hold_and_a_cancelled_appointment_keep_no_agenda(store, run):
    hold = take(*NINE, kind="busy-tentative", until=at(5))
    run(
        store.commit(
            plan(schedule("martin", DOCTOR), appointment("h", hold), appointment("a", take(at(10), at(11))))
        )
    )

    assert booked(store, run, closing("martin"), appointment("a", version=2), now=at(5) - 1) == (0, "h")
    run(store.commit(plan(closing("martin"), appointment("a", version=2), now=at(5))))


def test_an_appointment_that_lasts_for_days_keeps_its_agenda(store, run):
    run(
        store.commit(
            plan(schedule("martin", DOCTOR), appointment("long", take(at(0) - 3 * DAY, at(0) + DAY)))
        )
    )

    assert booked(store, run, closing("martin"), now=at(5)) == (0, "long")


def test_an_appointment_of_the_plan_counts(store, run):
    run(store.commit(plan(schedule("martin", DOCTOR))))

    assert booked(store, run, closing("martin"), appointment("a", take(*NINE))) == (0, "a")


def test_what_an_appointment_takes_is_given(store, run):
    one, two = take(*NINE, until=at(5)), take(*NINE, thing=ROOM)
    run(store.commit(plan(appointment("a", one, two))))

    assert run(store.takes("a")) == (two, one)
    assert run(store.takes("b")) == ()


def test_the_first_links_are_given_when_asked(doctor, run):
    run(doctor.commit(plan(*(put("PractitionerRole", name, rows=rows(name, TO_MARTIN)) for name in "bca"))))

    assert run(doctor.linked("PractitionerRole", *TO_MARTIN)) == ["a", "b", "c"]
    assert run(doctor.linked("PractitionerRole", *TO_MARTIN, 2)) == ["a", "b"]


def test_only_an_agenda_gives_things_up(store, run):
    with pytest.raises(ValueError):
        run(store.commit(plan(put("Patient", "p", unbooked=True))))

"""What a commit says of the time of things that own no agenda: a patient expected in two places (contract.Store.commit)."""

import pytest

from .made import DAWN, DOCTOR, appointment, at, plan, schedule, take

PATIENT = "Patient/1"
NINE = (at(9), at(9, 30))
MINE = take(*NINE, thing=PATIENT)


@pytest.fixture
def agenda(store, run):
    """The store, where the doctor owns an agenda and the patient has an appointment at nine."""
    run(store.commit(plan(schedule("martin", DOCTOR))))
    assert run(store.commit(plan(appointment("a", take(*NINE), MINE)))) == ()
    return store


@pytest.mark.parametrize(
    ("start", "end", "meets"),
    [
        (at(9, 15), at(9, 45), True),
        (at(8), at(9, 1), True),
        (at(9, 30), at(10), False),
        (at(8), at(9), False),
    ],
)
def test_a_commit_tells_which_unowned_time_meets_anothers(agenda, run, start, end, meets):
    new = take(start, end, thing=PATIENT)

    met = run(agenda.commit(plan(appointment("b", new))))

    assert met == ((new,) if meets else ())


def test_time_that_the_appointment_held_before_is_no_news(agenda, run):
    run(agenda.commit(plan(appointment("b", MINE))))

    assert run(agenda.commit(plan(appointment("b", MINE, version=2)))) == ()


def test_two_appointments_of_one_plan_meet(agenda, run):
    noon = take(at(12), at(13), thing=PATIENT)

    assert run(agenda.commit(plan(appointment("b", noon), appointment("c", noon)))) == (noon,)


def test_a_lapsed_hold_meets_nothing(agenda, run):
    run(agenda.commit(plan(appointment("b", take(at(12), at(13), thing=PATIENT, until=at(10))))))
    later = take(at(12), at(13), thing=PATIENT)

    assert run(agenda.commit(plan(appointment("c", later), now=at(11)))) == ()
    assert run(agenda.taken([PATIENT], at(12), at(13), now=DAWN))[0].appointment == "b"

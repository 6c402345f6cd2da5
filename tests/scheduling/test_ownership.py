"""Who is taken (`shared/design.md`): one human whatever his roles, rooms with an agenda, never a patient."""

from __future__ import annotations

from creneau.scheduling.answering import Answered, answer, outcome
from creneau.scheduling.ownership import Attendance, attending, left, owned, thing

HUMANS = {"PractitionerRole/r1": "Practitioner/p", "PractitionerRole/r2": "Practitioner/p"}


def test_two_roles_of_one_human_are_one_thing() -> None:
    coming = [
        Attendance("PractitionerRole/r1"),
        Attendance("PractitionerRole/r2"),
        Attendance("Practitioner/p"),
    ]

    assert attending(coming, HUMANS) == ("Practitioner/p",)


def test_a_role_of_nobody_known_here_stands_for_itself() -> None:
    assert thing("PractitionerRole/alone", HUMANS) == "PractitionerRole/alone"


def test_who_declined_or_is_only_informed_is_not_taken() -> None:
    coming = [
        Attendance("Practitioner/a", status="declined"),
        Attendance("Practitioner/b", required="information-only"),
        Attendance("Practitioner/c", required="optional", status="tentative"),
        Attendance(""),
    ]

    assert attending(coming, {}) == ("Practitioner/c",)


def test_patients_contacts_and_services_are_never_taken_themselves() -> None:
    everybody = ("Patient/1", "RelatedPerson/1", "HealthcareService/1", "Organization/1")

    assert [thing(one, {}) for one in everybody] == [None] * 4


def test_an_agenda_is_of_its_actors_and_of_itself_when_they_all_serve_several() -> None:
    mixed = owned("Schedule/s", ["PractitionerRole/r1", "Practitioner/p", "Location/room"], HUMANS)
    service = owned("Schedule/s", ["HealthcareService/h"], {})

    assert mixed == ("Location/room", "Practitioner/p")
    assert service == ("Schedule/s",)


def test_an_answer_in_another_role_of_the_same_human_counts() -> None:
    present = [Attendance("Patient/1"), Attendance("PractitionerRole/r1", status="needs-action")]
    given = Answered("PractitionerRole/r2", "accepted", HUMANS)

    after = answer(present, given)

    assert [one.status for one in after] == ["accepted", "accepted"]
    assert outcome("proposed", after, given, timed=True) == "booked"


def test_the_outcome_of_an_answer_follows_the_statuses() -> None:
    waiting = [
        Attendance("Practitioner/p", status="needs-action"),
        Attendance("Location/r", status="needs-action"),
    ]

    def after(status: str, before: str = "proposed", *, timed: bool = True) -> str:
        given = Answered("Practitioner/p", status, {})
        return outcome(before, answer(waiting, given), given, timed=timed)

    assert after("accepted") == "pending"
    assert after("tentative") == "pending"
    assert after("declined") == "cancelled"
    assert after("needs-action") == "proposed"
    assert after("declined", "booked") == "booked"
    assert after("accepted", timed=False) == "proposed"
    assert after("tentative", "waitlist") == "waitlist"


def test_nobody_answers_for_a_participant_without_actor() -> None:
    given = Answered("", "accepted", {})

    assert answer([Attendance("", status="needs-action")], given)[0].status == "needs-action"


def test_a_patient_who_accepts_does_not_start_the_confirmation() -> None:
    present = [
        Attendance("Patient/1", status="needs-action"),
        Attendance("Practitioner/p", status="needs-action"),
    ]
    given = Answered("Patient/1", "accepted", {})

    assert outcome("proposed", answer(present, given), given, timed=True) == "proposed"


def test_an_optional_participant_who_declines_cancels_nothing() -> None:
    present = [Attendance("Practitioner/p"), Attendance("Practitioner/q", required="optional")]
    given = Answered("Practitioner/q", "declined", {})

    assert outcome("pending", answer(present, given), given, timed=True) == "booked"


def test_a_role_and_its_human_leave_an_agenda_together() -> None:
    both = ["PractitionerRole/r1", "Practitioner/p"]

    assert left(both, "PractitionerRole/r1", HUMANS) == ()
    assert left([*both, "Location/room"], "PractitionerRole/r1", HUMANS) == ("Location/room",)


def test_a_human_stays_for_another_of_his_roles_and_for_nobody_else_s() -> None:
    actors = ["PractitionerRole/r1", "Practitioner/p", "PractitionerRole/r2"]
    humans = {**HUMANS, "PractitionerRole/q1": "Practitioner/q"}

    assert left(actors, "PractitionerRole/r1", humans) == ("Practitioner/p", "PractitionerRole/r2")
    assert left([*actors[:2], "PractitionerRole/q1"], "PractitionerRole/r1", humans) == (
        "PractitionerRole/q1",
    )


def test_any_other_actor_leaves_alone() -> None:
    actors = ["Practitioner/p", "Location/room"]

    assert left(actors, "Location/room", HUMANS) == ("Practitioner/p",)
    assert left(actors, "Practitioner/p", HUMANS) == ("Location/room",)
    assert left(["PractitionerRole/alone", "Practitioner/p"], "PractitionerRole/alone", HUMANS) == (
        "Practitioner/p",
    )

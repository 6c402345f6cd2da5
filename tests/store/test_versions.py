"""Versions: each follows the one that the plan saw, and none is ever lost (https://hl7.org/fhir/R4/http.html#versioning)."""

import pytest

from creneau.store.contract import Moved, Seen, StoreUnavailable

from .made import DAWN, MINUTE, appointment, body, deletion, plan, put, rows, schedule, take


def test_what_was_committed_is_read_back_byte_for_byte(store, run):
    run(store.commit(plan(put("Patient", "p", body='{"note":"é 1.00"}'.encode()))))

    stored = run(store.get("Patient", "p"))

    assert stored.body == '{"note":"é 1.00"}'.encode()
    assert stored[:5] == ("Patient", "p", 1, DAWN + MINUTE, "create")
    assert not stored.deleted


def test_what_was_never_written_is_none(store, run):
    assert run(store.get("Patient", "p")) is None
    assert run(store.version("Patient", "p", 1)) is None


def test_one_id_may_name_resources_of_two_types(store, run):
    run(store.commit(plan(put("Patient", "x"), put("Device", "x"))))

    assert run(store.get("Patient", "x")).body == body("Patient", "x", 1)
    assert run(store.get("Device", "x")).body == body("Device", "x", 1)


def test_every_version_stays_readable(store, run):
    for version in (1, 2, 3):
        run(store.commit(plan(put("Patient", "p", version))))

    assert [run(store.version("Patient", "p", v)).body for v in (1, 2, 3)] == [
        body("Patient", "p", v) for v in (1, 2, 3)
    ]
    assert run(store.get("Patient", "p")).version == 3


@pytest.mark.parametrize("version", [-1, 0, 4, 2**70])
def test_a_version_that_does_not_exist_is_none(store, run, version):
    run(store.commit(plan(put("Patient", "p"))))

    assert run(store.version("Patient", "p", version)) is None


@pytest.mark.parametrize("version", [1, 3])
def test_a_version_that_does_not_follow_the_current_one_is_refused(store, run, version):
    run(store.commit(plan(put("Patient", "p"))))

    with pytest.raises(Moved):
        run(store.commit(plan(put("Patient", "p", version))))

    assert run(store.get("Patient", "p")).version == 1


def test_a_first_version_needs_no_predecessor_and_a_second_does(store, run):
    with pytest.raises(Moved):
        run(store.commit(plan(put("Patient", "p", 2))))

    assert run(store.get("Patient", "p")) is None


def test_a_plan_that_saw_an_older_version_is_refused_whole(store, run):
    run(store.commit(plan(schedule("s"))))
    run(store.commit(plan(schedule("s", version=2))))

    with pytest.raises(Moved):
        run(store.commit(plan(appointment("a"), seen=(Seen("Schedule", "s", 1),))))

    assert run(store.get("Appointment", "a")) is None
    run(store.commit(plan(appointment("a"), seen=(Seen("Schedule", "s", 2),))))


def test_a_plan_that_saw_nothing_is_refused_once_there_is_something(store, run):
    run(store.commit(plan(appointment("a"), seen=(Seen("Schedule", "s", 0),))))
    run(store.commit(plan(schedule("s"))))

    with pytest.raises(Moved):
        run(store.commit(plan(appointment("b"), seen=(Seen("Schedule", "s", 0),))))


def test_two_versions_of_one_resource_in_one_plan_are_refused(store, run):
    with pytest.raises(Moved):
        run(store.commit(plan(put("Patient", "p"), put("Patient", "p", 2))))
    with pytest.raises(Moved):
        run(store.commit(plan(put("Patient", "p"), put("Patient", "p"))))

    assert run(store.get("Patient", "p")) is None


def test_when_one_put_is_refused_none_of_the_plan_is_written(store, run):
    run(store.commit(plan(put("Patient", "old"))))

    with pytest.raises(Moved):
        run(store.commit(plan(put("Patient", "new"), put("Patient", "old"))))

    assert run(store.get("Patient", "new")) is None


def test_a_deletion_is_a_version_without_body_and_the_resource_can_come_back(store, run):
    run(store.commit(plan(put("Patient", "p", rows=rows("p")))))
    run(store.commit(plan(deletion("Patient", "p", 2, former_rows=rows("p")))))

    deleted = run(store.get("Patient", "p"))
    run(store.commit(plan(put("Patient", "p", 3))))

    assert (deleted.deleted, deleted.body, deleted.version) == (True, b"", 2)
    assert run(store.get("Patient", "p")).body == body("Patient", "p", 3)
    assert run(store.version("Patient", "p", 2)).deleted


def test_scan_gives_each_live_resource_once(store, run):
    run(store.commit(plan(*(put("Patient", f"p{n:04}") for n in range(1203)), put("Device", "d"))))
    run(store.commit(plan(put("Device", "d", 2), deletion("Patient", "p0007", 2))))

    async def scanned(type):
        return [(stored.type, stored.id, stored.version) async for stored in store.scan(type)]

    patients = [("Patient", f"p{n:04}", 1) for n in range(1203) if n != 7]
    assert run(scanned("Patient")) == patients
    assert run(scanned(None)) == [("Device", "d", 2), *patients]


@pytest.mark.parametrize(
    "nonsense",
    [
        put("Patient", "p", 0),
        put("Patient", "p", takes=(take(DAWN, DAWN + MINUTE),)),
        put("Patient", "p", owns=frozenset({"Patient/p"})),
    ],
)
def test_a_plan_that_no_flow_may_make_never_reaches_the_rows(store, run, nonsense):
    with pytest.raises(ValueError):
        run(store.commit(plan(nonsense)))

    assert run(store.get("Patient", "p")) is None


def test_a_closed_store_takes_no_plan(store, run):
    assert run(store.ready())

    run(store.close())

    with pytest.raises(StoreUnavailable):
        run(store.commit(plan(put("Patient", "p"))))

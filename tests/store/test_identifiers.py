"""Business identifiers: one holder per type and identifier, whatever is committed (invariant 4 of the design, REL-07, REL-08)."""

import pytest

from creneau.store.contract import AlreadyClaimed, Claim, Moved

from .made import appointment, deletion, plan, put

RDV = Claim("urn:rdv", "1")


def test_the_holder_of_an_identifier_is_found(store, run):
    run(store.commit(plan(appointment("a", claims=("1", "2")))))

    assert run(store.holder("Appointment", RDV)) == "a"
    assert run(store.holder("Appointment", Claim("urn:rdv", "3"))) is None
    assert run(store.holder("Appointment", Claim("", "1"))) is None
    assert run(store.holder("Schedule", RDV)) is None


def test_a_held_identifier_is_refused_and_its_holder_named(store, run):
    run(store.commit(plan(appointment("a", claims=("1",)))))

    with pytest.raises(AlreadyClaimed) as refused:
        run(store.commit(plan(put("Patient", "p"), appointment("b", claims=("0", "1")))))

    assert (refused.value.put, refused.value.claim, refused.value.id) == (1, RDV, "a")
    assert run(store.holder("Appointment", Claim("urn:rdv", "0"))) is None
    assert run(store.get("Patient", "p")) is None


def test_two_puts_of_one_plan_cannot_claim_one_identifier(store, run):
    with pytest.raises(AlreadyClaimed) as refused:
        run(store.commit(plan(appointment("a", claims=("1",)), appointment("b", claims=("1",)))))

    assert (refused.value.put, refused.value.id) == (1, "a")
    assert run(store.get("Appointment", "a")) is None


def test_an_update_keeps_its_identifier_and_gives_up_the_ones_it_no_longer_has(store, run):
    run(store.commit(plan(appointment("a", claims=("1", "2")))))

    run(store.commit(plan(appointment("a", version=2, claims=("1", "3")))))

    assert [run(store.holder("Appointment", Claim("urn:rdv", v))) for v in "123"] == ["a", None, "a"]


def test_an_identifier_moves_between_two_resources_of_one_plan_in_either_order(store, run):
    run(store.commit(plan(appointment("a", claims=("1",)), appointment("b", claims=("2",)))))

    run(
        store.commit(
            plan(appointment("a", version=2, claims=("2",)), appointment("b", version=2, claims=("1",)))
        )
    )
    run(store.commit(plan(appointment("b", version=3), appointment("a", version=3, claims=("1", "2")))))

    assert [run(store.holder("Appointment", Claim("urn:rdv", v))) for v in "12"] == ["a", "a"]


def test_a_deletion_frees_the_identifier(store, run):
    run(store.commit(plan(appointment("a", claims=("1",)))))
    run(store.commit(plan(deletion("Appointment", "a", 2))))

    run(store.commit(plan(appointment("b", claims=("1",)))))

    assert run(store.holder("Appointment", RDV)) == "b"


def test_a_stale_version_is_told_before_a_held_identifier(store, run):
    run(store.commit(plan(appointment("a", claims=("1",)), appointment("b"))))

    with pytest.raises(Moved):
        run(store.commit(plan(appointment("b", claims=("1",)))))

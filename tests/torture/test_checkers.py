"""The checkers find what is planted in bad histories, and nothing in good ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torture.checkers import Held
from torture.history import FAIL, INFO, OK, Operation, kind_of
from torture.scenarios.upgrade import refused

from torture import checkers


def answered(status: int, begin: float = 0.0, seconds: float = 0.01, what: str = "create") -> Operation:
    kind = kind_of(status) if status else INFO
    return Operation(1, what, "key", round(begin * 1e9), round((begin + seconds) * 1e9), kind, status, {})


def test_one_201_among_409_is_a_winner() -> None:
    assert checkers.winner([answered(409), answered(201), answered(409)]) == []


@pytest.mark.parametrize(
    ("statuses", "finding"),
    [
        ([201, 201, 409], "2 winners"),
        ([409, 409], "0 winners"),
        ([201, 500], "answered 500"),
        ([201, 422], "answered 422"),
        ([201, 0], "answered nothing"),
    ],
)
def test_anything_else_is_not(statuses: list[int], finding: str) -> None:
    found = checkers.winner([answered(status) for status in statuses])

    assert len(found) == 1
    assert finding in found[0]


def test_touching_intervals_do_not_overlap() -> None:
    assert (
        checkers.no_overlap([Held("P/1", 0, 10, "a"), Held("P/1", 10, 20, "b"), Held("P/2", 5, 15, "c")])
        == []
    )


def test_an_interval_hidden_behind_a_short_one_is_found() -> None:
    held = [Held("P/1", 0, 100, "long"), Held("P/1", 10, 20, "short"), Held("P/1", 50, 60, "late")]

    found = checkers.no_overlap(held)

    assert found == ["P/1: long and short overlap", "P/1: long and late overlap"]


intervals = st.lists(
    st.tuples(st.sampled_from("xy"), st.integers(0, 30), st.integers(1, 8)).map(
        lambda t: (t[0], t[1], t[1] + t[2])
    ),
    max_size=12,
)


@given(intervals)
def test_the_sweep_agrees_with_comparing_all_pairs(spans: list[tuple[str, int, int]]) -> None:
    held = [Held(*span, f"a{number}") for number, span in enumerate(spans)]

    any_pair = any(
        a.thing == b.thing and a.start < b.end and b.start < a.end
        for n, a in enumerate(held)
        for b in held[:n]
    )

    assert bool(checkers.no_overlap(held)) == any_pair


def test_a_refusal_that_met_nothing_is_found() -> None:
    held = [Held("P/1", 0, 10, "a")]
    met, free = [Held("P/1", 5, 15, "b"), Held("L/1", 5, 15, "b")], [Held("P/1", 10, 15, "c")]

    assert checkers.justified([met], held) == []
    assert checkers.justified([met, free], held) == ["c was refused though its time was free"]


def resource(id_: str, value: str) -> dict[str, Any]:
    return {"resourceType": "Appointment", "id": id_, "identifier": [{"system": "urn:s", "value": value}]}


def test_an_identifier_of_two_resources_is_found() -> None:
    assert checkers.unique_identifier([resource("1", "a"), resource("2", "b"), resource("1", "a")]) == []
    assert checkers.unique_identifier([resource("1", "a"), resource("2", "a")]) == [
        "Appointment a is 2 resources"
    ]


def test_a_chain_of_versions_has_no_gap_no_double_no_loss() -> None:
    assert checkers.version_chain([3, 2, 1], [1, 3]) == []
    assert "not contiguous" in checkers.version_chain([1, 3], [])[0]
    assert "2 times" in checkers.version_chain([1, 2], [2, 2])[0]
    assert "not stored" in checkers.version_chain([1, 2], [3])[0]


def test_a_lost_increment_is_found() -> None:
    assert checkers.counted(12, 12) == []
    assert checkers.counted(12, 11) == ["12 acknowledged increments, the counter says 11"]


def test_part_of_a_transaction_is_found() -> None:
    groups = {"won": {"a", "b"}, "lost": {"c", "d"}}

    assert checkers.all_or_nothing(groups, {"won"}, {"a", "b"}) == []
    assert checkers.all_or_nothing(groups, {"won"}, {"a", "b", "c"}) == ["lost: 1 of 2 stored, 0 expected"]
    assert checkers.all_or_nothing(groups, {"won"}, {"a"}) == ["won: 1 of 2 stored, 2 expected"]


OLD: dict[str, Any] = {"status": "booked", "comment": "old"}
NEW: dict[str, Any] = {"status": "booked", "comment": "new"}


@pytest.mark.parametrize(
    ("acknowledged", "attempts", "stored"),
    [
        (OLD, [], [OLD | {"id": "1", "meta": {}}]),
        (OLD, [NEW], [OLD]),
        (OLD, [NEW], [NEW]),
        (None, [NEW], []),
        (None, [NEW], [NEW]),
        (None, [OLD, NEW], [OLD]),
    ],
)
def test_the_acknowledged_or_a_later_attempt_may_be_stored(
    acknowledged: dict[str, Any] | None, attempts: list[dict[str, Any]], stored: list[dict[str, Any]]
) -> None:
    assert checkers.durable("k", acknowledged, attempts, stored) == []


@pytest.mark.parametrize(
    ("acknowledged", "attempts", "stored", "finding"),
    [
        (OLD, [], [], "is lost"),
        (OLD, [NEW], [], "is lost"),
        (NEW, [], [OLD], "another comment"),
        (None, [NEW], [{"status": "booked"}], "another comment"),
        (None, [], [NEW], "nobody sent it"),
        (OLD, [], [OLD, OLD], "2 times"),
    ],
)
def test_anything_else_stored_is_found(
    acknowledged: dict[str, Any] | None,
    attempts: list[dict[str, Any]],
    stored: list[dict[str, Any]],
    finding: str,
) -> None:
    found = checkers.durable("k", acknowledged, attempts, stored)

    assert len(found) == 1
    assert finding in found[0]


def test_faults_and_silence_are_found() -> None:
    assert checkers.no_fault([answered(201), answered(409)]) == []
    assert checkers.no_fault([answered(503)], allowed=(503,)) == []
    assert checkers.no_fault([answered(500), answered(0)]) == [
        "create was answered 500",
        "create was not answered",
    ]


def test_a_late_answer_is_found() -> None:
    assert checkers.latency([answered(201, seconds=0.9)], 1.0) == []
    assert checkers.latency([answered(409, seconds=1.5)], 1.0) == ["create took 1.50 s, 1 s at most"]


def test_a_slow_percentile_is_found() -> None:
    quick = [answered(201, seconds=0.01) for _ in range(99)]

    assert checkers.percentile_over([*quick, answered(201, seconds=3)], 99, 0.5) == []
    assert checkers.percentile_over([*quick, *[answered(409, seconds=3)] * 2], 99, 0.5) != []


def test_what_was_asked_before_a_stop_must_be_answered() -> None:
    early, late = answered(0, begin=1.0), answered(0, begin=3.0)

    assert checkers.answered_before([late, answered(201, begin=1.0)], round(2e9)) == []
    assert len(checkers.answered_before([early, late], round(2e9))) == 1


@pytest.mark.parametrize(("status", "kind"), [(201, OK), (409, FAIL), (503, FAIL), (500, INFO), (502, INFO)])
def test_a_status_says_done_not_done_or_unknown(status: int, kind: str) -> None:
    assert kind_of(status) == kind


def test_a_refusal_that_was_not_expected_is_told_with_its_code() -> None:
    busy = answered(503)._replace(value={"code": "store-busy", "retry": True})

    (found,) = checkers.winner([answered(201), busy])

    assert found == "answered 503 store-busy with Retry-After, [409] expected"


def test_a_write_lost_at_the_stop_of_the_earlier_program_is_told_with_its_instants() -> None:
    lost = answered(0, begin=9.9, seconds=0.2)
    later = answered(0, begin=10.1)

    (found,) = refused([lost, later], newcomers=2, signalled=10 * 10**9)

    assert (
        found
        == "the earlier program answered create (key) with nothing, 0.20 s, asked at -0.10 s and ended after the stop"
    )

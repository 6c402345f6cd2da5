"""What the cluster tests judge by, on planted histories: `make test-ha` itself is not part of `make test`."""

from __future__ import annotations

from typing import Any

import pytest
from tests.ha.files import EXAMPLE, WHERE
from tests.ha.load import Load, verdict
from tests.ha.probing import Probes
from tests.ha.scenarios import Stage, _one_after_the_other


def stored(identifier: str, hour: int = 9) -> dict[str, Any]:
    return {
        "id": identifier,
        "status": "booked",
        "identifier": [{"value": identifier}],
        "start": f"2026-12-01T{hour:02}:00:00Z",
        "end": f"2026-12-01T{hour:02}:15:00Z",
        "participant": [{"actor": {"reference": "Practitioner/1"}}],
    }


def load() -> Load:
    return Load(acks=[(1.0, "a", "1"), (2.0, "b", "2"), (9.5, "c", "3")])


WHOLE = {"1": stored("a"), "2": stored("b", 10), "3": stored("c", 11)}


@pytest.mark.parametrize(
    ("held", "found"),
    [
        (WHOLE, []),
        ({"1": stored("a"), "2": stored("b", 10)}, ["acknowledged and not there: c"]),
        ({**WHOLE, "4": stored("b", 12)}, ["identifier of two appointments: b"]),
        ({"1": stored("a"), "7": stored("b", 10), "3": stored("c", 11)}, ["acknowledged and not there: b"]),
    ],
)
def test_what_is_lost_or_double_is_found(held: dict[str, Any], found: list[str]) -> None:
    assert verdict(held, load(), {}) == found


def test_time_taken_twice_and_answers_not_foreseen_are_found() -> None:
    heard = load()
    heard.unexpected.append("500 exception")

    found = verdict({**WHOLE, "2": stored("b", 9)}, heard, {})

    assert len(found) == 2 and "overlap" in found[0] and found[1] == "answered 500 exception"


def test_what_was_in_doubt_and_recorded_is_counted() -> None:
    heard, notes = load(), dict[str, Any]()
    heard.doubtful = {"a", "d", "e"}

    verdict({**WHOLE, "4": stored("d", 12)}, heard, notes)

    assert (notes["unknown"], notes["unknown, never repeated, in fact recorded"]) == (3, 1)


def test_the_longest_silence_is_the_outage() -> None:
    assert load().gap(1.5) == 7.5
    assert load().gap(0.0) == 7.5
    assert load().after(2.0) == 1


def test_two_nodes_that_acknowledge_by_turns_are_a_finding() -> None:
    handed_over = Probes([(1.0, "pg1", "x"), (2.0, "pg1", "y"), (3.0, "pg2", "z")])
    split = Probes([(1.0, "pg1", "x"), (2.0, "pg2", "y"), (3.0, "pg1", "z")])
    stage = Stage(None, "", None, 1)  # type: ignore[arg-type]  # it asks neither cluster nor server

    _one_after_the_other(stage, handed_over)
    assert stage.findings == []
    _one_after_the_other(stage, split)
    assert len(stage.findings) == 1


@pytest.mark.parametrize("name", WHERE)
def test_a_file_has_its_places_filled(name: str) -> None:
    shown = EXAMPLE.rendered(name, EXAMPLE.nodes[1])

    assert "$" not in shown
    assert "10.0.0.12" in shown

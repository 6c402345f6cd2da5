"""Histories: what is written is read again, invocations find their ends, wrong histories are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from torture.history import FAIL, INFO, INVOKE, OK, Event, History, paired, read


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    history = History()
    history.add(1, INVOKE, "create", "cellule é")
    history.add(1, OK, "create", "cellule é", {"status": 201, "id": "a", "version": 1})

    history.write(tmp_path / "h.jsonl")

    with (tmp_path / "h.jsonl").open(encoding="utf-8") as lines:
        assert read(lines) == history.events


def test_each_invocation_is_paired_with_its_own_end() -> None:
    events = [
        Event(10, 1, INVOKE, "create", "a", {}),
        Event(11, 2, INVOKE, "update", "b", {}),
        Event(20, 2, FAIL, "update", "b", {"status": 409}),
        Event(30, 1, OK, "create", "a", {"status": 201}),
    ]

    first, second = paired(events)

    assert (first.client, first.status, first.end - first.begin) == (1, 201, 20)
    assert (second.client, second.status, second.kind) == (2, 409, FAIL)


def test_what_was_never_answered_is_of_unknown_outcome() -> None:
    events = [Event(10, 1, INVOKE, "create", "a", {}), Event(15, 2, INVOKE, "create", "b", {})]

    assert [(one.kind, one.status, one.end) for one in paired(events)] == [(INFO, 0, 15), (INFO, 0, 15)]


@pytest.mark.parametrize("kinds", [[INVOKE, INVOKE], [OK], [INVOKE, OK, FAIL]])
def test_a_client_that_does_two_things_at_once_is_refused(kinds: list[str]) -> None:
    with pytest.raises(ValueError, match="client 1"):
        paired(Event(number, 1, kind, "create", "a", {}) for number, kind in enumerate(kinds))

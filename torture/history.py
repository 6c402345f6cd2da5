"""What clients did and saw, as events in the manner of Jepsen: invoke, then ok (done), fail (refused, not done) or info (not known)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter_ns
from typing import Any, Final, NamedTuple

OK: Final = "ok"
FAIL: Final = "fail"
INFO: Final = "info"
INVOKE: Final = "invoke"


class Event(NamedTuple):
    """One line of a history: `at` is nanoseconds of a monotonic clock, `key` groups what rivals ask for, `value` what was seen."""

    at: int
    client: int
    kind: str
    what: str
    key: str
    value: dict[str, Any]


class Operation(NamedTuple):
    """An invocation with its end. `status` is 0 when no answer came; `kind` is ok, fail or info."""

    client: int
    what: str
    key: str
    begin: int
    end: int
    kind: str
    status: int
    value: dict[str, Any]

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.end - self.begin) / 1e9


class History:
    """Events in the order they happened; kept in memory, and written as JSON lines where a path is given."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, client: int, kind: str, what: str, key: str, value: dict[str, Any] | None = None) -> None:
        """Note one event, now."""
        self.events.append(Event(perf_counter_ns(), client, kind, what, key, value or {}))

    def write(self, path: Path) -> None:
        """One JSON object a line."""
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(event._asdict(), ensure_ascii=False) + "\n" for event in self.events)


def read(lines: Iterable[str]) -> list[Event]:
    """Events from JSON lines."""
    return [Event(**json.loads(line)) for line in lines if line.strip()]


def paired(events: Iterable[Event]) -> list[Operation]:
    """Each invocation with its end, in order of invocation; one that never ended is info, ended at the last event.

    Raises ValueError for an end without invocation, or a client that asks twice at once: the history itself is wrong.
    """
    begun: dict[int, Event] = {}
    done: list[Operation] = []
    last = 0
    for event in events:
        last = max(last, event.at)
        if event.kind == INVOKE:
            if event.client in begun:
                raise ValueError(f"client {event.client} asked twice at once")
            begun[event.client] = event
        elif (start := begun.pop(event.client, None)) is None:
            raise ValueError(f"client {event.client} was answered what it had not asked")
        else:
            done.append(_operation(start, event.at, event.kind, event.value))
    done += [_operation(start, last, INFO, {}) for start in begun.values()]
    return sorted(done, key=lambda one: one.begin)


def _operation(start: Event, end: int, kind: str, value: dict[str, Any]) -> Operation:
    status = int(value.get("status", 0))
    return Operation(
        start.client, start.what, start.key, start.at, end, kind, status, {**start.value, **value}
    )


def kind_of(status: int) -> str:
    """What a status says of a write: 2xx done; 4xx and 503 refused, nothing written (contract); else not known."""
    if 200 <= status < 300:
        return OK
    return FAIL if 400 <= status < 500 or status == 503 else INFO

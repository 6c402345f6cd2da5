"""Current versions and owners of agendas read or written lately, kept in memory: this process alone writes the file, so they cannot go stale.

What a commit changes is replaced here after it is durable and before it is acknowledged; until then reads see what was before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from creneau.store.contract import DAY, Plan, Stored

BYTES: Final = 8 * 1024 * 1024
"""Of the bodies of one generation: twice as many are kept at the most, the bodies of some 8,000 appointments."""

OVERHEAD: Final = 512
"""Bytes that a version costs beside its body, about."""

BODY: Final = 32_768
"""Bytes of the longest body that is kept."""

OWNERS: Final = 100_000


class Recent:
    """Two generations of versions (what is asked for again passes into the young one), and the agendas of things."""

    def __init__(self) -> None:
        self._young: dict[tuple[str, str], Stored] = {}
        self._old: dict[tuple[str, str], Stored] = {}
        self._bytes = 0  # of the young one's bodies, each counted as often as it was kept
        self._agendas: dict[str, list[str]] = {}
        self.any_long = (
            True  # whether any appointment lasts more than a day; those need a statement of their own
        )

    def get(self, type: str, id: str) -> Stored | None:
        """The current version when it is here."""
        key = (type, id)
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.keep(found)
        return found

    def keep(self, stored: Stored) -> Stored:
        """Keep a current version; it is returned."""
        key = (stored.type, stored.id)
        if len(stored.body) > BODY:
            self._young.pop(key, None)
            self._old.pop(key, None)
            return stored
        if self._bytes > BYTES:
            self._young, self._old, self._bytes = {}, self._young, 0
        self._young[key] = stored
        self._bytes += len(stored.body) + OVERHEAD
        return stored

    def clear(self) -> None:
        """Keep nothing."""
        self._young, self._old, self._bytes = {}, {}, 0
        self._agendas.clear()

    def agendas(self, thing: str) -> list[str] | None:
        """The Schedules of a thing, none included; None when it is not known here."""
        return self._agendas.get(thing)

    def know(self, agendas: Mapping[str, list[str]]) -> None:
        """Keep the Schedules of these things."""
        if len(self._agendas) > OWNERS:
            self._agendas.clear()
        self._agendas.update(agendas)

    def committed(self, plan: Plan) -> None:
        """Take in what a durable plan wrote."""
        for put in plan.puts:
            self.keep(Stored(put.type, put.id, put.version, put.updated, put.interaction, put.body))
            if put.type == "Schedule":
                self._agendas.clear()
            self.any_long = self.any_long or any(take.end - take.start > DAY for take in put.takes)

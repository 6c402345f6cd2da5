"""What searches over many resources found, kept in memory for as long as no resource they look at is written.

This process alone writes the file, so it knows of each write: nothing here can go stale (`store/recent.py` says the same of versions). A
regulator's town is searched again and again; finding its agendas through role, professional and place costs more than the page of slots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from creneau.search.query import AnyOf, Chain, Condition, Has, Not, Query
from creneau.search.rows import Period
from creneau.store.contract import Plan

LEAST: Final = 64
"""Resources from which on a result is kept: fewer are found as fast."""
MOST: Final = 100_000
"""Of all results together, in resources: about 20 MB. The oldest result goes first."""
DATED: Final = 60_000
"""Rows of dates kept, about 10 MB."""


class Kept(NamedTuple):
    """A result, and how often the types it rests on had been written before it was read."""

    versions: dict[str, int]
    types: frozenset[str]
    writes: int


class Matches:
    """Results of `contract.Store.matching` by conditions, and rows of `contract.Store.dated` by resource."""

    def __init__(self) -> None:
        self.least = LEAST
        self._writes: dict[str, int] = {}
        self._cleared = 0
        self._kept: dict[tuple[str, tuple[Condition, ...]], Kept] = {}
        self._size = 0
        self._dated: dict[tuple[str, str], dict[str, Period | None]] = {}

    def get(self, query: Query) -> dict[str, int] | None:
        """The versions by id that match, None when they are not known any more."""
        key = (query.type, query.conditions)
        kept = self._kept.get(key)
        if kept is None:
            return None
        if self._count(kept.types) != kept.writes:
            self._drop(key)
            return None
        return dict(kept.versions)

    def reading(self, query: Query) -> Callable[[dict[str, int]], dict[str, int]]:
        """To call before the read; what comes back takes in what was read then, and returns it."""
        types = frozenset({query.type, *(type for one in query.conditions for type in _types(one))})
        writes = self._count(types)

        def take(versions: dict[str, int]) -> dict[str, int]:
            key = (query.type, query.conditions)
            if len(versions) >= self.least and self._count(types) == writes:
                self._drop(key)
                self._kept[key] = Kept(dict(versions), types, writes)
                self._size += len(versions)
                while self._size > MOST:
                    self._drop(next(iter(self._kept)))
            return versions

        return take

    def dated(self, type: str, prefix: str) -> dict[str, Period | None]:
        """By id, the rows known of resources of that type and parameters that begin so (None: it has none)."""
        return self._dated.setdefault((type, prefix), {})

    def keep_dated(
        self, type: str, prefix: str, ids: Sequence[str], rows: Mapping[str, Period], writes: int
    ) -> None:
        """Take in the rows of these resources, read after `written(type)` had answered `writes`."""
        if writes != self.written(type):
            return
        known = self.dated(type, prefix)
        if len(known) + len(ids) > DATED:
            known.clear()
        if len(ids) <= DATED:
            known.update((id, rows.get(id)) for id in ids)

    def written(self, type: str) -> int:
        """How often resources of that type were written here."""
        return self._cleared + self._writes.get(type, 0)

    def committed(self, plan: Plan) -> None:
        """Take in what a durable plan wrote."""
        for put in plan.puts:
            self._writes[put.type] = self._writes.get(put.type, 0) + 1
            for (type, _), known in self._dated.items():
                if type == put.type:
                    known.pop(put.id, None)

    def clear(self) -> None:
        """Keep nothing, nor what is being read: what is in the file was written otherwise than by plans."""
        self._cleared += 1
        self._kept.clear()
        self._dated.clear()
        self._size = 0

    def _count(self, types: frozenset[str]) -> int:
        return self._cleared + sum(self._writes.get(type, 0) for type in types)

    def _drop(self, key: tuple[str, tuple[Condition, ...]]) -> None:
        kept = self._kept.pop(key, None)
        self._size -= len(kept.versions) if kept else 0


def _types(condition: Condition) -> Iterator[str]:
    """The types, beside that of the query, whose resources a condition looks at."""
    match condition:
        case Chain(target=target, inner=inner):
            yield target
            yield from _types(inner)
        case Has(source=source, inner=inner):
            yield source
            yield from _types(inner)
        case AnyOf(conditions):
            for one in conditions:
                yield from _types(one)
        case Not(inner):
            yield from _types(inner)
        case _:
            return

"""A store over another: what a subclass does not say otherwise is the other's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from creneau.search.query import Query
from creneau.search.rows import Period
from creneau.store.contract import Page, Store, Stored, Take


class Over:
    """The verbs of `contract.Store` that pass through."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def version(self, type: str, id: str, version: int) -> Stored | None:
        """See `contract.Store.version`."""
        return await self._store.version(type, id, version)

    async def history(
        self,
        type: str | None,
        id: str | None,
        *,
        since: int | None = None,
        count: int = 100,
        after: str | None = None,
    ) -> Page:
        """See `contract.Store.history`."""
        return await self._store.history(type, id, since=since, count=count, after=after)

    async def find(self, query: Query, *, count: int | None = None) -> Page:
        """See `contract.Store.find`."""
        return await self._store.find(query, count=count)

    async def matching(self, query: Query) -> dict[str, int]:
        """See `contract.Store.matching`."""
        return await self._store.matching(query)

    async def several(self, type: str, ids: Sequence[str]) -> list[Stored]:
        """See `contract.Store.several`."""
        return await self._store.several(type, ids)

    async def dated(self, type: str, ids: Sequence[str], prefix: str) -> dict[str, Period]:
        """See `contract.Store.dated`."""
        return await self._store.dated(type, ids, prefix)

    async def takes(self, appointment: str) -> tuple[Take, ...]:
        """See `contract.Store.takes`."""
        return await self._store.takes(appointment)

    def scan(self, type: str | None = None) -> AsyncIterator[Stored]:
        """See `contract.Store.scan`."""
        return self._store.scan(type)

    async def ready(self) -> bool:
        """See `contract.Store.ready`."""
        return await self._store.ready()

    async def close(self) -> None:
        """Nothing to release: the other is closed by who opened it."""

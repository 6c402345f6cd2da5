"""The only place that chooses the real things: store, validator, clock, ids, front door."""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from creneau.config import Settings
from creneau.fhir.reference import Bases
from creneau.fhir.validation import Validator
from creneau.flows import linking
from creneau.flows.world import Rules, World
from creneau.http import metrics
from creneau.http.app import Application
from creneau.http.settings import HttpSettings, ServerSettings
from creneau.search import extract
from creneau.search.rows import Rows
from creneau.store import reindex
from creneau.store.contract import Store, StoreUnavailable
from creneau.store.memory import MemoryStore
from creneau.store.sqlite import SqliteStore, open_sqlite

if TYPE_CHECKING:
    from creneau.store.postgres import PostgresStore

MINUTE = 60_000_000


def clock() -> int:
    """Now, microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def ids(now: Callable[[], int] = clock) -> Callable[[], str]:
    """A source of UUIDv7 (RFC 9562): ordered by the time they were made, random beyond (SCH-04)."""
    pool = bytearray()

    def new_id() -> str:
        if not pool:
            pool.extend(os.urandom(4_000))  # one call of the system for many ids
        random = int.from_bytes(pool[-10:], "big")
        del pool[-10:]
        value = (now() // 1000 << 80) | random
        value = (value & ~(0xF << 76)) | (0x7 << 76)
        value = (value & ~(0x3 << 62)) | (0x2 << 62)
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    return new_id


def base_url(settings: Settings) -> str:
    """The public base of the FHIR interface, without a trailing slash."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.base_url.rstrip("/") or f"http://{host}:{settings.port}/fhir"


async def open_store(settings: Settings, *, create: bool = True) -> Store:
    """The store that `database` names.

    Raises `store.lock.Owned` when another process has the file, `UnknownSchema`, `StoreUnavailable` when PostgreSQL does not answer.
    """
    kind, _, rest = settings.database.partition(":")
    if kind == "memory":
        return MemoryStore()
    if kind == "sqlite":
        return open_sqlite(Path(rest), create=create)
    with _driver():
        from creneau.store.postgres import open_postgres
    return await open_postgres(
        settings.database,
        connections=settings.database_connections,
        pooled=settings.database_pooled,
        create=create,
    )


def as_it_is(settings: Settings) -> PostgresStore:
    """The PostgreSQL database that `database` names, neither brought to the newest schema nor looked at: a replica will do."""
    with _driver():
        from creneau.store.postgres import PostgresStore
        from creneau.store.postgres_connections import connect
    connections = connect(
        settings.database, most=settings.database_connections, pooled=settings.database_pooled
    )
    return PostgresStore(connections, "default")


@contextmanager
def _driver() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise StoreUnavailable("PostgreSQL needs its driver: pip install 'creneau[postgres]'") from error


def as_postgres(store: Store) -> PostgresStore | None:
    """The store, when it is one of PostgreSQL; its driver is not loaded for another."""
    if isinstance(store, SqliteStore | MemoryStore):
        return None
    from creneau.store.postgres import PostgresStore

    return store if isinstance(store, PostgresStore) else None


def world(settings: Settings, store: Store) -> World:
    """Everything the flows need, on this store."""
    rules = Rules(
        zone=ZoneInfo(settings.zone),
        hold=settings.hold_hours * 60 * MINUTE,
        default_duration=settings.default_duration * MINUTE,
        identifier_system=settings.identifier_system,
        client_ids=settings.client_ids,
        page=settings.page,
        page_limit=settings.page_limit,
        bundle_limit=settings.bundle_entries,
    )
    return World(
        store=store,
        validator=Validator([Path(one) for one in settings.packages]),
        bases=Bases((base_url(settings), *settings.base_aliases)),
        clock=clock,
        new_id=ids(),
        rules=rules,
    )


def http_settings(settings: Settings) -> HttpSettings:
    """What the front door is told."""
    key = settings.link_key.encode()
    return HttpSettings(
        link_key=hashlib.sha256(key).digest() if key else secrets.token_bytes(32),
        base_url=base_url(settings),
        language=settings.language,
        body_limit=settings.body_limit,
        bundle_limit=settings.bundle_limit,
        query_limit=settings.query_limit,
        seconds=float(settings.request_seconds),
    )


def server_settings(settings: Settings) -> ServerSettings:
    """What the listening socket is told."""
    return ServerSettings(host=settings.host, port=settings.port)


def index_rows(of: World) -> Callable[[Mapping[str, Any]], Rows]:
    """How the index rows of a resource are made."""
    return lambda resource: linking.rows(of, resource)


def made_by(of: World) -> str:
    """What tells index rows that these tables of search made, with this zone for times without offset, from others."""
    return f"{extract.EXTRACT_VERSION} {of.rules.zone.key}"


async def indexed(store: Store, of: World) -> None:
    """Make the index rows anew when they are not `made_by` what makes them now."""
    rows, by = index_rows(of), made_by(of)
    if isinstance(store, SqliteStore):
        if await reindex.made_by(store) != by:
            await reindex.reindex(store, rows, by)
    elif far := as_postgres(store):
        from creneau.store import postgres_reindex

        await postgres_reindex.indexed(far, rows, by)


async def application(settings: Settings, of: World) -> Application:
    """The front door on this store, and on its replicas."""
    replicated = await _replicated(settings, of.store) if settings.read_database else None
    front = Application(of, http_settings(settings), reading=_reading(of, replicated) if replicated else None)
    state = getattr(of.store, "pool", None)
    if state is not None:
        front.metrics.watch(lambda: metrics.connections(*state()))
    if replicated is not None and replicated.replicas is not None:
        figures = replicated.replicas.figures
        front.metrics.watch(lambda: metrics.reads(*figures()))
    return front


async def _replicated(settings: Settings, store: Store) -> PostgresStore | None:
    primary = as_postgres(store)
    if primary is None:
        return None
    from creneau.store import postgres_replicas

    most = settings.database_connections
    primary.replicas = await postgres_replicas.open_replicas(
        settings.read_database, primary.connections, most=most, say=_say
    )
    return primary


def _reading(of: World, store: PostgresStore) -> Callable[[], World]:
    """What is remembered of reads from replicas is kept apart: no write rests on it, and it goes when the primary changes."""
    apart = replace(of, kept={}, links={})

    def forget() -> None:
        apart.kept.clear()
        apart.links.clear()

    def reading() -> World:
        seen = store.reading()
        return of if seen is None else replace(apart, store=seen)

    if store.replicas is not None:
        store.replicas.forget = forget
    return reading


def _say(line: str) -> None:
    print(f"creneau: {line}", file=sys.stderr, flush=True)

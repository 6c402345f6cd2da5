"""Several hosts in one URL: the one that takes writes is found, whatever the others do."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from creneau.store import postgres_connections
from creneau.store.contract import StoreUnavailable
from creneau.store.postgres import open_postgres
from creneau.store.postgres_hosts import each_host

from .cluster import Cluster


@pytest.mark.parametrize(
    ("url", "each"),
    [
        ("postgresql://me@one/base", ["postgresql://me@one/base"]),
        ("postgresql://me@/base?host=/run", ["postgresql://me@/base?host=/run"]),
        (
            "postgresql://me:a%2Cb@one:1,[::1]:2/base?sslmode=require",
            [
                "postgresql://me:a%2Cb@one:1/base?target_session_attrs=read-write&sslmode=require",
                "postgresql://me:a%2Cb@[::1]:2/base?target_session_attrs=read-write&sslmode=require",
            ],
        ),
        (
            "postgresql://one,two/base?target_session_attrs=any",
            [
                "postgresql://one/base?target_session_attrs=any",
                "postgresql://two/base?target_session_attrs=any",
            ],
        ),
    ],
)
def test_each_host_has_a_url_and_of_several_the_one_that_writes_is_wanted(url: str, each: list[str]) -> None:
    assert each_host(url) == each


@asynccontextmanager
async def port_of(cluster: Cluster) -> AsyncIterator[int]:
    """A TCP port that leads to the server's socket."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, outside = await asyncio.open_unix_connection(f"{cluster.folder}/.s.PGSQL.5432")
        await asyncio.gather(pump(reader, outside), pump(inside, writer))

    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def test_a_host_that_never_answers_and_one_that_refuses_keep_nobody_from_the_third(
    cluster: Cluster, run: Callable[..., object]
) -> None:
    async def reach() -> float:
        with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            async with port_of(cluster) as port:
                hosts = [silent.getsockname()[1], closed.getsockname()[1], port]
                listed = ",".join(f"127.0.0.1:{one}" for one in hosts)
                started = time.monotonic()
                store = await open_postgres(f"postgresql://creneau@{listed}/postgres?sslmode=disable")
                ready = await store.ready()
                await store.close()
                assert ready
                return time.monotonic() - started

    assert run(reach()) < 2.5


def test_where_none_answers_that_is_said_as_of_one_host(run: Callable[..., object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://127.0.0.1:1,127.0.0.1:{silent.getsockname()[1]}/postgres?sslmode=disable"

        with pytest.raises(StoreUnavailable):
            run(open_postgres(url))


def test_a_server_that_hangs_is_away_not_asked_too_much(
    cluster: Cluster, run: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_connections, "PATIENCE", 0.3)

    async def ask() -> None:
        store = await open_postgres(cluster.url, connections=1)
        ((pid,),) = await store.connections.rows("SELECT pg_backend_pid()")
        os.kill(pid, signal.SIGSTOP)
        try:
            await store.connections.rows("SELECT 1")
        finally:
            os.kill(pid, signal.SIGCONT)
            await store.close()

    with pytest.raises(StoreUnavailable):
        run(ask())

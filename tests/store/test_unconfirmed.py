"""A commit that no synchronous standby confirmed is never acknowledged, and its retry makes no second appointment (REL-19, REL-20)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import asyncpg
import pytest

from creneau.store import copying_postgres
from creneau.store import postgres as postgres_store
from creneau.store.contract import OutcomeUnknown
from creneau.store.copying import RESOURCE, Unconfirmed
from creneau.store.migrate import UnknownSchema
from creneau.store.postgres import open_postgres
from tests.client import CREATED, OK, Reply, Server
from tests.people import appointment, future, practice, where

from .cluster import Cluster, NoServer
from .made import plan, put

AWAY, CONFLICT = 503, 409
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND backend_type = 'client backend'"
ENDS = {
    "cancelled": "SELECT pg_cancel_backend($1)",
    "terminated": "SELECT pg_terminate_backend($1)",
}


class Alone(Cluster):
    """A server whose synchronous standby is missing when wanted."""

    def wanting(self, standby: str) -> None:
        """Set synchronous_standby_names."""
        asyncio.run(self._ask(f"ALTER SYSTEM SET synchronous_standby_names = '{standby}'"))
        asyncio.run(self._ask("SELECT pg_reload_conf()"))
        while asyncio.run(self._value("SELECT current_setting('synchronous_standby_names')")) != standby:
            time.sleep(0.02)

    def end(self, how: str) -> None:
        """End the one wait for a standby, once there is one."""
        limit = time.monotonic() + 10
        while (pid := asyncio.run(self._value(WAITING))) is None:
            assert time.monotonic() < limit, "nothing waits for a standby"
            time.sleep(0.02)
        asyncio.run(self._value(ENDS[how], pid))

    async def _ask(self, sql: str) -> None:
        connection = await asyncpg.connect(self.url, server_settings={"synchronous_commit": "local"})
        await connection.execute(sql)
        await connection.close()

    async def _value(self, sql: str, *args: object) -> object:
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetchval(sql, *args)
        finally:
            await connection.close()


@pytest.fixture(scope="module")
def alone() -> Iterator[Alone]:
    try:
        started = Alone()
    except NoServer as missing:
        pytest.skip(str(missing))
    yield started
    started.close()


@pytest.fixture
def lonely(alone: Alone) -> Iterator[Alone]:
    """Every commit waits for a standby once `wanting("missing")` was said."""
    yield alone
    alone.wanting("")


def sending(server: Server, method: str, path: str, body: object) -> Callable[[], Reply]:
    """Send it in the background; the answer when called."""
    found: list[Reply] = []
    thread = threading.Thread(target=lambda: found.append(server.call(method, path, body)))
    thread.start()

    def answer() -> Reply:
        thread.join(30)
        return found[0]

    return answer


def test_the_driver_alone_calls_an_unconfirmed_commit_a_success(lonely: Alone) -> None:
    """The negative control: what has to be noticed is really there."""
    lonely.wanting("missing")

    async def write() -> str:
        connection = await asyncpg.connect(lonely.url)
        said: str = await connection.execute("CREATE TABLE unconfirmed (n integer)")
        await connection.execute("DROP TABLE unconfirmed")
        await connection.close()
        return said

    ended = threading.Thread(target=lambda: [lonely.end("cancelled") for _ in range(2)])
    ended.start()
    said = asyncio.run(write())
    ended.join()

    assert said == "CREATE TABLE"


@pytest.mark.parametrize("how", sorted(ENDS))
def test_an_unconfirmed_appointment_is_503_and_sent_again_there_is_one(
    lonely: Alone, new_server: Callable[..., Server], how: str
) -> None:
    server = new_server(database=lonely.url)
    at = practice(server)
    body = appointment(at, future(9))
    lonely.wanting("missing")

    answer = sending(server, "PUT", where(body), body)
    lonely.end(how)
    unconfirmed = answer()
    lonely.wanting("")
    again = server.put(where(body), body)
    posted = server.post("/Appointment", body)
    found = server.get(where(body))

    assert (unconfirmed.status, unconfirmed.keys) == (AWAY, ["outcome-unknown"])
    assert "retry-after" in unconfirmed.headers
    assert (again.status, posted.status) == (OK, CONFLICT)
    assert [one["resource"]["id"] for one in found.json["entry"]] == [again.id]


def test_while_a_commit_waits_others_read_and_its_own_client_is_told_in_time(
    lonely: Alone, new_server: Callable[..., Server]
) -> None:
    server = new_server(database=lonely.url, CRENEAU_DATABASE_CONNECTIONS="3")
    at = practice(server)
    body = appointment(at, future(9))
    lonely.wanting("missing")

    answers = [
        sending(server, "PUT", where(one), one)
        for one in (body, appointment(at, future(10)), appointment(at, future(11)))
    ]
    time.sleep(0.5)
    started = time.monotonic()
    read = server.get(f"/{at.patient}")
    seconds = time.monotonic() - started
    told = [one() for one in answers]
    lonely.wanting("")
    kept = server.put(where(body), body)

    assert (read.status, seconds < 1) == (OK, True)
    assert sorted(one.keys[0] for one in told) == [
        "outcome-unknown",
        "store-unavailable",
        "store-unavailable",
    ]
    assert kept.status in (OK, CREATED)


@pytest.mark.parametrize("pooled", [False, True])
def test_no_time_limit_of_the_server_makes_an_unconfirmed_commit_a_success(
    lonely: Alone, run: Callable[..., object], pooled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "ANSWERED", 30.0)

    async def commit() -> None:
        opened = await open_postgres(lonely.url, tenant=f"limited-{pooled}", pooled=pooled)
        lonely_now = asyncio.to_thread(lonely.wanting, "missing")
        await lonely_now
        for setting in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            await opened.connections.rows(f"SELECT set_config('{setting}', '100', false)")
        sent = asyncio.create_task(opened.commit(plan(put("Patient", "p"))))
        done, _ = await asyncio.wait((sent,), timeout=0.5)
        assert not done
        await asyncio.to_thread(lonely.end, "cancelled")
        try:
            await sent
        finally:
            await asyncio.to_thread(lonely.wanting, "")
            await opened.close()

    with pytest.raises(OutcomeUnknown):
        run(commit())


def test_a_copy_that_no_standby_confirmed_is_told_from_one_that_is_safe(
    lonely: Alone, run: Callable[..., object]
) -> None:
    """The same copy, confirmed and not; it is there both times."""
    row = ("Patient", "p", 1, 0, "create", b"{}")

    async def copied(tenant: str, standby: str) -> list[object]:
        opened = await open_postgres(lonely.url, tenant=tenant)
        await asyncio.to_thread(lonely.wanting, standby)
        ended = asyncio.create_task(asyncio.to_thread(lonely.end, "cancelled")) if standby else None
        try:
            await copying_postgres.write(opened, lambda end: end.add(RESOURCE, [row]))
        except Unconfirmed as error:
            there.append(error)
        finally:
            await asyncio.to_thread(lonely.wanting, "")
            if ended:
                await ended
            rows = await opened.connections.rows("SELECT id FROM resource WHERE tenant = $1", tenant)
            await opened.close()
        return [one["id"] for one in rows]

    there: list[Unconfirmed] = []
    assert run(copied("confirmed", "")) == ["p"]
    assert there == []
    assert run(copied("unconfirmed", "missing")) == ["p"]
    assert len(there) == 1


def test_a_connection_that_would_not_hear_the_warning_is_refused(
    lonely: Alone, run: Callable[..., object]
) -> None:
    deaf = f"{lonely.url}&options=-c%20client_min_messages%3Derror"

    run(run_and_close(lonely.url, pooled=False))
    with pytest.raises(UnknownSchema, match="client_min_messages"):
        run(run_and_close(deaf, pooled=True))


async def run_and_close(url: str, *, pooled: bool) -> None:
    opened = await open_postgres(url, pooled=pooled)
    await opened.close()


@pytest.mark.parametrize("method", ["PUT", "If-None-Exist"])
def test_what_was_committed_unconfirmed_is_not_acknowledged_by_saying_it_again(
    lonely: Alone, new_server: Callable[..., Server], method: str
) -> None:
    server = new_server(database=lonely.url)
    at = practice(server)
    body = appointment(at, future(9))
    lonely.wanting("missing")
    first = sending(server, "PUT", where(body), body)
    lonely.end("cancelled")

    def again() -> Reply:
        if method == "PUT":
            return server.put(where(body), body)
        condition = where(body).partition("?")[2]
        return server.post("/Appointment", body, If_None_Exist=condition)

    read = server.get(where(body))
    said = again()
    lonely.wanting("")
    settled = again()

    assert first().status == AWAY
    assert len(read.json["entry"]) == 1
    assert (said.status, said.keys) == (AWAY, ["outcome-unknown"])
    assert settled.status == OK

"""`creneau copy`: all of a store in another of any kind, nothing half, and every difference found (REL-29)."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from creneau.store import comparing, copying, copying_postgres, copying_sqlite
from creneau.store.contract import Claim
from creneau.store.copying import Made, NotCopied
from creneau.store.inspect import UNINDEXED, findings
from creneau.store.lock import Owned
from creneau.store.migrate import migrations
from creneau.store.postgres import PostgresStore, open_postgres
from creneau.store.postgres_connections import connect
from creneau.store.sqlite import open_sqlite
from tests.databases import created

from .made import DOCTOR, ROOM, appointment, at, deletion, plan, put, schedule, take
from .test_doctor import extract, indexed

LONG = ("urn:s", "é" * 1500)
NUL = ("", "a\0b")
KINDS = ["sqlite", "postgres"]
KNOWN = len(migrations())  # of both dialects, by chance


def with_identifiers(version, *claims):
    body = b'{"resourceType":"Patient","id":"p","meta":{"versionId":"%d"},"identifier":[%s]}' % (
        version,
        b",".join(b'{"system":"%s","value":"%s"}' % (s.encode(), v.encode()) for s, v in claims),
    )
    held = frozenset(Claim(*claim) for claim in claims)
    return put("Patient", "p", version, body=body.replace(b"\0", b"\\u0000"), claims=held)


def claims(resource):
    return frozenset(Claim(one["system"], one["value"]) for one in resource.get("identifier", ()))


MADE = Made(extract, claims, "sum")
COMMITS = [
    [schedule("martin", DOCTOR), schedule("salle", ROOM, DOCTOR), with_identifiers(1, ("urn:s", "1"))],
    [
        appointment("a", take(at(9), at(9, 30)), take(at(9), at(9, 30), thing=ROOM), claims=("1", "2")),
        with_identifiers(2, ("urn:s", "1"), LONG, NUL),
    ],
    [appointment("b", take(at(10), at(11), slot="s1 s2", capacity=2), claims=("3",)), put("Patient", "gone")],
    [
        appointment("a", take(at(9), at(9, 30)), take(at(11), at(12)), version=2, claims=("1",)),
        deletion("Patient", "gone", 2),
    ],
    [appointment("hold", take(at(12), at(13), until=at(14)))],
    [schedule("salle", ROOM, version=2)],
]


class Place:
    """A database of one kind, that is opened as a store or as an end of a copy."""

    def __init__(self, kind, name, tmp_path, request):
        self.kind, self.path = kind, tmp_path / f"{name}.sqlite"
        self.url = "" if kind == "sqlite" else created(request.getfixturevalue("cluster"))

    async def open(self):
        return open_sqlite(self.path) if self.kind == "sqlite" else await open_postgres(self.url)

    async def read(self, work):
        if self.kind == "sqlite":
            return await copying_sqlite.read(self.path, "default", work)
        store = PostgresStore(connect(self.url, most=2, pooled=False), "default")
        try:
            return (await copying_postgres.read(store, work))[0]
        finally:
            await store.close()

    async def write(self, work):
        if self.kind == "sqlite":
            return await copying_sqlite.write(self.path, "default", work)
        store = await self.open()
        try:
            return await copying_postgres.write(store, work)
        finally:
            await store.close()

    async def damage(self, statement):
        if self.kind == "sqlite":
            with sqlite3.connect(self.path) as connection:
                connection.execute(statement)
            connection.close()
        else:
            connection = await asyncpg.connect(self.url)
            await connection.execute(statement)
            await connection.close()


@pytest.fixture(params=[(one, other) for one in KINDS for other in KINDS], ids="-to-".join)
def pair(request, tmp_path, run):
    """A source with a past, and an empty target."""
    source, target = (
        Place(kind, name, tmp_path, request) for kind, name in zip(request.param, "st", strict=True)
    )
    run(fill(source))
    return source, target


async def fill(place):
    store = await place.open()
    for puts in COMMITS:
        await store.commit(plan(*(indexed(one) for one in puts)))
    await store.close()


async def transfer(source, target, progress=lambda rows: None):
    """The copy and what its comparison found."""

    async def both(start):
        async def inside(end):
            rows = await copying.copy(start, end, MADE, progress)
            return rows, await comparing.differences(start, end, MADE.rows, progress)

        return await target.write(inside)

    return await source.read(both)


async def compared(source, target):
    return await source.read(
        lambda start: target.read(lambda end: comparing.differences(start, end, MADE.rows, lambda rows: None))
    )


async def everything(place):
    """What the verbs of the store say."""
    store = await place.open()
    said = [
        (await store.history(None, None)).items,
        [await store.takes(id_) for id_ in ("a", "b", "hold")],
        [
            await store.holder(*held)
            for held in [("Patient", Claim(*one)) for one in (LONG, NUL, ("urn:s", "1"))]
        ],
        [await store.holder("Appointment", Claim("urn:rdv", value)) for value in "123"],
        await store.agendas([DOCTOR, ROOM]),
        await store.linked("Schedule", "self", "Schedule", "salle"),
        await store.dated("Appointment", ["a", "b"], "date"),
    ]
    await store.close()
    return said


def test_a_copy_says_all_that_the_source_says(pair, run):
    source, target = pair
    steps = []

    rows, found = run(transfer(source, target, steps.append))

    assert found == []
    assert sum(steps) == 2 * rows == 2 * (7 + 4 + 5 + 4 + 2)
    assert run(everything(target)) == run(everything(source))
    assert run(compared(source, target)) == []


def test_time_copied_is_guarded_and_the_next_version_follows(pair, run):
    source, target = pair
    run(transfer(source, target))

    async def book():
        store = await target.open()
        met = await store.commit(plan(indexed(appointment("c", take(at(10), at(11), capacity=2)))))
        with pytest.raises(Exception, match=DOCTOR):
            await store.commit(plan(indexed(appointment("d", take(at(10), at(11))))))
        await store.commit(plan(indexed(appointment("a", version=3))))
        version = (await store.get("Appointment", "a")).version
        await store.close()
        return met, version

    assert run(book()) == ((), 3)


@pytest.mark.parametrize("target", KINDS)
def test_index_rows_of_the_copy_are_those_of_the_content(target, tmp_path, run, request):
    first, last = Place("sqlite", "s", tmp_path, request), Place("sqlite", "l", tmp_path, request)
    between = Place(target, "t", tmp_path, request)
    run(fill(first))
    run(transfer(first, between))
    run(transfer(between, last))

    async def wrong():
        store = await last.open()
        said = [str(one) async for one in findings(store, extract, now=at(3))]
        await store.close()
        return said

    assert run(wrong()) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("UPDATE resource SET updated = updated + 1 WHERE id = 'b'", "Appointment/b: resource differs"),
        ("UPDATE resource SET body = body || body WHERE id = 'hold'", "Appointment/hold: resource differs"),
        ("DELETE FROM history WHERE id = 'a'", "Appointment/a: history is not in the copy"),
        ("UPDATE history SET interaction = 'update' WHERE id = 'p'", "Patient/p: history differs"),
        ("DELETE FROM resource WHERE id = 'gone'", "Patient/gone: resource is not in the copy"),
        ("UPDATE identifier SET value = '9' WHERE value = '3'", "Appointment/b: identifier differs"),
        ("DELETE FROM identifier WHERE value = '1' AND type = 'Patient'", "Patient/p: identifier differs"),
        ("UPDATE taken SET guarded = 0 WHERE appointment = 'b'", "Appointment/b: taken differs"),
        ("UPDATE taken SET lapse = NULL WHERE appointment = 'hold'", "Appointment/hold: taken differs"),
        (
            "UPDATE owner SET schedule = 'who' WHERE schedule = 'salle'",
            "Schedule/who: owner is in the copy only",
        ),
        ("DELETE FROM token WHERE id = 'a' AND param = 'version'", f"Appointment/a: {UNINDEXED}"),
        ("UPDATE period SET hi = hi + 1 WHERE id = 'b'", f"Appointment/b: {UNINDEXED}"),
        ("UPDATE place SET id = 'nobody' WHERE id = 'p'", f"Patient/nobody: {UNINDEXED}"),
    ],
)
def test_each_difference_is_found_where_it_is(statement, line, kind, tmp_path, run, request):
    source, target = Place("sqlite", "s", tmp_path, request), Place(kind, "t", tmp_path, request)
    run(fill(source))
    run(transfer(source, target))
    if kind == "sqlite":
        statement = statement.replace("body || body", "CAST(body || body AS BLOB)")

    run(target.damage(statement))

    assert line in run(compared(source, target))


def test_a_copy_that_fails_leaves_nothing(pair, run):
    source, target = pair

    def fail(rows):
        raise NotCopied("enough")

    with pytest.raises(NotCopied):
        run(transfer(source, target, fail))

    if target.kind == "sqlite":
        assert [one.name for one in target.path.parent.iterdir() if one.name.startswith("t.sqlite")] == [
            "t.sqlite.lock"
        ]
    else:
        assert run(everything(target))[0] == []
    assert run(transfer(source, target))[1] == []


def test_nothing_is_copied_to_where_something_is(pair, run):
    source, target = pair
    run(fill(target))

    with pytest.raises(NotCopied, match="already"):
        run(transfer(source, target))

    assert run(everything(target)) == run(everything(source))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("statement", "schema"),
    [
        (f"DELETE FROM schema_version WHERE version = {KNOWN}", KNOWN - 1),
        (f"INSERT INTO schema_version VALUES ({KNOWN + 1}, 'next.sql')", KNOWN + 1),
    ],
    ids=["older", "newer"],
)
def test_a_source_of_another_schema_is_refused(statement, schema, kind, tmp_path, run, request):
    source, target = Place(kind, "s", tmp_path, request), Place("sqlite", "t", tmp_path, request)
    run(fill(source))
    run(source.damage(statement))

    with pytest.raises(NotCopied, match=f"has schema {schema} and this program copies schema {KNOWN}"):
        run(transfer(source, target))

    assert not target.path.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_database_of_ours_is_refused(kind, tmp_path, run, request):
    source, target = Place(kind, "s", tmp_path, request), Place("sqlite", "t", tmp_path, request)

    with pytest.raises(NotCopied, match=r"no such database|empty"):
        run(transfer(source, target))

    assert not source.path.exists()


def test_a_file_in_use_is_not_read(tmp_path, run, request):
    source, target = Place("sqlite", "s", tmp_path, request), Place("sqlite", "t", tmp_path, request)
    store = open_sqlite(source.path)

    with pytest.raises(Owned):
        run(transfer(source, target))

    run(store.close())


def test_what_is_written_to_postgresql_meanwhile_is_counted_and_not_copied(tmp_path, run, request):
    source, target = Place("postgres", "s", tmp_path, request), Place("sqlite", "t", tmp_path, request)
    run(fill(source))

    async def during():
        store = await source.open()

        async def both(start):
            await store.commit(plan(indexed(put("Patient", "late")), indexed(appointment("a", version=3))))
            return await target.write(lambda end: copying.copy(start, end, MADE, lambda rows: None))

        answer = await copying_postgres.read(store, both)
        await store.close()
        return answer

    assert run(during()) == (22, 2)
    assert len(run(everything(target))[0]) == 11


def test_a_store_that_writes_to_the_target_meanwhile_waits_or_is_refused(tmp_path, run, request):
    source, target = Place("sqlite", "s", tmp_path, request), Place("postgres", "t", tmp_path, request)
    run(fill(source))

    async def both():
        store = await target.open()
        copied = asyncio.Event()

        async def write():
            await copied.wait()
            await store.commit(plan(indexed(put("Patient", "p"))))

        writing = asyncio.create_task(write())
        answer = await transfer(source, target, lambda rows: copied.set())
        (outcome,) = await asyncio.gather(writing, return_exceptions=True)
        await store.close()
        return answer[1], type(outcome).__name__

    assert run(both()) == ([], "Moved")


KILLED = """
import asyncio, os, sys
from pathlib import Path
from creneau.search.rows import NONE
from creneau.store import comparing, copying, copying_postgres, copying_sqlite
from creneau.store.postgres import open_postgres

def progress(rows):
    global left
    left -= rows
    if left < 0:
        os.kill(os.getpid(), int(sys.argv[4]))

async def both(start):
    made = copying.Made(lambda resource: NONE, lambda resource: frozenset(), "sum")
    async def inside(end):
        await copying.copy(start, end, made, progress)
        return await comparing.differences(start, end, made.rows, progress)
    if sys.argv[2].startswith("postgres"):
        return await copying_postgres.write(await open_postgres(sys.argv[2]), inside)
    return await copying_sqlite.write(Path(sys.argv[2]), "default", inside)

left = int(sys.argv[3])
asyncio.run(copying_sqlite.read(Path(sys.argv[1]), "default", both))
"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("rows", "sign"),
    [
        (0, signal.SIGKILL),
        (12, signal.SIGKILL),
        (30, signal.SIGKILL),
        (0, signal.SIGINT),
        (30, signal.SIGINT),
    ],
    ids=["in-resources", "in-times", "in-comparison", "interrupted", "interrupted-late"],
)
def test_a_killed_copy_leaves_nothing_and_the_same_copy_then_is_whole(
    kind, rows, sign, tmp_path, run, request
):
    source, target = Place("sqlite", "s", tmp_path, request), Place(kind, "t", tmp_path, request)
    run(fill(source))
    command = [
        sys.executable,
        "-c",
        KILLED,
        str(source.path),
        target.url or str(target.path),
        str(rows),
        str(int(sign)),
    ]

    killed = subprocess.run(command, env=os.environ, check=False)
    there = run(everything(target))[0] if kind == "postgres" else target.path.exists()
    _, found = run(transfer(source, target))

    assert killed.returncode == -sign
    assert not there
    assert found == []
    assert run(everything(target)) == run(everything(source))


def test_a_resource_that_cannot_be_indexed_is_named(tmp_path, run, request):
    source, target = Place("sqlite", "s", tmp_path, request), Place("sqlite", "t", tmp_path, request)
    run(fill(source))
    run(source.damage("UPDATE resource SET body = x'7b' WHERE id = 'b'"))

    with pytest.raises(NotCopied, match="Appointment/b"):
        run(transfer(source, target))

    assert not Path(target.path).exists()

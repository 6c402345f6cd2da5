"""The doctor says nothing of a sound store, and names each kind of damage (REL-24, REL-33)."""

from __future__ import annotations

import sqlite3

import pytest

from creneau.search.rows import NONE, Link, Period, Place, Rows, Text, Token
from creneau.store.inspect import findings
from creneau.store.reindex import made_by, reindex

from .made import DAWN, DOCTOR, MINUTE, ROOM, appointment, at, deletion, plan, put, schedule, take

NINE = (at(9), at(9, 30))


def extract(resource):
    """Rows of every kind that follow from the id and the version alone."""
    id_, version = resource["id"], int(resource["meta"]["versionId"])
    return Rows(
        frozenset({Token("id", "", id_), Token("version", "urn:v", str(version))}),
        frozenset({Period("date", version, version + 1)}),
        frozenset({Text("name", id_.lower(), id_)}),
        frozenset({Link("self", resource["resourceType"], id_)}),
        frozenset({Place("near", version / 8, -1.5)}),
    )


def rows(type, id, version):
    return extract({"resourceType": type, "id": id, "meta": {"versionId": str(version)}}) if version else NONE


def indexed(made):
    """The put, with the index rows that `extract` makes."""
    now = NONE if made.interaction == "delete" else rows(made.type, made.id, made.version)
    return made.__class__(
        **{name: getattr(made, name) for name in made.__dataclass_fields__}
        | {"rows": now, "former_rows": rows(made.type, made.id, made.version - 1)}
    )


async def fill(store):
    """Create, change and delete resources of several types."""
    puts = [
        [schedule("martin", DOCTOR), schedule("salle", ROOM, DOCTOR), put("Patient", "p")],
        [appointment("a", take(*NINE), take(*NINE, thing=ROOM), claims=("1", "2")), put("Patient", "p", 2)],
        [appointment("b", take(at(10), at(11)), claims=("3",)), put("Patient", "gone")],
        [appointment("a", take(*NINE), version=2, claims=("1",)), deletion("Patient", "gone", 2)],
        [appointment("hold", take(at(12), at(13), until=at(1)))],
    ]
    for each in puts:
        await store.commit(plan(*(indexed(one) for one in each)))
    await store.commit(plan(indexed(appointment("after", take(at(12), at(13)))), now=at(2)))


@pytest.fixture
def sound(sqlite, run):
    """A store with such a past."""
    run(fill(sqlite))
    return sqlite


def found(store, run, by=extract):
    async def all_of_them():
        return [one async for one in findings(store, by, now=at(3))]

    return run(all_of_them())


def damage(store, *statements):
    with sqlite3.connect(store.path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_sound_store_has_no_finding(sound, run):
    assert found(sound, run) == []


@pytest.mark.parametrize(
    ("statement", "where", "what"),
    [
        ("DELETE FROM history WHERE id = 'a'", "Appointment/a", "versions"),
        ("UPDATE history SET version = 7 WHERE id = 'p'", "Patient/p", "versions"),
        ("UPDATE resource SET version = 3 WHERE id = 'b'", "Appointment/b", "versions"),
        ("DELETE FROM resource WHERE id = 'gone'", "Patient/gone", "no current version"),
        (f"UPDATE history SET updated = {DAWN + 99 * MINUTE} WHERE id = 'a'", "Appointment/a", "older"),
        ("UPDATE identifier SET id = 'nobody' WHERE value = '3'", "Appointment/nobody", "identifier"),
        ("UPDATE resource SET interaction = 'delete' WHERE id = 'b'", "Appointment/b", "time is taken"),
        ("UPDATE owner SET schedule = 'none' WHERE schedule = 'martin'", "Schedule/none", "owned"),
        ("UPDATE resource SET body = x'7b' WHERE id = 'b'", "Appointment/b", "not JSON"),
        ("UPDATE resource SET body = x'5b5d' WHERE id = 'b'", "Appointment/b", "not JSON"),
        (
            "UPDATE history SET body = CAST(replace(body, '\"a\"', '\"x\"') AS BLOB) WHERE id = 'a'",
            "Appointment/a",
            "another",
        ),
        ("UPDATE resource SET body = x'00' WHERE id = 'gone'", "Patient/gone", "deletion has a body"),
        (f"UPDATE taken SET finish = {at(10, 1)} WHERE appointment = 'a'", DOCTOR, "can serve"),
        (f"UPDATE taken SET lapse = {at(4)} WHERE appointment = 'hold'", DOCTOR, "can serve"),
        ("DELETE FROM token WHERE id = 'a' AND param = 'version'", "Appointment/a", "index rows"),
        ("UPDATE period SET hi = hi + 1 WHERE id = 'b'", "Appointment/b", "index rows"),
        ("UPDATE text SET text = 'x' WHERE id = 'p'", "Patient/p", "index rows"),
        ("DELETE FROM link WHERE id = 'martin'", "Schedule/martin", "index rows"),
        ("UPDATE place SET longitude = 1.5 WHERE id = 'a'", "Appointment/a", "index rows"),
        (
            "INSERT INTO token VALUES ('default', 'Patient', 'id', 'gone', '', 'gone')",
            "Patient/gone",
            "index rows",
        ),
    ],
)
def test_each_damage_is_named_where_it_is(sound, run, statement, where, what):
    damage(sound, statement)

    assert any(one.where == where and what in one.what for one in found(sound, run))


def test_time_that_was_taken_unguarded_is_not_a_finding(sqlite, run):
    run(sqlite.commit(plan(indexed(appointment("a", take(*NINE))), indexed(appointment("b", take(*NINE))))))
    run(sqlite.commit(plan(indexed(schedule("martin", DOCTOR)))))

    assert found(sqlite, run) == []


def test_reindexing_makes_the_rows_that_commits_make(sound, run):
    dump = "SELECT * FROM token UNION ALL SELECT * FROM period UNION ALL SELECT * FROM text UNION ALL SELECT * FROM link UNION ALL SELECT * FROM place ORDER BY 1, 2, 3, 4, 5, 6"
    before = run(sound.alone(lambda c: c.execute(dump).fetchall()))
    damage(sound, "DELETE FROM token", "UPDATE text SET text = 'x'", "DELETE FROM period WHERE id = 'p'")
    steps: list[int] = []

    number = run(reindex(sound, extract, "sum", steps.append))

    assert run(sound.alone(lambda c: c.execute(dump).fetchall())) == before
    assert number == steps[-1] == 7
    assert run(made_by(sound)) == "sum"
    assert found(sound, run) == []


def test_an_interrupted_reindexing_is_known_to_be_unfinished(sound, run):
    def broken(resource):
        raise RuntimeError

    run(reindex(sound, extract, "sum"))
    with pytest.raises(RuntimeError):
        run(reindex(sound, broken, "other"))

    assert run(made_by(sound)) is None
    run(reindex(sound, extract, "other"))
    assert run(made_by(sound)) == "other"


def test_the_doctor_works_while_the_store_writes(sound, run):
    async def meanwhile():
        async for one in findings(sound, extract, now=at(3)):
            yield one

    async def both():
        said = [one async for one in meanwhile()]
        await sound.commit(plan(indexed(put("Patient", "new"))))
        return said

    assert run(both()) == []

"""The doctor on PostgreSQL says nothing of a sound store, and names each kind of damage, that of tables and functions included (REL-24, REL-33)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

import creneau.store
from creneau.search.rows import Text, Token
from creneau.store import postgres_schema
from creneau.store.contract import Claim
from creneau.store.postgres import open_postgres
from creneau.store.postgres_inspect import findings, holders, takes
from tests.databases import created

from .made import DAWN, DOCTOR, MINUTE, ROOM, at, plan, put
from .test_doctor import extract, fill

SCHEMA = Path(creneau.store.__file__).parent / "migrations" / "postgres" / "schema.txt"


@pytest.fixture
def sound(postgres, run):
    """A store in which resources of several types were created, changed and deleted."""
    run(fill(postgres))
    return postgres


@pytest.fixture(scope="module")
def fresh(cluster):
    """The URL of a database with our tables and no row."""
    url = created(cluster)

    async def make():
        await (await open_postgres(url)).close()

    asyncio.run(make())
    return url


def found(store, run, by=extract):
    return run(findings(store, by, now=at(3)))


def test_a_sound_store_has_no_finding(sound, run):
    assert found(sound, run) == []


def test_texts_that_are_kept_shortened_are_no_finding(postgres, run):
    def long(resource):
        rows = extract(resource)
        texts = frozenset(Text("name", "é" * 700, "É" * 700 + end) for end in "ab")
        tokens = rows.tokens | {Token("id", "", "a\0b"), Token("id", "", "x" * 3000)}
        return rows._replace(texts=texts, tokens=tokens)

    made = {"resourceType": "Patient", "id": "p", "meta": {"versionId": "1"}}
    run(postgres.commit(plan(put("Patient", "p", rows=long(made)))))

    assert found(postgres, run, long) == []


def test_what_is_asked_for_many_is_what_is_said_of_each(sound, run):
    claims = [("Appointment", Claim("urn:ids", value)) for value in ("3", "1", "none", "x" * 3000, "a\0b")]
    held = [row for row in run(sound.connections.rows("SELECT system, value FROM identifier")) if row]
    claims += [("Appointment", Claim(*row)) for row in held]
    ids = ["a", "b", "hold", "after", "nobody"]

    assert len(held) > 1
    assert run(holders(sound, claims)) == {
        key: id_ for key in claims if (id_ := run(sound.holder(*key))) is not None
    }
    assert run(takes(sound, ids)) == {id_: found for id_ in ids if (found := run(sound.takes(id_)))}
    assert (run(holders(sound, [])), run(takes(sound, []))) == ({}, {})


@pytest.mark.parametrize(
    ("statement", "where", "what"),
    [
        ("DELETE FROM history WHERE {} AND id = 'a'", "Appointment/a", "versions"),
        ("UPDATE history SET version = 7 WHERE {} AND id = 'p'", "Patient/p", "versions"),
        ("UPDATE resource SET version = 3 WHERE {} AND id = 'b'", "Appointment/b", "versions"),
        ("DELETE FROM resource WHERE {} AND id = 'gone'", "Patient/gone", "no current version"),
        (
            f"UPDATE history SET updated = {DAWN + 99 * MINUTE} WHERE {{}} AND id = 'a'",
            "Appointment/a",
            "older",
        ),
        ("UPDATE identifier SET id = 'nobody' WHERE {} AND value = '3'", "Appointment/nobody", "identifier"),
        (
            "UPDATE resource SET interaction = 'delete' WHERE {} AND id = 'b'",
            "Appointment/b",
            "time is taken",
        ),
        ("UPDATE owner SET schedule = 'none' WHERE {} AND schedule = 'martin'", "Schedule/none", "owned"),
        (f"DELETE FROM thing WHERE {{}} AND thing = '{ROOM}'", ROOM, "to lock"),
        ("UPDATE resource SET body = '{{' WHERE {} AND id = 'b'", "Appointment/b", "not JSON"),
        ("UPDATE resource SET body = '[]' WHERE {} AND id = 'b'", "Appointment/b", "not JSON"),
        (
            "UPDATE history SET body = (SELECT body FROM history WHERE {} AND id = 'p') WHERE {} AND id = 'a'",
            "Appointment/a",
            "another",
        ),
        ("UPDATE resource SET body = 'x' WHERE {} AND id = 'gone'", "Patient/gone", "deletion has a body"),
        (f"UPDATE taken SET finish = {at(10, 1)} WHERE {{}} AND appointment = 'a'", DOCTOR, "can serve"),
        (f"UPDATE taken SET lapse = {at(4)} WHERE {{}} AND appointment = 'hold'", DOCTOR, "can serve"),
        ("DELETE FROM token WHERE {} AND id = 'a' AND param = 'version'", "Appointment/a", "index rows"),
        ("UPDATE period SET hi = hi + 1 WHERE {} AND id = 'b'", "Appointment/b", "index rows"),
        ("UPDATE text SET text = 'x' WHERE {} AND id = 'p'", "Patient/p", "index rows"),
        ("DELETE FROM link WHERE {} AND id = 'martin'", "Schedule/martin", "index rows"),
        ("UPDATE place SET longitude = 1.5 WHERE {} AND id = 'a'", "Appointment/a", "index rows"),
        (
            "UPDATE token SET type = 'Patient', id = 'gone' WHERE {} AND id = 'b' AND param = 'id'",
            "Patient/gone",
            "index rows",
        ),
    ],
)
def test_each_damage_is_named_where_it_is(sound, run, statement, where, what):
    ours = f"tenant = '{sound.tenant}'"
    run(sound.connections.call(statement.replace("{}", ours).replace("{{", "{")))

    assert any(one.where == where and what in one.what for one in found(sound, run))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP TABLE link", "table link: column target_id"),
        ("ALTER TABLE taken ADD COLUMN note text", "table taken: column note text: is not of this version"),
        (
            "ALTER TABLE taken ALTER COLUMN lapse SET NOT NULL",
            "table taken: column lapse bigint: is not there",
        ),
        (
            "ALTER TABLE taken ALTER COLUMN capacity TYPE integer",
            "table taken: column capacity bigint NOT NULL",
        ),
        ("ALTER TABLE owner DROP CONSTRAINT owner_pkey", "table owner: constraint PRIMARY KEY"),
        ("ALTER TABLE taken DROP CONSTRAINT taken_check", "table taken: constraint CHECK ((start < finish))"),
        ("DROP INDEX taken_by_appointment", "table taken: index CREATE INDEX taken_by_appointment"),
        ("CREATE UNIQUE INDEX odd ON taken (slot)", "table taken: index CREATE UNIQUE INDEX odd"),
        ("DROP FUNCTION creneau_commit", "function creneau_commit(whose text, plan jsonb, bodies bytea[])"),
        ("ALTER FUNCTION creneau_commit RESET enable_seqscan", "function creneau_commit(whose text"),
        ("ALTER FUNCTION creneau_commit IMMUTABLE", "function creneau_commit(whose text"),
        (
            "CREATE OR REPLACE FUNCTION creneau_names(slots text, schedule text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
            "function creneau_names(slots text, schedule text): is not there as this version made it",
        ),
        (
            "CREATE FUNCTION creneau_commit(whose text) RETURNS text LANGUAGE sql AS 'SELECT whose'",
            "function creneau_commit(whose text): is not of this version",
        ),
        (
            "CREATE TRIGGER odd BEFORE UPDATE ON taken FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "table taken: trigger odd: is not of this version",
        ),
    ],
)
def test_tables_and_functions_of_another_form_are_named(fresh, run, statement, said):
    async def damaged():
        connection = await asyncpg.connect(fresh)
        whole = connection.transaction()
        await whole.start()
        await connection.execute(statement)
        lines = await postgres_schema.differences(connection)
        await whole.rollback()
        await connection.close()
        return lines

    assert any(line.startswith(said) for line in run(damaged()))


def test_what_others_keep_beside_is_no_finding(fresh, run):
    async def beside():
        connection = await asyncpg.connect(fresh)
        whole = connection.transaction()
        await whole.start()
        await connection.execute("CREATE TABLE notes (id int)")
        await connection.execute("CREATE INDEX quick ON taken (tenant, slot)")
        await connection.execute("CREATE FUNCTION other() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        lines = await postgres_schema.differences(connection)
        await whole.rollback()
        await connection.close()
        return lines

    assert run(beside()) == []


def test_the_facts_that_are_carried_are_those_that_the_migrations_make(postgres, run):
    """After a migration: write what this test says to `migrations/postgres/schema.txt`."""
    facts = run(postgres.connections.together(postgres_schema.facts))

    assert "\n".join(facts) + "\n" == SCHEMA.read_text("utf-8")

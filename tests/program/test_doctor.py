"""`creneau doctor` on either store: nothing in a sound database, each damage of what appointments mean by its place; PostgreSQL's log (SEC-41)."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from tests.client import CREATED, Server
from tests.databases import created
from tests.people import appointment, future, practice
from tests.store.cluster import Cluster


def creneau(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "creneau", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def executed(database: str, *statements: str) -> None:
    """Run SQL behind the program's back."""
    if database.startswith("sqlite:"):
        connection = sqlite3.connect(database.removeprefix("sqlite:"))
        with connection:
            connection.executescript(";".join(statements))
        connection.close()
        return

    async def inside() -> None:
        other = await asyncpg.connect(database)
        for statement in statements:
            await other.execute(statement)
        await other.close()

    asyncio.run(inside())


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_each_damage_of_what_appointments_mean_is_named(
    kind: str, new_server: Callable[..., Server], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database = f"sqlite:{tmp_path / 'x.sqlite'}"
    if kind == "postgres":
        database = created(request.getfixturevalue("cluster"))
    server = new_server(database=database)
    at = practice(server)
    made = [server.post("/Appointment", appointment(at, future(hour))) for hour in (9, 10, 11, 12)]
    assert [one.status for one in made] == [CREATED] * 4
    server.stop()
    first, second, third, fourth = (one.id for one in made)
    text = "convert_from(body, 'UTF8')" if kind == "postgres" else "CAST(body AS TEXT)"
    bytes_ = ("convert_to(", ", 'UTF8')") if kind == "postgres" else ("CAST(", " AS BLOB)")

    sound = creneau("doctor", "--database", database)
    executed(
        database,
        f"DELETE FROM taken WHERE appointment = '{first}'",
        f"UPDATE identifier SET id = '{second}' WHERE id = '{first}'",
        f"UPDATE resource SET body = {bytes_[0]}replace({text}, '\"booked\"', '\"odd\"'){bytes_[1]} WHERE id = '{second}'",
        f"UPDATE resource SET body = {bytes_[0]}replace({text}, '\"booked\"', '\"noshow\"'){bytes_[1]} WHERE id = '{third}'",
        f"UPDATE resource SET body = {bytes_[0]}'no JSON'{bytes_[1]} WHERE id = '{fourth}'",
        f"DELETE FROM resource WHERE id = '{at.patient.partition('/')[2]}'",
    )
    ill = creneau("doctor", "--database", database)

    assert (sound.returncode, sound.stdout) == (0, "")
    assert ("log_error_verbosity = default" in sound.stderr) is (kind == "postgres")
    assert ill.returncode == 1 and "Traceback" not in ill.stderr
    said = ill.stdout
    assert f"Appointment/{first}: does not take the time of {at.practitioner}" in said
    assert f"Appointment/{first}: its business identifier is held by Appointment/{second}" in said
    assert f"Appointment/{second}: Appointment.status" in said
    assert f"Appointment/{third}: status noshow, and yet it takes time of" in said
    assert f"Appointment/{fourth}: its body is not JSON" in said
    assert f"refers to {at.patient}, which is not there" in said


def test_settings_of_the_server_that_let_data_into_its_log_are_warned_of(cluster: Cluster) -> None:
    checked = creneau("check", "--database", created(cluster))
    away = creneau("check", "--database", "postgresql://u:secret@127.0.0.1:1/x")

    assert (checked.returncode, away.returncode) == (0, 0)
    assert "log_parameter_max_length = -1: its log may hold values" in checked.stderr
    assert "not looked at" in away.stderr and "secret" not in away.stderr

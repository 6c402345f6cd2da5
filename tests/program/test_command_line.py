"""The program as an administrator runs it: settings, refusals to start, doctor, backup, a clean stop."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.client import CREATED, OK, Server
from tests.people import appointment, future, practice, where

from creneau import config


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "creneau", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_without_authentication_only_loopback_is_served(host: str, tmp_path: Path) -> None:
    done = run("serve", "--host", host, "--port", "0", "--database", f"sqlite:{tmp_path / 'x.sqlite'}")

    assert done.returncode == 1
    assert "authentication" in done.stderr and done.stderr.count("\n") == 1


def test_a_second_server_on_one_file_is_refused_with_the_pid_of_the_first(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    first = new_server()
    assert first.process is not None

    done = run("serve", "--port", "0", "--database", first.database)

    assert done.returncode == 1
    assert str(first.process.pid) in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 3", "colour: there is no such setting"),
        ("port = 'x'", "port: a whole number expected"),
        ("port = 70000", "port: 0 to 65535"),
        ("zone = 'Europe/Nowhere'", "zone:"),
        ("language = 'de'", "language: fr or en"),
        ("database = 'oracle:x'", "database:"),
        ("hold_hours = 0", "hold_hours: at least 1"),
        ("port = ", "Invalid"),
    ],
)
def test_a_wrong_setting_stops_the_program_with_one_line(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "creneau.toml"
    file.write_text(text, "utf-8")

    done = run("check", "--config", str(file))

    assert done.returncode == 2
    assert said in done.stderr


def test_settings_come_from_file_then_environment_then_command_line(tmp_path: Path) -> None:
    file = tmp_path / "creneau.toml"
    file.write_text(
        "port = 1\npage = 7\nclient_ids = true\nbase_aliases = ['https://a.example/fhir']", "utf-8"
    )

    found = config.load(
        file, {"CRENEAU_PORT": "2", "CRENEAU_CLIENT_IDS": "no", "HOME": "/"}, {"port": 3, "host": None}
    )

    assert (found.port, found.page, found.client_ids) == (3, 7, False)
    assert found.base_aliases == ("https://a.example/fhir",)


def test_check_prints_every_setting() -> None:
    done = run("check", COLUMNS="400")

    assert done.returncode == 0
    assert all(name in done.stdout for name in config.sentences())


def test_a_stop_is_clean_and_what_was_written_is_there_again(new_server: Callable[..., Server]) -> None:
    server = new_server()
    sent = appointment(practice(server), future(9))
    assert server.put(where(sent), sent).status == CREATED

    assert server.stop() == 0
    again = new_server()

    assert again.get(where(sent)).json["total"] == 1


def test_doctor_finds_nothing_in_a_sound_database_and_says_what_is_wrong_in_another(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = new_server()
    at = practice(server)
    for hour in (9, 10):
        assert server.post("/Appointment", appointment(at, future(hour))).status == CREATED
    assert server.stop() == 0

    sound = run("doctor", "--database", server.database)
    file = server.database.removeprefix("sqlite:")
    with sqlite3.connect(file) as opened:
        opened.execute(
            "UPDATE taken SET start = (SELECT min(start) FROM taken), finish = (SELECT min(finish) FROM taken)"
        )
    double = run("doctor", "--database", server.database)

    assert (sound.returncode, sound.stdout) == (0, "")
    assert double.returncode == 1
    assert at.practitioner in double.stdout


def test_doctor_of_a_file_that_is_not_there_makes_none(tmp_path: Path) -> None:
    done = run("doctor", "--database", f"sqlite:{tmp_path / 'none.sqlite'}")

    assert done.returncode == 1
    assert not (tmp_path / "none.sqlite").exists()


def test_a_backup_of_a_running_server_opens_and_holds_what_was_there(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = new_server()
    sent = appointment(practice(server), future(9))
    server.put(where(sent), sent)
    copy = tmp_path / "copy.sqlite"

    done = run("backup", str(copy), "--database", server.database)
    twice = run("backup", str(copy), "--database", server.database)
    restored = new_server(database=f"sqlite:{copy}")

    assert done.returncode == 0, done.stderr
    assert twice.returncode == 1 and "exist" in twice.stderr.lower()
    assert restored.get(where(sent)).json["total"] == 1


def test_a_backup_is_restored_in_place_of_a_database(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = new_server()
    sent = appointment(practice(server), future(9))
    server.put(where(sent), sent)
    copy, other = tmp_path / "copy.sqlite", f"sqlite:{tmp_path / 'other.sqlite'}"
    assert run("backup", str(copy), "--database", server.database).returncode == 0

    busy = run("restore", str(copy), "--database", server.database, "--force")
    fresh = run("restore", str(copy), "--database", other)
    again = run("restore", str(copy), "--database", other)
    restored = new_server(database=other)

    assert (busy.returncode, fresh.returncode, again.returncode) == (1, 0, 1)
    assert "--force" in again.stderr
    assert restored.get(where(sent)).json["total"] == 1


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("doctor",), ("backup", "x.sqlite")])
def test_a_file_that_is_no_database_is_refused_on_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    junk = tmp_path / "junk.sqlite"
    junk.write_bytes(b"not a database at all" * 1000)

    done = run(*command, "--database", f"sqlite:{junk}")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "not a database" in done.stderr


def test_demo_data_is_loaded_once_and_served(new_server: Callable[..., Server], tmp_path: Path) -> None:
    database = f"sqlite:{tmp_path / 'demo.sqlite'}"

    first, second = (
        run("demo", "--if-empty", "--database", database),
        run("demo", "--if-empty", "--database", database),
    )
    server = new_server(database=database)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "already" in second.stdout
    assert server.get("/Patient?_count=0").json["total"] == 500
    assert server.get("/Slot?schedule.actor:Practitioner=prat-001&status=free&_count=1").json["total"] > 0
    assert server.stop() == 0
    assert run("doctor", "--database", database).returncode == 0


def test_a_package_of_the_administrator_is_checked(new_server: Callable[..., Server], tmp_path: Path) -> None:
    absent = run("serve", "--port", "0", "--database", "memory:", CRENEAU_PACKAGES=str(tmp_path / "none.tgz"))

    assert absent.returncode == 1
    assert "none.tgz" in absent.stderr and "Traceback" not in absent.stderr


def test_a_server_in_memory_answers(new_server: Callable[..., Server]) -> None:
    server = new_server(database="memory:")

    assert server.get("/metadata").status == OK
    assert server.post("/Appointment", appointment(practice(server), future(9))).status == CREATED

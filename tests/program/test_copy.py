"""`creneau copy`: a server started on the copy answers as the one it was copied from did, on either store."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.client import CREATED, OK, Reply, Server
from tests.databases import created
from tests.people import appointment, future, instant, patient, practice, where
from tests.store.cluster import Cluster
from tests.store.made import plan, put

from creneau.store.sqlite import open_sqlite

INTERRUPTED = """
import os, signal
from creneau.commands.progress import Advance
Advance.add = lambda self, number: os.kill(os.getpid(), signal.SIGINT)
from creneau.__main__ import main
main()
"""


def creneau(
    *arguments: str, program: tuple[str, ...] = ("-m", "creneau")
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=os.environ)


def written(server: Server) -> list[str]:
    """Every kind of thing that a store keeps; what to ask a server that has it."""
    at = practice(server)
    scan = server.call("POST", "/Binary", b"\x00%PDF-1.7\xff" * 5000, Content_Type="application/pdf")
    assert scan.status == CREATED
    attached = {"url": f"Binary/{scan.id}", "contentType": "application/pdf", "title": "courrier é"}
    letter = {
        "resourceType": "DocumentReference",
        "id": "lettre",
        "status": "current",
        "content": [{"attachment": attached}],
    }
    more = {"contained": [letter], "supportingInformation": [{"reference": "#lettre"}]}
    booked = appointment(at, future(9), **more)
    assert server.put(where(booked), booked).status == CREATED
    moved = {**booked, "start": instant(future(10)), "end": instant(future(10, 15))}
    assert server.put(where(booked), moved).status == OK
    assert server.post("/Appointment", appointment(at, future(11), status="proposed")).status == CREATED
    gone = patient(server)
    assert server.call("DELETE", f"/{gone}").status in {OK, 204}
    return [
        "/_history?_count=1000",
        "/Appointment?_count=100&_sort=date",
        f"{where(booked)}&_include=Appointment:actor",
        f"/Slot?schedule={at.agenda}&start=ge{instant(future(8))}&start=lt{instant(future(12))}&_count=100",
        f"/Binary/{scan.id}",
        f"/{gone}",
        f"/{gone}/_history",
        f"/Patient?name=martin&_summary=true&_id={at.patient.partition('/')[2]}",
    ]


def answers(server: Server, asked: list[str]) -> list[tuple[int, bytes]]:
    def answered(reply: Reply) -> tuple[int, bytes]:
        return reply.status, reply.body.replace(server.base.encode(), b"")

    return [answered(server.get(one)) for one in asked]


def copied(source: str, target: str) -> None:
    done = creneau("copy", "--from", source, "--to", target)
    examined = creneau("doctor", "--database", target)

    assert done.returncode == 0, done.stderr
    assert "rows copied" in done.stdout
    assert (examined.returncode, examined.stdout) == (0, "")


def test_a_server_on_the_copy_and_on_the_copy_of_it_answers_as_the_first(
    new_server: Callable[..., Server], cluster: Cluster, tmp_path: Path
) -> None:
    first, last = (f"sqlite:{tmp_path / name}" for name in ("first.sqlite", "last.sqlite"))
    between = created(cluster)
    server = new_server(database=first)
    asked = written(server)
    said = answers(server, asked)
    busy = creneau("copy", "--from", first, "--to", between)
    server.stop()

    copied(first, between)
    other = new_server(database=between)
    assert answers(other, asked) == said
    taken = appointment(practice(other), future(9))
    assert other.put(where(taken), taken).status == CREATED
    said = answers(other, [*asked, where(taken)])
    other.stop()
    copied(between, last)
    third = new_server(database=last)

    assert (busy.returncode, busy.stderr.count("in use by process")) == (1, 1)
    assert [status for status, _ in said] == [OK, OK, OK, OK, OK, 410, OK, OK, OK]
    assert answers(third, [*asked, where(taken)]) == said


def test_an_interrupted_copy_says_so_and_the_same_command_then_copies(tmp_path: Path) -> None:
    source, target = (f"sqlite:{tmp_path / name}" for name in ("s.sqlite", "t.sqlite"))

    async def fill() -> None:
        store = open_sqlite(tmp_path / "s.sqlite")
        await store.commit(plan(put("Patient", "p")))
        await store.close()

    asyncio.run(fill())
    broken = creneau("copy", "--from", source, "--to", target, program=("-c", INTERRUPTED))
    left = [one.name for one in tmp_path.iterdir() if one.name.startswith("t.sqlite")]
    done = creneau("copy", "--from", source, "--to", target)
    again = creneau("copy", "--from", source, "--to", target)

    assert (broken.returncode, done.returncode, again.returncode) == (130, 0, 1)
    assert "interrupted; nothing was copied" in broken.stderr
    assert left == ["t.sqlite.lock"]
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("source", "target", "code", "said"),
    [
        ("memory:", "sqlite:t.sqlite", 2, "memory: holds nothing"),
        ("sqlite:s.sqlite", "sqlite:s.sqlite", 2, "--from and --to are the same"),
        ("sqlite:none.sqlite", "sqlite:t.sqlite", 1, "no such database"),
        ("postgresql://u:secret@127.0.0.1:1/x", "sqlite:t.sqlite", 1, "postgresql://u"),
    ],
)
def test_what_cannot_be_copied_is_said_on_one_line(
    source: str, target: str, code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = creneau("copy", "--from", source, "--to", target)

    assert done.returncode == code
    assert said in done.stderr and done.stderr.count("\n") == 1
    assert "secret" not in done.stderr
    assert not [one for one in tmp_path.iterdir() if one.suffix == ".sqlite"]

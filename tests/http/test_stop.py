"""SIGTERM finishes what is in work, refuses what is new, closes the store, and is a success (REL-32)."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def served(stop_seconds: int) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "tests.http.stopping", str(stop_seconds)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.02)
        try:
            yield process, port
        finally:
            process.kill()


def status_of_read(port: int, found: list[object]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/fhir/Patient/1")
        found.append(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        found.append(type(error).__name__)
    finally:
        connection.close()


def test_a_stop_finishes_what_is_in_work_and_refuses_what_is_new() -> None:
    in_work: list[object] = []
    with served(20) as (process, port):
        idle = socket.create_connection(("127.0.0.1", port))
        reading = threading.Thread(target=status_of_read, args=(port, in_work))
        reading.start()
        time.sleep(0.3)

        process.send_signal(signal.SIGTERM)
        time.sleep(0.4)
        new: list[object] = []
        status_of_read(port, new)
        reading.join()
        code = process.wait(10)
        said, log = process.communicate()
        idle.close()

    assert in_work == [404]
    assert new == ["ConnectionRefusedError"]
    assert code == 0
    assert said == "closed\n"
    assert "Traceback" not in log


def test_a_stop_does_not_wait_longer_than_it_may() -> None:
    with served(0) as (process, port):
        reading = threading.Thread(target=status_of_read, args=(port, []))
        reading.start()
        time.sleep(0.3)
        started = time.monotonic()

        process.send_signal(signal.SIGINT)
        code = process.wait(10)
        reading.join()

    assert code == 0
    assert time.monotonic() - started < 5


@contextmanager
def told_to_stop_while_halted(process: subprocess.Popen[str]) -> Iterator[None]:
    """What is done within comes before SIGTERM, and the program sees both at once."""
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.05)
    yield
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    process.send_signal(signal.SIGCONT)


def test_what_a_halted_server_was_sent_before_the_stop_is_answered() -> None:
    with served(20) as (process, port):
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        asking.request("GET", "/health/live")
        asking.getresponse().read()  # its connection is idle now

        with told_to_stop_while_halted(process):
            asking.request("GET", "/health/live")
        status = asking.getresponse().status
        code = process.wait(10)
        asking.close()

    assert status == 200
    assert code == 0


def test_a_client_that_was_not_accepted_yet_at_the_stop_is_answered() -> None:
    with served(20) as (process, port):
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with told_to_stop_while_halted(process):
            asking.request("GET", "/health/live")  # the system takes it, the program has not yet
        status = asking.getresponse().status
        code = process.wait(10)
        asking.close()

    assert status == 200
    assert code == 0

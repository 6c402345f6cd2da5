"""A connection is closed for silence only when nothing has come on it, what is not read yet included."""

from __future__ import annotations

import socket
import time

import pytest

from creneau.http.protocol import BoundedProtocol
from creneau.http.settings import ServerSettings
from tests.http.running import Running

LIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
LONG = b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(autouse=True)
def one_turn_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server takes a second to read LONG: what else arrives meanwhile is read in the next turn of its loop."""
    read = BoundedProtocol.data_received

    def slow(self: BoundedProtocol, data: bytes) -> None:
        if data == LONG:
            time.sleep(1.0)
        read(self, data)

    monkeypatch.setattr(BoundedProtocol, "data_received", slow)


def asked_while_its_time_ends(running: Running, connection: socket.socket) -> bytes:
    """Ask half a second after now, while the server reads something long since a moment; what comes back."""
    with socket.create_connection(("127.0.0.1", running.port)) as other:
        time.sleep(0.3)
        other.sendall(LONG)
        time.sleep(0.2)
        connection.sendall(LIVE)
        return connection.recv(15)


def test_a_request_that_came_before_the_end_of_the_keep_alive_is_answered() -> None:
    with (
        Running(bounds=ServerSettings(keep_alive=1)) as running,
        socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection,
    ):
        connection.sendall(LIVE)
        connection.recv(4096)

        assert asked_while_its_time_ends(running, connection) == b"HTTP/1.1 200 OK"


def test_a_first_request_that_came_in_time_is_answered() -> None:
    with (
        Running(bounds=ServerSettings(head_seconds=0.8)) as running,
        socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection,
    ):
        assert asked_while_its_time_ends(running, connection) == b"HTTP/1.1 200 OK"


def test_a_silent_connection_is_closed() -> None:
    with (
        Running(bounds=ServerSettings(keep_alive=1, head_seconds=0.3)) as running,
        socket.create_connection(("127.0.0.1", running.port), timeout=10) as silent,
        socket.create_connection(("127.0.0.1", running.port), timeout=10) as used,
    ):
        used.sendall(LIVE)
        used.recv(4096)

        assert silent.recv(1) == b""
        assert used.recv(1) == b""

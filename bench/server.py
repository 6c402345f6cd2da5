"""Starts a server process on a free port and ends it: the one under test, and the reference application."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

HOST = "127.0.0.1"
STARTING = 120.0
ROOT = Path(__file__).resolve().parents[1]


class NotStarted(Exception):
    """The process ended, or did not say it is ready in time; the message ends with what it printed."""


def free_port() -> int:
    """A TCP port of loopback that nobody listens on now."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def creneau(port: int, database: Path | str, program: Sequence[str] = ("creneau",)) -> list[str]:
    """The command that serves that SQLite file, or database; `program`: the module to run, with the arguments that precede `serve`."""
    where = database if isinstance(database, str) else f"sqlite:{database.resolve()}"
    options = ["--host", HOST, "--port", str(port), "--database", where]
    return [sys.executable, "-m", *program, "serve", *options]


class Server:
    """A server process that we started; `base` is its FHIR base URL."""

    def __init__(self, command: Sequence[str], port: int, log: Path, ready: str = "/health/ready") -> None:
        self.port = port
        self.base = f"http://{HOST}:{port}/fhir"
        self._log = log
        self._ready = ready
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=ROOT, env=_environment()
            )

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        return self.process.pid

    def wait_ready(self, seconds: float = STARTING) -> float:
        """Wait until it answers 200 where it says that it is ready; seconds waited. Raises NotStarted, the process then ended."""
        begin = time.perf_counter()
        while (passed := time.perf_counter() - begin) < seconds:
            if self.process.poll() is not None:
                break
            if self._answers():
                return passed
            time.sleep(0.01)
        self.kill()
        raise NotStarted(f"{self._ready} was not answered 200\n{self.printed()}")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=2)
        try:
            connection.request("GET", self._ready)
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def printed(self) -> str:
        """The last lines that the process printed."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return text[-4000:]

    def stop(self, seconds: float = 25.0) -> int:
        """SIGTERM, and its exit status; after `seconds` it is ended (status -6), where each thread stands is then in its log."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # faulthandler prints every thread
        try:
            return self.process.wait(5.0)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """SIGKILL, at once."""
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait()


def _environment() -> dict[str, str]:
    """Ours, less the settings of a Creneau that the user runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CRENEAU_")}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}

"""A PostgreSQL server of our own for the tests: a new cluster in a temporary folder, on a socket, durable as in production.

The server refuses to run as root: then it runs as the user `postgres` that its package makes.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

SERVER_USER = "postgres"
STARTS = "300"
"""Seconds within which it starts, however busy the disk is."""


class NoServer(Exception):
    """There is no PostgreSQL to run; the message says what is missing."""


class Cluster:
    """A running server, until `close`."""

    def __init__(self) -> None:
        self.programs = _programs()
        self._as = _as_user()
        self.folder = Path(tempfile.mkdtemp(prefix="creneau-pg-"))
        if self._as:
            user = pwd.getpwnam(SERVER_USER)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        locale = ["--locale=C.UTF-8", "--encoding=UTF8"]
        if self._version >= 15:  # an order of texts that is not ours must not matter
            locale += ["--locale-provider=icu", "--icu-locale=fr"]
        self._run(
            "initdb",
            "-D",
            self._data,
            "-U",
            "creneau",
            "-A",
            "trust",
            "--no-sync",
            "--no-instructions",
            *locale,
        )
        self.start()

    @property
    def url(self) -> str:
        """Of its database."""
        return f"postgresql://creneau@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=60 -c log_statement=none"
        if self._version >= 14:  # after a crash one call flushes all, not one for each of thousands of files
            options += " -c recovery_init_sync_method=syncfs"
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "-w", "-t", STARTS, "-s", "-D", self._data, "-l", log, "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop it; "immediate" is a crash: nothing is written that was not durable already."""
        self._run("pg_ctl", "stop", "-w", "-s", "-D", self._data, "-m", mode)

    def processes(self) -> list[int]:
        """The pids of the server: the first, then those it started."""
        first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text()
        return [first, *map(int, children.split())]

    def halt(self, kinds: Sequence[str]) -> None:
        """SIGSTOP those of its processes that call themselves so. They stay halted until they are killed."""
        for pid in self.processes()[1:]:
            with suppress(OSError):
                title = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
                if any(f"postgres: {kind}" in title for kind in kinds):
                    os.kill(pid, signal.SIGSTOP)

    def kill(self) -> None:
        """SIGKILL every process of the server, the first one first, so that it starts no other; returns when they are gone."""
        killed = self.processes()
        for pid in killed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while any(Path(f"/proc/{pid}").exists() for pid in killed):
            time.sleep(0.01)

    def close(self) -> None:
        """Stop it and remove the folder."""
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def _version(self) -> int:
        return _major(self.programs)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self.programs / program), *arguments]
        done = subprocess.run(command, cwd="/", capture_output=program == "initdb", text=True)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr or self._log()}")

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text() if log.exists() else "without a log"


def _programs() -> Path:
    """The folder of `initdb`; that of the newest version where several are installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: float(one.parts[4]))
    if not installed:
        raise NoServer("PostgreSQL is not installed (no initdb): the package postgresql of the system has it")
    return installed[-1].parent


def _major(programs: Path) -> int:
    said = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True)
    return int(said.stdout.split()[-1 if said.stdout.split()[-1][0].isdigit() else 2].split(".")[0])


def _as_user() -> Sequence[str]:
    if os.geteuid() != 0:
        return ()
    try:
        pwd.getpwnam(SERVER_USER)
    except KeyError as error:
        raise NoServer(f"PostgreSQL does not run as root, and there is no user {SERVER_USER}") from error
    return ("runuser", "-u", SERVER_USER, "--")

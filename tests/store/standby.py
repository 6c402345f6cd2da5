"""A streaming standby of a cluster of the tests, as an administrator would make it: pg_basebackup, then a start."""

from __future__ import annotations

import asyncio
import os
import pwd
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg

from .cluster import SERVER_USER, Cluster


class Standby(Cluster):
    """A replica of `primary`, until `close`."""

    def __init__(self, primary: Cluster) -> None:
        self.programs, self._as = primary.programs, primary._as
        self.folder = Path(tempfile.mkdtemp(prefix="creneau-pg-"))
        if self._as:
            user = pwd.getpwnam(SERVER_USER)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        source = ("-h", str(primary.folder), "-U", "creneau")
        self._run("pg_basebackup", *source, "-D", self._data, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        self.start()

    def asked(self, sql: str) -> Any:
        """The one value of a statement."""
        return asyncio.run(value(self.url, sql))

    def pause(self) -> None:
        """Replay nothing from now on."""
        self.asked("SELECT pg_wal_replay_pause()")
        self.until("SELECT pg_get_wal_replay_pause_state() = 'paused'")

    def resume(self) -> None:
        """Replay again."""
        self.asked("SELECT pg_wal_replay_resume()")

    def until(self, sql: str) -> None:
        """Wait until a statement gives true."""
        limit = time.monotonic() + 20
        while not self.asked(sql):
            assert time.monotonic() < limit, sql
            time.sleep(0.02)


async def value(url: str, sql: str) -> Any:
    """The one value of a statement, on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()

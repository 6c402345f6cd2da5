"""Copies the write-ahead log into the SQLite file beside the writer, so that no commit waits for it.

https://www.sqlite.org/wal.html#ckpt. A pass here copies most of the log while commits go on; only when all of it is copied can the
log start again from its beginning, so the writer ends the pass itself with the little that came meanwhile.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable


class Checkpointer:
    """A thread with a connection of its own. `passed` tells that a pass ended since the last `request`."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self.passed = False
        self._connect = connect
        self._wanted = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="creneau-checkpoint", daemon=True)
        self._thread.start()

    def request(self) -> None:
        """Ask for a pass; nothing happens when one runs."""
        self._wanted.set()

    def stop(self) -> None:
        """End the thread after the pass that runs; blocks until then."""
        self._stopping = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        connection = self._connect()
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._stopping:  # looked at after the clear: an end asked for at any moment is seen here or wakes the next wait
                break
            copy_log(connection)
            self.passed = True
        connection.close()


def copy_log(connection: sqlite3.Connection, mode: str = "PASSIVE") -> bool:
    """Copy what can be copied now; false when the disk refused, which harms nothing: the log stays and grows."""
    try:
        connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
    except sqlite3.Error:
        return False
    return True

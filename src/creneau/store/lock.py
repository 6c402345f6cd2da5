"""One process owns a store's file: a lock that the kernel releases when the holder dies (flock(2)), on a sibling file.

SQLite puts its own POSIX locks on the database itself, and closing any descriptor of a file drops all of a process's POSIX
locks on it, hence the sibling.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Owned(OSError):
    """Another process, or another store of this one, owns the file; `pid` is the holder's, None when it did not say."""

    def __init__(self, path: Path, pid: int | None) -> None:
        holder = "another process" if pid is None else f"process {pid}"
        super().__init__(f"{path} is in use by {holder}; one process at a time may serve it")
        self.pid = pid


class FileLock:
    """The lock itself, held from `take` until `release`, the death of the process included."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path) -> FileLock:
        """Own the file `path` (which need not exist); raises `Owned` at once when somebody does."""
        descriptor = os.open(beside(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = _pid(descriptor)
            os.close(descriptor)
            raise Owned(path, pid) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let others own the file; the lock file stays, for a name that comes and goes could be locked twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def beside(path: Path) -> Path:
    """Where the lock of a file lies."""
    return path.with_name(path.name + ".lock")


def _pid(descriptor: int) -> int | None:
    word = os.pread(descriptor, 20, 0).strip()
    return int(word) if word.isdigit() else None

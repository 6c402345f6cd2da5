"""How many durable writes a second the disk does, measured where the database is: 8 KiB rewritten and flushed (fdatasync)."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

BLOCK = b"\0" * 8192


def fsyncs_per_second(directory: Path, seconds: float = 0.4) -> float:
    """Flushes a second of a preallocated file in that directory; the file is removed."""
    with tempfile.TemporaryFile(dir=directory) as file:
        number = file.fileno()
        os.pwrite(number, BLOCK, 0)
        os.fsync(number)
        begin = time.perf_counter()
        count = 0
        while (passed := time.perf_counter() - begin) < seconds:
            os.pwrite(number, BLOCK, 0)
            os.fdatasync(number)
            count += 1
        return count / passed


def filesystem(directory: Path, mounts: str | None = None) -> str:
    """The type of file system that holds the directory ("ext4", "tmpfs"), "" when it cannot be told."""
    try:
        lines = (Path("/proc/self/mounts").read_text() if mounts is None else mounts).splitlines()
    except OSError:
        return ""
    path = directory.resolve()
    best, kind = -1, ""
    for line in lines:
        point, type_ = line.split()[1:3]
        inside = path == Path(point) or Path(point) in path.parents
        if inside and len(point) > best:
            best, kind = len(point), type_
    return kind

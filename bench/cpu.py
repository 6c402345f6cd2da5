"""What a server process costs: CPU time and resident memory of a pid and its descendants, from /proc (proc(5), Linux)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


class Process(NamedTuple):
    """One line of /proc/PID/stat: CPU seconds of all its threads, those that ended and its waited-for children included."""

    pid: int
    parent: int
    cpu: float


def parsed(line: str) -> Process:
    """Read a line of /proc/PID/stat; the command name, second field, may hold spaces and parentheses."""
    pid, _, rest = line.partition(" (")
    fields = rest[rest.rindex(")") + 2 :].split()
    user, system, children_user, children_system = (int(each) for each in fields[11:15])
    return Process(int(pid), int(fields[1]), (user + system + children_user + children_system) / TICKS)


def tree(pid: int, proc: Path = PROC) -> list[Process]:
    """The process and its descendants; empty when it is gone."""
    all_ = [one for entry in proc.iterdir() if entry.name.isdigit() and (one := _read(entry)) is not None]
    found = [one for one in all_ if one.pid == pid]
    at = 0
    while at < len(found):
        found += [one for one in all_ if one.parent == found[at].pid]
        at += 1
    return found


def _read(entry: Path) -> Process | None:
    try:
        return parsed((entry / "stat").read_text())
    except (OSError, ValueError):
        return None


def cpu_seconds(pid: int) -> float:
    """CPU time of the process and its descendants so far. Raises ProcessLookupError when it is gone."""
    found = tree(pid)
    if not found:
        raise ProcessLookupError(pid)
    return sum(one.cpu for one in found)


def resident_bytes(pid: int) -> int:
    """Resident memory of the process and its descendants."""
    return sum(_resident(one.pid) for one in tree(pid))


def _resident(pid: int) -> int:
    try:
        text = (PROC / str(pid) / "status").read_text()
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0

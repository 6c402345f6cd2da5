"""Processes of another user, followed by their ids: started, frozen, killed with all that they started, ended."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

USER: Final = "postgres"
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def own(path: Path) -> None:
    """Give a file or folder to the user that the servers run as."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(USER)
        os.chown(path, user.pw_uid, user.pw_gid)


def start(command: Sequence[str], log: Path, *, within: str | None = None) -> subprocess.Popen[bytes]:
    """Start it as that user, in the network namespace `within` when one is given, its output appended to `log`."""
    plain: dict[str, object] = {}
    if within is not None:
        command = ["ip", "netns", "exec", within, *_as_user(), *command]
    elif os.geteuid() == 0:
        user = pwd.getpwnam(USER)
        plain = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    environment = {"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": str(log.parent)}
    with log.open("ab") as output:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]  # its options come as a mapping
            command, stdout=output, stderr=output, cwd="/", env=environment, start_new_session=True, **plain
        )


def _as_user() -> list[str]:
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs"]


def family(pid: int) -> list[int]:
    """A process and all that it started and that are still its own, the eldest first."""
    children: dict[int, list[int]] = {}
    for one, parent in _parents():
        children.setdefault(parent, []).append(one)
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError):
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                yield int(entry.name), int(after_name[1])


def alive(pid: int) -> bool:
    """Whether it runs; a dead one that nobody waited for does not."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def send(pids: Sequence[int], sign: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, sign)


def gone(pids: Sequence[int], seconds: float = 10.0) -> bool:
    """Wait until none runs."""
    limit = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True

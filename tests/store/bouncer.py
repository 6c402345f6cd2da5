"""PgBouncer in transaction mode before a cluster of the tests: fewer connections to the server than programs open to it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .cluster import SERVER_USER, Cluster

PORT = 6432
POOL = 3
SETTINGS = """
[databases]
* = host={host} user=creneau
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 200
server_login_retry = 1
ignore_startup_parameters = extra_float_digits
logfile = {folder}/log
pidfile = {folder}/pid
"""


def program() -> str | None:
    """Where PgBouncer is; Debian puts it out of the way of users."""
    return shutil.which("pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


@contextmanager
def bouncer(cluster: Cluster) -> Iterator[Path]:
    """A running PgBouncer before this cluster; the folder of its socket. It does not run as root, as the cluster does not."""
    folder = Path(tempfile.mkdtemp(prefix="creneau-bouncer-"))
    settings = folder / "pgbouncer.ini"
    settings.write_text(SETTINGS.format(host=cluster.folder, folder=folder, port=PORT, pool=POOL))
    command = [str(program()), "-q", str(settings)]
    if os.geteuid() == 0:
        user = pwd.getpwnam(SERVER_USER)
        for path in (folder, settings):
            os.chown(path, user.pw_uid, user.pw_gid)
        command[1:1] = ["-u", SERVER_USER]
    process = subprocess.Popen(command, cwd="/", stderr=subprocess.PIPE)
    try:
        limit = time.monotonic() + 20
        while not (folder / f".s.PGSQL.{PORT}").exists():
            assert process.poll() is None and time.monotonic() < limit, "PgBouncer did not start"
            time.sleep(0.02)
        yield folder
    finally:
        process.terminate()
        process.communicate(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)

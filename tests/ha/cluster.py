"""Three nodes, each etcd and Patroni with PostgreSQL, and HAProxy in front, in a temporary folder, until `close`."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import asyncpg
from bench.server import free_port

from tests.ha import processes
from tests.ha.files import Layout, Place
from tests.ha.network import Loopback, Namespaces
from tests.store.cluster import NoServer, _as_user, _programs

PROGRAMS: Final = ("patroni", "etcd", "haproxy")
PASSWORD: Final = "essai"
RUNNING: Final = frozenset({"running", "streaming"})


def found(name: str) -> str:
    """Where a program is. Raises NoServer."""
    where = shutil.which(name, path=processes.PATH)
    if where is None:
        raise NoServer(f"{name} is not installed: .ci/ha installs it where Debian's packages are offered")
    return where


class Node:
    """One host: what runs on it, by process id."""

    def __init__(self, place: Place, within: str | None) -> None:
        self.place, self.within = place, within
        self.folder = Path(place.folder)
        self.etcd: subprocess.Popen[bytes] | None = None
        self.patroni: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What Patroni wrote."""
        return self.folder / "patroni.log"

    def start_etcd(self) -> None:
        """Start its member of etcd."""
        command = [found("etcd"), "--config-file", str(self.folder / "etcd.yml")]
        self.etcd = processes.start(command, self.folder / "etcd.log", within=self.within)

    def start_patroni(self) -> None:
        """Start Patroni, which starts PostgreSQL."""
        command = [found("patroni"), str(self.folder / "patroni.yml")]
        self.patroni = processes.start(command, self.log, within=self.within)

    def postgres(self) -> list[int]:
        """The processes of PostgreSQL."""
        try:
            first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return []
        return [pid for pid in processes.family(first) if processes.alive(pid)]

    def all(self) -> list[int]:
        """Every process of the host."""
        started = [one.pid for one in (self.patroni, self.etcd) if one is not None and one.poll() is None]
        return [*(pid for one in started for pid in processes.family(one)), *self.postgres()]

    def kill(self) -> None:
        """As a power cut: everything at once, SIGKILL."""
        pids = self.all()
        processes.send(pids, signal.SIGKILL)
        for one in (self.patroni, self.etcd):
            if one is not None:
                one.wait(10)
        assert processes.gone(pids), "a killed process goes on"

    def revive(self) -> None:
        """Start etcd and Patroni again."""
        self.start_etcd()
        self.start_patroni()


class Cluster:
    """The whole, healthy when made. Raises NoServer where a program is missing."""

    def __init__(self, network: Loopback | Namespaces) -> None:
        for name in PROGRAMS:
            found(name)
        _as_user()
        self.folder = Path(tempfile.mkdtemp(prefix="creneau-ha-"))
        self.folder.chmod(0o755)
        self.network = network
        places = network.places(self.folder)
        self.layout = Layout(
            places,
            network.range,
            PASSWORD,
            str(_programs()),
            front=network.front,
            primary_port=free_port(),
            replica_port=free_port(),
        )
        self.nodes = {place.name: Node(place, network.within(place.name)) for place in places}
        self.haproxy: subprocess.Popen[bytes] | None = None
        try:
            self._write()
            self._start()
        except BaseException:
            self.close()
            raise

    def _write(self) -> None:
        processes.own(self.folder)
        for node in self.nodes.values():
            node.folder.mkdir(mode=0o700)
            processes.own(node.folder)
            for name in ("etcd.yml", "patroni.yml"):
                target = node.folder / name
                target.write_text(self.layout.rendered(name, node.place), "utf-8")
                processes.own(target)
        front = self.folder / "haproxy.cfg"
        front.write_text(self.layout.rendered("haproxy.cfg", self.layout.nodes[0]), "utf-8")

    def _start(self) -> None:
        for node in self.nodes.values():
            node.start_etcd()
        self.until(self._etcd_answers, 30, "etcd does not answer")
        for node in self.nodes.values():
            node.start_patroni()
        self.until(self.whole, 120, "Patroni made no cluster")
        command = [found("haproxy"), "-f", str(self.folder / "haproxy.cfg")]
        self.haproxy = processes.start(command, self.folder / "haproxy.log")
        asyncio.run(self._prepare())

    async def _prepare(self) -> None:
        connection = await asyncpg.connect(self.direct(self.leader(), "postgres", "postgres"))
        await connection.execute(f"CREATE ROLE creneau LOGIN PASSWORD '{PASSWORD}'")
        await connection.close()

    def database(self, name: str) -> str:
        """The URL, through HAProxy, of a new database."""

        async def make() -> None:
            connection = await asyncpg.connect(self.direct(self.leader(), "postgres", "postgres"))
            await connection.execute(f"CREATE DATABASE {name} OWNER creneau")
            await connection.close()

        asyncio.run(make())
        front = f"{self.layout.front}:{self.layout.primary_port}"
        self.until(lambda: _open(front), 20, "HAProxy has no primary")
        return f"postgresql://creneau:{PASSWORD}@{front}/{name}?sslmode=disable"

    def direct(self, node: str, database: str, user: str = "creneau") -> str:
        """The URL of one node."""
        place = self.nodes[node].place
        return f"postgresql://{user}:{PASSWORD}@{place.address}:{place.postgres}/{database}?sslmode=disable"

    def everywhere(self, database: str) -> str:
        """The URL that names the three nodes."""
        hosts = ",".join(f"{one.address}:{one.postgres}" for one in self.layout.nodes)
        return f"postgresql://creneau:{PASSWORD}@{hosts}/{database}?sslmode=disable"

    def ask(self, node: str, path: str, body: Any = None, method: str | None = None) -> Any:
        """What the REST interface of a node's Patroni answers; None when it does not."""
        place = self.nodes[node].place
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://{place.address}:{place.rest}{path}", data=data, method=method
        )
        return _fetched(request, 30 if data else 1)

    def members(self) -> list[dict[str, Any]]:
        """The members, as the first Patroni that answers sees them."""
        for name in self.nodes:
            said = self.ask(name, "/cluster")
            if isinstance(said, dict) and said.get("members"):
                return list(said["members"])
        return []

    def leader(self, seconds: float = 60, *, other_than: str = "") -> str:
        """The name of the node that says that it leads, waited for."""
        found: list[str] = []

        def led() -> bool:
            found[:] = [
                one for one in self.nodes if one != other_than and self.ask(one, "/primary") is not None
            ]
            return bool(found)

        self.until(led, seconds, "there is no leader")
        return found[0]

    def standby(self) -> str:
        """The name of the synchronous standby."""
        self.until(lambda: bool(self._standbys()), 60, "there is no synchronous standby")
        return self._standbys()[0]

    def _standbys(self) -> list[str]:
        return [one["name"] for one in self.members() if one["role"] == "sync_standby"]

    def whole(self) -> bool:
        """A leader, a synchronous standby, and every node running on the same timeline."""
        members = self.members()
        return (
            len(members) == len(self.nodes)
            and all(one["state"] in RUNNING for one in members)
            and len({one.get("timeline") for one in members}) == 1
            and any(one["role"] == "leader" for one in members)
            and bool(self._standbys())
        )

    def until(self, condition: Callable[[], bool], seconds: float, otherwise: str) -> float:
        """Wait for it; the seconds that it took. Raises AssertionError."""
        started = time.monotonic()
        while not condition():
            assert time.monotonic() - started < seconds, f"{otherwise}\n{self.members()}"
            time.sleep(0.2)
        return time.monotonic() - started

    def _etcd_answers(self) -> bool:
        return all(_open(f"{one.address}:{one.etcd_clients}") for one in self.layout.nodes)

    def etcd_leader(self) -> str:
        """The node whose member leads etcd."""
        for name, node in self.nodes.items():
            url = f"http://{node.place.address}:{node.place.etcd_clients}/v3/maintenance/status"
            said = _fetched(urllib.request.Request(url, data=b"{}"), 2)
            if isinstance(said, dict) and said["leader"] == said["header"]["member_id"]:
                return name
        return ""

    def close(self) -> None:
        """End every process, by its id, and remove the folder."""
        for node in self.nodes.values():
            processes.send(node.all(), signal.SIGCONT)
            if node.patroni is not None:
                node.patroni.terminate()
        for node in self.nodes.values():
            if node.patroni is not None:
                _ended(node.patroni, 20)
            left = node.all()
            processes.send(left, signal.SIGKILL)
            processes.gone(left)
            if node.etcd is not None:
                _ended(node.etcd, 5)
        if self.haproxy is not None:
            self.haproxy.kill()
            self.haproxy.wait(5)
        shutil.rmtree(self.folder, ignore_errors=True)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def _fetched(request: urllib.request.Request, seconds: float) -> Any:
    """The answer, JSON or text; None when there is none or it is no success."""
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            text = answer.read()
    except (OSError, ValueError):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text.decode()


def _open(where: str) -> bool:
    """Whether something answers there, and stays."""
    host, _, port = where.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), 1) as connection:
            connection.settimeout(0.5)
            try:
                return connection.recv(1) != b""
            except TimeoutError:
                return True
    except OSError:
        return False

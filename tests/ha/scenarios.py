"""What is done to the cluster while eight writers go on, and what must hold: REL-16 to REL-19."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import asyncpg
from bench.stats import percentile
from bench.wire import target

from tests.client import Server
from tests.ha import processes
from tests.ha.cluster import Cluster
from tests.ha.load import Load, judged, writing
from tests.ha.probing import Probes, probing

TTL: Final = 20.0
OUTAGE: Final = TTL + 10
SWITCHED: Final = 6.0
BEFORE: Final = 4.0
RESUMED: Final = 40
"""Acknowledgements after which writing is said to have resumed."""
FROZEN: Final = 40.0
CANCEL: Final = (
    "SELECT pid, pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = $1"
)


@dataclass
class Stage:
    """One scenario: its cluster, the database of its own, the program on it, and its findings."""

    cluster: Cluster
    database: str
    server: Server
    rounds: int
    load: Load = field(default_factory=Load)
    findings: list[str] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    outages: list[float] = field(default_factory=list)
    probes: list[Probes] = field(default_factory=list)

    async def call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """A function that waits, in a thread."""
        return await asyncio.to_thread(function, *arguments, **options)

    async def resumed(self, since: float, seconds: float = 90) -> None:
        """Wait until writes are acknowledged again."""
        limit = time.monotonic() + seconds
        while self.load.after(since) < RESUMED:
            assert time.monotonic() < limit, "writes were not resumed"
            await asyncio.sleep(0.1)

    async def whole(self) -> float:
        """Wait until every node is back; seconds."""
        seconds: float = await self.call(self.cluster.until, self.cluster.whole, 120, "a node is missing")
        return seconds

    def outage(self, since: float, most: float) -> None:
        """Note the longest time without an acknowledgement."""
        gap = round(self.load.gap(since), 1)
        self.outages.append(gap)
        if gap > most:
            self.findings.append(f"nothing was acknowledged for {gap} s, {most:g} s allowed")

    def note(self, name: str, value: Any) -> None:
        """Keep a figure of a round."""
        self.notes.setdefault(name, []).append(value)


Round = Callable[[Stage, int], Awaitable[None]]


async def _killed(stage: Stage, number: int) -> None:
    leader = await stage.call(stage.cluster.leader)
    node = stage.cluster.nodes[leader]
    log = len(node.log.read_bytes())
    stage.note("led etcd too", await stage.call(stage.cluster.etcd_leader) == leader)
    moment = time.monotonic()
    await stage.call(node.kill)
    await stage.resumed(moment + 2)
    stage.outage(moment, OUTAGE)
    node.revive()
    stage.note("rejoined after s", round(await stage.whole(), 1))
    stage.note("by pg_rewind", b"running pg_rewind" in node.log.read_bytes()[log:])


async def _postgres_killed(stage: Stage, number: int) -> None:
    leader = await stage.call(stage.cluster.leader)
    moment = time.monotonic()
    processes.send(stage.cluster.nodes[leader].postgres(), signal.SIGKILL)
    await stage.resumed(moment + 2)
    stage.outage(moment, OUTAGE)
    stage.note("leader after", "the same" if await stage.call(stage.cluster.leader) == leader else "another")
    await stage.whole()


async def _switchover(stage: Stage, number: int) -> None:
    leader, candidate = await stage.call(stage.cluster.leader), await stage.call(stage.cluster.standby)
    moment = time.monotonic()
    said = await stage.call(
        stage.cluster.ask, leader, "/switchover", {"leader": leader, "candidate": candidate}
    )
    if said is None:
        stage.findings.append("the switchover was refused")
    await stage.resumed(moment + 2)
    stage.outage(moment, SWITCHED)
    if await stage.call(stage.cluster.leader) != candidate:
        stage.findings.append("the candidate does not lead")
    await stage.whole()


async def _frozen(stage: Stage, number: int) -> None:
    leader = await stage.call(stage.cluster.leader)
    node = stage.cluster.nodes[leader]
    async with probing(stage.cluster, stage.database, f"frozen{number}") as probes:
        stage.probes.append(probes)
        await asyncio.sleep(1)
        pids = node.all()
        moment = time.monotonic()
        processes.send(pids, signal.SIGSTOP)
        try:
            await asyncio.sleep(FROZEN)
            stage.note("leader meanwhile", await stage.call(stage.cluster.leader, other_than=leader))
        finally:
            processes.send(pids, signal.SIGCONT)
        await asyncio.sleep(15)
        await stage.resumed(moment + 2)
    stage.outage(moment, OUTAGE)
    _one_after_the_other(stage, probes)
    stage.note("rejoined after s", round(await stage.whole(), 1))


async def _etcd_gone(stage: Stage, number: int) -> None:
    async with probing(stage.cluster, stage.database, f"etcd{number}") as probes:
        stage.probes.append(probes)
        nodes = list(stage.cluster.nodes.values())
        pids = [node.etcd.pid for node in nodes if node.etcd is not None]
        moment = time.monotonic()
        processes.send(pids, signal.SIGKILL)
        for node in nodes:
            assert node.etcd is not None
            await stage.call(node.etcd.wait, 10)
        await asyncio.sleep(FROZEN)
        went_on = max((at for at, _, _ in stage.load.acks), default=moment) - moment
        stage.note("wrote on for s", round(went_on, 1))
        back = time.monotonic()
        for node in nodes:
            node.start_etcd()
        await stage.resumed(back)
        stage.note("wrote again s after etcd was back", round(_first_after(stage.load, back) - back, 1))
    _one_after_the_other(stage, probes)
    await stage.whole()


async def _split(stage: Stage, number: int) -> None:
    network = stage.cluster.network
    leader = await stage.call(stage.cluster.leader)
    async with probing(stage.cluster, stage.database, f"split{number}") as probes:
        stage.probes.append(probes)
        await asyncio.sleep(1)
        moment = time.monotonic()
        network.cut(leader)  # type: ignore[union-attr]  # this scenario is only played where there are namespaces
        try:
            await asyncio.sleep(FROZEN)
            stage.note("leader meanwhile", await stage.call(stage.cluster.leader, other_than=leader))
        finally:
            network.join(leader)  # type: ignore[union-attr]  # the same
        await stage.resumed(moment + 2)
        await asyncio.sleep(10)
    stage.outage(moment, OUTAGE)
    _one_after_the_other(stage, probes)
    stage.note("rejoined after s", round(await stage.whole(), 1))


async def _alone(stage: Stage, number: int) -> None:
    """REL-19: without a standby nothing is acknowledged, also when somebody ends the waits; reads go on."""
    cluster = stage.cluster
    leader = await stage.call(cluster.leader)
    others = [node for name, node in cluster.nodes.items() if name != leader]
    for node in others:
        assert node.patroni is not None
        node.patroni.terminate()  # a standby that is stopped in good order, and nothing but that
        await stage.call(node.patroni.wait, 30)
    await asyncio.sleep(3)
    moment = time.monotonic()
    read = await stage.call(stage.server.get, "/Patient?_count=1")
    stage.note("a read meanwhile", read.status)
    stage.note("waits ended by hand", await _cancelled(cluster.direct(leader, "postgres", "postgres"), stage))
    acknowledged = stage.load.after(moment)
    stage.note("acknowledged without a standby", acknowledged)
    if acknowledged:
        stage.findings.append(f"{acknowledged} writes were acknowledged without a standby")
    if read.status != 200:
        stage.findings.append(f"a read was answered {read.status}")
    back = time.monotonic()
    for node in others:
        node.start_patroni()
    await stage.resumed(back)
    stage.note("wrote again s after the standbys were back", round(_first_after(stage.load, back) - back, 1))
    await stage.whole()


async def _cost(stage: Stage, number: int) -> None:
    """The same load with a synchronous standby and without."""
    for synchronous in (True, False):
        wanted = {"synchronous_mode": synchronous, "synchronous_mode_strict": synchronous}
        await stage.call(
            stage.cluster.ask, await stage.call(stage.cluster.leader), "/config", wanted, "PATCH"
        )
        await asyncio.sleep(8)
        moment = time.monotonic()
        await asyncio.sleep(10)
        times = [seconds * 1e3 for begun, seconds in stage.load.times if begun > moment]
        name = "synchronous" if synchronous else "asynchronous"
        stage.note(f"{name}: p50 ms", round(percentile(times, 50), 1))
        stage.note(f"{name}: p99 ms", round(percentile(times, 99), 1))
        stage.note(f"{name}: acknowledged a second", round(len(times) / 10))
    wanted = {"synchronous_mode": True, "synchronous_mode_strict": True}
    await stage.call(stage.cluster.ask, await stage.call(stage.cluster.leader), "/config", wanted, "PATCH")
    await stage.whole()


async def _cancelled(url: str, stage: Stage, seconds: float = 15.0) -> int:
    """End every wait for a standby, again and again; how many there were."""
    connection = await asyncpg.connect(url)
    ended, limit = 0, time.monotonic() + seconds
    while time.monotonic() < limit:
        ended += len(await connection.fetch(CANCEL, stage.database))
        await asyncio.sleep(0.2)
    await connection.close()
    return ended


def _first_after(load: Load, moment: float) -> float:
    return min((at for at, _, _ in load.acks if at > moment), default=float("inf"))


def _one_after_the_other(stage: Stage, probes: Probes) -> None:
    turns = probes.turns()
    stage.note("acknowledged in turn", " → ".join(turns))
    if len(turns) != len(set(turns)):
        stage.findings.append(f"two nodes acknowledged at the same time: {turns}")


class Scenario(NamedTuple):
    """A row: name, requirement, rounds (all, few), what a round does, and how the program reaches the database."""

    name: str
    id: str
    rounds: tuple[int, int]
    play: Round
    by_hosts: bool = False
    split: bool = False


SCENARIOS: Final = (
    Scenario("cost", "", (3, 1), _cost),
    Scenario("killed", "REL-16", (6, 1), _killed),
    Scenario("killed-by-hosts", "REL-16", (3, 1), _killed, by_hosts=True),
    Scenario("postgres-killed", "REL-16", (3, 1), _postgres_killed),
    Scenario("switchover", "REL-17", (6, 1), _switchover),
    Scenario("frozen", "REL-18", (2, 1), _frozen),
    Scenario("etcd-gone", "REL-18", (2, 1), _etcd_gone),
    Scenario("alone", "REL-19", (2, 1), _alone),
    Scenario("split", "REL-18", (2, 1), _split, by_hosts=True, split=True),
)


async def played(scenario: Scenario, stage: Stage) -> None:
    """Every round under load, then the judgement on what is stored."""
    where = target(stage.server.base)
    for number in range(stage.rounds):
        async with writing(where, f"{scenario.name}-{number}", stage.load):
            await asyncio.sleep(BEFORE)
            await scenario.play(stage, number)
            await asyncio.sleep(1)
    url = stage.cluster.direct(await stage.call(stage.cluster.leader), stage.database)
    stage.findings += await judged(url, stage.load, stage.notes)
    for probes in stage.probes:
        stage.findings += await probes.lost(url)
        stage.notes["acknowledged by one node"] = stage.notes.get("acknowledged by one node", 0) + len(
            probes.acks
        )
    stage.findings += await _equal(stage)


async def _equal(stage: Stage, seconds: float = 60.0) -> list[str]:
    """Every node holds the same, once it has replayed what the leader had."""
    said = "SELECT count(*) || md5(string_agg(type || id || version, ',' ORDER BY tenant, type, id)) FROM resource"
    limit = time.monotonic() + seconds
    while True:
        held = set()
        for name in stage.cluster.nodes:
            connection = await asyncpg.connect(stage.cluster.direct(name, stage.database))
            held.add(await connection.fetchval(said))
            await connection.close()
        if len(held) == 1:
            return []
        if time.monotonic() > limit:
            return ["the nodes do not hold the same"]
        await asyncio.sleep(1)

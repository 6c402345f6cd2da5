"""`python -m tests.ha [NAME ...] [--short] [--report PAGE]`: exit 1 on any finding, 0 with a sentence where it cannot be played."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.measure import environment

from tests.client import Server
from tests.ha import report
from tests.ha.cluster import Cluster
from tests.ha.network import Loopback, Namespaces, may_split
from tests.ha.scenarios import SCENARIOS, Scenario, Stage, played
from tests.store.cluster import NoServer


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    names = ", ".join(one.name for one in SCENARIOS)
    parser = argparse.ArgumentParser(
        prog="python -m tests.ha", description="Breaks a PostgreSQL cluster under load."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"scenarios to play (default all): {names}")
    parser.add_argument("--short", action="store_true", help="one round of each")
    parser.add_argument(
        "--workers", type=int, default=1, help="processes of creneau serve, where it offers them"
    )
    parser.add_argument("--logs", type=Path, help="folder to keep the logs of the server and of Patroni in")
    parser.add_argument("--report", type=Path, help="page to write, with its JSON beside it")
    parser.add_argument(
        "--render", action="store_true", help="write the page again from its JSON, play nothing"
    )
    return parser


def say(line: str) -> None:
    """How it goes."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def main(given: Sequence[str] | None = None) -> int:
    """Play; 0 when nothing was found."""
    asked = arguments().parse_args(given)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended all the same
    if asked.render:
        report.rendered(asked.report)
        return 0
    chosen = [one for one in SCENARIOS if not asked.names or one.name in asked.names]
    results = []
    try:
        for split in (False, True):
            some = [one for one in chosen if one.split == split]
            if split and some and not may_split():
                results += [not_done(one, "network namespaces cannot be made here") for one in some]
            elif some:
                results += on_a_cluster(some, asked, Namespaces() if split else Loopback())
    except NoServer as missing:
        say(f"not played: {missing}")
        return 0
    print(report.table(results))
    found = [f"{one['name']}: {line}" for one in results for line in one["findings"]]
    for line in found:
        print(f"FINDING {line}")
    if asked.report is not None:
        where = environment(Path(tempfile.gettempdir()))
        names = [one.name for one in SCENARIOS]
        report.write({"environment": where, "results": results}, asked.report, names)
    return 1 if found else 0


def on_a_cluster(
    scenarios: Sequence[Scenario], asked: Any, network: Loopback | Namespaces
) -> list[dict[str, Any]]:
    """The scenarios one after the other on one cluster, each in a database of its own."""
    try:
        cluster = Cluster(network)
        try:
            return [one_of(scenario, cluster, asked) for scenario in scenarios]
        finally:
            cluster.close()
    finally:
        network.close()


def one_of(scenario: Scenario, cluster: Cluster, asked: Any) -> dict[str, Any]:
    """Play one, then let doctor examine what is left."""
    name = "ha_" + scenario.name.replace("-", "_")
    cluster.until(cluster.whole, 120, "the cluster is not whole")
    url = cluster.database(name)
    url = cluster.everywhere(name) if scenario.by_hosts else url
    options = ("--workers", str(asked.workers)) if asked.workers > 1 else ()
    server = Server(url, options, log=cluster.folder / f"{name}.log").start()
    stage = Stage(cluster, name, server, scenario.rounds[asked.short])
    started = time.monotonic()
    try:
        asyncio.run(played(scenario, stage))
    except AssertionError as stopped:
        stage.findings.append(f"it could not go on: {stopped}")
    finally:
        status = server.stop()
    if status:
        stage.findings.append(f"the server ended with status {status}")
    if asked.logs is not None:
        asked.logs.mkdir(parents=True, exist_ok=True)
        shutil.copy(cluster.folder / f"{name}.log", asked.logs)
        for node in cluster.nodes.values():
            shutil.copy(node.log, asked.logs / f"{name}-{node.place.name}.log")
    stage.notes["processes that wanted a core (mean of 5 min)"] = round(os.getloadavg()[1], 1)
    stage.notes["doctor"] = examined(url, stage.findings)
    for line in stage.findings[:10]:
        say(f"{scenario.name}: FINDING {line}")
    say(f"{scenario.name}: {len(stage.findings)} findings, outages {stage.outages}, {stage.notes}")
    return {
        "name": scenario.name,
        "id": scenario.id,
        "rounds": stage.rounds,
        "seconds": round(time.monotonic() - started),
        "outages": stage.outages,
        "findings": [line.splitlines()[0] for line in stage.findings[:50]],
        "notes": stage.notes,
    }


def not_done(scenario: Scenario, why: str) -> dict[str, Any]:
    """A row for what was not played."""
    return {
        "name": scenario.name,
        "id": scenario.id,
        "rounds": 0,
        "seconds": 0,
        "outages": [],
        "findings": [],
        "notes": {"not played": why},
    }


def examined(url: str, findings: list[str]) -> str:
    """What `creneau doctor` says of the database."""
    command = [sys.executable, "-m", "creneau", "doctor", "--database", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    lines = (done.stdout + done.stderr).splitlines()
    if done.returncode:
        findings += [f"doctor: {line}" for line in lines[-20:]]
    return re.sub(r" in postgresql:.*", "", lines[-1]) if lines else ""


if __name__ == "__main__":
    raise SystemExit(main())

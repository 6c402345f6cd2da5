"""The configuration of the cluster, from the templates that the page for operators shows: docs/operations/ha."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "docs" / "operations" / "ha"
WHERE: Final = {
    "etcd.yml": "/etc/etcd/etcd.yml",
    "patroni.yml": "/etc/patroni/patroni.yml",
    "haproxy.cfg": "/etc/haproxy/haproxy.cfg",
}
"""Where each belongs on a host."""


@dataclass(frozen=True)
class Place:
    """Where one node is: its name, its address, its ports, its folder."""

    name: str
    address: str
    folder: str
    postgres: int = 5432
    rest: int = 8008
    etcd_clients: int = 2379
    etcd_peers: int = 2380


@dataclass(frozen=True)
class Layout:
    """All nodes, and what stands in front of them."""

    nodes: tuple[Place, ...]
    network: str
    password: str
    programs: str
    watchdog: str = "off"
    front: str = "127.0.0.1"
    primary_port: int = 5000
    replica_port: int = 5001

    def rendered(self, name: str, node: Place) -> str:
        """One file, for that node."""
        return Template((TEMPLATES / name).read_text("utf-8")).substitute(
            **vars(node),
            network=self.network,
            password=self.password,
            programs=self.programs,
            watchdog=self.watchdog,
            front=self.front,
            primary_port=self.primary_port,
            replica_port=self.replica_port,
            all_etcd_peers=",".join(
                f"{one.name}=http://{one.address}:{one.etcd_peers}" for one in self.nodes
            ),
            all_etcd_clients=",".join(f"{one.address}:{one.etcd_clients}" for one in self.nodes),
            all_servers="\n".join(
                f"    server {one.name} {one.address}:{one.postgres} check port {one.rest}"
                for one in self.nodes
            ),
        )


EXAMPLE: Final = Layout(
    nodes=tuple(Place(f"pg{n}", f"10.0.0.{10 + n}", "/var/lib/postgresql/creneau") for n in (1, 2, 3)),
    network="10.0.0.0/24",
    password="…",
    programs="/usr/lib/postgresql/15/bin",
    watchdog="required",
)
"""What the page shows: the first of three hosts, with HAProxy beside each Creneau."""


def shown() -> str:
    """The files as the page shows them."""
    parts = []
    for name, where in WHERE.items():
        text = EXAMPLE.rendered(name, EXAMPLE.nodes[0])
        parts.append(f"`{where}`\n\n```{'yaml' if name.endswith('.yml') else 'text'}\n{text}```\n")
    return "\n".join(parts)

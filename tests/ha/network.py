"""Where the nodes are: ports of one loopback address, or a host each in network namespaces of our own, which can be cut off."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bench.server import free_port

from tests.ha.files import Place

NODES = ("pg1", "pg2", "pg3")


class Loopback:
    """All on 127.0.0.1, each with ports of its own."""

    range = "127.0.0.1/32"
    front = "127.0.0.1"

    def places(self, folder: Path) -> tuple[Place, ...]:
        """Of every node."""
        return tuple(
            Place(name, "127.0.0.1", str(folder / name), *(free_port() for _ in range(4))) for name in NODES
        )

    def within(self, name: str) -> str | None:
        """The namespace of a node."""
        return None

    def close(self) -> None:
        """Nothing to undo."""


class Namespaces:
    """A bridge in this namespace, and a host behind it for each node. Needs root."""

    range = "10.213.77.0/24"
    front = "127.0.0.1"
    bridge = "creneau-ha"

    def __init__(self) -> None:
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", "10.213.77.1/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        for number, name in enumerate(NODES, 11):
            space = self.within(name)
            ip("netns", "add", space)
            ip("link", "add", f"cha-{name}", "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", f"cha-{name}", "master", self.bridge, "up")
            ip("-n", space, "addr", "add", f"10.213.77.{number}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "link", "set", "lo", "up")

    def places(self, folder: Path) -> tuple[Place, ...]:
        """Of every node, with the usual ports."""
        return tuple(
            Place(name, f"10.213.77.{number}", str(folder / name)) for number, name in enumerate(NODES, 11)
        )

    def within(self, name: str) -> str:
        """The namespace of a node."""
        return f"creneau-{name}"

    def cut(self, name: str) -> None:
        """Nothing reaches the node and nothing leaves it, without a word to anybody."""
        ip("link", "set", f"cha-{name}", "nomaster")

    def join(self, name: str) -> None:
        """As before."""
        ip("link", "set", f"cha-{name}", "master", self.bridge)

    def close(self) -> None:
        """Remove what was made."""
        for name in NODES:
            ip("netns", "del", self.within(name), check=False)
        ip("link", "del", self.bridge, check=False)


def ip(*arguments: str, check: bool = True) -> None:
    """Run `ip`."""
    subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)


def may_split() -> bool:
    """Whether namespaces can be made here."""
    if os.geteuid() != 0:
        return False
    try:
        ip("netns", "add", "creneau-try")
        ip("netns", "del", "creneau-try")
        ip("link", "add", "creneau-try", "type", "bridge")
        ip("link", "del", "creneau-try")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True

"""What a server under torture keeps its data in: a SQLite file, or a database of a PostgreSQL server of our own, which may be killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from tests.databases import created
from tests.store.cluster import Cluster

STORES: Final = ("sqlite", "postgres")


class Setting(NamedTuple):
    """A store, and how many workers serve it."""

    store: str = "sqlite"
    workers: int = 1

    @property
    def name(self) -> str:
        """As people say it."""
        kind = "SQLite" if self.store == "sqlite" else "PostgreSQL"
        return f"{kind}, {self.workers} worker{'s' if self.workers > 1 else ''}"


DEFAULT: Final = Setting()


@dataclass(frozen=True, slots=True)
class Ground:
    """A fresh database; `folder` is one of its own, `cluster` the PostgreSQL server it is on, if any."""

    setting: Setting
    folder: Path
    database: str
    cluster: Cluster | None = None

    @property
    def server(self) -> Cluster:
        """The PostgreSQL server; only scenarios about it ask."""
        assert self.cluster is not None
        return self.cluster


@contextmanager
def cluster_for(setting: Setting) -> Iterator[Cluster | None]:
    """The PostgreSQL server of a run, if it needs one. Raises tests.store.cluster.NoServer when none is installed."""
    if setting.store == "sqlite":
        yield None
        return
    cluster = Cluster()
    try:
        yield cluster
    finally:
        cluster.close()


def fresh(setting: Setting, folder: Path, cluster: Cluster | None) -> Ground:
    """New ground: a file in this folder, or a new database of the cluster."""
    file = (folder / "torture.sqlite").resolve()
    return Ground(setting, folder, created(cluster) if cluster else f"sqlite:{file}", cluster)

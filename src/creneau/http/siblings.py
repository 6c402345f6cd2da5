"""The figures of a service of several processes: whichever of them is asked for /metrics asks the others.

Each process answers on a socket of its own in a folder that only they know. A `worker` label keeps the figures of each apart, so that
one that begins again at zero is seen as such by Prometheus (https://prometheus.io/docs/concepts/metric_types/#counter).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

PATIENCE: Final = 1.0
"""Seconds that a sibling has to answer; one that does not is left out."""

Family = tuple[str, str, str, list[tuple[str, dict[str, str], float]]]
"""Name, documentation, type, samples: each with its name, labels and value."""


class Siblings:
    """One of several processes, by its number, and how to ask the others."""

    def __init__(self, folder: Path, number: int, process: int, families: Callable[[], list[Metric]]) -> None:
        self._folder = folder
        self._number = number
        self._own = folder / f"{number}-{process}.sock"
        self._families = families
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Answer the others, until `close`."""
        self._server = await asyncio.start_unix_server(self._tell, self._own)

    async def close(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.close()
            self._own.unlink(missing_ok=True)

    async def text(self) -> bytes:
        """The page that Prometheus reads: the figures of all, those of each labelled with its number."""
        others = sorted(path for path in self._folder.glob("*.sock") if path != self._own)
        told = await asyncio.gather(*(_ask(path) for path in others))
        return generate_latest(_Page([*self._mine(), *(family for one in told for family in one)]))

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(msgspec.json.encode(self._mine()))
        writer.close()

    def _mine(self) -> list[Family]:
        number = str(self._number)
        return [
            (
                family.name,
                family.documentation,
                family.type,
                [(one.name, {**one.labels, "worker": number}, one.value) for one in family.samples],
            )
            for family in self._families()
        ]


class _Page(Collector):
    """What several processes told, each family once."""

    def __init__(self, told: Iterable[Family]) -> None:
        self._told = told

    def collect(self) -> Iterator[Metric]:
        """Each family with the samples of all."""
        found: dict[str, Metric] = {}
        for name, documentation, kind, samples in self._told:
            family = found.setdefault(name, Metric(name, documentation, kind))
            for sample, labels, value in samples:
                family.add_sample(sample, labels, value)
        yield from found.values()


async def _ask(path: Path) -> list[Family]:
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                told = await reader.read(-1)
            finally:
                writer.close()
    except (OSError, TimeoutError):  # it has just ended
        return []
    return _decoded(told)


def _decoded(told: bytes) -> list[Family]:
    try:
        found: Any = msgspec.json.decode(told, type=list[Family])
    except msgspec.DecodeError:  # it ended while it told
        return []
    return list(found)

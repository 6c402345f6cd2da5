"""Figures for Prometheus: requests by interaction, type and status, their duration, those in work.

No label holds an id, a path or a value of a client: types and interactions come from the table of routes. Counted in plain lists, made
into families when asked: the client library's own counters cost several times more a request.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from creneau.http.admission import Admission

CONTENT_TYPE: Final = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of durations, in seconds; one more, without bound, follows."""


class Metrics(Collector):
    """The figures of one application, in a registry of its own."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        # By interaction, type and status: how many in each bucket; and the sum of their seconds.
        self._counts: dict[tuple[str, str, int], list[int]] = {}
        self._sums: dict[tuple[str, str, int], float] = {}
        self._watched: list[Callable[[], Iterable[Metric]]] = []
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def count(self, interaction: str, type: str, status: int, seconds: float) -> None:
        """One request answered."""
        key = (interaction, type, status)
        counts = self._counts.get(key)
        if counts is None:
            counts = self._counts[key] = [0] * (len(BUCKETS) + 1)
            self._sums[key] = 0.0
        counts[bisect_left(BUCKETS, seconds)] += 1
        self._sums[key] += seconds

    def collect(self) -> Iterator[Metric]:
        """What the registry asks for."""
        requests = CounterMetricFamily(
            "creneau_requests", "Requests answered", labels=("interaction", "type", "status")
        )
        for (interaction, type, status), counts in self._counts.items():
            requests.add_metric((interaction, type, str(status)), sum(counts))
        yield requests
        yield self._durations()
        now = self._admission
        yield GaugeMetricFamily("creneau_requests_in_work", "Requests in work", value=now.in_work)
        yield GaugeMetricFamily(
            "creneau_requests_in_work_limit", "Requests that may be in work at once", value=int(now.limit)
        )
        yield CounterMetricFamily(
            "creneau_requests_turned_away",
            "Requests answered 503 before they were read, not in the other figures",
            value=now.turned_away,
        )
        for figures in self._watched:
            yield from figures()

    def watch(self, figures: Callable[[], Iterable[Metric]]) -> None:
        """Show these figures as well, asked for each time."""
        self._watched.append(figures)

    def families(self) -> list[Metric]:
        """All figures of this process."""
        return list(self._registry.collect())

    def _durations(self) -> Metric:
        family = HistogramMetricFamily(
            "creneau_request_seconds",
            "Time from the request's head to the answer, in seconds",
            labels=("interaction", "type"),
        )
        for labels in dict.fromkeys(key[:2] for key in self._counts):
            keys = [key for key in self._counts if key[:2] == labels]
            totals = accumulate(map(sum, zip(*(self._counts[key] for key in keys), strict=True)))
            bounds = [*map(str, BUCKETS), "+Inf"]
            buckets = list(zip(bounds, totals, strict=True))
            family.add_metric(labels, buckets, sum(self._sums[key] for key in keys))
        return family

    def text(self) -> bytes:
        """The page that Prometheus reads."""
        return generate_latest(self._registry)


def connections(lent: int, idle: int, waiting: int, most: int) -> Iterator[Metric]:
    """The figures of a pool of connections to the database."""
    states = GaugeMetricFamily("creneau_database_connections", "Connections open", labels=("state",))
    states.add_metric(("lent",), lent)
    states.add_metric(("idle",), idle)
    yield states
    yield GaugeMetricFamily("creneau_database_connections_limit", "Connections at the most", value=most)
    yield GaugeMetricFamily("creneau_database_waiting", "Requests that wait for a connection", value=waiting)


def reads(replica: int, primary: int, used: int) -> Iterator[Metric]:
    """The figures of reads, where replicas of the database are named."""
    began = CounterMetricFamily(
        "creneau_reads", "Searches and other wide reads, by where they began", labels=("from",)
    )
    began.add_metric(("replica",), replica)
    began.add_metric(("primary",), primary)
    yield began
    yield GaugeMetricFamily("creneau_replicas", "Replicas of the database in use", value=used)

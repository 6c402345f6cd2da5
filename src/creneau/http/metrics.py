"""Figures for Prometheus: requests by interaction, type and status, their duration, those in work.

No label holds an id, a path or a value of a client: types and interactions come from the table of routes. Labels are bound once.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE: Final = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The figures of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "creneau_requests",
            "Requests answered",
            ("interaction", "type", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "creneau_request_seconds",
            "Time from the request's head to the answer, in seconds",
            ("interaction", "type"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.in_work = 0
        gauge = Gauge("creneau_requests_in_work", "Requests in work", registry=self.registry)
        gauge.set_function(lambda: self.in_work)
        ProcessCollector(registry=self.registry)
        self._bound: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, interaction: str, type: str, status: int, seconds: float) -> None:
        """One request answered."""
        bound = self._bound.get((interaction, type, status))
        if bound is None:
            bound = (
                self._requests.labels(interaction, type, str(status)),
                self._seconds.labels(interaction, type),
            )
            self._bound[interaction, type, status] = bound
        bound[0].inc()
        bound[1].observe(seconds)

    def text(self) -> bytes:
        """The page that Prometheus reads."""
        return generate_latest(self.registry)

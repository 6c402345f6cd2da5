"""Two programs on one PostgreSQL database: what one condition is to be, is one appointment, whoever is asked."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.client import CREATED, OK, Server
from tests.people import appointment, future, practice, where

from .cluster import Cluster

RIVALS = 12


def test_of_many_conditional_updates_through_two_programs_one_creates_and_the_others_find_it(
    cluster: Cluster, new_server: Callable[..., Server]
) -> None:
    servers = [new_server(database=cluster.url) for _ in range(2)]
    at = practice(servers[0])

    for hour in range(8, 14):
        body = appointment(at, future(hour))
        with ThreadPoolExecutor(RIVALS) as pool:
            sent = [pool.submit(servers[n % 2].put, where(body), body) for n in range(RIVALS)]
            answers = [one.result() for one in sent]

        assert sorted(one.status for one in answers) == [OK] * (RIVALS - 1) + [CREATED]
        assert len({one.id for one in answers}) == 1

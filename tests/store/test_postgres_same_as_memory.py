"""Random plans: PostgreSQL accepts, refuses and answers exactly as the reference in memory (REL-22), and never double-books."""

from __future__ import annotations

import asyncio
import uuid
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, run_state_machine_as_test

from creneau.store.memory import MemoryStore
from creneau.store.postgres import open_postgres

from .checks import crowds
from .cluster import Cluster
from .made import DAWN
from .test_same_as_memory import Twins

HELD = "SELECT thing, start, finish, appointment, capacity FROM taken WHERE tenant = $1 AND guarded = 1 AND (lapse IS NULL OR lapse > $2)"


class PostgresTwins(Twins):
    """The same machine with the other store; each run is a tenant of its own, so runs do not see each other."""

    url: ClassVar[str]

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        self.runner = asyncio.Runner()
        self.memory = MemoryStore()
        self.sqlite = self.runner.run(open_postgres(self.url, tenant=uuid.uuid4().hex, connections=1))
        self.rows = {}
        self.now = DAWN

    def teardown(self) -> None:
        self.runner.run(self.sqlite.close())
        self.runner.close()

    @invariant()
    def nothing_is_booked_twice(self) -> None:
        held = self.runner.run(self.sqlite.connections.rows(HELD, self.sqlite.tenant, self.now))
        assert crowds([tuple(row) for row in held]) == []


@pytest.mark.timeout(300)
def test_random_plans_have_the_same_outcome_in_postgres_as_in_memory(cluster: Cluster) -> None:
    PostgresTwins.url = cluster.url

    run_state_machine_as_test(
        PostgresTwins,
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

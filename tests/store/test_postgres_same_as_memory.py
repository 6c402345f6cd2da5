"""Random plans: PostgreSQL accepts, refuses and answers exactly as the reference in memory (REL-22), and never double-books."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, run_state_machine_as_test

from creneau.store.contract import DAY, Ahead, Claim
from creneau.store.memory import MemoryStore
from creneau.store.postgres import open_postgres

from .checks import crowds
from .cluster import Cluster
from .made import DAWN, HOUR
from .test_same_as_memory import IDS, THINGS, TYPES, Twins

HELD = "SELECT thing, start, finish, appointment, capacity FROM taken WHERE tenant = $1 AND guarded = 1 AND (lapse IS NULL OR lapse > $2)"


EVERYTHING = Ahead(
    resources=tuple((type, id) for type in TYPES for id in IDS),
    claims=tuple(
        (type, Claim(system, value)) for type in TYPES for system in ("", "urn:x") for value in "123"
    ),
    owners=THINGS,
    actors=(("Patient", "a"), ("Patient", "b"), ("Patient", "c")),
)


def ordered(answer: Any) -> Any:
    """What `several` gives, in an order (takes may differ only where one has None)."""
    return sorted(answer, key=repr) if isinstance(answer, list) else answer


class PostgresTwins(Twins):
    """The same machine with the other store; each run is a tenant of its own, so runs do not see each other."""

    url: ClassVar[str]
    keeps = False

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
    def what_is_read_ahead_is_what_is_there(self) -> None:
        there = self.runner.run(self.sqlite.ahead(EVERYTHING))
        there._store = None  # whatever is asked besides would fail
        span = (DAWN - 2 * DAY, DAWN + 2 * DAY)
        time = self.runner.run(
            self.sqlite.ahead(Ahead(things=THINGS, start=span[0], end=span[1], now=self.now))
        )
        time._store = None
        questions = [
            ("taken", (some, *part)) for some in (THINGS, THINGS[:1]) for part in (span, (DAWN, DAWN + HOUR))
        ]
        questions += [
            ("agendas", (THINGS,)),
            *(("linked", ("Schedule", "actor", *one)) for one in EVERYTHING.actors),
        ]
        for type_ in TYPES:
            questions += [("get", (type_, id_)) for id_ in IDS]
            questions += [("versions", (type_, IDS)), ("several", (type_, IDS))]
        questions += [("holder", claim) for claim in EVERYTHING.claims]
        for verb, asked in questions:
            named = {"now": self.now} if verb == "taken" else {}
            of = time if verb == "taken" else there
            answers = [self.runner.run(getattr(store, verb)(*asked, **named)) for store in (self.memory, of)]
            assert ordered(answers[0]) == ordered(answers[1]), verb

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

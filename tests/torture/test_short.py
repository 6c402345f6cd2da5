"""The short form of `make torture`, against the real server: no finding, every negative control noticed.

On SQLite all scenarios; on PostgreSQL with several workers those that are most about it, and the guards that only it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.store.cluster import NoServer
from torture.ground import Setting
from torture.runner import Wanted
from torture.table import chosen

from torture import runner

Results = dict[str, dict[str, Any]]
PLAYED = [one for one in chosen([]) if one.rounds[True]]
ON_POSTGRES = Setting("postgres", 2)
MOST_TELLING = chosen(
    [
        "one-winner",
        "one-identifier",
        "lost-update",
        "resent",
        "database-killed",
        "worker-killed",
    ],
    ON_POSTGRES,
)


def silent(line: str) -> None:
    """How it goes is nobody's matter here."""


@pytest.fixture(scope="module")
def results() -> Results:
    """One short run of all scenarios: those that may share a server do."""
    return {one["name"]: one for one in runner.run(PLAYED, Wanted(short=True), silent)}


@pytest.fixture(scope="module")
def on_postgres() -> Iterator[Results]:
    """The same of fewer scenarios."""
    wanted = Wanted(ON_POSTGRES, short=True, guards=("snapshot", "synchronous"))
    try:
        yield {one["name"]: one for one in runner.run(MOST_TELLING, wanted, silent)}
    except NoServer as missing:
        pytest.skip(str(missing))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [one.name for one in PLAYED])
def test_nothing_is_found(results: Results, name: str) -> None:
    assert results[name]["findings"] == []
    assert results[name]["operations"] > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [one.name for one in PLAYED if one.controls])
def test_the_server_without_a_guard_is_noticed(results: Results, name: str) -> None:
    controls = results[name]["controls"]

    assert controls != []
    assert [one["without"] for one in controls if not one["noticed"]] == []


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [one.name for one in MOST_TELLING])
def test_nothing_is_found_on_postgresql(on_postgres: Results, name: str) -> None:
    result = on_postgres[name]

    assert result["findings"] == []
    assert result["operations"] > 0
    assert all(one["noticed"] for one in result["controls"])

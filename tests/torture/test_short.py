"""The short form of `make torture`, against the real server: no finding, every negative control noticed."""

from __future__ import annotations

from typing import Any

import pytest
from torture.runner import Wanted
from torture.table import SCENARIOS

from torture import runner


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, Any]]:
    """One short run of all scenarios: those that may share a server do."""
    return {one["name"]: one for one in runner.run(SCENARIOS, Wanted(short=True), lambda line: None)}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [one.name for one in SCENARIOS])
def test_nothing_is_found(results: dict[str, dict[str, Any]], name: str) -> None:
    assert results[name]["findings"] == []
    assert results[name]["operations"] > 0


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [one.name for one in SCENARIOS if one.control])
def test_the_server_without_a_guard_is_noticed(results: dict[str, dict[str, Any]], name: str) -> None:
    assert results[name]["control"]["noticed"], results[name]["control"]["findings"][:5]

"""The short form of `make torture`, against the real server: no finding, every negative control noticed."""

from __future__ import annotations

import pytest
from torture.runner import Wanted
from torture.table import SCENARIOS, Scenario

from torture import runner


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_nothing_is_found(scenario: Scenario) -> None:
    result = runner.run(scenario, Wanted(short=True), lambda line: None)

    assert result["findings"] == []

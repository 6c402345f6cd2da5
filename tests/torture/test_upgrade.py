"""Two versions of the program on one PostgreSQL database, the short form: nothing is refused, nothing acknowledged is lost (REL-30)."""

from __future__ import annotations

import pytest
from tests.store.cluster import NoServer
from torture.ground import Setting
from torture.runner import Wanted, run
from torture.table import chosen

ON_POSTGRES = Setting("postgres")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_later_program_takes_over_from_an_earlier_one_under_load() -> None:
    wanted = Wanted(ON_POSTGRES, short=True, guards=())
    try:
        (result,) = run(chosen(["rolling-upgrade"], ON_POSTGRES), wanted, lambda line: None)
    except NoServer as missing:
        pytest.skip(str(missing))

    assert result["findings"] == []
    assert result["operations"] > 0

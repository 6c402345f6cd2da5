"""`python -m bench stores` in small: the same operations on SQLite and on PostgreSQL with one worker and two, in one run."""

from __future__ import annotations

from pathlib import Path

from bench import report
from bench.measure import Shape
from bench.stores import Wanted, stores


def test_every_store_answers_the_same_operations_and_the_database_is_counted(tmp_path: Path) -> None:
    wanted = Wanted(("read", "create"), 1, Shape(4, 0.5), 4, 20, (1, 2), tmp_path)

    result = stores(wanted, lambda line: None)

    rows = result["operations"]
    assert [row["name"] for row in rows] == [
        f"{name}, {store}"
        for name in ("read", "create")
        for store in ("SQLite", "PostgreSQL, 1 worker", "PostgreSQL, 2 workers")
    ]
    assert all(row["failures"] == {} and row["requests"] > 0 and row["cpu_us"] > 0 for row in rows)
    assert [row["database_cpu_us"] is None for row in rows] == [True, False, False] * 2
    assert rows[4]["database_cpu_us"] > 0
    assert "CPU us of the database" in report.text(result)
    assert all(row["title"] in report.svg(result) for row in rows)

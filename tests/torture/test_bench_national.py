"""`python -m bench national` on a small country: every question is answered by our own server, growth is measured."""

from __future__ import annotations

from pathlib import Path

from bench.measure import Shape
from bench.national import GROWING, OPERATIONS, Wanted, national


def test_every_question_of_a_portal_is_answered_on_a_country_that_is_loaded_for_it(tmp_path: Path) -> None:
    said: list[str] = []

    result = national(Wanted(None, 200, 1, Shape(2, 0.2), growth=True, directory=tmp_path), said.append)

    rows = {row["name"]: row for row in result["operations"]}
    assert list(rows) == list(OPERATIONS)
    assert all(row["failures"] == {} and row["requests"] > 0 and row["cpu_us"] > 0 for row in rows.values())
    assert result["seeded"]["agendas"] == 200
    assert result["seeded"]["appointments"] > 50
    assert [point["agendas"] for point in result["growth"]] == [100, 200]
    assert all(set(point) == {"agendas", *GROWING} for point in result["growth"])
    assert result["load_seconds"] > 0 and said[0].startswith("loading 100 agendas")
    assert list(tmp_path.iterdir()) == []

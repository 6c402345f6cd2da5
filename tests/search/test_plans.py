"""The searches that must stay quick read ranges of an index, whatever SQLite guesses. https://sqlite.org/eqp.html"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from creneau.store import search_sql
from tests.search.made import Database
from tests.search.reading import read


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    found = Database()
    yield found
    found.connection.close()


@pytest.mark.parametrize(
    ("type", "text", "starts"),
    [
        (
            "Appointment",
            "identifier=urn:a|1",
            "token USING PRIMARY KEY (tenant=? AND type=? AND param=? AND code=?)",
        ),
        (
            "Appointment",
            "identifier=1",
            "token USING PRIMARY KEY (tenant=? AND type=? AND param=? AND code=?)",
        ),
        (
            "Appointment",
            "patient=Patient/1",
            "link USING PRIMARY KEY (tenant=? AND type=? AND param=? AND target_type=? AND target_id=?)",
        ),
        (
            "Appointment",
            "actor=1",
            "link USING PRIMARY KEY (tenant=? AND type=? AND param=? AND target_type=? AND target_id=?)",
        ),
        (
            "Appointment",
            "date=2026-01-01",
            "period USING PRIMARY KEY (tenant=? AND type=? AND param=? AND lo>? AND lo<?)",
        ),
        (
            "Appointment",
            "date=ge2026-01-01&date=lt2026-02-01&status=booked",
            "period USING PRIMARY KEY (tenant=? AND type=? AND param=? AND lo>? AND lo<?)",
        ),
        (
            "Appointment",
            "date=ge2026-01-01",
            "period USING PRIMARY KEY (tenant=? AND type=? AND param=? AND lo>?)",
        ),
        (
            "Appointment",
            "actor=Practitioner/1&date=ge2026-01-01&status=booked",
            "link USING PRIMARY KEY (tenant=? AND type=? AND param=? AND target_type=? AND target_id=?)",
        ),
        (
            "Appointment",
            "practitioner.identifier=urn:a|1",
            "link USING PRIMARY KEY (tenant=? AND type=? AND param=? AND target_type=? AND target_id=?)",
        ),
        (
            "Appointment",
            "_lastUpdated=gt2026-01-01",
            "resource USING INDEX resource_by_updated (tenant=? AND type=? AND updated>?)",
        ),
        (
            "Appointment",
            "_id=a,b",
            "resource USING INDEX sqlite_autoindex_resource_1 (tenant=? AND type=? AND id=?)",
        ),
        (
            "Patient",
            "family=mar",
            "text USING PRIMARY KEY (tenant=? AND type=? AND param=? AND folded>? AND folded<?)",
        ),
        (
            "Location",
            "near=48|2",
            "place USING PRIMARY KEY (tenant=? AND type=? AND param=? AND latitude>? AND latitude<?)",
        ),
        (
            "Schedule",
            "actor:PractitionerRole.specialty=SM54",
            "link USING PRIMARY KEY (tenant=? AND type=? AND param=? AND target_type=? AND target_id=?)",
        ),
    ],
)
def test_a_search_starts_from_a_range_of_an_index(
    database: Database, type: str, text: str, starts: str
) -> None:
    search_sql.prepare(database.connection)
    query = read(type, text, strict=True)

    for statement in (
        search_sql.compile(query, tenant="t", count=51),
        search_sql.compile_count(query, tenant="t"),
    ):
        plan = [
            row[3]
            for row in database.connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.args)
        ]
        searches = [
            line for line in plan if line.startswith(("SEARCH", "SCAN")) and line not in ("SCAN p", "SCAN d")
        ]
        assert starts.split(" (")[1].rstrip(")") in searches[0], plan
        assert searches[0].removeprefix("SEARCH ").replace("COVERING ", "").startswith(starts), plan
        assert not any(line.startswith("SCAN") for line in searches), plan


def test_only_sqlite_is_spoken() -> None:
    with pytest.raises(ValueError, match="no such dialect"):
        search_sql.compile(read("Patient", ""), tenant="t", count=1, dialect="oracle")

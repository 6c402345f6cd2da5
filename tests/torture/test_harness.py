"""The scenarios over real sockets: silent about a careful server, loud about one that checks first and writes later, or forgets."""

from __future__ import annotations

from pathlib import Path

import pytest
from torture.runner import Wanted
from torture.table import SCENARIOS, chosen

from conftest import CAREFUL, CARELESS
from torture import report, runner

RACES = ("shared-actor", "half-open", "one-identifier", "many-ways", "lost-update", "transactions")


@pytest.fixture(autouse=True)
def no_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in keeps nothing on disk that could be examined."""
    monkeypatch.setattr(runner, "examined", lambda database: [])


@pytest.mark.parametrize("name", RACES)
def test_a_careful_server_gives_no_finding(name: str) -> None:
    scenarios = chosen([name])

    (result,) = runner.batch(scenarios, Wanted(short=True), CAREFUL)

    assert result["findings"] == []
    assert result["operations"] > 0


@pytest.mark.parametrize(
    "name", ["shared-actor", "one-identifier", "many-ways", "lost-update", "transactions"]
)
def test_a_careless_server_is_noticed(name: str) -> None:
    scenarios = chosen([name])

    (result,) = runner.batch(scenarios, Wanted(short=True), CARELESS)

    assert result["noticed"]
    assert not any("could not go on" in line for line in result["findings"])


def test_a_server_that_forgets_at_the_kill_is_noticed(tmp_path: Path) -> None:
    scenarios = chosen(["kill-nine"])

    (result,) = runner.batch(scenarios, Wanted(short=True, histories=tmp_path), CAREFUL)

    assert any("acknowledged and is lost" in line for line in result["findings"])
    assert (tmp_path / "kill-nine-control.jsonl").stat().st_size > 0


def test_a_server_that_does_not_start_is_a_finding_and_no_notice() -> None:
    scenarios = chosen(["half-open"])

    (result,) = runner.batch(scenarios, Wanted(short=True), ("tests.torture.nowhere",))

    assert any("could not go on: NotStarted" in line for line in result["findings"])
    assert not result["noticed"]


def test_the_table_names_each_scenario_once_and_says_what_it_tries() -> None:
    assert len({one.name for one in SCENARIOS}) == len(SCENARIOS)
    assert all(one.ids.startswith("REL-") and one.title and one.run.__doc__ for one in SCENARIOS)


def test_a_name_that_is_no_scenario_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="one-winner"):
        chosen(["nothing"])


def result(findings: list[str]) -> dict[str, object]:
    return {
        "name": "one-winner",
        "ids": "REL-01",
        "rounds": 3,
        "bad_rounds": 0,
        "operations": 144,
        "p50_ms": 1.0,
        "p99_ms": 2.5,
        "max_ms": 3.0,
        "findings": findings,
        "findings_total": len(findings),
        "notes": {"appointments": 3},
        "controls": [
            {"without": "overlap", "rounds": 2, "bad_rounds": 2, "findings_total": 9, "noticed": True}
        ],
    }


def test_the_page_is_rendered_from_the_json_beside_it(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    report.write(
        {
            "store": "postgres",
            "workers": 2,
            "short": True,
            "environment": {"cores": 2},
            "results": [result(["round 1: two winners"])],
        },
        page,
    )
    first = page.read_text("utf-8")

    page.unlink()
    report.rendered(page)

    assert page.read_text("utf-8") == first
    assert "two winners" in first
    assert "without overlap: 9 finding(s) in 2 of 2 round(s)" in first


def test_findings_that_are_alike_are_kept_once_with_their_number() -> None:
    assert runner.alike(["lost", "late\nat x", "lost", "late\nat x", "odd"]) == [
        "lost ×2",
        "late ×2\nat x",
        "odd",
    ]


def test_the_page_says_how_many_findings_were_not_kept(tmp_path: Path) -> None:
    many = {**result(["round 1: lost ×3", "round 2: odd"]), "findings_total": 9}

    report.write(
        {"store": "sqlite", "workers": 1, "short": True, "environment": {}, "results": [many]},
        tmp_path / "page.md",
    )

    assert "- one-winner: 5 more were not kept" in (tmp_path / "page.md").read_text("utf-8")


def test_what_is_kept_has_no_path_of_this_machine(tmp_path: Path) -> None:
    finding = 'round 1: File "/home/somebody/creneau/x.py" and Practitioner/12\nFile "/home/somebody/y.py"'

    report.write(
        {"store": "sqlite", "workers": 1, "short": True, "environment": {}, "results": [result([finding])]},
        tmp_path / "page.md",
    )

    for kept in ("page.md", "page.json"):
        text = (tmp_path / kept).read_text("utf-8")
        assert "somebody" not in text
        assert "…/x.py" in text
        assert "Practitioner/12" in text


def test_the_page_describes_every_scenario() -> None:
    text = report.PAGE.read_text("utf-8")

    assert [one.name for one in SCENARIOS if f"**{one.name}** ({one.ids})" not in text] == []

"""What the benchmark says in figures: percentiles, CPU time, the mix, the table, the chart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bench import budgets, cpu, disk, mix, report, stats
from bench.chart import Bar, chart
from bench.load import Record
from bench.measure import Sample, Series
from hypothesis import example, given
from hypothesis import strategies as st

VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=50)


def test_percentiles_are_values_that_were_measured() -> None:
    assert [stats.percentile(range(1, 101), rank) for rank in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert stats.percentile([7.0], 99) == 7.0
    assert stats.percentile([], 50) == 0.0


@given(VALUES, st.floats(0.1, 100))
def test_a_percentile_has_its_share_of_values_at_or_below_it(values: list[float], rank: float) -> None:
    found = stats.percentile(values, rank)

    assert found in values
    assert sum(one <= found for one in values) >= len(values) * rank / 100 - 1e-6
    assert sum(one < found for one in values) < len(values) * rank / 100 + 1e-6


@pytest.mark.parametrize("rank", [0, -1, 101])
def test_a_rank_that_is_none_is_refused(rank: float) -> None:
    with pytest.raises(ValueError, match="rank"):
        stats.percentile([1.0], rank)


def test_a_command_with_parentheses_and_spaces_is_read() -> None:
    line = "42 (a b) (c) R 7 42 42 0 -1 0 1 2 3 4 150 50 20 10 20 0 1 0 99"

    assert cpu.parsed(line) == cpu.Process(42, 7, 230 / cpu.TICKS)


def test_the_cpu_time_of_a_process_and_its_children_is_counted() -> None:
    code = (
        "import os, time\nif os.fork() == 0: time.sleep(20)\n"
        "end = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
        "print('done', flush=True)\ntime.sleep(20)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()

        assert 0.25 <= cpu.cpu_seconds(process.pid) < 2.0
        assert len(cpu.tree(process.pid)) == 2
        assert cpu.resident_bytes(process.pid) > 1_000_000
    finally:
        os.killpg(process.pid, 9)
        process.communicate()


def test_a_process_that_is_gone_is_said() -> None:
    with pytest.raises(ProcessLookupError):
        cpu.cpu_seconds(2**22 + 1)


def test_the_disk_is_measured_and_its_kind_told(tmp_path: Path) -> None:
    mounts = "a / ext4 rw 0 0\nb /data xfs rw 0 0\nc /database tmpfs rw 0 0\n"

    assert disk.fsyncs_per_second(tmp_path, 0.05) > 0
    assert list(tmp_path.iterdir()) == []
    assert disk.filesystem(Path("/data/x"), mounts) == "xfs"
    assert disk.filesystem(Path("/datab"), mounts) == "ext4"


def test_a_mix_is_read_as_shares() -> None:
    assert mix.parsed("read=80, create=15,update=5") == {"read": 0.8, "create": 0.15, "update": 0.05}
    assert mix.parsed("slots") == {"slots": 1.0}


@pytest.mark.parametrize(
    "text", ["", "write=1", "read=0", "read=-1", "read=x", "read=1,read=2", "read=inf", "read=nan"]
)
def test_a_mix_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        mix.parsed(text)


BARS = st.lists(
    st.builds(
        Bar,
        st.text(st.characters(codec="utf-8", exclude_categories=("Cc",))),
        st.floats(0, 1e6),
        st.none() | st.floats(1, 1e6),
    ),
    max_size=6,
)


@example("", [Bar("", 2.2e-313, None)])
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc",))), BARS)
def test_a_chart_is_well_formed_and_says_itself(title: str, bars: list[Bar]) -> None:
    root = ElementTree.fromstring(chart(title, "µs", bars, "note"))

    svg = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{svg}title") == title
    assert root.find(f"{svg}desc") is not None
    assert root.get("role") == "img"
    assert len(root.findall(f"{svg}rect")) == 1 + len(bars)
    assert all(
        float(one.get("x", "0")) + float(one.get("width", "0")) <= 760 for one in root.findall(f"{svg}rect")
    )


def row(name: str, cost: float, per_second: float = 9999.0) -> dict[str, Any]:
    series = Series(name, f"{name} title")
    for number in range(3):
        record = Record({name: [0.001, 0.002, 0.010]}, seconds=3 / per_second)
        series.add(Sample(cost + number, record), 20.0)
    return series.summary()


def result(*rows: dict[str, Any]) -> dict[str, Any]:
    facts = {"processor": "P", "cores": 2, "python": "CPython 3", "date": "2026-01-01T00:00Z"}
    return {
        "kind": "budget",
        "environment": facts,
        "rounds": 3,
        "seconds": 1.0,
        "clients": 16,
        "operations": list(rows),
        "reference": row("reference", 20.0),
        "fsync_per_second": {"median": 7000, "least": 6000, "most": 8000},
        "memory_mb": {"idle": 60.0, "loaded": 90.0},
        "growth": [{"appointments": 1000, "read": 50.0}],
    }


def test_a_series_says_medians_and_the_ratio_to_the_reference() -> None:
    said = row("read", 40.0)

    assert (said["cpu_us"], said["cpu_us_least"], said["cpu_us_most"], said["ratio"]) == (
        41.0,
        40.0,
        42.0,
        2.05,
    )
    assert (said["p50_ms"], said["p99_ms"], said["requests"]) == (2.0, 10.0, 9)


def test_what_is_over_its_budget_is_said() -> None:
    assert budgets.over(row("read", 40.0)) == []
    assert "60 allowed" in budgets.over(row("read", 90.0))[0]
    assert "2500 wanted" in budgets.over(row("create", 90.0, per_second=100.0))[0]
    assert "OVER" in report.table(result(row("read", 90.0)))


def test_a_p99_that_has_a_budget_is_that_at_half_the_load() -> None:
    series = Series("slots", "slots title")
    for steady in (0.010, 0.030):
        series.add(Sample(900.0, Record({"slots": [0.200]}, seconds=0.2)), 24.0)
        series.steady = [Sample(None, Record({"slots": [steady]}, seconds=1.0))]
        said = series.summary()

        assert said["half_load"]["p99_ms"] == steady * 1e3
        assert [one.partition(" ms")[0] for one in budgets.over(said)] == (
            [] if steady < 0.02 else ["p99 30.0"]
        )
    assert "30.00 at 1/s" in report.table(result(said))
    assert [name for name in budgets.BUDGETS if budgets.needs_steady(name)] == ["slots", "slots25"]


def test_a_report_is_written_as_table_json_and_chart(tmp_path: Path) -> None:
    report.write(result(row("read", 40.0), row("create", 900.0)), tmp_path)

    assert json.loads((tmp_path / "bench.json").read_text("utf-8"))["operations"][0]["cpu_us"] == 41.0
    assert "| read title" in (tmp_path / "bench.md").read_text("utf-8")
    assert "budget 350" in (tmp_path / "bench.svg").read_text("utf-8")


def test_the_lines_of_a_table_are_equally_long() -> None:
    lines = report.table(result(row("read", 40.0), row("create", 900.0))).splitlines()

    assert len({len(line) for line in lines}) == 1


def test_measuring_takes_the_time_it_says() -> None:
    begin = time.perf_counter()

    disk.fsyncs_per_second(Path(__file__).parent, 0.1)

    assert 0.1 <= time.perf_counter() - begin < 2.0

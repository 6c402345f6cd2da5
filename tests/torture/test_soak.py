"""The soak's judgement finds what grows and is silent about what does not; its chart is well formed; a short one runs."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from torture.soak import Sample, Soak, judged, slope

from torture import report


def soak(memory: list[float], descriptors: list[int], failures: dict[str, int] | None = None) -> Soak:
    samples = [
        Sample(5.0 * n, mib, files, 8, 0.1 * n)
        for n, (mib, files) in enumerate(zip(memory, descriptors, strict=True))
    ]
    minute: dict[str, Any] = {
        "answers": 9,
        "p50_ms": 1.0,
        "p99_ms": 9.0,
        "cpu_us": 400,
        "failures": failures or {},
    }
    return Soak(100.0, samples, [minute])


FLAT, SAME = [100.0 + n % 3 for n in range(120)], [40] * 120


def test_the_slope_is_that_of_the_line() -> None:
    assert slope([(0, 1), (1, 3), (2, 5)]) == pytest.approx(2)
    assert slope([(1, 4), (1, 4)]) == 0


def test_what_is_flat_gives_no_finding_whatever_it_was_while_warming_up() -> None:
    warming = [60.0 + n for n in range(40)] + FLAT[40:]

    assert judged(soak(FLAT, SAME)) == judged(soak(warming, SAME)) == []


@pytest.mark.parametrize(
    ("memory", "descriptors", "finding"),
    [
        ([100 + n / 5 for n in range(120)], SAME, "memory grew"),
        (FLAT, [40 + n // 8 for n in range(120)], "descriptors grew"),
    ],
)
def test_what_grows_is_found(memory: list[float], descriptors: list[int], finding: str) -> None:
    (found,) = judged(soak(memory, descriptors))

    assert finding in found


def test_a_failure_is_found_and_a_503_is_only_counted() -> None:
    assert judged(soak(FLAT, SAME, {"create 500": 1, "slots25 503": 4})) == ["1 times create 500"]


def test_the_chart_is_svg_that_says_in_words_what_it_shows() -> None:
    samples = [{"at": 5.0 * n, "memory": 80.0 + n, "descriptors": 30, "connections": 8} for n in range(12)]
    result = {"store": "postgres", "workers": 2, "rate": 50.0, "mix": "read=1", "samples": samples}
    result["per_minute"] = [{"p99_ms": 9.0, "cpu_us": 400}]

    chart = ElementTree.fromstring(report.drawn(result))

    said = chart.findtext("{http://www.w3.org/2000/svg}desc") or ""
    assert "resident memory of all processes: 80 to 91 MiB, 91 at the end" in said
    assert "connections to PostgreSQL: 8 to 8" in said
    assert len(chart.findall("{http://www.w3.org/2000/svg}polyline")) == 5

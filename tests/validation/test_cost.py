"""The validator starts quickly, stays small, and costs a request little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import process_time

import msgspec
import pytest

from tests.validation.samples import APPOINTMENT, VALIDATOR, changed, read

START = """
from time import perf_counter
start = perf_counter()
from creneau.fhir.validation import Validator
validator = Validator()
assert validator.check({"resourceType": "Slot", "schedule": {"reference": "Schedule/1"}, "status": "free",
    "start": "2026-12-01T09:00:00Z", "end": "2026-12-01T09:30:00Z"}) == []
from pathlib import Path
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(perf_counter() - start, int(status["VmHWM"].split()[0]) / 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_it_starts_within_a_second_and_fits_in_a_small_part_of_the_memory() -> None:
    answer = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)

    seconds, megabytes = map(float, answer.stdout.split())
    # Measured: 0.2 s and 30 MB, Python itself included.
    assert seconds < 3
    assert megabytes < 60


def test_an_appointment_costs_a_few_times_the_reading_of_its_bytes() -> None:
    # Compared with a cost of the same machine at the same moment: absolute times mean little on a shared one.
    sent = msgspec.json.encode(changed(APPOINTMENT, participant=APPOINTMENT["participant"][:1] * 6))
    resource = read(sent)
    assert VALIDATOR.check(resource) == []

    reading = min(_cost(lambda: read(sent)) for _ in range(20))
    checking = min(_cost(lambda: VALIDATOR.check(resource)) for _ in range(20))

    # Measured: 6 to 7 times, both profiles claimed; a walk without the quick acceptance is above 20.
    assert checking < 14 * reading


def _cost(work: object) -> float:
    assert callable(work)
    start = process_time()
    for _ in range(200):
        work()
    return process_time() - start

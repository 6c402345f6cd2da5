"""What the log and the figures hold: our words and numbers, nothing of the client's (SEC-40, SEC-46)."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creneau.http.log import JsonHandler, Line, Log, known_names
from tests.http.running import Running

CANARY = "Zébulon-275127500234567"


def test_a_line_tells_the_template_and_not_the_path() -> None:
    with Running() as running:
        id = running.patient()
        running.get(f"/fhir/Patient/{id}?_pretty=true", X_Request_Id="known-1")

        line = running.lines()[-1]

    assert line["request"] == "known-1"
    assert line["route"] == "[type]/[id]"
    assert (line["method"], line["type"], line["interaction"], line["status"]) == (
        "GET",
        "Patient",
        "read",
        200,
    )
    assert line["parameters"] == ["_pretty"]
    assert line["out"] > 0
    assert isinstance(line["ms"], float)
    assert id not in json.dumps(line)


def test_nothing_that_a_client_sends_reaches_the_log_or_the_figures() -> None:
    from urllib.parse import quote

    canary = quote(CANARY)
    with Running() as running:
        running.patient(name=[{"family": CANARY}])
        running.get(f"/fhir/Patient?family={canary}&{canary}=1&subject:{canary}=2")
        running.get(f"/fhir/Patient/{canary}", User_Agent=canary, Prefer=canary, Accept=canary)
        running.get(f"/fhir/{canary}/1")
        running.get(f"/{canary}")
        running.call(
            "POST",
            "/fhir/Patient/_search",
            f"name={canary}".encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        running.post("/fhir/Patient", {"resourceType": CANARY, CANARY: CANARY})
        running.get("/fhir/Patient/1", X_Request_Id=canary)
        running.raw(f"GET /{canary} HTTP/9.9\r\n{canary}: {canary}\r\n\r\n".encode())
        lines, figures = running.lines(), running.get("/metrics").body.decode()

    assert len(lines) >= 9
    for shown in (json.dumps(lines), figures):
        for form in (CANARY, canary, "275127500234567", "bulon"):
            assert form not in shown


def test_a_fault_of_ours_is_a_neutral_500_with_the_trace_in_the_log_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Running() as running:

        async def broken(*_: object) -> Any:
            raise RuntimeError(CANARY)

        monkeypatch.setattr(running.application.front.world.store, "get", broken)
        reply = running.get("/fhir/Patient/1", X_Request_Id="fault-1")
        lines = running.lines()

    assert (reply.status, reply.keys) == (500, ["exception"])
    assert "fault-1" in reply.json["issue"][0]["diagnostics"]
    assert b"RuntimeError" not in reply.body
    fault = next(line for line in lines if line["event"] == "fault")
    assert (fault["request"], fault["kind"]) == ("fault-1", "RuntimeError")
    assert any("broken" in frame for frame in fault["trace"])
    assert CANARY not in json.dumps(lines)


@given(st.text(max_size=30), st.text(max_size=60))
def test_no_parameter_name_forges_a_line(name: str, value: str) -> None:
    stream = io.StringIO()
    log = Log(known_names(["Patient"]), stream)

    names = log.parameter_names([(name, value), ("family:exact", value)])
    log.request(Line("1", "GET", "[type]", "search-type", "Patient", "", names, 200, 1.5, 0, 0))
    log.flush()

    (line,) = stream.getvalue().splitlines()
    assert set(json.loads(line)["parameters"]) <= known_names(["Patient"]) | {"?"}


def test_the_socket_servers_own_faults_come_as_one_line_without_their_message() -> None:
    stream = io.StringIO()
    handler = JsonHandler(Log(frozenset(), stream))
    try:
        raise ValueError(CANARY + "\n{}")
    except ValueError as error:
        record = logging.LogRecord(
            "uvicorn.error", 40, "f", 1, "a\nb", (), (ValueError, error, error.__traceback__)
        )

    handler.emit(record)

    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["kind"] == "ValueError"
    assert CANARY not in line


def test_figures_count_requests_by_interaction_type_and_status() -> None:
    with Running() as running:
        for _ in range(3):
            running.get("/fhir/Patient/none")

        figures = running.get("/metrics")

    assert figures.headers["content-type"].startswith("text/plain")
    assert (
        'creneau_requests_total{interaction="read",status="404",type="Patient"} 3.0' in figures.body.decode()
    )
    assert "creneau_request_seconds_bucket" in figures.body.decode()
    assert "creneau_requests_in_work 1.0" in figures.body.decode()


def test_the_front_page_is_in_both_languages_and_loads_nothing(front: Running) -> None:
    reply = front.get("/")

    page = reply.body.decode()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="fr">' in page
    assert '<section lang="en"' in page
    assert front.base in page
    assert "src=" not in page
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")


def test_probes_answer_and_readiness_ends_with_the_stop() -> None:
    with Running() as running:
        live, ready = running.get("/health/live"), running.get("/health/ready")
        running.application.stopping = True
        stopping = running.get("/health/ready")

    assert (live.status, ready.status, stopping.status) == (200, 200, 503)
    assert stopping.json == {"status": "stopping"}


def test_an_address_that_is_nobodys_is_404_and_a_probe_is_only_read(front: Running) -> None:
    assert front.get("/nowhere").keys == ["nothing-here"]
    assert front.get("/fhirx").status == 404
    assert front.call("POST", "/health/live", b"").headers["allow"] == "GET, HEAD"

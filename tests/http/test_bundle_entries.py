"""The table of routes holds inside a batch and a transaction."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.running import Reply, Running

OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
PATIENT = {"resourceType": "Patient"}
PARAMETERS = {"resourceType": "Parameters"}

REFUSED = [
    ("POST", "Observation", OBSERVATION, 404),
    ("PUT", "Observation/1", {**OBSERVATION, "id": "1"}, 404),
    ("GET", "Observation?code=1", None, 404),
    ("GET", "metadata", None, 404),
    ("GET", "_history", None, 404),
    ("DELETE", "Bundle?identifier=1", None, 404),
    ("POST", "Slot", {"resourceType": "Slot"}, 405),
    ("DELETE", "Appointment/1", None, 405),
    ("DELETE", "/Appointment/1", None, 405),
    ("DELETE", "Appoint%6dent/1", None, 405),
    ("DELETE", "{base}/Appointment?identifier=1", None, 405),
    ("PATCH", "AppointmentResponse/1", PARAMETERS, 405),
    ("GET", "Binary?_id=1", None, 405),
]


def send(front: Running, kind: str, *requests: tuple[str, str, Any]) -> Reply:
    listed = []
    for method, url, resource in requests:
        entry: dict[str, Any] = {"request": {"method": method, "url": url.replace("{base}", front.base)}}
        listed.append({**entry, "resource": resource} if resource else entry)
    return front.post("/fhir", {"resourceType": "Bundle", "type": kind, "entry": listed})


@pytest.mark.parametrize(("method", "url", "resource", "status"), REFUSED)
def test_a_batch_refuses_the_entry_and_does_the_others(
    front: Running, method: str, url: str, resource: Any, status: int
) -> None:
    reply = send(
        front, "batch", ("POST", "Patient", PATIENT), (method, url, resource), ("GET", "Patient/none", None)
    )

    first, refused, last = reply.json["entry"]
    assert first["response"]["status"] == "201 Created"
    assert refused["response"]["status"].startswith(str(status))
    issue = refused["response"]["outcome"]["issue"][0]
    assert (issue["code"], issue["expression"]) == ("not-supported", ["Bundle.entry[1].request.url"])
    assert last["response"]["status"] == "404 Not Found"
    assert "resource" not in refused


@pytest.mark.parametrize(("method", "url", "resource", "status"), REFUSED)
def test_a_transaction_with_such_an_entry_writes_nothing(
    front: Running, method: str, url: str, resource: Any, status: int
) -> None:
    before = front.get("/fhir/Patient?_summary=count").json["total"]

    reply = send(front, "transaction", ("POST", "Patient", PATIENT), (method, url, resource))

    assert reply.status == status
    assert reply.json["issue"][0]["expression"] == ["Bundle.entry[1].request.url"]
    assert front.get("/fhir/Patient?_summary=count").json["total"] == before


@pytest.mark.parametrize("entry", [None, 1, {}, {"request": 1}, {"request": {"method": 1, "url": 2}}, []])
def test_an_entry_that_cannot_be_read_is_a_4xx(front: Running, entry: Any) -> None:
    for kind in ("batch", "transaction"):
        reply = front.post("/fhir", {"resourceType": "Bundle", "type": kind, "entry": [entry]})

        assert 400 <= reply.status < 500, reply.body


def test_the_stand_in_of_a_refused_entry_never_hides_a_bundle_that_is_no_list(front: Running) -> None:
    assert front.post("/fhir", {"resourceType": "Bundle", "type": "batch", "entry": {"a": 1}}).status in (
        400,
        422,
    )

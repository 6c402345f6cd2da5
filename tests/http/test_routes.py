"""The table of routes: every row answers, what is not in it is 404 or 405 with the methods that are."""

from __future__ import annotations

import itertools

import pytest

from creneau.http import routes
from creneau.http.request import place
from tests.http.running import Running

FILLED = {
    "[type]/[id]/_history/[version]": "/{type}/1/_history/1",
    "[type]/[id]": "/{type}/1",
    "": "",
    "[type]": "/{type}",
}


def path(shape: str, type: str) -> str:
    filled = FILLED.get(shape) or "/" + shape.replace("[type]", type).replace("[id]", "1")
    return "/fhir" + ("" if shape == "" else filled.format(type=type))


ROWS = sorted({(method, type, shape) for method, type, shape in routes.TABLE})
SHAPES = sorted({shape for _, _, shape in routes.TABLE if shape.startswith("[type]")})
MISSES = [
    (method, type, shape)
    for method, type, shape in itertools.product(routes.METHODS, routes.OFFERED, SHAPES)
    if (method, type, shape) not in routes.TABLE
]


def test_every_row_is_reached_by_the_path_it_describes() -> None:
    for _, type, shape in ROWS:
        assert place(path(shape, type)[5:])[:2] == (shape, type)


def test_every_row_answers_without_a_fault_of_ours(front: Running) -> None:
    for method, type, shape in ROWS:
        reply = front.call(method, path(shape, type), b"" if method in ("POST", "PUT", "PATCH") else None)

        assert reply.status < 500, (method, type, shape, reply.body)
        assert reply.status != 405, (method, type, shape)


def test_what_a_type_does_not_offer_is_405_with_what_it_does_or_404(front: Running) -> None:
    for method, type, shape in MISSES:
        reply = front.call(method, path(shape, type))
        offered = routes.allowed(type, shape)

        assert reply.status == (405 if offered else 404), (method, type, shape)
        assert reply.headers.get("allow", "") == ", ".join(offered)
        if method != "HEAD":
            assert reply.json["issue"][0]["code"] == "not-supported"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/fhir/Slot", "GET, HEAD, OPTIONS"),
        ("PUT", "/fhir/Slot/1", "GET, HEAD, OPTIONS"),
        ("DELETE", "/fhir/Appointment/1", "GET, HEAD, PUT, PATCH, OPTIONS"),
        ("DELETE", "/fhir/metadata", "GET, HEAD, OPTIONS"),
        ("GET", "/fhir", "POST, OPTIONS"),
        ("PATCH", "/fhir/AppointmentResponse/1", "GET, HEAD, PUT, OPTIONS"),
    ],
)
def test_methods_not_offered_are_405_with_allow(front: Running, method: str, path: str, allow: str) -> None:
    reply = front.call(method, path)

    assert (reply.status, reply.headers["allow"]) == (405, allow)
    assert reply.keys == ["interaction-not-offered"]


@pytest.mark.parametrize(
    "path",
    [
        "/fhir/Observation",
        "/fhir/Observation/1",
        "/fhir/patient/1",
        "/fhir/Patient/1/Appointment",
        "/fhir/$everything",
        *("/fhir/Patient/$everything", "/fhir/Patient/1/_history/1/2", "/fhir/Bundle", "/fhir/Parameters/1"),
    ],
)
def test_types_and_operations_that_are_not_here_are_404_not_supported(front: Running, path: str) -> None:
    reply = front.get(path)

    assert (reply.status, reply.json["issue"][0]["code"]) == (404, "not-supported")


def test_options_tells_the_methods(front: Running) -> None:
    reply = front.call("OPTIONS", "/fhir/Patient/1")

    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["allow"] == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"


@pytest.mark.parametrize("path", ["/fhir/Patient/", "/fhir/Patient/?_count=1", "/fhir/metadata/"])
def test_a_trailing_slash_counts_for_nothing(front: Running, path: str) -> None:
    assert front.get(path).status == 200


@pytest.mark.parametrize("id", ["a_b", "a" * 65, "%C3%A9", "a%2Fb", "%00", "a%20b", "..%2f..", "%ff"])
def test_an_id_that_cannot_be_one_is_404_to_read_and_400_to_write(front: Running, id: str) -> None:
    read = front.get(f"/fhir/Patient/{id}")
    write = front.put(f"/fhir/Patient/{id}", {"resourceType": "Patient", "id": "x"})

    assert (read.status, read.keys) == (404, ["id-unknowable"])
    assert (write.status, write.keys) == (400, ["id-malformed"])


def test_a_percent_encoded_id_is_the_same_id(front: Running) -> None:
    id = front.patient()

    assert front.get(f"/fhir/Pat%69ent/%{ord(id[0]):02x}{id[1:]}").status == 200


def test_every_type_and_flow_of_gap_has_its_rows() -> None:
    told = {flow for flows in routes.FLOWS.values() for flow in flows.split(", ")}

    assert told == {"1a", "1b", "1c", "2a", "2b", "2c", "3a", "3b", "3c", "4a", "5a", "4b", "5b", "6a", "6b"}
    assert all(code in routes.OFFERED[type] for type, code in routes.FLOWS)


def test_the_conditional_update_of_an_appointment_is_flow_6b() -> None:
    assert routes.flow("Appointment", "update-conditional") == "6b"
    assert routes.flow("Slot", "read") == ""

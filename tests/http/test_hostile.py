"""No input makes a fault of ours, a hang or a crash (invariant 5; SEC-20, SEC-26, SEC-27)."""

from __future__ import annotations

import http.client
import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from creneau.http.settings import HttpSettings, ServerSettings
from tests.http.running import Running, received

RAW = [
    b"GET /fhir/Patient/\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /fhir/Patient?name=\xc3\xa9 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /fhir/?%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET http://elsewhere/fhir/Patient/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"BREW /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"PROPFIND /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"get /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /fhir/Patient/1 HTTP/3.0\r\n\r\n",
    b"GET /fhir/Patient/1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\r\n\r\n\r\n\x00",
    b"GET /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n",
    b"GET /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n",
    b"GET /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999999\r\n\r\n",
    b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n",
    b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    b"GET /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n",
    b"GET /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n",
    b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
]


@pytest.mark.parametrize("sent", RAW)
def test_odd_requests_get_an_answer_of_the_4xx_or_a_closed_connection(sent: bytes) -> None:
    with Running(bounds=ServerSettings(head_seconds=0.3)) as running:
        came = running.raw(sent)

        for line in came.split(b"\r\n"):
            if line.startswith(b"HTTP/1.1 ") and not line.startswith(b"HTTP/1.1 100"):
                assert line[9:10] == b"4", came
        assert running.get("/health/live").status == 200


def test_what_is_not_http_is_told_so_in_an_outcome() -> None:
    with Running() as running:
        came = running.raw(b"GET /fhir HTTP/1.1\r\nbad header\r\n\r\n")

    assert came.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b'"code":"http-malformed"' in came


def test_a_head_over_its_limit_is_431_however_it_comes() -> None:
    with Running() as running:
        many = running.raw(
            b"GET /fhir HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"a" * 1000) for i in range(300))
        )
        one = running.raw(b"GET /fhir HTTP/1.1\r\nX: " + b"a" * 300_000)
        url = running.raw(b"GET /fhir/" + b"a" * 300_000)

    for came in (many, one, url):
        assert came == b"" or came.startswith(b"HTTP/1.1 431 ")
    assert any(came for came in (many, one, url))


def test_large_bodies_on_one_connection_are_not_taken_for_heads(front: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=10)
    statuses = []
    for _ in range(3):
        connection.request(
            "POST", "/fhir/Patient", b"[" + b" " * 300_000, {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()

    assert statuses == [400, 400, 400]


def test_a_declared_body_over_the_limit_is_413_at_once(front: Running) -> None:
    came = front.raw(b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n")

    assert came.startswith(b"HTTP/1.1 413 ")
    assert b"body-too-long" in came
    assert b"connection: close" in came


def test_an_ordinary_client_that_sends_a_little_too_much_reads_its_413(front: Running) -> None:
    for path, size, status in (
        ("/fhir/Patient", 2_000_000, 413),
        ("/fhir", 2_000_000, 400),
        ("/fhir", 17 << 20, 413),
    ):
        reply = front.call("POST", path, b" " * size, {"Content-Type": "application/fhir+json"})

        assert reply.status == status


def test_an_endless_chunked_body_is_cut_and_takes_no_memory(front: Running) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sent = 0
    with socket.create_connection(("127.0.0.1", front.port), timeout=10) as connection:
        connection.sendall(b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(2000):
                connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
                sent += 65536
        except (BrokenPipeError, ConnectionResetError):
            pass
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert sent < 32 << 20
    assert grown < 20 << 10
    assert front.get("/health/live").status == 200


def test_endless_trailers_take_no_memory(front: Running) -> None:
    megabyte = b"".join(b"T-%d: %s\r\n" % (number, b"a" * 1000) for number in range(1000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with socket.create_connection(("127.0.0.1", front.port), timeout=10) as connection:
        connection.sendall(
            b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        )
        for _ in range(100):
            connection.sendall(megabyte)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert grown < 50 << 10
    assert front.get("/health/live").status == 200


def test_a_head_or_a_body_that_never_ends_is_given_up() -> None:
    with Running(HttpSettings(body_seconds=0.3), ServerSettings(head_seconds=0.3)) as running:
        started = time.monotonic()
        silent = running.raw(b"")
        head = running.raw(b"GET /fhir/Patient/1 HTTP/1.1\r\nHost")
        body = running.raw(b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
        second = running.raw(b"GET /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\n\r\nGET /fhir")
        took = time.monotonic() - started

    assert (silent, head) == (b"", b"")
    assert body.startswith(b"HTTP/1.1 408 ")
    assert second.startswith(b"HTTP/1.1 404 ")
    assert took < 5


def test_slow_clients_do_not_slow_the_others() -> None:
    with Running(HttpSettings(concurrent=50)) as running:
        slow = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(200)]
        for one in slow:
            one.sendall(b"POST /fhir/Patient HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
        started = time.monotonic()
        statuses = {running.get("/health/live").status for _ in range(20)}
        took = time.monotonic() - started
        for one in slow:
            one.close()

    assert statuses == {200}
    assert took < 2


def test_bodies_together_are_bounded_and_what_they_held_is_given_back() -> None:
    with Running(HttpSettings(held_limit=100_000)) as running:
        head = b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n"
        with socket.create_connection(("127.0.0.1", running.port)) as slow:
            slow.sendall(head + b" " * 80_000)
            time.sleep(0.1)
            refused = running.call("POST", "/fhir/Patient", b" " * 30_000)
        time.sleep(0.1)
        after = [running.call("POST", "/fhir/Patient", b" " * 90_000).status for _ in range(3)]

    assert (refused.status, refused.keys) == (503, ["too-many-bytes"])
    assert after == [400, 400, 400]


def test_connections_beyond_the_limit_are_told_to_come_back() -> None:
    with Running(bounds=ServerSettings(connections=3)) as running:
        held = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(3)]
        time.sleep(0.1)
        with socket.create_connection(("127.0.0.1", running.port), timeout=5) as extra:
            came = received(extra)
        for one in held:
            one.close()
        time.sleep(0.1)
        after = running.get("/health/live").status

    assert came.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in came
    assert after == 200


def test_requests_beyond_the_limit_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    with Running(HttpSettings(concurrent=2, seconds=1.0)) as running:

        async def slow(*_: object) -> None:
            await asyncio.sleep(0.4)

        monkeypatch.setattr(running.application.front.world.store, "get", slow)
        with ThreadPoolExecutor(6) as pool:
            statuses = list(pool.map(lambda _: running.get("/fhir/Patient/1").status, range(6)))

    assert statuses.count(404) >= 2
    assert statuses.count(503) >= 1
    assert set(statuses) <= {404, 503}


def test_an_answer_that_takes_too_long_is_503_too_costly(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    with Running(HttpSettings(seconds=0.2)) as running:

        async def endless(*_: object) -> None:
            await asyncio.sleep(60)

        monkeypatch.setattr(running.application.front.world.store, "get", endless)
        reply = running.get("/fhir/Patient/1")

    assert (reply.status, reply.keys) == (503, ["out-of-time"])
    assert reply.headers["retry-after"] == "1"
    assert reply.json["issue"][0]["code"] == "too-costly"


def test_a_client_that_leaves_in_the_middle_of_its_body_is_nobodys_trouble() -> None:
    with Running() as running:
        with socket.create_connection(("127.0.0.1", running.port)) as connection:
            connection.sendall(b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
            time.sleep(0.05)
        time.sleep(0.1)
        lines = running.lines()

    assert [line["status"] for line in lines] == [499]


HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Accept",
            "Prefer",
            "If-Match",
            "If-None-Match",
            "If-Modified-Since",
            "Accept-Language",
            "Content-Type",
            *(
                "If-None-Exist",
                "X-Request-Id",
                "Content-Encoding",
                "Accept-Encoding",
                "Range",
                "X-Forwarded-For",
            ),
        ]
    ),
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60),
)
PATHS = st.lists(
    st.sampled_from(
        [
            *"/%$_?&=.:|,+~[]{}'\"\\<>^`;@!*()ab019",
            "/fhir/",
            "Patient",
            "/Slot",
            "_search",
            "%2e",
            "%00",
            "%ff",
        ]
    ),
    max_size=30,
).map("".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    PATHS,
    HEADERS,
    st.binary(max_size=60),
)
def test_whatever_is_sent_is_answered_below_500(
    front: Running, method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    reply = front.call(method, "/fhir/" + path, body, headers)

    assert reply.status < 500, reply.body

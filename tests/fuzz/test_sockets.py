"""Bytes that clients, proxies and attackers send wrong are answered in the 4xx or cut; one JSON line a request (SEC-26, SEC-27, SEC-40, SEC-46).

Shapes that `tests/http/test_hostile.py` sends to a front door of its own are not sent again here: these go to a whole server, with names.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.client import Server
from tests.fuzz.canaries import COMMENT, FAMILY, GIVEN, INS, PHONE, encoded, leaks, lines
from tests.fuzz.conftest import watched

HOST = b"Host: a\r\n"
CLOSE = b"Connection: close\r\n"
WHO = FAMILY.encode()
JSON = b"Content-Type: application/fhir+json\r\n"
HIDDEN = b"GET /fhir/Patient/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def post(head: bytes, body: bytes = b"") -> bytes:
    return b"POST /fhir/Patient HTTP/1.1\r\n" + HOST + JSON + head + b"\r\n" + body


SMUGGLING = {
    "length then chunks": post(b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + HIDDEN),
    "chunks then length": post(b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", b"0\r\n\r\n" + HIDDEN),
    "two lengths": post(b"Content-Length: 0\r\nContent-Length: 2\r\n", HIDDEN),
    "two lengths in one": post(b"Content-Length: 0, 2\r\n", HIDDEN),
    "signed length": post(b"Content-Length: +2\r\n", b"{}" + HIDDEN),
    "length in hexadecimal": post(b"Content-Length: 0x2\r\n", b"{}" + HIDDEN),
    "length with a digit of elsewhere": post("Content-Length: ٢\r\n".encode(), b"{}" + HIDDEN),
    "length before a space": post(b"Content-Length : 2\r\n", b"{}" + HIDDEN),
    "folded chunks": post(b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 2\r\n", b"{}" + HIDDEN),
    "chunked, identity": post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n" + HIDDEN),
    "xchunked": post(b"Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n", b"{}" + HIDDEN),
    "vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 2\r\n", b"{}" + HIDDEN),
    "a name with a line feed": post(
        b"Content-Length: 2\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + HIDDEN
    ),
    "a chunk longer than it says": post(b"Transfer-Encoding: chunked\r\n", b"2\r\n{}x\r\n0\r\n\r\n" + HIDDEN),
    "a chunk of a negative size": post(b"Transfer-Encoding: chunked\r\n", b"-1\r\n\r\n" + HIDDEN),
    "a chunk of an endless size": post(
        b"Transfer-Encoding: chunked\r\n", b"f" * 400 + b"\r\n{}\r\n" + HIDDEN
    ),
    "a chunk extension without end": post(b"Transfer-Encoding: chunked\r\n", b"2;" + b"a" * 100_000),
}
MALFORMED = {
    "obs-fold": b"GET /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\nX: "
    + WHO
    + b"\r\n folded\r\n"
    + CLOSE
    + b"\r\n",
    "bare line feeds": b"GET /fhir/Patient/" + WHO + b" HTTP/1.1\nHost: a\nConnection: close\n\n",
    "bare carriage returns": b"GET /fhir/Patient/1 HTTP/1.1\rHost: a\r\r",
    "NUL in the path": b"GET /fhir/Patient/a\x00b?name=" + WHO + b" HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "NUL in the path, encoded": b"GET /fhir/Patient/a%00b HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "NUL in a header": b"GET /fhir/Patient/1 HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n" + CLOSE + b"\r\n",
    "half a percent": b"GET /fhir/Patient/%C3%8?name=%&family=%zz%E9 HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "a line feed encoded": b"GET /fhir/Patient/a%0d%0a%7b%22event%22 HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "a slash encoded": b"GET /fhir/Patient%2f..%2f..%2fetc/1 HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "dots": b"GET /fhir/../../etc/hostname HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "HTTP/0.9": b"GET /fhir/Patient?name=" + WHO + b"\r\n",
    "HTTP/1.0": b"GET /fhir/Patient/none HTTP/1.0\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown version": b"GET /fhir/Patient/1 HTTP/9.9\r\n" + WHO + b": " + WHO + b"\r\n\r\n",
    "two hosts": b"GET /fhir/Patient/none HTTP/1.1\r\n" + HOST + b"Host: " + WHO + b"\r\n" + CLOSE + b"\r\n",
    "a space in the target": b"GET /fhir/Patient?name=" + WHO + b" x HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "a fragment": b"GET /fhir/Patient/none#" + WHO + b" HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "another authority": b"GET http://elsewhere/fhir/Patient/none HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "a huge header": b"GET /fhir/Patient/none HTTP/1.1\r\nX: " + WHO * 20_000 + b"\r\n\r\n",
    "many headers": b"GET /fhir/Patient/none HTTP/1.1\r\n"
    + b"".join(b"X%d: a\r\n" % i for i in range(9_000))
    + b"\r\n",
    "a huge target": b"GET /fhir/Patient?name=" + WHO * 8_000 + b" HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "a method of another kind": WHO + b" /fhir/Patient HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "an unknown method": b"SUBSCRIBE /fhir/Patient/none HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
    "a coding that is none": post(
        b"Content-Encoding: " + WHO + b"\r\n" + CLOSE + b"Content-Length: 2\r\n", b"{}"
    ),
    "gzip that is none": post(b"Content-Encoding: gzip\r\n" + CLOSE + b"Content-Length: 2\r\n", b"{}"),
    "a charset that is none": post(
        b"Content-Type: application/fhir+json; charset=" + WHO + b"\r\n" + CLOSE + b"Content-Length: 2\r\n",
        b"{}",
    ),
    "an upgrade": b"GET /fhir/Patient/none HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n\r\n",
    "an expectation": post(b"Expect: " + WHO + b"\r\n" + CLOSE + b"Content-Length: 2\r\n", b"{}"),
    "control characters": b"GET /fhir/Patient/none HTTP/1.1\r\n"
    + HOST
    + b"X-Request-Id: \x1b[31m\xe2\x80\xa8{\r\n"
    + CLOSE
    + b"\r\n",
    "noise": bytes(range(256)) * 4,
}


@pytest.fixture(scope="module")
def struck(tmp_path_factory: pytest.TempPathFactory, database_at: Callable[[Path], str]) -> Iterator[Server]:
    """A server whose log is short enough to be read after each request."""
    with watched(tmp_path_factory, "sockets", database_at) as running:
        yield running


def talk(server: Server, sent: bytes, *, wait: float = 1.5) -> bytes:
    """What comes back until the server closes, or says nothing more."""
    pieces = []
    with socket.create_connection(("127.0.0.1", server.port), timeout=wait) as connection:
        try:
            connection.sendall(sent)
            while piece := connection.recv(65_536):
                pieces.append(piece)
        except (TimeoutError, ConnectionError):
            pass
    return b"".join(pieces)


def statuses(came: bytes) -> list[int]:
    """The statuses of the answers in what came."""
    found = []
    while came:
        head, _, rest = came.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 "), came[:300]
        status = int(head[9:12])
        length = [
            int(one.split(b":")[1])
            for one in head.lower().split(b"\r\n")
            if one.startswith(b"content-length:")
        ]
        found.append(status)
        came = rest[length[0] if length else 0 :]
    return found


def recorded(server: Server) -> list[dict[str, object]]:
    """The lines of the requests so far."""
    time.sleep(0.05)
    assert server.log is not None
    return [line for line in lines(server.log) if line["event"] == "request"]


@pytest.mark.parametrize("sent", SMUGGLING.values(), ids=SMUGGLING)
def test_no_request_hides_in_the_body_of_another(struck: Server, sent: bytes) -> None:
    before = len(recorded(struck))

    came = statuses(talk(struck, sent, wait=0.25))

    after = recorded(struck)[before:]
    assert all(400 <= status < 500 for status in came), came
    assert not any(line["route"] == "[type]/[id]" for line in after), after
    assert len([line for line in after if line["status"] != 499]) <= len(came)
    assert struck.get("/Patient/none").status == 404


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
def test_what_no_one_should_send_is_answered_in_the_4xx_or_cut(struck: Server, sent: bytes) -> None:
    before = len(recorded(struck))

    came = talk(struck, sent, wait=0.25)

    assert all(400 <= status < 500 for status in statuses(came)), came
    assert leaks(came.decode("utf-8", "replace")) == []
    assert len(recorded(struck)) - before <= 1
    assert struck.get("/Patient/none").status == 404


def _silent(connection: socket.socket) -> None:
    """Send nothing more, and leave."""


def _reset(connection: socket.socket) -> None:
    """Leave without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _half(connection: socket.socket) -> None:
    """Say that nothing more will come, and wait for the answer."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(1)
    connection.recv(65_536)


LEFT = {
    "in a head": b"GET /fhir/Patient?family=" + WHO,
    "in a header": b"GET /fhir/Patient HTTP/1.1\r\nX: " + WHO,
    "in a body": post(b"Content-Length: 100000\r\n", b'{"resourceType":"Patient","name":[{"family":"' + WHO),
    "in a chunk": post(b"Transfer-Encoding: chunked\r\n", b"ff\r\n" + WHO),
    "before the answer": b"GET /fhir/Slot?_count=1000 HTTP/1.1\r\n" + HOST + b"\r\n",
    "in the second of two": b"GET /fhir/Patient/none HTTP/1.1\r\n" + HOST + b"\r\nGET /fhir/" + WHO,
}


@pytest.mark.parametrize("sent", LEFT.values(), ids=LEFT)
@pytest.mark.parametrize("leaving", [_silent, _reset, _half])
def test_a_client_that_leaves_takes_nothing_with_it(
    struck: Server, sent: bytes, leaving: Callable[[socket.socket], None]
) -> None:
    with socket.create_connection(("127.0.0.1", struck.port), timeout=5) as connection:
        connection.sendall(sent)
        time.sleep(0.02)
        leaving(connection)

    assert struck.get("/Patient/none").status == 404


def test_every_request_is_one_line_that_names_nobody(new_server: Callable[..., Server]) -> None:
    server = new_server()
    before = len(recorded(server))
    for who in (FAMILY, GIVEN, INS, PHONE, COMMENT, f"{INS}-{PHONE[1:]}"):
        value = "".join(f"%{byte:02X}" for byte in who.encode())
        bare = who.encode("latin-1", "replace").decode("latin-1").replace(" ", "_")
        server.get(f"/Patient?family={value}&{value}=1&general-practitioner.{value}=2&_sort={value}")
        server.get(f"/Patient/{value}", X_Request_Id=bare, User_Agent=bare, Accept=bare, Referer=bare)
        server.get(f"/{value}/1/{value}", If_None_Match=bare, Authorization=bare, Cookie=bare)
        server.post("/Patient", {"resourceType": "Patient", "name": [{"family": who}], who: who})
        server.post(
            "/Patient", {"resourceType": "Patient", "name": [{"family": who}]}, If_None_Exist=f"name={value}"
        )
        server.put(f"/Appointment?identifier={value}", {"resourceType": "Appointment", "comment": who})
        server.post("/Patient/$validate", {"resourceType": who, "id": who})
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        server.call("POST", f"/Patient/_search?name={value}", f"family={value}".encode(), **form)
        server.call("PATCH", f"/Patient/{value}", [{"op": "add", "path": f"/{who}", "value": who}])

    shown = recorded(server)
    assert len(shown) - before == 6 * 9
    assert server.log is not None
    assert leaks(server.log.read_text()) == []


def test_the_search_for_leaks_finds_what_it_looks_for() -> None:
    for plain in (INS, FAMILY, GIVEN, PHONE):
        for spelled in (plain, plain.encode().hex(), *encoded(plain)):
            held = leaks(f'{{"text":"xx{spelled}yy"}}')
            assert held or spelled == plain.encode().hex()
    assert leaks('{"a":"1 85 05 78 006 084 91","b":"185057800608491"}') == ["185057800608491"]
    assert leaks('{"time":"2026-11-24T21:02:51.785Z","ms":12.345,"request":"cf897a135a-7"}') == []

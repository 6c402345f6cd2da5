"""The load generator's HTTP: answers are cut out of the stream however it comes, requests say what they must."""

from __future__ import annotations

import pytest
from bench.wire import Answer, Cutter, escaped, target
from hypothesis import given
from hypothesis import strategies as st

PLAIN = (
    b"HTTP/1.1 201 Created\r\nLocation: http://h/fhir/Patient/7/_history/1\r\ncontent-length: 5\r\n\r\nhello"
)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"


def cut(data: bytes, sizes: list[int]) -> list[Answer]:
    cutter, found, at = Cutter(), [], 0
    for size in [*sizes, len(data)]:
        part = data[at : at + size]
        at += size
        if part and (answer := cutter.feed(part)) is not None:
            found.append(answer)
    return found


@given(st.sampled_from([PLAIN, CHUNKED]), st.lists(st.integers(1, 40), max_size=20))
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(data: bytes, sizes: list[int]) -> None:
    (answer,) = cut(data, sizes)

    assert answer.body == b"hello"
    assert answer.status in (200, 201)


def test_a_connection_gives_one_answer_after_the_other() -> None:
    cutter = Cutter()

    answers = [cutter.feed(data) for data in (PLAIN, EMPTY, CHUNKED, PLAIN)]

    assert [one.status for one in answers if one] == [201, 204, 200, 201]


def test_an_interim_answer_is_passed_over() -> None:
    (answer,) = cut(b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN, [])

    assert answer.status == 201


def test_a_body_without_length_ends_with_the_connection() -> None:
    cutter = Cutter()

    assert cutter.feed(b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhel") is None
    assert cutter.feed(b"lo") is None
    answer = cutter.closed()

    assert answer is not None
    assert (answer.body, answer.last) == (b"hello", True)


def test_an_answer_cut_short_is_none() -> None:
    cutter = Cutter()
    cutter.feed(PLAIN[:-1])

    assert cutter.closed() is None


def test_headers_are_found_whatever_their_case() -> None:
    answer = Answer(201, PLAIN.partition(b"\r\n\r\n")[0] + b"\r\n", b"")

    assert answer.header("LOCATION") == "http://h/fhir/Patient/7/_history/1"
    assert answer.header("etag") == ""


def test_a_request_names_the_host_the_path_and_the_length() -> None:
    request = target("http://127.0.0.1:8080/r4/", ("Authorization: Bearer x",)).request(
        "POST", "Patient", b"{}"
    )

    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /r4/Patient HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n")
    assert b"Authorization: Bearer x" in head
    assert b"Content-Length: 2" in head
    assert body == b"{}"


def test_the_base_itself_can_be_asked() -> None:
    assert (
        target("https://h/fhir").request("POST", "", b"x").startswith(b"POST /fhir HTTP/1.1\r\nHost: h:443")
    )


@pytest.mark.parametrize("base", ["", "ftp://h/x", "/fhir", "http://"])
def test_what_is_no_base_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        target(base)


def test_a_value_keeps_the_separators_of_fhir() -> None:
    assert escaped("urn:x|a b+c") == "urn:x|a%20b%2Bc"

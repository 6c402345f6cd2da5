"""Every operation of the interface, asked as its OpenAPI description allows and a little beside it (invariant 5; SEC-20 to SEC-25, SEC-31)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import GenerationMode, SerializationContext
from schemathesis.core.result import Ok

from creneau.http.routes import ROUTES
from tests.client import Reply, Server
from tests.fuzz.openapi import KNOWN, document
from tests.fuzz.sending import judge, tried
from tests.people import Practice, practice

FHIR_ONLY = {"Accept": "application/fhir+json"}
"""Binary is read raw unless FHIR is asked for."""


def _encoded(context: SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


for media in ("application/fhir+json", "application/json-patch+json"):
    schemathesis.serializer(media)(_encoded)

DOCUMENT = document()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS: dict[str, Any] = {
    found.ok().label: found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)
}


@pytest.fixture(scope="module")
def house(shaken: Server) -> Practice:
    """A practice that what is asked here may delete."""
    return practice(shaken)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


def named(text: str, at: Practice) -> str:
    """The text with the ids of resources that exist in the place of `KNOWN`."""
    for reference in (at.patient, at.practitioner, at.role, at.agenda):
        type = reference.partition("/")[0]
        for slash in ("/", "%2F"):
            text = text.replace(f"{type}{slash}{KNOWN}", reference)
    return text


def asked(case: Any, server: Server, at: Practice) -> requests.PreparedRequest:
    """The request of a case; a deletion finds nothing, since what comes after wants what there is."""
    wanted = case.as_transport_kwargs(base_url=server.base)
    request = requests.Request(
        **{
            name: wanted[name]
            for name in ("method", "url", "params", "data", "json", "headers")
            if name in wanted
        }
    ).prepare()
    if request.method != "DELETE":
        request.url = named(request.url or "", at)
    if isinstance(request.body, bytes):
        request.prepare_body(named(request.body.decode("latin-1"), at).encode("latin-1"), None)
    if "/Binary" in (request.url or ""):
        request.headers.update(FHIR_ONLY)
    return request


def test_the_document_has_every_row_of_the_table() -> None:
    described = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    shapes = {
        (method, path.replace("/{id}", "/[id]").replace("{version}", "[version]"))
        for method, path in described
    }

    for row in ROUTES:
        ends = row.shape.removeprefix("[type]")
        assert any(method == row.method and shape.endswith(ends) for method, shape in shapes), row.shape
    assert len(OPERATIONS) == len(described) > 50


@pytest.mark.parametrize("label", OPERATIONS)
def test_an_operation_is_answered_or_refused_in_our_words(
    shaken: Server, house: Practice, session: requests.Session, label: str
) -> None:
    operation = OPERATIONS[label]
    cases = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )

    @tried(4)
    @given(cases)
    def ask(case: Any) -> None:
        request = asked(case, shaken, house)
        started = time.monotonic()

        answer = session.send(request, allow_redirects=False, timeout=30)

        fields = {name.lower(): value for name, value in answer.headers.items()}
        judge(Reply(answer.status_code, fields, answer.content), time.monotonic() - started)

    ask()

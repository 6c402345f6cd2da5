"""A client whose connection is reset before its answer was sent: a line of status 499, no fault of ours (SEC-31, SEC-40)."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest

from creneau.http.app import Application
from creneau.http.settings import HttpSettings
from tests.http.running import new_world


@pytest.mark.parametrize(
    "lost", [ConnectionResetError(), BrokenPipeError(), RuntimeError("the handler is closed")]
)
@pytest.mark.parametrize("message", [1, 2])
def test_a_reset_while_the_answer_is_sent_is_noted_and_is_no_fault(lost: Exception, message: int) -> None:
    log, sent = io.StringIO(), []
    application = Application(new_world("http://a/fhir"), HttpSettings(), stream=log)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/fhir/Patient/1",
        "raw_path": b"/fhir/Patient/1",
        "query_string": b"",
        "headers": [],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(part: Any) -> None:
        sent.append(part)
        if len(sent) == message:
            raise lost

    async def once() -> None:
        await application(scope, receive, send)
        await asyncio.sleep(0.1)

    asyncio.run(once())

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line.get("status") for line in lines] == [499]
    assert len(sent) == message

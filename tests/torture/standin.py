"""A FHIR server of a few lines, in memory, to test the tools against: careless, it checks, lets others in, then writes.

`python -m tests.torture.standin [--careless] serve --host HOST --port PORT --database ...`, as the real one is started.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qs

import uvicorn

Message = MutableMapping[str, Any]
Resource = dict[str, Any]
CARELESS = "--careless" in sys.argv
NUMBERS = count(1)
VERSIONS: dict[tuple[str, str], list[Resource]] = {}
LOCK = asyncio.Lock()
Reply = tuple[int, Resource, str]


class Refused(Exception):
    """An answer that is a refusal."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """One request."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        part = await receive()
        body += part.get("body", b"")
        if not part.get("more_body"):
            break
    try:
        status, resource, location = await answer(scope, body)
    except Refused as refused:
        issue = {"severity": "error", "code": refused.code}
        status, resource, location = (
            refused.status,
            {"resourceType": "OperationOutcome", "issue": [issue]},
            "",
        )
    content = json.dumps(resource).encode()
    headers = [(b"content-type", b"application/fhir+json"), (b"content-length", str(len(content)).encode())]
    if location:
        headers += [(b"location", location.encode()), (b"etag", f'W/"{location.rsplit("/", 1)[1]}"'.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def answer(scope: Message, body: bytes) -> Reply:
    if scope["path"] == "/health/ready":
        return 200, {}, ""
    parts = scope["path"].removeprefix("/fhir").strip("/").split("/")
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    match scope["method"], parts:
        case "POST", [""]:
            return await transaction(json.loads(body))
        case "POST", [type_]:
            return await create(type_, json.loads(body))
        case "PUT", [type_]:
            return await upsert(type_, query["identifier"], json.loads(body), headers.get("if-match", ""))
        case "PUT", [type_, id_]:
            return await update(type_, id_, json.loads(body), headers.get("if-match", ""))
        case "GET", [type_, id_]:
            return reply(200, current(type_, id_))
        case "GET", [type_, id_, "_history"]:
            return 200, bundle(list(reversed(VERSIONS[type_, id_]))), ""
        case "GET", [type_]:
            return 200, bundle(matching(type_, query.get("identifier"))), ""
    raise Refused(404, "not-found")


async def create(type_: str, sent: Resource) -> Reply:
    key = type_, f"n{next(NUMBERS)}"
    return await write(key, sent, 1, 201)


async def upsert(type_: str, identifier: str, sent: Resource, if_match: str) -> Reply:
    while True:
        found = matching(type_, identifier)
        if len(found) > 1:
            raise Refused(412, "multiple-matches")
        try:
            if found and if_match:
                return await update(type_, found[0]["id"], sent, if_match)
            if found:
                key = type_, found[0]["id"]
                return await write(key, sent, len(VERSIONS[key]) + 1, 200)
            return await create(type_, sent)
        except Refused as refused:
            if refused.code not in ("duplicate", "moved"):
                raise


async def update(type_: str, id_: str, sent: Resource, if_match: str) -> Reply:
    known = current(type_, id_)
    version = int(known["meta"]["versionId"])
    if if_match and re.findall(r"\d+", if_match) != [str(version)]:
        raise Refused(412, "conflict")
    try:
        return await write((type_, id_), sent, version + 1, 200)
    except Refused as refused:
        raise Refused(412, "conflict") if refused.code == "moved" else refused from None


async def transaction(sent: Resource) -> Reply:
    before = {key: list(versions) for key, versions in VERSIONS.items()}
    made = []
    try:
        for entry in sent["entry"]:
            _, _, location = await create(entry["request"]["url"], entry["resource"])
            made.append({"response": {"status": "201", "location": location}})
    except Refused:
        if not CARELESS:
            VERSIONS.clear()
            VERSIONS.update(before)
        raise
    return 200, {"resourceType": "Bundle", "type": "transaction-response", "entry": made}, ""


async def write(key: tuple[str, str], sent: Resource, version: int, status: int) -> Reply:
    """Guard, then write; careless: others come in between."""
    if CARELESS:
        guard(key, sent, version)
        await asyncio.sleep(0.005)
        keep(key, sent, version)
    else:
        guard(key, sent, version)
        keep(key, sent, version)
    return reply(status, current(*key))


def guard(key: tuple[str, str], sent: Resource, version: int) -> None:
    if len(VERSIONS.get(key, [])) != version - 1:
        raise Refused(409, "moved")
    for other, versions in VERSIONS.items():
        if other == key or other[0] != key[0] or other[0] != "Appointment":
            continue
        if identifiers(versions[-1]) & identifiers(sent):
            raise Refused(409, "duplicate")
        if things(versions[-1]) & things(sent) and overlap(versions[-1], sent):
            raise Refused(409, "conflict")
    if key[0] == "Appointment" and moment(sent["end"]) <= moment(sent["start"]):
        raise Refused(422, "business-rule")


def keep(key: tuple[str, str], sent: Resource, version: int) -> None:
    sent = sent | {"id": key[1], "meta": {**sent.get("meta", {}), "versionId": str(version)}}
    VERSIONS.setdefault(key, []).append(sent)


def identifiers(resource: Resource) -> set[str]:
    return {f"{one.get('system')}|{one.get('value')}" for one in resource.get("identifier", [])}


def things(resource: Resource) -> set[str]:
    if resource["status"] == "cancelled":
        return set()
    who = {one["actor"]["reference"] for one in resource["participant"]}
    return {one for one in who if not one.startswith("Patient/")}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def overlap(one: Resource, other: Resource) -> bool:
    return moment(one["start"]) < moment(other["end"]) and moment(other["start"]) < moment(one["end"])


def matching(type_: str, identifier: str | None) -> list[Resource]:
    all_ = [versions[-1] for (kind, _), versions in VERSIONS.items() if kind == type_]
    return [one for one in all_ if identifier is None or identifier in identifiers(one)]


def current(type_: str, id_: str) -> Resource:
    if (type_, id_) not in VERSIONS:
        raise Refused(404, "not-found")
    return VERSIONS[type_, id_][-1]


def reply(status: int, resource: Resource) -> Reply:
    type_, id_, version = resource["resourceType"], resource["id"], resource["meta"]["versionId"]
    return status, resource, f"http://127.0.0.1/fhir/{type_}/{id_}/_history/{version}"


def bundle(resources: list[Resource]) -> Resource:
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # raised again by uvicorn after its graceful end
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[sys.argv.index("--port") + 1]), log_level="warning")

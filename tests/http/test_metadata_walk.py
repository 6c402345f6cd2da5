"""What the CapabilityStatement lists is answered, and what it does not list is refused: the whole of it is walked over a real server.

https://hl7.org/fhir/R4/capabilitystatement.html; GAP-CNF-20 to 25, C-30.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from tests.client import CREATED, OK, Reply, Server
from tests.people import appointment, duration, future, identifier, instant, opening, practice

Json = dict[str, Any]
STRICT = {"Prefer": "handling=strict"}


class Walk(NamedTuple):
    """A server, what it says of itself, and references that resources may use."""

    server: Server
    rest: Json
    known: dict[str, str]

    def resource(self, type: str) -> Json:
        return next(one for one in self.rest["resource"] if one["type"] == type)

    def codes(self, type: str) -> set[str]:
        return {one["code"] for one in self.resource(type)["interaction"]}


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, database_at: Callable[[Path], str]) -> Iterator[Walk]:
    folder: Path = tmp_path_factory.mktemp("walk")
    running = Server(database_at(folder / "own.sqlite"), log=folder / "log").start()
    at = practice(running)
    booked = running.post("/Appointment", appointment(at, future(9), status="proposed"))
    slot = running.get(f"/Slot?schedule={at.agenda}&_count=1").json["entry"][0]["resource"]
    known = {
        "Patient": at.patient,
        "Practitioner": at.practitioner,
        "PractitionerRole": at.role,
        "Schedule": at.agenda,
        "Appointment": f"Appointment/{booked.id}",
        "Slot": f"Slot/{slot['id']}",
    }
    yield Walk(running, running.get("/metadata").json["rest"][0], known)
    assert running.stop() == 0


TYPES = (
    *("Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Location", "HealthcareService"),
    *("Organization", "Device", "Schedule", "Slot", "Appointment", "AppointmentResponse"),
    *("DocumentReference", "Binary"),
)
WRITTEN = tuple(one for one in TYPES if one != "Slot")
SEARCHED = tuple(one for one in TYPES if one != "Binary")


def new(walk: Walk, type: str) -> Json:
    """A resource of a type that can be created, unlike any other."""
    known = walk.known
    found: dict[str, Json] = {
        "PractitionerRole": {"practitioner": {"reference": known["Practitioner"]}},
        "RelatedPerson": {"patient": {"reference": known["Patient"]}},
        "Schedule": {
            "actor": [{"reference": known["Practitioner"]}],
            "extension": [opening(future(8, days=200), future(9, days=200)), duration(15)],
        },
        "Appointment": {"status": "waitlist", "participant": [{"actor": {"reference": known["Patient"]}, "status": "accepted"}]},
        "AppointmentResponse": {
            "appointment": {"reference": known["Appointment"]},
            "actor": {"reference": known["Practitioner"]},
            "participantStatus": "tentative",
        },
        "DocumentReference": {"status": "current", "content": [{"attachment": {"contentType": "text/plain"}}]},
        "Binary": {"contentType": "text/plain", "data": "Q3LDqW5lYXU="},
    }  # fmt: skip
    own = {} if type == "Binary" else {"identifier": [identifier()]}
    if type == "AppointmentResponse":
        own = {"identifier": [identifier()]}
    return {"resourceType": type, **own, **found.get(type, {})}


def made(walk: Walk, type: str) -> Json:
    reply = walk.server.post(f"/{type}", new(walk, type))
    assert reply.status == CREATED, reply.body
    return dict(reply.json)


def changed(type: str, resource: Json) -> Json:
    if type == "Binary":
        return {**resource, "data": "QXV0cmU="}
    if type == "AppointmentResponse":
        return {**resource, "comment": "plus tard"}
    return {**resource, "language": "fr"}


PATCHES = {
    "application/json-patch+json": b'[{"op": "add", "path": "/language", "value": "fr"}]',
    "application/fhir+json": json.dumps(
        {
            "resourceType": "Parameters",
            "parameter": [
                {
                    "name": "operation",
                    "part": [
                        {"name": "type", "valueCode": "add"},
                        {"name": "path", "valueString": "Patient"},
                        {"name": "name", "valueString": "language"},
                        {"name": "value", "valueCode": "fr"},
                    ],
                }
            ],
        }
    ).encode(),
    "application/fhir+xml": (
        b'<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>'
        b'<part><name value="type"/><valueCode value="add"/></part>'
        b'<part><name value="path"/><valueString value="Patient"/></part>'
        b'<part><name value="name"/><valueString value="language"/></part>'
        b'<part><name value="value"/><valueCode value="fr"/></part></parameter></Parameters>'
    ),
}


def patched(walk: Walk, path: str, media: str = "application/json-patch+json") -> Reply:
    return walk.server.call("PATCH", path, PATCHES[media], Content_Type=media)


def asked(walk: Walk, type: str, code: str) -> Reply:
    """One interaction on a resource of the type: a new one, or the slot."""
    server = walk.server
    if code == "create":
        return server.post(f"/{type}", new(walk, type))
    known = (
        {"id": walk.known["Slot"].split("/")[1], "resourceType": type} if type == "Slot" else made(walk, type)
    )
    at = f"/{type}/{known['id']}"
    match code:
        case "read":
            return server.get(at)
        case "vread":
            return server.get(f"{at}/_history/1")
        case "history-instance":
            return server.get(f"{at}/_history")
        case "history-type":
            return server.get(f"/{type}/_history")
        case "update":
            return server.put(at, changed(type, known))
        case "patch":
            return patched(walk, at)
        case "delete":
            return server.call("DELETE", at)
    assert code == "search-type"
    return server.get(f"/{type}?_id={known['id']}", **STRICT)


PAST = ("vread", "history-instance", "history-type")
CODES = (
    *("read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"),
)  # fmt: skip


def test_the_types_are_those_that_are_walked(walk: Walk) -> None:
    assert [one["type"] for one in walk.rest["resource"]] == [*TYPES]
    assert {code for type in TYPES for code in walk.codes(type)} == set(CODES)
    assert walk.rest["mode"] == "server"


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("code", CODES)
def test_an_interaction_answers_when_it_is_listed_and_only_then(walk: Walk, type: str, code: str) -> None:
    reply = asked(walk, type, code)

    if code in walk.codes(type):
        assert reply.status == (CREATED if code == "create" else OK), reply.body
    elif type == "Slot" and code in PAST:
        assert (reply.status, reply.keys) == (404, ["type-not-supported"])
    else:
        assert (reply.status, reply.keys) == (405, ["interaction-not-offered"])
        assert reply.headers["allow"]


def test_a_type_that_is_not_listed_is_not_found(walk: Walk) -> None:
    for type in ("Observation", "Encounter", "Account", "patient", "Nothing"):
        replies = (
            walk.server.get(f"/{type}?_count=1"),
            walk.server.get(f"/{type}/1"),
            walk.server.post(f"/{type}", {"resourceType": type}),
        )

        assert [one.status for one in replies] == [404, 404, 404]


@pytest.mark.parametrize("type", TYPES)
def test_versions_and_conditions_are_what_is_said(walk: Walk, type: str) -> None:
    said, server = walk.resource(type), walk.server
    assert said["versioning"] == ("no-version" if type == "Slot" else "versioned-update")
    assert said["readHistory"] is (type != "Slot")
    if type == "Slot":
        assert said["conditionalCreate"] is said["conditionalUpdate"] is said["updateCreate"] is False
        return
    resource = made(walk, type)
    at = f"/{type}/{resource['id']}"

    unchanged = server.get(at, If_None_Match='W/"1"')
    since = server.get(at, If_Modified_Since=server.get(at).headers["last-modified"])
    stale = server.put(at, changed(type, resource), If_Match='W/"7"')
    unknown = server.put(f"/{type}/unknown-1", {**new(walk, type), "id": "unknown-1"})

    assert said["conditionalRead"] == "full-support"
    assert (unchanged.status, since.status, stale.status) == (304, 304, 412)
    assert unknown.status == (CREATED if said["updateCreate"] else 404), unknown.body


def condition(resource: Json) -> str:
    (one,) = resource.get("identifier", [{"system": "urn:x", "value": "none"}])
    return f"identifier={one['system']}|{one['value']}"


@pytest.mark.parametrize("type", WRITTEN)
def test_conditional_writes_are_what_is_said(walk: Walk, type: str) -> None:
    said, server, resource = walk.resource(type), walk.server, new(walk, type)
    where = condition(resource)

    first, again = (server.post(f"/{type}", resource, If_None_Exist=where) for _ in range(2))
    updated = server.put(f"/{type}?{where}", changed(type, resource))
    patch = patched(walk, f"/{type}?{where}")
    deleted = server.call("DELETE", f"/{type}?{where}")

    assert (first.status, again.status) == ((201, 200) if said["conditionalCreate"] else (400, 400)), (
        first.body
    )
    assert updated.status == (OK if said["conditionalUpdate"] else 405), updated.body
    assert patch.status == (OK if said["conditionalUpdate"] else 405), patch.body
    assert deleted.status == (OK if said["conditionalDelete"] == "single" else 405), deleted.body
    assert (said["conditionalDelete"] in ("single", "not-supported")) is True


BOOLEANS = {"active", "deceased"}
VALUES = {
    "token": "urn:x|y",
    "date": "2031-01-01",
    "string": "Été",
    "reference": "Patient/x",
    "uri": "urn:x",
    "special": "48.8|2.3|5|km",
}


def value(parameter: Json) -> str:
    if parameter["name"] in BOOLEANS:
        return "true"
    if parameter["name"] in ("_id", "priority"):
        return "5"
    return VALUES[parameter["type"]]


@pytest.mark.parametrize("type", SEARCHED)
def test_every_search_parameter_answers_alone_by_form_and_with_missing(walk: Walk, type: str) -> None:
    found = walk.resource(type)["searchParam"]

    for one in found:
        query = f"{one['name']}={quote(value(one))}"
        by_get = walk.server.get(f"/{type}?{query}", **STRICT)
        by_post = walk.server.call(
            "POST",
            f"/{type}/_search",
            query.encode(),
            Content_Type="application/x-www-form-urlencoded",
            **STRICT,
        )
        missing = walk.server.get(f"/{type}?{one['name']}:missing=false", **STRICT)

        assert (by_get.status, by_post.status) == (OK, OK), (query, by_get.body)
        assert by_get.json["total"] == by_post.json["total"]
        assert missing.status == (400 if one["name"] in ("_id", "_lastUpdated") else OK), (
            query,
            missing.body,
        )
    assert len(found) > 5


@pytest.mark.parametrize("type", SEARCHED)
def test_a_parameter_that_is_not_listed_is_refused_when_strict(walk: Walk, type: str) -> None:
    listed = {one["name"] for one in walk.resource(type)["searchParam"]}
    every = {one["name"] for other in SEARCHED for one in walk.resource(other)["searchParam"]}

    for name in sorted(every - listed):
        assert walk.server.get(f"/{type}?{name}=1", **STRICT).status == 400, name


@pytest.mark.parametrize("type", SEARCHED)
def test_every_include_answers(walk: Walk, type: str) -> None:
    said = walk.resource(type)
    links = {f"{type}:{one['name']}" for one in said["searchParam"] if one["type"] == "reference"}

    assert set(said.get("searchInclude", [])) == links
    for name, listed in (("_include", "searchInclude"), ("_revinclude", "searchRevInclude")):
        for one in said.get(listed, []):
            for written in (f"{name}={one}", f"{name}:iterate={one}"):
                reply = walk.server.get(f"/{type}?{written}&_count=3", **STRICT)

                assert reply.status == OK, (written, reply.body)
    assert walk.server.get(f"/{type}?_include={type}:nothing", **STRICT).status == 400
    assert walk.server.get(f"/{type}?_revinclude=Nothing:subject", **STRICT).status == 400


def operation(walk: Walk, type: str, name: str) -> list[Reply]:
    """The ways in which an operation of a type is called."""
    server, agenda = walk.server, walk.known["Schedule"]
    window = f"start={instant(future(8))}&end={instant(future(10))}".replace("+", "%2B")
    match name:
        case "validate":
            one = new(walk, type) if type != "Slot" else {}
            return [
                server.post(f"/{type}/$validate", one),
                server.post(f"/{type}/{made(walk, type)['id']}/$validate", one),
            ]
        case "availability":
            tried = server.post(f"/Schedule/$availability?{window}", new(walk, "Schedule"))
            return [tried, server.get(f"/{agenda}/$availability?{window}")]
        case "explain":
            return [server.get(f"/Slot/$explain?schedule={agenda}&start={instant(future(9))}")]
        case "earliest":
            return [server.get(f"/Slot/$earliest?schedule={agenda}&n=2")]
    raise AssertionError(name)


@pytest.mark.parametrize("type", TYPES)
def test_every_operation_answers_and_others_are_not_found(walk: Walk, type: str) -> None:
    said = {one["name"] for one in walk.resource(type).get("operation", [])}

    for name in said:
        assert [one.status for one in operation(walk, type, name)] in ([OK], [OK, OK])
    others = {"validate", "availability", "explain", "earliest", "everything", "match"} - said
    for name in others:
        assert walk.server.get(f"/{type}/${name}").status in (404, 405), name
        assert walk.server.post(f"/{type}/${name}", {"resourceType": "Parameters"}).status in (404, 405), name
    assert said or type == "Slot"


def test_the_interactions_of_the_system_answer(walk: Walk) -> None:
    assert {one["code"] for one in walk.rest["interaction"]} == {"transaction", "batch", "history-system"}

    for kind in ("transaction", "batch"):
        entry = {"resource": new(walk, "Patient"), "request": {"method": "POST", "url": "Patient"}}
        reply = walk.server.post("", {"resourceType": "Bundle", "type": kind, "entry": [entry]})
        assert (reply.status, reply.json["type"]) == (OK, f"{kind}-response"), reply.body
    assert walk.server.get("/_history?_count=1").status == OK
    assert walk.server.get("?_type=Patient").status in (404, 405)


def test_every_format_is_spoken_and_every_patch_format_understood(walk: Walk) -> None:
    whole = walk.server.get("/metadata").json

    for format in whole["format"]:
        kind = "application/fhir+" + format.rpartition("+")[2]
        by_accept = walk.server.get(f"/{walk.known['Patient']}", Accept=format)
        by_parameter = walk.server.get(f"/{walk.known['Patient']}?_format={format.replace('+', '%2B')}")
        assert by_accept.headers["content-type"].startswith(kind) or "/" not in format
        assert by_parameter.headers["content-type"].startswith(kind)
    assert set(whole["patchFormat"]) == set(PATCHES)
    for media in PATCHES:
        at = f"/Patient/{made(walk, 'Patient')['id']}"
        reply = patched(walk, at, media)
        assert (reply.status, reply.json["language"]) == (OK, "fr"), reply.body
    assert walk.server.call("PATCH", at, b"{}", Content_Type="text/plain").status == 415


@pytest.mark.parametrize("type", TYPES)
def test_supported_profiles_are_those_that_claims_are_checked_against(walk: Walk, type: str) -> None:
    supported = walk.resource(type).get("supportedProfile", [])

    for url in supported:
        claim = {
            **(new(walk, type) if type != "Slot" else {"resourceType": "Slot"}),
            "meta": {"profile": [url]},
        }
        path = f"/{type}/$validate" if type != "Slot" else "/Schedule/$validate"
        if type != "Slot":
            keys = walk.server.post(path, claim).keys
            assert "unknown-profile" not in keys
    assert supported == sorted(set(supported))
    gap = {one.rpartition("/")[2] for one in supported if "/gap/" in one}
    assert gap == ({f"gap-fr-{type.lower()}"} if type in ("Schedule", "Slot", "Appointment") else set())
    assert any("fr-core-" in one for one in supported) is (
        type not in ("Device", "AppointmentResponse", "DocumentReference", "Binary")
    )

"""A system of another vendor: it knows FHIR over HTTP by `urllib`, and nothing of Creneau."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any, NamedTuple

Json = dict[str, Any]

FR_CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
R38 = "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"
RPPS = "https://rpps.esante.gouv.fr"
INS = "urn:oid:1.2.250.1.213.1.4.10"


class Answer(NamedTuple):
    """Status, headers with lower-case names, the resource in the body (None without one)."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def entries(self) -> list[Json]:
        """The resources that match, of a searchset."""
        return [one["resource"] for one in self.body.get("entry", []) if one["search"]["mode"] == "match"]

    @property
    def included(self) -> list[Json]:
        """The resources that came with them."""
        return [one["resource"] for one in self.body.get("entry", []) if one["search"]["mode"] == "include"]


@dataclass(frozen=True)
class System:
    """One system as a client of one FHIR server."""

    base: str

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request; a resource is sent as FHIR JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, dict | list):
            sent.setdefault("Content-Type", "application/fhir+json")
            body = json.dumps(body).encode()
        asked = urllib.request.Request(f"{self.base}/{path}", data=body, headers=sent, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return _answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refused:
            return _answer(refused.code, refused.headers, refused.read())

    def search(self, type: str, *criteria: tuple[str, str]) -> Answer:
        """GET [type]?…"""
        return self.send("GET", f"{type}?{urllib.parse.urlencode(criteria)}")

    def search_form(self, type: str, *criteria: tuple[str, str]) -> Answer:
        """POST [type]/_search: what names a patient stays out of the address."""
        form = urllib.parse.urlencode(criteria).encode()
        return self.send("POST", f"{type}/_search", form, Content_Type="application/x-www-form-urlencoded")

    def declare(self, resource: Json) -> str:
        """Create it (1a, 2a), return "Type/id"."""
        made = self.send("POST", resource["resourceType"], resource)
        assert made.status == 201, made.body
        return f"{resource['resourceType']}/{made.body['id']}"

    def put(self, resource: Json) -> Answer:
        """Create or update by business identifier (6b, or 1b, 2b)."""
        one = resource["identifier"][0]
        where = urllib.parse.urlencode({"identifier": f"{one['system']}|{one['value']}"})
        return self.send("PUT", f"{resource['resourceType']}?{where}", resource)

    def patch(self, path: str, *operations: Json) -> Answer:
        """JSON Patch."""
        return self.send("PATCH", path, list(operations), Content_Type="application/json-patch+json")


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    fields = {name.lower(): value for name, value in headers.items()}
    return Answer(
        status, fields, json.loads(body) if "json" in fields.get("content-type", "") else body or None
    )


def identifier(system: str, value: str) -> list[Json]:
    return [{"system": system, "value": value}]


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def opening(name: str, start: str, end: str, *days: str, kind: str = "free", until: str = "") -> Json:
    """A range of availability (disponibilité), repeated every week on these days."""
    types = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-schedule-type"
    rule: list[Json] = [
        {"url": "freq", "valueCoding": {"system": "https://www.ietf.org/rfc/rfc2445", "code": "WEEKLY"}},
        *([{"url": "until", "valueDateTime": until}] if until else []),
        *({"url": "byDay", "valueString": day} for day in days),
    ]
    return {
        "url": f"{FR_CORE}fr-core-schedule-availability-time",
        "extension": [
            {"url": "identifier", "valueIdentifier": {"value": name}},
            {"url": "type", "valueCoding": {"system": types, "code": kind}},
            {"url": "start", "valueDateTime": start},
            {"url": "end", "valueDateTime": end},
            *([{"url": "rrule", "extension": rule}] if days else []),
        ],
    }


def lasts(minutes: int, service: Json) -> Json:
    """How long a slot of a service is."""
    value = {"value": minutes, "system": "http://unitsofmeasure.org", "code": "min"}
    return {
        "url": f"{FR_CORE}fr-core-service-type-duration",
        "extension": [
            {"url": "serviceType", "valueCodeableConcept": service},
            {"url": "duration", "valueDuration": value},
        ],
    }


def participant(reference: str, status: str = "accepted") -> Json:
    return {"actor": {"reference": reference}, "required": "required", "status": status}

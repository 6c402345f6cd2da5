"""Every search that GAP's consumer may send, read from its published CapabilityStatement, is understood in strict mode (GAP-CNF-24)."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.client import OK, Server

PACKAGE = (
    Path(__file__).resolve().parents[2].parent
    / "shared/conformance/packages/ans.fhir.fr.gap-3.0.0.ci-20240826.tgz"
)
ROLES = ("GAP-Consommateur", "GAP-GestionnaireAgenda")
VALUES = {
    "token": "urn:x|y",
    "date": "2020-01-01",
    "string": "Été",
    "reference": "Patient/none",
    "special": "48.8|2.3|5|km",
}


def statement(role: str) -> Any:
    if not PACKAGE.exists():
        pytest.skip("shared/ is not beside the repository")
    with tarfile.open(PACKAGE) as archive:
        read = archive.extractfile(f"package/CapabilityStatement-{role}.json")
        assert read is not None
        return json.load(read)


@pytest.mark.parametrize("role", ROLES)
def test_every_parameter_that_the_published_statement_names_is_understood(
    new_server: Callable[..., Server], role: str
) -> None:
    server, walked = new_server(), 0

    for resource in statement(role)["rest"][0]["resource"]:
        for parameter in resource.get("searchParam", []):
            value = "5" if parameter["name"].endswith("priority") else VALUES[parameter["type"]]
            query = urlencode({parameter["name"]: value, "_summary": "count"})

            reply = server.get(f"/{resource['type']}?{query}", Prefer="handling=strict")

            assert reply.status == OK, (parameter["name"], reply.body)
            assert reply.json["total"] == 0
            walked += 1

    assert walked >= 17


@pytest.mark.parametrize("role", (*ROLES, "GAP-GestionnaireRessources", "GAP-DeclarantRDV", "Gap-Declarant"))
def test_every_interaction_that_a_published_statement_names_is_offered(server: Server, role: str) -> None:
    offered = {
        one["type"]: {each["code"] for each in one["interaction"]}
        for one in server.get("/metadata").json["rest"][0]["resource"]
    }

    for resource in statement(role)["rest"][0]["resource"]:
        wanted = {one["code"] for one in resource["interaction"]}
        assert wanted <= offered[resource["type"]], resource["type"]


def test_what_each_parameter_finds_is_shown_case_by_case() -> None:
    from tests.flows import test_f4a_rows, test_f4b_rows

    shown = {(type, criterion.partition("=")[0]) for type, criterion in test_f4a_rows.CONSUMER}
    shown |= {("Slot", row[1].partition("=")[0]) for row in test_f4a_rows.ROWS}
    shown |= {("Appointment", row[1].partition("=")[0]) for row in test_f4b_rows.ROWS}
    shown |= {("Slot", name) for name in ("identifier", "GAP_Slot_earliestStart", "GAP_Slot_latestStart")}

    for resource in statement("GAP-Consommateur")["rest"][0]["resource"]:
        named = {(resource["type"], one["name"]) for one in resource.get("searchParam", [])}
        assert named <= shown, named - shown

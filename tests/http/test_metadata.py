"""The CapabilityStatement says what the tables say, and is valid (GAP-CNF-20 to 25; cpb-*)."""

from __future__ import annotations

from typing import Any

import pytest

from creneau.fhir.validation import Validator
from creneau.http import routes
from creneau.search import parameters
from tests.http.running import Running


@pytest.fixture(scope="module")
def statement(front: Running) -> Any:
    return front.get("/fhir/metadata").json


def resource(statement: Any, type: str) -> Any:
    return next(one for one in statement["rest"][0]["resource"] if one["type"] == type)


def test_it_is_an_instance_of_r4_for_gap_in_both_formats(statement: Any, front: Running) -> None:
    assert statement["kind"] == "instance"
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["implementation"]["url"] == front.base
    assert statement["implementationGuide"] == [
        "https://interop.esante.gouv.fr/ig/fhir/gap/ImplementationGuide/ans.fhir.fr.gap"
    ]
    assert {"application/fhir+json", "application/fhir+xml"} <= set(statement["format"])


def test_its_invariants_hold(statement: Any) -> None:
    rest = statement["rest"]
    types = [one["type"] for one in rest[0]["resource"]]

    assert statement["name"].isidentifier()  # cpb-0
    assert rest  # cpb-1
    assert statement["description"]  # cpb-2
    assert statement["software"]["name"]
    assert statement["implementation"]["description"]  # cpb-14
    assert len(types) == len(set(types))  # cpb-9
    for one in rest[0]["resource"]:
        names = [parameter["name"] for parameter in one.get("searchParam", [])]
        assert len(names) == len(set(names)), one["type"]  # cpb-12


def test_it_is_valid_for_the_validator(statement: Any) -> None:
    assert [issue for issue in Validator([]).check(statement, profiles=[]) if issue.severity == "error"] == []


def test_it_lists_every_type_with_the_interactions_of_the_table(statement: Any) -> None:
    for type, offered in routes.OFFERED.items():
        codes = {one["code"] for one in resource(statement, type)["interaction"]}

        assert codes == {
            code for code in offered if not code.startswith("$") and not code.endswith("-conditional")
        }


def test_it_lists_every_search_parameter_of_the_tables(statement: Any) -> None:
    for type, offered in routes.OFFERED.items():
        if "search-type" in offered:
            names = {one["name"] for one in resource(statement, type)["searchParam"]}

            assert {row.code for row in parameters.parameters(type)} <= names
            assert {"_id", "_lastUpdated"} <= names


def test_it_says_how_slots_and_appointments_can_be_asked(statement: Any) -> None:
    slot, appointment = resource(statement, "Slot"), resource(statement, "Appointment")

    assert "Slot:schedule" in slot["searchInclude"]
    assert slot["interaction"][-1] == {"code": "search-type", "documentation": "Flux GAP 4a, 5a"}
    assert appointment["conditionalUpdate"] is True
    assert appointment["conditionalDelete"] == "not-supported"
    assert {"start", "date", "created", "description", "priority"} <= {
        one["name"] for one in appointment["searchParam"]
    }
    assert "Schedule:actor" in resource(statement, "Practitioner")["searchRevInclude"]


@pytest.mark.parametrize(
    ("mode", "status"), [("full", 200), ("normative", 200), ("terminology", 400), ("x", 400)]
)
def test_the_mode_parameter_is_answered(front: Running, mode: str, status: int) -> None:
    assert front.get(f"/fhir/metadata?mode={mode}").status == status


def test_it_comes_in_xml_too(front: Running) -> None:
    from creneau.fhir import xml

    reply = front.get("/fhir/metadata?_format=xml")

    assert xml.decode(reply.body)["resourceType"] == "CapabilityStatement"

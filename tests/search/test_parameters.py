"""The table of parameters is whole, and generated from the published definitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from creneau.search import generate
from creneau.search.extract import indexed_parameters, sink
from creneau.search.parameters import (
    ADDED,
    ALIASES,
    SYNONYMS,
    TABLE,
    TYPES,
    WIDENED,
    indexed,
    parameter,
    parameters,
)
from creneau.search.paths import branches, is_single, types
from creneau.search.query import Parameter

SHARED = Path(__file__).resolve().parents[2].parent / "shared"

# Parameters of R4 that have no FHIRPath, or need a whole text index.
UNOFFERED = {"_text", "_content", "_query"}


def shared(path: str) -> Path:
    found = SHARED / "conformance" / path
    if not found.exists():
        pytest.skip("shared/ is not beside the repository")
    return found


def test_the_committed_table_is_what_the_package_gives() -> None:
    package = shared("packages/hl7.fhir.r4.core-4.0.1.tgz")

    assert generate.written(generate.rows(generate.definitions(package))) == TABLE.read_bytes()


def test_every_r4_parameter_of_every_type_is_there() -> None:
    bundle: dict[str, Any] = json.loads(shared("r4/search-parameters-in-play.json").read_bytes())
    replaced = {(row.type, row.code) for row in ADDED}

    seen = 0
    for entry in bundle["entry"]:
        found = entry["resource"]
        for type in (
            TYPES if set(found["base"]) & {"Resource", "DomainResource"} else set(found["base"]) & set(TYPES)
        ):
            if found["code"] in UNOFFERED:
                continue
            row = parameter(type, found["code"])
            assert row is not None, (type, found["code"])
            assert (row.kind, row.url) == (found["type"], found["url"])
            assert row.paths in found["expression"] or (type, row.code) in replaced
            seen += 1
    assert seen > 200


def test_every_parameter_that_gap_adds_is_there() -> None:
    codes = {(row.type, row.code) for row in ADDED}

    assert {("Appointment", code) for code in ("start", "created", "description", "priority")} <= codes
    assert {("PractitionerRole", "name"), ("PractitionerRole", "address")} <= codes
    assert all(row.url and row.doc for row in ADDED)


def test_each_code_is_listed_once_and_in_order() -> None:
    for type in TYPES:
        codes = [row.code for row in parameters(type)]
        assert len(set(codes)) == len(codes)
    assert parameters("Basic") == ()
    assert parameter("Basic", "_id") is None


def test_synonyms_widenings_and_aliases_name_parameters_that_exist() -> None:
    for type, code in SYNONYMS:
        row = parameter(type, code)
        assert row and indexed(row) is not row
        assert indexed(row) in indexed_parameters(type)
        assert row not in indexed_parameters(type)
    for (type, code), (reference, target, there) in WIDENED.items():
        row, link = parameter(type, code), parameter(type, reference)
        assert row and link and parameter(target, there)
        assert target in link.targets
    for (type, alias), (code, _) in ALIASES.items():
        assert parameter(type, code.partition(".")[0])
        assert parameter(type, alias) is None


@pytest.mark.parametrize(
    "paths",
    [
        "Patient.foo",
        "Practitioner.name",
        "Patient.name.first()",
        "Patient.name.where(use != 'old')",
        "Patient.name.where(foo='a')",
        "Patient.name.where(resolve() is Patient)",
        "Patient.managingOrganization.where(resolve() is Foo)",
        "(Patient.deceased as Foo)",
        "Patient.birthDate.resolve()",
        "Patient.birthDate.year",
    ],
)
def test_a_path_that_is_not_understood_is_an_error(paths: str) -> None:
    with pytest.raises(ValueError):
        branches(Parameter("Patient", "x", "token", paths))


def test_the_type_of_a_choice_may_be_said_in_two_ways() -> None:
    one, other = (
        branches(Parameter("Patient", "x", "date", paths))
        for paths in ("(Patient.deceased as dateTime)", "Patient.deceased.as(dateTime)")
    )

    assert one == other
    assert [branch.steps for branch in one] == [(("field", "deceasedDateTime"),)]


def test_a_type_that_a_kind_cannot_be_made_of_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"Patient\.x: no date is made of HumanName"):
        sink(Parameter("Patient", "x", "date", "Patient.name"), "HumanName")


def test_the_table_is_written_from_a_bundle_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = {
        "code": "name",
        "type": "string",
        "base": ["Patient"],
        "expression": "Patient.name",
        "url": "urn:x",
    }
    composite = {**one, "code": "both", "type": "composite"}
    (tmp_path / "in.json").write_text(json.dumps({"entry": [{"resource": one}, {"resource": composite}]}))
    monkeypatch.setattr(generate, "TABLE", tmp_path / "out.json")
    monkeypatch.setattr("sys.argv", ["generate", str(tmp_path / "in.json")])

    generate.main()

    table = json.loads((tmp_path / "out.json").read_text())
    assert table["Patient"] == [["name", "string", "Patient.name", [], "urn:x"]]
    assert table["Schedule"] == []


def test_types_and_multiplicity_come_from_the_definitions() -> None:
    def row(type: str, code: str) -> Parameter:
        found = parameter(type, code)
        assert found
        return found

    assert types(row("Appointment", "date")) == {"instant"}
    assert types(row("Patient", "death-date")) == {"dateTime"}
    assert types(row("Schedule", "service-type")) == {"CodeableConcept"}
    assert is_single(row("Appointment", "date"))
    assert is_single(row("Schedule", "date"))
    assert not is_single(row("Patient", "family"))
    assert not is_single(row("Appointment", "description"))

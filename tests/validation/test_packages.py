"""An administrator's packages are read like the tables the project carries, and an unreadable one is named."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from creneau.fhir.validation import UnreadablePackage, Validator
from tests.validation.samples import FRC, PACKAGES, PATIENT, changed, in_package, shared

SAS = "ans.fhir.fr.sas-1.2.0.ci-20260629.tgz"
URL = "https://example.org/StructureDefinition/short-patient"


def package(path: Path, *resources: dict[str, Any], manifest: bool = True) -> Path:
    files = {"package/package.json": {"name": "example", "version": "1.0.0"}} if manifest else {}
    files |= {f"package/{r['resourceType']}-{i}.json": r for i, r in enumerate(resources)}
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            data = json.dumps(content).encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def element(path: str, low: int = 0, high: str = "*", **more: Any) -> dict[str, Any]:
    base = {"path": path, "min": 0, "max": "*" if high != "1" else "1"}
    return {"id": path, "path": path, "min": low, "max": high, "base": base, **more}


def short_patient(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "StructureDefinition",
        "url": URL,
        "type": "Patient",
        "kind": "resource",
        "derivation": "constraint",
        "snapshot": {"element": [element("Patient"), *elements]},
        **more,
    }


def keys(validator: Validator, resource: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(issue.severity, issue.why.key, issue.at) for issue in validator.check(resource)]


def claiming(**values: Any) -> dict[str, Any]:
    return changed(PATIENT, meta={"profile": [URL + "|1.0.0"]}, **values)


def test_a_profile_of_a_package_is_checked_when_claimed(tmp_path: Path) -> None:
    structure = short_patient(element("Patient.name", high="1"), element("Patient.identifier", low=1))
    validator = Validator([package(tmp_path / "a.tgz", structure)])

    assert URL in validator.known_profiles()
    assert keys(validator, claiming()) == [("error", "missing-element", "Patient.identifier")]
    assert keys(validator, changed(PATIENT, meta=None)) == []


def test_the_same_claim_without_the_package_is_a_warning() -> None:
    assert keys(Validator(), claiming()) == [("warning", "unknown-profile", "Patient.meta.profile[0]")]


def test_a_value_set_of_a_package_is_listed_and_an_absent_one_is_said_not_to_be_checked(
    tmp_path: Path,
) -> None:
    value_set = {
        "resourceType": "ValueSet",
        "url": "https://example.org/ValueSet/a",
        "compose": {"include": [{"system": "urn:s", "concept": [{"code": "M"}]}]},
    }

    def bound(name: str) -> dict[str, Any]:
        binding = {"strength": "required", "valueSet": f"https://example.org/ValueSet/{name}|1.0.0"}
        return short_patient(element("Patient.maritalStatus", high="1", binding=binding))

    single = {"coding": [{"system": "urn:s", "code": "S"}]}
    married = {"coding": [{"system": "urn:s", "code": "M"}]}
    listed = Validator([package(tmp_path / "a.tgz", bound("a"), value_set)])
    absent = Validator([package(tmp_path / "b.tgz", bound("b"))])

    assert keys(listed, claiming(maritalStatus=married)) == []
    assert keys(listed, claiming(maritalStatus=single)) == [
        ("error", "code-not-allowed", "Patient.maritalStatus")
    ]
    assert keys(absent, claiming(maritalStatus=single)) == [
        ("information", "binding-not-checked", "Patient.maritalStatus")
    ]


def slice_of(path: str, name: str, below: str = "", **more: Any) -> dict[str, Any]:
    tail = f".{below}" if below else ""
    named = {} if below else {"sliceName": name}
    return {**element(path + tail, high="1", **more), "id": f"{path}:{name}{tail}", **named}


def test_a_closed_slicing_refuses_what_belongs_to_no_slice_and_counts_what_does(tmp_path: Path) -> None:
    slicing = {"rules": "closed", "discriminator": [{"type": "value", "path": "system"}]}
    structure = short_patient(
        element("Patient.identifier", slicing=slicing),
        slice_of("Patient.identifier", "ins"),
        slice_of("Patient.identifier", "ins", "system", fixedUri="urn:ins"),
    )
    validator = Validator([package(tmp_path / "a.tgz", structure)])
    ins, other = {"system": "urn:ins", "value": "1"}, {"system": "urn:x", "value": "1"}

    assert keys(validator, claiming(identifier=[ins])) == []
    assert keys(validator, claiming(identifier=[ins, other])) == [
        ("error", "slice-unknown", "Patient.identifier[1]")
    ]
    assert keys(validator, claiming(identifier=[ins, ins])) == [
        ("error", "slice-too-many", "Patient.identifier")
    ]


@pytest.mark.parametrize("kind", ["exists", "type"])
def test_slices_are_told_by_presence_and_by_type(tmp_path: Path, kind: str) -> None:
    discriminator = {"type": kind, "path": "system" if kind == "exists" else "$this"}
    slicing = {"rules": "closed", "discriminator": [discriminator]}
    structure = (
        short_patient(
            element("Patient.identifier", slicing=slicing),
            slice_of("Patient.identifier", "known"),
            {**slice_of("Patient.identifier", "known", "system"), "min": 1},
        )
        if kind == "exists"
        else short_patient(
            element("Patient.deceased[x]", high="1", slicing=slicing),
            slice_of("Patient.deceased[x]", "deceasedBoolean", type=[{"code": "boolean"}]),
        )
    )
    validator = Validator([package(tmp_path / "a.tgz", structure)])
    right: dict[str, Any] = {"identifier": [{"system": "urn:x"}], "deceasedBoolean": True}
    wrong: dict[str, Any] = {
        "identifier": [{"value": "1"}],
        "deceasedBoolean": None,
        "deceasedDateTime": "2026",
    }
    at = "Patient.identifier[0]" if kind == "exists" else "Patient.deceased"

    assert keys(validator, claiming(**right)) == []
    assert keys(validator, claiming(**wrong)) == [("error", "slice-unknown", at)]


def test_the_profiles_of_sas_load_and_judge_their_own_examples() -> None:
    validator = Validator([shared(PACKAGES / SAS)])
    examples = dict(in_package(SAS, "package/example"))

    errors = {
        name: [issue for issue in keys(validator, resource) if issue[0] == "error"]
        for name, resource in examples.items()
    }

    assert len({*validator.known_profiles()} - {*Validator().known_profiles()}) == 20
    assert {name: found for name, found in errors.items() if found} == SAS_REFUSED


# Examples of the package that break the profiles they claim.
SAS_REFUSED: dict[str, list[tuple[str, str, str]]] = {}


@pytest.mark.parametrize("content", [b"", b"not a package", b"\x1f\x8b\x08\x00garbage"])
def test_a_file_that_is_no_package_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.tgz"
    path.write_bytes(content)

    with pytest.raises(UnreadablePackage, match=r"broken\.tgz"):
        Validator([path])


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePackage, match=r"absent\.tgz"):
        Validator([tmp_path / "absent.tgz"])


def test_a_package_without_manifest_or_with_a_profile_without_snapshot_is_named(tmp_path: Path) -> None:
    bare = package(tmp_path / "bare.tgz", manifest=False)
    unfinished = package(tmp_path / "unfinished.tgz", short_patient(snapshot={"element": []}))

    for path in (bare, unfinished):
        with pytest.raises(UnreadablePackage, match=path.name):
            Validator([path])


def test_a_profile_asked_for_is_checked_without_being_claimed() -> None:
    practitioner = {"resourceType": "Practitioner", "identifier": [{"value": "1"}]}

    issues = Validator().check(practitioner, profiles=[FRC + "fr-core-practitioner|2.0.1", "urn:unknown"])

    assert [(i.severity, i.why.key, i.at) for i in issues] == [
        ("error", "missing-element", "Practitioner.identifier[0].system"),
        ("warning", "unknown-profile", "Practitioner"),
    ]

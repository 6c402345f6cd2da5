"""Published examples get the verdict they deserve: the 141 of R4, those of GAP, FR Core and SAS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.validation.samples import VALIDATOR, found, in_package, official

# Official examples that must be refused, each with its reason.
REFUSED = {
    # It carries two modifierExtension with example.org urls, to exercise parsers: nobody can honour what they modify.
    "json-edge-cases.json": [
        ("unknown-modifier-extension", "Patient.modifierExtension[0]"),
        ("unknown-modifier-extension", "Patient.modifierExtension[1]"),
    ],
}


def test_every_official_example_of_r4_gets_the_verdict_it_deserves() -> None:
    verdicts = {name: found(resource) for name, resource in official().items()}

    assert len(verdicts) == 141
    assert {name: errors for name, errors in verdicts.items() if errors} == REFUSED


@pytest.mark.parametrize(
    ("package", "count"),
    [
        ("ans.fhir.fr.gap-3.0.0.ci-20240826.tgz", 3),
        ("hl7.fhir.fr.core-2.0.1.tgz", 12),
        ("ans.fhir.fr.sas-1.1.0.tgz", 41),
        ("ans.fhir.fr.sas-1.2.0.ci-20260629.tgz", 45),
    ],
)
def test_every_example_of_a_french_package_is_accepted(package: str, count: int) -> None:
    examples = dict(in_package(package, "package/example"))

    verdicts = {name: found(resource) for name, resource in examples.items()}

    assert len(verdicts) == count
    assert {name: errors for name, errors in verdicts.items() if errors} == {}


def test_the_examples_of_french_profiles_are_right_for_the_profiles_they_claim() -> None:
    claimed = 0
    for package in ("ans.fhir.fr.gap-3.0.0.ci-20240826.tgz", "hl7.fhir.fr.core-2.0.1.tgz"):
        for _, resource in in_package(package, "package/example"):
            known = [url for url in resource["meta"]["profile"] if url in VALIDATOR.known_profiles()]
            claimed += bool(known)
            assert [i for i in VALIDATOR.check(resource, profiles=known) if i.severity == "error"] == []

    assert claimed >= 12


def test_an_example_claiming_an_unknown_profile_is_warned_about_where_it_claims_it() -> None:
    resource: dict[str, Any] = {
        "resourceType": "Basic",
        "code": {"text": "x"},
        "meta": {"profile": ["urn:a", "urn:b"]},
    }

    assert found(resource, severity="warning") == [
        ("unknown-profile", "Basic.meta.profile[0]"),
        ("unknown-profile", "Basic.meta.profile[1]"),
    ]

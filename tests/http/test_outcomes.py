"""OperationOutcomes: every kind of refusal has a status, every issue is told (contract, "Answers to writes"; SEC-31)."""

from __future__ import annotations

import pytest

from creneau.http import outcomes
from creneau.http.metadata import MODE
from creneau.problems import REFUSALS, Invalid, Issue, Problem, Refusal

ISSUE_TYPES = frozenset(
    [
        "invalid",
        "structure",
        "required",
        "value",
        "invariant",
        "security",
        "login",
        "unknown",
        "expired",
        "forbidden",
        "suppressed",
        "processing",
        "not-supported",
        "duplicate",
        "multiple-matches",
        "not-found",
        "deleted",
        "too-long",
        "code-invalid",
        "extension",
        "too-costly",
        "business-rule",
        "conflict",
        "transient",
        "lock-error",
        "no-store",
        "exception",
        "timeout",
        "incomplete",
        "throttled",
        "informational",
    ]
)


def kinds(parent: type[Problem] = Problem) -> list[type[Problem]]:
    return [kind for child in parent.__subclasses__() for kind in (child, *kinds(child))]


def test_every_kind_of_problem_has_a_status_of_its_own_or_of_a_parent() -> None:
    for kind in kinds():
        assert any(parent in outcomes.STATUS for parent in kind.__mro__), kind
        assert 400 <= outcomes.status_of(kind()) < 600


@pytest.mark.parametrize("row", REFUSALS.values(), ids=lambda row: row.key)
def test_every_refusal_has_a_code_of_fhir_and_two_sentences(row: Refusal) -> None:
    assert row.code in ISSUE_TYPES
    assert row.fr
    assert row.en
    assert row.fr != row.en


def test_every_issue_is_told_with_its_place_and_its_words() -> None:
    why = Refusal("a-key", "required", "Il manque {name}.", "{name} is missing.")
    issues = [
        Issue(why, "Appointment.participant[1].status", values={"name": "status"}, diagnostics="min 1"),
        Issue(why, severity="warning", values={"name": "start"}),
    ]

    found = outcomes.of_problem(Invalid(*issues), "en")

    assert found["issue"] == [
        {
            "severity": "error",
            "code": "required",
            "details": {
                "coding": [{"system": outcomes.SYSTEM, "code": "a-key", "display": "… is missing."}],
                "text": "status is missing.",
            },
            "diagnostics": "min 1",
            "expression": ["Appointment.participant[1].status"],
        },
        {
            "severity": "warning",
            "code": "required",
            "details": {
                "coding": [{"system": outcomes.SYSTEM, "code": "a-key", "display": "… is missing."}],
                "text": "start is missing.",
            },
        },
    ]


def test_a_sentence_whose_words_were_forgotten_is_still_told() -> None:
    why = Refusal("another-key", "value", "Il en faut {limit}.", "It takes {limit}.")

    assert outcomes.text_of(Issue(why), "fr") == "Il en faut …."


def test_a_problem_without_issues_still_makes_a_valid_outcome() -> None:
    assert outcomes.of_problem(Invalid(), "fr")["issue"][0]["code"] == "exception"
    assert outcomes.status_of(Problem(Issue(MODE))) == 422

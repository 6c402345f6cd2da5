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


@pytest.mark.parametrize("number", [99, 100, 101, 5_000])
def test_a_hundred_issues_are_told_and_one_says_how_many_more(number: int) -> None:
    why = Refusal("a-key", "required", "Il manque {name}.", "{name} is missing.")
    issues = [Issue(why, severity="warning", values={"name": n}) for n in range(number - 1)]

    told = outcomes.outcome([*issues, Issue(why, values={"name": "last"})], "en")["issue"]

    assert len(told) == min(number, 101)
    assert "error" in [one["severity"] for one in told]
    if number > 100:
        assert told[0]["details"]["text"] == "last is missing."
        assert told[1]["details"]["text"] == "0 is missing."
        assert told[-1]["details"]["text"] == f"{number - 100} further issues are not told here."
        assert told[-1]["severity"] == "information"

"""What a refusal becomes: each kind of Problem its status, each Issue its entry in an OperationOutcome.

https://hl7.org/fhir/R4/operationoutcome.html; contract, "Answers to writes". SEC-31: no stack, no SQL, no value of the client.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from creneau import problems
from creneau.problems import Issue, Offer, Problem, Refusal, refusal

SYSTEM: Final = "https://creneau.example/fhir/CodeSystem/outcome"
"""The code system of `details.coding`: its codes are the keys of `problems.REFUSALS`."""

OFFER: Final = "https://creneau.example/fhir/StructureDefinition/alternative-slot"
"""Extension of an issue: a reference to a free slot that would do instead, its times in `display`."""


class UriTooLong(problems.TooLong):
    """The query string is over its limit."""


class TooSlow(Problem):
    """The body did not arrive in time."""


class OutOfTime(Problem):
    """The answer was not ready in time; `retry_after` in seconds, since it may have been for others' load."""

    retry_after: int = 1


class Broken(Problem):
    """Our own fault; the trace is in the log under the request id."""


STATUS: Final[dict[type[Problem], int]] = {
    problems.Malformed: 400,
    problems.Missing: 404,
    problems.NotOffered: 405,
    TooSlow: 408,
    problems.Taken: 409,
    problems.InUse: 409,
    problems.Duplicate: 409,
    problems.Gone: 410,
    problems.Ambiguous: 412,
    problems.Stale: 412,
    problems.TooLong: 413,
    UriTooLong: 414,
    problems.UnsupportedMedia: 415,
    problems.Invalid: 422,
    problems.TooCostly: 422,
    problems.TooManyRequests: 429,
    Broken: 500,
    problems.Unavailable: 503,
    OutOfTime: 503,
}
"""The status of each kind; a subclass without a row has that of its nearest parent. `Problem` itself is a 422."""

ALL_OK = refusal("all-ok", "informational", "Aucune anomalie.", "All OK.")
DELETED = refusal("deletion-done", "informational", "La ressource est supprimée.", "The resource is deleted.")
EXCEPTION = refusal(
    "exception",
    "exception",
    "Une erreur de notre fait a empêché la réponse ; citez l'identifiant de requête au support.",
    "An error on our side prevented the answer; quote the request id to the support.",
)
OUT_OF_TIME = refusal(
    "out-of-time",
    "too-costly",
    "La réponse demandait plus de {seconds:g} secondes ; restreignez la demande.",
    "The answer needed more than {seconds:g} seconds; narrow the request.",
)
BUSY = refusal(
    "busy",
    "throttled",
    "Le serveur traite déjà trop de requêtes ; réessayez dans un instant.",
    "The server has too many requests in work; try again in a moment.",
)
AWAY = refusal(
    "unavailable",
    "transient",
    "Le service est indisponible pour le moment ; rien n'a été écrit.",
    "The service is unavailable for the moment; nothing was written.",
)

MORE = refusal(
    "more-issues",
    "informational",
    "{count} autres anomalies ne sont pas détaillées ici.",
    "{count} further issues are not told here.",
)
MOST: Final = 100
"""Issues that an OperationOutcome tells; the errors first when there are more."""

_PLACEHOLDER = re.compile(r"\{[^}]*\}")


def status_of(problem: Problem) -> int:
    """The HTTP status of a refusal."""
    for kind in type(problem).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 422


def outcome(issues: Iterable[Issue], language: str) -> dict[str, Any]:
    """The OperationOutcome with every issue, in French ("fr") or English; beyond `MOST`, one more says how many are left out."""
    found = list(issues)
    if len(found) > MOST:
        rest = len(found) - MOST
        found.sort(key=lambda issue: issue.severity not in ("fatal", "error"))
        found[MOST:] = [Issue(MORE, severity="information", values={"count": rest})]
    return {
        "resourceType": "OperationOutcome",
        "language": language,
        "issue": [_entry(issue, language) for issue in found],
    }


def _entry(issue: Issue, language: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.why.code,
        "details": {"coding": [_coding(issue.why, language)], "text": text_of(issue, language)},
    }
    if issue.offers:
        entry = {"extension": [_offered(offer) for offer in issue.offers], **entry}
    if issue.diagnostics:
        entry["diagnostics"] = issue.diagnostics
    if issue.at:
        entry["expression"] = [issue.at]
    return entry


def _offered(offer: Offer) -> dict[str, Any]:
    """A free slot that would do, as an extension of the issue (docs/errors.md)."""
    display = f"{offer.start} – {offer.end}"
    return {"url": OFFER, "valueReference": {"reference": offer.slot, "display": display}}


def text_of(issue: Issue, language: str) -> str:
    """The sentence; with "…" where the words it wants were forgotten, since a refusal must not become a fault of ours."""
    try:
        return issue.text(language)
    except (KeyError, IndexError, ValueError):
        return str(_coding(issue.why, language)["display"])


@lru_cache(maxsize=2048)
def _coding(why: Refusal, language: str) -> dict[str, str]:
    sentence = why.fr if language == "fr" else why.en
    return {"system": SYSTEM, "code": why.key, "display": _PLACEHOLDER.sub("…", sentence)}


def of_problem(problem: Problem, language: str) -> dict[str, Any]:
    """The OperationOutcome of a refusal; one without issues says at least that it is ours to explain."""
    return outcome(problem.issues or (Issue(EXCEPTION),), language)


def clean(language: str) -> dict[str, Any]:
    """The OperationOutcome that finds nothing to say."""
    return outcome((Issue(ALL_OK, severity="information"),), language)

"""What can be refused, in the domain's words, without HTTP.

A `Refusal` is one row: a stable key of ours, the FHIR IssueType, a French sentence, an English one. Each module declares the
rows it needs with `refusal(...)`; `REFUSALS` holds them all, and the documentation, the tests and `http/outcomes.py` read it.
A `Problem` carries one or more `Issue`, each naming its row and the place in the sent resource.

Sentences never repeat what the client sent (a value may name a patient): they name elements, limits and expected forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that can be said to a client: `key` is stable, `code` is a FHIR IssueType, the sentences are templates."""

    key: str
    code: str
    fr: str
    en: str


REFUSALS: Final[dict[str, Refusal]] = {}


def refusal(key: str, code: str, fr: str, en: str) -> Refusal:
    """Declare a row of `REFUSALS`; two modules may not use one key."""
    if key in REFUSALS:
        raise ValueError(f"refusal {key!r} is declared twice")
    REFUSALS[key] = row = Refusal(key, code, fr, en)
    return row


class Offer(NamedTuple):
    """A free slot that would do instead: "Slot/id", and its times as FHIR instants."""

    slot: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding: why (a row), where (a FHIRPath with indexes, "" for the whole), how bad, and the words the row's templates want.

    `offers`: for time that is taken, free slots that would do.
    """

    why: Refusal
    at: str = ""
    severity: str = "error"
    values: Mapping[str, object] = field(default_factory=dict)
    diagnostics: str = ""
    offers: tuple[Offer, ...] = ()

    def text(self, language: str = "fr") -> str:
        """The sentence in French ("fr") or English (anything else)."""
        template = self.why.fr if language == "fr" else self.why.en
        return template.format(**self.values)


class Problem(Exception):
    """A refusal. Subclasses say which kind; `http/outcomes.py` gives each kind its status."""

    def __init__(self, *issues: Issue) -> None:
        super().__init__(", ".join(issue.why.key for issue in issues))
        self.issues: tuple[Issue, ...] = issues

    @classmethod
    def of(cls, why: Refusal, at: str = "", **values: object) -> Problem:
        """The problem with one issue, built from its row and the words of its sentence."""
        return cls(Issue(why, at, values=values))

    @classmethod
    def all(cls, issues: Iterable[Issue]) -> Problem:
        """The problem with every issue found."""
        return cls(*issues)


class Malformed(Problem):
    """What was sent cannot be read: syntax, unknown element, wrong JSON type, bad parameter."""


class Invalid(Problem):
    """What was sent can be read and breaks a rule: cardinality, invariant, binding, profile, business rule."""


class Missing(Problem):
    """There is no such resource."""


class Gone(Problem):
    """The resource was deleted."""


class Taken(Problem):
    """The time asked for is already booked."""


class InUse(Problem):
    """The resource cannot be deleted: future appointments need it."""


class Duplicate(Problem):
    """The business identifier already names another resource of this type."""


class Ambiguous(Problem):
    """The condition of a write matches several resources."""


class Stale(Problem):
    """The version the client saw is no longer the current one."""


class NotOffered(Problem):
    """This interaction is not offered on this type; `allowed` lists the methods that are."""

    allowed: tuple[str, ...] = ()


class UnsupportedMedia(Problem):
    """The body's media type is not understood here."""


class TooLong(Problem):
    """The body or the request line is over its limit."""


class TooCostly(Problem):
    """The answer would be over its limit."""


class TooManyRequests(Problem):
    """This client is over its rate; `retry_after` in seconds."""

    retry_after: int = 1


class Unavailable(Problem):
    """The store cannot serve now (disk full, busy, stopping); `retry_after` in seconds."""

    retry_after: int = 1

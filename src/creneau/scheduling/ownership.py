"""Which things an agenda and an appointment take time of (`shared/design.md`, "Who is taken, and when").

A thing is written "Type/id". One human is one thing whatever his roles: a PractitionerRole stands for its Practitioner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

NEVER_TAKEN: Final = frozenset({"Patient", "RelatedPerson"})
"""Patients and contacts: an overlap there is a warning."""

SERVES_SEVERAL: Final = frozenset({"HealthcareService", "Organization"})
"""Actors that serve several people at once: an agenda of theirs alone is itself the thing taken."""


class Attendance(NamedTuple):
    """A participant as the rules see it. `actor` is "Type/id", "" when it is nobody of this server."""

    actor: str
    required: str = "required"
    status: str = "accepted"

    @property
    def counts(self) -> bool:
        """Whether its time is taken: it comes, and is more than informed."""
        return bool(self.actor) and self.required != "information-only" and self.status != "declined"


def kind(actor: str) -> str:
    """The type of "Type/id"."""
    return actor.partition("/")[0]


def thing(actor: str, humans: Mapping[str, str]) -> str | None:
    """What is taken when the actor is: `humans` maps "PractitionerRole/id" to its "Practitioner/id"."""
    if kind(actor) in NEVER_TAKEN or kind(actor) in SERVES_SEVERAL:
        return None
    return humans.get(actor, actor)


def owned(agenda: str, actors: Iterable[str], humans: Mapping[str, str]) -> tuple[str, ...]:
    """The things that the agenda ("Schedule/id") of these actors is an agenda of; the agenda itself when they all serve several."""
    things = {found for actor in actors if (found := thing(actor, humans))}
    return tuple(sorted(things)) or (agenda,)


def attending(attendances: Iterable[Attendance], humans: Mapping[str, str]) -> tuple[str, ...]:
    """The things of the participants whose time is taken, sorted, each once."""
    return tuple(sorted({found for one in attendances if one.counts and (found := thing(one.actor, humans))}))


def left(actors: Iterable[str], gone: str, humans: Mapping[str, str]) -> tuple[str, ...]:
    """The actors of an agenda ("Type/id", in order) once one of them is gone; none when it was the last owner (GAP-RG-04, C-28).

    A PractitionerRole and its Practitioner are one owner: the human goes with the role, unless another role of his stays. `humans` as
    in `thing`, the role that goes included.
    """
    rest = [one for one in actors if one != gone]
    human = humans.get(gone)
    if human is None or any(humans.get(one) == human for one in rest):
        return tuple(rest)
    return tuple(one for one in rest if one != human)

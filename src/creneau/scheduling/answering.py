"""What a participant's answer does to an appointment (GAP-STA-T03 to T05, C-11, C-14).

All required participants accepted: the request becomes booked. One of those asked for declines: it is cancelled. Otherwise it is
pending. An appointment that is already agreed keeps its status; only the participant's own changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from creneau.scheduling.ownership import NEVER_TAKEN, Attendance, kind


class Answered(NamedTuple):
    """Who answers ("Type/id"), what ("accepted", "declined", "tentative", "needs-action"), and which role is which human."""

    actor: str
    status: str
    humans: Mapping[str, str]

    def concerns(self, attendance: Attendance) -> bool:
        """Whether this participant is the one who answers: the same actor, or the same human in another role."""
        if not self.actor or not attendance.actor:
            return False
        same = self.humans.get(attendance.actor, attendance.actor) == self.humans.get(self.actor, self.actor)
        return attendance.actor == self.actor or same


def answer(attendances: Sequence[Attendance], answered: Answered) -> list[Attendance]:
    """The participants after the answer, in order."""
    return [one._replace(status=answered.status) if answered.concerns(one) else one for one in attendances]


def outcome(status: str, after: Sequence[Attendance], answered: Answered, *, timed: bool) -> str:
    """The appointment's status after the answer; without a time (`timed`) it cannot yet be pending or booked (R4 app-3)."""
    if status not in ("proposed", "pending", "waitlist"):
        return status
    required = [one for one in after if one.required == "required"]
    if answered.status == "declined" and any(answered.concerns(one) for one in required):
        return "cancelled"
    if not timed:
        return status
    if required and all(one.status == "accepted" for one in required):
        return "booked"
    moved = answered.status in ("accepted", "tentative") and kind(answered.actor) not in NEVER_TAKEN
    return "pending" if moved and status != "waitlist" else status

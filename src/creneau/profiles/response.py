"""AppointmentResponse: what it writes into the appointment it answers. https://hl7.org/fhir/R4/appointmentresponse.html"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from creneau.scheduling.answering import Answered, answer, outcome
from creneau.scheduling.ownership import Attendance


def answered(
    appointment: Mapping[str, Any],
    present: Sequence[Attendance],
    given: Answered,
    response: Mapping[str, Any],
) -> dict[str, Any] | None:
    """The appointment after the answer, None when who answers is not one of its participants.

    An appointment without a time takes the one that the response gives; another time than the appointment's is only kept in the
    response, as a proposal.
    """
    if not any(given.concerns(one) for one in present):
        return None
    after = answer(present, given)
    times = (
        {key: response[key] for key in ("start", "end") if key in response}
        if "start" not in appointment
        else {}
    )
    status = outcome(appointment["status"], after, given, timed="start" in {**appointment, **times})
    participants = [
        {**participant, "status": one.status} if given.concerns(one) else participant
        for participant, one in zip(appointment["participant"], after, strict=True)
    ]
    return {**appointment, **times, "status": status, "participant": participants}

"""AppointmentResponse: a participant accepts, declines or hesitates, which moves the appointment it answers (C-14, GAP-SYN-03).

GAP gives no flow for the confirmation by the resource that is asked; this is ours, on FHIR's own resource.
https://hl7.org/fhir/R4/appointmentresponse.html
"""

from __future__ import annotations

from creneau.fhir import json
from creneau.fhir.reference import Literal, read
from creneau.flows import agendas, f6_appointment, references
from creneau.flows.answers import Resource, Saved
from creneau.flows.world import World
from creneau.flows.writing import commit, put, same, stored
from creneau.problems import Invalid, Issue, refusal
from creneau.profiles import appointment as profile
from creneau.profiles.response import answered
from creneau.scheduling.answering import Answered
from creneau.store.contract import Stored

NOT_INVITED = refusal(
    "not-a-participant",
    "business-rule",
    "L'acteur de cette réponse n'est pas un participant du rendez-vous.",
    "The actor of this response is not a participant of the appointment.",
)
NO_APPOINTMENT = refusal(
    "appointment-unknown",
    "not-found",
    "Le rendez-vous auquel répond cette ressource n'est pas de ce serveur.",
    "The appointment that this resource answers is not one of this server.",
)


async def create(world: World, sent: Resource, id: str | None = None) -> Saved:
    """Store the response and the appointment it moves, in one commit."""
    return await _save(world, None, id or world.new_id(), sent)


async def change(world: World, known: Stored, sent: Resource) -> Saved:
    """A participant who changes his mind answers again in the same resource."""
    return await _save(world, known, known.id, sent)


async def _save(world: World, known: Stored | None, id: str, sent: Resource) -> Saved:
    warnings = world.validator.refuse(sent)
    resolved = await references.resolve(world, sent)
    found = (*warnings, *resolved.issues)
    if known and same(json.load(known.body), sent):
        return Saved(known, created=False, changed=False, warnings=found)
    appointment = _answers(world, sent, resolved)
    moved = await _move(world, appointment, sent)
    new = put(world, known, sent, id=id)
    puts = [new, moved.put] if moved.put else [new]
    met = await commit(world, puts, (*resolved.seen(), *moved.seen))
    remarks = (*moved.warnings, *f6_appointment.company_busy(moved.wish, met))
    return Saved(stored(new), created=known is None, warnings=(*found, *remarks))


def _answers(world: World, sent: Resource, resolved: references.Resolved) -> Stored:
    match read(sent["appointment"], world.bases):
        case Literal(type="Appointment", id=id):
            return resolved.resources[f"Appointment/{id}"]
    raise Invalid(Issue(NO_APPOINTMENT, "AppointmentResponse.appointment"))


async def _move(world: World, appointment: Stored, sent: Resource) -> f6_appointment.Decision:
    """The appointment's next version, decided by flow 6b like any other change; nothing when the answer changes nothing."""
    before = json.load(appointment.body)
    present = profile.attendances(before, world.bases)
    asked = profile.local_actor(sent, world.bases)
    humans = await agendas.humans(world, {asked, *(one.actor for one in present)} - {""})
    answer = Answered(asked, sent["participantStatus"], humans)
    after = answered(before, present, answer, sent)
    if after is None:
        raise Invalid(Issue(NOT_INVITED, "AppointmentResponse.actor"))
    return await f6_appointment.decide(world, appointment, appointment.id, after)

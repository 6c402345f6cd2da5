"""6a create, 6b update of an appointment: demande or déclaration, moved, cancelled, confirmed.

GAP §13, §14, seed page `flux-gestion-rdv`; `shared/contract.md`, "Answers to writes"; `shared/design.md`, "Who is taken, and when".
Each flow reads what the rules need, lets `scheduling.booking` decide, commits once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from creneau.fhir import instant, json
from creneau.flows import agendas, references
from creneau.flows.alternatives import alternatives
from creneau.flows.answers import Resource, Saved
from creneau.flows.slots import Named, named_slots
from creneau.flows.world import World
from creneau.flows.writing import commit, put, same, stored
from creneau.problems import Invalid, Issue, Taken, refusal
from creneau.profiles import appointment as profile
from creneau.scheduling import booking, ownership
from creneau.scheduling.booking import Before, Wish
from creneau.scheduling.ownership import Attendance
from creneau.store.contract import Put, Seen, Stored, Take

PATIENT_BUSY = refusal(
    "patient-busy",
    "informational",
    "Le patient ou le contact a déjà un rendez-vous sur cet horaire.",
    "The patient or contact already has an appointment at this time.",
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a flow decided for one appointment: nothing to write when `put` is None (GAP-STA-T15)."""

    put: Put | None
    seen: tuple[Seen, ...]
    warnings: tuple[Issue, ...]
    wish: Wish


async def create(world: World, sent: Resource, id: str | None = None) -> Saved:
    """6a. A request (`proposed`) or a declaration (`booked` and others) (GAP-RDV-03, GAP-RDV-06)."""
    decision = await decide(world, None, id or world.new_id(), sent)
    assert decision.put is not None
    busy = await _commit(world, decision, decision.put)
    return Saved(stored(decision.put), created=True, warnings=(*decision.warnings, *busy))


async def change(world: World, known: Stored, sent: Resource) -> Saved:
    """6b. The next version of a known appointment (GAP-RDV-07, GAP-RG-10); none when nothing changes."""
    decision = await decide(world, known, known.id, sent)
    if decision.put is None:
        return Saved(known, created=False, changed=False, warnings=decision.warnings)
    busy = await _commit(world, decision, decision.put)
    return Saved(stored(decision.put), created=False, warnings=(*decision.warnings, *busy))


async def _commit(world: World, decision: Decision, new: Put) -> tuple[Issue, ...]:
    """Commit, and say whether the patient is busy; a refusal for taken time carries free slots that would do."""
    try:
        return company_busy(decision.wish, await commit(world, [new], decision.seen))
    except Taken as taken:
        issue = taken.issues[0]
        thing = str(issue.values["thing"])
        raise Taken(replace(issue, offers=await alternatives(world, decision.wish, thing))) from taken


async def decide(world: World, known: Stored | None, id: str, sent: Resource) -> Decision:
    """Validate, resolve, complete and decide; raises Malformed or Invalid with every finding of the stage that refuses."""
    former = json.load(known.body) if known else None
    named = await named_slots(world, sent, former)
    _times_from_slots(sent, named)
    warnings = world.validator.refuse(sent)
    keep(world, sent, former)
    resolved = await references.resolve(world, sent, references.literals(world, former))
    for one in named.held:
        profile.complete(sent, one.actors, [one.actor for one in profile.attendances(sent, world.bases)])
    wish = await _wish(world, sent, named, resolved)
    now = world.clock()
    findings = [*named.issues, *booking.decide(_before(world, former), wish, now)]
    if errors := [one for one in findings if one.severity == "error"]:
        raise Invalid.all(errors)
    found = (*warnings, *resolved.issues, *findings)
    if known and former and same(former, sent):
        return Decision(None, (), found, wish)
    takes = [Take(*one) for one in booking.holds(wish, now=now, hold=world.rules.hold)]
    seen = (*resolved.seen(), *(Seen("Schedule", one.stored.id, one.stored.version) for one in named.held))
    return Decision(put(world, known, sent, id=id, takes=takes), seen, found, wish)


def keep(world: World, sent: Resource, former: Resource | None) -> None:
    """What the server writes or keeps: `created` of the first version (GAP-RDV-29), an identifier when there is none (C-66)."""
    if former and former.get("created"):
        sent["created"] = former["created"]
    sent.setdefault("created", instant.show(world.clock() // 1_000_000 * 1_000_000))
    if not sent.get("identifier"):
        minted = [{"system": world.rules.identifier_system, "value": world.new_id()}]
        sent["identifier"] = (former or {}).get("identifier") or minted


def _times_from_slots(sent: Resource, named: Named) -> None:
    """start and end of the slots named, when the client gives none (C-08)."""
    within = booking.span(named.cells)
    if within and "start" not in sent and "end" not in sent:
        zone = named.cells[0][0].zone
        sent["start"], sent["end"] = (instant.show_in(moment, zone) for moment in within)


async def _wish(world: World, sent: Resource, named: Named, resolved: references.Resolved) -> Wish:
    attendances = profile.attendances(sent, world.bases)
    coming = [one for one in attendances if one.counts]
    humans = await agendas.humans(world, (one.actor for one in coming), resolved.resources)
    alone = await agendas.services_alone(world, (one.actor for one in coming))
    things = {*ownership.attending(coming, humans), *alone.values()}
    things |= {thing for held in named.held for thing in held.agenda.things}
    start, end = profile.times(sent)
    timed = start is not None
    return Wish(
        status=sent["status"],
        start=start,
        end=end,
        minutes=sent.get("minutesDuration"),
        service=profile.service(sent),
        cells=tuple(named.cells),
        agendas=tuple(one.agenda for one in await agendas.owning(world, things)) if timed else (),
        things=tuple(sorted(things)),
        company=tuple(
            sorted({one.actor for one in coming if ownership.kind(one.actor) in ownership.NEVER_TAKEN})
        ),
        target=_target(world, sent, attendances),
        people=len(attendances),
        asked=profile.asked(attendances, sent.get("participant", ())),
        foreign_slots=len(sent.get("slot", ())) - len(profile.slots(sent, world.bases)),
    )


def _target(world: World, resource: Resource, attendances: Sequence[Attendance]) -> frozenset[str]:
    """What an appointment asks for, so that the same request sent again is told from another."""
    actors = {one.actor for one in attendances}
    return frozenset(actors | {f"Slot/{slot}" for _, slot in profile.slots(resource, world.bases)})


def _before(world: World, former: Resource | None) -> Before | None:
    if former is None:
        return None
    target = _target(world, former, profile.attendances(former, world.bases))
    return Before(former["status"], *profile.times(former), target)


def company_busy(wish: Wish, met: Iterable[Take]) -> tuple[Issue, ...]:
    """A warning, without naming anything, when a patient or contact is expected elsewhere at the time just taken (`met`)."""
    elsewhere = any(take.thing in wish.company for take in met)
    return (Issue(PATIENT_BUSY, "Appointment.participant", "warning"),) if elsewhere else ()

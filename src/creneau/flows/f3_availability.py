"""3a to 3c answered before they are sent: what would these rules open? `Schedule/$availability` of a stored or a sent agenda.

GAP §9. The same code as the search for slots unfolds the rules; nothing is stored, nothing names an appointment or a patient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from creneau.fhir import instant
from creneau.flows import agendas, reading
from creneau.flows.agendas import Held
from creneau.flows.answers import Resource
from creneau.flows.timetable import shows
from creneau.flows.wanted import TOO_FAR, WINDOW_DAYS
from creneau.flows.world import World
from creneau.problems import Invalid, Issue, Malformed, Refusal, TooCostly, refusal
from creneau.profiles.agenda import findings
from creneau.scheduling.availability import Spell, intervals
from creneau.scheduling.intervals import Interval, clip, subtract
from creneau.scheduling.opening import Opening
from creneau.store.contract import DAY, Occupied

WINDOW = refusal(
    "availability-window",
    "required",
    "start et end sont deux dates ou instants, end après start.",
    "start and end are two dates or instants, end after start.",
)
OPENED = refusal(
    "opened-by",
    "informational",
    "Ouvert par la plage n° {index} de l'agenda.",
    "Opened by range no. {index} of the agenda.",
)
CLOSED = refusal(
    "closed-by",
    "informational",
    "Fermé par l'indisponibilité n° {index} de l'agenda.",
    "Closed by unavailability no. {index} of the agenda.",
)
UNDECLARED = refusal(
    "not-declared",
    "informational",
    "Aucune plage de l'agenda n'ouvre ce moment.",
    "No range of the agenda opens this time.",
)
BOOKED = refusal(
    "booked-there", "informational", "Un rendez-vous y est pris.", "An appointment is booked there."
)
ASKED = refusal(
    "asked-there",
    "informational",
    "Une demande de rendez-vous y est en attente.",
    "A request for an appointment is waiting there.",
)


class Told(NamedTuple):
    """Time [start, end), its state (a Slot.status), why, and the opening that made it (None: no opening, or an appointment)."""

    start: int
    end: int
    state: str
    why: Issue
    rule: Opening | None


async def availability(
    world: World, id: str | None, sent: Resource | None, bounds: tuple[str | None, str | None], language: str
) -> Resource:
    """The Parameters of `$availability`: one `interval` for each stretch of the window, in order.

    `sent`: a Schedule to try, not stored; without it the stored one of that id. `bounds`: start and end as FHIR dates. TooCostly
    beyond 400 days.
    """
    window = _window(world, *bounds)
    if sent is not None:
        world.validator.refuse(sent)
        if errors := [one for one in findings(sent, world.rules.zone) if one.severity == "error"]:
            raise Invalid.all(errors)
        held = await agendas.of_schedule(world, {**sent, "id": id or "sent"})
    else:
        await reading.read(world, "Schedule", id or "")
        known = await agendas.held(world, id or "")
        assert known is not None
        held = known
    taken = await world.store.taken(shows(held), window.start, window.end, now=world.clock())
    told = list(tell(held, window, taken))
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "interval", "part": _parts(held, one, language)} for one in told],
    }


def _window(world: World, start: str | None, end: str | None) -> Interval:
    try:
        window = Interval(
            instant.parse(start or "", world.rules.zone)[0], instant.parse(end or "", world.rules.zone)[1]
        )
    except ValueError as error:
        raise Malformed(Issue(WINDOW)) from error
    if window.end <= window.start:
        raise Malformed(Issue(WINDOW))
    if window.end - window.start > WINDOW_DAYS * DAY:
        raise TooCostly(Issue(TOO_FAR, values={"days": WINDOW_DAYS}))
    return window


def tell(held: Held, window: Interval, taken: Sequence[Occupied]) -> Iterator[Told]:
    """The whole window, in order: taken, open and closed stretches."""
    busy = [Interval(one.take.start, one.take.end) for one in taken]
    found = [_taken(one, window) for one in taken]
    agenda = held.agenda
    for spell in intervals(agenda.openings, agenda.zone, agenda.horizon, window):
        opening = _opening(held, spell)
        state, why = _reason(held, spell, opening)
        for rest in subtract([Interval(spell.start, spell.end)], busy):
            found.append(Told(rest.start, rest.end, state, why, opening))
    once = {
        (one.start, one.end, one.state): one for one in found
    }  # an appointment takes several things of one agenda
    yield from (once[key] for key in sorted(once))


def _taken(one: Occupied, window: Interval) -> Told:
    part = clip([Interval(one.take.start, one.take.end)], window)[0]
    why = BOOKED if one.take.kind == "busy" else ASKED
    return Told(part.start, part.end, one.take.kind, Issue(why, severity="information"), None)


def _opening(held: Held, spell: Spell) -> Opening | None:
    return next((one for one in held.agenda.openings if one.index == spell.rule), None)


def _reason(held: Held, spell: Spell, opening: Opening | None) -> tuple[str, Issue]:
    why: Refusal = UNDECLARED
    if opening is not None:
        why = OPENED if spell.open else CLOSED
    number = opening.index + 1 if opening else 0
    state = "free" if spell.open and held.agenda.active else "busy-unavailable"
    return state, Issue(why, severity="information", values={"index": number})


def _parts(held: Held, told: Told, language: str) -> list[dict[str, Any]]:
    zone = held.agenda.zone
    parts: list[dict[str, Any]] = [
        {"name": "state", "valueCode": told.state},
        {"name": "start", "valueInstant": instant.show_in(told.start, zone)},
        {"name": "end", "valueInstant": instant.show_in(told.end, zone)},
        {"name": "reason", "valueString": told.why.text(language)},
    ]
    if told.rule is not None:
        parts.append({"name": "expression", "valueString": f"Schedule.extension[{told.rule.index}]"})
        parts += [{"name": "rule", "valueString": name} for name in told.rule.identifiers]
        if told.rule.reason:
            parts.append({"name": "unavailabilityReason", "valueString": told.rule.reason})
    return parts

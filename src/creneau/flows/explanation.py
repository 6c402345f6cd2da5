"""`Slot/$explain`: why an instant of an agenda is offered or not for a service, rule by rule (issue "Explain"; GAP-REC-04, GAP-DIS-19).

The verdict is that of the search (`timetable`), and each rule is unfolded by the code that the search unfolds it with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from creneau.fhir import instant
from creneau.flows import agendas
from creneau.flows.agendas import Held
from creneau.flows.answers import Resource
from creneau.flows.timetable import Shown, shows, timetable
from creneau.flows.world import World
from creneau.flows.writing import UNKNOWN_ID
from creneau.problems import Issue, Malformed, Missing, Refusal, refusal
from creneau.scheduling.availability import intervals
from creneau.scheduling.intervals import Interval
from creneau.scheduling.opening import Opening, reading
from creneau.store.contract import DAY

ASKED = refusal(
    "explain-parameters",
    "required",
    "$explain attend schedule (Schedule/id), start (un instant) et, au besoin, service (système|code).",
    "$explain wants schedule (Schedule/id), start (an instant) and, where needed, service (system|code).",
)
INACTIVE = refusal(
    "agenda-inactive",
    "informational",
    "L'agenda est inactif : rien n'est offert.",
    "The agenda is inactive: nothing is offered.",
)
BEFORE_OR_AFTER = refusal(
    "outside-horizon",
    "informational",
    "Ce moment est hors de la période de validité de l'agenda (planningHorizon).",
    "This time is outside the validity of the agenda (planningHorizon).",
)
OPENS = refusal(
    "rule-opens",
    "informational",
    "La plage n° {index} (lecture : {reading}) couvre ce moment et l'ouvre.",
    "Range no. {index} (reading: {reading}) covers this time and opens it.",
)
OVERRULED = refusal(
    "rule-overruled",
    "informational",
    "La plage n° {index} couvre ce moment, mais la plage n° {other} l'emporte.",
    "Range no. {index} covers this time, but range no. {other} prevails.",
)
CLOSES = refusal(
    "rule-closes",
    "informational",
    "L'indisponibilité n° {index} couvre ce moment et le ferme.",
    "Unavailability no. {index} covers this time and closes it.",
)
ELSEWHERE = refusal(
    "rule-elsewhere",
    "informational",
    "La plage n° {index} ne couvre pas ce moment.",
    "Range no. {index} does not cover this time.",
)
UNKNOWN_SERVICE = refusal(
    "service-unknown",
    "informational",
    "L'agenda n'offre pas cette prestation.",
    "The agenda does not offer this service.",
)
CELL = refusal(
    "cell-there",
    "informational",
    "Un créneau de {minutes:g} min commence à {start} et finit à {end}.",
    "A slot of {minutes:g} min starts at {start} and ends at {end}.",
)
NO_CELL = refusal(
    "cell-does-not-fit",
    "informational",
    "La grille de cette prestation n'a pas de créneau entier à ce moment.",
    "The grid of this service has no whole slot at this time.",
)
PAST = refusal("already-past", "informational", "Ce moment est passé.", "This time is past.")
TAKEN = refusal(
    "thing-taken",
    "informational",
    "{thing} est déjà pris de {start} à {end}.",
    "{thing} is already taken from {start} to {end}.",
)
ASKED_FOR = refusal(
    "thing-asked-for",
    "informational",
    "{thing} est demandé de {start} à {end} ; la demande attend une réponse.",
    "{thing} is asked for from {start} to {end}; the request awaits an answer.",
)
EVERY = frozenset({"free", "busy", "busy-tentative", "busy-unavailable"})


class Step(NamedTuple):
    """One reason: what it did to the instant ("kept", "removed", "none"), its sentence, the opening it comes from."""

    effect: str
    why: Issue
    rule: Opening | None = None


async def explain(
    world: World, schedule: str | None, start: str | None, service: str | None, language: str
) -> Resource:
    """The Parameters of `$explain`: `status`, the `slot` when there is one, and a `step` for each rule.

    `schedule` is "Schedule/id" or an id. Malformed without schedule or start; Missing for an unknown agenda.
    """
    if not schedule or not start:
        raise Malformed(Issue(ASKED))
    try:
        at = instant.parse(start, world.rules.zone)[0]
    except ValueError as error:
        raise Malformed(Issue(ASKED)) from error
    held = await agendas.held(world, schedule.removeprefix("Schedule/"))
    if held is None:
        raise Missing(Issue(UNKNOWN_ID, values={"type": "Schedule"}))
    shown = await _shown(world, held, at, service)
    steps = [*_rules(held, at), *_service(held, service), *_cell(held, shown)]
    steps += await _times(world, held, at, shown)
    return _parameters(held, shown, steps, language)


async def _shown(world: World, held: Held, at: int, service: str | None) -> Shown | None:
    """The slot that the search shows at that instant, of that service when one is asked for."""
    shown = await timetable(world, [held], Interval(at - DAY, at + 1), EVERY)
    there = [one for one in shown if one.cell.start <= at < one.cell.end]
    asked = [one for one in there if service is None or one.cell.service in (service, None)]
    return min(asked, key=lambda one: (one.status != "free", one.cell.service is None), default=None)


def _rules(held: Held, at: int) -> Iterator[Step]:
    agenda = held.agenda
    if not agenda.active:
        yield Step("removed", Issue(INACTIVE))
    if not agenda.horizon.start <= at < agenda.horizon.end:
        yield Step("removed", Issue(BEFORE_OR_AFTER))
        return
    moment = Interval(at, at + 1)
    decided = intervals(agenda.openings, agenda.zone, agenda.horizon, moment)[0].rule
    for opening in agenda.openings:
        alone = intervals([opening], agenda.zone, agenda.horizon, moment)[0]
        yield _rule(opening, alone.rule is not None, decided)


def _rule(opening: Opening, covers: bool, decided: int | None) -> Step:
    number = opening.index + 1
    if not covers:
        return Step("none", Issue(ELSEWHERE, values={"index": number}), opening)
    if decided is not None and decided != opening.index:
        return Step("none", Issue(OVERRULED, values={"index": number, "other": decided + 1}), opening)
    if opening.kind == "free":
        return Step("kept", Issue(OPENS, values={"index": number, "reading": reading(opening)}), opening)
    return Step("removed", Issue(CLOSES, values={"index": number}), opening)


def _service(held: Held, service: str | None) -> Iterator[Step]:
    if service is not None and service not in {one.key for one in held.agenda.services}:
        yield Step("removed", Issue(UNKNOWN_SERVICE))


def _cell(held: Held, shown: Shown | None) -> Iterator[Step]:
    if shown is None or shown.cell.service is None:
        yield Step("removed", Issue(NO_CELL))
        return
    cell = shown.cell
    minutes = (cell.end - cell.start) / 60_000_000
    yield Step("kept", Issue(CELL, values={"minutes": minutes, **_span(held, cell.start, cell.end)}))


async def _times(world: World, held: Held, at: int, shown: Shown | None) -> list[Step]:
    now = world.clock()
    start, end = (shown.cell.start, shown.cell.end) if shown else (at, at + 1)
    steps = [Step("removed", Issue(PAST))] if at < now else []
    for one in await world.store.taken(shows(held), start, end, now=now):
        why: Refusal = TAKEN if one.take.kind == "busy" else ASKED_FOR
        values = {"thing": one.take.thing, **_span(held, one.take.start, one.take.end)}
        steps.append(Step("removed", Issue(why, values=values)))
    return steps


def _span(held: Held, start: int, end: int) -> dict[str, str]:
    zone = held.agenda.zone
    return {"start": instant.show_in(start, zone), "end": instant.show_in(end, zone)}


def _parameters(held: Held, shown: Shown | None, steps: list[Step], language: str) -> Resource:
    status = shown.status if shown else "busy-unavailable"
    parameters: list[dict[str, Any]] = [{"name": "status", "valueCode": status}]
    if shown:
        parameters.append({"name": "slot", "valueReference": {"reference": f"Slot/{shown.cell.id}"}})
    for step in steps:
        parts = [
            {"name": "effect", "valueCode": step.effect},
            {"name": "text", "valueString": step.why.text(language)},
        ]
        if step.rule is not None:
            parts.append({"name": "expression", "valueString": f"Schedule.extension[{step.rule.index}]"})
            parts += [{"name": "rule", "valueString": name} for name in step.rule.identifiers]
        parameters.append({"name": "step", "part": parts})
    return {"resourceType": "Parameters", "parameter": parameters}

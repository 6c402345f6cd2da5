"""What may be booked and what time it takes: pure decisions on a wish, flows 6a and 6b.

GAP §5 (GAP-RG-06, 16, 17, 18), §13, §14; `shared/contract.md`. Instants are microseconds UTC. Whether the time is still free is the
store's word at the commit, not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from creneau.problems import Issue, Refusal, refusal
from creneau.scheduling import lifecycle
from creneau.scheduling.slots import Agenda, Cell, covers, fits

MINUTE: Final = 60_000_000
LONGEST: Final = 366 * 24 * 60 * MINUTE

STEP = refusal(
    "status-step",
    "business-rule",
    "Un rendez-vous « {before} » ne peut pas devenir « {after} » ; il peut devenir : {following}.",
    "An appointment that is '{before}' cannot become '{after}'; it can become: {following}.",
)
NO_TARGET = refusal(
    "request-without-target",
    "business-rule",
    "Une demande de rendez-vous désigne un créneau, ou au moins une ressource sollicitée (règle C2).",
    "A request for an appointment names a slot, or at least one resource that is asked for (rule C2).",
)
BACKWARDS = refusal(
    "end-not-after-start",
    "business-rule",
    "La fin du rendez-vous doit suivre son début.",
    "The end of the appointment must come after its start.",
)
TOO_LONG = refusal(
    "appointment-too-long",
    "business-rule",
    "Un rendez-vous ne dure pas plus de 366 jours.",
    "An appointment does not last more than 366 days.",
)
PAST = refusal(
    "request-in-the-past",
    "business-rule",
    "Une demande de rendez-vous porte sur l'avenir : ce début est passé.",
    "A request for an appointment is about the future: this start is past.",
)
CLOSED = refusal(
    "outside-availability",
    "business-rule",
    "Cet horaire est hors des disponibilités déclarées de l'agenda {agenda}.",
    "This time is outside the declared availability of agenda {agenda}.",
)
MISFIT = refusal(
    "duration-does-not-fit",
    "business-rule",
    "La durée demandée n'est pas celle que l'agenda {agenda} prévoit pour ce type de prestation.",
    "The duration asked for is not the one that agenda {agenda} has for this type of service.",
)
MINUTES = refusal(
    "minutes-duration-differs",
    "business-rule",
    "minutesDuration ({minutes} min) ne correspond pas à l'intervalle de start à end ({lasts} min).",
    "minutesDuration ({minutes} min) is not the interval from start to end ({lasts} min).",
)
NOT_IN_SLOT = refusal(
    "time-outside-slot",
    "business-rule",
    "L'horaire du rendez-vous sort des créneaux qu'il désigne.",
    "The time of the appointment is outside the slots it names.",
)
NO_AGENDA = refusal(
    "no-agenda",
    "informational",
    "Aucune des ressources sollicitées n'a d'agenda ici : aucun temps n'est réservé.",
    "None of the resources asked for has an agenda here: no time is reserved.",
)
ALONE = refusal(
    "fewer-than-two-participants",
    "informational",
    "Un rendez-vous réunit d'ordinaire au moins deux ressources.",
    "An appointment usually brings at least two resources together.",
)


class Hold(NamedTuple):
    """Time of a thing that the appointment takes; `until`: the instant at which it lapses, None when it does not."""

    thing: str
    start: int
    end: int
    kind: str
    until: int | None
    slot: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Wish:
    """An appointment as the rules see it.

    `cells` are the slots it names, each with the agenda it belongs to; `agendas` the agendas of the participants that own one;
    `things` all that is taken; `company` the patients and contacts who come, never refused; `target` what it asks for, to tell a
    new request from one sent again; `people` how many participants it has; `service` the key of its serviceType ("" without).
    """

    status: str
    start: int | None = None
    end: int | None = None
    minutes: int | None = None
    service: str = ""
    cells: tuple[tuple[Agenda, Cell], ...] = ()
    agendas: tuple[Agenda, ...] = ()
    things: tuple[str, ...] = ()
    company: tuple[str, ...] = ()
    target: frozenset[str] = frozenset()
    people: int = 2
    asked: int = 1  # participants that are neither patient nor contact
    foreign_slots: int = 0  # slots of other servers, which nobody here can check


@dataclass(frozen=True, slots=True)
class Before:
    """What the preceding version was: status, times, and what it asked for."""

    status: str
    start: int | None
    end: int | None
    target: frozenset[str] = frozenset()


def step(before: Before | None, wish: Wish) -> Iterator[Issue]:
    """Refuse a status step that is not in the table (GAP-RET-E09)."""
    if before and not lifecycle.allowed(before.status, wish.status):
        following = ", ".join(lifecycle.following(before.status))
        values = {"before": before.status, "after": wish.status, "following": following}
        yield Issue(STEP, "Appointment.status", values=values)


def span(cells: Sequence[tuple[Agenda, Cell]]) -> tuple[int, int] | None:
    """From the first start to the last end of the slots named; None without (C-08)."""
    if not cells:
        return None
    return min(cell.start for _, cell in cells), max(cell.end for _, cell in cells)


def times(wish: Wish) -> Iterator[Issue]:
    """What is wrong with start, end and minutesDuration themselves, whoever declares them."""
    if wish.start is None or wish.end is None:
        return
    if wish.end <= wish.start:
        yield Issue(BACKWARDS, "Appointment.end")
        return
    if wish.end - wish.start > LONGEST:
        yield Issue(TOO_LONG, "Appointment.end")
    within = span(wish.cells)
    if within and not (within[0] <= wish.start and wish.end <= within[1]):
        yield Issue(NOT_IN_SLOT, "Appointment.slot")
    if wish.minutes is not None and wish.minutes * MINUTE != wish.end - wish.start:
        values = {"minutes": wish.minutes, "lasts": (wish.end - wish.start) / MINUTE}
        yield Issue(MINUTES, "Appointment.minutesDuration", values=values)


def is_request(before: Before | None, wish: Wish) -> bool:
    """Whether this write asks for time (proposed, new or changed), and is not the same request sent again."""
    if wish.status != "proposed":
        return False
    asked = (wish.start, wish.end, wish.target)
    return before is None or before.status != "proposed" or asked != (before.start, before.end, before.target)


def request(wish: Wish, now: int) -> Iterator[Issue]:
    """Why a request is refused: rule C2, the past, the availability, the duration (GAP-RET-E08)."""
    if not wish.cells and not wish.asked and not wish.foreign_slots:
        yield Issue(NO_TARGET, "Appointment.participant")
    if wish.start is None or wish.end is None:
        return
    if wish.start < now:
        yield Issue(PAST, "Appointment.start")
    yield from outside(wish, "error")


def outside(wish: Wish, severity: str) -> Iterator[Issue]:
    """Where the time leaves the declared availability or the duration of the service (GAP-RG-16, GAP-RG-17)."""
    named = {agenda.id for agenda, _ in wish.cells}
    free_of_slots = [agenda for agenda in wish.agendas if agenda.id not in named]
    for thing in wish.things:
        choice = [agenda for agenda in free_of_slots if thing in agenda.things]
        if choice and not any(thing in agenda.things for agenda, _ in wish.cells):
            yield from _outside_all(wish, choice, severity)


def _outside_all(wish: Wish, choice: Sequence[Agenda], severity: str) -> Iterator[Issue]:
    """A thing with several agendas is available when one of them is open; the finding names the first."""
    assert wish.start is not None and wish.end is not None
    open_ones = [agenda for agenda in choice if covers(agenda, wish.start, wish.end)]
    why: Refusal | None = None
    if not open_ones:
        why = CLOSED
    elif not any(fits(agenda, wish.service or None, wish.start, wish.end) for agenda in open_ones):
        why = MISFIT
    if why:
        yield Issue(why, "Appointment.start", severity, {"agenda": f"Schedule/{choice[0].id}"})


def declaration(wish: Wish) -> Iterator[Issue]:
    """What a declaration deserves to hear: it reports a fact, so these are warnings (DEC-08, C-10)."""
    return outside(wish, "warning") if wish.status in lifecycle.BUSY and wish.start is not None else iter(())


def remarks(wish: Wish) -> Iterator[Issue]:
    """Findings that never refuse."""
    if wish.people < 2:
        yield Issue(ALONE, "Appointment.participant", "information")
    timed = wish.start is not None and wish.status in lifecycle.BUSY | lifecycle.HOLDS
    if timed and not wish.agendas and not wish.cells:
        yield Issue(NO_AGENDA, "Appointment.participant", "information")


def decide(before: Before | None, wish: Wish, now: int) -> list[Issue]:
    """All findings on the wish, refusals (severity error) and warnings; the caller refuses when there is one error."""
    found = [*step(before, wish), *times(wish)]
    if is_request(before, wish) and not found:
        found += request(wish, now)
    elif not found and _news(before, wish):
        found += declaration(wish)
    return found + list(remarks(wish))


def _news(before: Before | None, wish: Wish) -> bool:
    """Whether the time declared is not what the preceding version said already."""
    return before is None or (before.start, before.end) != (wish.start, wish.end)


def holds(wish: Wish, *, now: int, hold: int) -> tuple[Hold, ...]:
    """The time taken: busy for what is agreed, a hold that lapses after `hold` or at the start for what is asked."""
    if wish.start is None or wish.end is None or wish.status not in lifecycle.BUSY | lifecycle.HOLDS:
        return ()
    tentative = wish.status in lifecycle.HOLDS
    until = min(now + hold, wish.start) if tentative else None
    named = _named(wish.cells)
    capacity = {thing: agenda.capacity for agenda in wish.agendas for thing in agenda.things}
    taken = "busy-tentative" if tentative else "busy"
    return tuple(
        Hold(thing, wish.start, wish.end, taken, until, named.get(thing, ""), capacity.get(thing, 1))
        for thing in wish.things + wish.company
    )


def _named(cells: Iterable[tuple[Agenda, Cell]]) -> dict[str, str]:
    """For each thing, the ids of the slots named on its agenda, between spaces."""
    named: dict[str, list[str]] = {}
    for agenda, cell in cells:
        for thing in agenda.things:
            named.setdefault(thing, []).append(cell.id)
    return {thing: " ".join(ids) for thing, ids in named.items()}

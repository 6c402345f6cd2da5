"""The first free slots of very many agendas: those that may open first are read first, the others not at all (docs/decisions/0012).

GAP-CDI-03, §11.2. The store keeps of each agenda the earliest hour of each day of the week (`scheduling/doors.py`), written with the
agenda itself. What is read is computed as by any other search, and the page is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from creneau.flows import walking
from creneau.flows.agendas import held_of
from creneau.flows.linking import OPENS
from creneau.flows.ordered import by_start
from creneau.flows.timetable import Shown, too_many
from creneau.flows.walking import WALKED, Look
from creneau.scheduling.doors import first_start
from creneau.scheduling.intervals import Interval
from creneau.search.rows import Period
from creneau.store.contract import DAY

MANY = 64
"""Agendas from which on this costs less than reading them all."""
BATCH = 32
"""Agendas read at first; twice as many each time the page is not full."""

Place = tuple[int, str]
"""An instant and an agenda: the first slot of the agenda comes after it, in the order of start and id."""


async def page(look: Look, versions: Mapping[str, int], size: int, last: Place | None) -> list[Shown]:
    """The first `size` free slots after `last` (the start and id of a slot) of these agendas, by id and version.

    TooCostly when too many days of agendas are looked at without filling the page.
    """
    low, high = look.window
    window = Interval(low if last is None else max(low, last[0]), high)
    rows = await look.world.store.dated("Schedule", list(versions), OPENS)
    order = sorted(_places(versions, rows, window, last))
    found: list[Shown] = []
    at, count, walked = 0, BATCH, 0
    while at < len(order):
        some = order[at : at + count]
        at, count = at + len(some), count * 2
        held = await held_of(look.world, {id: versions[id] for _, id in some})
        part = replace(look, agendas=[one for one in held if one.agenda.active], window=window)
        part.agendas = walking.useful(part)
        found = sorted(found + await walking.first(part, size, last), key=by_start)[:size]
        if len(found) == size:
            if at < len(order) and by_start(found[-1]) < order[at]:
                break
            window = Interval(window.start, found[-1].cell.start + 1)
        walked += len(some) * ((window.end - window.start) // DAY + 1)
        if walked > WALKED and at < len(order):
            raise too_many()
    return found


def _places(
    versions: Mapping[str, int], rows: Mapping[str, Period], window: Interval, last: Place | None
) -> Iterator[Place]:
    """For each agenda that may have a slot in the window, where its first one is at the earliest."""
    for id in versions:
        row, bound = rows.get(id), window.start
        if row is not None:
            earliest = first_start(row.lo, ZoneInfo(row.param.removeprefix(OPENS)), window.start)
            if earliest is None:
                continue
            bound = earliest
        if last is not None and bound == last[0] and f"{id}.~" < last[1]:
            bound += 1  # its slots of that instant came on an earlier page
        if bound < window.end:
            yield bound, id

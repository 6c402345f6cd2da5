"""Openings and closures of an agenda, unfolded into the stretches of time where it is open.

GAP §9 (GAP-DIS-01 to 20), RFC 7953. Outside declared availability the agenda is closed (GAP-DIS-03). Where several rules speak of one
instant the highest priority decides (1 highest ... 9, then 0 or absent); at equal priority closures win over openings, then the
earlier start, then the order in the Schedule (GAP-DIS-19).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from heapq import heappop, heappush
from itertools import islice
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from creneau.problems import Issue, TooCostly, refusal
from creneau.scheduling import civil
from creneau.scheduling.civil import DAY, HOUR
from creneau.scheduling.intervals import Interval
from creneau.scheduling.opening import Opening
from creneau.scheduling.recurrence import unfolded

ALWAYS: Final = Interval(civil.EARLIEST, civil.LATEST)
RANGES_LIMIT: Final = 50_000
SHIFT: Final = 4 * HOUR
"""More than a clock was ever set back at once since 1970: an occurrence lasts at most that longer than on the clock."""
LOWEST: Final = 10
KEPT_DAYS: Final = 8
"""Stretches of windows that touch at most so many days are kept: most searches ask for the same few days."""

TOO_MANY_RANGES = refusal(
    "too-many-ranges",
    "too-costly",
    "Sur cette période, les plages de l'agenda se déplient en plus de {limit} intervalles ; réduisez la période.",
    "Over this period the agenda's ranges unfold into more than {limit} intervals; ask for a shorter period.",
)
"""GAP-REC-10, GAP-RET-E18."""


class Spell(NamedTuple):
    """Time [start, end), open or not; `rule` is the index of the opening that decided, None where none speaks."""

    start: int
    end: int
    open: bool
    rule: int | None


def intervals(
    openings: Sequence[Opening], zone: ZoneInfo, horizon: Interval, window: Interval
) -> list[Spell]:
    """The whole window, in order, as open and closed spells, each with the rule that decided.

    Outside the horizon it is closed. TooCostly when the rules unfold into too many intervals there.
    """
    found: list[Spell] = []
    at = window.start
    for spell in _decide(_gather(openings, zone, _look(zone, horizon, window))):
        start, end = max(spell.start, window.start), min(spell.end, window.end)
        if start >= end:
            continue
        if at < start:
            found.append(Spell(at, start, False, None))
        found.append(Spell(start, end, spell.open, spell.rule))
        at = end
    return [*found, Spell(at, window.end, False, None)] if at < window.end else found


def stretches(
    openings: tuple[Opening, ...], zone: ZoneInfo, horizon: Interval, window: Interval
) -> list[Interval]:
    """The open stretches, not cut at the window, that overlap it: from the start of each is laid a grid of cells.

    A stretch is what one occurrence of an opening decides without interruption; a closure ends it and another begins after. An
    occurrence longer than a day on the clock is cut at each midnight, so that where a stretch begins depends on nothing far away.
    """
    look = _look(zone, horizon, window)
    if look.end <= look.start:
        return []
    of_days = _kept_stretches if look.last - look.first < KEPT_DAYS else _stretches
    found = of_days(openings, zone, horizon, look.first, look.last)
    return [one for one in found if one.start < window.end and window.start < one.end]


def _stretches(
    openings: tuple[Opening, ...], zone: ZoneInfo, horizon: Interval, first: int, last: int
) -> tuple[Interval, ...]:
    """The stretches that overlap whole local days, `last` included."""
    days = Interval(civil.instant(first * DAY, zone), civil.instant((last + 1) * DAY, zone))
    claims = _gather(openings, zone, _look(zone, horizon, days), cut=True)
    opens = [one for one in claims if one.rank % 2]
    if not opens:
        return ()
    reach = Interval(min(one.start for one in opens), max(one.end for one in opens))
    if reach.start < days.start or days.end < reach.end:
        # What speaks out there decides where these stretches begin.
        wider = Interval(min(reach.start, days.start), max(reach.end, days.end))
        claims = _gather(openings, zone, _look(zone, horizon, wider), cut=True)
    found = (Interval(one.start, one.end) for one in _decide(claims) if one.open)
    return tuple(one for one in found if one.start < days.end and days.start < one.end)


_kept_stretches: Final = lru_cache(maxsize=4096)(_stretches)


class _Look(NamedTuple):
    """The part of the horizon that is looked at, [start, end), and the local days it touches, `last` included."""

    start: int
    end: int
    first: int
    last: int
    horizon: Interval


def _look(zone: ZoneInfo, horizon: Interval, window: Interval) -> _Look:
    start, end = max(horizon.start, window.start), min(horizon.end, window.end)
    first, last = civil.moment(start, zone).local, civil.moment(end, zone).local
    return _Look(start, end, first // DAY, (last - 1) // DAY, horizon)


class _Claim(NamedTuple):
    """What one occurrence of an opening says about [start, end). The lowest (rank, begun, rule) decides; odd ranks are open."""

    rank: int
    begun: int
    rule: int
    start: int
    end: int


def _gather(openings: Sequence[Opening], zone: ZoneInfo, look: _Look, cut: bool = False) -> list[_Claim]:
    """What all occurrences that overlap the window say; with `cut`, those open longer than a day are cut at midnights."""
    found: list[_Claim] = []
    if look.end <= look.start:
        return found
    for opening in openings:
        claims = _claims(opening, zone, look)
        if cut and opening.kind == "free" and opening.shape.length > DAY:
            claims = (piece for claim in claims for piece in _by_day(claim, zone, look))
        found += islice(claims, RANGES_LIMIT + 1 - len(found))
        if len(found) > RANGES_LIMIT:
            raise TooCostly(Issue(TOO_MANY_RANGES, values={"limit": RANGES_LIMIT}))
    return found


def _claims(opening: Opening, zone: ZoneInfo, look: _Look) -> Iterator[_Claim]:
    """The occurrences that overlap the window, cut at the horizon."""
    level = opening.priority if 1 <= opening.priority < LOWEST else LOWEST
    rank = 2 * level + (opening.kind == "free")
    earliest, latest = look.horizon
    for start, end in _unfold(opening, zone, look):
        if start < look.end and look.start < end and start < end:
            begun = max(start, earliest)
            yield _Claim(rank, begun, opening.index, begun, min(end, latest))


def _unfold(opening: Opening, zone: ZoneInfo, look: _Look) -> Iterator[tuple[int, int]]:
    """The occurrences that may overlap the window, as instants."""
    shape = opening.shape
    if shape.rule is None:
        yield opening.start.instant, opening.end.instant
        return
    earlier = (shape.length + SHIFT - 1) // DAY + 1
    for local, instant in unfolded(shape.rule, zone, look.first - earlier, look.last):
        end = civil.instant(local + shape.length, zone)
        if shape.within is not None:
            yield max(instant, shape.within.start), min(end, shape.within.end)
        elif local == opening.start.local:
            yield opening.start.instant, opening.end.instant
        else:
            yield instant, end


def _by_day(claim: _Claim, zone: ZoneInfo, look: _Look) -> Iterator[_Claim]:
    day = civil.moment(max(claim.start, look.start), zone).local // DAY
    start = max(claim.start, civil.instant(day * DAY, zone))
    while start < min(claim.end, look.end):
        day += 1
        end = min(claim.end, civil.instant(day * DAY, zone))
        if start < end:  # Samoa had no 30 December 2011
            yield claim._replace(begun=start, start=start, end=end)
        start = end


def _decide(claims: list[_Claim]) -> Iterator[Spell]:
    """Sweep over the claims: who decides between two instants where a claim begins or ends. Nothing where nobody claims."""
    waiting = sorted(claims, key=lambda one: one.start)
    speaking: list[_Claim] = []
    last: tuple[_Claim, int, int] | None = None
    at, i = 0, 0
    while i < len(waiting) or speaking:
        at = at if speaking else waiting[i].start
        while i < len(waiting) and waiting[i].start <= at:
            heappush(speaking, waiting[i])
            i += 1
        first = speaking[0]
        end = first.end if i == len(waiting) else min(first.end, waiting[i].start)
        if last and last[0] is first and last[2] == at:
            last = (first, last[1], end)
        else:
            if last:
                yield _spell(*last)
            last = (first, at, end)
        at = end
        while speaking and speaking[0].end <= at:
            heappop(speaking)
    if last:
        yield _spell(*last)


def _spell(claim: _Claim, start: int, end: int) -> Spell:
    return Spell(start, end, claim.rank % 2 == 1, claim.rule)

"""An opening or closure of an agenda, and how its start and end are understood.

GAP-OBJ-PLD, GAP-REC-01 to 10. Two readings of a recurrent range (GAP-REC-04). `occurrence`: start and end are those of the first
occurrence, the rule repeats it. `envelope`: they delimit the validity, the rule says which days are open and byHour which hours.

It is an envelope when the occurrences would overlap themselves: when `end - start`, on the clock, exceeds the smallest time between two
starts of the rule in the five years from start, COUNT and UNTIL left aside. An occurrence keeps its length on the clock: open from 8
to 19 it closes at 19 on every day. UNTIL bounds starts in both readings.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain, islice, pairwise
from typing import Final, Literal

from creneau.scheduling import civil
from creneau.scheduling.civil import DAY, HOUR, Moment
from creneau.scheduling.intervals import Interval
from creneau.scheduling.recurrence import STARTS_A_DAY, Expansion, Recurrence, expansion, starts

Reading = Literal["single", "occurrence", "envelope"]

GAP_DAYS: Final = 5 * 366


@dataclass(frozen=True, slots=True)
class Shape:
    """How an opening unfolds: every start of `rule` lasts `length` on the clock; an envelope is bounded by `within`."""

    reading: Reading
    length: int
    rule: Expansion | None = None
    within: Interval | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """An availabilityTime: time declared open ("free") or closed ("closed").

    `end` is excluded. `priority` as in RFC 7953; `index` is its place among the Schedule's extensions, by which an explanation names
    it. Making one raises Invalid or TooCostly when its recurrence is not unfolded here. Compared by identity.
    """

    kind: Literal["free", "closed"]
    start: Moment
    end: Moment
    recurrence: Recurrence | None = None
    priority: int = 0
    identifiers: tuple[str, ...] = ()
    reason: str = ""
    index: int = 0
    shape: Shape = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "shape", _shape(self)
        )  # frozen: what follows from the fields is worked out once


def reading(opening: Opening) -> Reading:
    """How start and end are understood (GAP-REC-04): "single" without recurrence, else "occurrence" or "envelope"."""
    return opening.shape.reading


def _shape(opening: Opening) -> Shape:
    length = opening.end.local - opening.start.local
    if opening.recurrence is None:
        return Shape("single", length)
    rule = expansion(opening.start.local, _without_hours_of(opening, opening.recurrence))
    if _overlap_themselves(length, rule):
        return _envelope(opening, opening.recurrence)
    return Shape("occurrence", length, rule)


def _without_hours_of(opening: Opening, rule: Recurrence) -> Recurrence:
    """byHour that only repeats the hours of start and end says nothing (GAP-REC-06); 24 is midnight at the end of a day."""
    if not rule.by_hour:
        return rule
    start, end = opening.start.local % DAY // HOUR, opening.end.local % DAY // HOUR
    hours = {hour % 24 for hour in rule.by_hour}
    return replace(rule, by_hour=() if hours == {start, end} else tuple(sorted(hours)))


def _overlap_themselves(length: int, ready: Expansion) -> bool:
    """Whether occurrences of that length would."""
    if length <= DAY and len(ready.times) == 1 and ready.rule.freq != "HOURLY":
        return False  # at most one start a day, each at the same time: nothing to unfold
    first = ready.start // DAY
    endless = replace(ready, last=civil.LATEST)
    days = chain.from_iterable(starts(endless, first + day, first + day + 6) for day in range(0, GAP_DAYS, 7))
    return any(after - before < length for before, after in pairwise(islice(days, 8 * STARTS_A_DAY)))


def _envelope(opening: Opening, rule: Recurrence) -> Shape:
    """The days of the rule, on each the same hours, within start and end (GAP-REC-05). An hourly rule opens every day."""
    opens, closes = _hours(opening, rule)
    days = replace(rule, by_hour=(), by_minute=(), by_second=())
    if rule.freq == "HOURLY":
        days = replace(days, freq="DAILY", interval=1)
    midnight = opening.start.local // DAY * DAY
    within = Interval(opening.start.instant, opening.end.instant)
    return Shape("envelope", closes - opens, expansion(midnight + opens, days), within)


def _hours(opening: Opening, rule: Recurrence) -> tuple[int, int]:
    """The two hours of byHour, else the times of start and end when they follow each other, else the whole day."""
    hours = sorted(set(rule.by_hour))
    if len(hours) == 2:
        return hours[0] * HOUR, hours[1] * HOUR
    opens, closes = opening.start.local % DAY, opening.end.local % DAY
    return (opens, closes) if opens < closes else (0, DAY)

"""availabilityTime.rrule: from its extension to the rule's `Recurrence`, tolerant of what the field writes, with every finding.

FR Core `fr-core-schedule-availability-time`; GAP-OBJ-PLD-05 to 11, GAP-REC-05 to 08, C-18, C-19, C-58. The list of a part may be written
as repetitions or with commas in one text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from creneau.fhir import instant
from creneau.problems import Issue, Refusal, refusal
from creneau.profiles.extension import Part, first, grouped
from creneau.scheduling.recurrence import COUNT_LIMIT, FREQUENCIES, STARTS_A_DAY, Recurrence, excesses

FREQUENCY = refusal(
    "recurrence-frequency",
    "value",
    "rrule.freq est HOURLY, DAILY, WEEKLY, MONTHLY ou YEARLY.",
    "rrule.freq is HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY.",
)
WEEKDAY = refusal(
    "recurrence-weekday",
    "value",
    "Un jour de la semaine s'écrit MO à SU (avec un rang, comme 1MO ou -1FR), mon à sun, ou 1 (lundi) à 7.",
    "A weekday is written MO to SU (with an ordinal, such as 1MO or -1FR), mon to sun, or 1 (Monday) to 7.",
)
NUMBER = refusal(
    "recurrence-number",
    "value",
    "{part} attend des nombres entiers de {least} à {most}.",
    "{part} takes whole numbers from {least} to {most}.",
)
UNTIL = refusal(
    "recurrence-until",
    "value",
    "rrule.until est une date ou une date et heure.",
    "rrule.until is a date, or a date and time.",
)
ZERO = refusal(
    "recurrence-zero",
    "value",
    "{part} contient 0, que son type (positiveInt) ne permet pas ; il est compris, mais laissez plutôt start le dire.",
    "{part} holds 0, which its type (positiveInt) does not allow; it is understood, but better left for start to say.",
)
MIDNIGHT = refusal(
    "recurrence-hour-24",
    "value",
    "byHour ne prend 24 que comme heure de fin, après une heure de début.",
    "byHour takes 24 only as a closing hour, after an opening hour.",
)

_DAYS: Final = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_DAYS_OF_WEEK: Final = {"MON": 0, "TUE": 1, "WED": 2, "THU": 3, "FRI": 4, "SAT": 5, "SUN": 6}
T = TypeVar("T")

_BY_DAY: Final = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


class _Bound(NamedTuple):
    """What numbers a part takes; 0 is never meant where negatives are."""

    least: int
    most: int

    def holds(self, number: int) -> bool:
        return self.least <= number <= self.most and (number != 0 or self.least == 0)


_BOUNDS: Final = {
    "interval": _Bound(1, 10_000),
    "count": _Bound(1, 1_000_000_000),
    "byMonthDay": _Bound(-31, 31),
    "byYearDay": _Bound(-366, 366),
    "byWeekNo": _Bound(-53, 53),
    "byMonth": _Bound(1, 12),
    "byHour": _Bound(0, 24),
    "byMinute": _Bound(0, 59),
    "bySecond": _Bound(0, 59),
}


def read(rrule: Part, zone: ZoneInfo, issues: list[Issue]) -> Recurrence | None:
    """The rule, None when it cannot be read; findings are added to `issues`. `zone` says when a bare date `until` ends."""
    found = grouped(rrule.at, rrule.json)
    before = len(issues)
    numbers = {part: _numbers(part, found[part], issues) for part in _BOUNDS if part in found}
    rule = Recurrence(
        freq=_frequency(rrule, first(found, "freq"), issues),
        interval=next(iter(numbers.get("interval", ())), 1),
        count=next(iter(numbers.get("count", ())), None),
        until=_until(first(found, "until"), zone, issues),
        by_day=tuple(_all(found.get("byDay", ()), _by_day, issues)),
        by_month_day=numbers.get("byMonthDay", ()),
        by_year_day=numbers.get("byYearDay", ()),
        by_week_no=numbers.get("byWeekNo", ()),
        by_month=numbers.get("byMonth", ()),
        by_hour=numbers.get("byHour", ()),
        by_minute=numbers.get("byMinute", ()),
        by_second=numbers.get("bySecond", ()),
        wkst=next((day for _, day in _all(found.get("wkst", ()), _by_day, issues)), 0),
    )
    issues += _remarks(rrule, rule, found)
    return None if any(issue.severity == "error" for issue in issues[before:]) else rule


def _remarks(rrule: Part, rule: Recurrence, found: Mapping[str, list[Part]]) -> Iterator[Issue]:
    for why in excesses(rule):
        yield Issue(why, rrule.at, values={"a_day": STARTS_A_DAY, "count": COUNT_LIMIT})
    for part, numbers in (
        ("byHour", rule.by_hour),
        ("byMinute", rule.by_minute),
        ("bySecond", rule.by_second),
    ):
        if 0 in numbers:
            yield Issue(ZERO, found[part][0].at_value, "warning", {"part": part})
    if 24 in rule.by_hour and len(set(rule.by_hour)) != 2:
        yield Issue(MIDNIGHT, found["byHour"][0].at_value)


def _frequency(rrule: Part, part: Part | None, issues: list[Issue]) -> str:
    coding = part.value if part else None
    code = coding.get("code") if isinstance(coding, Mapping) else coding
    known = code.upper() if isinstance(code, str) else ""
    if known in FREQUENCIES:
        return known
    issues.append(Issue(FREQUENCY, part.at_value if part else rrule.at))
    return "DAILY"


def _until(part: Part | None, zone: ZoneInfo, issues: list[Issue]) -> int | None:
    """The last instant, inclusive: the end of the second given, or of the whole day of a bare date in the zone."""
    if part is None:
        return None
    try:
        return instant.parse(part.text, zone)[1] - 1
    except ValueError:
        issues.append(Issue(UNTIL, part.at_value))
        return None


def _numbers(name: str, given: Iterable[Part], issues: list[Issue]) -> tuple[int, ...]:
    bound = _BOUNDS[name]

    def number(text: str) -> int | None:
        try:
            read = int(text)
        except ValueError:
            return None
        return read if bound.holds(read) else None

    values = {"part": name, "least": bound.least, "most": bound.most}
    return tuple(_all(given, number, issues, NUMBER, values))


@lru_cache(maxsize=4096)
def _by_day(text: str) -> tuple[int, int] | None:
    text = text.upper()
    if text in _DAYS_OF_WEEK:
        return 0, _DAYS_OF_WEEK[text]
    if text in ("1", "2", "3", "4", "5", "6", "7"):
        return 0, int(text) - 1
    found = _BY_DAY.fullmatch(text)
    if found is None or not -53 <= int(found[1] or 1) <= 53 or int(found[1] or 1) == 0:
        return None
    return int(found[1] or 0), _DAYS[found[2]]


def _all(
    given: Iterable[Part],
    read: Callable[[str], T | None],
    issues: list[Issue],
    why: Refusal = WEEKDAY,
    values: Mapping[str, object] = MappingProxyType({}),
) -> Iterator[T]:
    """What each written value reads as; one finding for each part that holds one that cannot be read."""
    for part in given:
        read_ones = [read(text.strip()) for text in str(part.value).split(",")]
        if None in read_ones:
            issues.append(Issue(why, part.at_value, values=values))
        yield from (one for one in read_ones if one is not None)

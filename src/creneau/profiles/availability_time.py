"""The extension availabilityTime of a Schedule: from its JSON to an `Opening`, with every finding.

https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-schedule-availability-time; GAP §6.7, §9, C-16 to C-21, C-53. Times are kept to
the second. A bare date as `end` includes its day; an `end` written hh:mm:59 means the end of that minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from creneau.fhir import instant
from creneau.problems import Issue, refusal
from creneau.profiles import rrule
from creneau.profiles.extension import Json, Part, first, grouped
from creneau.scheduling import civil
from creneau.scheduling.civil import Moment
from creneau.scheduling.intervals import Interval, overlaps
from creneau.scheduling.opening import Opening, reading

URLS: Final = frozenset(
    {
        "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-schedule-availability-time",
        "http://interopsante.org/fhir/StructureDefinition/FrScheduleAvailabilityTime",
    }
)

NO_TIME = refusal(
    "availability-time",
    "value",
    "availabilityTime a un start et un end, qui sont des dates ou des dates et heures.",
    "availabilityTime has a start and an end, which are dates or dates and times.",
)
BACKWARDS = refusal(
    "availability-end-not-after-start",
    "business-rule",
    "La fin de la plage (end) doit suivre son début (start).",
    "The end of the range must come after its start.",
)
KIND = refusal(
    "availability-type",
    "value",
    "Le type de la plage n'est ni free ni busy-unavailable ; elle est comprise comme une indisponibilité.",
    "The type of the range is neither free nor busy-unavailable; it is understood as an unavailability.",
)
OUTSIDE = refusal(
    "availability-outside-horizon",
    "business-rule",
    "Cette plage est en dehors de planningHorizon : elle n'ouvre aucun créneau.",
    "This range is outside planningHorizon: it opens no slot.",
)
AS_OCCURRENCE = refusal(
    "recurrence-as-occurrence",
    "informational",
    "start et end sont compris comme la première occurrence, que rrule répète.",
    "start and end are understood as the first occurrence, which rrule repeats.",
)
AS_ENVELOPE = refusal(
    "recurrence-as-envelope",
    "informational",
    "start et end sont compris comme la période de validité ; rrule dit les jours et les heures.",
    "start and end are understood as the period of validity; rrule says the days and hours.",
)
OFFSET = refusal(
    "availability-offset",
    "business-rule",
    "Le décalage horaire de start n'est pas celui du fuseau de l'agenda, où la récurrence se déplie ; "
    "l'extension timezone de Schedule permet de dire le fuseau.",
    "The offset of start is not that of the agenda's time zone, in which the recurrence unfolds; "
    "the timezone extension of Schedule can say the zone.",
)
SECOND: Final = 1_000_000
_OFFSET: Final = re.compile(r".*T.*[+-][0-9]{2}:[0-9]{2}").fullmatch


class Setting(NamedTuple):
    """The Schedule around the range: its zone, its horizon."""

    zone: ZoneInfo
    horizon: Interval


def read(
    range: Part, index: int, setting: Setting, issues: list[Issue], *, remarks: bool = True
) -> Opening | None:
    """The opening or closure, None when it cannot be read; findings are added to `issues`. `index`: its place in the extensions.

    Without `remarks` the findings of a range that can be read are left out: an agenda is read thousands of times, and written once.
    """
    found = grouped(range.at, range.json)
    before = len(issues)
    times = _times(range, found, setting.zone, issues)
    rule = first(found, "rrule")
    recurrence = rrule.read(rule, setting.zone, issues) if rule else None
    kind = _kind(first(found, "type"), issues)
    if times is None or any(issue.severity == "error" for issue in issues[before:]):
        return None
    opening = Opening(
        kind,
        *times,
        recurrence,
        priority=_priority(first(found, "priority")),
        identifiers=tuple(identifier for identifier, _ in identifiers(found)),
        reason=_reason(first(found, "unavailabilityReason")),
        index=index,
    )
    if remarks:
        issues += _remarks(opening, range, found, setting)
    return opening


def identifiers(found: Mapping[str, list[Part]]) -> Iterator[tuple[str, Part]]:
    """The identifiers of a range as "system|value", each with its place (GAP-DIS-13)."""
    for part in found.get("identifier", ()):
        if isinstance(part.value, Mapping) and part.value.get("value"):
            yield f"{part.value.get('system', '')}|{part.value['value']}", part


def bound(text: str, zone: ZoneInfo, closing: bool) -> int:
    """The instant, to the second, at which a period written in FHIR begins or (closing) ends; ValueError when it is no dateTime."""
    start, end = instant.parse(text, zone)
    inclusive = closing and ("T" not in text or text[17:19] == "59")
    us = end if inclusive else start
    return us - us % SECOND


def _times(
    range: Part, found: Mapping[str, list[Part]], zone: ZoneInfo, issues: list[Issue]
) -> tuple[Moment, Moment] | None:
    read_ones = []
    for name in ("start", "end"):
        part = first(found, name)
        try:
            read_ones.append(civil.moment(bound(part.text if part else "", zone, name == "end"), zone))
        except ValueError:
            issues.append(Issue(NO_TIME, part.at_value if part else range.at))
    if len(read_ones) < 2:
        return None
    start, end = read_ones
    if end.instant <= start.instant or ("rrule" in found and end.local <= start.local):
        issues.append(Issue(BACKWARDS, found["end"][0].at_value))
    return start, end


def _kind(part: Part | None, issues: list[Issue]) -> Literal["free", "closed"]:
    """Open unless it says otherwise (GAP-DIS-05); a type that is not known closes."""
    coding = part.value if part else None
    code = coding.get("code") if isinstance(coding, Mapping) else coding
    if part and code not in ("free", "busy-unavailable", None):
        issues.append(Issue(KIND, part.at_value, "warning"))
    return "free" if code in ("free", None) else "closed"


def _priority(part: Part | None) -> int:
    return part.value if part and isinstance(part.value, int) else 0


def _reason(part: Part | None) -> str:
    if part is None or not isinstance(part.value, Mapping):
        return ""
    coding: Json = next(iter(part.value.get("coding") or ()), {})
    return str(part.value.get("text") or coding.get("display") or coding.get("code") or "")


def _remarks(
    opening: Opening, range: Part, found: Mapping[str, list[Part]], setting: Setting
) -> Iterator[Issue]:
    if opening.recurrence:
        understood = AS_ENVELOPE if reading(opening) == "envelope" else AS_OCCURRENCE
        yield Issue(understood, found["rrule"][0].at, "information")
        if _elsewhere(found["start"][0].text, setting.zone):
            yield Issue(OFFSET, found["start"][0].at_value, "warning")
    if opening.kind == "free" and _outside(opening, setting.horizon):
        yield Issue(OUTSIDE, range.at, "warning")


def _elsewhere(text: str, zone: ZoneInfo) -> bool:
    """Whether the offset written, other than Z, is not the zone's then."""
    written = _OFFSET(text)
    if written is None or text.endswith("00:00"):
        return False
    moment = datetime.fromisoformat(text)
    return moment.utcoffset() != moment.astimezone(zone).utcoffset()


def _outside(opening: Opening, horizon: Interval) -> bool:
    """Whether it can open nothing (C-53)."""
    rule = opening.recurrence
    if rule is None or reading(opening) == "envelope":
        return not overlaps(Interval(opening.start.instant, opening.end.instant), horizon)
    ended = rule.until is not None and rule.until < horizon.start
    return ended or opening.start.instant >= horizon.end

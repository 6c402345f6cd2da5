"""A Schedule as the rules see it: its availability, its services and their durations, its zone, its horizon.

FrSchedule (`fr-core-schedule`, `gap-fr-schedule`), GAP §6.6, §8, §9.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from creneau.problems import Issue, refusal
from creneau.profiles import availability_time
from creneau.profiles.availability_time import Setting, bound, identifiers
from creneau.profiles.extension import Json, Part, first, grouped, parts
from creneau.scheduling.availability import ALWAYS
from creneau.scheduling.intervals import Interval
from creneau.scheduling.opening import Opening
from creneau.scheduling.slots import Agenda, Service

SERVICE_DURATION: Final = frozenset(
    {
        "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-service-type-duration",
        "http://interopsante.org/fhir/StructureDefinition/FrServiceTypeDuration",
    }
)
TIMEZONE: Final = "http://hl7.org/fhir/StructureDefinition/timezone"
PARIS: Final = ZoneInfo("Europe/Paris")

SECOND: Final = 1_000_000
SHORTEST: Final = 60 * SECOND
LONGEST: Final = 366 * 86_400 * SECOND
UNITS: Final = {
    "s": 1,
    "min": 60,
    "h": 3600,
    "d": 86_400,
    "minute": 60,
    "minutes": 60,
    "mn": 60,
    "hour": 3600,
    "heure": 3600,
    "heures": 3600,
    "jour": 86_400,
    "day": 86_400,
}
"""Seconds of the UCUM units of time, and of the words of `unit` when there is no code."""

TWICE = refusal(
    "availability-identifier-twice",
    "duplicate",
    "Deux plages de l'agenda portent le même identifiant ; il ne désignerait plus une seule plage.",
    "Two ranges of the agenda carry the same identifier; it would no longer name a single range.",
)
ZONE = refusal(
    "agenda-time-zone",
    "value",
    "L'extension timezone attend un fuseau de la base IANA, comme Europe/Paris ou Indian/Reunion.",
    "The timezone extension takes a zone of the IANA database, such as Europe/Paris or Indian/Reunion.",
)
DURATION = refusal(
    "service-duration",
    "value",
    "La durée d'un type de prestation va d'une minute à 366 jours, en unités UCUM s, min, h ou d.",
    "The duration of a service type is from one minute to 366 days, in the UCUM units s, min, h or d.",
)


def agenda(
    schedule: Json,
    *,
    zone_default: ZoneInfo,
    default_duration: int,
    actor_durations: Mapping[str, int],
    things: tuple[str, ...],
) -> Agenda:
    """The agenda of a Schedule that has an id; what `findings` calls errors is left out.

    Durations in microseconds: the service's own, else the actor's for that service, else the default; without any service there is
    one, of key "" and the default duration. `things`: what is taken with it, "Type/id".
    """
    setting = _setting(schedule, zone_default)
    services: dict[str, int] = {}
    for key, duration in _services(schedule, []):
        services.setdefault(key, duration or actor_durations.get(key) or default_duration)
    return Agenda(
        id=str(schedule["id"]),
        things=things,
        services=tuple(Service(*one) for one in services.items()) or (Service("", default_duration),),
        openings=tuple(_openings(schedule, setting, [], remarks=False)),
        zone=setting.zone,
        horizon=setting.horizon,
        active=schedule.get("active") is not False,
    )


def findings(schedule: Json, zone_default: ZoneInfo = PARIS) -> list[Issue]:
    """What the profile cannot say of a Schedule: errors, warnings, and how each recurrence is understood (GAP-REC-04)."""
    issues: list[Issue] = []
    zone = first(grouped("Schedule", schedule), TIMEZONE)
    if zone and time_zone(zone.text) is None:
        issues.append(Issue(ZONE, zone.at_value))
    list(_openings(schedule, _setting(schedule, zone_default), issues))
    list(_services(schedule, issues))
    return issues + list(_twice(schedule))


def durations(resource: Json) -> dict[str, int]:
    """Service key -> duration in microseconds of the actor (PractitionerRole, HealthcareService) or Schedule (GAP-DIS-16, 17)."""
    return {key: duration for key, duration in _services(resource, []) if duration}


def service_key(concept: Json) -> str:
    """The key of a service type: "system|code" of its first coding that has a code, else "text:" and its words folded, else ""."""
    for coding in concept.get("coding") or ():
        if coding.get("code"):
            return f"{coding.get('system', '')}|{coding['code']}"
    if text := str(concept.get("text") or ""):
        bare = "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))
        return "text:" + " ".join(bare.casefold().split())
    return ""


def service_type(schedule: Json, key: str) -> Json | None:
    """The CodeableConcept that the Schedule gives for the service of that key, None without."""
    for one in schedule.get("extension") or ():
        if one.get("url", "").partition("|")[0] in SERVICE_DURATION:
            for part in one.get("extension") or ():
                concept: Json | None = part.get("valueCodeableConcept")
                if concept and service_key(concept) == key:
                    return concept
    return None


def zone_of(schedule: Json, zone_default: ZoneInfo) -> ZoneInfo:
    """The zone of the agenda: its timezone extension, else the default (GAP-DIS-20, DEC-10)."""
    part = first(grouped("Schedule", schedule), TIMEZONE)
    return (time_zone(part.text) if part else None) or zone_default


def time_zone(name: str) -> ZoneInfo | None:
    """The zone of that name, None when there is none."""
    return _time_zone(name) if len(name) <= 64 else None


@lru_cache(maxsize=1024)
def _time_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # the zone's name is looked for as a file
        return None


def _setting(schedule: Json, zone_default: ZoneInfo) -> Setting:
    zone = zone_of(schedule, zone_default)
    period = schedule.get("planningHorizon")
    period = period if isinstance(period, Mapping) else {}
    start, end = ALWAYS
    try:
        start = bound(period["start"], zone, closing=False) if "start" in period else start
        end = bound(period["end"], zone, closing=True) if "end" in period else end
    except (ValueError, TypeError):  # the validator says so; there is no horizon to keep to
        return Setting(zone, ALWAYS)
    return Setting(zone, Interval(start, end))


def _ranges(schedule: Json) -> Iterator[tuple[int, Part]]:
    for index, (url, part) in enumerate(parts("Schedule", schedule)):
        if url in availability_time.URLS:
            yield index, part


def _openings(
    schedule: Json, setting: Setting, issues: list[Issue], *, remarks: bool = True
) -> Iterator[Opening]:
    for index, part in _ranges(schedule):
        if opening := availability_time.read(part, index, setting, issues, remarks=remarks):
            yield opening


def _twice(schedule: Json) -> Iterator[Issue]:
    """An identifier names one range only (GAP-DIS-13)."""
    known: dict[str, int] = {}
    for index, part in _ranges(schedule):
        for identifier, place in identifiers(grouped(part.at, part.json)):
            if known.setdefault(identifier, index) != index:
                yield Issue(TWICE, place.at_value)


def _services(resource: Json, issues: list[Issue]) -> Iterator[tuple[str, int | None]]:
    """Key and duration in microseconds (None when absent or unreadable) of each serviceTypeDuration, in order."""
    for url, part in parts(str(resource.get("resourceType", "")), resource):
        if url in SERVICE_DURATION:
            found = grouped(part.at, part.json)
            concept, length = first(found, "serviceType"), first(found, "duration")
            duration = _microseconds(length.value) if length else None
            if length and duration is None:
                issues.append(Issue(DURATION, length.at_value))
            if concept and isinstance(concept.value, Mapping):
                yield service_key(concept.value), duration


def _microseconds(duration: Any) -> int | None:
    if not isinstance(duration, Mapping):
        return None
    unit = UNITS.get(str(duration.get("code") or duration.get("unit", "")).strip())
    try:
        value = Decimal(str(duration.get("value")))
        us = int(value * unit) * SECOND if unit and 0 < value <= LONGEST else 0
    except InvalidOperation:  # not a number
        return None
    return us if SHORTEST <= us <= LONGEST else None

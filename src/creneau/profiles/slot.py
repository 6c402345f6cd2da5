"""Slot: the JSON of a computed cell.

https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/gap-fr-slot; GAP §6.8, §10. Nothing in it is about a patient (GAP-CRN-13).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from creneau.fhir.instant import show_in
from creneau.profiles.agenda import service_type
from creneau.profiles.extension import Json
from creneau.scheduling.slots import Cell

PROFILES: Final = (
    "https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/gap-fr-slot",
    "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-slot",
)

_shown: Final = lru_cache(maxsize=16_384)(show_in)
"""Cells of many agendas start and end at the same instants."""


def slot(cell: Cell, schedule: Json, status: str, *, zone: ZoneInfo, system: str) -> dict[str, Any]:
    """The Slot of a cell of this Schedule, a new dict (GAP-CRN-04 to 08).

    `zone`: the agenda's, whose offset start and end are written with; `system`: that of the identifier, whose value is the id. The
    service type is that of the cell; specialty is the Schedule's.
    """
    id = cell.id
    found: dict[str, Any] = {
        "resourceType": "Slot",
        "id": id,
        "meta": {"profile": list(PROFILES)},
        "identifier": [{"system": system, "value": id}],
    }
    if cell.service and (concept := service_type(schedule, cell.service)):
        found["serviceType"] = [concept]
    if specialty := schedule.get("specialty"):
        found["specialty"] = specialty
    found["schedule"] = {"reference": f"Schedule/{cell.agenda}"}
    found["status"] = status
    found["start"] = _shown(cell.start, zone)
    found["end"] = _shown(cell.end, zone)
    return found

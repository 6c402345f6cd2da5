"""Slot: the JSON of a computed cell.

https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/gap-fr-slot; GAP §6.8, §10. Nothing in it is about a patient (GAP-CRN-13).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from creneau.fhir import json
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


class Mould(NamedTuple):
    """The bytes of the slots of one agenda, service and status: `head` id `middle` id `tail` start, end."""

    head: bytes
    middle: bytes
    tail: bytes
    zone: ZoneInfo

    def cast(self, id: str, start: int, end: int) -> bytes:
        """The JSON of the slot with this id and these times: byte for byte that of `slot`."""
        head, middle, tail, zone = self
        name = id.encode()
        # Joined in a third of the time that formatting takes.
        return b"".join(
            (head, name, middle, name, tail, _bytes(start, zone), b'","end":"', _bytes(end, zone), b'"}')
        )


@lru_cache(maxsize=16_384)
def _bytes(us: int, zone: ZoneInfo) -> bytes:
    return show_in(us, zone).encode()


def mould(cell: Cell, schedule: Json, status: str, *, zone: ZoneInfo, system: str) -> Mould:
    """What the slots of this cell's agenda, service and status have in common; arguments as those of `slot`.

    Ids, statuses and times hold no character that JSON escapes.
    """
    whole = slot(cell, schedule, status, zone=zone, system=system)
    rest = {name: whole[name] for name in ("serviceType", "specialty", "schedule", "status") if name in whole}
    return Mould(
        b'{"resourceType":"Slot","id":"',
        b'","meta":%b,"identifier":[{"system":%b,"value":"' % (_META, json.encode(system)),
        b'"}],' + json.encode(rest)[1:-1] + b',"start":"',
        zone,
    )


_META: Final = json.encode({"profile": list(PROFILES)})

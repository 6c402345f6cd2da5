"""Plans, puts and instants that the store tests are written with."""

from __future__ import annotations

from creneau.search.rows import NONE, Link, Rows, Token
from creneau.store.contract import Claim, Plan, Put, Take

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAWN = 1_780_000_000_000_000  # some morning of 2026
DOCTOR = "Practitioner/martin"
ROOM = "Location/salle-2"


def at(hour: int, minute: int = 0) -> int:
    """An instant of that day."""
    return DAWN + hour * HOUR + minute * MINUTE


def take(start: int, end: int, thing: str = DOCTOR, **more: object) -> Take:
    """Time of the doctor, unless another thing is named."""
    return Take(thing, start, end, **more)  # type: ignore[arg-type]  # keywords of Take, passed through


def body(type: str, id: str, version: int) -> bytes:
    """The bytes of a resource with what a store may look at."""
    return f'{{"resourceType":"{type}","id":"{id}","meta":{{"versionId":"{version}"}}}}'.encode()


def rows(id: str, *links: tuple[str, str, str]) -> Rows:
    """One token of its own, and links (parameter, type, id)."""
    return Rows(tokens=frozenset({Token("tag", "urn:t", id)}), links=frozenset(Link(*link) for link in links))


def put(type: str, id: str, version: int = 1, **more: object) -> Put:
    """A version of a resource, written in the minute of its number."""
    interaction = "create" if version == 1 else "update"
    fields: dict[str, object] = {
        "updated": DAWN + version * MINUTE,
        "interaction": interaction,
        "body": body(type, id, version),
    }
    return Put(type, id, version, **{**fields, **more})  # type: ignore[arg-type]  # fields of Put, passed through


def appointment(id: str, *takes: Take, version: int = 1, claims: tuple[str, ...] = (), **more: object) -> Put:
    """An appointment that takes this time and claims these identifiers."""
    held = frozenset(Claim("urn:rdv", value) for value in claims)
    return put("Appointment", id, version, takes=takes, claims=held, **more)


def schedule(id: str, *things: str, version: int = 1, **more: object) -> Put:
    """An agenda of these things."""
    return put("Schedule", id, version, owns=frozenset(things), **more)


def deletion(type: str, id: str, version: int, **more: object) -> Put:
    """A version that deletes the resource."""
    return put(type, id, version, **{"interaction": "delete", "body": b"", **more})


def plan(*puts: Put, now: int = DAWN, seen: tuple = ()) -> Plan:
    """What one flow decided."""
    return Plan(puts, now, seen)


__all__ = ["NONE"]

"""A small directory in which each criterion of GAP §11.2 separates one agenda from the others: two of every kind of actor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from tests.client import OK, Reply, Server
from tests.people import declare, duration, identifier, opening

PARIS = ZoneInfo("Europe/Paris")
DAY = "2031-01-06"
R38 = "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"
G15 = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
RPPS = "https://rpps.esante.gouv.fr"
FINESS = "https://finess.esante.gouv.fr"
INS = "urn:oid:1.2.250.1.213.1.4.10"
EDITOR = "https://editor.example/ids"
NAME_OF_PRACTICE = (
    "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-ext-practitionerrole-name"
)
KINDS = "https://editor.example/kinds"
STRICT = {"Prefer": "handling=strict"}

Json = dict[str, Any]
Places = set[tuple[str, str]]
"""Which slots were found: the name of the agenda, and the time of day."""


def concept(system: str, code: str, display: str = "") -> Json:
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]}


def ids(system: str, value: str) -> list[Json]:
    return [{"system": system, "value": value}]


def phone(value: str) -> list[Json]:
    return [{"system": "phone", "value": value}]


def mail(value: str) -> list[Json]:
    return [{"system": "email", "value": value}]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def address(line: str, code: str, city: str) -> Json:
    return {"line": [line], "postalCode": code, "city": city, "country": "FR"}


ACTORS: dict[str, Json] = {
    "group": {"resourceType": "Organization", "name": "Groupement hospitalier Rive gauche"},
    "hospital": {
        "resourceType": "Organization",
        "identifier": ids(FINESS, "960000001"),
        "name": "Hôpital Européen",
        "address": [address("20 rue Leblanc", "75908", "Paris Cedex 15")],
        "partOf": "group",
    },
    "clinic": {
        "resourceType": "Organization",
        "identifier": ids(FINESS, "960000002"),
        "name": "Clinique du Parc",
        "address": [address("155 boulevard de Stalingrad", "69006", "Lyon")],
    },
    "grenelle": {
        "resourceType": "Location",
        "name": "Cabinet de Grenelle",
        "address": address("12 rue de l'Élysée", "75015", "Paris"),
        "position": {"latitude": 48.8412, "longitude": 2.3003},
    },
    "part-dieu": {
        "resourceType": "Location",
        "name": "Cabinet de la Part-Dieu",
        "address": address("5 place Béraudier", "69003", "Lyon"),
        "position": {"latitude": 45.7606, "longitude": 4.8594},
    },
    "doctor": {
        "resourceType": "Practitioner",
        "identifier": ids(RPPS, "99900000101"),
        "name": [{"family": "D'Arcy-Lefèvre", "given": ["Éloïse"]}],
    },
    "doctor-role": {
        "resourceType": "PractitionerRole",
        "practitioner": "doctor",
        "organization": "hospital",
        "location": ["grenelle"],
        "code": [concept(G15, "10", "Médecin")],
        "specialty": [concept(R38, "SM54", "Médecine générale")],
        "telecom": phone("+33 1 40 00 00 01"),
    },
    "nurse": {
        "resourceType": "Practitioner",
        "identifier": ids(RPPS, "99900000102"),
        "name": [{"family": "Martin", "given": ["Zoé"]}],
        "qualification": [{"code": concept(G15, "60", "Infirmier")}, {"code": concept(R38, "SM04")}],
    },
    "nurse-role": {
        "resourceType": "PractitionerRole",
        "extension": [{"url": NAME_OF_PRACTICE, "valueHumanName": {"family": "Lemaître", "given": ["Zoé"]}}],
        "practitioner": "nurse",
        "organization": "clinic",
        "location": ["part-dieu"],
        "telecom": phone("04 72 00 00 02"),
    },
    "patient": {
        "resourceType": "Patient",
        "identifier": ids(INS, "190019900199042"),
        "name": [{"family": "Müller", "given": ["Amélie"]}],
    },
    "patient-2": {
        "resourceType": "Patient",
        "identifier": ids(INS, "290019900199099"),
        "name": [{"family": "Nguyen", "given": ["Thi"]}],
    },
    "guest": {"resourceType": "Patient", "identifier": ids(INS, "190019900199001")},
    "mother": {
        "resourceType": "RelatedPerson",
        "identifier": ids(EDITOR, "mother"),
        "patient": "patient",
        "name": [{"family": "Œuvrard", "given": ["Hélène"]}],
        "address": [address("3 quai de Bourbon", "33000", "Bordeaux")],
        "telecom": mail("helene@editor.example"),
    },
    "tutor": {
        "resourceType": "RelatedPerson",
        "identifier": ids(EDITOR, "tutor"),
        "patient": "patient-2",
        "name": [{"family": "Bernard", "given": ["Luc"]}],
        "address": [address("1 rue Nationale", "59000", "Lille")],
        "telecom": phone("0320000003"),
    },
    "room": {
        "resourceType": "Location",
        "identifier": ids(EDITOR, "room-3"),
        "name": "Salle d'échographie",
        "description": "Accessible en fauteuil roulant",
        "address": address("2 place Gutenberg", "67000", "Strasbourg"),
        "position": {"latitude": 48.5814, "longitude": 7.7477},
    },
    "box": {
        "resourceType": "Location",
        "identifier": ids(EDITOR, "box-7"),
        "name": "Box de consultation",
        "description": "Au sous-sol",
        "address": address("4 rue Crébillon", "44000", "Nantes"),
        "position": {"latitude": 47.2130, "longitude": -1.5610},
    },
    "mri": {
        "resourceType": "Device",
        "identifier": ids(EDITOR, "mri-1"),
        "type": concept(KINDS, "mri", "IRM 3 teslas"),
        "deviceName": [{"name": "Magnétom", "type": "user-friendly-name"}],
        "modelNumber": "MX-3000",
    },
    "echo": {
        "resourceType": "Device",
        "identifier": ids(EDITOR, "echo-1"),
        "type": concept(KINDS, "echo", "Échographe"),
        "deviceName": [{"name": "Sonoline", "type": "user-friendly-name"}],
        "modelNumber": "SL-20",
    },
    "cardiology": {
        "resourceType": "HealthcareService",
        "identifier": ids(EDITOR, "cardio"),
        "name": "Service de cardiologie",
        "type": [concept(KINDS, "cardio")],
        "telecom": phone("01 56 09 20 00"),
        "providedBy": "hospital",
    },
    "vaccination": {
        "resourceType": "HealthcareService",
        "identifier": ids(EDITOR, "vaccine"),
        "name": "Centre de vaccination",
        "type": [concept(KINDS, "vaccine")],
        "telecom": phone("04 78 88 88 88"),
        "providedBy": "clinic",
    },
    "busy": {"resourceType": "Practitioner", "name": [{"family": "Occupé"}]},
}
"""By name; references name another actor of the table."""

AGENDAS: dict[str, tuple[str, ...]] = {
    "doctor": ("doctor-role", "doctor"),
    "nurse": ("nurse-role", "nurse"),
    "patient": ("patient",),
    "patient-2": ("patient-2",),
    "mother": ("mother",),
    "tutor": ("tutor",),
    "room": ("room",),
    "box": ("box",),
    "mri": ("mri",),
    "echo": ("echo",),
    "cardiology": ("cardiology",),
    "vaccination": ("vaccination",),
    "busy": ("busy",),
}
"""Each is open on DAY from 9:00 to 9:30, in quarters of an hour; that of the busy one has them taken, and is closed from 10:00 to 11:00."""


@dataclass
class Directory:
    """What was declared: by name, the references of actors, of agendas ("agenda-…") and of appointments ("booked", "asked")."""

    server: Server
    known: dict[str, str] = field(default_factory=dict)

    def name(self, reference: str) -> str:
        return next(name for name, known in self.known.items() if known == reference)

    def slots(self, *criteria: str, **headers: str) -> Reply:
        return search(self.server, "Slot", self.written(criteria), **headers)

    def written(self, criteria: Iterable[str]) -> list[tuple[str, str]]:
        """The pairs of criteria, in which {name} stands for a reference."""
        values = {name.replace("-", "_"): known for name, known in self.known.items()}
        return [(left, right.format(**values)) for left, _, right in (one.partition("=") for one in criteria)]

    def found(self, reply: Reply) -> Places:
        """The slots of an answer."""
        assert reply.status == OK, reply.body
        return {
            (self.name(slot["schedule"]["reference"]).removeprefix("agenda-"), slot["start"][11:16])
            for slot in matches(reply)
        }


def matches(reply: Reply, mode: str = "match") -> list[Json]:
    return [one["resource"] for one in reply.json.get("entry", []) if one["search"]["mode"] == mode]


def search(server: Server, type: str, pairs: Iterable[tuple[str, str]], **headers: str) -> Reply:
    return server.get(f"/{type}?{urlencode(list(pairs))}", **headers)


def search_form(server: Server, type: str, pairs: Iterable[tuple[str, str]], **headers: str) -> Reply:
    """The same by POST _search."""
    form = urlencode(list(pairs)).encode()
    sent = {"Content_Type": "application/x-www-form-urlencoded", **headers}
    return server.call("POST", f"/{type}/_search", form, **sent)


def pages(server: Server, first: Reply) -> Iterator[Reply]:
    """An answer and all that its `next` links lead to."""
    reply: Reply | None = first
    while reply is not None:
        assert reply.status == OK, reply.body
        yield reply
        links = {one["relation"]: one["url"] for one in reply.json["link"]}
        reply = server.get(links["next"].removeprefix(server.base)) if "next" in links else None


def declared(server: Server) -> Directory:
    """The directory, declared by POST one by one."""
    made = Directory(server)
    for name, actor in ACTORS.items():
        made.known[name] = declare(server, {key: _linked(made, key, value) for key, value in actor.items()})
    for name, actors in AGENDAS.items():
        made.known[f"agenda-{name}"] = declare(server, agenda(name, [made.known[one] for one in actors]))
    made.known["booked"] = declare(server, taking(made, "booked", "09:00", "09:15"))
    made.known["asked"] = declare(server, taking(made, "proposed", "09:15", "09:30"))
    return made


LINKS = ("practitioner", "organization", "providedBy", "patient", "partOf")


def _linked(made: Directory, key: str, value: Any) -> Any:
    if key in LINKS:
        return {"reference": made.known[value]}
    if key == "location":
        return [{"reference": made.known[one]} for one in value]
    return value


def agenda(name: str, actors: list[str]) -> Json:
    rules = [opening(at(f"{DAY}T09:00"), at(f"{DAY}T09:30"))]
    if name == "busy":
        rules.append(opening(at(f"{DAY}T10:00"), at(f"{DAY}T11:00"), "busy-unavailable"))
    if name in ("doctor", "nurse"):
        rules.append(opening(at("2019-01-03T09:00"), at("2019-01-03T09:30")))
    return {
        "resourceType": "Schedule",
        "identifier": ids(EDITOR, f"agenda-{name}"),
        "active": True,
        "specialty": [concept(KINDS, f"specialty-{name}")],
        "extension": [*rules, duration(15, f"service-{name}")],
        "actor": [{"reference": one} for one in actors],
    }


def taking(made: Directory, status: str, start: str, end: str) -> Json:
    answer = "needs-action" if status == "proposed" else "accepted"
    return {
        "resourceType": "Appointment",
        "identifier": [identifier()],
        "status": status,
        "start": at(f"{DAY}T{start}").isoformat(),
        "end": at(f"{DAY}T{end}").isoformat(),
        "participant": [
            {"actor": {"reference": made.known["guest"]}, "required": "required", "status": "accepted"},
            {"actor": {"reference": made.known["busy"]}, "required": "required", "status": answer},
        ],
    }

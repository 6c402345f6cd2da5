"""Organization, Location, HealthcareService and Device of the demo (GAP-OBJ-EG, LIE, OI, EQ; FR Core 2.0.1)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from creneau.demo.codes import (
    EDITOR,
    FR_IDENTIFIER,
    LOCATION_IDENTIFIER,
    LOCATION_SHAPE,
    LOCATION_TYPE,
    ORGANIZATION_TYPE,
    SERVICE,
    SPECIALTY,
    Resource,
    claim,
    concept,
    duration_of_service,
    frc,
    kind_of_identifier,
    to,
)
from creneau.demo.numbers import finess, landline, rpps
from creneau.demo.places import CARE, CITIES, ROOMS, SCANNERS, SITE, SITES, City, Room, Scanner, Service, Site
from creneau.demo.staff import CRAFTS

GHT: Final = "org-ght-brume"
METRES_PER_DEGREE: Final = 111_320


def address(street: str, place: City) -> Resource:
    """An Address of FR Core, for work or home alike."""
    lines = {"line": [street], "city": place.name, "postalCode": place.postal_code, "country": "FR"}
    return {"type": "both", "text": f"{street}, {place.postal_code} {place.name}"} | lines


def telephone(number: str, use: str = "work") -> Resource:
    """A ContactPoint."""
    return {"system": "phone", "value": number, "use": use}


def email(value: str, use: str = "work") -> Resource:
    """A ContactPoint."""
    return {"system": "email", "value": value, "use": use}


def domain(site: str) -> str:
    """The Internet domain of a site, in the reserved .example."""
    return f"{site}.example"


def organizations() -> Iterator[Resource]:
    """The hospital group, then the organisation of each site."""
    yield _organization(GHT, "Groupement hospitalier de la Brume", "GHT", _establishment(10))
    for rank, site in enumerate(SITES, start=1):
        identifiers = _establishment(site.finess) if site.finess else practice(900 + rank)
        one = organization(rank, site, CITIES[site.city], identifiers)
        if site.part_of:
            one["partOf"] = to(f"Organization/{site.part_of}")
        yield one


def organization(rank: int, site: Site, place: City, identifiers: list[Resource]) -> Resource:
    """The organisation that runs a site."""
    one = _organization(site.organization, site.name, "GEOGRAPHICAL-ENTITY", identifiers)
    one["telecom"] = [telephone(landline(rank)), email(f"contact@{domain(site.key)}")]
    one["address"] = [address(site.street, place) | {"use": "work"}]
    return one


def _organization(id: str, name: str, type: str, identifiers: list[Resource]) -> Resource:
    return {
        "resourceType": "Organization",
        "id": id,
        "meta": claim(frc("fr-core-organization")),
        "identifier": identifiers,
        "active": True,
        "type": [concept(ORGANIZATION_TYPE, type)],
        "name": name,
    }


def _structure(number: str) -> Resource:
    """idNatSt: the kind of number, then the number (TRE_G07, GAP-OBJ-EG-01)."""
    kind = kind_of_identifier(FR_IDENTIFIER, "IDNST")
    return {"use": "official", "type": kind, "system": "urn:oid:1.2.250.1.71.4.2.2", "value": number}


def _establishment(rank: int) -> list[Resource]:
    number = finess(rank)
    kind = kind_of_identifier(FR_IDENTIFIER, "FINEG")
    return [
        _structure(f"1{number}"),
        {"type": kind, "system": "https://finess.esante.gouv.fr", "value": number},
    ]


def practice(rank: int) -> list[Resource]:
    """The numbers of a practice, made of the RPPS of rank `rank`."""
    number = rpps(rank) + "001"
    kind = kind_of_identifier(FR_IDENTIFIER, "INTRN")
    return [
        _structure(f"4{number}"),
        {"type": kind, "system": "https://rppsrang.esante.gouv.fr", "value": number},
    ]


def locations() -> Iterator[Resource]:
    """The sites, then the rooms; a room comes after the site it is part of."""
    yield from (_site(rank, site) for rank, site in enumerate(SITES, start=1))
    yield from map(_room, ROOMS)


def location(id: str, name: str, site: Site, place: City, shape: str) -> Resource:
    """A place at the address of a site, without its position; `shape` is a code of its physical type."""
    kind = kind_of_identifier(LOCATION_IDENTIFIER, "INTRN")
    return {
        "resourceType": "Location",
        "id": id,
        "meta": claim(frc("fr-core-location")),
        "identifier": [{"type": kind, "system": f"{EDITOR}/lieu", "value": id}],
        "status": "active",
        "name": name,
        "mode": "instance",
        "address": address(site.street, place) | {"use": "work"},
        "physicalType": concept(LOCATION_SHAPE, shape),
        "managingOrganization": to(f"Organization/{site.organization}", site.name),
    }


def _site(rank: int, site: Site) -> Resource:
    city = CITIES[site.city]
    one = location(f"lieu-{site.key}", site.name, site, city, "BTMNT")
    one["telecom"] = [telephone(landline(rank))]
    if site.how_to_reach:
        one["description"] = site.how_to_reach
    # Sites of one city stand some hundred metres apart, so that a search by distance has something to sort.
    apart = Decimal(rank * 150) / METRES_PER_DEGREE
    one["position"] = {
        "longitude": (city.longitude + apart).quantize(city.longitude),
        "latitude": (city.latitude - apart).quantize(city.latitude),
    }
    return one


def _room(room: Room) -> Resource:
    site = SITE[room.site]
    one = location(room.key, room.name, site, CITIES[site.city], room.shape)
    if room.use:
        one["type"] = [concept(LOCATION_TYPE, room.use)]
    return one | {"partOf": to(f"Location/lieu-{room.site}", site.name)}


def services() -> Iterator[Resource]:
    """The services of the hospital and the vaccination centre."""
    for rank, one in enumerate(CARE):
        yield _service(one) | {
            "telecom": [telephone(landline(100 + rank)), email(f"{one.key}@{domain(one.site)}")]
        }


def _service(service: Service) -> Resource:
    site = SITE[service.site]
    offered = {name: minutes for craft in service.crafts for name, minutes in CRAFTS[craft].services.items()}
    return {
        "resourceType": "HealthcareService",
        "id": service.key,
        "meta": claim(frc("fr-core-healthcare-service")),
        "extension": [duration_of_service(name, minutes) for name, minutes in offered.items()],
        "identifier": [{"system": f"{EDITOR}/service", "value": service.key}],
        "active": True,
        "providedBy": to(f"Organization/{site.organization}", site.name),
        "type": [concept(SERVICE, name) for name in offered],
        "location": [to(f"Location/lieu-{site.key}", site.name)],
        "name": service.name,
    } | ({"specialty": [concept(SPECIALTY, service.specialty)]} if service.specialty else {})


def devices() -> Iterator[Resource]:
    """The two MRI devices."""
    yield from (_device(rank, scanner) for rank, scanner in enumerate(SCANNERS, start=1))


def _device(rank: int, scanner: Scanner) -> Resource:
    modality = concept("http://dicom.nema.org/resources/ontology/DCM", "MR", "Magnetic Resonance")
    return {
        "resourceType": "Device",
        "id": scanner.key,
        "identifier": [{"system": f"{EDITOR}/equipement", "value": scanner.key}],
        "status": "active",
        "manufacturer": "Brumatom",
        "serialNumber": f"BRM-{rank:04}",
        "deviceName": [{"name": scanner.name, "type": "user-friendly-name"}],
        "modelNumber": scanner.model,
        "type": modality | {"text": "IRM"},
        "owner": to(f"Organization/{SITE[scanner.site].organization}", SITE[scanner.site].name),
        "location": to(f"Location/{scanner.room}"),
    }

"""Practitioner, PractitionerRole, Patient and RelatedPerson of the demo (GAP-OBJ-PRO, EXP, SIT, SAV, PPC, CON; FR Core 2.0.1)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from creneau.demo.codes import (
    CONTACT_ROLE,
    EDITOR,
    FR_IDENTIFIER,
    HL7_IDENTIFIER,
    MAILBOX,
    PRACTICE_MODE,
    PROFESSION,
    RELATION,
    RELIABILITY,
    SPECIALTY,
    Resource,
    claim,
    coding,
    concept,
    duration_of_service,
    frc,
    kind_of_identifier,
    to,
)
from creneau.demo.numbers import landline, mobile, rpps
from creneau.demo.people import (
    Contact,
    Exercise,
    Person,
    Professional,
    contacts,
    ins_numbers,
    patients,
    professionals,
)
from creneau.demo.places import CARE, CITIES, HOSPITAL, SITE, City, Site
from creneau.demo.structures import address, domain, email, telephone

INS_TEST: Final = "urn:oid:1.2.250.1.213.1.4.10"
"""The INS-NIR of test persons, so that none of these is taken for somebody's (INS, référentiel)."""


def _plain(name: str) -> str:
    """A name as an e-mail address has it."""
    # The dotless i of Turkish has no decomposition.
    letters = unicodedata.normalize("NFD", name.replace("ı", "i")).encode("ascii", "ignore").decode()
    return letters.lower().replace(" ", "-")


def practitioners() -> Iterator[Resource]:
    """The professionals, each with RPPS and national identifier."""
    yield from map(practitioner, professionals())


def practitioner(one: Professional) -> Resource:
    """One professional."""
    local = f"{_plain(one.given)}.{_plain(one.family)}"
    secure = email(f"{local}@medecin.msante.example") | {
        "extension": [
            {
                "url": frc("fr-core-contact-point-email-type"),
                "valueCoding": coding(MAILBOX, "MSSANTE"),
            }
        ]
    }
    return {
        "resourceType": "Practitioner",
        "id": one.id,
        "meta": claim(frc("fr-core-practitioner")),
        "identifier": _national(rpps(one.rank)),
        "active": True,
        "name": [_professional_name(one)],
        "telecom": [
            telephone(landline(200 + one.rank)),
            email(f"{local}@{domain(one.exercises[0].site)}"),
            secure,
        ],
        "gender": one.gender,
        "qualification": [{"code": one_code} for one_code in _know_how(one)],
    }


def _national(number: str) -> list[Resource]:
    return [
        {
            "use": "official",
            "type": kind_of_identifier(FR_IDENTIFIER, "IDNPS"),
            "system": "urn:oid:1.2.250.1.71.4.2.1",
            "value": f"8{number}",
        },
        {
            "use": "official",
            "type": kind_of_identifier(FR_IDENTIFIER, "RPPS"),
            "system": "https://rpps.esante.gouv.fr",
            "value": number,
        },
    ]


def _professional_name(one: Professional) -> Resource:
    name: Resource = {"use": "usual", "text": one.shown, "family": one.family, "given": [one.given]}
    name["prefix"] = ["MME" if one.gender == "female" else "M"]
    return name | ({"suffix": ["DR"]} if one.craft.doctor else {})


def _know_how(one: Professional) -> list[Resource]:
    """Profession, then specialty, as the Annuaire writes them in qualifications (C-40)."""
    specialty = [concept(SPECIALTY, one.craft.specialty)] if one.craft.specialty else []
    return [concept(PROFESSION, one.craft.profession), *specialty]


def practitioner_roles() -> Iterator[Resource]:
    """One PractitionerRole for each place of practice (GAP-RES-02)."""
    for one in professionals():
        yield from (role(one, exercise, SITE[exercise.site]) for exercise in one.exercises)


def role(one: Professional, exercise: Exercise, site: Site) -> Resource:
    """A place of practice, at a site."""
    services = [care for care in CARE if care.site == site.key and one.craft_key in care.crafts]
    mode = "S" if site.key in (HOSPITAL, "cds-anse") else "L"
    found: Resource = {
        "resourceType": "PractitionerRole",
        "id": exercise.id,
        "meta": claim(frc("fr-core-practitioner-role-exercice")),
        "extension": [duration_of_service(name, minutes) for name, minutes in one.craft.services.items()],
        "identifier": [{"system": f"{EDITOR}/exercice", "value": exercise.id}],
        "active": True,
        "practitioner": to(f"Practitioner/{one.id}", one.shown),
        "organization": to(f"Organization/{site.organization}", site.name),
        "code": [concept(PROFESSION, one.craft.profession), concept(PRACTICE_MODE, mode)],
        "location": [to(f"Location/lieu-{site.key}", site.name)],
        "telecom": [
            telephone(landline(300 + one.rank)),
            email(f"rdv.{_plain(one.family)}@{domain(site.key)}"),
        ],
    }
    found |= {"specialty": [concept(SPECIALTY, one.craft.specialty)]} if one.craft.specialty else {}
    return found | (
        {"healthcareService": [to(f"HealthcareService/{care.key}", care.name) for care in services]}
        if services
        else {}
    )


def patient_resources() -> Iterator[Resource]:
    """The patients, each with a test INS and a number of the hospital's."""
    for rank, one in enumerate(patients(), start=1):
        yield patient(rank, one, ins_numbers()[one.id], CITIES[one.city])


def patient(rank: int, one: Person, ins: str, place: City) -> Resource:
    """One patient, living in that place."""
    local = f"{_plain(one.given[0])}.{_plain(one.usual or one.family)}.{rank}"
    return {
        "resourceType": "Patient",
        "id": one.id,
        "meta": claim(frc("fr-core-patient")),
        "extension": [_birthplace(one), _fictitious()],
        "identifier": [_ins(ins), _hospital_number(rank)],
        "active": True,
        "name": _names(one),
        "telecom": [telephone(mobile(rank), "mobile"), email(f"{local}@courriel.example", "home")],
        "gender": one.gender,
        "birthDate": one.birth,
        "address": [address(one.street, place) | {"use": "home"}],
        "generalPractitioner": [to(f"Practitioner/{one.doctor}")],
    }


def _birthplace(one: Person) -> Resource:
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
        "valueAddress": {"city": one.birthplace},
    }


def _fictitious() -> Resource:
    """The identity says of itself that it is made up."""
    status = {"url": "identityStatus", "valueCoding": coding(RELIABILITY, "FICT")}
    return {"url": frc("fr-core-identity-reliability"), "extension": [status]}


def _ins(number: str) -> Resource:
    kind = kind_of_identifier(FR_IDENTIFIER, "INS-NIR")
    return {"use": "official", "type": kind, "system": INS_TEST, "value": number}


def _hospital_number(rank: int) -> Resource:
    kind = kind_of_identifier(HL7_IDENTIFIER, "PI")
    return {
        "use": "usual",
        "type": kind,
        "system": f"https://{domain(HOSPITAL)}/ipp",
        "value": f"IPP{rank:06}",
    }


def _names(one: Person) -> list[Resource]:
    official = {"use": "official", "family": one.family, "given": list(one.given)}
    usual = {"use": "usual", "family": one.usual, "given": [one.given[0]]}
    return [official, usual] if one.usual else [official]


def related_persons() -> Iterator[Resource]:
    """The contacts of some patients."""
    for rank, one in enumerate(contacts(), start=1):
        yield _related_person(rank, one)


def _related_person(rank: int, one: Contact) -> Resource:
    person = one.person
    return {
        "resourceType": "RelatedPerson",
        "id": one.id,
        "meta": claim(frc("fr-core-related-person")),
        "identifier": [{"system": f"{EDITOR}/proche", "value": one.id}],
        "active": True,
        "patient": to(f"Patient/{one.patient.id}"),
        "relationship": [concept(CONTACT_ROLE, one.role), concept(RELATION, one.relation)],
        "name": [{"use": "usual", "family": person.family, "given": [person.given[0]]}],
        "telecom": [
            telephone(mobile(1000 + rank), "mobile"),
            email(f"{_plain(person.given[0])}.{_plain(person.family)}.p{rank}@courriel.example", "home"),
        ],
        "gender": person.gender,
        "address": [address(person.street, CITIES[person.city]) | {"use": "home"}],
    }

"""Appointment and AppointmentResponse of the demo, with the attachments some carry (GAP-OBJ-RDV; FR Core 2.0.1)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from itertools import islice
from random import Random
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from creneau.demo.agendas import stamp
from creneau.demo.codes import (
    CANCELLATION,
    EDITOR,
    GAP,
    SERVICE,
    SERVICES,
    SPECIALTY,
    VISIT,
    Resource,
    claim,
    concept,
    frc,
    to,
)
from creneau.demo.people import SEED, contacts
from creneau.demo.places import HOSPITAL
from creneau.demo.plan import Meeting, meetings

VISITS: Final = {"non-programme": "WALKIN", "suivi": "FOLLOWUP", "bilan": "CHECKUP", "grossesse": "FOLLOWUP"}
VISIT_TEXTS: Final = {
    "ROUTINE": "Rendez-vous ordinaire",
    "FOLLOWUP": "Suivi",
    "CHECKUP": "Bilan",
    "WALKIN": "Sans rendez-vous préalable",
    "EMERGENCY": "Urgence",
}
REASONS: Final = {
    "vaccination": ("Vaccin contre la grippe", "Rappel dTP", "Vaccination selon le calendrier"),
    "grossesse": ("Suivi de grossesse",),
    "detartrage": ("Contrôle annuel",),
    "pansement": ("Pansement d'ulcère", "Pansement après intervention"),
    "intervention": ("Arthroscopie du genou", "Ablation de matériel"),
    "soins-infirmiers": ("Prise de sang", "Injection"),
    "echographie": ("Échographie abdominale", "Échographie de la thyroïde"),
}
"""Why people come for some services, whoever sees them."""
CANCELLED: Final = (
    ("pat", "Patient", "Annulé par le patient"),
    ("pat-fb", "Patient: Feeling Better", "Le patient va mieux"),
    ("prov-pers", "Provider: Personal", "Empêchement du professionnel"),
    ("oth-weath", "Other: Weather", "Routes coupées par les intempéries"),
)
"""Codes of HL7's appointment-cancellation-reason, their display, and what is said in French."""

DECLINES: Final = {"pat": "Patient", "prov": "Practitioner"}
"""Who declined, by the first part of the cancellation reason."""

STATUS_OF_OTHERS: Final = {"proposed": "needs-action", "pending": "tentative", "waitlist": "needs-action"}
PAPERS: Final = (
    ("57133-1", "Referral note", "Lettre d'adressage", "Merci de recevoir ce patient pour avis."),
    (
        "57833-6",
        "Prescription for medication",
        "Ordonnance",
        "Paracétamol 1 g, trois fois par jour pendant cinq jours.",
    ),
)
"""LOINC code and display of a document, its title and text."""
WITH_PAPERS: Final = 15
"""Every so many timed appointments carry a document."""
ANSWERS: Final = 8
"""How many professionals' answers are kept."""


class Booked(NamedTuple):
    """An appointment and what goes with it; the attachments come before it, the answers after."""

    attachments: list[Resource]
    appointment: Resource
    answers: list[Resource]


def booked(today: date, zone: str) -> list[Booked]:
    """All appointments as of today."""
    random = Random(SEED + 3)
    return [book(one, today, zone, random) for one in meetings(today, zone)]


def book(one: Meeting, today: date, zone: str, random: Random, *, papers: bool = True) -> Booked:
    """One appointment; without `papers` it has neither attachments nor answers."""
    local = ZoneInfo(one.agenda.overseas or zone)
    reason = random.choice(CANCELLED) if one.status == "cancelled" else None
    made = min(one.day, today) - timedelta(random.randrange(1, 25))
    written = stamp(made, time(random.randrange(8, 19), random.randrange(60)), local)
    attachments = _attachments(one, written) if papers and one.start and one.rank % WITH_PAPERS == 1 else []
    participants = _participants(one, reason[0] if reason else "")
    appointment: Resource = {
        "resourceType": "Appointment",
        "id": f"rdv-{one.rank:03}",
        "meta": claim(f"{GAP}/StructureDefinition/gap-fr-appointment", frc("fr-core-appointment")),
        "extension": [{"url": frc("fr-core-appointment-operator"), "valueReference": to(_operator(one))}],
        "identifier": [{"system": f"{EDITOR}/rdv", "value": f"RDV-{one.rank:05}"}],
        "status": one.status,
        **({"cancelationReason": concept(CANCELLATION, *reason[:2]) | {"text": reason[2]}} if reason else {}),
        **_what(one, random),
        **({"supportingInformation": _links(attachments, one)} if attachments else {}),
        **_when(one, local),
        "created": written,
        **_words(one),
        "participant": participants,
    }
    return Booked(attachments, appointment, _answers(one, participants) if papers else [])


def _what(one: Meeting, random: Random) -> Resource:
    """What is done, how urgent it is, why (C-12: serviceType says what, appointmentType how)."""
    visit = VISITS.get(one.service, "ROUTINE")
    if visit == "WALKIN" and one.rank % 3 == 0:
        visit = "EMERGENCY"
    what: Resource = {"serviceType": [concept(SERVICE, one.service)]}
    if one.agenda.craft.specialty:
        what["specialty"] = [concept(SPECIALTY, one.agenda.craft.specialty)]
    reason = random.choice(REASONS.get(one.service, one.agenda.craft.reasons))
    what["appointmentType"] = concept(VISIT, visit) | {"text": VISIT_TEXTS[visit]}
    what["reasonCode"] = [{"text": reason}]
    what["priority"] = {"EMERGENCY": 1, "WALKIN": 3}.get(visit, 5)
    what["description"] = f"{SERVICES[one.service]} : {reason}"
    return what


def _when(one: Meeting, local: ZoneInfo) -> Resource:
    if one.start is None or one.end is None:
        period = {
            "start": stamp(one.day, time(8), local),
            "end": stamp(one.day + timedelta(30), time(19), local),
        }
        return {"minutesDuration": one.agenda.craft.services[one.service], "requestedPeriod": [period]}
    minutes = (one.end - one.start).seconds // 60
    return {"start": one.start.isoformat(), "end": one.end.isoformat(), "minutesDuration": minutes}


def _words(one: Meeting) -> Resource:
    words = {
        "noshow": {"comment": "Ne s'est pas présenté, n'a pas prévenu."},
        "entered-in-error": {"comment": "Saisi dans le mauvais dossier."},
        "waitlist": {"comment": "À rappeler dès qu'une place se libère."},
    }.get(one.status, {})
    if one.service == "irm":
        words["patientInstruction"] = (
            "Venez sans objet métallique, avec l'ordonnance et vos examens précédents."
        )
    return words


def _participants(one: Meeting, reason: str) -> list[Resource]:
    declines = DECLINES.get(reason.partition("-")[0], "")
    references = [
        f"Patient/{one.patient.id}",
        *one.agenda.actors,
        *([one.agenda.place] if one.agenda.place else ()),
    ]
    found = []
    for reference in references:
        status = (
            "accepted" if reference.startswith("Patient/") else STATUS_OF_OTHERS.get(one.status, "accepted")
        )
        declined = bool(declines) and reference.startswith(declines)
        shown = one.agenda.shown if reference.startswith("Practitioner") else None
        found.append(
            {
                "actor": to(reference, shown or None),
                "required": "required",
                "status": "declined" if declined else status,
            }
        )
    company = [contact for contact in contacts() if contact.patient.id == one.patient.id]
    return found + [
        {"actor": to(f"RelatedPerson/{contact.id}"), "required": "optional", "status": "accepted"}
        for contact in company
    ]


def _operator(one: Meeting) -> str:
    """Who asks: the patient, a contact, the professional or the organisation in turn (GAP-RG-05)."""
    company = next((f"RelatedPerson/{x.id}" for x in contacts() if x.patient.id == one.patient.id), "")
    practitioner = next((actor for actor in one.agenda.actors if actor.startswith("Practitioner/")), "")
    organization = f"Organization/org-{one.agenda.place.removeprefix('Location/lieu-') or HOSPITAL}"
    choice = (
        company or f"Patient/{one.patient.id}",
        practitioner or organization,
        f"Patient/{one.patient.id}",
        organization,
    )
    return choice[one.rank % 4]


def _attachments(one: Meeting, written: str) -> list[Resource]:
    """A Binary, and the DocumentReference that describes it (GAP-OBJ-RDV-09)."""
    code, display, title, text = PAPERS[one.rank % len(PAPERS)]
    patient = to(f"Patient/{one.patient.id}")
    binary = {
        "resourceType": "Binary",
        "id": f"piece-{one.rank:03}",
        "contentType": "text/plain; charset=utf-8",
        "securityContext": patient,
        "data": b64encode(f"{title}\n\n{text}\n(Document fictif.)\n".encode()).decode(),
    }
    content = {
        "contentType": "text/plain; charset=utf-8",
        "language": "fr",
        "url": f"Binary/{binary['id']}",
        "title": title,
    }
    document: Resource = {
        "resourceType": "DocumentReference",
        "id": f"doc-{one.rank:03}",
        "identifier": [{"system": f"{EDITOR}/document", "value": f"DOC-{one.rank:05}"}],
        "status": "current",
        "type": concept("http://loinc.org", code, display) | {"text": title},
        "subject": patient,
        "date": written,
        "author": [to(f"Practitioner/{one.patient.doctor}")],
        "description": title,
        "content": [{"attachment": content}],
    }
    return [binary, document]


def _links(attachments: Sequence[Resource], one: Meeting) -> list[Resource]:
    """To the document; now and then to the Binary itself, as GAP allows both."""
    binary, document = attachments
    chosen = binary if one.rank % 4 == 0 else document
    return [to(f"{chosen['resourceType']}/{chosen['id']}", document["description"])]


def _answers(one: Meeting, participants: Sequence[Resource]) -> list[Resource]:
    """The professional's answer to some requests, agreeing with the status that the appointment has already."""
    asked = [p for p in participants if p["actor"]["reference"].startswith("Practitioner/")]
    if not asked or one.start is None or one.end is None or one.status not in ("pending", "cancelled"):
        return []
    status = asked[0]["status"]
    words = {
        "tentative": "À confirmer après lecture du dossier.",
        "declined": "Je ne peux pas recevoir ce jour-là.",
        "accepted": "D'accord pour ce rendez-vous.",
    }
    return [
        {
            "resourceType": "AppointmentResponse",
            "id": f"reponse-{one.rank:03}",
            "identifier": [{"system": f"{EDITOR}/reponse", "value": f"REP-{one.rank:05}"}],
            "appointment": to(f"Appointment/rdv-{one.rank:03}"),
            "start": one.start.isoformat(),
            "end": one.end.isoformat(),
            "actor": asked[0]["actor"],
            "participantStatus": status,
            "comment": words[status],
        }
    ]


def split(found: Sequence[Booked]) -> Iterator[Resource]:
    """Attachments, then appointments, then answers, so that no reference goes forward."""
    yield from (one for each in found for one in each.attachments)
    yield from (each.appointment for each in found)
    yield from islice((one for each in found for one in each.answers), ANSWERS)

"""The map of Val-de-Brume, a département that does not exist, with one health centre overseas: cities, sites, rooms, devices."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

PARIS: Final = "Europe/Paris"
GUADELOUPE: Final = "America/Guadeloupe"


class City(NamedTuple):
    """A commune: its name, postal code, and where its centre is (degrees, WGS 84)."""

    name: str
    postal_code: str
    latitude: Decimal
    longitude: Decimal


CITIES: Final = {
    "brumeval": City("Brumeval", "96000", Decimal("47.5210"), Decimal("4.0325")),
    "montclair": City("Montclair-sur-Brume", "96100", Decimal("47.5874"), Decimal("4.1190")),
    "saint-ouen": City("Saint-Ouen-la-Forêt", "96210", Decimal("47.4433"), Decimal("3.9012")),
    "essarts": City("Les Essarts-du-Val", "96320", Decimal("47.6341"), Decimal("3.9547")),
    "villedieu": City("Villedieu-le-Pont", "96400", Decimal("47.3905"), Decimal("4.1468")),
    "chantereine": City("Chantereine", "96450", Decimal("47.3512"), Decimal("3.9986")),
    "port-brume": City("Port-Brume", "96600", Decimal("47.6890"), Decimal("4.2613")),
    "haute-combe": City("La Haute-Combe", "96700", Decimal("47.4790"), Decimal("4.3302")),
    "anse": City("Anse-Brume", "97196", Decimal("16.3075"), Decimal("-61.7925")),
}

BIRTHPLACES: Final = (
    ("96991", "Brumeval"),
    ("96992", "Montclair-sur-Brume"),
    ("96993", "Port-Brume"),
    ("96994", "Villedieu-le-Pont"),
    ("75999", "Paris"),
    ("69998", "Lyon"),
    ("59997", "Lille"),
    ("13996", "Marseille"),
    ("2A998", "Ajaccio"),
    ("2B998", "Bastia"),
    ("97199", "Anse-Brume"),
)
"""Commune of birth as written in the test NIR, and its name; the first four are likelier."""


class Site(NamedTuple):
    """A place where people work, and the organisation that runs it. `finess`: it is an establishment, with a number of that rank."""

    key: str
    organization: str
    name: str
    city: str
    street: str
    finess: int = 0
    part_of: str = ""
    how_to_reach: str = ""


HOSPITAL: Final = "ch-brumeval"
SITES: Final = (
    Site(
        HOSPITAL,
        "org-ch-brumeval",
        "Centre hospitalier de Brumeval",
        "brumeval",
        "1 cours de la République",
        11,
        "org-ght-brume",
        "Entrée des consultations par le quai des Brumes ; parking P2 ; tramway A, arrêt Hôpital.",
    ),
    Site(
        "msp-montclair",
        "org-msp-montclair",
        "Maison de santé de Montclair",
        "montclair",
        "14 rue des Écoles",
        12,
    ),
    Site("cabinet-01", "org-cabinet-01", "Cabinet médical des Lilas", "brumeval", "8 rue des Lilas"),
    Site("cabinet-02", "org-cabinet-02", "Cabinet dentaire de la Gare", "brumeval", "27 avenue de la Gare"),
    Site("cabinet-03", "org-cabinet-03", "Centre de la vision", "brumeval", "3 place du Marché"),
    Site("cabinet-04", "org-cabinet-04", "Cabinet médical de la Forêt", "saint-ouen", "52 route de la Forêt"),
    Site("cabinet-05", "org-cabinet-05", "Pôle santé des Essarts", "essarts", "6 rue du Moulin"),
    Site("cabinet-06", "org-cabinet-06", "Cabinet du Pont", "villedieu", "19 boulevard des Tanneurs"),
    Site("cabinet-07", "org-cabinet-07", "Cabinet de Chantereine", "chantereine", "2 impasse du Lavoir"),
    Site("cabinet-08", "org-cabinet-08", "Imagerie de Port-Brume", "port-brume", "40 quai des Brumes", 13),
    Site("cabinet-09", "org-cabinet-09", "Cabinet du Phare", "port-brume", "11 rue Marie-Curie"),
    Site("cabinet-10", "org-cabinet-10", "Cabinet de la Combe", "haute-combe", "5 chemin des Vignes"),
    Site("cabinet-11", "org-cabinet-11", "Cabinet des Tanneurs", "brumeval", "70 boulevard des Tanneurs"),
    Site("cds-anse", "org-cds-anse", "Centre de santé de l'Anse", "anse", "9 rue de l'Église", 14),
)

SITE: Final = {site.key: site for site in SITES}


class Room(NamedTuple):
    """A room of a site, with a code of fr-core-cs-location-physical-type and one of fr-core-cs-location-type, or none."""

    key: str
    name: str
    site: str
    shape: str
    use: str = ""


ROOMS: Final = (
    Room("salle-bloc-1", "Bloc opératoire, salle 1", HOSPITAL, "BLC"),
    Room("salle-bloc-2", "Bloc opératoire, salle 2", HOSPITAL, "BLC"),
    Room("salle-irm-1", "Salle IRM 1", HOSPITAL, "BX", "SL_EXM"),
    Room("salle-irm-2", "Salle IRM 2", "cabinet-08", "BX", "SL_EXM"),
    Room("salle-vaccination", "Salle de vaccination", "msp-montclair", "BR", "SL_EXM"),
    Room("salle-reunion", "Salle de réunion pluriprofessionnelle", "msp-montclair", "BR", "SL_RN"),
    Room("cabine-teleconsultation", "Cabine de téléconsultation", "cabinet-10", "BX", "SL_EXM"),
)


class Scanner(NamedTuple):
    """An MRI device."""

    key: str
    name: str
    site: str
    room: str
    model: str


SCANNERS: Final = (
    Scanner("irm-1", "IRM 1,5 T du centre hospitalier", HOSPITAL, "salle-irm-1", "Brumatom 15"),
    Scanner("irm-2", "IRM 3 T de Port-Brume", "cabinet-08", "salle-irm-2", "Brumatom 30"),
)


class Service(NamedTuple):
    """A service (HealthcareService): its key, name, site, specialty code or none, and the crafts that work in it."""

    key: str
    name: str
    site: str
    specialty: str
    crafts: tuple[str, ...]


CARE: Final = (
    Service("service-cardiologie", "Cardiologie", HOSPITAL, "SM04", ("cardiologue",)),
    Service("service-orthopedie", "Chirurgie orthopédique", HOSPITAL, "SM08", ("orthopediste",)),
    Service("service-anesthesie", "Anesthésie", HOSPITAL, "SM02", ("anesthesiste",)),
    Service("service-maternite", "Maternité et gynécologie", HOSPITAL, "SM20", ("gynecologue", "sage-femme")),
    Service("service-pediatrie", "Pédiatrie", HOSPITAL, "SM40", ("pediatre",)),
    Service("service-dermatologie", "Dermatologie", HOSPITAL, "SM15", ("dermatologue",)),
    Service("service-neurologie", "Neurologie", HOSPITAL, "SM32", ("neurologue",)),
    Service("service-imagerie", "Imagerie médicale", HOSPITAL, "SM44", ("radiologue", "manipulateur")),
    Service("service-non-programme", "Soins non programmés", HOSPITAL, "SM54", ("accueil",)),
    Service("service-vaccination", "Centre de vaccination", "msp-montclair", "", ("vaccination",)),
)

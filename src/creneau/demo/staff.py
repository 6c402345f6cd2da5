"""Who works where: crafts with what they offer, posts to fill, second places of practice."""

from __future__ import annotations

from typing import Final, NamedTuple


class Craft(NamedTuple):
    """What people of a profession and specialty offer.

    `services`: minutes of each service type. `patients`: "child", "woman", "adult" or "" for anybody. `reasons`: why people come.
    """

    profession: str
    specialty: str
    label: str
    services: dict[str, int]
    reasons: tuple[str, ...]
    patients: str = ""

    @property
    def doctor(self) -> bool:
        """Whether people say "Docteur"."""
        return self.profession in ("10", "40")


CRAFTS: Final = {
    "generaliste": Craft(
        "10",
        "SM54",
        "Médecin généraliste",
        {"consultation": 15, "suivi": 20, "vaccination": 15, "teleconsultation": 15},
        (
            "Toux persistante",
            "Renouvellement d'ordonnance",
            "Certificat médical",
            "Douleur lombaire",
            "Bilan annuel",
        ),
    ),
    "cardiologue": Craft(
        "10",
        "SM04",
        "Cardiologue",
        {"premiere-consultation": 30, "suivi": 20},
        ("Suivi d'hypertension", "Palpitations", "Contrôle après pose de stent"),
        "adult",
    ),
    "orthopediste": Craft(
        "10",
        "SM08",
        "Chirurgien orthopédiste",
        {"consultation": 20, "suivi": 15, "intervention": 60},
        ("Gonarthrose", "Contrôle après fracture", "Douleur d'épaule"),
        "adult",
    ),
    "anesthesiste": Craft(
        "10", "SM02", "Anesthésiste", {"consultation": 20}, ("Consultation avant anesthésie",), "adult"
    ),
    "gynecologue": Craft(
        "10",
        "SM20",
        "Gynécologue-obstétricien",
        {"consultation": 20, "grossesse": 30},
        ("Consultation annuelle", "Suivi de grossesse à risque"),
        "woman",
    ),
    "pediatre": Craft(
        "10",
        "SM40",
        "Pédiatre",
        {"consultation": 20, "vaccination": 15},
        ("Fièvre", "Asthme de l'enfant", "Courbe de croissance"),
        "child",
    ),
    "dermatologue": Craft(
        "10", "SM15", "Dermatologue", {"consultation": 15}, ("Contrôle de grains de beauté", "Eczéma")
    ),
    "neurologue": Craft(
        "10",
        "SM32",
        "Neurologue",
        {"premiere-consultation": 45, "suivi": 30},
        ("Migraine", "Tremblement"),
        "adult",
    ),
    "radiologue": Craft(
        "10",
        "SM44",
        "Radiologue",
        {"echographie": 20},
        ("Échographie abdominale", "Échographie de la thyroïde"),
    ),
    "ophtalmologue": Craft(
        "10",
        "SM38",
        "Ophtalmologue",
        {"consultation": 15, "suivi": 15},
        ("Baisse de la vue", "Suivi de glaucome", "Fond d'œil du diabétique"),
    ),
    "psychiatre": Craft(
        "10", "SM42", "Psychiatre", {"premiere-consultation": 60, "suivi": 30}, ("Suivi", "Insomnie"), "adult"
    ),
    "dentiste": Craft(
        "40",
        "",
        "Chirurgien-dentiste",
        {"soin-dentaire": 30, "detartrage": 30},
        ("Carie", "Couronne", "Contrôle annuel"),
    ),
    "sage-femme": Craft(
        "50",
        "",
        "Sage-femme",
        {"grossesse": 30, "consultation": 20},
        ("Suivi de grossesse", "Rééducation"),
        "woman",
    ),
    "infirmier": Craft(
        "60",
        "",
        "Infirmier",
        {"soins-infirmiers": 15, "pansement": 20, "vaccination": 10},
        ("Prise de sang", "Pansement", "Vaccin contre la grippe"),
    ),
    "kine": Craft(
        "70",
        "",
        "Masseur-kinésithérapeute",
        {"seance": 30, "bilan": 45},
        ("Lombalgie", "Entorse de cheville"),
    ),
    "podologue": Craft(
        "80", "", "Pédicure-podologue", {"bilan": 30, "suivi": 20}, ("Semelles", "Pied diabétique")
    ),
    "orthophoniste": Craft(
        "91", "", "Orthophoniste", {"seance": 30, "bilan": 60}, ("Dyslexie", "Retard de langage"), "child"
    ),
    "orthoptiste": Craft(
        "92", "", "Orthoptiste", {"bilan": 30, "seance": 20}, ("Bilan visuel", "Insuffisance de convergence")
    ),
    "psychologue": Craft("93", "", "Psychologue", {"entretien": 45}, ("Entretien de soutien",)),
    "dietetique": Craft("95", "", "Diététicien", {"bilan": 45, "suivi": 30}, ("Diabète", "Surpoids")),
    "manipulateur": Craft(
        "98",
        "",
        "Manipulateur en électroradiologie",
        {"irm": 30},
        ("IRM du genou", "IRM cérébrale", "IRM lombaire"),
        "adult",
    ),
    "accueil": Craft(
        "10",
        "SM54",
        "Soins non programmés",
        {"non-programme": 20},
        ("Plaie de la main", "Fièvre depuis la veille"),
    ),
    "vaccination": Craft(
        "60", "", "Centre de vaccination", {"vaccination": 10}, ("Vaccin contre la grippe", "Rappel dTP")
    ),
}
"""`accueil` and `vaccination` are what services offer without naming a person."""


class Post(NamedTuple):
    """People of one craft at one site, each following one of the weeks in turn (`weeks.WEEKS`); "" for no agenda of their own."""

    site: str
    craft: str
    number: int
    weeks: tuple[str, ...]


POSTS: Final = (
    Post("cabinet-01", "generaliste", 3, ("samedi", "pause", "alterne")),
    Post("ch-brumeval", "cardiologue", 2, ("sans-mercredi", "classique")),
    Post("ch-brumeval", "orthopediste", 2, ("chirurgien",)),
    Post("ch-brumeval", "anesthesiste", 2, ("matins", "classique")),
    Post("ch-brumeval", "gynecologue", 2, ("sans-mercredi", "enveloppe")),
    Post("ch-brumeval", "pediatre", 2, ("classique", "pause")),
    Post("ch-brumeval", "dermatologue", 1, ("enveloppe-demie",)),
    Post("ch-brumeval", "neurologue", 1, ("classique",)),
    Post("ch-brumeval", "radiologue", 2, ("classique",)),
    Post("ch-brumeval", "manipulateur", 2, ("",)),
    Post("ch-brumeval", "sage-femme", 2, ("pause", "classique")),
    Post("msp-montclair", "generaliste", 3, ("samedi", "sans-mercredi", "enveloppe")),
    Post("msp-montclair", "infirmier", 2, ("tournee",)),
    Post("msp-montclair", "kine", 2, ("longue", "classique")),
    Post("msp-montclair", "sage-femme", 1, ("matins",)),
    Post("msp-montclair", "psychologue", 1, ("sans-mercredi",)),
    Post("cabinet-02", "dentiste", 2, ("longue", "pause")),
    Post("cabinet-03", "ophtalmologue", 2, ("longue", "sans-mercredi")),
    Post("cabinet-03", "orthoptiste", 1, ("pause",)),
    Post("cabinet-04", "generaliste", 2, ("classique", "alterne")),
    Post("cabinet-04", "infirmier", 1, ("tournee",)),
    Post("cabinet-05", "generaliste", 2, ("pause", "samedi")),
    Post("cabinet-05", "kine", 2, ("longue",)),
    Post("cabinet-06", "generaliste", 2, ("classique", "enveloppe-demie")),
    Post("cabinet-06", "orthophoniste", 2, ("classique", "longue")),
    Post("cabinet-07", "generaliste", 2, ("samedi", "classique")),
    Post("cabinet-07", "podologue", 1, ("matins",)),
    Post("cabinet-08", "radiologue", 2, ("pause", "longue")),
    Post("cabinet-08", "manipulateur", 1, ("",)),
    Post("cabinet-09", "psychiatre", 1, ("sans-mercredi",)),
    Post("cabinet-09", "psychologue", 1, ("longue",)),
    Post("cabinet-10", "generaliste", 1, ("classique",)),
    Post("cabinet-10", "infirmier", 1, ("tournee",)),
    Post("cabinet-10", "sage-femme", 1, ("pause",)),
    Post("cabinet-11", "kine", 2, ("longue", "classique")),
    Post("cabinet-11", "dietetique", 1, ("matins",)),
    Post("cds-anse", "generaliste", 1, ("matins",)),
    Post("cds-anse", "infirmier", 1, ("tournee",)),
)


class Second(NamedTuple):
    """A second place of practice: the rank, from 1, of a person among those of a craft at a site, and where else, on Wednesdays."""

    site: str
    craft: str
    rank: int
    elsewhere: str


SECONDS: Final = (
    Second("ch-brumeval", "cardiologue", 1, "msp-montclair"),
    Second("ch-brumeval", "gynecologue", 1, "cabinet-10"),
    Second("msp-montclair", "generaliste", 2, "cabinet-07"),
    Second("msp-montclair", "psychologue", 1, "cabinet-04"),
    Second("cabinet-03", "ophtalmologue", 2, "cabinet-08"),
)

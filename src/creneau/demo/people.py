"""The people of the demo, before they are FHIR: professionals in their posts, patients, contacts. The same whatever the day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from itertools import count
from random import Random
from typing import Final, NamedTuple

from creneau.demo import names
from creneau.demo.numbers import nir
from creneau.demo.places import BIRTHPLACES, CITIES, SITE
from creneau.demo.staff import CRAFTS, POSTS, SECONDS, Craft

SEED: Final = 20_240_901
PATIENTS: Final = 500
CONTACTS: Final = 24


class Exercise(NamedTuple):
    """A place of practice of a professional (PractitionerRole): its id, site, and week, "" for no agenda of its own."""

    id: str
    site: str
    week: str


class Professional(NamedTuple):
    """A professional, from 1, with the places of practice, the first one the main."""

    rank: int
    family: str
    given: str
    gender: str
    craft_key: str
    exercises: tuple[Exercise, ...]

    @property
    def id(self) -> str:
        """The id of the Practitioner."""
        return f"prat-{self.rank:03}"

    @property
    def craft(self) -> Craft:
        """What the professional offers."""
        return CRAFTS[self.craft_key]

    @property
    def shown(self) -> str:
        """The name as people say it."""
        return f"{'Dr ' if self.craft.doctor else ''}{self.given} {self.family}"


class Person(NamedTuple):
    """A patient or a contact. `birth` is an ISO date; `usual`: the name used, when it is not the one of birth."""

    id: str
    family: str
    given: tuple[str, ...]
    gender: str
    birth: str
    usual: str
    insee: str
    birthplace: str
    street: str
    city: str
    doctor: str

    def age(self, today: date) -> int:
        """Whole years."""
        born = date.fromisoformat(self.birth)
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))

    def suits(self, wanted: str, today: date) -> bool:
        """Whether this is a patient for a craft that sees "child", "woman", "adult", or "" for anybody."""
        if wanted == "child":
            return self.age(today) < 16
        if wanted == "woman":
            return self.gender == "female" and 18 <= self.age(today) < 60
        return wanted == "" or self.age(today) >= 18


@cache
def professionals() -> tuple[Professional, ...]:
    """All professionals, in the order of the posts."""
    random = Random(SEED)
    families = list(names.FAMILIES)
    random.shuffle(families)
    return tuple(
        Professional(rank, families[rank], *given(random), craft, _exercises(rank, site, craft, nth, week))
        for rank, (site, craft, nth, week) in enumerate(_posts(), start=1)
    )


def _posts() -> Iterator[tuple[str, str, int, str]]:
    for post in POSTS:
        for nth in range(post.number):
            yield post.site, post.craft, nth + 1, post.weeks[nth % len(post.weeks)]


def given(random: Random) -> tuple[str, str]:
    """The given name of somebody who works, and the gender."""
    gender = random.choice(("female", "male"))
    return random.choice(names.WOMEN if gender == "female" else names.MEN), gender


def _exercises(rank: int, site: str, craft: str, nth: int, week: str) -> tuple[Exercise, ...]:
    main = Exercise(f"exercice-{rank:03}", site, week)
    others = [one.elsewhere for one in SECONDS if (one.site, one.craft, one.rank) == (site, craft, nth)]
    return (main, *(Exercise(f"exercice-{rank:03}-b", other, "mercredi") for other in others))


@cache
def patients() -> tuple[Person, ...]:
    """All patients, of every age, each with a test INS of their own."""
    random = Random(SEED + 1)
    return tuple(
        _person(random, f"patient-{rank:03}", random.randrange(95)) for rank in range(1, PATIENTS + 1)
    )


def _person(random: Random, id: str, years: int) -> Person:
    gender = random.choice(("female", "male"))
    born = date(2024, 8, 31) - timedelta(years * 365 + random.randrange(365))
    family = random.choice(names.FAMILIES)
    married = gender == "female" and years > 30 and random.random() < 0.5
    city = random.choice(list(CITIES))
    insee, birthplace = random.choice(BIRTHPLACES[:4] * 4 + BIRTHPLACES)
    return Person(
        id=id,
        family=family,
        given=givens(random, gender, years),
        gender=gender,
        birth=born.isoformat(),
        usual=random.choice(names.FAMILIES) if married else "",
        insee=insee,
        birthplace=birthplace,
        street=f"{random.randrange(1, 99)} {random.choice(names.STREETS)}",
        city=city,
        doctor=random.choice(_doctors(city)),
    )


def _doctors(city: str) -> list[str]:
    """The general practitioners of the city, or of the whole département where it has none."""
    everywhere = [one for one in professionals() if one.craft_key == "generaliste"]
    here = [one.id for one in everywhere if SITE[one.exercises[0].site].city == city]
    return here or [one.id for one in everywhere]


def givens(random: Random, gender: str, years: int) -> tuple[str, ...]:
    """One or two given names of the generation."""
    lists = {
        "female": (names.GIRLS, names.WOMEN, names.WOMEN_OF_LONG_AGO),
        "male": (names.BOYS, names.MEN, names.MEN_OF_LONG_AGO),
    }[gender]
    choice = lists[0 if years < 20 else 1 if years < 65 else 2]
    return tuple(random.sample(choice, 1 + (random.random() < 0.3)))


@cache
def ins_numbers() -> dict[str, str]:
    """For each patient's id, a NIR of test that no other patient has."""
    found: dict[str, str] = {}
    for rank, one in enumerate(patients()):
        numbers = (nir(one.gender, one.birth, one.insee, order) for order in count(rank * 37 % 700 + 1))
        found[one.id] = next(number for number in numbers if number not in found.values())
    return found


class Contact(NamedTuple):
    """Somebody close to a patient (RelatedPerson): codes of TRE_R260 and TRE_R216 say as what."""

    id: str
    person: Person
    patient: Person
    role: str
    relation: str


@cache
def contacts() -> tuple[Contact, ...]:
    """Parents of the first children, children of the first elderly people."""
    random = Random(SEED + 2)
    day = date(2024, 8, 31)
    children = [one for one in patients() if one.age(day) < 16][: CONTACTS * 2 // 3]
    elderly = [one for one in patients() if one.age(day) > 80][: CONTACTS - len(children)]
    found = []
    for rank, patient in enumerate((*children, *elderly), start=1):
        person = _person(random, f"proche-{rank:02}", random.randrange(30, 50))
        person = person._replace(family=patient.family, usual="", street=patient.street, city=patient.city)
        found.append(Contact(person.id, person, patient, *_relation(patient in children, person.gender)))
    return tuple(found)


def _relation(parent: bool, gender: str) -> tuple[str, str]:
    if parent:
        return "GUARD", "MTH" if gender == "female" else "FTH"
    return "CAREGIVER", "DAUC" if gender == "female" else "SONC"

"""How often a request asks PostgreSQL: what a decision needs is read in one round trip, whatever it refers to (PERF-05)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from creneau import wiring
from creneau.config import Settings
from creneau.flows import single
from creneau.problems import Taken
from creneau.search import grammar
from creneau.search.query import Query
from creneau.store.postgres import open_postgres
from tests.people import duration, opening

TOMORROW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
NUMBERS = "https://creneau.example/numeros"
QUESTION = f"status=free&start=ge{TOMORROW:%Y-%m-%d}&start=lt{TOMORROW + timedelta(days=3):%Y-%m-%d}&_include=Slot:schedule&_include:iterate=Schedule:actor&_count=1000"


class Office:
    """Flows on a store whose round trips are counted."""

    def __init__(self, store, run):
        self.run = run
        self.world = wiring.world(Settings(database=store_url.url), store)
        self.trips = 0
        connections = store.connections
        self.rows, self.call = connections.rows, connections.call
        connections.rows, connections.call = self.counted(self.rows), self.counted(self.call)

    def counted(self, ask):
        async def asking(*args):
            self.trips += 1
            return await ask(*args)

        return asking

    def forget(self):
        """As a process that has just started, or another one."""
        self.world.kept.clear()
        self.world.along.clear()
        self.world.links.clear()
        self.world.store._recent.__init__()

    def create(self, type, **more):
        made = self.run(single.create(self.world, type, {"resourceType": type, **more}))
        return f"{type}/{made.stored.id}"

    def practice(self, number=0, by_role=True):
        """A professional with an agenda; he himself, and the actor of his agenda."""
        named = [{"system": NUMBERS, "value": str(number)}]
        human = self.create("Practitioner", identifier=named, name=[{"family": "Langdon"}])
        role = self.create("PractitionerRole", practitioner={"reference": human})
        actor = role if by_role else human
        hours = opening(TOMORROW + timedelta(hours=8), TOMORROW + timedelta(hours=18))
        self.create("Schedule", active=True, extension=[hours, duration(15)], actor=[{"reference": actor}])
        return human, role

    def appointment(self, *actors, cell=0, **more):
        start = TOMORROW + timedelta(hours=9, minutes=15 * cell)
        return {
            "resourceType": "Appointment",
            "status": "booked",
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=15)).isoformat(),
            "identifier": [{"system": NUMBERS, "value": f"{start:%H%M}"}],
            "participant": [{"actor": actor, "status": "accepted"} for actor in actors],
            **more,
        }

    def count(self, flow):
        self.trips = 0
        return self.run(flow), self.trips

    def book(self, *actors, **more):
        return self.count(single.create(self.world, "Appointment", self.appointment(*actors, **more)))[1]

    def search(self, criteria):
        pairs = grammar.pairs(f"{QUESTION}&{criteria}")
        found, trips = self.count(single.search(self.world, "Slot", pairs, True))
        return found.entries, trips


def store_url():
    """Holds the address of the cluster."""


@pytest.fixture
def office(cluster, run):
    store_url.url = cluster.url
    store = run(open_postgres(cluster.url, tenant=uuid.uuid4().hex))
    yield Office(store, run)
    run(store.close())


def to(reference):
    return {"reference": reference}


@pytest.mark.parametrize("by_role", [True, False])
def test_a_booking_asks_the_database_twice_whatever_it_refers_to(office, by_role):
    human, role = office.practice(1, by_role)
    patient = office.create("Patient", name=[{"family": "Martin"}])
    site = office.create("Location", name="Cabinet", status="active")
    known = {"type": "Practitioner", "identifier": {"system": NUMBERS, "value": "1"}}

    office.book(to(patient), to(human), to(role), to(site), cell=0)
    assert office.book(to(patient), known, cell=5) <= 3
    warm = [
        office.book(to(patient), to(human), to(site), cell=1),
        office.book(to(patient), to(role), cell=2),
        office.book(to(patient), known, cell=3),
    ]
    office.forget()
    cold = office.book(to(patient), to(role), cell=4)

    assert warm == [2, 2, 2]
    assert cold <= 3


def test_a_booking_of_a_slot_and_its_next_versions_ask_twice(office):
    _, role = office.practice()
    patient = office.create("Patient", name=[{"family": "Martin"}])
    ((slot, *_), _) = office.search(f"schedule.actor={role}")
    sent = office.appointment(to(patient), to(role), slot=[to(f"Slot/{slot.id}")])
    del sent["start"], sent["end"]
    condition = f"identifier={NUMBERS}|0900"

    made, created = office.count(single.create(office.world, "Appointment", sent))
    changed = dict(sent, comment="Le patient a rappelé.", created=None)
    del changed["created"]
    _, replaced = office.count(single.update_where(office.world, "Appointment", condition, changed))
    again = dict(changed, comment="Confirmé.")
    _, by_id = office.count(single.update(office.world, "Appointment", made.stored.id, again))

    assert (created, replaced, by_id) == (2, 2, 2)


def test_what_is_taken_is_refused_with_other_slots_after_few_questions(office):
    human, _ = office.practice()
    patient = office.create("Patient", name=[{"family": "Martin"}])
    office.book(to(patient), to(human))

    office.trips = 0
    with pytest.raises(Taken) as refused:
        office.run(
            single.create(
                office.world,
                "Appointment",
                office.appointment(
                    to(patient), to(human), identifier=[{"system": NUMBERS, "value": "autre"}]
                ),
            )
        )

    assert len(refused.value.issues[0].offers) == 3
    assert office.trips <= 6


def test_a_search_of_slots_asks_twice_however_many_professionals(office):
    people = [office.practice(number, by_role=number % 2 == 0) for number in range(25)]
    patient = office.create("Patient", name=[{"family": "Martin"}])
    office.book(to(patient), to(people[3][0]), cell=2)
    one = f"schedule.actor={people[3][0]}"
    every = "schedule.actor=" + ",".join(human if n % 2 else role for n, (human, role) in enumerate(people))

    office.forget()
    cold, first = office.search(every)
    warm, second = office.search(every)
    single_one, third = office.search(one)

    assert [entry.id for entry in warm] == [entry.id for entry in cold]
    assert len([entry for entry in warm if entry.type == "Slot"]) == 25 * 40 - 1
    assert len([entry for entry in warm if entry.mode == "include"]) == 50
    assert len([entry for entry in single_one if entry.type == "Slot"]) == 39
    assert (second, third) == (2, 2)
    assert first <= 4


def test_what_another_process_changes_is_seen_at_once(office, cluster, run):
    human, role = office.practice()
    patient = office.create("Patient", name=[{"family": "Martin"}])
    criteria = f"schedule.actor={role}"
    office.search(criteria)
    other = run(open_postgres(cluster.url, tenant=office.world.store.tenant))
    world = wiring.world(Settings(database=cluster.url), other)

    run(single.create(world, "Appointment", office.appointment(to(patient), to(human))))
    booked, _ = office.search(criteria)
    agenda = run(other.find(Query("Schedule"))).items[0]
    run(single.update(world, "Schedule", agenda.id, closed(world, agenda)))
    shut, trips = office.search(criteria)
    run(other.close())

    assert len([entry for entry in booked if entry.type == "Slot"]) == 39
    assert [entry for entry in shut if entry.type == "Slot"] == []
    assert trips == 2


def closed(world, agenda):
    """The Schedule without opening hours."""
    from creneau.fhir import json

    schedule = json.load(agenda.body)
    return {**schedule, "extension": [duration(15)]}

"""All flows against a model in plain Python: three agendas, one morning, a handful of appointments (REL-22, invariants 1, 2 and 4).

Steps are drawn at random: appointments declared, asked for, moved, cancelled and corrected by their identifier, created, patched, opening
hours closed and opened again, an agenda deleted and declared anew, actors renamed, one that comes and goes with its agenda, time passing so
that holds lapse. What the flows answer, and what searches find
afterwards, is what the model says. `MODEL_EXAMPLES` multiplies the number of runs.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from creneau import config, wiring
from creneau.fhir import json
from creneau.flows import interactions
from creneau.flows.answers import Saved
from creneau.problems import Duplicate, Gone, InUse, Invalid, Problem, Taken
from creneau.store.contract import Store
from creneau.store.memory import MemoryStore
from creneau.store.postgres import open_postgres
from creneau.store.sqlite import open_sqlite
from tests.people import duration, opening, service_type
from tests.store.cluster import Cluster

DAY = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=10)
HALF_HOUR = timedelta(minutes=30)
CELLS = 6
HOLD = timedelta(hours=48)
RDV = "https://creneau.example/modele"
PEOPLE = ("anne", "bruno", "salle")
NAMES = st.sampled_from([f"rdv-{number}" for number in range(5)])

BUSY = {"booked", "arrived", "checked-in", "fulfilled"}
TENTATIVE = {"proposed", "pending"}
NEXT = {
    "proposed": {"pending", "booked", "cancelled", "waitlist"},
    "pending": {"booked", "cancelled"},
    "booked": {"cancelled", "arrived", "checked-in", "fulfilled", "noshow"},
    "arrived": {"checked-in", "fulfilled"},
    "checked-in": {"fulfilled"},
    "fulfilled": {"noshow"},
    "noshow": {"fulfilled"},
    "waitlist": {"proposed", "pending", "booked", "cancelled"},
    "cancelled": {"booked"},
    "entered-in-error": set(),
}
"""The table of GAP §14 with the additions of docs/decisions/0003, written again by hand."""


@dataclass
class Known:
    """An appointment as the model knows it; `until`: when its hold lapses, None when it does not."""

    id: str
    status: str
    cells: range
    who: frozenset[str]
    comment: str
    version: int = 1
    until: datetime | None = None

    def takes(self, now: datetime) -> bool:
        return self.status in BUSY or (self.status in TENTATIVE and (self.until is None or self.until > now))


@dataclass
class Agenda:
    """Which cells of the morning are open; `id` is None while it is deleted."""

    id: str | None
    open: set[int] = field(default_factory=lambda: set(range(CELLS)))


def start_of(cell: int) -> datetime:
    return DAY + cell * HALF_HOUR


def instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def meet(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


class Morning(RuleBasedStateMachine):
    """The flows on one store beside the model; a subclass for each store."""

    kind: ClassVar[str]
    url: ClassVar[str]

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory(prefix="creneau-model-")
        self.store = self.opened()
        self.now = datetime.now(UTC).replace(microsecond=0)
        made = wiring.world(config.load(None, {}, {"database": "memory:"}), self.store)
        self.world = replace(made, clock=lambda: int(self.now.timestamp()) * 1_000_000)
        self.actor = {
            "anne": self.create({"resourceType": "Practitioner", "name": [{"family": "Anne"}]}),
            "bruno": self.create({"resourceType": "Practitioner", "name": [{"family": "Bruno"}]}),
            "salle": self.create({"resourceType": "Location", "name": "Salle"}),
        }
        self.patient = self.create({"resourceType": "Patient", "name": [{"family": "Fictif"}]})
        self.agendas = {name: Agenda(None) for name in PEOPLE}
        for name in PEOPLE:
            self.declare_agenda(name)
        self.known: dict[str, Known] = {}
        self.named = {"anne": (1, "Anne"), "bruno": (1, "Bruno")}
        self.numbers = count()

    def opened(self) -> Store:
        if self.kind == "memory":
            return MemoryStore()
        if self.kind == "sqlite":
            return open_sqlite(Path(self.folder.name) / "model.sqlite")
        return self.runner.run(open_postgres(self.url, tenant=uuid.uuid4().hex))

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    def create(self, resource: dict[str, Any]) -> str:
        made = self.runner.run(interactions.create(self.world, resource["resourceType"], resource)).stored
        return f"{made.type}/{made.id}"

    def schedule(self, name: str) -> dict[str, Any]:
        closed = [cell for cell in range(CELLS) if cell not in self.agendas[name].open]
        hours = [opening(start_of(0), start_of(CELLS))]
        hours += [opening(start_of(one), start_of(one + 1), kind="busy-unavailable") for one in closed]
        return {
            "resourceType": "Schedule",
            "identifier": [{"system": RDV, "value": f"agenda-{name}"}],
            "active": True,
            "extension": [*hours, duration(30)],
            "actor": [{"reference": self.actor[name]}],
        }

    def declare_agenda(self, name: str) -> None:
        self.agendas[name].id = self.create(self.schedule(name)).partition("/")[2]

    # What the model expects

    def rivals(self, name: str, thing: str, cells: range) -> bool:
        return any(
            thing in other.who and meet(other.cells, cells) and other.takes(self.now)
            for key, other in self.known.items()
            if key != name
        )

    def refused(self, name: str, new: Known) -> type[Problem] | None:
        """Why the next version is refused, None when it is not."""
        old = self.known.get(name)
        if old and new.status not in {old.status, "entered-in-error", *NEXT[old.status]}:
            return Invalid
        asks = new.status == "proposed" and (
            old is None or old.status != "proposed" or (old.cells, old.who) != (new.cells, new.who)
        )
        owners = [thing for thing in new.who if self.agendas[thing].id]
        if asks and any(not self.agendas[thing].open.issuperset(new.cells) for thing in owners):
            return Invalid
        if new.status not in BUSY | TENTATIVE or (old and self.same(old, new)):
            return None
        held = old if old and old.takes(self.now) else None
        for thing in owners:
            kept = (
                held
                and thing in held.who
                and held.cells.start <= new.cells.start
                and new.cells.stop <= held.cells.stop
            )
            if not kept and self.rivals(name, thing, new.cells):
                return Taken
        return None

    def same(self, old: Known, new: Known) -> bool:
        return (old.status, old.cells, old.who, old.comment) == (new.status, new.cells, new.who, new.comment)

    # Steps

    @rule(
        name=NAMES,
        status=st.sampled_from(sorted(NEXT)),
        first=st.integers(0, CELLS - 1),
        length=st.integers(1, 2),
        who=st.sets(st.sampled_from(PEOPLE), min_size=1, max_size=2),
        keep=st.booleans(),
        comment=st.sampled_from(["", "a", "b"]),
    )
    def declare(
        self, name: str, status: str, first: int, length: int, who: set[str], keep: bool, comment: str
    ) -> None:
        """6a and 6b by business identifier; `keep`: only the status changes."""
        old = self.known.get(name)
        cells = range(first, min(first + length, CELLS))
        new = Known("", status, cells, frozenset(who), comment)
        if old and keep:
            new = replace(old, status=status)
        condition = f"identifier={RDV}|{name}"
        self.written(
            name, new, interactions.update_where(self.world, "Appointment", condition, self.sent(name, new))
        )

    @rule(
        name=NAMES,
        status=st.sampled_from(sorted(NEXT)),
        first=st.integers(0, CELLS - 1),
        who=st.sets(st.sampled_from(PEOPLE), min_size=1, max_size=2),
    )
    def create_appointment(self, name: str, status: str, first: int, who: set[str]) -> None:
        """6a by POST: an identifier that is known refuses it."""
        new = Known("", status, range(first, first + 1), frozenset(who), "")
        creation = interactions.create(self.world, "Appointment", self.sent(name, new))
        if name not in self.known:
            self.written(name, new, creation)
            return
        with pytest.raises((Duplicate, Taken, Invalid)):
            self.runner.run(creation)

    @precondition(lambda self: bool(self.known))
    @rule(data=st.data(), status=st.sampled_from(sorted(NEXT)))
    def patch_status(self, data: st.DataObject, status: str) -> None:
        """6b by PATCH of the id."""
        name = data.draw(st.sampled_from(sorted(self.known)))
        old = self.known[name]
        patched = interactions.patch(self.world, "Appointment", old.id, lambda now: now | {"status": status})
        self.written(name, replace(old, status=status), patched)

    def written(self, name: str, new: Known, write: Coroutine[Any, Any, Saved]) -> None:
        """Write it; the answer is what the model says, which then knows it."""
        old, expected = self.known.get(name), self.refused(name, new)
        try:
            saved = self.runner.run(write)
        except Problem as problem:
            assert type(problem) is expected, (type(problem), problem.issues, expected)
            return
        assert expected is None, f"accepted, but {expected} was expected"
        if old and self.same(old, new):
            assert not saved.changed
            return
        assert saved.created is (old is None)
        version = old.version + 1 if old else 1
        until = self.now + HOLD if new.status in TENTATIVE else None
        self.known[name] = replace(new, id=saved.stored.id, version=version, until=until)
        assert saved.stored.version == version

    def sent(self, name: str, new: Known) -> dict[str, Any]:
        who = [self.patient, *(self.actor[one] for one in sorted(new.who))]
        made = {
            "resourceType": "Appointment",
            "identifier": [{"system": RDV, "value": name}],
            "status": new.status,
            "serviceType": [service_type()],
            "start": instant(start_of(new.cells.start)),
            "end": instant(start_of(new.cells.stop)),
            "participant": [{"actor": {"reference": one}, "status": "accepted"} for one in who],
        }
        return made | ({"comment": new.comment} if new.comment else {})

    @rule(name=st.sampled_from(PEOPLE), closed=st.sets(st.integers(0, CELLS - 1), max_size=3))
    def change_hours(self, name: str, closed: set[int]) -> None:
        """2b, 3a, 3b, 3c: whatever is booked, an edit of the hours succeeds."""
        agenda = self.agendas[name]
        if agenda.id is None:
            return
        agenda.open = set(range(CELLS)) - closed
        self.runner.run(interactions.update(self.world, "Schedule", agenda.id, self.schedule(name)))

    @precondition(lambda self: self.agendas["salle"].id is not None)
    @rule()
    def delete_the_rooms_agenda(self) -> None:
        """2c: refused while an appointment to come takes the room."""
        agenda = self.agendas["salle"]
        booked = any("salle" in one.who and one.takes(self.now) for one in self.known.values())
        try:
            self.runner.run(interactions.delete(self.world, "Schedule", agenda.id or ""))
        except InUse:
            assert booked
            return
        assert not booked
        agenda.id = None

    @precondition(lambda self: self.agendas["salle"].id is None)
    @rule()
    def declare_the_rooms_agenda_again(self) -> None:
        """2a."""
        self.declare_agenda("salle")

    @rule(hours=st.sampled_from([1, 49]))
    def time_passes(self, hours: int) -> None:
        """Holds lapse after 48 hours; the morning itself stays ahead."""
        if self.now + timedelta(hours=hours + 1) < DAY:  # a request is about the future
            self.now += timedelta(hours=hours)

    @rule(name=st.sampled_from(("anne", "bruno")), family=st.sampled_from(["Un", "Deux", "Trois"]))
    def rename(self, name: str, family: str) -> None:
        """1b: the next version, unless nothing changes."""
        type_, _, id_ = self.actor[name].partition("/")
        version, former = self.named[name]
        sent = {"resourceType": type_, "id": id_, "name": [{"family": family}]}
        saved = self.runner.run(interactions.update(self.world, type_, id_, sent))
        assert saved.changed is (family != former)
        self.named[name] = (version + saved.changed, family)
        assert saved.stored.version == self.named[name][0]

    @rule()
    def a_room_comes_and_goes(self) -> None:
        """1a, 2a, 1c: an agenda goes with its last owner; deleting again is no error."""
        room = self.create({"resourceType": "Location", "name": "Annexe"})
        of_its_own = {
            "identifier": [{"system": RDV, "value": "agenda-annexe"}],
            "actor": [{"reference": room}],
        }
        agenda = self.create(self.schedule("salle") | of_its_own)
        id_ = room.partition("/")[2]
        for _ in range(2):
            self.runner.run(interactions.delete(self.world, "Location", id_))
        for each in (room, agenda):
            with pytest.raises(Gone):
                self.runner.run(interactions.read(self.world, *each.split("/")))

    # What searches find

    @rule(family=st.sampled_from(["Anne", "Bruno", "Un", "Deux", "Trois"]))
    def people_are_found_by_their_name(self, family: str) -> None:
        """Practitioner?family=."""
        found = {
            f"Practitioner/{one['id']}" for one in self.search("Practitioner", [("family:exact", family)])
        }
        assert found == {self.actor[name] for name, (_, now) in self.named.items() if now == family}

    @rule(name=st.sampled_from(PEOPLE))
    def free_slots_are_those_of_the_model(self, name: str) -> None:
        """4a: open, and taken by nobody."""
        agenda = self.agendas[name]
        if agenda.id is None:
            return
        free = {
            instant(start_of(cell))
            for cell in agenda.open
            if not self.rivals("", name, range(cell, cell + 1))
        }
        criteria = [("schedule", agenda.id), ("status", "free"), ("start", f"ge{instant(start_of(0))}")]
        found = self.search("Slot", [*criteria, ("start", f"lt{instant(start_of(CELLS))}")])
        assert {self.utc(one["start"]) for one in found} == free

    @rule(name=st.sampled_from(PEOPLE), status=st.sampled_from(sorted(NEXT)))
    def appointments_are_those_of_the_model(self, name: str, status: str) -> None:
        """4b."""
        found = self.search("Appointment", [("actor", self.actor[name]), ("status", status)])
        mine = {one.id for one in self.known.values() if name in one.who and one.status == status}
        assert {one["id"] for one in found} == mine

    @precondition(lambda self: bool(self.known))
    @rule(data=st.data())
    def histories_have_every_version(self, data: st.DataObject) -> None:
        """GET Appointment/[id]/_history."""
        one = data.draw(st.sampled_from(sorted(self.known.values(), key=lambda one: one.id)))
        past = self.runner.run(interactions.history(self.world, "Appointment", one.id, None, 100, None))
        assert [each.version for each in past.items] == list(range(one.version, 0, -1))

    @invariant()
    def nobody_is_taken_twice(self) -> None:
        """Invariant 1, of the things that own an agenda all along."""
        for thing in ("anne", "bruno"):
            taken = [
                one.cells
                for one in getattr(self, "known", {}).values()
                if thing in one.who and one.takes(self.now)
            ]
            assert not any(meet(a, b) for n, a in enumerate(taken) for b in taken[n + 1 :])

    def search(self, type: str, criteria: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
        pairs = [*criteria, ("_count", "1000")]
        found = self.runner.run(interactions.search(self.world, type, pairs, True))
        return [json.load(one.body) for one in found.entries]

    def utc(self, text: str) -> str:
        return instant(datetime.fromisoformat(text).astimezone(UTC))


class OnMemory(Morning):
    kind = "memory"


class OnSqlite(Morning):
    kind = "sqlite"


class OnPostgres(Morning):
    kind = "postgres"


@pytest.fixture
def on_cluster(cluster: Cluster) -> None:
    """Tells the machine where its tenants may live."""
    OnPostgres.url = cluster.url


RUNS = settings(
    max_examples=20 * int(os.environ.get("MODEL_EXAMPLES", "1")),
    stateful_step_count=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes, and 40 steps can be read
)
OnMemory.TestCase.settings = RUNS
OnSqlite.TestCase.settings = RUNS
OnPostgres.TestCase.settings = RUNS
test_the_flows_on_the_memory_store_do_what_the_model_says = OnMemory.TestCase
test_the_flows_on_sqlite_do_what_the_model_says = OnSqlite.TestCase
test_the_flows_on_postgresql_do_what_the_model_says = pytest.mark.usefixtures("on_cluster")(
    OnPostgres.TestCase
)

"""Random plans: the SQLite store accepts, refuses and answers exactly as the reference in memory (REL-22), and never double-books."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from creneau.search.query import AnyOf, Chain, Has, Not, Parameter, Query, Sort, Term, TextValue, TokenValue
from creneau.search.rows import NONE, Link, Period, Place, Rows, Text, Token
from creneau.store.contract import DAY, AlreadyClaimed, AlreadyTaken, Claim, Moved, Plan, Put, Seen, Take
from creneau.store.memory import MemoryStore
from creneau.store.sqlite import open_sqlite

from .checks import double_bookings
from .made import DAWN, HOUR

TYPES = ("Appointment", "Schedule", "Patient")
IDS = ("a", "b", "c", "d")
THINGS = ("Practitioner/1", "Practitioner/2", "Location/1")
LINKS = (("Patient", "actor"), ("Schedule", "actor"))
INSTANTS = [DAWN + n * HOUR for n in range(6)] + [DAWN - 2 * DAY, DAWN + 2 * DAY]

# Elements that repeat: `index_rows` gives several rows of each.
TOKEN = Parameter("Patient", "t", "token", "Patient.identifier")
DATE = Parameter("Patient", "date", "date", "Patient.address.period")
NAME = Parameter("Patient", "name", "string", "Patient.name.given")
QUERIES = [
    Query("Patient", conditions, sort)
    for conditions in (
        (),
        (Term(TOKEN, (TokenValue("s", "x"),)),),
        (Term(NAME, (TextValue("e", "É"),), "exact"), Term(TOKEN, (TokenValue(None, "x"),), "not")),
    )
    for sort in ((), (Sort("_lastUpdated", None, descending=True),), (Sort("date", DATE), Sort("name", NAME)))
]
ACTOR = Parameter("Schedule", "actor", "reference", "Schedule.actor", ("Patient",))
OF_PATIENT = Chain(ACTOR, "Patient", Term(TOKEN, (TokenValue("s", "x"),)))


def of_agenda(code: str, system: str | None, value: str) -> Term:
    return Term(Parameter("Schedule", code, "token", "Schedule.identifier"), (TokenValue(system, value),))


FOUND = [  # as agendas are looked for: through what they refer to
    Query("Schedule", (OF_PATIENT,)),
    Query("Schedule", (Not(OF_PATIENT),)),
    Query("Schedule", (AnyOf((OF_PATIENT, of_agenda("u", "s", "y"))),)),
    Query("Patient", (Has("Schedule", ACTOR, of_agenda("t", None, "x")),)),
]

claims = st.frozensets(
    st.builds(Claim, st.sampled_from(["", "urn:x"]), st.sampled_from(["1", "2", "3"])), max_size=2
)
index_rows = st.builds(
    Rows,
    tokens=st.frozensets(st.sampled_from([Token("t", "", "x"), Token("t", "s", "x"), Token("u", "s", "y")])),
    periods=st.builds(
        lambda dates, opens: dates | opens,
        st.frozensets(st.sampled_from([Period("date", 1, 2), Period("date", 1, 3)])),
        st.sampled_from(
            [frozenset(), frozenset({Period("opens", 1, 2)}), frozenset({Period("opens", 3, 4)})]
        ),
    ),
    texts=st.frozensets(st.sampled_from([Text("name", "e", "É"), Text("name", "e", "e")])),
    links=st.frozensets(st.sampled_from([Link("actor", "Patient", "a"), Link("actor", "Patient", "b")])),
    places=st.frozensets(st.sampled_from([Place("near", 48.5, 2.25), Place("near", 48.5, -2.25)])),
)


@st.composite
def takes(draw: st.DrawFn) -> Take:
    start, end = sorted(draw(st.lists(st.sampled_from(INSTANTS), min_size=2, max_size=2, unique=True)))
    until = draw(st.one_of(st.none(), st.sampled_from(INSTANTS)))
    slot, capacity = (
        draw(st.sampled_from(["", "cell", "cell a.1.s", "b.1.s"])),
        draw(st.sampled_from([1, 1, 2])),
    )
    return Take(draw(st.sampled_from(THINGS)), start, end, "busy", until, slot, capacity)


wanted = st.fixed_dictionaries(
    {
        "type": st.sampled_from(TYPES),
        "id": st.sampled_from(IDS),
        "stale": st.sampled_from([0] * 12 + [-1, 1]),
        "deletes": st.sampled_from([False] * 4 + [True]),
        "leaves": st.booleans(),
        "claims": claims,
        "rows": index_rows,
        "takes": st.lists(takes(), max_size=3).map(tuple),
        "owns": st.frozensets(st.sampled_from(THINGS), max_size=2),
    }
)


class Twins(RuleBasedStateMachine):
    """Both stores are given the same plans and must give the same answers. `keeps`: the other keeps what it found."""

    keeps: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "creneau.sqlite"
        self.memory = MemoryStore()
        self.sqlite = open_sqlite(self.path)
        self.sqlite._matches.least = 1  # what was found is kept however little it is
        self.rows: dict[tuple[str, str], Rows] = {}
        self.now = DAWN

    def teardown(self) -> None:
        self.runner.run(self.sqlite.close())
        self.runner.close()
        self.folder.cleanup()

    def both(self, verb: str, *values: Any, **named: Any) -> Any:
        """What both stores answer."""
        answers = [self.runner.run(getattr(s, verb)(*values, **named)) for s in (self.memory, self.sqlite)]
        assert answers[0] == answers[1], verb
        return answers[0]

    @rule(
        puts=st.lists(wanted, min_size=1, max_size=3),
        seen=st.sampled_from([None, None, *IDS]),
        late=st.integers(0, 3),
    )
    def commit(self, puts: list[dict[str, Any]], seen: str | None, late: int) -> None:
        self.now += late * HOUR // 4
        made = tuple(self.made(each) for each in puts)
        current = self.runner.run(self.memory.get("Schedule", seen)) if seen else None
        rests_on = (Seen("Schedule", seen, current.version if current else 0),) if seen else ()
        outcomes = [
            self.outcome(store, Plan(made, self.now, rests_on)) for store in (self.memory, self.sqlite)
        ]
        assert outcomes[0] == outcomes[1]
        if outcomes[0][0] == "accepted":
            self.rows.update({(put.type, put.id): put.rows for put in made})

    def made(self, want: dict[str, Any]) -> Put:
        type_, id_ = want["type"], want["id"]
        current = self.runner.run(self.memory.get(type_, id_))
        version = max(1, (current.version if current else 0) + 1 + want["stale"])
        former = self.rows.get((type_, id_), NONE)
        leaves: dict[str, Any] = {"unbooked": want["leaves"] and type_ == "Schedule"}
        if want["deletes"]:
            leaves["unreferenced"] = LINKS if want["leaves"] else ()
            return Put(type_, id_, version, self.now, "delete", b"", former_rows=former, **leaves)
        return Put(
            type_,
            id_,
            version,
            self.now,
            "create" if version == 1 else "update",
            f"{type_}/{id_}/{version}".encode(),
            want["rows"],
            former,
            want["claims"],
            want["takes"] if type_ == "Appointment" else (),
            want["owns"] if type_ == "Schedule" else frozenset(),
            **leaves,
        )

    def outcome(self, store: Any, plan: Plan) -> Any:
        try:
            return "accepted", self.runner.run(store.commit(plan))
        except (Moved, AlreadyTaken, AlreadyClaimed) as refused:
            return type(refused), vars(refused)

    @rule(
        type=st.sampled_from([None, *TYPES]),
        count=st.integers(1, 4),
        since=st.sampled_from([None, DAWN + HOUR]),
    )
    def histories_agree(self, type: str | None, count: int, since: int | None) -> None:
        page = self.both("history", type, None, since=since, count=count)
        while page.next:
            page = self.both("history", type, None, since=since, count=count, after=page.next)

    @rule(id=st.sampled_from(IDS), type=st.sampled_from(TYPES))
    def versions_agree(self, id: str, type: str) -> None:
        self.both("get", type, id)
        self.both("history", type, id, count=2)
        self.both("linked", type, "actor", "Patient", id)
        self.both("linked", type, "actor", "Patient", id, 1)
        self.both("takes", id)
        for version in range(4):
            self.both("version", type, id, version)

    @rule(query=st.sampled_from(QUERIES), count=st.sampled_from([None, 1, 2]))
    def searches_agree(self, query: Query, count: int | None) -> None:
        page = self.both("find", query, count=count)
        while page.next:
            page = self.both("find", replace(query, after=page.next), count=count)

    @invariant()
    def what_is_held_agrees(self) -> None:
        self.both("taken", THINGS, DAWN - 10 * DAY, DAWN + 10 * DAY, now=self.now)
        self.both("agendas", THINGS)
        for type_ in TYPES:
            for system in ("", "urn:x"):
                for value in "123":
                    self.both("holder", type_, Claim(system, value))

    @invariant()
    def what_was_found_and_kept_is_what_is_there(self) -> None:
        for query in FOUND:
            self.both("matching", query)
            if self.keeps:
                self.both("matching", query)  # from what was kept
        self.both("dated", "Schedule", IDS, "op")

    @invariant()
    def nothing_is_booked_twice(self) -> None:
        assert double_bookings(self.path, self.now) == []


Twins.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
test_random_plans_have_the_same_outcome_in_both_stores = Twins.TestCase

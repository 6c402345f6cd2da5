"""What searches found is kept while nothing they look at is written, and not a write longer (store/matches.py)."""

import pytest

from creneau.search.query import Chain, Has, Ids, Not, Parameter, Query, Term, TokenValue
from creneau.store import matches
from creneau.store.contract import Plan
from creneau.store.matches import Matches

from .made import deletion, plan, put, rows

ACTOR = Parameter("Schedule", "actor", "reference", "Schedule.actor", ("PractitionerRole",))
PLACE = Parameter("PractitionerRole", "location", "reference", "PractitionerRole.location", ("Location",))


def tagged(type: str) -> Term:
    return Term(Parameter(type, "tag", "token", f"{type}.meta.tag"), (TokenValue("urn:t", "x"),))


IN_PLACE = Query(
    "Schedule", (Chain(ACTOR, "PractitionerRole", Chain(PLACE, "Location", tagged("Location"))),)
)
NOT_IN_PLACE = Query("Schedule", (Not(IN_PLACE.conditions[0]),))
WITH_AGENDA = Query("PractitionerRole", (Has("Schedule", ACTOR, tagged("Schedule")),))


@pytest.fixture
def kept(store):
    """The store, keeping whatever it finds if it keeps anything."""
    if hasattr(store, "_matches"):
        store._matches.least = 0
    return store


def asked(run, store, query: Query) -> dict[str, int]:
    """The answer, twice the same: read, then kept."""
    first = run(store.matching(query))
    assert run(store.matching(query)) == first
    return first


def test_a_write_anywhere_along_a_chain_is_seen(kept, run):
    agenda = rows("s", ("actor", "PractitionerRole", "r"))
    run(kept.commit(plan(put("Schedule", "s", rows=agenda))))
    assert asked(run, kept, IN_PLACE) == {}
    assert asked(run, kept, NOT_IN_PLACE) == {"s": 1}

    role = rows("r", ("location", "Location", "l"))
    run(kept.commit(plan(put("PractitionerRole", "r", rows=role))))
    assert asked(run, kept, IN_PLACE) == {}
    run(kept.commit(plan(put("Location", "l", rows=rows("x")))))
    assert asked(run, kept, IN_PLACE) == {"s": 1}
    assert asked(run, kept, NOT_IN_PLACE) == {}
    run(kept.commit(plan(put("PractitionerRole", "r", 2, former_rows=role))))
    assert asked(run, kept, IN_PLACE) == {}
    assert asked(run, kept, NOT_IN_PLACE) == {"s": 1}


def test_a_write_of_what_points_here_is_seen(kept, run):
    agenda = rows("x", ("actor", "PractitionerRole", "r"))
    run(kept.commit(plan(put("PractitionerRole", "r"))))
    assert asked(run, kept, WITH_AGENDA) == {}
    run(kept.commit(plan(put("Schedule", "s", rows=agenda))))
    assert asked(run, kept, WITH_AGENDA) == {"r": 1}
    run(kept.commit(plan(deletion("Schedule", "s", 2, former_rows=agenda))))
    assert asked(run, kept, WITH_AGENDA) == {}


def test_what_is_given_is_the_callers_own(kept, run):
    run(kept.commit(plan(put("Schedule", "s"))))
    query = Query("Schedule", (Ids(("s",)),))
    run(kept.matching(query)).clear()
    run(kept.matching(query)).clear()
    assert run(kept.matching(query)) == {"s": 1}


def written(type: str, id: str = "a") -> Plan:
    return plan(put(type, id))


def test_only_a_write_of_a_type_looked_at_ends_what_is_kept():
    known = Matches()
    known.least = 1
    for query, types in (
        (IN_PLACE, {"Schedule", "PractitionerRole", "Location"}),
        (WITH_AGENDA, {"PractitionerRole", "Schedule"}),
    ):
        for type in ("Appointment", "Schedule", "PractitionerRole", "Location", "Patient"):
            known.reading(query)({"s": 1})
            assert known.get(query) == {"s": 1}
            known.committed(written(type))
            assert known.get(query) == (None if type in types else {"s": 1})


def test_a_write_while_it_was_read_is_not_missed():
    known = Matches()
    known.least = 1
    take = known.reading(IN_PLACE)
    known.committed(written("Location"))
    assert take({"s": 1}) == {"s": 1}
    assert known.get(IN_PLACE) is None

    before = known.written("Schedule")
    known.committed(written("Schedule", "s"))
    known.keep_dated("Schedule", "_opens", ["s"], {}, before)
    assert known.dated("Schedule", "_opens") == {}


def test_a_file_written_otherwise_while_it_was_read_is_not_missed():
    known = Matches()
    known.least = 1
    take, before = known.reading(IN_PLACE), known.written("Schedule")
    known.clear()
    take({"s": 1})
    known.keep_dated("Schedule", "_opens", ["s"], {}, before)
    assert (known.get(IN_PLACE), known.dated("Schedule", "_opens")) == (None, {})


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(matches, "MOST", 5)
    monkeypatch.setattr(matches, "DATED", 5)
    known = Matches()
    known.least = 1
    queries = [Query("Schedule", (Ids((str(number),)),)) for number in range(4)]
    for query in queries:
        known.reading(query)({"a": 1, "b": 1})
    assert [known.get(query) is None for query in queries] == [True, True, False, False]
    for number in range(4):
        known.keep_dated("Schedule", "_opens", [f"{number}a", f"{number}b"], {}, 0)
        assert len(known.dated("Schedule", "_opens")) <= 5
    known.keep_dated("Schedule", "_opens", list("abcdefgh"), {}, 0)
    assert len(known.dated("Schedule", "_opens")) <= 5

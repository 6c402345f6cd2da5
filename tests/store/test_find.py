"""Pages of a search: in order, whole, stable while writes go on, and seen as soon as a write was acknowledged (REL-23)."""

from __future__ import annotations

import pytest

from creneau.problems import Malformed
from creneau.search.query import Parameter, Query, Sort, Term, TokenValue
from creneau.search.rows import Period, Rows, Token

from .made import deletion, plan, put, rows

TAG = Parameter("Patient", "tag", "token", "Resource.meta.tag")
DATE = Parameter("Patient", "date", "date", "Patient.birthDate")
EVERY = Query("Patient")
RED = Query("Patient", conditions=(Term(TAG, (TokenValue(None, "red"),)),))


def coloured(id, color, version=1, *, date=0, former=None):
    """A patient with one colour and one date."""
    made = Rows(
        tokens=frozenset({Token("tag", "urn:c", color)}), periods=frozenset({Period("date", date, date + 1)})
    )
    return put("Patient", id, version, rows=made, **({"former_rows": former} if former else {}))


def ids(page):
    return [stored.id for stored in page.items]


def pages(store, run, query, count):
    """The ids of all pages joined."""
    found, after = [], None
    while True:
        page = run(store.find(Query(query.type, query.conditions, query.sort, after=after), count=count))
        found += ids(page)
        if page.next is None:
            return found
        after = page.next


@pytest.fixture
def written(store, run):
    """Nine patients, of which every third is red, dated backwards, and one of another type."""
    puts = [coloured(f"p{n}", "red" if n % 3 == 0 else "blue", date=9 - n) for n in range(9)]
    run(store.commit(plan(*puts, put("Device", "d", rows=rows("d")))))
    return store


def test_without_condition_every_live_resource_of_the_type_is_found_by_id(written, run):
    run(written.commit(plan(deletion("Patient", "p4", 2))))

    page = run(written.find(EVERY))

    assert ids(page) == ["p0", "p1", "p2", "p3", "p5", "p6", "p7", "p8"]
    assert (page.total, page.next) == (8, None)
    assert page.items[0] == run(written.get("Patient", "p0"))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9, 100])
def test_the_pages_joined_are_the_whole(written, run, count):
    by_date = Query("Patient", sort=(Sort("date", DATE),))
    by_date_down = Query("Patient", sort=(Sort("date", DATE, descending=True),))

    assert pages(written, run, EVERY, count) == [f"p{n}" for n in range(9)]
    assert pages(written, run, RED, count) == ["p0", "p3", "p6"]
    assert pages(written, run, by_date, count) == [f"p{n}" for n in reversed(range(9))]
    assert pages(written, run, by_date_down, count) == [f"p{n}" for n in range(9)]


def test_the_total_is_given_when_asked_for_accurately(written, run):
    assert run(written.find(RED, count=1)).total == 3
    assert run(written.find(Query("Patient", RED.conditions, total="none"), count=1)).total is None


def test_the_count_of_the_query_holds_unless_another_is_given(written, run):
    two = Query("Patient", count=2)

    assert ids(run(written.find(two))) == ["p0", "p1"]
    assert ids(run(written.find(two, count=3))) == ["p0", "p1", "p2"]


def test_pages_stay_stable_while_writes_go_on(written, run):
    first = run(written.find(EVERY, count=4))
    gone = coloured("p3", "red", date=6).rows

    run(
        written.commit(
            plan(coloured("a", "red"), coloured("p45", "red"), deletion("Patient", "p3", 2, former_rows=gone))
        )
    )
    rest = run(written.find(Query("Patient", after=first.next), count=100))

    assert ids(first) + ids(rest) == ["p0", "p1", "p2", "p3", "p4", "p45", "p5", "p6", "p7", "p8"]


def test_a_change_is_found_by_its_new_rows_and_no_longer_by_the_old(written, run):
    former = coloured("p3", "red", date=6).rows

    run(written.commit(plan(coloured("p3", "blue", 2, date=6, former=former), coloured("p99", "red"))))

    assert ids(run(written.find(RED))) == ["p0", "p6", "p99"]


def test_a_position_that_no_page_gave_is_refused(written, run):
    with pytest.raises(Malformed):
        run(written.find(Query("Patient", after="x")))


@pytest.mark.parametrize("query", [EVERY, RED, Query("Location")])
def test_the_versions_of_all_that_matches_are_those_that_find_gives(written, run, query):
    run(written.commit(plan(coloured("p0", "red", 2, former=rows("p0")), deletion("Patient", "p3", 2))))

    found = run(written.matching(query))

    assert found == {stored.id: stored.version for stored in run(written.find(query)).items}


def test_several_are_read_at_once_each_once_and_only_the_live(written, run):
    run(written.commit(plan(deletion("Patient", "p3", 2))))
    asked = ["p0", "p3", "p1", "p0", "none", "d"]

    found = run(written.several("Patient", asked))

    assert sorted(found) == [run(written.get("Patient", id)) for id in ("p0", "p1")]
    assert run(written.versions("Patient", asked)) == {"p0": 1, "p1": 1}
    assert run(written.several("Patient", [])) == []

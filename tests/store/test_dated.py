"""The index rows of dates of many resources at once, by the beginning of their parameter (contract.Store.dated)."""

from creneau.search.rows import Period, Rows

from .made import deletion, plan, put

OPENS = Period("_opens@Europe/Paris", 5, 6)


def kept(*periods: Period) -> Rows:
    return Rows(periods=frozenset(periods))


def test_each_live_resource_gives_the_row_that_begins_so(store, run):
    date = Period("date", 1, 2)
    run(
        store.commit(
            plan(put("Schedule", "a", rows=kept(OPENS, date)), put("Schedule", "b", rows=kept(date)))
        )
    )
    run(store.commit(plan(put("Patient", "a", rows=kept(OPENS)))))

    assert run(store.dated("Schedule", ["a", "b", "nowhere"], "_opens@")) == {"a": OPENS}
    assert run(store.dated("Schedule", ["b", "a"], "date")) == {"a": date, "b": date}
    assert run(store.dated("Schedule", [], "_opens@")) == {}


def test_what_a_new_version_says_replaces_it_and_a_deletion_ends_it(store, run):
    other = Period("_opens@Indian/Reunion", 7, 8)
    run(store.commit(plan(put("Schedule", "a", rows=kept(OPENS)))))
    run(store.commit(plan(put("Schedule", "a", 2, rows=kept(other), former_rows=kept(OPENS)))))

    assert run(store.dated("Schedule", ["a"], "_opens@")) == {"a": other}

    run(store.commit(plan(deletion("Schedule", "a", 3, former_rows=kept(other)))))
    assert run(store.dated("Schedule", ["a"], "_opens@")) == {}

"""Histories and their pages (https://hl7.org/fhir/R4/http.html#history)."""

import pytest

from creneau.problems import Malformed

from .made import DAWN, MINUTE, deletion, plan, put


def versions(page):
    return [(stored.type, stored.id, stored.version) for stored in page.items]


def pages(store, run, type, id, **asked):
    """All items of all pages, and how many pages there were."""
    found, after, number = [], None, 0
    while number == 0 or after is not None:
        page = run(store.history(type, id, after=after, **asked))
        found, after, number = found + versions(page), page.next, number + 1
    return found, number


@pytest.fixture
def written(store, run):
    """Three types, written so that instants repeat between resources; a minute is the version's number."""
    for version in (1, 2, 3):
        puts = [put("Patient", "p", version), put("Device", "d", version), put("Patient", "q", version)]
        run(store.commit(plan(*puts)))
    run(store.commit(plan(deletion("Patient", "p", 4), put("Location", "l"))))
    return store


ALL = [
    ("Patient", "p", 4),
    ("Patient", "q", 3),
    ("Patient", "p", 3),
    ("Device", "d", 3),
    ("Patient", "q", 2),
    ("Patient", "p", 2),
    ("Device", "d", 2),
    ("Patient", "q", 1),
    ("Patient", "p", 1),
    ("Location", "l", 1),
    ("Device", "d", 1),
]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 11, 100])
def test_the_pages_of_a_history_joined_are_the_history_newest_first(written, run, count):
    patients = [item for item in ALL if item[0] == "Patient"]

    everything, number = pages(written, run, None, None, count=count)

    assert everything == ALL
    assert number == -(-len(ALL) // count)
    assert pages(written, run, "Patient", None, count=count)[0] == patients
    assert pages(written, run, "Patient", "p", count=count)[0] == [("Patient", "p", v) for v in (4, 3, 2, 1)]


def test_a_history_says_how_many_versions_there_are_whatever_the_page(written, run):
    first = run(written.history("Patient", None, count=2))

    second = run(written.history("Patient", None, count=2, after=first.next))

    assert (first.total, second.total) == (7, 7)
    assert run(written.history(None, None)).total == 11
    assert run(written.history("Patient", "p")).total == 4
    assert run(written.history("Patient", "nobody")) == ([], None, 0)


def test_since_is_inclusive_and_counts_only_what_it_lets_through(written, run):
    third = DAWN + 3 * MINUTE

    assert versions(run(written.history("Patient", None, since=third))) == [i for i in ALL[:3]]
    assert run(written.history(None, None, since=third)).total == 4
    assert versions(run(written.history("Patient", "q", since=third))) == [("Patient", "q", 3)]
    assert run(written.history("Patient", "q", since=third + 1)).total == 0


def test_pages_stay_stable_while_writes_go_on(written, run):
    first = run(written.history("Patient", None, count=3))

    run(written.commit(plan(put("Patient", "q", 4), put("Patient", "new", updated=DAWN + 9 * MINUTE))))
    rest = run(written.history("Patient", None, count=100, after=first.next))

    assert versions(first) + versions(rest) == [item for item in ALL if item[0] == "Patient"]


def test_a_history_holds_the_bytes_and_the_deletion(written, run):
    deleted, third = run(written.history("Patient", "p", count=2)).items

    assert deleted.deleted and deleted.body == b""
    assert b'"versionId":"3"' in third.body


@pytest.mark.parametrize(
    "word", ["", "x", "1~Patient~p", "1~Patient~p~x", "+1~Patient~p~1", f"{2**70}~Patient~p~1"]
)
def test_a_position_that_no_page_gave_is_refused(written, run, word):
    with pytest.raises(Malformed):
        run(written.history("Patient", None, after=word))

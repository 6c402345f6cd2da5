"""A page ends before its bodies are too many bytes for one answer (SEC-23: 20 MiB a response); what follows comes with `next`."""

from dataclasses import replace

from creneau.search.query import Query
from creneau.store.fill import PAGE_BYTES

from .made import plan, put

HEAVY = b" " * (1 << 20)
MANY = 30


def filled(store, run):
    for number in range(MANY):
        run(store.commit(plan(put("Patient", f"p{number:02}", body=HEAVY))))
    return store


def test_a_search_of_heavy_resources_gives_them_all_page_by_page(store, run):
    filled(store, run)
    query = Query("Patient", count=1_000, total="accurate")
    page = run(store.find(query))
    pages = [page]

    while page.next:
        page = run(store.find(replace(query, after=page.next)))
        pages.append(page)

    found = [one.id for page in pages for one in page.items]
    weights = [sum(len(one.body) for one in page.items) for page in pages]
    assert found == [f"p{number:02}" for number in range(MANY)]
    assert len(pages) > 1
    assert {page.total for page in pages} == {MANY}
    assert max(weights) <= PAGE_BYTES


def test_one_resource_heavier_than_a_page_is_a_page(store, run):
    run(store.commit(plan(put("Patient", "p", body=b" " * (PAGE_BYTES + 1)), put("Patient", "q"))))

    page = run(store.find(Query("Patient", count=2)))

    assert [one.id for one in page.items] == ["p"]
    assert page.next is not None


def test_a_history_of_heavy_versions_gives_them_all(store, run):
    filled(store, run)
    page = run(store.history("Patient", None, count=1_000))
    seen = list(page.items)
    while page.next:
        page = run(store.history("Patient", None, count=1_000, after=page.next))
        assert sum(len(one.body) for one in page.items) <= PAGE_BYTES
        seen += page.items

    assert len(seen) == len({one.id for one in seen}) == MANY == page.total


def test_what_is_asked_whole_is_given_whole(store, run):
    filled(store, run)

    assert len(run(store.find(Query("Patient"))).items) == MANY

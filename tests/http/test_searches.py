"""Searches over HTTP: searchset, links, forms, what links hide (contract, "Reads and searches"; SEC-42, GAP-SEC-09)."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creneau.http import links
from creneau.http.request import pairs
from creneau.problems import Malformed
from tests.http.running import Reply, Running

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
INS = "275127500234567"
KEY = b"k" * 32


def link(reply: Reply, relation: str) -> str:
    return str(next((one["url"] for one in reply.json["link"] if one["relation"] == relation), ""))


def ids(reply: Reply) -> list[str]:
    return [one["resource"]["id"] for one in reply.json.get("entry", [])]


def followed(front: Running, first: Reply) -> list[str]:
    """The ids of this page and all that follow, by GET."""
    found, reply = ids(first), first
    while url := link(reply, "next"):
        reply = front.get(url.removeprefix(front.base.removesuffix("/fhir")))
        assert reply.status == 200, reply.body
        found += ids(reply)
    return found


def test_a_searchset_has_total_links_full_urls_and_modes(front: Running) -> None:
    front.patient()

    reply = front.get("/fhir/Patient?_count=1")

    assert (reply.json["resourceType"], reply.json["type"]) == ("Bundle", "searchset")
    assert reply.json["total"] >= 1
    entry = reply.json["entry"][0]
    assert entry["fullUrl"] == f"{front.base}/Patient/{entry['resource']['id']}"
    assert entry["search"] == {"mode": "match"}
    assert link(reply, "self").startswith(f"{front.base}/Patient?")
    assert "_count=1" in link(reply, "self")


def test_pages_by_their_next_links_give_every_match_once(front: Running) -> None:
    made = {front.patient() for _ in range(5)}

    found = followed(front, front.get("/fhir/Patient?_count=2"))

    assert len(found) == len(set(found))
    assert made <= set(found)


def test_an_empty_searchset_has_no_entry_element(front: Running) -> None:
    reply = front.get("/fhir/Location?_count=5")

    assert (reply.status, reply.json["total"]) == (200, 0)
    assert "entry" not in reply.json


def test_summary_count_gives_the_total_alone(front: Running) -> None:
    front.patient()

    reply = front.get("/fhir/Patient?_summary=count")

    assert reply.json["total"] >= 1
    assert "entry" not in reply.json


def test_an_unknown_parameter_is_told_in_an_entry_and_refused_when_strict(front: Running) -> None:
    front.patient()

    lenient = front.get("/fhir/Patient?foo=1")
    strict = front.get("/fhir/Patient?foo=1", Prefer="handling=strict")

    assert lenient.status == 200
    assert lenient.json["entry"][-1]["search"]["mode"] == "outcome"
    assert lenient.json["entry"][-1]["resource"]["resourceType"] == "OperationOutcome"
    assert "foo" not in link(lenient, "self")
    assert strict.status == 400


def test_a_form_finds_what_a_query_string_finds(front: Running) -> None:
    front.patient()

    by_get = front.get("/fhir/Patient?_count=7")
    by_post = front.call("POST", "/fhir/Patient/_search", b"_count=7", FORM)
    both = front.call("POST", "/fhir/Patient/_search?_count=7", b"", FORM)

    assert ids(by_get) == ids(by_post) == ids(both)
    assert by_get.json["total"] == by_post.json["total"]


def test_the_links_of_a_form_search_name_nobody_and_still_lead_on(front: Running) -> None:
    identifier = f"urn:oid:1.2.250.1.213.1.4.8|{INS}"
    made = {
        front.patient(identifier=[{"system": "urn:oid:1.2.250.1.213.1.4.8", "value": INS}]) for _ in range(1)
    }
    form = urlencode({"identifier": identifier, "family": "Martin", "_count": "1"}).encode()

    reply = front.call("POST", "/fhir/Patient/_search", form, FORM)

    shown = link(reply, "self") + link(reply, "next")
    assert reply.status == 200, reply.body
    assert "_count=1" in shown
    for secret in (INS, "Martin", "identifier", "family"):
        assert secret not in shown
    again = front.get(link(reply, "self").removeprefix(front.base.removesuffix("/fhir")))
    assert ids(again) == ids(reply)
    assert again.json["total"] == reply.json["total"]
    assert made <= set(followed(front, reply))
    assert INS not in link(again, "self")


def test_a_form_of_another_media_type_is_415(front: Running) -> None:
    assert (
        front.call("POST", "/fhir/Patient/_search", b"{}", {"Content-Type": "application/json"}).status == 415
    )


def test_a_literal_plus_in_a_date_stays_a_plus() -> None:
    read = pairs(b"start=ge2026-01-01T08:00:00+02:00&date=2026-01-01T08%3A00+01%3A00&name=a+b&x=%2B", 10)

    assert read == (
        ("start", "ge2026-01-01T08:00:00+02:00"),
        ("date", "2026-01-01T08:00+01:00"),
        ("name", "a b"),
        ("x", "+"),
    )


@pytest.mark.parametrize("query", [b"a=%ff", b"a=%00", b"a=\xff", b"&".join([b"a=1"] * 11)])
def test_a_query_string_that_cannot_be_read_is_refused(query: bytes) -> None:
    with pytest.raises(Malformed):
        pairs(query, 10)


def test_links_repeat_a_plus_as_its_percent_code() -> None:
    assert (
        links.show("b", "Slot", [("start", "ge2026-01-01T08:00:00+02:00")])
        == "b/Slot?start=ge2026-01-01T08:00:00%2B02:00"
    )


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)


@given(st.lists(st.tuples(st.sampled_from(["identifier", "_count", "name", "actor.identifier"]), TEXT)))
def test_a_sealed_link_opens_to_the_same_parameters_and_shows_none_of_them(
    given_pairs: list[tuple[str, str]],
) -> None:
    sealed = links.sealed(tuple(given_pairs), KEY)

    assert sorted(links.opened(sealed, KEY)) == sorted(given_pairs)
    assert {name for name, _ in sealed} <= {"_count", links.SEALED}


@given(TEXT)
def test_a_seal_that_is_not_ours_is_malformed(token: str) -> None:
    with pytest.raises(Malformed):
        links.opened(((links.SEALED, token),), KEY)


@given(st.integers(0, 60), st.integers(1, 255))
def test_a_seal_altered_anywhere_is_malformed(place: int, flip: int) -> None:
    ((name, token),) = links.sealed((("identifier", INS),), KEY)
    letters = list(token)
    letters[place % len(letters)] = (
        chr(ord("A") + flip % 26) if letters[place % len(letters)] != chr(ord("A") + flip % 26) else "_"
    )

    with pytest.raises(Malformed):
        links.opened(((name, "".join(letters)),), KEY)


def test_a_cursor_sorted_by_name_is_sealed_and_one_sorted_by_date_is_not() -> None:
    by_name = links.following((("_sort", "family,-date"),), "Martin~7", KEY)
    by_date = links.following((("_sort", "-date"),), "123~7", KEY)

    assert "Martin" not in str(by_name)
    assert dict(links.opened(by_name, KEY))[links.CURSOR] == "Martin~7"
    assert by_date[-1] == (links.CURSOR, "123~7")


def test_a_query_string_over_its_limit_is_414(front: Running) -> None:
    reply = front.get("/fhir/Patient?name=" + quote("é" * 3000))

    assert (reply.status, reply.keys) == (414, ["query-too-long"])

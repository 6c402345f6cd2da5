"""Warnings of an accepted write go in headers, and in the body when asked (contract; design, "Who is taken")."""

from __future__ import annotations

from creneau.flows.answers import Saved
from creneau.http import response, routes
from creneau.http.request import Call, Front, place
from creneau.http.settings import HttpSettings
from creneau.problems import Issue, Refusal
from creneau.store.contract import Stored
from tests.http.running import new_world

BASE = "http://127.0.0.1:1/fhir"
OUTSIDE = Refusal(
    "outside", "business-rule", "Hors de l'« ouverture » déclarée à l’œuvre : {what}.", "Outside: {what}."
)
SAVED = Saved(
    Stored("Appointment", "a", 1, 0, "create", b'{"resourceType":"Appointment","id":"a"}'),
    created=True,
    warnings=(Issue(OUTSIDE, "Appointment.start", "warning", {"what": 'x"\r\nSet-Cookie: y'}),),
)


def call(**headers: str) -> Call:
    given = [(name.lower().replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"headers": given, "method": "POST", "query_string": b""}
    settings = HttpSettings(base_url=BASE)
    return Call(Front(new_world(BASE), settings, lambda _: {}, routes.refused), scope, place("/Appointment"))


def test_each_warning_is_a_header_in_ascii_that_holds_on_one_line() -> None:
    answer = response.saved(call(), SAVED)

    (value,) = [value for name, value in answer.headers if name == b"warning"]
    assert value.decode("ascii").startswith("199 creneau \"outside: Hors de l'")
    assert b"declaree a l'oeuvre" in value
    assert b"\r" not in value
    assert value.count(b'"') == 2
    assert answer.body == SAVED.stored.body


def test_the_outcome_asked_for_tells_them_with_their_places() -> None:
    answer = response.saved(call(Prefer="return=OperationOutcome", Accept_Language="en"), SAVED)

    assert answer.status == 201
    assert b'"severity":"warning"' in answer.body
    assert b'"expression":["Appointment.start"]' in answer.body
    assert b"Outside" in answer.body


def test_a_write_without_warning_has_neither_header_nor_issue_but_all_ok() -> None:
    quiet = Saved(SAVED.stored, created=False)

    answer = response.saved(call(Prefer="return=OperationOutcome"), quiet)

    assert answer.status == 200
    assert b"all-ok" in answer.body
    assert not [name for name, _ in answer.headers if name == b"warning"]

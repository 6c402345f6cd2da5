"""The table of routes holds inside a batch or transaction too: what a type does not offer alone, it does not offer there.

https://hl7.org/fhir/R4/http.html#transaction; design, "One guard on every write path".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from creneau.flows.answers import Done
from creneau.http.request import Call, Resource, path_of, place
from creneau.problems import Problem

NO_ADDRESS: Final[Resource] = {"request": {"method": "GET", "url": "-/-/-"}}
"""Stands in a batch for an entry refused here, so that the others keep their numbers; the flow reads nothing for it."""


def refusals(call: Call, sent: Resource) -> dict[int, Problem]:
    """By number, the entries that ask for what is not offered, each with its refusal. What cannot be read is left to the flow."""
    listed = sent.get("entry")
    found: dict[int, Problem] = {}
    if isinstance(listed, list):
        for number, method, url in _requests(listed):
            problem = _refusal(call, method, url)
            if problem is not None:
                at = f"Bundle.entry[{number}].request.url"
                problem.issues = tuple(replace(issue, at=at) for issue in problem.issues)
                found[number] = problem
    return found


def _requests(listed: list[Any]) -> Iterator[tuple[int, str, str]]:
    for number, entry in enumerate(listed):
        request = entry.get("request") if isinstance(entry, dict) else None
        if isinstance(request, dict):
            method, url = request.get("method"), request.get("url")
            if isinstance(method, str) and isinstance(url, str):
                yield number, method, url


def _refusal(call: Call, method: str, url: str) -> Problem | None:
    for base in (call.front.settings.base_url, *call.world.bases.own):
        url = url.removeprefix(base)
    path = url.partition("?")[0].strip("/")
    return call.front.refusal(method, place(path_of(f"/{path}".encode())), True)


def without(sent: Resource, refused: dict[int, Problem]) -> Resource:
    """The batch with entries that address nothing in place of those refused."""
    listed = [NO_ADDRESS if number in refused else entry for number, entry in enumerate(sent["entry"])]
    return {**sent, "entry": listed}


def merged(done: Sequence[Done], refused: dict[int, Problem]) -> list[Done]:
    """What became of every entry, those refused here included."""
    return [Done(refused[number]) if number in refused else one for number, one in enumerate(done)]

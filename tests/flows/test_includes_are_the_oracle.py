"""Includes of random searches over random resources are what plain reading of the references says, page by page (REL-23, C-42)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.client import OK, Server
from tests.flows.directory import matches, pages, search
from tests.people import declare

LINKS: Final[dict[tuple[str, str], tuple[str, tuple[str, ...]]]] = {
    ("Organization", "partof"): ("partOf", ("Organization",)),
    ("Location", "organization"): ("managingOrganization", ("Organization",)),
    ("Location", "partof"): ("partOf", ("Location",)),
    ("HealthcareService", "organization"): ("providedBy", ("Organization",)),
    ("HealthcareService", "location"): ("location", ("Location",)),
    ("PractitionerRole", "practitioner"): ("practitioner", ("Practitioner",)),
    ("PractitionerRole", "organization"): ("organization", ("Organization",)),
    ("PractitionerRole", "location"): ("location", ("Location",)),
    ("PractitionerRole", "service"): ("healthcareService", ("HealthcareService",)),
    ("Schedule", "actor"): (
        "actor",
        ("Practitioner", "PractitionerRole", "Location", "HealthcareService"),
    ),
}
"""By type and parameter: the element, and the types it may lead to here."""

MANY: Final = frozenset({"location", "healthcareService", "actor"})
TYPES: Final = (
    *("Organization", "Location", "Practitioner", "HealthcareService", "PractitionerRole", "Schedule"),
)


@dataclass
class Graph:
    """Resources by "Type/id", and the references of each by parameter."""

    server: Server
    links: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def of(self, type: str) -> list[str]:
        return [one for one in self.links if one.startswith(f"{type}/")]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory, database_at: Callable[[Path], str]) -> Iterator[Graph]:
    folder: Path = tmp_path_factory.mktemp("graph")
    running = Server(database_at(folder / "own.sqlite"), log=folder / "log").start()
    made, chance = Graph(running), random.Random(2031)
    for type in TYPES:
        for number in range(6):
            links = {
                code: chosen
                for (source, code), (element, targets) in LINKS.items()
                if source == type and (chosen := some(made, chance, element, targets))
            }
            made.links[declare(running, resource(type, number, links))] = links
    yield made
    assert running.stop() == 0


def some(made: Graph, chance: random.Random, element: str, targets: tuple[str, ...]) -> set[str]:
    known = [one for type in targets for one in made.of(type)]
    most = min(3 if element in MANY else 1, len(known))
    least = 1 if element == "actor" else 0
    return set(chance.sample(known, chance.randint(least, most))) if known else set()


def resource(type: str, number: int, links: dict[str, set[str]]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": type,
        "identifier": [{"system": "https://editor.example/graph", "value": f"{type}-{number}"}],
    }
    if type == "Organization":
        made["name"] = f"Structure {number}"
    for code, chosen in links.items():
        element, _ = LINKS[type, code]
        found = [{"reference": one} for one in sorted(chosen)]
        made[element] = found if element in MANY else found[0]
    return made


class Asked(NamedTuple):
    """One include: from a type through a parameter to a type ("" any)."""

    source: str
    code: str
    target: str
    iterate: bool
    reverse: bool

    def written(self) -> tuple[str, str]:
        name = ("_revinclude" if self.reverse else "_include") + (":iterate" if self.iterate else "")
        return name, ":".join(part for part in (self.source, self.code, self.target) if part)

    def goes_on(self, searched: str) -> bool:
        """Whether it applies to what was included: asked for, or it could not start from the matches."""
        _, targets = LINKS[self.source, self.code]
        far = searched not in targets if self.reverse else self.source != searched
        return self.iterate or far

    def reached(self, graph: Graph, one: str) -> set[str]:
        if self.reverse:
            return {
                other for other in graph.of(self.source) if one in graph.links[other].get(self.code, set())
            }
        if not one.startswith(f"{self.source}/"):
            return set()
        return {
            other
            for other in graph.links[one].get(self.code, set())
            if not self.target or other.startswith(f"{self.target}/")
        }


def included(graph: Graph, searched: str, found: set[str], includes: list[Asked]) -> set[str]:
    """The oracle: everything that the includes reach, the matches left out."""
    seen, wave, first = set(found), set(found), True
    while wave:
        new = {
            other
            for include in includes
            if first or include.goes_on(searched)
            for one in wave
            for other in include.reached(graph, one)
        }
        wave, first = new - seen, False
        seen |= wave
    return seen - found


@st.composite
def includes(draw: st.DrawFn) -> Asked:
    (source, code), (_, targets) = draw(st.sampled_from(sorted(LINKS.items())))
    reverse = draw(st.booleans())
    target = "" if reverse else draw(st.sampled_from(("", *targets)))
    return Asked(source, code, target, draw(st.booleans()), reverse)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    searched=st.sampled_from(TYPES),
    asked=st.lists(includes(), min_size=1, max_size=4),
    count=st.sampled_from((1, 2, 4, 50)),
)
def test_a_page_comes_with_what_its_matches_include(
    graph: Graph, searched: str, asked: list[Asked], count: int
) -> None:
    pairs = [("_count", str(count)), ("_sort", "_id"), *(one.written() for one in asked)]

    found = list(pages(graph.server, search(graph.server, searched, pairs, Prefer="handling=strict")))

    every: list[str] = []
    for page in found:
        mine = {f"{searched}/{one['id']}" for one in matches(page)}
        others = [f"{one['resourceType']}/{one['id']}" for one in matches(page, "include")]
        assert page.status == OK
        assert len(others) == len(set(others))
        assert set(others) == included(graph, searched, mine, asked)
        every += sorted(mine)
    assert every == sorted(graph.of(searched))


def test_the_graph_has_long_ways_so_that_iteration_matters(graph: Graph) -> None:
    role = [
        Asked("PractitionerRole", "location", "", False, False),
        Asked("Location", "partof", "", True, False),
    ]
    first = set(graph.of("PractitionerRole"))

    near = included(graph, "PractitionerRole", first, role[:1])
    far = included(graph, "PractitionerRole", first, role)

    assert near < far

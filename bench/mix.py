"""What is asked: a mix such as `read=80,create=15,update=5`, and the request of each operation (GAP flows 4a, 6a, 6b)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final, NamedTuple

from bench import resources
from bench.seed import World
from bench.wire import Target, escaped


class Request(NamedTuple):
    """One request ready to send."""

    operation: str
    wire: bytes


class Operation(NamedTuple):
    """A row of `OPERATIONS`: what it is called, what it sends, which statuses are a success."""

    name: str
    title: str
    request: Callable[[Asking], bytes]
    good: tuple[int, ...]


class Asking:
    """Makes requests against one seeded server; seeded, so that two runs ask the same."""

    def __init__(self, target: Target, world: World, seed: int = 1) -> None:
        self.target = target
        self.world = world
        self.random = random.Random(seed)
        self._turn = 0

    def turn(self) -> int:
        """A number one higher each time."""
        self._turn += 1
        return self._turn


def _read(asking: Asking) -> bytes:
    id_, _ = asking.random.choice(asking.world.appointments)
    return asking.target.request("GET", f"Appointment/{id_}")


def _create(asking: Asking) -> bytes:
    body = resources.encoded(resources.appointment(asking.world.next_visit()))
    return asking.target.request("POST", "Appointment", body)


def _update(asking: Asking) -> bytes:
    known, turn = asking.world.appointments, asking.turn()
    _, visit = known[turn % len(known)]
    body = resources.encoded(resources.appointment(replace(visit, comment=f"Version {turn}")))
    key = escaped(f"{resources.APPOINTMENTS}|{visit.identifier}")
    return asking.target.request("PUT", f"Appointment?identifier={key}", body)


def _search(asking: Asking) -> bytes:
    who = asking.random.choice(asking.world.practitioners)
    day = asking.world.first.strftime("%Y-%m-%d")
    return asking.target.request("GET", f"Appointment?actor={who}&date={day}&_count=100")


def _slots(people: int, page: int = 1000) -> Callable[[Asking], bytes]:
    def request(asking: Asking) -> bytes:
        world = asking.world
        numbers = asking.random.sample(range(len(world.practitioners)), min(people, len(world.practitioners)))
        who = ",".join(f"{resources.PROFESSIONALS}|{world.run}-{number}" for number in numbers)
        low, high = (resources.instant(world.first + timedelta(days=day)) for day in (0, 3))
        query = (
            f"_include=Slot:schedule&_include:iterate=Schedule:actor&status=free&start=ge{low}&start=le{high}"
            f"&schedule.actor:Practitioner.identifier={escaped(who)}&_count={page}"
        )
        return asking.target.request("GET", f"Slot?{query}")

    return request


OPERATIONS: Final = {
    one.name: one
    for one in (
        Operation("read", "GET Appointment/[id]", _read, (200,)),
        Operation("create", "POST Appointment", _create, (201,)),
        Operation("update", "PUT Appointment?identifier=", _update, (200, 201)),
        Operation("search", "GET Appointment?actor=&date=", _search, (200,)),
        Operation("slots", "GET Slot, 1 practitioner, 3 days, includes", _slots(1), (200,)),
        Operation("slots25", "GET Slot, 25 practitioners, 3 days, includes", _slots(25), (200,)),
        Operation("page25", "GET Slot, 25 practitioners, 3 days, first 50", _slots(25, 50), (200,)),
    )
}


def parsed(text: str) -> dict[str, float]:
    """The mix as shares that add up to 1. Raises ValueError, naming what is expected, for anything else."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, weight = part.strip().partition("=")
        if name not in OPERATIONS:
            raise ValueError(f"an operation of: {', '.join(OPERATIONS)}")
        if name in weights:
            raise ValueError(f"{name} only once")
        weights[name] = float(weight or 1)
        if not 0 < weights[name] < float("inf"):
            raise ValueError("weights above 0")
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def stream(asking: Asking, mix: dict[str, float]) -> Callable[[], Request]:
    """A source of requests in the proportions of the mix."""
    if len(mix) == 1:
        only = OPERATIONS[next(iter(mix))]
        return lambda: Request(only.name, only.request(asking))
    names, weights = list(mix), list(mix.values())
    choose = asking.random.choices

    def take() -> Request:
        operation = OPERATIONS[choose(names, weights)[0]]
        return Request(operation.name, operation.request(asking))

    return take

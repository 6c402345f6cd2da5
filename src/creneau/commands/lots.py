"""Makes the lots of the national demo in processes of their own: resources validated, then the plans that the flows would commit.

`flows.writing.put` makes each version with its index rows and identifiers, `scheduling.booking.holds` the time taken; the store's guard
judges the plans (flows 1a, 2a, 6a). The first lot of each group is validated whole, since all are made alike and validation is
half of the work: tests validate others.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

import msgspec

from creneau import wiring
from creneau.config import Settings
from creneau.demo import national
from creneau.flows import agendas
from creneau.flows.world import World
from creneau.flows.writing import put
from creneau.problems import Problem
from creneau.profiles import appointment as profile
from creneau.scheduling import booking, ownership
from creneau.scheduling.booking import Wish
from creneau.store.contract import Put, Take
from creneau.store.memory import MemoryStore

MAKERS: Final = 4
"""Processes at the most."""

Resource = dict[str, Any]


class Answer(NamedTuple):
    """What a process gives back for some lots: for each, the puts of its plans; or in `wrong` why it could not."""

    lots: list[list[list[Put]]]
    wrong: str = ""


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Answer)


def plans(world: World, lot: int, today: date, *, check: bool = True) -> list[list[Put]]:
    """The puts of a lot: people, places and agendas in one plan, then the appointments in several. RuntimeError for a resource that is not valid.

    `check`: validate the resources.
    """
    made = national.made(lot, today, world.rules.zone.key)
    if check:
        for one in (*made.directory, *made.appointments):
            _valid(world, one)
    roles = [one for one in made.directory if one["resourceType"] == "PractitionerRole"]
    humans = {f"PractitionerRole/{one['id']}": str(one["practitioner"]["reference"]) for one in roles}
    booked = [_put(world, one, humans) for one in made.appointments]
    parts = [booked[at : at + national.A_PLAN] for at in range(0, len(booked), national.A_PLAN)]
    return [[_put(world, one, humans) for one in made.directory], *parts]


def _valid(world: World, resource: Resource) -> None:
    try:
        world.validator.refuse(resource)
    except Problem as problem:
        type = resource["resourceType"]
        places = ", ".join(f"{issue.at or type}: {issue.text('en')}" for issue in problem.issues)
        raise RuntimeError(f"demo data: {type}/{resource['id']}: {places}") from problem


def _put(world: World, resource: Resource, humans: dict[str, str]) -> Put:
    type, id = resource["resourceType"], str(resource["id"])
    owns: tuple[str, ...] = ()
    if type == "Schedule":
        owns = ownership.owned(f"Schedule/{id}", agendas.local_actors(resource, world), humans)
    takes = _takes(world, resource, humans) if type == "Appointment" else ()
    return put(world, None, resource, id=id, takes=takes, owns=frozenset(owns))


def _takes(world: World, resource: Resource, humans: dict[str, str]) -> Sequence[Take]:
    coming = [one for one in profile.attendances(resource, world.bases) if one.counts]
    start, end = profile.times(resource)
    wish = Wish(
        status=resource["status"],
        start=start,
        end=end,
        things=ownership.attending(coming, humans),
        company=tuple(
            sorted(one.actor for one in coming if ownership.kind(one.actor) in ownership.NEVER_TAKEN)
        ),
    )
    return [Take(*one) for one in booking.holds(wish, now=world.clock(), hold=world.rules.hold)]


def _serve(connection: Connection, settings: Settings) -> None:
    """In the process: answer until the other end is closed, by whatever end of the program."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the program ends this process itself
    gc.disable()  # what is made has no cycles, and is too much to be looked through
    world = wiring.world(settings, MemoryStore())
    with suppress(EOFError, OSError):
        while True:
            lots, today = connection.recv()
            try:
                answer = Answer([plans(world, lot, today, check=lot == lots[0]) for lot in lots])
            except (RuntimeError, ValueError) as error:
                answer = Answer([], str(error))
            connection.send_bytes(_ENCODER.encode(answer))


class Makers:
    """The processes, each asked in turn; answers come in the order asked. At most one answer of each waits unread."""

    def __init__(self, settings: Settings, today: date, groups: Sequence[Sequence[int]]) -> None:
        self._today = today
        self._groups = groups
        self._asked = 0
        # `spawn`: a forked process would inherit the lock of the database, and keep it after the program was killed.
        context = multiprocessing.get_context("spawn")
        number = max(1, min(MAKERS, os.cpu_count() or 1, len(groups)))
        self._ends: list[Connection] = []
        self._processes = []
        for _ in range(number):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
            process.start()
            theirs.close()
            self._ends.append(ours)
            self._processes.append(process)
            self._ask()

    def answers(self) -> Iterator[list[list[list[Put]]]]:
        """For each group its lots; each step blocks until they are there. RuntimeError when a process ended or a resource is wrong."""
        for number in range(len(self._groups)):
            end = self._ends[number % len(self._ends)]
            try:
                received = end.recv_bytes()
            except (EOFError, OSError) as error:
                raise RuntimeError("demo data: a process that makes them ended") from error
            self._ask()
            answer = _DECODER.decode(received)
            if answer.wrong:
                raise RuntimeError(answer.wrong)
            yield answer.lots

    def _ask(self) -> None:
        if self._asked < len(self._groups):
            self._ends[self._asked % len(self._ends)].send((list(self._groups[self._asked]), self._today))
            self._asked += 1

    def stop(self) -> None:
        """End the processes; a blocked step of `answers` ends with them."""
        for process in self._processes:
            process.kill()
        for process, end in zip(self._processes, self._ends, strict=True):
            process.join()
            end.close()

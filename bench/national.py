"""`python -m bench national`: our server on the national demo, the questions of a portal, and how their cost grows with the country."""

from __future__ import annotations

import json
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench import resources, server
from bench.budget import MIB, run_async
from bench.connection import Client
from bench.cpu import resident_bytes
from bench.measure import Sample, Series, Shape, environment, sample
from bench.mix import Request
from bench.resources import Visit
from bench.wire import Target, escaped, target

BASE: Final = 100_000
LOT: Final = 100
PATIENTS: Final = 17
SIZES: Final = (100, 1_000, 10_000)
"""Agendas of the smaller countries that growth is measured on."""
GROWING: Final = ("slots", "city", "search", "read", "create")
CALM: Final = 1
"""Clients of questions that take long: more would only wait for each other."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: the base (made when it is not there, in a temporary directory when None), its size, rounds, shape, growth or not."""

    database: Path | None
    agendas: int
    rounds: int
    shape: Shape
    growth: bool = False
    directory: Path | None = None


class Country:
    """A base as the questions see it: how many agendas, chance, a number for this run."""

    def __init__(self, target: Target, agendas: int) -> None:
        self.target = target
        self.agendas = agendas
        self.random = random.Random(1)
        self.run = "n" + secrets.token_hex(4)
        self.today = datetime.now(UTC).date()
        self.made = self.asked = 0
        self.first = self.today + timedelta(days=100 + secrets.randbelow(1000))

    def practitioner(self) -> str:
        """The id of any professional."""
        return f"prat-{BASE + self.random.randint(1, self.agendas)}"

    def busy(self) -> str:
        """The id of a professional who is booked for days."""
        return f"prat-{BASE + self.random.randrange(self.agendas // LOT) * LOT + 1}"

    def get(self, query: str) -> bytes:
        """A GET, includes written in `query`."""
        return self.target.request("GET", query)


INCLUDES: Final = "_include=Slot:schedule&_include:iterate=Schedule:actor"


def _days(today: date, first: int, last: int) -> str:
    low, high = (f"{today + timedelta(days=day)}T00:00:00Z" for day in (first, last))
    return f"status=free&start=ge{low}&start=lt{high}&{INCLUDES}"


def _slots(who: Callable[[Country], str], people: int) -> Callable[[Country], bytes]:
    def request(of: Country) -> bytes:
        named = ",".join(who(of) for _ in range(people))
        return of.get(f"Slot?{_days(of.today, 1, 4)}&schedule.actor:Practitioner={named}&_count=1000")

    return request


TOWNS: Final = ("Paris", "Lyon", "Marseille", "Toulouse", "Nice", "Gap", "Mende")


def _city(of: Country) -> bytes:
    return _in_town(of, escaped(of.random.choice(TOWNS)))


def _anew(of: Country) -> bytes:
    """The same, with a second town that nobody asked for before and that does not exist: nothing kept in memory answers it."""
    of.asked += 1
    return _in_town(of, f"{escaped(of.random.choice(TOWNS))},{of.run}-{of.asked}")


def _in_town(of: Country, town: str) -> bytes:
    role = "schedule.actor:PractitionerRole"
    query = f"{role}.specialty=SM54&{role}.location.address-city={town}&_count=100"
    return of.get(f"Slot?{_days(of.today, 1, 2)}&{query}")


def _near(of: Country) -> bytes:
    where = of.random.choice(("48.85|2.35", "45.76|4.84", "43.30|5.37", "44.56|6.08"))
    role = "schedule.actor:PractitionerRole"
    query = f"{role}.specialty=SM54&{role}.location.near={where}|5|km&_count=100"
    return of.get(f"Slot?{_days(of.today, 1, 2)}&{query}")


def _search(of: Country) -> bytes:
    low, high = (of.today + timedelta(days=day) for day in (1, 8))
    return of.get(f"Appointment?actor=Practitioner/{of.busy()}&date=ge{low}&date=lt{high}&_count=100")


def _read(of: Country) -> bytes:
    return of.get(f"Appointment/rdv-{BASE + of.random.randint(1, of.agendas)}")


def _create(of: Country) -> bytes:
    number, of.made = of.made, of.made + 1
    turn, who = divmod(number, of.agendas)
    start = datetime(of.first.year, of.first.month, of.first.day, 9, tzinfo=UTC) + timedelta(
        minutes=15 * turn
    )
    patients = of.agendas // LOT * PATIENTS
    actors = (f"Patient/patient-{BASE + 1 + number % patients}", f"Practitioner/prat-{BASE + 1 + who}")
    visit = Visit(f"{of.run}-{number}", start, start + timedelta(minutes=15), actors)
    return of.target.request("POST", "Appointment", resources.encoded(resources.appointment(visit)))


OPERATIONS: Final[dict[str, tuple[str, Callable[[Country], bytes]]]] = {
    "slots": ("GET Slot, 1 practitioner, 3 days", _slots(Country.practitioner, 1)),
    "slots25": ("GET Slot, 25 practitioners, 3 days", _slots(Country.practitioner, 25)),
    "busy": ("GET Slot, 1 booked-heavy, 3 days", _slots(Country.busy, 1)),
    "city": ("GET Slot, specialty + city, first 100", _city),
    "anew": ("GET Slot, the same, not asked before", _anew),
    "near": ("GET Slot, specialty + 5 km, first 100", _near),
    "search": ("GET Appointment?actor=&date=, a week", _search),
    "read": ("GET Appointment/[id]", _read),
    "create": ("POST Appointment", _create),
}
"""By name: what it is called, what it sends. Names that have a budget are those of `budgets.BUDGETS`."""
LONG: Final = frozenset({"city", "anew", "near"})


def loaded(file: Path, agendas: int, say: Say) -> float:
    """Load what is missing of a country; seconds. Raises NotStarted when the program refuses."""
    say(f"loading {agendas} agendas into {file}")
    begin = time.perf_counter()
    command = [sys.executable, "-m", "creneau", "demo", "--scale", "national"]
    options = ["--agendas", str(agendas), "--database", f"sqlite:{file.resolve()}"]
    done = subprocess.run([*command, *options], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    if done.returncode:
        raise server.NotStarted(done.stderr[-2000:])
    return time.perf_counter() - begin


def national(wanted: Wanted, say: Say) -> dict[str, Any]:
    """Run it all; the result that `report` shows. Raises server.NotStarted."""
    with tempfile.TemporaryDirectory(prefix="creneau-bench-", dir=wanted.directory) as name:
        directory = Path(name)
        points = []
        for size in [one for one in SIZES if one < wanted.agendas] if wanted.growth else ():
            file = directory / f"{size}.sqlite"
            loaded(file, size, say)
            rows = _served(file, directory, wanted, GROWING, say)["operations"]
            points.append(_point(size, rows))
            file.unlink()
        file = wanted.database or directory / "national.sqlite"
        seconds = None if file.exists() else round(loaded(file, wanted.agendas, say), 1)
        result = _served(file, directory, wanted, tuple(OPERATIONS), say)
        if points:
            points.append(_point(result["seeded"]["agendas"], result["operations"]))
    return result | {"growth": points, "load_seconds": seconds}


def _point(agendas: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"agendas": agendas} | {row["name"]: row["cpu_us"] for row in rows if row["name"] in GROWING}


def _served(file: Path, directory: Path, wanted: Wanted, names: tuple[str, ...], say: Say) -> dict[str, Any]:
    """Measure on one base, with a server of its own."""
    port = server.free_port()
    ours = server.Server(server.creneau(port, file), port, directory / "log")
    try:
        started = ours.wait_ready(120.0)
        time.sleep(1.0)
        idle = resident_bytes(ours.pid) / MIB
        result = run_async(_measured(ours, wanted, names, say))
        memory = {"idle": round(idle, 1), "after": round(resident_bytes(ours.pid) / MIB, 1)}
    finally:
        ours.stop()
    where = {"environment": environment(file.parent), "file_gb": round(file.stat().st_size / 1e9, 2)}
    return result | where | {"memory_mb": memory, "start_seconds": round(started, 2)}


async def _measured(ours: server.Server, wanted: Wanted, names: tuple[str, ...], say: Say) -> dict[str, Any]:
    aim = target(ours.base)
    client = Client(aim)
    totals = {}
    for type_ in ("Schedule", "Appointment"):
        answer = await client.ask("GET", f"{type_}?_summary=count")
        totals[type_] = int(json.loads(answer.body)["total"])
    client.close()
    of = Country(aim, totals["Schedule"])
    rows = {name: Series(name, OPERATIONS[name][0]) for name in names}
    for name in names:
        await _once(of, ours.pid, name, Shape(wanted.shape.clients, 0.5))
    for number in range(1, wanted.rounds + 1):
        say(f"{of.agendas} agendas: round {number} of {wanted.rounds}")
        for name, row in rows.items():
            row.add(await _once(of, ours.pid, name, wanted.shape))
    return {
        "kind": "budget",
        "rounds": wanted.rounds,
        "clients": wanted.shape.clients,
        "seconds": wanted.shape.seconds,
        "seeded": {"agendas": of.agendas, "appointments": totals["Appointment"]},
        "operations": [row.summary() for row in rows.values()],
    }


async def _once(of: Country, pid: int, name: str, shape: Shape) -> Sample:
    ask = OPERATIONS[name][1]
    clients = CALM if name in LONG else shape.clients
    return await sample(of.target, pid, lambda: Request(name, ask(of)), Shape(clients, shape.seconds))

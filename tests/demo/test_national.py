"""The country of the demo: coherent, loaded in bulk as the flows would have written it, resumed after a kill."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from creneau import config, wiring
from creneau.commands import lots
from creneau.demo import national
from creneau.flows import single
from creneau.flows.world import World
from creneau.store.contract import Plan
from creneau.store.memory import MemoryStore
from tests.demo.reading import Resource, identifiers, references, span
from tests.demo.reading import of_type as of_department

TODAY = date.today()
LOTS = 5


@cache
def everything(today: date = TODAY) -> tuple[Resource, ...]:
    made = (national.made(lot, today, "Europe/Paris") for lot in range(LOTS))
    return tuple(one for lot in made for part in lot for one in part)


def of_type(type: str) -> list[Resource]:
    return [one for one in everything() if one["resourceType"] == type]


def new_world() -> World:
    return wiring.world(config.load(None, given={"client_ids": True}), MemoryStore())


@pytest.mark.parametrize("today", [TODAY, date(2026, 3, 28), date(2026, 10, 24), date(2026, 12, 24)], ids=str)
def test_every_resource_of_a_lot_is_valid(today: date) -> None:
    world = new_world()

    plans = lots.plans(world, 7, today)  # raises for one that is not

    assert sum(map(len, plans)) == national.A_LOT


def test_no_reference_goes_forward_or_nowhere_and_no_id_comes_twice() -> None:
    known: set[str] = set()

    for one in everything():
        name = f"{one['resourceType']}/{one['id']}"
        assert set(references(one)) <= known, name
        assert name not in known
        known.add(name)


@pytest.mark.parametrize(
    "type", ["Organization", "Location", "Practitioner", "PractitionerRole", "Schedule", "Patient"]
)
def test_business_identifiers_are_used_once_those_of_the_departement_included(type: str) -> None:
    found = Counter(
        pair for one in (*of_type(type), *of_department(TODAY, type)) for pair in identifiers(one)
    )

    assert [pair for pair, times in found.items() if times > 1] == []


def test_nothing_overlaps_for_a_professional_or_a_patient() -> None:
    times: dict[str, list[tuple[datetime, datetime]]] = {}
    for one in of_type("Appointment"):
        for name in references(one["participant"]):
            if name.startswith(("Practitioner/", "Patient/")):
                times.setdefault(name, []).append(span(one))

    found = [
        (before, after)
        for spans in times.values()
        for before, after in zip(sorted(spans), sorted(spans)[1:], strict=False)
    ]

    assert len(found) > 300
    assert [pair for pair in found if pair[1][0] < pair[0][1]] == []


def test_some_agendas_are_full_for_days_and_places_are_shared() -> None:
    booked = Counter(name for one in of_type("Appointment") for name in references(one["participant"]))
    at = Counter(name for one in of_type("PractitionerRole") for name in references(one["location"]))

    assert sum(count >= 70 for name, count in booked.items() if name.startswith("Practitioner/")) == LOTS
    assert max(at.values()) > 5


def test_the_country_is_known_towns_and_many_specialties() -> None:
    towns = {one["address"]["city"] for one in of_type("Location")}
    specialties = {
        one["specialty"][0]["coding"][0]["code"] for one in of_type("PractitionerRole") if "specialty" in one
    }

    assert {"Paris", "Marseille", "Lyon"} & towns and len(towns) > 30
    assert "SM54" in specialties and len(specialties) >= 5
    assert all(one["position"] for one in of_type("Location"))


async def _by_the_flows(world: World, lot: int) -> MemoryStore:
    for part in national.made(lot, TODAY, world.rules.zone.key):
        for one in part:
            await single.create(world, one["resourceType"], one, id=one["id"])
    assert isinstance(world.store, MemoryStore)
    return world.store


async def _in_bulk(world: World, lot: int) -> MemoryStore:
    for puts in lots.plans(world, lot, TODAY):
        await world.store.commit(Plan(tuple(puts), world.clock()))
    assert isinstance(world.store, MemoryStore)
    return world.store


def test_what_is_loaded_in_bulk_is_what_the_flows_would_have_written() -> None:
    bulk, flows = asyncio.run(_in_bulk(new_world(), 2)), asyncio.run(_by_the_flows(new_world(), 2))

    assert _facts(bulk) == _facts(flows)


def _facts(store: MemoryStore) -> dict[str, Any]:
    """All that a store holds but for the instants of the writes."""
    return {
        "bodies": {name: _bare(versions[-1].body) for name, versions in store._versions.items()},
        "rows": {(type, id): held.rows for type, live in store._held.items() for id, held in live.items()},
        "claims": store._claims,
        "takes": {id: set(takes) for id, takes in store._takes.items()},
        "owns": store._owns,
    }


def _bare(body: bytes) -> Resource:
    resource: Resource = json.loads(body)
    resource["meta"].pop("lastUpdated")
    return resource


TABLES = ("token", "period", "text", "link", "place", "identifier", "owner", "taken")


def contents(file: Path) -> dict[str, Any]:
    with sqlite3.connect(file) as opened:
        bodies = opened.execute("SELECT type, id, version, body FROM resource ORDER BY type, id").fetchall()
        found: dict[str, Any] = {
            table: sorted(opened.execute(f"SELECT * FROM {table}"), key=repr) for table in TABLES
        }
    opened.close()
    return found | {"resource": [(*row[:3], _bare(row[3])) for row in bodies]}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "creneau", *arguments]


def demo(file: Path, agendas: int) -> list[str]:
    return command("demo", "--scale", "national", "--agendas", str(agendas), "--database", f"sqlite:{file}")


def committed(file: Path) -> int:
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as opened:
            found = opened.execute("SELECT count(*) FROM resource").fetchone()[0]
        opened.close()
        return int(found)
    except sqlite3.OperationalError:
        return 0


MIDDLE = 300
"""Agendas of a load that is ended in the middle."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a load that nothing ended leaves."""
    file = tmp_path_factory.mktemp("whole") / "whole.sqlite"
    subprocess.run(demo(file, MIDDLE), check=True, timeout=100, capture_output=True)
    return contents(file)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=lambda one: one.name)
def test_a_load_that_was_ended_in_the_middle_is_completed_by_the_same_command(
    end: int, whole: dict[str, Any], tmp_path: Path
) -> None:
    agendas, broken = MIDDLE, tmp_path / "broken.sqlite"
    first = subprocess.Popen(demo(broken, agendas), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    while not committed(broken):
        assert first.poll() is None
        time.sleep(0.02)

    first.send_signal(end)
    _, said = first.communicate(timeout=30)
    kept = committed(broken)
    again = subprocess.run(demo(broken, agendas), capture_output=True, text=True, timeout=100)
    doctor = subprocess.run(
        command("doctor", "--database", f"sqlite:{broken}"), capture_output=True, text=True
    )

    assert first.returncode == (-9 if end == signal.SIGKILL else 130), said
    assert 0 < kept < agendas // 100 * national.A_LOT
    assert f"{agendas // 100 * national.A_LOT - kept} resources" in again.stdout, again.stderr
    assert contents(broken) == whole
    assert (doctor.returncode, doctor.stdout) == (0, "")


def test_what_is_there_is_left_and_more_can_be_added(tmp_path: Path) -> None:
    file = tmp_path / "demo.sqlite"

    done = [
        subprocess.run(demo(file, agendas), capture_output=True, text=True) for agendas in (100, 100, 150)
    ]

    assert [str(national.A_LOT) in one.stdout for one in done] == [True, False, True]
    assert "already there" in done[1].stdout


@pytest.mark.parametrize("arguments", [("--agendas", "5"), ("--scale", "national", "--agendas", "900000")])
def test_what_cannot_be_is_refused_on_one_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    database = f"sqlite:{tmp_path / 'x.sqlite'}"

    done = subprocess.run(command("demo", *arguments, "--database", database), capture_output=True, text=True)

    assert done.returncode == 2
    assert "agendas" in done.stderr and done.stderr.count("\n") == 1

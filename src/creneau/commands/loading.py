"""`creneau demo`: the fictional département goes through the real flows, so that what is loaded is what a client could have sent.

The country, too large for that, goes by `commands/national.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import Progress

from creneau.commands.national import load
from creneau.config import Settings
from creneau.demo import department, national
from creneau.flows import single
from creneau.flows.world import World
from creneau.problems import Problem

Loaded = tuple[str, dict[str, Any]]


class Wanted(NamedTuple):
    """What is to be loaded. `if_empty`: nothing where there is other data. `national`: a country, with the settings for the processes that
    make it, of so many `agendas`; None: the département."""

    if_empty: bool = False
    national: Settings | None = None
    agendas: int | None = None


async def demo(world: World, wanted: Wanted) -> int:
    """How many resources were loaded. A country, or with `if_empty`: only what is missing of a load that was interrupted.

    Otherwise what is there already is brought up to date. ValueError for too many agendas.
    """
    if wanted.national is None:
        return await _department(world, if_empty=wanted.if_empty)
    first = national.last_of(0)
    if wanted.if_empty and await world.store.get(*first) is None and await _has_data(world):
        return 0
    return await load(world, wanted.national, wanted.agendas or national.AGENDAS)


async def _department(world: World, *, if_empty: bool) -> int:
    today = datetime.fromtimestamp(world.clock() / 1e6, UTC).astimezone(world.rules.zone).date()
    resources = list(department(today, zone=world.rules.zone.key))
    if if_empty:
        resources = await _missing(world, resources)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for type, resource in progress.track(resources, description="creneau demo"):
            await _load(world, type, resource)
    return len(resources)


async def _missing(world: World, resources: list[Loaded]) -> list[Loaded]:
    """What is not there yet; nothing when the database holds something else than the beginning of the demo data."""
    first, id = resources[0][0], str(resources[0][1]["id"])
    if await world.store.get(first, id) is None and await _has_data(world):
        return []
    return [one for one in resources if await world.store.get(one[0], str(one[1]["id"])) is None]


async def _has_data(world: World) -> bool:
    async for _ in world.store.scan():
        return True
    return False


async def _load(world: World, type: str, resource: dict[str, Any]) -> None:
    id = str(resource["id"])
    known = await world.store.get(type, id)
    try:
        if known is None:
            await single.create(world, type, resource, id=id)
        else:
            await single.update(world, type, id, resource)
    except Problem as problem:
        places = ", ".join(f"{issue.at or type}: {issue.text('en')}" for issue in problem.issues)
        raise RuntimeError(f"demo data: {type}/{id}: {places}") from problem

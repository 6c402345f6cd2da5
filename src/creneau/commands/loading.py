"""`creneau demo`: the fictional département goes through the real flows, so that what is loaded is what a client could have sent."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.progress import Progress

from creneau.demo import department, sizes
from creneau.flows import single
from creneau.flows.world import World
from creneau.problems import Problem


async def demo(world: World, *, if_empty: bool) -> int:
    """How many resources were loaded; none when `if_empty` and there are some. Loading again brings the same resources up to date."""
    if if_empty and await _has_data(world):
        return 0
    today = datetime.fromtimestamp(world.clock() / 1e6, UTC).astimezone(world.rules.zone).date()
    console = Console(stderr=True)
    loaded = 0
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("creneau demo", total=sum(sizes(today).values()))
        for type, resource in department(today, zone=world.rules.zone.key):
            await _load(world, type, resource)
            loaded += 1
            progress.advance(task)
    return loaded


async def _has_data(world: World) -> bool:
    async for _ in world.store.scan():
        return True
    return False


async def _load(world: World, type: str, resource: dict[str, object]) -> None:
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

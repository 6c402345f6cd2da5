"""The scenarios, one row each: name, requirement ids, what it tries, how often, and the guard whose absence it must notice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from torture.scenarios import booking, bundles, crash, disk, identity, slots, stopping, versions
from torture.stage import Stage


class Scenario(NamedTuple):
    """One row. `rounds` and `seconds` (of a timed round): full, then short. `control`: what the negative control goes without, "" none."""

    name: str
    ids: str
    title: str
    run: Callable[[Stage], Awaitable[None]]
    rounds: tuple[int, int]
    seconds: tuple[float, float] = (0.0, 0.0)
    control: str = ""
    alone: bool = False  # it ends the server, or needs a disk of its own
    small_disk: bool = False


SCENARIOS: Final = tuple(
    [
        Scenario(
            "one-winner",
            "REL-01",
            "48 clients book one cell",
            booking.one_winner,
            (200, 8),
            control="overlap",
        ),
        Scenario(
            "shared-actor",
            "REL-03",
            "unequal intervals of shared actors",
            booking.shared_actor,
            (30, 2),
            control="overlap",
        ),
        Scenario(
            "hot-actors",
            "REL-04",
            "2 to 4 of 10 actors, booked, moved, cancelled",
            booking.hot_actors,
            (1, 1),
            (60, 2),
            "overlap",
        ),
        Scenario(
            "half-open",
            "REL-05",
            "intervals that touch, overlap by 1 ms, mix offsets",
            booking.half_open,
            (1, 1),
        ),
        Scenario(
            "slots",
            "REL-06",
            "what is offered can be booked, what is booked is not offered",
            slots.what_is_offered,
            (60, 4),
        ),
        Scenario(
            "one-identifier",
            "REL-07",
            "48 conditional updates of one new identifier",
            identity.one_identifier,
            (100, 4),
            control="identifier",
        ),
        Scenario(
            "many-ways",
            "REL-08",
            "one identifier by POST, conditional PUT, PUT by id",
            identity.many_ways,
            (40, 2),
            control="identifier",
        ),
        Scenario(
            "lost-update",
            "REL-09",
            "16 clients raise one counter with If-Match",
            versions.lost_update,
            (10, 1),
            (5, 1.5),
            "version",
        ),
        Scenario(
            "transactions",
            "REL-10",
            "12 transactions share one cell; faults inside",
            bundles.all_or_nothing,
            (50, 3),
            control="atomic",
        ),
        Scenario(
            "kill-nine",
            "REL-11",
            "kill -9 under load, started again",
            crash.kill_nine,
            (30, 2),
            control="durability",
            alone=True,
        ),
        Scenario(
            "disk-full",
            "REL-14",
            "the disk is full, then it is not",
            disk.disk_full,
            (1, 1),
            alone=True,
            small_disk=True,
        ),
        Scenario("graceful-stop", "REL-32", "SIGTERM under load", stopping.graceful, (10, 1), alone=True),
    ]
)


def chosen(names: list[str]) -> list[Scenario]:
    """The scenarios of these names (all for none). Raises ValueError naming those that exist."""
    known = {one.name: one for one in SCENARIOS}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no scenario {unknown[0]}; there are: {', '.join(known)}")
    return [known[name] for name in names] if names else list(SCENARIOS)

"""The scenarios, one row each: name, requirement ids, what it tries, how often, and the guard whose absence it must notice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from torture.ground import DEFAULT, STORES, Setting
from torture.scenarios import (
    booking,
    bundles,
    crash,
    disk,
    identity,
    outage,
    overload,
    resending,
    slots,
    stopping,
    upgrade,
    versions,
)
from torture.stage import Stage


class Scenario(NamedTuple):
    """One row. `rounds` and `seconds` (of a timed round): full, then short (0: not in the short form).

    `controls`: guards that negative controls go without; `stores`: those it is about; `workers`: how many it takes at least.
    """

    name: str
    ids: str
    title: str
    run: Callable[[Stage], Awaitable[None]]
    rounds: tuple[int, int]
    seconds: tuple[float, float] = (0.0, 0.0)
    controls: tuple[str, ...] = ()
    alone: bool = False  # it ends the server, or needs a disk of its own
    small_disk: bool = False
    stores: tuple[str, ...] = STORES
    workers: int = 1
    upgrade: bool = False


SCENARIOS: Final = tuple(
    [
        Scenario(
            "one-winner",
            "REL-01, REL-02",
            "48 clients book one cell",
            booking.one_winner,
            (200, 8),
            controls=("overlap", "snapshot"),
        ),
        Scenario(
            "shared-actor",
            "REL-03",
            "unequal intervals of shared actors",
            booking.shared_actor,
            (30, 2),
            controls=("overlap",),
        ),
        Scenario(
            "hot-actors",
            "REL-04",
            "2 to 4 of 10 actors, booked, moved, cancelled",
            booking.hot_actors,
            (1, 1),
            (60, 2),
            ("overlap",),
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
            controls=("identifier",),
        ),
        Scenario(
            "many-ways",
            "REL-08",
            "one identifier by POST, conditional PUT, PUT by id",
            identity.many_ways,
            (40, 2),
            controls=("identifier",),
        ),
        Scenario(
            "lost-update",
            "REL-09",
            "16 clients raise one counter with If-Match",
            versions.lost_update,
            (10, 1),
            (5, 1.5),
            ("version",),
        ),
        Scenario(
            "transactions",
            "REL-10",
            "12 transactions share one cell; faults inside",
            bundles.all_or_nothing,
            (50, 3),
            controls=("atomic",),
        ),
        Scenario(
            "kill-nine",
            "REL-11",
            "kill -9 under load, started again",
            crash.kill_nine,
            (30, 2),
            controls=("durability",),
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
            stores=("sqlite",),
        ),
        Scenario("graceful-stop", "REL-32", "SIGTERM under load", stopping.graceful, (10, 1), alone=True),
        Scenario(
            "resent",
            "REL-20",
            "clients leave before the answer and send again",
            resending.resent,
            (40, 3),
            controls=("identifier",),
        ),
        Scenario(
            "overload",
            "REL-26",
            "five times as many creates as it can do",
            overload.overload,
            (1, 0),
            (60, 0),
        ),
        Scenario(
            "worker-killed",
            "REL-11",
            "kill -9 of one worker under load",
            outage.worker_killed,
            (20, 1),
            controls=("durability",),
            alone=True,
            workers=2,
        ),
        Scenario(
            "database-killed",
            "REL-12",
            "kill -9 of all PostgreSQL under load, started again",
            outage.database_killed,
            (20, 1),
            controls=("synchronous",),
            alone=True,
            stores=("postgres",),
        ),
        Scenario(
            "database-restarted",
            "REL-15",
            "a fast restart of PostgreSQL under load",
            outage.database_restarted,
            (10, 1),
            alone=True,
            stores=("postgres",),
        ),
        Scenario(
            "rolling-upgrade",
            "REL-30",
            "a later program beside the earlier one, which leaves",
            upgrade.rolling,
            (5, 1),
            controls=("expand",),
            alone=True,
            stores=("postgres",),
            upgrade=True,
        ),
    ]
)


CONTROLS: Final[dict[str, tuple[str, ...]]] = {
    "overlap": STORES,
    "snapshot": ("postgres",),
    "identifier": STORES,
    "version": STORES,
    "atomic": STORES,
    "durability": STORES,
    "synchronous": ("postgres",),
    "expand": ("postgres",),
}
"""The guards of `torture/unguarded.py`, and the stores that have them."""


def chosen(names: list[str], setting: Setting = DEFAULT) -> list[Scenario]:
    """The scenarios of these names (all for none) that this setting can play. Raises ValueError naming those that exist."""
    known = {one.name: one for one in SCENARIOS}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no scenario {unknown[0]}; there are: {', '.join(known)}")
    wanted = [known[name] for name in names] if names else SCENARIOS
    return [one for one in wanted if setting.store in one.stores and setting.workers >= one.workers]

"""Pure checkers over what clients saw and what the server holds at the end: each answers with a line per finding, none when all is well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bench.stats import percentile

from torture.history import FAIL, INFO, OK, Operation

Resource = Mapping[str, Any]


class Held(NamedTuple):
    """Time [start, end) of a thing, microseconds, that an appointment holds or asked for."""

    thing: str
    start: int
    end: int
    appointment: str


def winner(operations: Sequence[Operation], refused: Collection[int] = (409,)) -> list[str]:
    """REL-01. Of the rivals for one thing (`operations` share a key) exactly one is 201, each other one is refused as `refused`."""
    found = []
    winners = [one for one in operations if one.status == 201]
    if len(winners) != 1:
        found.append(f"{len(winners)} winners of {len(operations)}")
    others = [one for one in operations if one.status != 201 and one.status not in refused]
    return found + [f"answered {_told(one)}, {sorted(refused)} expected" for one in others]


def _told(one: Operation) -> str:
    """Its status, our code if it has one, and whether it says when to come back."""
    parts = [str(one.status or "nothing"), one.value.get("code", "")]
    parts.append("with Retry-After" if one.value.get("retry") else "")
    return " ".join(filter(None, parts))


def no_overlap(held: Iterable[Held]) -> list[str]:
    """REL-03. No two appointments hold overlapping time of one thing: a sweep of each thing's intervals in order of start."""
    by_thing: dict[str, list[Held]] = defaultdict(list)
    for one in held:
        by_thing[one.thing].append(one)
    found = []
    for thing, all_ in sorted(by_thing.items()):
        furthest: Held | None = None
        for one in sorted(all_, key=lambda each: (each.start, each.end)):
            if furthest is not None and one.start < furthest.end and one.appointment != furthest.appointment:
                found.append(f"{thing}: {furthest.appointment} and {one.appointment} overlap")
            if furthest is None or one.end > furthest.end:
                furthest = one
    return found


def justified(refused: Iterable[Sequence[Held]], held: Sequence[Held]) -> list[str]:
    """Where nothing is ever freed, what was refused as taken (several things each) meets, at the end, something held."""
    by_thing: dict[str, list[Held]] = defaultdict(list)
    for one in held:
        by_thing[one.thing].append(one)
    found = []
    for wanted in refused:
        if not any(a.start < b.end and b.start < a.end for a in wanted for b in by_thing[a.thing]):
            found.append(f"{wanted[0].appointment} was refused though its time was free")
    return found


def unique_identifier(resources: Iterable[Resource]) -> list[str]:
    """REL-07, REL-08. One business identifier, one live resource of a type."""
    holders: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in resources:
        for each in one.get("identifier", ()):
            holders[one["resourceType"], each.get("system", ""), each.get("value", "")].append(one["id"])
    several = {key: ids for key, ids in holders.items() if len(set(ids)) > 1}
    return [f"{key[0]} {key[2]} is {len(set(ids))} resources" for key, ids in sorted(several.items())]


def version_chain(stored: Sequence[int], acknowledged: Sequence[int]) -> list[str]:
    """REL-07, REL-09. Stored versions are 1..n without gap; each acknowledged one is stored and was acknowledged once."""
    found = []
    if sorted(stored) != list(range(1, len(stored) + 1)):
        found.append(f"versions are not contiguous: {sorted(stored)[:20]}")
    twice = sorted({one for one in acknowledged if acknowledged.count(one) > 1})
    found += [f"version {one} was acknowledged {acknowledged.count(one)} times" for one in twice]
    lost = sorted(set(acknowledged) - set(stored))
    return found + [f"version {one} was acknowledged and is not stored" for one in lost]


def counted(increments: int, counter: int) -> list[str]:
    """REL-09. A counter that clients read, raise by one and write back with If-Match ends at the number of acknowledged writes."""
    return (
        [] if increments == counter else [f"{increments} acknowledged increments, the counter says {counter}"]
    )


def all_or_nothing(
    groups: Mapping[str, Collection[str]], acknowledged: Collection[str], stored: Collection[str]
) -> list[str]:
    """REL-10. Of each group of identifiers written together, all are stored when it was acknowledged, none when it was refused."""
    found, there = [], set(stored)
    for name, members in sorted(groups.items()):
        kept = len(there & set(members))
        wanted = len(members) if name in acknowledged else 0
        if kept != wanted:
            found.append(f"{name}: {kept} of {len(members)} stored, {wanted} expected")
    return found


def difference(sent: Resource, stored: Resource) -> str:
    """The first element that was sent and is stored otherwise, "" when all are there; id, meta and created are the server's."""
    for name, value in sent.items():
        if name not in ("id", "meta", "created") and stored.get(name) != value:
            return name
    return ""


def durable(
    key: str, acknowledged: Resource | None, attempts: Sequence[Resource], stored: Sequence[Resource]
) -> list[str]:
    """REL-11. What was acknowledged of one identifier is stored; an attempt of unknown outcome is there entire, or not at all.

    `attempts`: sent after the acknowledged one, whose answer never came. Several may have been written, the last of them shows.
    """
    if len(stored) > 1:
        return [f"{key} is stored {len(stored)} times"]
    possible = ([acknowledged] if acknowledged else []) + list(attempts)
    if not stored:
        return [f"{key} was acknowledged and is lost"] if acknowledged else []
    differs = [difference(one, stored[0]) for one in possible]
    if not differs:
        return [f"{key} is stored though nobody sent it"]
    return [] if "" in differs else [f"{key} is stored with another {differs[0]} than was sent"]


def no_fault(operations: Iterable[Operation], allowed: Collection[int] = ()) -> list[str]:
    """Invariant 5. No answer is a 5xx (but `allowed`), every request is answered."""
    found = [
        f"{one.what} was answered {one.status}"
        for one in operations
        if one.status >= 500 and one.status not in allowed
    ]
    return found + [
        f"{one.what} was not answered" for one in operations if one.kind == INFO and not one.status
    ]


def latency(operations: Iterable[Operation], slowest: float) -> list[str]:
    """No answer later than that many seconds."""
    late = [one for one in operations if one.kind in (OK, FAIL) and one.seconds > slowest]
    return [f"{one.what} took {one.seconds:.2f} s, {slowest:g} s at most" for one in late]


def percentile_over(operations: Iterable[Operation], rank: float, most: float) -> list[str]:
    """That percentile of the answers' times is `most` seconds at the most."""
    reached = percentile([one.seconds for one in operations if one.kind in (OK, FAIL)], rank)
    return [f"{rank:g} % of answers within {reached:.2f} s, {most:g} s wanted"] if reached > most else []


def announced(operations: Iterable[Operation]) -> list[str]:
    """REL-12. Every 503 says after how long to ask again."""
    silent = [one.what for one in operations if one.status == 503 and not one.value.get("retry")]
    return [f"{what} was answered 503 without Retry-After" for what in silent]


def healed(operations: Sequence[Operation], since: int, within: float) -> list[str]:
    """REL-12, REL-15. Each client had a success that it asked for after `since` (nanoseconds), no later than `within` seconds."""
    found = []
    for client in sorted({one.client for one in operations}):
        mine = [one for one in operations if one.client == client and one.begin >= since and one.kind == OK]
        if not mine:
            found.append(f"client {client} had no success afterwards")
        elif (late := (mine[0].end - since) / 1e9) > within:
            found.append(f"client {client} had its first success after {late:.1f} s, {within:g} s at most")
    return found


def answered_before(operations: Iterable[Operation], instant: int) -> list[str]:
    """REL-32. What was asked before that instant (nanoseconds) was answered."""
    lost = [one for one in operations if one.begin < instant and one.kind == INFO]
    return [
        f"{one.what} asked {(instant - one.begin) / 1e6:.1f} ms before the stop was not answered"
        for one in lost
    ]

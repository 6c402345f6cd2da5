"""What a store does: read versions, find by a query, say what time is taken, commit a plan or refuse it whole.

The guard lives here (design: "One guard on every write path"): a commit states what it puts, which time it takes, which business
identifiers it claims and which versions it saw; the store refuses the whole commit if any of it no longer holds. Instants are
microseconds since 1970 UTC. Every verb reads what earlier acknowledged commits wrote.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from creneau.search.query import Query
from creneau.search.rows import NONE, Period, Rows

DAY = 86_400_000_000
"""Microseconds in 24 hours: a taken interval longer than this is found through an index of its own."""


class Stored(NamedTuple):
    """One version of a resource. `body` is the JSON bytes as served (id and meta within); empty for a deletion."""

    type: str
    id: str
    version: int
    updated: int
    interaction: str  # "create", "update" or "delete"
    body: bytes

    @property
    def deleted(self) -> bool:
        """Whether this version is a deletion."""
        return self.interaction == "delete"


class Take(NamedTuple):
    """Time [start, end) of one thing that an appointment takes.

    `thing` is "Type/id". `kind` is "busy" or "busy-tentative". `until`: a hold that lapses at this instant (None: does not
    lapse). `slot`: the ids, between spaces, of the cells that the appointment names on that thing's agendas, "" without. `capacity`: how many
    appointments the thing serves at once.
    """

    thing: str
    start: int
    end: int
    kind: str = "busy"
    until: int | None = None
    slot: str = ""
    capacity: int = 1


class Occupied(NamedTuple):
    """A take as stored, and the appointment that holds it."""

    take: Take
    appointment: str


class Claim(NamedTuple):
    """A business identifier that a resource holds alone among its type; `system` is "" when absent."""

    system: str
    value: str


class Seen(NamedTuple):
    """The version of a resource that the decision rests on; 0 means it did not exist."""

    type: str
    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Put:
    """One new version. It follows `version - 1`, or nothing when `version` is 1: otherwise the commit is `Moved`.

    `rows`, `claims`, `takes` and `owns` are all that the resource has from now on; `former_rows` is what its preceding version
    had (the store writes the difference). `owns`: the things a Schedule is an agenda of. A deletion has empty `body`, `rows`,
    `claims`, `takes` and `owns`.

    `unreferenced`: the types and parameters of the links to this resource of which the commit may leave none. `unbooked`: this Schedule
    gives things up, and no appointment to come may be left behind.
    """

    type: str
    id: str
    version: int
    updated: int
    interaction: str
    body: bytes
    rows: Rows = NONE
    former_rows: Rows = NONE
    claims: frozenset[Claim] = frozenset()
    takes: tuple[Take, ...] = ()
    owns: frozenset[str] = frozenset()
    unreferenced: tuple[tuple[str, str], ...] = ()
    unbooked: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """All that one flow decided, committed whole or not at all. `now` is the instant against which holds lapse."""

    puts: tuple[Put, ...]
    now: int
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a flow is about to read, as far as it can tell: nothing has to be complete, and what is asked besides is read then.

    `resources`: by (type, id). `claims`: (type, claim), with the resources that hold them. `owners`: "Type/id" of things whose agendas are
    asked for, with their Schedules; those of the holders of `claims` too. `actors`: (type, id), whose Schedules are asked for (`linked`),
    and the agendas of the things of these. `things`: whose taken time is asked for between `start` and `end`, and that of the things of
    `schedules` (ids). `known`: current versions that the caller has.
    """

    resources: tuple[tuple[str, str], ...] = ()
    claims: tuple[tuple[str, Claim], ...] = ()
    owners: tuple[str, ...] = ()
    actors: tuple[tuple[str, str], ...] = ()
    things: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    now: int = 0
    known: tuple[Stored, ...] = ()


class Moved(Exception):
    """A version that the plan rests on is no longer current: read and decide again."""


class StillReferred(Moved):
    """Put number `put` would leave the live resource `type`/`id` with a reference to nothing."""

    def __init__(self, put: int, type: str, id: str) -> None:
        super().__init__(f"{type}/{id}")
        self.put, self.type, self.id = put, type, id


class StillBooked(Moved):
    """Put number `put` would leave `appointment`, which is to come, without its agenda."""

    def __init__(self, put: int, appointment: str) -> None:
        super().__init__(appointment)
        self.put, self.appointment = put, appointment


class AlreadyTaken(Exception):
    """Put number `put` (its index in the plan) wants time of `thing` that is taken in [start, end)."""

    def __init__(self, put: int, thing: str, start: int, end: int) -> None:
        super().__init__(thing)
        self.put, self.thing, self.start, self.end = put, thing, start, end


class AlreadyClaimed(Exception):
    """Put number `put` claims an identifier (`claim`) that the resource `id` of the same type holds."""

    def __init__(self, put: int, claim: Claim, id: str) -> None:
        super().__init__(id)
        self.put, self.claim, self.id = put, claim, id


class StoreUnavailable(Exception):
    """The store cannot write now (disk full, stopping); nothing of the plan was written."""


class OutcomeUnknown(StoreUnavailable):
    """The database went away while it committed, or no standby confirmed: the plan is written whole or not at all, nobody here knows which."""


class Page(NamedTuple):
    """A page of versions, newest first for histories; `next` continues (None at the end); `total` when asked for."""

    items: list[Stored]
    next: str | None
    total: int | None


class Store(Protocol):
    """The verbs. Implementations: memory (the reference), sqlite, postgres; `tests/store` runs one suite on all.

    Guard of `commit`, in this order, for the plan as a whole: (1) every Put's preceding version and every Seen is current,
    else `Moved` (as are two puts of one resource); (2) the former claims, takes and owns of every put are set aside, but for takes
    that cover a take of the same appointment's put (same thing, start not after, end not before, not lapsed at `now`): that take
    holds from here on, unchecked, whatever else the plan wants; (3) each put in turn: each claim is free or its own, else
    `AlreadyClaimed`; each other take of a thing that owns an agenda (some live Schedule's `owns` holds it, those of this plan
    included) finds fewer than `capacity` simultaneous other appointments in its interval, not counting holds lapsed at `now`, else
    `AlreadyTaken` with the first stretch that is taken; takes of things that own no agenda refuse nothing; with `unreferenced`,
    neither a live resource outside the plan nor a put of it has such a link to the resource, else `StillReferred`; with `unbooked`, no
    take ends after `now`, not lapsed, of a thing that this Schedule alone owned, or (it is deleted) with one of its slots, else
    `StillBooked`. Then everything is written durably, and the call returns. ValueError: a take without length, a take that is not an Appointment's, owns that are
    not a Schedule's. Histories of a type or of all go by (updated, type, id, version), newest first.
    """

    @property
    def far(self) -> bool:
        """Whether a read costs a round trip, so that it pays to say `ahead` what will be read."""
        ...

    async def ahead(self, wanted: Ahead) -> Store:
        """A store whose reads of what is wanted are of now, and cost nothing more; of a store that is not far, the store itself."""
        ...

    async def get(self, type: str, id: str) -> Stored | None:
        """The current version (a deletion included), or None."""
        ...

    async def version(self, type: str, id: str, version: int) -> Stored | None:
        """One version, or None."""
        ...

    async def history(
        self,
        type: str | None,
        id: str | None,
        *,
        since: int | None = None,
        count: int = 100,
        after: str | None = None,
    ) -> Page:
        """Versions newest first: of one resource, of a type, or of all; `since` is inclusive; `total` is given."""
        ...

    async def find(self, query: Query, *, count: int | None = None) -> Page:
        """A page of current, live resources that satisfy the query, in its order (default: id); stable while writes go on.

        `count` of None: `query.count`, else all. `total` is given when `query.total` is "accurate". Includes are not followed here.
        """
        ...

    async def matching(self, query: Query) -> dict[str, int]:
        """The version of every current, live resource that satisfies the query, by id, in no order: `find` without the bodies."""
        ...

    async def versions(self, type: str, ids: Sequence[str]) -> dict[str, int]:
        """The version of each of these resources of the type that is live, by id."""
        ...

    async def several(self, type: str, ids: Sequence[str]) -> list[Stored]:
        """The current versions of those of these resources that are live, in no order."""
        ...

    async def dated(self, type: str, ids: Sequence[str], prefix: str) -> dict[str, Period]:
        """Of each of these live resources an index row of dates whose parameter begins so; those without are absent."""
        ...

    async def holder(self, type: str, claim: Claim) -> str | None:
        """The id of the resource of that type that holds the business identifier, or None."""
        ...

    async def linked(
        self, type: str, param: str, target_type: str, target_id: str, most: int | None = None
    ) -> list[str]:
        """Ids of the live resources of `type` whose reference parameter `param` points to the target, sorted; the first `most`."""
        ...

    async def takes(self, appointment: str) -> tuple[Take, ...]:
        """What the appointment takes, lapsed holds included, ordered by thing then start."""
        ...

    async def taken(self, things: Sequence[str], start: int, end: int, *, now: int) -> list[Occupied]:
        """Takes of these things that overlap [start, end), holds lapsed at `now` left out, ordered by thing then start."""
        ...

    async def agendas(self, things: Sequence[str]) -> dict[str, list[str]]:
        """For each thing that owns an agenda, the ids of its live Schedules, sorted; other things are absent."""
        ...

    async def commit(self, plan: Plan) -> tuple[Take, ...]:
        """Write the plan durably, or raise Moved, AlreadyTaken, AlreadyClaimed or StoreUnavailable and write nothing.

        Returns the takes, new or moved, of things that own no agenda (a patient, a contact) that meet another appointment's: they
        are kept, and the caller may say so.
        """
        ...

    def scan(self, type: str | None = None) -> AsyncIterator[Stored]:
        """Every current, live resource (of a type), for `doctor`, reindexing and copies."""
        ...

    async def ready(self) -> bool:
        """Whether a read and a write would be served now."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, release the file."""
        ...

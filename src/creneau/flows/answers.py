"""What a flow answers, as values; `http/response.py` gives each its status, headers and body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from creneau.problems import Issue
from creneau.search.query import Query
from creneau.store.contract import Stored

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Saved:
    """A write done. `created`: a new resource; `changed` is False when the stored version already said the same (GAP-STA-T15)."""

    stored: Stored
    created: bool
    changed: bool = True
    warnings: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deletion done, or found done. `stored` is the deletion's version, None when there never was such a resource."""

    type: str
    stored: Stored | None
    warnings: tuple[Issue, ...] = ()


class Entry(NamedTuple):
    """One entry of a searchset: `mode` is "match" or "include"; `body` the resource's bytes."""

    type: str
    id: str
    body: bytes
    mode: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search. `next` is the value of the page cursor that continues, None at the end; `outcome` goes in an entry of mode "outcome"."""

    query: Query
    entries: tuple[Entry, ...]
    total: int | None
    next: str | None = None
    outcome: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """A page of history, newest first."""

    items: tuple[Stored, ...]
    total: int
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What `$validate` found; nothing is stored."""

    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """One processed entry of a batch or transaction, before HTTP gives it a status."""

    answer: Saved | Deleted | Found | Past | Checked | Stored | Exception
    url: str = ""


Pairs = tuple[tuple[str, str], ...]
Elements = Mapping[str, Any]

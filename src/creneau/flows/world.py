"""What every flow is given: the store, the validator, the clock, ids, the settings that rules need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from creneau.flows.turns import Turns
from creneau.store.contract import Claim, Store

if TYPE_CHECKING:
    from creneau.fhir.reference import Bases
    from creneau.fhir.validation import Validator

KEPT: Final = 60_000
"""Resources whose company is remembered."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that flows and rules read, each with its default (`config.py` documents them)."""

    zone: ZoneInfo
    hold: int  # microseconds a request (proposed, pending) keeps its time
    default_duration: int  # microseconds of a cell whose service and actor give none
    identifier_system: str  # system of the business identifiers that the server mints
    client_ids: bool  # PUT on an unknown id creates it (actors, agendas)
    retries: int = 20  # how often a flow is run again when the world moved in between
    page: int = 50  # entries of a page when `_count` is absent
    page_limit: int = 1000
    bundle_limit: int = 500


@dataclass(frozen=True, slots=True)
class World:
    """The real things of one running server, built once by `wiring.py`."""

    store: Store
    validator: Validator
    bases: Bases
    clock: Callable[[], int]  # microseconds since 1970 UTC
    new_id: Callable[[], str]  # UUIDv7
    rules: Rules
    turns: Turns = field(default_factory=Turns)
    kept: dict[str, Any] = field(default_factory=dict)  # agendas already read (`flows/agendas.py`)
    along: dict[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # what is read with what (`flows/ahead.py`)
    links: dict[Any, Any] = field(default_factory=dict)  # references already read (`flows/searching.py`)


def note(world: World, one: str, others: Iterable[str]) -> None:
    """Remember that whoever reads the resource `one` ("Type/id") is likely to read `others`."""
    if world.store.far:
        world.along.pop(one, None)
        if len(world.along) >= KEPT:
            del world.along[next(iter(world.along))]
        world.along[one] = tuple(others)


def named(type: str, claim: Claim) -> str:
    """What `note` calls the holder of a business identifier."""
    return f"{type}?{claim.system}|{claim.value}"
